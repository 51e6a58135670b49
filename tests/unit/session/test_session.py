"""A session whose worker is a stub: what it is told while it opens, and how long it is kept."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from blustream_widget.config import Config
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import Measurement
from blustream_widget.core.palettes import OwnMap
from blustream_widget.core.segmentation import (
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
)
from blustream_widget.core.types import VolumeRef
from blustream_widget.session.session import Session
from blustream_widget.session.ties import Ties
from blustream_widget.testing.stubs import INFO, StubPool

BOX = annotation("box", [(0, 0, 0), (9, 9, 9)], id="box")


class Kernel:
    def __init__(self):
        self.heard = []

    def tell(self, message):
        self.heard.append(message)

    def measured(self):
        return [m.measurement for m in self.heard if isinstance(m, la.Measured)]


@pytest.fixture
async def pool():
    return StubPool()


@pytest.fixture
async def kernel():
    return Kernel()


IDLE_S = 1234.5


@pytest.fixture
async def idle(monkeypatch):
    """Let the time pass after which a session without viewers gives its worker back."""
    loop, timers = asyncio.get_running_loop(), []
    call_later = loop.call_later

    def keep(delay, callback, *arguments):
        handle = call_later(delay, callback, *arguments)
        if delay == IDLE_S:
            timers.append((handle, callback))
        return handle

    monkeypatch.setattr(loop, "call_later", keep)

    def pass_by():
        handle, callback = timers[-1]
        assert not handle.cancelled()
        handle.cancel()
        callback()

    return pass_by


@pytest.fixture
async def session(idle, pool, kernel):
    session = Session(
        "0" * 32,
        VolumeRef(url="fake:"),
        config=Config(idle_s=IDLE_S),
        ice_servers=(),
        pool=pool,
        ties=Ties(lambda _session: None),
    )
    session.attach(kernel)
    yield session
    await session.close("test")


def measure(n=1, **fields):
    return la.MeasureItem(session="0" * 32, n=n, item=BOX, want=("statistics",), **fields)


async def test_a_map_that_comes_while_the_volume_is_being_opened_reaches_the_worker(session, pool):
    session.open({}, None)
    worker = await pool.worker()
    assert worker.got(wp.Open)
    own = OwnMap(name="user-01234567", title="", colors=bytes(3 * 1024))
    session.put_palette(own)
    worker.opens()
    session.view.patch_by_kernel({"colormap": own.name}, 1)
    assert [message.palette for message in worker.got(wp.SetPalette)] == [own]


async def test_a_measurement_without_a_viewer_keeps_its_worker_until_it_is_done(
    session, pool, kernel, idle
):
    session.open({}, None)
    worker = await pool.worker()
    worker.opens()
    session.markup.measure_by_kernel(measure())
    idle()
    assert session._supervisor.status == "ready"
    (question,) = worker.got(wp.MeasureVoxels)
    worker.says(wp.MeasuredVoxels(question.owner, Measurement(n=1, id="box", done=True)))
    assert [answer.done for answer in kernel.measured()] == [True]
    idle()
    assert session._supervisor.status == "idle"


async def test_a_question_that_ends_one_worker_after_the_other_is_given_up(session, pool, kernel):
    session.open({}, None)
    worker = await pool.worker()
    worker.opens()
    session.markup.measure_by_kernel(measure())
    for _ in range(3):
        session._supervisor._crashes_s.clear()  # they die too slowly for this to count
        assert kernel.measured() == []
        worker.dies()
        worker = await pool.worker()
        worker.opens()
    (answer,) = kernel.measured()
    assert answer.done
    assert answer.error
    assert worker.got(wp.MeasureVoxels) == []


async def test_a_count_that_no_worker_could_take_is_asked_of_the_one_that_is_ready(session, pool):
    source = SegmentationSource("fault", VolumeRef(url="fake:labels"))
    session.open({}, None)
    session.segmentations.restore([source])
    worker = await pool.worker()
    session.segmentations.receive(ll.CountLabels(session="0" * 32, name="fault", channel=0))
    opened = SegmentationInfo(name="fault", channel=INFO.channels[0])
    worker.says(wp.SegmentationOpened(opened))  # labels may be open before the volume is
    worker.opens()
    assert worker.got(wp.CountLabels) == [wp.CountLabels("fault", 0)]
    worker.says(wp.SegmentationOpened(msgspec.structs.replace(opened, is_counted=True)))
    worker.dies()
    worker = await pool.worker()
    worker.opens()
    assert worker.got(wp.CountLabels) == [wp.CountLabels("fault", 0)]
    answer = msgspec.structs.replace(opened, is_counted=True, values_of=0)
    worker.says(wp.SegmentationOpened(answer))
    worker.dies()
    worker = await pool.worker()
    worker.opens()
    assert worker.got(wp.CountLabels) == []


async def test_labels_that_open_without_a_viewer_keep_their_worker_until_they_are_counted(
    session, pool, idle
):
    source = SegmentationSource("fault", VolumeRef(url="fake:labels"))
    session.open({}, None)
    worker = await pool.worker()
    worker.opens()
    look = SegmentationLook(name="fault")
    session.segmentations.receive(ll.AddSegmentation(session="0" * 32, source=source, look=look))
    idle()
    assert session._supervisor.status == "ready"
    opened = SegmentationInfo(name="fault", channel=INFO.channels[0])
    worker.says(wp.SegmentationOpened(opened))
    idle()
    assert session._supervisor.status == "ready"
    worker.says(wp.SegmentationOpened(msgspec.structs.replace(opened, is_counted=True)))
    session.segmentations.receive(ll.CountLabels(session="0" * 32, name="fault", channel=0))
    idle()
    assert session._supervisor.status == "ready"
    answer = msgspec.structs.replace(opened, is_counted=True, values_of=0)
    worker.says(wp.SegmentationOpened(answer))
    idle()
    assert session._supervisor.status == "idle"


async def test_labels_of_a_name_that_was_free_again_are_opened(session, pool):
    session.open({}, None)
    worker = await pool.worker()
    worker.opens()
    look = SegmentationLook(name="fault")
    for url in ("fake:labels", "fake:others"):
        source = SegmentationSource("fault", VolumeRef(url=url))
        add = ll.AddSegmentation(session="0" * 32, source=source, look=look)
        session.segmentations.receive(add)
        assert worker.got(wp.AddSegmentation)[-1].source == source
        session.segmentations.receive(ll.RemoveSegmentation(session="0" * 32, name="fault"))


async def test_a_change_is_confirmed_to_the_kernel_when_it_is_in_the_state(session, pool, kernel):
    session.open({}, None)
    session.view.patch_by_kernel({"slice_idx": 3}, 1)
    session.view.patch_by_kernel({"zoom": 2.0}, 2)
    session.reports._send_mirror()
    told = [m for m in kernel.heard if isinstance(m, lp.Mirror)]
    assert told
    assert {m.seq for m in told} == {0}  # a kernel takes over what counts as newer than its own
    (await pool.worker()).opens()
    session.reports._send_mirror()
    newest = [m for m in kernel.heard if isinstance(m, lp.Mirror)][-1]
    assert (newest.seq, newest.state.zoom) == (2, 2.0)
    assert newest.state.slice_idx[newest.state.axis] == 3
