"""A page that plays the voices of a replay asks the viewer: what it is given, and when nothing."""

import pytest
from tests.unit.recording.sound_kit import ANN, BEN

from blustream_widget.replay import Replay


class Stated:
    """A recording with a voice, and the one state that a replay needs."""

    def __init__(self, recording):
        self.path, self.index, self.duration_s = recording.path, recording.index, 60.0
        self.timeline = ({"t": 0.0, "kind": "state", "set": {"axis": 0}},)


@pytest.fixture
def ask(viewer, monkeypatch):
    """Ask the viewer as a page does; gives what it sends of it."""
    sent = []
    monkeypatch.setattr(viewer, "send", lambda content, buffers=(): sent.append((content, buffers)))

    def ask(what="voices", **places):
        sent.clear()
        question = {"kind": "recording", "n": "p-1", "ask": what, **places}
        viewer._on_browser(viewer, question, [])
        return next(((c, b) for c, b in sent if c.get("n") == "p-1"), None)

    return ask


def test_it_is_given_what_is_said_in_the_recording_that_is_replayed(viewer, talk, ask):
    replay = Replay(Stated(talk), viewer)
    answer, (packets,) = ask(**{"from": 1000, "until": 2000})
    assert [run["who"] for run in answer["runs"]] == [ANN]
    assert sum(answer["runs"][0]["bytes"]) == len(packets) > 0
    answer, _ = ask(**{"from": 3000, "until": 4000})
    assert BEN in {run["who"] for run in answer["runs"]}
    replay.stop()


def test_it_hears_why_there_is_nothing(viewer, talk, ask):
    assert ask(**{"from": 0, "until": 2000})[0]["error"]["code"] == "recording"
    replay = Replay(Stated(talk), viewer)
    assert "no sound" in ask(**{"from": 0, "until": 60_000})[0]["error"]["message"]
    assert "error" in ask("pictures", first=0, last=1)[0]
    replay.stop()


def test_one_replay_at_a_time(viewer, talk):
    first = Replay(Stated(talk), viewer)
    second = Replay(Stated(talk), viewer)
    assert not first.is_running
    assert second.is_running
    second.stop()
