"""The pipeline at rest: one exact still of what is shown, for those who want it."""

from __future__ import annotations

import io

import av
import msgspec
import numpy as np
import pytest
from tests.unit.worker.pipeline_kit import PANE, Bench

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.sections import plane_across
from blustream_widget.core.worker_protocol import (
    Output,
    Show,
    WantKeyframe,
)
from blustream_widget.data.memory import MemorySource
from blustream_widget.render.colormaps import LEVELS, rgb_table
from blustream_widget.testing.contracts.encoder import decode, planes_of
from blustream_widget.testing.fakes import volume_info
from blustream_widget.worker.schedule import REST_S


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
