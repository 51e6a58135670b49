"""The pipeline: which pictures it draws, of which state, and what it tells."""

from __future__ import annotations

import threading

import msgspec
import numpy as np
import pytest
from tests.unit.worker.pipeline_kit import PANE, Bench, decoded_luma

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.types import LoadedSlices, VolumeRef
from blustream_widget.core.worker_protocol import (
    Described,
    Loaded,
    Open,
    Output,
    ProbedValue,
    ProbeVoxel,
    Refresh,
    Show,
    WantKeyframe,
)
from blustream_widget.testing.contracts.encoder import decode
from blustream_widget.testing.fakes import HeldSource, volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker.marks import INTERVAL_S


def test_opening_draws_a_first_keyframe_of_the_given_size(bench) -> None:
    bench.open()
    assert bench.state.width_px == 128
    ((header, data),) = bench.sink.video
    assert header.flags == FrameFlags.KEY | FrameFlags.EXACT
    assert (header.width_px, header.height_px) == PANE
    (frame,) = decode(data)
    assert (frame.width, frame.height) == PANE


def test_the_frame_shows_the_slice_that_was_asked_for(bench) -> None:
    bench.open()
    for revision, idx in enumerate((3, 30), start=1):
        bench.show(revision, slice_idx=(idx, 0, 0), colormap="grey", window=1.0, level=0.5)
        bench.step(0.02)
    luma = decoded_luma(bench)[-2:]
    assert luma == pytest.approx([16 + 219 * 3 / 31, 16 + 219 * 30 / 31], abs=3)
    assert [h.slice_idx for h, _ in bench.sink.video][-2:] == [3, 30]
    assert [h.revision for h, _ in bench.sink.video][-2:] == [1, 2]


def test_only_the_newest_of_many_states_is_drawn(bench) -> None:
    bench.open()
    shows = [
        Show(msgspec.structs.replace(bench.state, revision=n, slice_idx=(n % 32, 0, 0)))
        for n in range(1, 101)
    ]
    bench.put(*shows)
    bench.step(0.02)
    assert [h.revision for h, _ in bench.sink.video] == [bench.state.revision, 100]


def test_nothing_is_encoded_when_nothing_changes(bench) -> None:
    bench.open()
    bench.rest()
    n = len(bench.sink.frames)
    assert bench.pipeline.due_in_s() is None
    for _ in range(10):
        bench.step(1.0)
    assert len(bench.sink.frames) == n


def test_slices_in_memory_are_told_on_change_only_and_not_while_nobody_looks() -> None:
    bench = Bench(HeldSource(volume_info((200, 64, 64), kind="seismic")))
    try:
        bench.open()
        for lod in (1, 0):
            bench.source.deliver(lod)
            bench.step(INTERVAL_S)
        bench.step(INTERVAL_S)
        told = [message.slices.runs for message in bench.of(Loaded)]
        assert told[-1] == ((64, 127),)  # the layer of the slice in the middle
        assert len(told) == len(set(told))
        assert bench.pipeline.due_in_s() is None
        bench.put(Output(h264=False, still=False))
        bench.show(1, slice_idx=(0, 0, 0))
        bench.source.deliver(0)
        bench.step(INTERVAL_S)
        assert [message.slices.runs for message in bench.of(Loaded)] == told
    finally:
        bench.pipeline.close()


def test_all_slices_of_an_array_are_in_memory(bench) -> None:
    bench.open()
    assert [message.slices for message in bench.of(Loaded)] == [LoadedSlices(0, 0, ((0, 31),))]


def test_many_wishes_for_a_keyframe_give_one(bench) -> None:
    bench.open()
    bench.clock.now += 1
    for _ in range(10):
        bench.put(WantKeyframe())
        bench.clock.now += 0.01
    assert sum(bool(h.flags & FrameFlags.KEY) for h, _ in bench.sink.video) == 2
    bench.step(0.3)
    assert sum(bool(h.flags & FrameFlags.KEY) for h, _ in bench.sink.video) == 3


def test_a_new_size_is_a_new_keyframe(bench) -> None:
    bench.open()
    bench.clock.now += 1
    bench.show(1, width_px=320, height_px=200)
    header, data = bench.sink.video[-1]
    assert header.flags & FrameFlags.KEY
    assert (decode(data)[0].width, decode(data)[0].height) == (320, 200)


