"""Overlays of values over drawn slices, pixel by pixel, against the documented formula."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.alignment import SAME_GRID, Alignment
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.state import ViewState
from blustream_widget.render.colormaps import rgb_table
from blustream_widget.render.layers import Overlay, plan_values
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.values import is_in_slice, value_at
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import slice_data, volume_info

SHAPE = (9, 17, 23)
AT = (4, 8, 11)
LOOK = OverlayLook(name="a", window=2.0, level=1.0, colormap="grey")
VIEWS = ({"zoom": 3.0}, {"zoom": 5.3, "pan": (0.31, 0.62)}, {"zoom": 3.0, "rotation": 90})


def linear(i, j, k):
    """Amplitude that is exact between voxels, however it is sampled."""
    return 0.05 * i + 0.04 * j + 0.03 * k


class Drawing:
    """A grey volume with the values of another one over it."""

    def __init__(self, axis=0, alignment=SAME_GRID, shape=SHAPE, values=None, n_lods=1, **view):
        self.info = volume_info(SHAPE)
        self.other = volume_info(shape, n_lods=n_lods)
        self.state = ViewState(axis=axis, slice_idx=AT, width_px=96, height_px=64)
        self.state = msgspec.structs.replace(self.state, colormap="bone", **view)
        self.alignment = alignment
        self.view = plan_slice(self.state, self.info)
        self.values = self.sampled(linear) if values is None else values
        rng = np.random.default_rng(3)
        base = rng.random([n for a, n in enumerate(SHAPE) if a != axis], dtype=np.float32)
        self.data = slice_data(base, axis=axis)

    def sampled(self, function):
        """Values of a function of the shown volume's indices on the other grid."""
        there = np.indices(self.other.shape)
        here = [self.alignment.here(axis, there[self.alignment.axes[axis]]) for axis in range(3)]
        return function(*here).astype(np.float32)

    def overlay(self, look):
        view = plan_values(self.view, self.alignment, self.other, 0)
        assert view is not None
        beyond = None if view.beyond_idx is None else self.cut(view, view.beyond_idx)
        return Overlay(view, self.cut(view, view.slice_idx), look, beyond)

    def cut(self, view, slice_idx):
        a0, a1, b0, b1 = view.region
        values = np.take(self.values, slice_idx, axis=view.axis)[a0:a1, b0:b1]
        return slice_data(values, axis=view.axis, slice_idx=slice_idx, origin=(a0, b0))

    def draw(self, *looks, space="rgb"):
        overlays = tuple(self.overlay(look) for look in looks)
        picture = SliceRenderer().draw(
            self.data, self.view, self.state, self.info, space=space, overlays=overlays
        )
        return picture.pixels.astype(int)

    def places(self):
        """Voxel coordinates of the shown volume at each pixel's centre; NaN beyond it."""
        found = np.full((3, self.state.height_px, self.state.width_px), np.nan)
        placement, plane = self.view.placement, self.view.placement.plane
        for y, x in np.ndindex(found.shape[1:]):
            column, row = placement.to_voxel(x + 0.5, y + 0.5)
            inside = -0.5 <= column < placement.n_columns - 0.5
            if inside and -0.5 <= row < placement.n_rows - 0.5:
                here = [float(n) for n in AT]
                here[plane.column_axis], here[plane.row_axis] = column, row
                found[:, y, x] = here
        return found

    def expected_values(self, function):
        """Value at each pixel, as the edge's voxels go on; NaN beyond the other volume."""
        places = self.places()
        clear = np.isnan(places[0])
        here = []
        for axis in range(3):
            n = self.other.shape[self.alignment.axes[axis]]
            there = self.alignment.there(axis, places[axis])
            clear |= (there < -0.5) | (there >= n - 0.5)
            here.append(self.alignment.here(axis, np.clip(there, 0, n - 1)))
        return np.where(clear, np.nan, function(*here))


def blended(base, values, look, *, drawn=True):
    """`(base * (256 - a) + colour * a + 128) >> 8`, `a` = opacity in 256ths."""
    alpha = round(look.opacity * 256)
    table = rgb_table(look.colormap, reverse=look.reverse).astype(int)
    low = np.float32(look.level - look.window / 2)
    steps = (values.astype(np.float32) - low) * np.float32(1024 / look.window)
    entries = np.clip(np.nan_to_num(steps), 0, 1023).astype(int)
    mixed = (base * (256 - alpha) + table[entries] * alpha + 128) >> 8
    return np.where((np.isfinite(values) & drawn)[..., None], mixed, base)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("view", VIEWS)
def test_voxels_as_blocks_are_blended_exactly(axis, view) -> None:
    values = np.random.default_rng(5).random(SHAPE, dtype=np.float32) * 2
    values[:, 3:5] = np.nan
    drawing = Drawing(axis, values=values, interpolate=False, **view)
    places = np.floor(np.nan_to_num(drawing.places()) + 0.5).astype(int)
    found = np.where(np.isnan(drawing.places()[0]), np.nan, values[tuple(places)])
    look = msgspec.structs.replace(LOOK, opacity=0.3, colormap="viridis", reverse=True)
    assert np.array_equal(drawing.draw(look), blended(drawing.draw(), found, look))


