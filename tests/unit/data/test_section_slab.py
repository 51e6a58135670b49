"""Slabs of oblique planes and fences, against SciPy sampling each section beside them."""

import warnings

import msgspec
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from blustream_widget.core.section_grid import SectionRead, grid_of
from blustream_widget.core.section_shift import voxels_across
from blustream_widget.core.sections import (
    Fence,
    checked_section,
    normal_of,
    plane_across,
    turned,
    world_matrix,
)
from blustream_widget.core.slab import SLAB_MODES, Slab
from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.source import Region
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.held_volume import HeldVolume

SHAPE = (21, 27, 35)
SHEARED = (25.0, 3.0, 0.0, 9.0, 0.0, 12.5, 0.0, 5.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0)
# Places are rounded to 65536ths of a voxel; neighbours here differ by some hundreds.
_ROUNDED = 0.05
GEOMETRIES = [{}, {"spacing": (1.0, 0.5, 3.0)}, {"affine": SHEARED}]


def noise(dtype="float32"):
    return (np.random.default_rng(3).normal(size=SHAPE) * 100).astype(dtype)


def laid(info, *, affine=None, spacing=(1.0, 1.0, 1.0)):
    axes = (msgspec.structs.replace(a, spacing=s) for a, s in zip(info.axes, spacing, strict=True))
    return msgspec.structs.replace(info, kind="generic", affine=affine, axes=tuple(axes))


def held(array, **geometry):
    source = HeldVolume(array)
    source.info = laid(source.info, **geometry)
    return source


def memory(array, **geometry):
    info = volume_info(array.shape, dtype=array.dtype.name, n_lods=4)
    return MemorySource(laid(info, **geometry), (array,))


def slanted(info):
    plane = plane_across(info, 0, tuple(n / 2 for n in info.shape))
    for about, angle in (((0, 0, 1), 31), ((0, 1, 0), 17), ((1, 0, 0), -40)):
        plane = turned(plane, about, angle)
    return plane


def bent(_info):
    """A fence with a sharp bend, a piece along an axis, and an end beside the volume's edge."""
    return Fence(((1.0, 2.5), (13.25, 7.0), (5.0, 20.0), (18.0, 20.0), (19.5, 26.0)))


def reader_of(source, clock=lambda: 0.0, **options):
    options = {"budget_bytes": 1 << 26, "on_data": lambda: None, "clock": clock} | options
    return SliceReader(source, **options)


def wanted(source, plane):
    return SectionRead(grid_of(checked_section(plane, source.info), source.info), is_smooth=True)


def read(source, section, slab, *, lod=0, slab_lod=0, region=None, **options):
    reader = reader_of(source, **options)
    for _ in range(2):
        data = reader.read(0, 0, 0, lod, region, slab=slab, slab_lod=slab_lod, section=section)
        if isinstance(source, HeldVolume):
            source.deliver_all()
    return data


def across_plane(info, grid):
    """Step of a voxel along a plane's normal, for each column: (3, columns)."""
    across = np.linalg.solve(world_matrix(info), normal_of(grid.section))
    across *= np.sign(across[np.abs(across).argmax()]) / np.linalg.norm(across)
    return np.repeat(across[:, None], grid.n_columns, axis=1)


def across_fence(info, grid):
    """The same of a fence: at each column along the normal of the piece that it lies in."""
    points = np.array(grid.section.points)
    matrix = world_matrix(info)
    normals = [np.cross(matrix @ [*by, 0], matrix @ [0, 0, 1]) for by in np.diff(points, axis=0)]
    # Of length one in the world.
    by_piece = [np.linalg.solve(matrix, n / np.linalg.norm(n)) for n in normals]
    step = 1 / max(np.linalg.norm(by) for by in by_piece)
    side = np.sign(by_piece[0][np.abs(by_piece[0]).argmax()])
    piece = [sum(node <= c for node in grid.nodes[1:-1]) for c in range(grid.n_columns)]
    return np.array([by_piece[k] * step * side for k in piece]).T


