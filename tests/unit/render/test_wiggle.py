"""Wiggles against their definition: lines and fills at the right pixels, at any turn and zoom."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.geometry import place_slice
from blustream_widget.core.sections import Fence, Oblique
from blustream_widget.core.state import ViewState
from blustream_widget.core.wiggle import WIGGLE_MIN_PX, has_wiggles, wiggle_step
from blustream_widget.render.slice import SURROUND, SliceRenderer
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import slice_data, volume_info

_SUB = 4  # a side of a pixel, in the slow reference


def make_state(**fields) -> ViewState:
    base = ViewState(width_px=48, height_px=32, window=2.0, level=0.0, display="wiggle")
    return msgspec.structs.replace(base, **fields)


def seismic(n_traces, n_samples, axis=0):
    shape = (3, n_traces, n_samples) if axis == 0 else (n_traces, 3, n_samples)
    return volume_info(shape, kind="seismic")


def draw(values, info, state, *, space="rgb", lod=0, origin=(0, 0)):
    data = slice_data(values, axis=state.axis, lod=lod, origin=origin)
    return SliceRenderer().draw(data, plan_slice(state, info), state, info, space=space).pixels


def ink(picture):
    """Share of black in each pixel of white paper."""
    assert (picture == picture[..., :1]).all()
    return 1 - picture[..., 0] / 255


def placement_of(info, state):
    names = ("zoom", "pan", "stretch", "width_px", "height_px", "rotation", "flip_x", "flip_y")
    return place_slice(info, state.axis, **{name: getattr(state, name) for name in names})


def reference_ink(values, info, state):
    """Share of each pixel that lies on a line or in a fill, by looking at 16 points of it; slow."""
    place = placement_of(info, state)
    is_upright = place.plane.row_axis == 2
    width, height = state.width_px, state.height_px
    x = (np.arange(width * _SUB) + 0.5) / _SUB
    y = (np.arange(height * _SUB) + 0.5) / _SUB
    across, along = (x[None, :], y[:, None]) if is_upright else (y[:, None], x[None, :])
    size = place.width_px if is_upright else place.height_px
    trace_px = size / values.shape[0]
    spacing = trace_px * wiggle_step(trace_px)
    reach, line_px = state.wiggle_excursion * spacing, min(max(spacing / 12, 1.2), 2.0)
    sign = (1 if is_upright else -1) * (-1 if state.wiggle_polarity == "reverse" else 1)
    is_inked = np.zeros((height * _SUB, width * _SUB), bool)
    for number in range(0, values.shape[0], wiggle_step(trace_px)):
        ends = [
            place.to_pixel(number, s) if is_upright else place.to_pixel(s, number)
            for s in range(values.shape[1])
        ]
        base = ends[0][0 if is_upright else 1]
        places = np.array([end[1 if is_upright else 0] for end in ends])
        share = np.clip((values[number] - state.level) / (state.window / 2), -1, 1)
        curve = base + sign * reach * share
        order = np.argsort(places)
        at, to = (
            np.r_[-999, places[order], 999],
            np.r_[curve[order][0], curve[order], curve[order][-1]],
        )
        for k in range(len(at) - 1):
            step = np.array([at[k + 1] - at[k], to[k + 1] - to[k]])
            t = ((along - at[k]) * step[0] + (across - to[k]) * step[1]) / (step @ step)
            t = np.clip(t, 0, 1)
            distance = np.hypot(along - at[k] - t * step[0], across - to[k] - t * step[1])
            is_inked |= distance <= line_px / 2
        if state.wiggle_fill:
            beyond = np.interp(along, at, to)
            side = 1 if is_upright else -1
            is_inked |= (side * (across - base) >= 0) & (side * (beyond - across) >= 0)
    return is_inked.reshape(height, _SUB, width, _SUB).mean(axis=(1, 3))


def smooth_values(n_traces, n_samples, seed=3):
    noise = np.random.default_rng(seed).normal(size=(n_traces, n_samples + 4))
    return sum(noise[:, k : k + n_samples] for k in range(5)).astype(np.float32) / 3


@pytest.mark.parametrize(
    "look",
    [
        {},
        {"wiggle_fill": False},
        {"wiggle_polarity": "reverse", "level": 0.2},
        {"rotation": 90},
        {"rotation": 270, "flip_x": True},
        {"rotation": 180},
        {"flip_x": True, "flip_y": True},
        {"zoom": 2.3, "pan": (0.4, 0.6), "stretch": 0.7},
        {"wiggle_excursion": 2.5},
        {"axis": 1},
    ],
    ids=str,
)
def test_ink_is_where_lines_and_fills_are(look) -> None:
    state = make_state(**look)
    info = seismic(5, 11, state.axis)
    values = smooth_values(5, 11)
    found = ink(draw(values, info, state))
    expected = reference_ink(values, info, state)
    difference = np.abs(found - expected)
    assert difference.mean() < 0.03
    assert np.percentile(difference, 98) < 0.3


def test_a_sine_crosses_its_baseline_and_peaks_where_it_should() -> None:
    # One trace over 200 px: its baseline at 100, a full deflection of 200 * 0.4 px.
    info = seismic(1, 81)
    sine = np.sin(2 * np.pi * np.arange(81) / 40).astype(np.float32)
    state = make_state(width_px=200, height_px=810, wiggle_excursion=0.4, window=4.0)
    picture = ink(draw(sine[None], info, state))
    rows = 10 * np.array([0, 20, 40, 10, 50, 30, 70]) + 5  # of samples whose sine is 0, 1, -1
    expected = 100 + 40 * np.array([0, 0, 0, 1, 1, -1, -1])
    for row, column in zip(rows, expected, strict=True):
        inked = np.flatnonzero(picture[row - 1 : row + 1].mean(axis=0) > 0.3)
        line = inked[-1] if column >= 100 else inked[0]
        assert abs(line + 0.5 - column) <= 1.0
    # Filled between the baseline and the peaks, and nowhere beside the troughs.
    assert (picture[105, 101:139] == 1).all()
    assert (picture[305, 63:200] == 0).all()
    peaks_left = ink(
        draw(sine[None], info, msgspec.structs.replace(state, wiggle_polarity="reverse"))
    )
    assert (peaks_left[105, 63:200] == 0).all()
    assert (peaks_left[305, 101:139] == 1).all()


def test_values_beyond_the_window_are_cut_at_the_excursion() -> None:
    info = seismic(1, 4)
    values = np.array([[9.0, 9.0, -np.inf, -9.0]], np.float32)
    state = make_state(width_px=100, wiggle_excursion=0.25, wiggle_fill=False)
    picture = ink(draw(values, info, state))
    assert np.argmax(picture[6]) in (74, 75)
    assert np.argmax(picture[30]) in (24, 25)
    assert not picture[:, 78:].any()
    assert not picture[:, :22].any()


@pytest.mark.parametrize("lod", [0, 1])
def test_of_many_traces_every_nth_is_drawn_where_it_lies(lod) -> None:
    info = seismic(200, 8)
    state = make_state(width_px=160)  # 0.8 px each: every 8th, 6.4 px apart
    values = np.zeros((200 >> lod, 8 >> lod), np.float32)
    picture = ink(draw(values, info, state, lod=lod))
    step = wiggle_step(0.8)
    assert step == 8
    expected = (np.arange(0, 200, step) + 0.5) * 0.8
    middle = picture[16]
    for place in expected[1:-1]:
        near = np.arange(int(place) - 2, int(place) + 3)
        assert middle[near] @ (near + 0.5) / middle[near].sum() == pytest.approx(place, abs=0.1)
    assert middle.sum() == pytest.approx(1.2 * len(expected), rel=0.05)


@pytest.mark.parametrize("trace_px", [0.001, 0.3, 1.0, 2.9, 3.0, 6.0, 80.0])
def test_wiggles_are_never_closer_than_they_can_be_told_apart(trace_px) -> None:
    spacing = wiggle_step(trace_px) * trace_px
    assert spacing >= WIGGLE_MIN_PX
    assert spacing < 2 * WIGGLE_MIN_PX or wiggle_step(trace_px) == 1


def test_there_is_no_line_where_there_is_no_value() -> None:
    info = seismic(1, 16)
    values = np.zeros((1, 16), np.float32)
    values[0, 5:9] = np.nan
    for interpolate in (True, False):
        picture = ink(draw(values, info, make_state(interpolate=interpolate)))
        has_ink = picture.any(axis=1)
        assert not has_ink[11:17].any()
        assert has_ink[:8].all()
        assert has_ink[19:].all()


def test_blocks_are_drawn_as_steps() -> None:
    info = seismic(1, 4)
    values = np.array([[0.0, 1.0, 0.0, -1.0]], np.float32)
    state = make_state(width_px=80, interpolate=False, wiggle_excursion=0.25, wiggle_fill=False)
    picture = ink(draw(values, info, state))
    for rows, column in (
        (slice(1, 8), 40),
        (slice(9, 16), 60),
        (slice(17, 24), 40),
        (slice(25, 32), 20),
    ):
        part = picture[rows, column - 2 : column + 2]
        assert part.sum(axis=1) == pytest.approx(np.full(7, 2.0), abs=0.02)
        assert picture[rows].sum(axis=1) == pytest.approx(np.full(7, 2.0), abs=0.02)
    assert (picture[8, 41:59] == 1).all()  # the step itself


def test_colours_stay_where_there_is_no_ink() -> None:
    info = seismic(6, 9)
    values = smooth_values(6, 9)
    state = make_state(colormap="seismic", display="wiggle+density")
    both = draw(values, info, state)
    colours = draw(values, info, msgspec.structs.replace(state, display="density"))
    black = ink(draw(values, info, msgspec.structs.replace(state, display="wiggle")))
    assert np.array_equal(both[black == 0], colours[black == 0])
    assert (both.astype(int) <= colours).all()
    lines = ink(draw(values, info, make_state(wiggle_fill=False)))
    assert (both[lines == 1] == 0).all()
    filled = (black == 1) & (lines == 0)
    assert filled.any()
    assert np.allclose(both[filled], colours[filled] * 0.6, atol=1.5)


def test_nothing_is_drawn_beside_the_section() -> None:
    info = seismic(4, 9)
    state = make_state(zoom=0.5, wiggle_excursion=10.0)
    picture = draw(smooth_values(4, 9), info, state)
    assert (picture[:8] == SURROUND).all()
    assert (picture[24:] == SURROUND).all()
    assert (picture[:, :12] == SURROUND).all()
    assert (picture[:, 36:] == SURROUND).all()


def test_traces_beside_the_pane_reach_into_it() -> None:
    info = seismic(64, 8)
    values = np.zeros((64, 8), np.float32)
    values[30] = 1.0
    state = make_state(width_px=160, zoom=8.0, pan=(31.25 / 64, 0.5), wiggle_excursion=4.0)
    region = plan_slice(state, info).region
    left = int(placement_of(info, state).to_voxel(0, 0)[0])
    assert region[0] <= left - 4
    state = msgspec.structs.replace(state, pan=(35.0 / 64 + 0.0, 0.5))
    cut = plan_slice(state, info).region
    picture = ink(draw(values[cut[0] : cut[1]], info, state, origin=(cut[0], 0)))
    whole = ink(draw(values, info, state))
    assert np.array_equal(picture, whole)
    assert placement_of(info, state).to_pixel(30, 0)[0] < 0
    assert picture[4, :5].all()  # the fill of trace 30


def test_at_rest_wiggles_are_single_traces_and_not_means() -> None:
    info = msgspec.structs.replace(seismic(400, 90), n_lods=4)
    assert plan_slice(make_state(display="density", width_px=100), info).lod == 1
    assert plan_slice(make_state(width_px=100), info).lod == 0
    assert plan_slice(make_state(width_px=100), info, in_motion=True).lod > 0
    huge = msgspec.structs.replace(seismic(8000, 4000), n_lods=8)
    assert plan_slice(make_state(width_px=100), huge).lod == 2


@pytest.mark.parametrize(
    ("fields", "kind"),
    [({"axis": 2}, "seismic"), ({}, "generic"), ({}, "medical")],
)
def test_planes_without_traces_are_drawn_as_colours(fields, kind) -> None:
    info = volume_info((6, 7, 8), kind=kind)
    state = make_state(colormap="seismic", **fields)
    assert not has_wiggles(state, info)
    values = smooth_values(*[n for a, n in enumerate(info.shape) if a != state.axis])
    plain = draw(values, info, msgspec.structs.replace(state, display="density"))
    assert np.array_equal(draw(values, info, state), plain)


@pytest.mark.parametrize("turn", [{}, {"rotation": 90}, {"flip_x": True}])
def test_a_fence_along_a_line_has_the_wiggles_of_the_line(turn) -> None:
    info = seismic(20, 12)
    values = smooth_values(20, 12)
    state = make_state(width_px=200, height_px=200, **turn)
    fence = msgspec.structs.replace(state, section=Fence(((1.0, 0.0), (1.0, 19.0))), axis=2)
    assert has_wiggles(fence, info)
    data = slice_data(values, axis=2)
    of_fence = SliceRenderer().draw(data, plan_slice(fence, info), fence, info, space="rgb").pixels
    assert np.array_equal(of_fence, draw(values, info, state))


def test_upright_planes_have_wiggles_and_tilted_ones_none() -> None:
    info = seismic(20, 12)
    at = (1.0, 10.0, 6.0)
    upright = Oblique(at, (0.6, 0.8, 0.0), (0.0, 0.0, 1.0))
    tilted = Oblique(at, (0.0, 1.0, 0.0), (0.2, 0.0, 1.0))
    assert has_wiggles(make_state(section=upright), info)
    assert not has_wiggles(make_state(section=tilted), info)
    assert not has_wiggles(make_state(section=upright), volume_info((3, 20, 12)))


def test_labels_are_drawn_as_colours() -> None:
    info = volume_info((3, 7, 8), kind="seismic")
    channel = msgspec.structs.replace(info.channels[0], is_label=True)
    info = msgspec.structs.replace(info, channels=(channel,))
    assert not has_wiggles(make_state(), info)


@pytest.mark.parametrize(
    "look", [{}, {"rotation": 90}, {"zoom": 0.6, "pan": (0.43, 0.55)}], ids=str
)
def test_video_is_the_still_in_other_colours(look) -> None:
    info, values = seismic(5, 11), smooth_values(5, 11)
    state = make_state(**look)
    luma = draw(values, info, state, space="jpeg")[: state.height_px]
    expected = draw(values, info, state) @ (0.299, 0.587, 0.114)
    assert np.abs(luma - expected).max() <= 1


def test_video_has_ink_over_its_colours_too() -> None:
    info, values = seismic(5, 11), smooth_values(5, 11)
    state = make_state(display="wiggle+density", colormap="seismic", wiggle_fill=False)
    luma = draw(values, info, state, space="bt709")[: state.height_px]
    on_paper = ink(draw(values, info, msgspec.structs.replace(state, display="wiggle")))
    assert (luma[on_paper == 1] == 16).all()
    assert (luma[on_paper == 0] > 16).all()


def test_chroma_of_inked_pixels_is_that_of_ink() -> None:
    info = seismic(1, 8)
    state = make_state(colormap="seismic", display="wiggle+density", width_px=32, wiggle_fill=True)
    values = np.ones((1, 8), np.float32)
    state = msgspec.structs.replace(state, display="wiggle+density", wiggle_excursion=0.4)
    pixels = draw(values, info, state, space="jpeg")
    chroma = pixels[state.height_px :].reshape(2, 16, 16)
    plain = draw(values, info, msgspec.structs.replace(state, display="density"), space="jpeg")
    before = plain[state.height_px :].reshape(2, 16, 16)
    assert np.array_equal(chroma[:, :, :7], before[:, :, :7])
    filled = 128 + (before[:, 8, 10].astype(int) - 128) * 0.6
    assert np.allclose(chroma[:, 8, 10], filled, atol=1.5)
