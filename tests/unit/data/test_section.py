"""Sections against the formula that their module states, point by point."""

import math
from itertools import product

import msgspec
import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from blustream_widget.core.section_grid import SectionRead, grid_of
from blustream_widget.core.sections import Fence, Oblique, checked_section, plane_across, turned
from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import Region
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.held_volume import HeldVolume

SHAPE = (37, 41, 53)
SURVEY = (  # turned by 30 degrees; lines at 80 degrees to each other, 25 m and 12.5 m apart
    *(25 * math.cos(0.52), 12.5 * math.cos(0.52 + 1.4), 0.0, 1000.0),
    *(25 * math.sin(0.52), 12.5 * math.sin(0.52 + 1.4), 0.0, 2000.0),
    *(0.0, 0.0, 4.0, 0.0),
    *(0.0, 0.0, 0.0, 1.0),
)


def noise(dtype="float32"):
    return (np.random.default_rng(3).normal(size=SHAPE) * 100).astype(dtype)


def info_of(source, *, kind="generic", affine=None, spacing=(1.0, 1.0, 1.0)):
    axes = tuple(
        msgspec.structs.replace(axis, spacing=s)
        for axis, s in zip(source.info.axes, spacing, strict=True)
    )
    return msgspec.structs.replace(source.info, kind=kind, affine=affine, axes=axes)


def held(array, **geometry):
    source = HeldVolume(array)
    source.info = info_of(source, **geometry)
    return source


def memory(array, **geometry):
    source = MemorySource(volume_info(array.shape, dtype=array.dtype.name, n_lods=4), (array,))
    source._info = info_of(source, **geometry)
    return source


def read(source, section, *, lod=0, region=None, is_smooth=True):
    info = source.info
    wanted = SectionRead(grid_of(checked_section(section, info), info), is_smooth)
    reader = SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None)
    for _ in range(2):
        data = reader.read(0, 0, 0, lod, region, section=wanted)
        if isinstance(source, HeldVolume):
            source.deliver_all()
    return data, wanted.grid


def by_formula(array, grid, lod, region, *, is_smooth):
    """One point after the other, as `data/section.py` says; `array` is that of the level."""
    a0, a1, b0, b1 = region
    result = np.full((a1 - a0, b1 - b0), np.nan)
    for a, b in product(range(a0, a1), range(b0, b1)):
        c, r = ((i + 0.5) * 2**lod - 0.5 for i in (a, b))
        along, down = grid.along(np.array([c])), grid.down(np.array([r]))
        place = [
            (round(((f[0] + 0.5) / 2**lod - 0.5) * 65536) + round(g[0] / 2**lod * 65536)) / 65536
            for f, g in zip(along, down, strict=True)
        ]
        if not all(-0.5 <= p <= n - 0.5 for p, n in zip(place, array.shape, strict=True)):
            continue
        if not is_smooth:
            near = [
                min(math.floor(p + 0.5), n - 1) for p, n in zip(place, array.shape, strict=True)
            ]
            result[a - a0, b - b0] = array[tuple(near)]
            continue
        place = [min(max(p, 0), n - 1) for p, n in zip(place, array.shape, strict=True)]
        total = 0.0
        for corner in product((0, 1), repeat=3):
            weight, at = 1.0, []
            for p, bit, n in zip(place, corner, array.shape, strict=True):
                low = math.floor(p)
                weight *= p - low if bit else 1 - (p - low)
                at.append(min(low + bit, n - 1))
            total += weight * float(array[tuple(at)])
        result[a - a0, b - b0] = total
    return result


def slanted(info, degrees=(31, 17, -40)):
    plane = plane_across(info, 0, tuple(n / 2 for n in info.shape))
    for about, angle in zip(((0, 0, 1), (0, 1, 0), (1, 0, 0)), degrees, strict=True):
        plane = turned(plane, about, angle)
    return plane


BENT = Fence(((2.0, 1.5), (15.25, 30.0), (16.0, 16.0), (36.0, 16.0), (35.5, 40.0)))

GEOMETRIES = {
    "cubes": {},
    "flat voxels": {"spacing": (1.0, 0.5, 3.0)},
    "turned survey": {"kind": "seismic", "affine": SURVEY},
}


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("is_smooth", [True, False], ids=["linear", "nearest"])
@pytest.mark.parametrize("make", [held, memory])
def test_values_are_those_of_the_formula_across_bricks(make, is_smooth, geometry):
    array = noise()
    source = make(array, **geometry)
    for section in (slanted(source.info), BENT):
        grid = grid_of(checked_section(section, source.info), source.info)
        a, b = grid.n_columns // 2, grid.n_rows // 2
        region = Region(a - 16, a + 16, b - 17, b + 17)
        data, _ = read(source, section, region=region, is_smooth=is_smooth)
        wanted = by_formula(array, grid, 0, region, is_smooth=is_smooth)
        assert np.isfinite(wanted).sum() > 400
        if is_smooth:
            np.testing.assert_allclose(data.values, wanted, rtol=0, atol=3e-4)
        else:
            np.testing.assert_array_equal(data.values, wanted)
        assert (data.progress, data.coarsest_lod, data.origin) == (1, 0, (a - 16, b - 17))