def planes(array, info, section, first, last):
    """Sample every section of a slab by SciPy: (n, columns, rows), NaN outside the volume."""
    grid = section.grid
    across = (across_fence if isinstance(grid.section, Fence) else across_plane)(info, grid)
    along = np.array(grid.along(np.arange(grid.n_columns)))[:, None, :, None]
    down = np.array(grid.down(np.arange(grid.n_rows)))[:, None, None, :]
    k = np.arange(first, last + 1)[None, :, None, None]
    places = along + down + across[:, None, :, None] * k
    values = map_coordinates(array.astype(np.float64), places, order=1, mode="nearest")
    ends = np.array(array.shape)[:, None, None, None] - 0.5
    return np.where(((places >= -0.5) & (places <= ends)).all(axis=0), values, np.nan)


def reduced(values, mode, side=1):
    values = values.astype(np.float64)
    pad = [(0, 0), *((0, -n % side) for n in values.shape[1:])]
    values = np.pad(values, pad, constant_values=np.nan)
    n, w, h = values.shape
    values = values.reshape(n, w // side, side, h // side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but NaN
        if mode == "rms":
            return np.sqrt(np.nanmean(values**2, axis=(0, 2, 4)))
        return getattr(np, f"nan{mode}")(values, axis=(0, 2, 4))


@pytest.mark.parametrize("section_of", [slanted, bent])
@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_slab_is_the_reduction_of_the_sections_beside_it(geometry, section_of):
    array = noise()
    for source in (memory(array, **geometry), held(array, **geometry)):
        section = wanted(source, section_of(source.info))
        each = planes(array, source.info, section, -3, 4)
        for mode in SLAB_MODES:
            data = read(source, section, Slab(-3, 4, mode))
            assert (data.progress, data.coarsest_lod, data.lod) == (1.0, 0, 0)
            np.testing.assert_allclose(data.values, reduced(each, mode), atol=_ROUNDED)


@pytest.mark.parametrize("section_of", [slanted, bent])
@pytest.mark.parametrize("mode", SLAB_MODES)
def test_a_pixel_of_several_points_has_all_of_them_in_it(mode, section_of):
    array = noise("int16")
    for source in (memory(array), held(array)):
        section = wanted(source, section_of(source.info))
        each = reduced(planes(array, source.info, section, -2, 2), mode, side=4)
        data = read(source, section, Slab(-2, 2, mode), lod=2, region=Region(9, 33, 6, 45))
        assert (data.lod, data.origin, data.coarsest_lod) == (2, (2, 1), 0)
        np.testing.assert_allclose(data.values, each[2:9, 1:12], atol=_ROUNDED)


@pytest.mark.parametrize(
    ("axis", "mode", "n"),
    [(0, "max", 8), (1, "mean", 8), (2, "min", 9), (0, "rms", 9), (1, "max", 9), (2, "mean", 9)],
)
def test_a_plane_that_is_not_turned_has_the_slab_of_its_slice(axis, mode, n):
    source = held(noise(), spacing=(1.0, 0.5, 3.0))
    at, end = 12, source.info.shape[axis] - 1
    for idx in (at, 1, end):
        voxel = [10, 11, 12]
        voxel[axis] = idx
        section = wanted(source, plane_across(source.info, axis, tuple(voxel)))
        first = idx - (n - 1) // 2
        slab = Slab(max(first, 0), min(first + n - 1, end), mode)
        reader = reader_of(held(source.array, spacing=(1.0, 0.5, 3.0)))
        reader.read(axis, idx, 0, 0, slab=slab)
        reader._source.deliver_all()
        expected = reader.read(axis, idx, 0, 0, slab=slab).values
        found = read(source, section, Slab(-((n - 1) // 2), n // 2, mode)).values
        same = [found, found.T]
        turns = [s[::a, ::b] for s in same for a in (1, -1) for b in (1, -1)]
        assert any(t.shape == expected.shape and np.array_equal(t, expected) for t in turns)


@pytest.mark.parametrize(("n", "mode"), [(8, "max"), (9, "rms")])
def test_a_fence_along_an_inline_has_the_slab_and_the_bricks_of_that_inline(n, mode):
    read_of, asked = [], []
    for section in (True, False):
        source = held(noise())
        grid = wanted(source, Fence(((12.0, 0.0), (12.0, 26.0)))) if section else None
        first = 0 if section else 12
        slab = Slab(first - (n - 1) // 2, first + n // 2, mode)
        reader = reader_of(source)
        reader.read(0, 12, 0, 0, slab=slab, section=grid)
        asked.append(set(reader._seats.seat(0).composite.keys(0)))
        source.deliver_all()
        read_of.append(reader.read(0, 12, 0, 0, slab=slab, section=grid).values)
    assert np.array_equal(*read_of)
    assert asked[0] == asked[1]


@pytest.mark.parametrize("slab_lod", [0, 1])
def test_the_mean_of_a_ramp_along_the_normal_is_the_plane_itself(slab_lod):
    shape = (32, 32, 32)
    source = memory(np.zeros(shape, np.float32))
    plane = slanted(source.info)
    section = wanted(source, plane)
    step = voxels_across(section.grid, source.info)[0]
    ramp = np.einsum("a,aijk->ijk", step, np.indices(shape)).astype(np.float32)
    middle = float(step @ np.array(plane.origin))
    for ramped in (memory(ramp), held(ramp)):
        data = read(ramped, section, Slab(-4, 4, "mean"), lod=slab_lod, slab_lod=slab_lod)
        n, m = data.values.shape
        core = data.values[2 * n // 5 : 3 * n // 5, 2 * m // 5 : 3 * m // 5]
        np.testing.assert_allclose(core, middle, atol=5e-3)


def test_a_slab_is_shown_coarsely_first_and_takes_no_time_from_others():
    ticks = iter(range(1 << 30))
    calls = []
    source = held(noise())
    section, slab = wanted(source, slanted(source.info)), Slab(-6, 6, "max")
    reader = reader_of(source, lambda: float(next(ticks)), on_data=lambda: calls.append(1))

    def again():
        return reader.read(0, 0, 0, 0, slab=slab, section=section)

    assert again().coarsest_lod == source.info.n_lods
    for key in [key for key in source.pending if key.lod > 0]:
        source.deliver(key)
    shown = [again() for _ in range(12)]  # without time: one plane with each read
    assert 0 < shown[-1].coarsest_lod < source.info.n_lods
    source.deliver_all()
    while shown[-1].progress < 1:  # each says that there is more
        calls.clear()
        shown.append(again())
        assert calls or shown[-1].progress == 1
    assert [data.progress for data in shown] == sorted(data.progress for data in shown)
    assert len(shown) > 13
    assert again() is shown[-1]
    each = planes(source.array, source.info, section, -6, 6)
    np.testing.assert_allclose(shown[-1].values, reduced(each, "max"), atol=_ROUNDED)


def test_a_slab_for_which_there_is_no_room_is_reduced_from_a_coarser_level():
    source = held(noise())
    section = wanted(source, slanted(source.info))
    data = read(source, section, Slab(-20, 20, "mean"), budget_bytes=1 << 18)
    assert data.progress == 1.0
    assert data.lod == data.coarsest_lod > 0


def test_a_brick_that_cannot_be_read_leaves_a_coarser_part():
    source = held(noise())
    section, slab = wanted(source, slanted(source.info)), Slab(-3, 3, "mean")
    reader = reader_of(source)
    reader.read(0, 0, 0, 0, slab=slab, section=section)
    for key in [key for key in source.pending if key.lod > 0]:
        source.deliver(key)
    reader.read(0, 0, 0, 0, slab=slab, section=section)
    broken = next(key for key in source.pending if key.lod == 0)
    composite = reader._seats.seat(0).composite
    assert composite.give_up(broken)
    source.pending.pop(broken)
    source.deliver_all()
    data = reader.read(0, 0, 0, 0, slab=slab, section=section)
    assert (data.progress, data.coarsest_lod > 0) == (1.0, True)
