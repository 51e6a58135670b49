"""Layers that are blended into a slice's voxels, against the formula and the way pixel by pixel."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.alignment import SAME_GRID, Alignment
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.render import layering
from blustream_widget.render.layers import Overlay, plan_labels, plan_values
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.tables import color_table
from blustream_widget.render.view import plan_slice
from blustream_widget.render.voxel_layers import LayerBlender, VoxelLayer
from blustream_widget.testing.fakes import slice_data, volume_info

SHAPE = (4, 60, 50)
FILL = SegmentationLook(name="fill", opacity=0.4)
PET = OverlayLook(name="pet", window=2.0, level=0.0, colormap="viridis", threshold=0.1)


def smooth(shape):
    i, j, k = np.indices(shape)
    return (np.sin(i + j / 9) * np.cos(k / 7)).astype(np.float32)


def cells_of(shape, dtype=np.uint8):
    i, j, k = np.indices(shape)
    inside = (j - shape[1] / 2) ** 2 + (k - shape[2] / 2) ** 2 < (shape[2] / 2.5) ** 2
    return np.where(inside, 1 + (j * 4 // shape[1]) + i % 2, 0).astype(dtype)


class Drawing:
    """A slice under layers, in a pane in which a voxel is about two pixels large."""

    def __init__(self, axis=0, alignment=SAME_GRID, shape=SHAPE, **view):
        self.info = volume_info(SHAPE)
        self.other = volume_info(shape)
        self.alignment = alignment
        self.state = ViewState(axis=axis, slice_idx=(2, 30, 25), width_px=128, height_px=96)
        self.state = msgspec.structs.replace(self.state, **{"colormap": "seismic", **view})
        self.view = plan_slice(self.state, self.info)
        base = np.random.default_rng(1).normal(size=SHAPE).astype(np.float32)
        self.data = slice_data(base.take(self.state.slice_idx[axis], axis=axis), axis=axis)

    def overlay(self, look):
        is_label = isinstance(look, SegmentationLook)
        plan = plan_labels if is_label else plan_values
        view = plan(self.view, self.alignment, self.other, 0)
        assert view is not None
        volume = (cells_of if is_label else smooth)(self.other.shape)
        a0, a1, b0, b1 = view.region

        def cut(slice_idx):
            plane = volume.take(slice_idx, axis=view.axis)[a0:a1, b0:b1]
            return slice_data(plane, axis=view.axis, slice_idx=slice_idx, origin=(a0, b0))

        beyond = None if view.beyond_idx is None else cut(view.beyond_idx)
        return Overlay(view, cut(view.slice_idx), look, beyond)

    def draw(self, *looks):
        overlays = tuple(self.overlay(look) for look in looks)
        renderer = SliceRenderer()
        for _ in range(2):  # of arrays that were used before, too
            picture = renderer.draw(self.data, self.view, self.state, self.info, overlays=overlays)
        return picture.pixels.astype(int)

    def draw_by_pixel(self, monkeypatch, *looks):
        with monkeypatch.context() as patched:
            patched.setattr(layering, "can_lie_on", lambda *_: False)
            return self.draw(*looks)


@pytest.mark.parametrize("is_turned", [False, True])
def test_layers_are_blended_by_the_formula_each_over_those_before(is_turned) -> None:
    rng = np.random.default_rng(2)
    scratch = Scratch()
    table = color_table("seismic")
    entries = scratch.padded("entries", (70, 41), np.intp)
    entries[...] = rng.integers(-1, 1000, entries.shape)
    layers, expected = [], table.packed[entries].view(np.uint8).reshape(70, 41, 4).astype(int)
    alphas = ([0] * 5, [77] * 5, [256] * 5, [9, 77, 0, 256, 77])
    dtypes = (np.uint8, np.uint16, np.uint8, np.uint16)
    for alpha, dtype in zip(np.array(alphas, np.uint16), dtypes, strict=True):
        cells = rng.integers(0, 5, entries.shape).astype(dtype)
        colors = rng.integers(0, 256, (5, 3)).astype(np.uint8)
        layers.append(VoxelLayer(cells.T if is_turned else cells, colors, alpha))
        mixed, a = expected.copy(), alpha[cells].astype(int)[..., None]
        mixed[..., table.byte_of] = (
            expected[..., table.byte_of] * (256 - a) + colors[cells].astype(int) * a + 128
        ) >> 8
        expected = np.where(cells[..., None] > 0, mixed, expected)
    found = LayerBlender(scratch).blend(entries.T if is_turned else entries, table, layers)
    found = np.ascontiguousarray(found.T if is_turned else found)
    assert np.array_equal(found.view(np.uint8).reshape(70, 41, 4), expected)


@pytest.mark.parametrize("base", ["seismic", "grey"])
@pytest.mark.parametrize("axis", [0, 2])
@pytest.mark.parametrize(
    "looks",
    [
        (FILL,),
        (PET,),
        (PET, msgspec.structs.replace(FILL, hidden=(2,))),
        (msgspec.structs.replace(FILL, style="both", opacities={2: 0.5, 3: 0.0}), PET),
        (msgspec.structs.replace(FILL, style="both"), PET),
        (FILL, msgspec.structs.replace(FILL, style="outline")),
        (msgspec.structs.replace(PET, mode="checkerboard"), FILL),
    ],
)
def test_blocks_are_those_that_are_drawn_pixel_by_pixel(monkeypatch, looks, axis, base) -> None:
    drawing = Drawing(axis, interpolate=False, colormap=base)
    found = drawing.draw(*looks)
    assert (found != drawing.draw()).mean() > 0.03
    assert np.array_equal(found, drawing.draw_by_pixel(monkeypatch, *looks))


MIRRORED = Alignment((2, 0, 1), (1.0, -1.0, 1.0), (0.0, 49.0, 0.0))
OTHER_GRIDS = {
    "finer": (Alignment((0, 1, 2), (1.0, 1.5, 1.6), (0.0, 0.25, 0.1)), (4, 90, 80)),
    "coarser": (Alignment((0, 1, 2), (0.5, 0.5, 0.5), (-0.1, -0.25, 0.2)), (3, 30, 25)),
    "a part": (Alignment((0, 1, 2), (1.0, 1.0, 1.0), (0.0, -20.3, -9.6)), (4, 25, 30)),
    "other order, mirrored": (
        Alignment((2, 0, 1), (1.0, -1.0, 1.0), (0.0, 49.0, 0.0)),
        (50, 50, 4),
    ),
}


@pytest.mark.parametrize("grid", OTHER_GRIDS)
@pytest.mark.parametrize("look", [FILL, PET], ids=["labels", "values"])
def test_another_grid_lies_where_it_lies_pixel_by_pixel(monkeypatch, look, grid) -> None:
    alignment, shape = OTHER_GRIDS[grid]
    drawing = Drawing(0, alignment, shape)
    bare = drawing.draw()[:96]
    found = drawing.draw(look)[:96] - bare
    expected = drawing.draw_by_pixel(monkeypatch, look)[:96] - bare
    assert np.abs(expected).max() > 20
    # Edges are off by a pixel or two, and soft; a shift would differ nearly everywhere.
    assert np.abs(found - expected).mean() < 0.3 * np.abs(expected).mean()
    shifted = np.roll(expected, 5, axis=(0, 1))
    assert np.abs(found - expected).mean() < 0.5 * np.abs(found - shifted).mean()


def test_large_voxels_of_another_grid_are_drawn_pixel_by_pixel(monkeypatch) -> None:
    alignment, shape = OTHER_GRIDS["coarser"]
    drawing = Drawing(0, alignment, shape, zoom=3.0)
    assert np.array_equal(drawing.draw(FILL), drawing.draw_by_pixel(monkeypatch, FILL))
