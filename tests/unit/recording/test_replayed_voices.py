"""Whoever plays the voices of a replay asks through the server: what the viewer answers, when."""

import pytest
from tests.unit.recording.sound_kit import ANN, BEN

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.replay_messages import PIECE_MS, DriveReplay, ReplayState, WantSaid
from blustream_widget.replay import Replay
from blustream_widget.testing.waiting import wait_until


class Stated:
    """A recording with a voice, and the one state that a replay needs."""

    def __init__(self, recording):
        self.path, self.index, self.duration_s = recording.path, recording.index, 60.0
        self.timeline = ({"t": 0.0, "kind": "state", "set": {"axis": 0}},)
        self.chapters = ()


@pytest.fixture
def told(viewer, monkeypatch):
    """What the viewer tells the server of a replay."""
    sent = []
    monkeypatch.setattr(viewer._link, "tell", sent.append, raising=False)
    return sent


@pytest.fixture
def ask(viewer, told):
    """Ask as a page does whose question the server passed on."""

    def ask(n, piece):
        told.clear()
        viewer.on_message(lp.WishOfReplay(viewer._session, WantSaid(n=n, piece=piece)))

        def answers():
            return [m.said for m in told if isinstance(m, lp.ReplaySaid)]

        wait_until(answers, timeout_s=10, what="it is answered")
        (said,) = answers()
        assert (said.n, said.piece) == (n, piece)
        return said

    return ask


def test_it_is_given_what_is_said_in_the_recording_that_is_replayed(viewer, talk, ask):
    replay = Replay(Stated(talk), viewer)
    said = ask(replay._n, 0)
    assert ({run.who for run in said.runs}, said.refused) == ({ANN}, "")
    assert all(run.packets and run.at < PIECE_MS / 1000 for run in said.runs)
    assert BEN in {run.who for run in ask(replay._n, 1).runs}
    assert ask(replay._n, 9).runs == ()
    replay.stop()


def test_it_hears_why_there_is_nothing(viewer, talk, ask):
    replay = Replay(Stated(talk), viewer)
    talk.path.unlink()
    said = ask(replay._n, 0)
    assert ("cannot be read" in said.refused, said.runs) == (True, ())
    assert replay.is_running
    replay.stop()


def test_what_it_is_of_is_told_again_to_another_server(viewer, talk, told):
    def n_whole():
        states = [m.status for m in told if isinstance(m, lp.ReplayStatus)]
        return sum(1 for status in states if status.about is not None)

    replay = Replay(Stated(talk), viewer)
    wait_until(lambda: n_whole() == 1, timeout_s=10, what="it is told")
    viewer.on_message(lp.SessionOpened(viewer._session, "token"))
    wait_until(lambda: n_whole() == 2, timeout_s=10, what="it is told again")
    replay.stop()
    assert isinstance(told[-1].status, ReplayState)
    assert told[-1].status.over


def test_one_replay_at_a_time_and_the_wishes_are_for_that(viewer, talk, told):
    first = Replay(Stated(talk), viewer)
    second = Replay(Stated(talk), viewer)
    assert not first.is_running
    viewer.on_message(lp.WishOfReplay(viewer._session, DriveReplay(n=first._n, end=True)))
    assert second.is_running
    viewer.on_message(lp.WishOfReplay(viewer._session, DriveReplay(n=second._n, playing=False)))
    assert second.is_paused
    second.stop()
