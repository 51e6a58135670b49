"""The pipeline with a list for a sink and a clock of the test."""

from __future__ import annotations

import dataclasses
import io
import threading

import av
import msgspec
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.sections import plane_across
from blustream_widget.core.types import LoadedSlices, VolumeRef
from blustream_widget.core.worker_protocol import (
    Described,
    EncoderChanged,
    Failed,
    Loaded,
    Open,
    Opened,
    Output,
    ProbedValue,
    ProbeVoxel,
    Progress,
    Refresh,
    Show,
    WantKeyframe,
)
from blustream_widget.data.memory import MemorySource
from blustream_widget.encode.chain import EncoderChain
from blustream_widget.encode.h264 import H264Encoder
from blustream_widget.encode.probe import candidates
from blustream_widget.errors import (
    BrickReadError,
    EncoderFailedError,
    StorageUnreachableError,
    VolumeNotFoundError,
)
from blustream_widget.render.colormaps import LEVELS, rgb_table
from blustream_widget.testing.contracts.encoder import decode, planes_of
from blustream_widget.testing.fakes import FakeClock, HeldSource, ListSink, volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker.marks import INTERVAL_S
from blustream_widget.worker.pipeline import Pipeline
from blustream_widget.worker.schedule import REST_S
from blustream_widget.worker.slot import LatestSlot

PANE = (128, 64)


class Bench:
    """A pipeline on a volume, driven by hand."""

    def __init__(self, source, chain=None) -> None:
        self.sink, self.slot, self.clock = ListSink(), LatestSlot(), FakeClock()
        self.source = source
        if chain is None:
            chain = EncoderChain(candidates("libx264"))
            chain.start()
        self.still_done = threading.Event()
        self.slot.put(Output())
        self.pipeline = Pipeline(
            Config(cache_bytes=10**7),
            self.sink,
            self.slot,
            chain=chain,
            clock=self.clock,
            open_volume=self.open_volume,
        )

    def open_volume(self, ref, config):
        if isinstance(self.source, Exception):
            raise self.source
        return self.source

    def put(self, *messages) -> None:
        for message in messages:
            self.slot.put(message)
        self.step()

    def step(self, seconds: float = 0.0) -> None:
        """Let time pass, then do what the render thread would do."""
        self.clock.now += seconds
        self.pipeline.apply(self.slot.take(0))
        self.pipeline.run()

    def open(self, **state) -> None:
        self.put(Open(VolumeRef(url="fake"), pane=PANE))
        if state:
            self.show(**state)

    @property
    def state(self):
        return next(m for m in self.sink.messages if isinstance(m, Opened)).state

    def show(self, revision: int = 1, **fields) -> None:
        self.put(Show(msgspec.structs.replace(self.state, revision=revision, **fields)))

    def rest(self) -> None:
        """Let the view come to rest, and wait for the still picture."""
        self.step(REST_S + 0.01)
        wish = self.slot.take(5)
        assert wish.has_still
        self.pipeline.apply(wish)

    def of(self, kind):
        return [m for m in self.sink.messages if isinstance(m, kind)]


@pytest.fixture
def ramp():
    """Value = index on axis 0, 0 to 1 over 32 slices."""
    values = np.repeat(np.linspace(0, 1, 32, dtype=np.float32), 32 * 32).reshape(32, 32, 32)
    return MemorySource(volume_info((32, 32, 32), kind="seismic"), (values,))


@pytest.fixture
def bench(ramp):
    bench = Bench(ramp)
    yield bench
    bench.pipeline.close()


def decoded_luma(bench: Bench) -> list[float]:
    return [planes_of(f)[:64].mean() for f in decode(*(data for _, data in bench.sink.video))]


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


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_that_is_not_turned_is_drawn_exactly_as_the_slice(axis) -> None:
    at, info = (5, 6, 7), volume_info((32, 32, 32), kind="seismic")
    values = np.random.default_rng(1).random((32, 32, 32), np.float32)
    pictures = []
    for section in (None, plane_across(info, axis, at)):
        bench = Bench(MemorySource(info, (values,)))
        bench.open(axis=axis, slice_idx=at, section=section, zoom=1.7)
        bench.put(Output(jpeg=1, still=1))
        bench.rest()
        header, png = bench.sink.stills[-1]
        assert header.flags & FrameFlags.EXACT
        pictures.append(png)
        bench.pipeline.close()
    assert pictures[0] == pictures[1]