@pytest.mark.parametrize("geometry", GEOMETRIES.values(), ids=GEOMETRIES)
@pytest.mark.parametrize("make", [held, memory])
def test_linear_values_are_those_of_scipy(make, geometry):
    array = noise()
    source = make(array, **geometry)
    for section in (slanted(source.info), BENT):
        data, grid = read(source, section)
        (a, b), (n_a, n_b) = data.origin, data.values.shape
        along = grid.along(np.arange(a, a + n_a, dtype=float))
        down = grid.down(np.arange(b, b + n_b, dtype=float))
        places = np.stack([np.add.outer(f, g) for f, g in zip(along, down, strict=True)])
        wanted = map_coordinates(array.astype(float), places, order=1, mode="nearest")
        # A place is rounded by up to 1/65536 of a voxel; neighbours differ by up to 800.
        inside = np.isfinite(data.values)
        assert inside.sum() > 1000
        np.testing.assert_allclose(data.values[inside], wanted[inside], rtol=0, atol=0.05)
        last = np.array(array.shape).reshape(3, 1, 1) - 0.5
        beyond = ((places < -0.5) | (places > last)).any(axis=0)
        # At the very edge rounding decides.
        assert (inside == beyond).mean() < 1e-3


@pytest.mark.parametrize("is_smooth", [True, False], ids=["linear", "nearest"])
def test_a_coarse_level_is_sampled_by_the_same_formula(is_smooth):
    array = noise()
    source = held(array)
    data, grid = read(source, slanted(source.info), lod=1, is_smooth=is_smooth)
    coarse = half_times(array, 1, is_label=False)
    region = (0, data.values.shape[0], 0, data.values.shape[1])
    wanted = by_formula(coarse, grid, 1, region, is_smooth=is_smooth)
    np.testing.assert_allclose(data.values, wanted, rtol=0, atol=2e-4)


@pytest.mark.parametrize("dtype", ["float32", "int16", "uint8", "float64", "int32"])
@pytest.mark.parametrize("make", [held, memory])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_plane_that_is_not_turned_is_the_slice(axis, make, dtype):
    array = noise(dtype)
    source = make(array, spacing=(1.0, 0.5, 3.0))
    at = (11, 16, 31)  # the last two at an edge of a brick
    plane = plane_across(source.info, axis, at)
    for lod in (0, 1):
        data, _ = read(source, plane, lod=lod)
        reader = SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None)
        for _ in range(2):
            whole = reader.read(axis, at[axis], 0, lod)
            if make is held:
                source.deliver_all()
        # Columns first; across axis 2 the columns are those of axis 1.
        values = data.values.T if axis == 2 else data.values
        # Means of an array are taken along the other axis first there: the last bit may differ.
        rtol = 3e-6 if (axis, lod, make) == (2, 1, memory) else 0
        np.testing.assert_allclose(values, whole.values, rtol=rtol, atol=10 * rtol)


@pytest.mark.parametrize("lod", [0, 1, 2])
def test_a_fence_along_a_line_is_that_line(lod):
    array = noise()
    source = held(array, kind="seismic", affine=SURVEY)
    data, grid = read(source, Fence(((20, 0), (20, 40))), lod=lod)
    reader = SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None)
    reader.read(0, 20, 0, lod)
    source.deliver_all()
    np.testing.assert_array_equal(data.values, reader.read(0, 20, 0, lod).values)
    assert grid.column_step == pytest.approx(12.5)


def test_a_fence_is_unrolled_by_its_length_in_the_world():
    source = held(noise(), kind="seismic", affine=SURVEY)
    grid = grid_of(BENT, source.info)
    world = np.array(SURVEY).reshape(4, 4)[:2, :2]
    lengths = [
        float(np.linalg.norm(world @ np.subtract(b, a)))
        for a, b in zip(BENT.points, BENT.points[1:], strict=False)
    ]
    assert (grid.n_columns - 1) * grid.column_step == pytest.approx(sum(lengths))
    for node, point, upto in zip(grid.nodes, BENT.points, np.cumsum([0, *lengths]), strict=True):
        assert node * grid.column_step == pytest.approx(upto, abs=1e-3)
        assert grid.voxel(node, 7)[:2] == pytest.approx(point, abs=1e-3)
        assert grid.voxel(node, 7)[2] == 7


def test_what_comes_first_is_coarse_and_every_brick_makes_it_finer():
    array = noise()
    source = held(array)
    info = source.info
    section = SectionRead(grid_of(slanted(info), info), True)
    reader = SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None)
    coarsest, progress = [], []
    for _ in range(200):
        data = reader.read(0, 0, 0, 0, section=section)
        coarsest.append(data.coarsest_lod)
        progress.append(data.progress)
        if not source.pending:
            break
        source.deliver(next(iter(source.pending)))
    assert coarsest[0] == info.n_lods
    assert coarsest[-1] == 0
    assert 2 in coarsest
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert reader.read(0, 0, 0, 0, section=section) is data


def test_only_bricks_that_the_section_meets_are_asked_for():
    source = held(noise())
    read(source, Fence(((15.0, 3.0), (15.0, 12.0))))
    fine = {key for key in source.order if key.lod == 0}
    # Inline 15 is the last of its brick: no voxel of the next one has any weight.
    assert {(key.i0, key.i1) for key in fine} == {(0, 0)}


def test_a_brick_that_cannot_be_read_leaves_what_is_coarser():
    source = held(noise())
    info = source.info
    section = SectionRead(grid_of(slanted(info), info), True)
    reader = SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None, clock=lambda: 0.0)
    reader.read(0, 0, 0, 0, section=section)
    broken = next(key for key in source.pending if key.lod == 0)
    source.deliver_all(broken=[broken])
    for _ in range(5):
        data = reader.read(0, 0, 0, 0, section=section)
        source.deliver_all(broken=[broken])
    assert data.progress == 1
    assert data.coarsest_lod > 0
    assert reader.error is not None


def test_outside_the_volume_there_is_nothing():
    source = held(noise("int16"))
    data, grid = read(source, slanted(source.info))
    outside = np.isnan(data.values)
    assert data.values.dtype == np.float32
    assert 0.1 < outside.mean() < 0.9
    assert isinstance(grid.section, Oblique)
