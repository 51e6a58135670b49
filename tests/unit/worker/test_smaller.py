"""Smaller streams of the pipeline: one encode each, only while needed, with the last picture."""

import numpy as np
import pytest
from tests.unit.worker.pipeline_kit import Bench

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import Open, Output, SmallerOutput, WantKeyframe
from blustream_widget.data.memory import MemorySource
from blustream_widget.testing.fakes import volume_info
from blustream_widget.worker.schedule import REST_S

HALF = SmallerOutput(rendition=1, bit_rate_bps=1_000_000, max_fps=60, scale=0.5)
LOW = SmallerOutput(rendition=2, bit_rate_bps=300_000, max_fps=10, scale=0.5)
PANE = (720, 400)


@pytest.fixture
def bench():
    values = np.repeat(np.linspace(0, 1, 32, dtype=np.float32), 32 * 32).reshape(32, 32, 32)
    bench = Bench(MemorySource(volume_info((32, 32, 32), kind="seismic"), (values,)))
    bench.put(Open(VolumeRef(url="fake"), pane=PANE))
    yield bench
    bench.pipeline.close()


def scroll(bench, slices):
    for idx in slices:
        bench.show(revision=idx, slice_idx=(idx, 0, 0))
        bench.step(0.02)


def shown(bench, rendition):
    return [h.slice_idx for n, h in bench.sink.smaller if n == rendition]


def test_every_picture_is_encoded_once_for_each_stream_that_somebody_needs(bench) -> None:
    scroll(bench, [1, 2])
    assert bench.sink.smaller == []
    bench.put(Output(smaller=(HALF,)))
    bench.sink.frames.clear()
    bench.sink.smaller.clear()
    scroll(bench, [3, 4, 5])
    assert [h.slice_idx for h, _ in bench.sink.video] == shown(bench, 1) == [3, 4, 5]
    assert {(h.width_px, h.height_px) for _, h in bench.sink.smaller} == {(360, 200)}
    bench.put(Output())
    scroll(bench, [6])
    assert shown(bench, 1) == [3, 4, 5]


def test_a_stream_begins_with_a_keyframe_and_leaves_the_full_one_alone(bench) -> None:
    bench.sink.frames.clear()
    bench.put(Output(smaller=(HALF,)))
    bench.step(0.02)
    ((rendition, header),) = bench.sink.smaller
    assert (rendition, header.flags & FrameFlags.KEY) == (1, FrameFlags.KEY)
    assert bench.sink.video == []


def test_a_keyframe_is_one_of_its_own_stream(bench) -> None:
    bench.put(Output(smaller=(HALF, LOW)))
    bench.step(0.02)
    bench.sink.frames.clear()
    bench.sink.smaller.clear()
    bench.put(WantKeyframe(1))
    bench.step(0.02)
    assert [(n, h.flags & FrameFlags.KEY) for n, h in bench.sink.smaller] == [(1, FrameFlags.KEY)]
    assert bench.sink.video == []


def test_a_stream_of_fewer_pictures_leaves_some_out_but_not_the_last(bench) -> None:
    bench.put(Output(smaller=(LOW,)))
    bench.step(0.02)
    bench.sink.smaller.clear()
    scroll(bench, range(1, 10))
    assert 1 <= len(shown(bench, 2)) <= 3
    for _ in range(10):
        bench.step(0.02)
    assert shown(bench, 2)[-1] == 9
    n = len(bench.sink.smaller)
    bench.step(REST_S)
    bench.step(1.0)
    assert len(bench.sink.smaller) == n
