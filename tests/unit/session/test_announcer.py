"""Announcer: what all viewers hear alike is encoded once, and to many it goes with their frames."""

import pytest

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.state import ViewState
from blustream_widget.session.announcer import FEW_VIEWERS, Announcer


class FakeViewer:
    def __init__(self, seq=0):
        self.seq = seq
        self.sent, self.held, self.n_flushed = [], [], 0

    def send_encoded(self, data, *, may_wait=False):
        (self.held if may_wait else self.sent).append(data)

    def flush(self):
        self.n_flushed += 1


@pytest.fixture
def viewers():
    return [FakeViewer() for _ in range(FEW_VIEWERS + 1)]


@pytest.fixture
async def announcer(viewers):
    announcer = Announcer(lambda: viewers)
    yield announcer
    announcer.close()


async def test_a_state_is_encoded_once_for_all_who_have_sent_the_same(announcer, viewers):
    viewers[0].seq = 7
    announcer.mover = viewers[0]
    announcer.state(ViewState(revision=3))
    first, *others = (viewer.held[0] for viewer in viewers[1:])
    assert all(other is first for other in others)
    assert p.decode_server(first) == vm.State(seq=0, state=ViewState(revision=3))


async def test_of_many_only_who_moves_the_view_hears_at_once(announcer, viewers):
    viewers[0].seq = 7
    announcer.mover = viewers[0]
    announcer.state(ViewState(revision=3))
    (own,) = viewers[0].sent
    assert p.decode_server(own).seq == 7
    assert all(viewer.sent == [] and len(viewer.held) == 1 for viewer in viewers[1:])


async def test_few_viewers_all_hear_at_once(announcer, viewers):
    del viewers[FEW_VIEWERS:]
    announcer.state(ViewState(revision=3))
    assert all(len(viewer.sent) == 1 and viewer.held == [] for viewer in viewers)


async def test_each_hears_its_own_reason_in_the_status(announcer, viewers):
    status = p.Status(worker="ready", lod=0, progress=1.0, exact=True)
    announcer.status(status, lambda viewer: "slow" if viewer is viewers[0] else "")
    heard = [p.decode_server(viewer.sent[0]).held_back for viewer in viewers]
    assert heard == ["slow"] + [""] * FEW_VIEWERS
    assert viewers[1].sent[0] is viewers[2].sent[0]
