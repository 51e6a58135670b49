"""Labels and values over oblique planes and fences: at each pixel those of the voxel there."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.alignment import align
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.section_grid import grid_of
from blustream_widget.core.section_shift import aligned, at_level
from blustream_widget.core.sections import Fence, Oblique, checked_section
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import AddSegmentation
from blustream_widget.data import Region, SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import ListSink, volume_info
from blustream_widget.testing.held_volume import HeldVolume
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker.segmentations import Segmentations

SHAPE = (24, 30, 20)
PLANE = Oblique((12.0, 15.0, 10.0), (0.8, 0.6, 0.1), (-0.2, 0.1, 0.9))
FENCE = Fence(((3.0, 2.0), (20.0, 11.0), (8.0, 27.0)))
SECTIONS = pytest.mark.parametrize("section", [PLANE, FENCE], ids=["plane", "fence"])


def affine(spacing, origin):
    return (spacing, 0, 0, origin, 0, spacing, 0, origin, 0, 0, spacing, origin, 0, 0, 0, 1.0)


def info_of(shape, spacing=1.0, origin=0.0, **fields):
    return volume_info(shape, kind="medical", affine=affine(spacing, origin), **fields)


def places(section, info):
    """Index in the volume of every point of a section, shape (columns, rows, 3)."""
    grid = grid_of(checked_section(section, info), info)
    columns, rows = np.arange(grid.n_columns, dtype=float), np.arange(grid.n_rows, dtype=float)
    along, down = grid.along(columns), grid.down(rows)
    return np.stack([np.add.outer(f, g) for f, g in zip(along, down, strict=True)], axis=-1)


def nearest(values, place):
    """Voxels nearest to places, NaN outside."""
    at = np.floor(place + 0.5).astype(int)
    inside = ((place >= -0.5) & (place < np.array(values.shape) - 0.5)).all(axis=-1)
    found = values[tuple(np.moveaxis(at.clip(0, np.array(values.shape) - 1), -1, 0))]
    return np.where(inside, found, np.nan)


class Desk:
    """An empty volume of four levels with one layer over it."""

    def __init__(self, layer, kind) -> None:
        self.info = info_of(SHAPE, n_lods=4, brick_size=16)
        shown = MemorySource(self.info, (np.zeros(SHAPE, np.float32),))
        self.reader = SliceReader(shown, budget_bytes=1 << 24, on_data=lambda: None)
        self.layer = layer
        self.all = Segmentations(Config(), ListSink(), lambda *_: layer, lambda: None)
        self.all.start(shown, self.reader, 1 << 24)
        self.all.take([AddSegmentation(SegmentationSource("it", VolumeRef(name="it"), 0, kind))])
        wait_until(self.all.settle, timeout_s=30, what="the layer")
        look = {"labels": SegmentationLook, "values": OverlayLook}[kind](name="it")
        self.state = ViewState(
            width_px=96,
            height_px=80,
            **{"overlays" if kind == "values" else "segmentations": (look,)},
        )

    def read(self, section, **fields):
        state = self.state.with_patch({"section": section, **fields}, self.info)
        view = plan_slice(state, self.info)
        self.reader.seat((0, *self.all.seat((0,), state)))
        for _ in range(20):
            overlays, is_complete = self.all.read(0, state, view)
            if is_complete:
                return overlays[0], view, state
            self.layer.deliver_all()
        raise AssertionError("it never comes")

    def close(self) -> None:
        self.all.close()
        self.reader.close()


@pytest.fixture
def desk():
    made = []

    def make(layer, kind):
        made.append(Desk(layer, kind))
        return made[-1]

    yield make
    for one in made:
        one.close()


def random_labels(shape):
    return np.random.default_rng(5).integers(0, 5, shape).astype(np.uint8)


@SECTIONS
@pytest.mark.parametrize(("spacing", "origin"), [(1.0, 0.0), (2.0, -3.0), (0.4, 1.3)])
def test_labels_are_those_of_the_nearest_voxel_of_their_own_grid(
    desk, section, spacing, origin
) -> None:
    shape = tuple(math.ceil(n / spacing) + 2 for n in SHAPE) if spacing != 1 else SHAPE
    values = random_labels(shape)
    source = MemorySource(info_of(shape, spacing, origin, dtype="uint8", is_label=True), (values,))
    desk = desk(source, "labels")
    overlay, view, _ = desk.read(section)
    assert view.lod == 0
    world = places(section, desk.info)
    wanted = nearest(values, (world - origin) / spacing)
    a0, b0 = overlay.data.origin
    found = overlay.data.values
    wanted = wanted[a0 : a0 + found.shape[0], b0 : b0 + found.shape[1]]
    np.testing.assert_array_equal(found, wanted)
    assert np.isfinite(wanted).sum() > 300


@SECTIONS
@pytest.mark.parametrize("make", ["bricks", "array"])
def test_values_of_another_grid_are_those_at_the_same_place_in_the_world(
    desk, section, make
) -> None:
    info = info_of((14, 18, 13), 2.0, -1.5)
    index = np.moveaxis(np.indices(info.shape), 0, -1) * 2.0 - 1.5
    values = (index @ (1.0, 10.0, 100.0)).astype(np.float32)
    source = HeldVolume(values) if make == "bricks" else MemorySource(info, (values,))
    if make == "bricks":
        source.info = msgspec.structs.replace(info, n_lods=4, brick_size=16)
    desk = desk(source, "values")
    overlay, _, _ = desk.read(section)
    world = places(section, desk.info)
    wanted = world @ (1.0, 10.0, 100.0)
    there = (world + 1.5) / 2
    within = ((there > 0) & (there < np.array(info.shape) - 1)).all(axis=-1)
    a0, b0 = overlay.data.origin
    found = overlay.data.values
    cut = slice(a0, a0 + found.shape[0]), slice(b0, b0 + found.shape[1])
    # Places are rounded to a 65536th of a voxel of 2 units, of which one along z is worth 200.
    np.testing.assert_allclose(found[within[cut]], wanted[cut][within[cut]], rtol=0, atol=0.02)
    assert within[cut].sum() > 300
    # What is drawn at the voxel in the middle of the section is said of it.
    column, row = (n // 2 for n in world.shape[:2])
    voxel = tuple(int(v) for v in np.floor(world[column, row] + 0.5))
    ((name, value),) = desk.all.under_pointer(voxel).overlays
    assert name == "it"
    assert value == pytest.approx(float(np.dot(voxel, (1.0, 10.0, 100.0))), abs=0.87 * 111)
    assert any(value == pytest.approx(v) for v in found[np.isfinite(found)])
    off = tuple(v + 3 for v in voxel) if section is FENCE else (voxel[0], voxel[1] + 6, voxel[2])
    assert desk.all.under_pointer(off).overlays == ()


@SECTIONS
def test_each_voxel_that_a_section_goes_through_has_the_label_that_is_drawn(desk, section) -> None:
    values = random_labels(SHAPE)
    desk = desk(MemorySource(info_of(SHAPE, dtype="uint8", is_label=True), (values,)), "labels")
    desk.read(section)
    voxels = np.unique(np.floor(places(section, desk.info) + 0.5).reshape(-1, 3), axis=0)
    inside = [
        v
        for v in voxels.astype(int).tolist()
        if all(0 <= i < n for i, n in zip(v, SHAPE, strict=True))
    ]
    for voxel in inside[::7]:
        label = int(values[tuple(voxel)])
        assert desk.all.under_pointer(tuple(voxel)).labels == ((("it", label),) if label else ())


@SECTIONS
@pytest.mark.parametrize("turn", [{}, {"rotation": 90, "flip_x": True}])
def test_a_still_has_the_colour_of_the_label_at_the_centre_of_each_pixel(
    desk, section, turn
) -> None:
    values = random_labels(SHAPE)
    desk = desk(MemorySource(info_of(SHAPE, dtype="uint8", is_label=True), (values,)), "labels")
    overlay, view, state = desk.read(section, **turn)
    look = msgspec.structs.replace(overlay.look, opacity=1.0, style="fill")
    data = desk.reader.read(0, 0, 0, view.lod, Region(*view.region), section=view.section)
    draw = SliceRenderer().draw
    plain = draw(data, view, state, desk.info, space="rgb").pixels
    over = msgspec.structs.replace(state, segmentations=(look,))
    drawn = draw(
        data,
        view,
        over,
        desk.info,
        space="rgb",
        overlays=(type(overlay)(overlay.view, overlay.data, look),),
    ).pixels
    wanted = nearest(values, places(section, desk.info))
    colours: dict[int, set[tuple[int, ...]]] = {}
    for y in range(0, state.height_px, 3):
        for x in range(0, state.width_px, 3):
            column, row = view.placement.to_voxel(x + 0.5, y + 0.5)
            if view.placement.plane.column_axis > view.placement.plane.row_axis:
                column, row = row, column
            c, r = math.floor(column + 0.5), math.floor(row + 0.5)
            is_in = 0 <= c < wanted.shape[0] and 0 <= r < wanted.shape[1]
            label = wanted[c, r] if is_in else np.nan
            if math.isnan(label) or label == 0:
                assert (drawn[y, x] == plain[y, x]).all()
            else:
                colours.setdefault(int(label), set()).add(tuple(drawn[y, x].tolist()))
    assert sorted(colours) == [1, 2, 3, 4]
    assert all(len(found) == 1 for found in colours.values())
    assert len(set.union(*colours.values())) == 4


@SECTIONS
@pytest.mark.parametrize(("lod", "other"), [(2, 1), (1, 3), (0, 2)])
def test_a_level_of_one_grid_has_the_places_of_another_ones(section, lod, other) -> None:
    info = info_of(SHAPE)
    grid = grid_of(checked_section(section, info), info)
    there = align(info, info_of((14, 18, 13), 2.0, -1.5))
    moved = at_level(aligned(grid, there), lod, other)

    def middles(level, n):
        return (np.arange(n) + 0.5) * 2**level - 0.5

    for axis in range(3):
        wanted = np.add.outer(grid.along(middles(lod, 9))[axis], grid.down(middles(lod, 5))[axis])
        found = np.add.outer(
            moved.along(middles(other, 9))[axis], moved.down(middles(other, 5))[axis]
        )
        np.testing.assert_allclose(found, (wanted + 1.5) / 2, rtol=0, atol=1e-9)


def test_where_voxels_are_larger_their_finer_level_is_read(desk) -> None:
    info = info_of((14, 18, 13), 2.0, -1.5, dtype="uint8", is_label=True, n_lods=4)
    desk = desk(MemorySource(info, (random_labels(info.shape),)), "labels")
    desk.state = msgspec.structs.replace(desk.state, width_px=16, height_px=12)
    overlay, view, _ = desk.read(PLANE)
    assert view.lod == 1
    assert overlay.view.lod == 0
    a0, a1, b0, b1 = view.region
    assert overlay.data.values.shape == (-(-a1 // 2) - a0 // 2, -(-b1 // 2) - b0 // 2)