@pytest.mark.parametrize(
    ("alignment", "shape"),
    [
        (SAME_GRID, SHAPE),
        (Alignment((0, 1, 2), (2.0, 2.0, 2.0), (0.25, 0.5, 0.5)), (18, 34, 46)),
        (Alignment((0, 1, 2), (0.5, 0.45, 0.4), (-0.3, 0.3, -2.0)), (5, 9, 6)),
        (Alignment((2, 0, 1), (1.3, -1.0, 0.7), (0.1, 16.0, 0.2)), (17, 17, 12)),
    ],
)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_linear_function_has_the_same_values_on_every_grid(alignment, shape, axis) -> None:
    drawing = Drawing(axis, alignment, shape, zoom=4.0, pan=(0.4, 0.4))
    assert np.ptp(drawing.values) > 0.3
    look = msgspec.structs.replace(LOOK, opacity=1.0)
    values = drawing.expected_values(linear)
    expected = blended(drawing.draw(), values, look)
    pixels = drawing.draw(look)
    assert np.isfinite(values).sum() > 500
    # One grey of 256 at most: values are of 32 bits, and fall to one side of a step or the other.
    assert np.abs(pixels - expected).max() <= 1
    assert (pixels == expected).mean() > 0.99
    found = value_at(drawing.overlay(look), AT)
    there = [alignment.there(a, AT[a]) for a in range(3)]
    if all(0 <= t <= shape[alignment.axes[a]] - 1 for a, t in enumerate(there)):
        assert found == pytest.approx(linear(*AT), abs=1e-5)
    assert is_in_slice(drawing.overlay(look).view, AT)
    elsewhere = tuple(v + (a == axis) for a, v in enumerate(AT))
    assert not is_in_slice(drawing.overlay(look).view, elsewhere)


def test_coarser_levels_lie_where_their_voxels_centres_are() -> None:
    alignment = Alignment((0, 1, 2), (4.0, 4.0, 4.0), (0.7, 0.0, 0.0))
    drawing = Drawing(0, alignment, (36, 68, 92), n_lods=3, zoom=1.5)
    view = plan_values(drawing.view, alignment, drawing.other, 0)
    assert view is not None
    assert (view.lod, view.slice_idx, view.beyond_idx) == (2, 12, 16)
    means = drawing.values.reshape(9, 4, 17, 4, 23, 4).mean(axis=(1, 3, 5))

    def at(slice_idx):
        return slice_data(means[slice_idx >> 2], lod=2, slice_idx=slice_idx)

    overlay = Overlay(view, at(12), LOOK, at(16))
    assert value_at(overlay, AT) == pytest.approx(linear(*AT), abs=1e-5)


@pytest.mark.parametrize("two_sided", [False, True])
def test_it_is_clear_below_the_threshold(two_sided) -> None:
    drawing = Drawing(zoom=3.0, interpolate=False)
    drawing.values = drawing.values - np.float32(0.8)
    look = msgspec.structs.replace(LOOK, threshold=0.1, two_sided=two_sided)
    places = np.floor(np.nan_to_num(drawing.places()) + 0.5).astype(int)
    values = np.where(np.isnan(drawing.places()[0]), np.nan, drawing.values[tuple(places)])
    is_drawn = np.abs(values) >= 0.1 if two_sided else values >= 0.1
    assert is_drawn.any()
    assert ((values < -0.1) & ~is_drawn).any() != two_sided
    expected = blended(drawing.draw(), values, look, drawn=is_drawn)
    assert np.array_equal(drawing.draw(look), expected)


@pytest.mark.parametrize(
    ("fields", "is_drawn"),
    [
        ({"mode": "checkerboard", "tiles": 4}, lambda x, y: (x // 16 + y // 16) % 2 == 1),
        ({"mode": "checkerboard", "tiles": 64}, lambda x, y: (x // 2 + y // 2) % 2 == 1),
        ({"mode": "swipe", "split": 0.5}, lambda x, y: x >= 48),
        ({"mode": "swipe", "split": 0.26, "divider": "horizontal"}, lambda x, y: y >= 16),
        ({"mode": "swipe", "split": 0.0}, lambda x, y: x >= 0),
        ({"mode": "swipe", "split": 1.0}, lambda x, y: x < 0),
        ({"mode": "blink"}, lambda x, y: x >= 0),
    ],
)
def test_a_mode_decides_where_it_is_drawn(fields, is_drawn) -> None:
    drawing = Drawing(zoom=4.0)
    look = msgspec.structs.replace(LOOK, opacity=1.0, **fields)
    y, x = np.indices((64, 96))
    drawn = is_drawn(x, y)
    whole = drawing.draw(msgspec.structs.replace(LOOK, opacity=1.0))
    expected = np.where(drawn[..., None], whole, drawing.draw())
    assert np.array_equal(drawing.draw(look), expected)
    luma = drawing.draw(look, space="bt709")[:64]
    bare = drawing.draw(space="bt709")[:64]
    assert not (luma != bare)[~drawn].any()
    assert not drawn.any() or (luma != bare)[drawn].mean() > 0.9


def test_colour_in_motion_is_near_that_at_rest() -> None:
    drawing = Drawing(zoom=4.0)
    look = msgspec.structs.replace(LOOK, opacity=1.0)
    luma = drawing.draw(look, space="bt709")[:64]
    grey = drawing.draw(look)[..., 0]
    assert np.abs(luma - (16 + 219 * grey / 255)).max() <= 3


def test_the_nearer_slice_decides_where_there_is_no_value() -> None:
    alignment = Alignment((0, 1, 2), (1.0, 1.0, 1.0), (0.25, 0.0, 0.0))
    drawing = Drawing(0, alignment, SHAPE, zoom=3.0)
    drawing.values[5] = np.nan  # the shown slice lies at 4.25
    assert value_at(drawing.overlay(LOOK), AT) == drawing.values[4, 8, 11]
    drawing.values[4], drawing.values[5] = np.nan, 1.0
    assert value_at(drawing.overlay(LOOK), AT) is None


def test_nothing_is_planned_beyond_the_other_volume() -> None:
    far = Alignment((0, 1, 2), (1.0, 1.0, 1.0), (20.0, 0.0, 0.0))
    drawing = Drawing()
    assert plan_values(drawing.view, far, drawing.other, 0) is None