def test_a_crosshair_costs_no_picture_and_leaves_the_exact_one(bench) -> None:
    bench.open()
    bench.rest()
    n = len(bench.sink.frames)
    bench.show(5, crosshair=True, slice_idx=(bench.state.slice_idx[0], 3, 4))
    for _ in range(3):
        bench.step(REST_S + 0.01)
    assert len(bench.sink.frames) == n
    bench.show(6, crosshair=True, axis=1, slice_idx=(0, 3, 4))
    assert bench.sink.video[-1][0].revision == 6


def test_one_still_comes_at_rest_and_is_exactly_the_colour_map(bench) -> None:
    bench.open()
    bench.show(7, slice_idx=(21, 0, 0), colormap="viridis", window=1.0, level=0.5)
    bench.rest()
    ((header, png),) = bench.sink.stills
    assert header.flags == FrameFlags.STILL | FrameFlags.KEY | FrameFlags.EXACT
    assert header.revision == 7
    with av.open(io.BytesIO(png)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert pixels.shape == (64, 128, 3)
    assert (pixels == rgb_table("viridis")[int(21 / 31 * LEVELS)]).all()


def test_the_still_of_a_smooth_view_has_the_colours_of_the_interpolated_values() -> None:
    values = np.random.default_rng(1).random((2, 24, 16), np.float32)
    bench = Bench(MemorySource(volume_info((2, 24, 16), kind="seismic"), (values,)))
    bench.open(slice_idx=(1, 0, 0), interpolate=True, colormap="seismic", window=1.0, level=0.5)
    bench.rest()
    bench.pipeline.close()
    ((_, png),) = bench.sink.stills
    with av.open(io.BytesIO(png)) as container:
        found = next(container.decode(video=0)).to_ndarray(format="rgb24")
    x = (np.arange(PANE[0]) + 0.5) / PANE[0] * 24 - 0.5
    y = (np.arange(PANE[1]) + 0.5) / PANE[1] * 16 - 0.5
    at_y = np.array([np.interp(y, np.arange(16), trace) for trace in values[1].astype(float)])
    steps = np.array([np.interp(x, np.arange(24), row) for row in at_y.T]) * LEVELS
    wanted = rgb_table("seismic")[np.floor(steps).astype(int).clip(0, LEVELS - 1)]
    is_certain = np.abs(steps - np.rint(steps)) > 2e-3  # of single precision
    assert is_certain.mean() > 0.9
    assert np.array_equal(found[is_certain], wanted[is_certain])


def test_a_still_of_an_older_picture_is_dropped(bench) -> None:
    bench.open()
    bench.step(REST_S + 0.01)
    wish = bench.slot.take(5)
    assert wish.has_still
    bench.show(1, slice_idx=(2, 0, 0))
    bench.pipeline.apply(wish)
    assert bench.sink.stills == []


def test_no_still_is_made_when_nobody_wants_one(bench) -> None:
    bench.put(Output(still=False))
    bench.open()
    bench.step(1.0)
    assert bench.pipeline.due_in_s() is None
    assert len(bench.sink.frames) == 1


def test_a_keyframe_on_demand_decodes_alone_and_brings_the_still_again(bench) -> None:
    bench.open()
    bench.show(1, slice_idx=(30, 0, 0), colormap="grey", window=1.0, level=0.5)
    bench.rest()
    bench.clock.now += 1
    bench.put(WantKeyframe())
    header, data = bench.sink.video[-1]
    assert header.flags & FrameFlags.KEY
    (frame,) = decode(data)
    assert planes_of(frame)[:64].mean() == pytest.approx(16 + 219 * 30 / 31, abs=3)
    bench.step(REST_S + 0.01)
    assert len(bench.sink.stills) == 2
    assert bench.sink.stills[0][1] == bench.sink.stills[1][1]


def test_a_view_that_went_and_came_back_unseen_brings_the_still_again(bench) -> None:
    bench.open()
    bench.show(1, slice_idx=(30, 0, 0))
    bench.rest()
    n_frames = len(bench.sink.frames)
    away = msgspec.structs.replace(bench.state, revision=2, slice_idx=(2, 0, 0))
    back = msgspec.structs.replace(bench.state, revision=3, slice_idx=(30, 0, 0))
    bench.put(Show(away), Show(back))
    bench.step(REST_S + 0.01)
    assert len(bench.sink.frames) == n_frames + 1
    assert len(bench.sink.stills) == 2


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


def test_a_volume_that_cannot_be_opened_is_a_fatal_failure() -> None:
    bench = Bench(VolumeNotFoundError("There is no a.vds.", hint="Look."))
    bench.put(Open(VolumeRef(url="a.vds")))
    assert bench.of(Failed) == [
        Failed("volume-not-found", "There is no a.vds.", "Look.", fatal=True)
    ]
    bench.put(WantKeyframe())
    assert bench.sink.frames == []
    bench.pipeline.close()


@pytest.mark.parametrize("unforeseen", [MemoryError(), KeyError("affine"), RecursionError("deep")])
def test_an_error_nobody_foresaw_names_the_volume_and_the_worker_lives(unforeseen, caplog) -> None:
    bench = Bench(unforeseen)
    bench.put(Open(VolumeRef(url="https://host/a/survey.vds?secret=1")))
    (failed,) = bench.of(Failed)
    assert (failed.code, failed.fatal) == ("volume", True)
    assert "survey.vds" in failed.message
    assert type(unforeseen).__name__ in failed.message
    assert "secret" not in failed.message
    assert "Traceback" in caplog.text
    bench.put(WantKeyframe())
    bench.pipeline.close()


@pytest.fixture
def held():
    return HeldSource(
        volume_info((128, 128, 128), kind="seismic", n_lods=3, brick_size=32, value_range=(0, 2))
    )


def open_held(held) -> Bench:
    bench = Bench(held)
    bench.put(Open(VolumeRef(url="fake"), pane=(256, 256)))
    return bench


class FarHeldSource(HeldSource):
    max_in_flight = 16
    trouble = None

    def on_trouble(self, listener) -> None:
        self.changed = listener


def test_a_storage_out_of_reach_is_told_and_the_picture_stays() -> None:
    held = FarHeldSource(
        volume_info((128, 128, 128), kind="seismic", n_lods=3, brick_size=32, value_range=(0, 2))
    )
    bench = open_held(held)
    held.deliver(2)
    bench.step(0.1)
    n_pictures = len(bench.sink.video)
    held.trouble = StorageUnreachableError("The storage of v does not answer.")
    held.changed()
    bench.step(0.1)
    assert bench.of(Progress)[-1].trouble == "The storage of v does not answer."
    (told,) = bench.of(Failed)
    assert (told.code, told.fatal) == ("storage-unreachable", False)
    assert len(bench.sink.video) == n_pictures
    held.trouble = None
    held.deliver(0)
    bench.step(0.1)
    assert bench.of(Progress)[-1].trouble == ""
    assert len(bench.sink.video) > n_pictures
    assert len(bench.of(Failed)) == 1
    bench.pipeline.close()


def test_the_picture_waits_for_data_then_sharpens(held) -> None:
    bench = open_held(held)
    assert bench.sink.frames == []
    held.deliver(2)
    bench.step(0.1)
    ((header, _),) = bench.sink.video
    assert header.lod == 2
    assert not header.flags & FrameFlags.EXACT
    bench.step(1.0)
    assert bench.sink.stills == []
    held.deliver(0)
    bench.step(0.1)
    header, _ = bench.sink.video[-1]
    assert header.lod == 0
    assert header.flags & FrameFlags.EXACT
    assert bench.slot.take(5).has_still
    progress = bench.of(Progress)
    assert progress[-1] == Progress(lod=0, progress=1.0, exact=True)
    assert len(set(progress)) == len(progress)
    bench.pipeline.close()


def test_a_brick_that_cannot_be_read_is_said_once(held) -> None:
    bench = open_held(held)
    held.deliver(2)
    bench.step(0.1)
    held.deliver(0, BrickReadError("Brick 0 of fake is damaged.", hint="Import it again."))
    for _ in range(3):
        bench.step(0.1)
    assert bench.of(Failed) == [
        Failed("brick-read", "Brick 0 of fake is damaged.", "Import it again.", fatal=False)
    ]
    bench.pipeline.close()


def test_an_encoder_that_stops_is_replaced_and_said(ramp) -> None:
    class Stopping(H264Encoder):
        def encode(self, picture, **kwargs):
            raise EncoderFailedError("first stopped.")

    (x264,) = candidates("libx264")

    def open_encoder(profile, settings):
        return (Stopping if profile.name == "first" else H264Encoder)(x264, settings)

    chain = EncoderChain(
        (dataclasses.replace(x264, name="first"), x264),
        try_encoder=open_encoder,
        open_encoder=open_encoder,
    )
    chain.start()
    bench = Bench(ramp, chain)
    bench.open()
    (changed,) = bench.of(EncoderChanged)
    assert changed.capabilities.encoder == "libx264"
    assert changed.reason == "first stopped."
    assert bench.sink.video[0][0].flags & FrameFlags.KEY
    bench.pipeline.close()


def test_without_any_encoder_the_reason_is_said_and_jpeg_still_works(ramp) -> None:
    bench = Bench(ramp, EncoderChain(()))
    bench.put(Output(h264=True, jpeg=True))
    bench.open()
    (failed,) = bench.of(Failed)
    assert failed.code == "no-encoder"
    assert [bool(h.flags & FrameFlags.JPEG) for h, _ in bench.sink.frames] == [True]
    bench.pipeline.close()


def test_a_pane_without_a_size_yet_opens_anyway(ramp) -> None:
    bench = Bench(ramp)
    bench.put(Open(VolumeRef(url="fake"), pane=(0, 0)))
    assert (bench.state.width_px, bench.state.height_px) == (16, 16)
    assert len(bench.sink.video) == 1
    bench.pipeline.close()


def test_a_picture_in_motion_has_the_size_that_is_asked_for_and_the_still_that_of_the_pane(bench):
    wide = {"width_px": 1280, "height_px": 720}
    bench.open()
    bench.put(Output(scale=0.5))
    bench.step(0.1)
    bench.show(revision=7, **wide)
    bench.rest()
    moving = {(h.width_px, h.height_px) for h, _ in bench.sink.video if h.revision == 7}
    (still,) = (h for h, _ in bench.sink.stills if h.revision == 7)
    assert moving == {(640, 360)}
    assert (still.width_px, still.height_px) == (1280, 720)


def test_where_nobody_takes_stills_the_video_has_the_size_of_the_pane(bench):
    bench.open()
    bench.put(Output(scale=0.5, still=False))
    bench.step(0.1)
    bench.show(width_px=1280, height_px=720)
    assert bench.sink.video[-1][0].width_px == 1280


def test_a_smaller_picture_shows_the_same_part_of_the_slice(bench):
    bench.open()
    bench.put(Output(scale=0.5))
    bench.step(0.1)
    bench.show(width_px=1280, height_px=720, zoom=3.0, pan=(0.4, 0.6), slice_idx=(9, 0, 0))
    header, _ = bench.sink.video[-1]
    assert (header.width_px, round(header.zoom, 3), round(header.pan_x, 3)) == (640, 3.0, 0.4)


@pytest.mark.parametrize(("mode", "value"), [("max", 25), ("min", 17), ("mean", 21)])
def test_the_still_of_a_slab_is_exactly_its_slices_reduced(bench, mode, value) -> None:
    bench.open()
    look = {"colormap": "viridis", "window": 1.0, "level": 0.5}
    bench.show(7, slice_idx=(21, 0, 0), slab=9, slab_mode=mode, rotation=90, **look)
    bench.rest()
    ((header, png),) = bench.sink.stills
    assert header.turn == 1
    with av.open(io.BytesIO(png)) as container:
        pixels = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert (pixels == rgb_table("viridis")[int(value / 31 * LEVELS)]).all()
