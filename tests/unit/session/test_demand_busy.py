"""Demand while the server is busy with sending: fewer pictures, none of them behind others."""

import asyncio

import pytest

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.session.demand import Demand
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.fanout import MAX_DEBT_S, MAX_SENDING_S, Fanout
from blustream_widget.transport.keyframe_wait import KeyframeWait


class SlowViewer:
    """One to whom a frame takes a while to send."""

    video, stills, has_credit, needs_keyframe = "h264", True, True, False

    def __init__(self, scene):
        self._scene = scene
        self.keyframe = KeyframeWait()

    def offer(self, frame):
        self._scene.now_s += self._scene.sending_s


class Scene:
    def __init__(self):
        self.now_s, self.sending_s = 0.0, 0.0
        self.revisions = []
        self.changed = asyncio.Event()
        self.demand = Demand(self.sent, clock=lambda: self.now_s)
        self.fanout = Fanout(self.demand.request_keyframe, clock=lambda: self.now_s)
        self.fanout.add(SlowViewer(self))
        self.demand.watch(self.fanout)

    def sent(self, message):
        if isinstance(message, wp.Show):
            self.revisions.append(message.state.revision)
            self.changed.set()

    def show(self, revision):
        self.demand.show(ViewState(revision=revision))

    def publish(self, sending_s):
        self.sending_s = sending_s
        self.fanout.publish(make_frame(1, is_key=True))

    async def next_one(self):
        self.changed.clear()
        async with asyncio.timeout(5):
            await self.changed.wait()


@pytest.fixture
async def scene():
    scene = Scene()
    yield scene
    scene.demand.close()


async def test_states_that_come_meanwhile_wait_and_only_the_newest_is_drawn(scene):
    scene.show(1)
    scene.publish(0.02)
    for revision in (2, 3, 4):
        scene.show(revision)
    assert scene.revisions == [1]
    scene.now_s += 0.02
    await scene.next_one()
    assert scene.revisions == [1, 4]


async def test_with_few_viewers_nothing_waits(scene):
    for revision in range(5):
        scene.show(revision)
        scene.publish(0.002)
    assert scene.revisions == [0, 1, 2, 3, 4]


async def test_what_was_sent_long_ago_holds_nothing_up(scene):
    scene.show(1)
    for _ in range(3):
        scene.publish(0.05)
    scene.now_s += 0.05
    scene.show(2)
    assert scene.revisions == [1, 2]


async def test_pictures_that_pile_up_are_waited_for_together(scene):
    for _ in range(3):
        scene.publish(0.01)
    assert scene.fanout.busy_s == pytest.approx(3 * 0.013 - 0.03)


async def test_pictures_that_nobody_asked_for_pile_up_no_debt(scene):
    for _ in range(600):  # drawn by themselves, one after the other
        scene.publish(0.02)
    assert scene.fanout.busy_s <= MAX_DEBT_S + 1e-6


async def test_a_process_that_slept_is_not_busy_for_as_long_as_that(scene):
    scene.publish(3600.0)
    scene.now_s -= 3600.0 - MAX_SENDING_S
    assert 0 < scene.fanout.busy_s < MAX_SENDING_S


async def test_a_still_for_those_who_rest_does_not_hold_up_the_next_move(scene):
    scene.show(1)
    scene.sending_s = 0.1
    scene.fanout.publish(make_frame(1, is_still=True))
    scene.show(2)
    assert scene.revisions == [1, 2]


async def test_a_new_worker_is_told_the_state_at_once(scene):
    scene.show(1)
    scene.publish(0.02)
    scene.show(2)
    scene.demand.opened(ViewState(revision=3))
    assert scene.revisions == [1, 3]


async def test_after_the_end_nothing_is_waited_for(scene):
    scene.show(1)
    scene.publish(0.02)
    scene.show(2)
    waiting = scene.demand._timer
    scene.demand.close()
    assert waiting.cancelled()
    assert scene.revisions == [1]