def test_with_nobody_looking_nothing_is_drawn(bench) -> None:
    bench.put(Output(h264=False))
    bench.open()
    bench.show(1, slice_idx=(4, 0, 0))
    bench.step(1.0)
    assert bench.sink.frames == []
    assert bench.pipeline.due_in_s() is None
    bench.put(Output())
    assert [h.revision for h, _ in bench.sink.video] == [1]


def test_nothing_is_drawn_before_it_is_said_what_is_wanted(bench) -> None:
    bench.slot.take(0)
    bench.open()
    bench.step(1.0)
    assert bench.sink.frames == []
    bench.show(4, slice_idx=(4, 0, 0))
    bench.put(Output())
    assert [(h.revision, h.slice_idx) for h, _ in bench.sink.video] == [(4, 4)]


def test_jpeg_viewers_get_jpeg_files(bench) -> None:
    bench.put(Output(h264=False, jpeg=True))
    bench.open()
    ((header, file),) = bench.sink.frames
    assert header.flags & FrameFlags.JPEG
    assert file[:2] == b"\xff\xd8"


def test_both_kinds_are_made_of_one_picture(bench) -> None:
    bench.put(Output(jpeg=True))
    bench.open()
    assert [bool(h.flags & FrameFlags.JPEG) for h, _ in bench.sink.frames] == [False, True]
    numbers = [h.frame_no for h, _ in bench.sink.frames]
    assert numbers == sorted(set(numbers))


def test_changed_values_are_drawn_after_a_refresh(ramp) -> None:
    bench = Bench(ramp)
    bench.open(colormap="grey", window=1.0, level=0.5, slice_idx=(0, 0, 0))
    bench.step(0.02)
    ramp._channels[0][:] = 1.0
    bench.put(Refresh())
    bench.step(0.1)
    assert decoded_luma(bench)[-1] == pytest.approx(235, abs=3)
    bench.pipeline.close()


def test_ranges_are_told_after_a_refresh_that_changed_them(ramp) -> None:
    bench = Bench(ramp)
    bench.open()
    ramp.channels[0][:] = np.linspace(50, 70, 32)
    bench.put(Refresh())
    wait_until(lambda: bench.of(Described), timeout_s=10, what="the new range is told")
    bench.put(Refresh())
    wait_until(no_describer, timeout_s=10, what="the same values were looked at")
    (told,) = bench.of(Described)
    (channel,) = told.info.channels
    assert (channel.value_min, channel.value_max) == (50, 70)
    assert sum(channel.histogram) == 32**3
    bench.pipeline.close()


def no_describer() -> bool:
    return all(thread.name != "blustream-describe" for thread in threading.enumerate())


def test_probed_values_are_answered_for_each_viewer(bench) -> None:
    bench.open()
    bench.put(
        ProbeVoxel(peer=1, n=5, channel=0, voxel=(31, 0, 0)),
        ProbeVoxel(peer=2, n=6, channel=0, voxel=(0, 1, 2)),
    )
    bench.step()
    assert bench.of(ProbedValue) == [
        ProbedValue(peer=1, n=5, voxel=(31, 0, 0), value=1.0),
        ProbedValue(peer=2, n=6, voxel=(0, 1, 2), value=0.0),
    ]


def test_a_pane_without_a_size_yet_opens_anyway(ramp) -> None:
    bench = Bench(ramp)
    bench.put(Open(VolumeRef(url="fake"), pane=(0, 0)))
    assert (bench.state.width_px, bench.state.height_px) == (16, 16)
    assert len(bench.sink.video) == 1
    bench.pipeline.close()


def test_a_smaller_picture_shows_the_same_part_of_the_slice(bench):
    bench.open()
    bench.put(Output(scale=0.5))
    bench.step(0.1)
    bench.show(width_px=1280, height_px=720, zoom=3.0, pan=(0.4, 0.6), slice_idx=(9, 0, 0))
    header, _ = bench.sink.video[-1]
    assert (header.width_px, round(header.zoom, 3), round(header.pan_x, 3)) == (640, 3.0, 0.4)
