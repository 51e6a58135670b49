"""Edited bricks over label volumes: read by slices and bricks, coarse and fine, exactly."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from blustream_widget.core.types import SliceData
from blustream_widget.data.brick_patch import BrickPatch
from blustream_widget.data.brush import BrickGrid, brush_masks, cut_masks
from blustream_widget.data.edited_labels import (
    edited,
    pack_brick,
    touched_keys,
    unpack_brick,
)
from blustream_widget.data.grid import lod_shape, n_lods_for
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.new_labels import NewLabels
from blustream_widget.data.reduce import half_times
from blustream_widget.data.slices import SliceReader
from blustream_widget.data.source import BrickKey, Region
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.errors import ProcessingError
from blustream_widget.testing.fakes import HeldSource, volume_info

SHAPE = (20, 37, 50)
SIZE = 16


class BrickedSource:
    """Labels of an array that come by bricks alone."""

    def __init__(self, source: MemorySource) -> None:
        self._source = source

    @property
    def info(self):
        return self._source.info

    def request_brick(self, key, done, *, prefetch=False):
        return self._source.request_brick(key, done, prefetch=prefetch)

    def close(self) -> None:
        self._source.close()


def labels(is_direct: bool, values: np.ndarray):
    info = volume_info(
        values.shape,
        dtype="uint8",
        is_label=True,
        brick_size=SIZE,
        n_lods=n_lods_for(values.shape, SIZE),
    )
    source = MemorySource(info, (values,))
    return source if is_direct else BrickedSource(source)


def put_all(target, values):
    """Edit all bricks that are other in an array."""
    grid = BrickGrid(values.shape, target.info.brick_size)
    bricks = {}
    for brick, now in VoxelReader(target, lambda: False).bricks(
        0, grid.bricks((0, 0, 0), values.shape)
    ):
        lower, upper = grid.bounds(brick)
        new = values[tuple(slice(v, u) for v, u in zip(lower, upper, strict=True))]
        if not np.array_equal(now, new):
            bricks[brick] = new
    target.put(bricks)
    return bricks


@pytest.mark.parametrize("is_direct", [True, False])
def test_edits_are_read_at_every_level_as_if_the_volume_had_them(is_direct) -> None:
    rng = np.random.default_rng(3)
    before = rng.integers(0, 3, SHAPE, np.uint8)
    after = before.copy()
    after[4:9, 10:30, 5:20] = 7
    target, expected = edited(labels(is_direct, before), 0), labels(is_direct, after)
    assert 0 < len(put_all(target, after)) < 12
    for lod in range(target.info.n_lods):
        upper = lod_shape(SHAPE, lod)
        for given in (target, expected):
            whole = np.empty(upper, np.uint8)
            for part in VoxelReader(given, lambda: False).parts(0, (0, 0, 0), upper, lod=lod):
                at = tuple(slice(v, u) for v, u in zip(part.lower, part.upper, strict=True))
                whole[at] = part.values
            if given is target:
                found = whole
        assert np.array_equal(found, whole), lod
        assert (found == 7).any()


def slices_of(reader, axis, idx, lod, region=None) -> SliceData:
    return reader.read(axis, idx, 0, lod, region)


@pytest.mark.parametrize("is_direct", [True, False])
@pytest.mark.parametrize("lod", [0, 1])
def test_a_reader_shows_an_edit_at_once_without_reading_again(is_direct, lod) -> None:
    before = np.zeros(SHAPE, np.uint8)
    after = before.copy()
    after[6:10, 14:30, 8:40] = np.random.default_rng(4).integers(4, 6, (4, 16, 32))
    target = edited(labels(is_direct, before), 0)
    calls: list[None] = []
    reader = SliceReader(target, budget_bytes=8 << 20, on_data=lambda: calls.append(None))
    region = Region(8, 37, 4, 44)
    for axis, idx in ((0, 7), (1, 20), (2, 33)):
        first = slices_of(reader, axis, idx, lod, None if axis else region)
        assert first.progress == 1
        assert not first.values.any()
        bricks = put_all(target, after)
        reader.change(touched_keys(0, bricks, n_lods=target.info.n_lods))
        assert calls
        shown = slices_of(reader, axis, idx, lod, None if axis else region)
        plain = SliceReader(labels(is_direct, after), budget_bytes=8 << 20, on_data=lambda: None)
        wanted = slices_of(plain, axis, idx, lod, None if axis else region)
        assert np.array_equal(shown.values, wanted.values)
        assert (shown.values == 5).any()
        put_all(target, before)
        reader.change(touched_keys(0, bricks, n_lods=target.info.n_lods))
        assert not slices_of(reader, axis, idx, lod).values.any()
        plain.close()
    reader.close()


@pytest.mark.parametrize("is_direct", [True, False])
def test_an_edit_shows_in_slices_that_were_left_before_it(is_direct) -> None:
    before = np.zeros(SHAPE, np.uint8)
    after = before.copy()
    after[6:10, 14:30, 8:40] = 5
    target = edited(labels(is_direct, before), 0)
    reader = SliceReader(target, budget_bytes=8 << 20, on_data=lambda: None)
    assert not slices_of(reader, 0, 7, 0).values.any()
    slices_of(reader, 0, 8, 0)
    reader.change(touched_keys(0, put_all(target, after), n_lods=target.info.n_lods))
    assert np.array_equal(slices_of(reader, 0, 7, 0).values, after[7])
    reader.close()


def test_a_brick_that_was_on_its_way_while_it_was_edited_shows_the_edit() -> None:
    held = HeldSource(volume_info((16, 16, 16), dtype="uint8", is_label=True, brick_size=16))
    target = edited(held, 0)
    reader = SliceReader(target, budget_bytes=1 << 20, on_data=lambda: None)
    assert reader.read(0, 3, 0, 0).progress == 0
    target.put({(0, 0, 0): np.full((16, 16, 16), 9, np.uint8)})
    reader.change(touched_keys(0, [(0, 0, 0)], n_lods=held.info.n_lods))
    held.deliver(0)
    assert (reader.read(0, 3, 0, 0).values == 9).all()
    reader.close()


def test_a_slice_of_edited_bricks_and_others_is_whole_when_the_others_have_come() -> None:
    # The edited ones answer within the request, the others when their source does.
    held = HeldSource(volume_info((16, 32, 32), dtype="uint8", is_label=True, brick_size=16))
    target = edited(held, 0)
    mine = {(0, 0, 0), (0, 1, 1)}
    target.put({brick: np.full((16, 16, 16), 9, np.uint8) for brick in mine})
    reader = SliceReader(target, budget_bytes=1 << 20, on_data=lambda: None)
    reader.read(0, 3, 0, 0)
    first = reader.read(0, 3, 0, 0)
    assert first.progress < 1
    assert held.deliver(0) == 2
    slice_ = reader.read(0, 3, 0, 0)
    assert slice_.progress == 1
    expected = np.kron([[9, 0], [0, 9]], np.ones((16, 16), int))
    assert np.array_equal(slice_.values, expected)
    reader.close()


def test_a_label_volume_of_4096_cubed_takes_only_what_is_painted() -> None:
    source = NewLabels(volume_info((4096, 4096, 4096)), "mine", "uint8", {1: "salt"})
    target = edited(source, 0)
    assert target.info.n_lods == 7
    grid = BrickGrid(target.info.shape, 64)
    points = np.array([(2000.0, 2000.0, 2000.0), (2000.0, 2000.0, 2100.0)])
    masks = brush_masks(points, 20.0, (1.0, 1.0, 1.0), None, grid)
    painted = {brick: np.zeros((64, 64, 64), np.uint8) for brick in masks}
    for brick, mask in masks.items():
        painted[brick][mask.box] = mask.inside
    target.put(painted)
    assert len(target.bricks()) <= 12
    assert target.n_bytes <= 12 * 64**3
    shown = target.read_slice(0, 2000, 0, 0, Region(1900, 2100, 1900, 2200))
    assert (shown[100 - 20 : 100 + 21, 150] == 1).all()
    coarse = target.read_slice(0, 2000, 0, 3, Region(0, 4096, 0, 4096))
    assert coarse.shape == (512, 512)
    assert 30 < np.count_nonzero(coarse) * 64 / 41 < 150  # a band of some 41 x 141 voxels
    places = np.array([(2000 * 4096 + 2000) * 4096 + k for k in (1970, 2050, 3000)])
    assert target.read_voxels(0, places).tolist() == [0, 1, 0]
    target.put({(0, 0, 0): np.full((64, 64, 64), 3, np.uint8)})
    assert target.n_bytes <= 12 * 64**3  # a brick of one label takes nothing


def test_a_packed_brick_comes_back_exactly() -> None:
    values = np.random.default_rng(0).integers(0, 2**16, (5, 6, 7), np.uint16)
    assert np.array_equal(unpack_brick(pack_brick(values), values.shape, "uint16"), values)


def whole(masks, shape):
    grid = BrickGrid(shape, SIZE)
    found = np.zeros(shape, bool)
    for brick, mask in masks.items():
        lower, upper = grid.bounds(brick)
        found[tuple(map(slice, lower, upper))][mask.box] |= mask.inside
    return found


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_a_brush_takes_voxels_by_their_distance_in_the_world(axis) -> None:
    spacing = np.array((2.0, 0.5, 1.25))
    points = np.array([(8.2, 12.0, 20.4), (8.2, 25.0, 30.0), (8.2, 30.0, 30.0)])
    radius = 4.1
    found = whole(brush_masks(points, radius, spacing, axis, BrickGrid(SHAPE, SIZE)), SHAPE)
    places = np.moveaxis(np.indices(SHAPE), 0, -1)
    flat = points.copy()
    if axis is not None:
        flat[:, axis] = np.floor(points[0, axis] + 0.5)
    # Dense samples of the line stand for it: apart by a hundredth of a voxel.
    line = np.concatenate(
        [a + (b - a) * np.linspace(0, 1, 1500)[:, None] for a, b in itertools.pairwise(flat)]
    )
    near = np.full(SHAPE, np.inf)
    for at in line[::5]:
        near = np.minimum(near, (((places - at) * spacing) ** 2).sum(-1))
    if axis is not None:
        near[np.moveaxis(places, -1, 0)[axis] != flat[0, axis]] = np.inf
    apart = np.abs(np.sqrt(near) - radius)
    sure = (apart > 0.02) & (near > 1.0)  # not where sampling decides
    assert found.any()
    assert np.array_equal(found[sure], (near <= radius**2)[sure])


def test_the_smallest_brush_paints_the_voxel_under_it_and_none_outside() -> None:
    grid = BrickGrid(SHAPE, SIZE)
    points = np.array([(3.4, 10.6, 49.4), (3.4, 10.6, 70.0)])
    found = whole(brush_masks(points[:1], 0.01, (1, 1, 1), 0, grid), SHAPE)
    assert [tuple(one) for one in np.argwhere(found)] == [(3, 11, 49)]
    assert not brush_masks(points[1:], 5.0, (1, 1, 1), 0, grid)


def test_a_brush_that_takes_too_much_is_refused() -> None:
    grid = BrickGrid((4096, 4096, 4096), 64)
    with pytest.raises(ProcessingError, match="voxels"):
        brush_masks(np.full((1, 3), 2000.0), 1000.0, (1, 1, 1), None, grid)
    corners = np.array([(0.0, 0, 0), (0, 4096, 0), (0, 0, 4096)])
    with pytest.raises(ProcessingError, match="bricks"):
        dict(cut_masks(corners, 0, (0, 4095), grid, is_outside=False))


@pytest.mark.parametrize("is_outside", [False, True])
def test_scissors_take_what_is_inside_or_outside(is_outside) -> None:
    corners = np.array([(4.0, 5.5, 10.5), (4.0, 30.5, 10.5), (4.0, 30.5, 40.5), (4.0, 5.5, 40.5)])
    masks = dict(cut_masks(corners, 0, (2, 17), BrickGrid(SHAPE, SIZE), is_outside=is_outside))
    wanted = np.zeros(SHAPE, bool)
    wanted[2:18] = is_outside
    wanted[2:18, 6:31, 11:41] = not is_outside
    assert np.array_equal(whole(masks, SHAPE), wanted)


def test_a_coarse_level_is_a_majority_of_what_was_painted() -> None:
    target = edited(labels(False, np.zeros(SHAPE, np.uint8)), 0)
    brick = np.zeros((16, 16, 16), np.uint8)
    brick[:9] = 4
    target.put({(0, 1, 2): brick})
    got: list[np.ndarray] = []
    target.request_brick(BrickKey(0, 1, 0, 0, 1), lambda _key, values: got.append(values))
    assert np.array_equal(got[0][:8, 8:16, :8], half_times(brick, 1, is_label=True))


@pytest.mark.parametrize("is_array", [False, True])
def test_a_patch_is_read_as_the_whole_brick_would_be(is_array) -> None:
    rng = np.random.default_rng(8)
    shape = (70, 100, 90)
    info = volume_info(shape, dtype="uint8", is_label=True, n_lods=3)
    values = rng.integers(0, 3, shape).astype(np.uint8) if is_array else np.zeros(shape, np.uint8)
    source = MemorySource(info, (values,)) if is_array else NewLabels(info, "a", "uint8", {})
    patched, whole = edited(source, 0), edited(source, 0)
    grid = BrickGrid(shape, patched.info.brick_size)
    for _ in range(12):
        brick = tuple(int(rng.integers(0, -(-n // grid.size))) for n in shape)
        lower, upper = grid.bounds(brick)
        now = whole.bricks().get(brick, values[tuple(map(slice, lower, upper))])
        box = tuple(
            slice(k := int(rng.integers(0, n)), int(rng.integers(k, n)) + 1) for n in now.shape
        )
        new = now.copy()
        new[box] = inside = rng.integers(0, 4, now[box].shape).astype(np.uint8)
        patched.put({brick: BrickPatch(now, box, inside)})
        whole.put({brick: new})
        assert patched.n_bytes >= whole.n_bytes > 0
        for axis, lod in itertools.product(range(3), range(3)):
            sides = [n for k, n in enumerate(shape) if k != axis]
            at = lower[axis] + int(rng.integers(box[axis].start, box[axis].stop))
            whole_slice = (axis, at, 0, lod, Region(0, sides[0], 0, sides[1]))
            assert np.array_equal(patched.read_slice(*whole_slice), whole.read_slice(*whole_slice))
        patched.settle([brick, (9, 9, 9)])
        assert patched.n_bytes == whole.n_bytes
    assert patched.bricks().keys() == whole.bricks().keys()
    assert all(np.array_equal(one, whole.bricks()[k]) for k, one in patched.bricks().items())


def test_an_edited_brick_is_not_asked_of_its_source() -> None:
    held = HeldSource(volume_info(SHAPE, dtype="uint8", is_label=True, brick_size=SIZE))
    target = edited(held, 0)
    box = (slice(3, 4), slice(4, 5), slice(5, 6))
    inside = np.full((1, 1, 1), 7, np.uint8)
    target.put({(0, 0, 0): BrickPatch(np.zeros((SIZE,) * 3, np.uint8), box, inside)})
    answers = []
    for key in (BrickKey(0, 0, 0, 0, 0), BrickKey(0, 0, 0, 0, 1)):
        target.request_brick(key, lambda key, found: answers.append((key, found)))
    ((key, found),) = answers
    assert key == BrickKey(0, 0, 0, 0, 0)
    assert [tuple(one) for one in np.argwhere(found == 7)] == [(3, 4, 5)]
