"""The quick ways to sample a section against each other: trace by trace, and run by run."""

import numpy as np
import pytest

from blustream_widget.core.section_grid import SectionRead, grid_of
from blustream_widget.core.sections import Fence, checked_section, plane_across, turned
from blustream_widget.core.types import SliceData
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.section import SectionComposite
from blustream_widget.data.section_points import Points
from blustream_widget.data.section_runs import RunSampler
from blustream_widget.data.section_traces import TraceSampler, trace_axis
from blustream_widget.data.source import BrickKey, Region
from blustream_widget.testing.fakes import volume_info

SIZE = 16
ORDERS = ((0, 1, 2), (2, 0, 1), (1, 2, 0))


def bricks_of(array):
    """Bricks by number, each in another order of memory."""
    counts = [-(-n // SIZE) for n in array.shape]
    for number, key in enumerate(np.ndindex(*counts)):
        cut = array[tuple(slice(k * SIZE, (k + 1) * SIZE) for k in key)]
        order = ORDERS[number % 3]
        yield key, np.ascontiguousarray(cut.transpose(order)).transpose(np.argsort(order))


def places_of(sampler):
    found = [tuple(brick) for brick in sampler.bricks.tolist()]
    assert len(set(found)) == len(found)
    return {brick: place for place, brick in enumerate(found)}


def sampled(sampler, array):
    places = places_of(sampler)
    for key, brick in bricks_of(array):
        if key in places:
            sampler.take(places[key], brick)
    kept = sampler.values(is_final=False).copy()
    np.testing.assert_array_equal(sampler.values(is_final=True), kept)
    return kept


def previewed(sampler, coarse):
    """As `coarse`, one level coarser, has the values; all bricks of it."""
    for key, brick in bricks_of(coarse):
        first = tuple(k * SIZE for k in key)
        for place, fine in enumerate(sampler.bricks // 2):
            if tuple(fine) == key:
                sampler.preview(place, brick, shift=1, first=first)
    return sampler.values(is_final=False)


def about(info, axis, degrees, *, across=0):
    """A plane through the middle of the volume, turned about one of its axes."""
    plane = plane_across(info, across, tuple(n / 2 - 0.25 for n in info.shape))
    direction = [0.0, 0.0, 0.0]
    direction[axis] = 1.0
    return turned(plane, tuple(direction), degrees)


SECTIONS = {
    "a fence": (lambda info: Fence(((2.0, 1.5), (15.25, 30.0), (15.5, 16.0), (36.0, 40.0))), 2),
    "not turned": (lambda info: about(info, 2, 0.0, across=1), 2),
    "about axis 2": (lambda info: about(info, 2, 33.0), 2),
    "about axis 1": (lambda info: about(info, 1, -21.0), 1),
    "about axis 0": (lambda info: about(info, 0, 70.0, across=1), 0),
}


@pytest.mark.parametrize("is_smooth", [True, False], ids=["linear", "nearest"])
@pytest.mark.parametrize("name", SECTIONS)
@pytest.mark.parametrize("shape", [(37, 41, 53), (1, 48, 33)])
def test_traces_and_runs_have_the_same_values(shape, name, is_smooth) -> None:
    make, axis = SECTIONS[name]
    info = volume_info(shape, n_lods=3)
    rng = np.random.default_rng(7)
    array = rng.normal(size=shape).astype(np.float32)
    coarse = rng.normal(size=[-(-n // 2) for n in shape]).astype(np.float32)
    if shape[0] == 1 and name == "a fence":
        section = Fence(((0.0, 1.5), (0.0, 30.25), (0.0, 16.0)))
    else:
        section = make(info)
    read = SectionRead(grid_of(checked_section(section, info), info), is_smooth)
    whole = Region(0, read.grid.n_columns, 0, read.grid.n_rows)
    points = Points(read, shape, 0, whole)
    found = trace_axis(points)
    assert found is not None
    assert shape[0] == 1 or found[0] == axis
    dtype = np.dtype(np.float32)
    counts = tuple(-(-n // SIZE) for n in shape)

    def both():
        yield TraceSampler(points, SIZE, dtype, axis=found[0], is_across=found[1])
        yield RunSampler(points, SIZE, counts, dtype)

    traces, runs = both()
    assert set(places_of(traces)) == set(places_of(runs))
    values = sampled(traces, array)
    assert values.shape == (points.n_columns, points.n_rows)
    assert np.isfinite(values).sum() > 20
    np.testing.assert_array_equal(values, sampled(runs, array))
    first, second = (previewed(sampler, coarse) for sampler in both())
    assert np.isfinite(first).sum() == np.isfinite(values).sum()
    np.testing.assert_allclose(first, second, rtol=1e-6)


def test_a_plane_tilted_about_all_axes_has_no_traces() -> None:
    info = volume_info((37, 41, 53))
    plane = turned(turned(about(info, 2, 33.0), (0.0, 1.0, 0.0), 20.0), (1.0, 0.0, 0.0), 15.0)
    read = SectionRead(grid_of(checked_section(plane, info), info), True)
    assert trace_axis(Points(read, info.shape, 0, Region(0, 30, 0, 30))) is None


def test_a_whole_section_keeps_its_values_when_a_brick_is_given_up() -> None:
    info = volume_info((8, 8, 8))
    section = checked_section(plane_across(info, 0, (4, 4, 4)), info)
    read = SectionRead(grid_of(section, info), True)
    spec = SliceSpec(0, 0, 0, 0, Region(0, 8, 0, 8), section=read)
    composite = SectionComposite(info, spec, BrickCache(1 << 20))
    key = BrickKey(0, 0, 0, 0, 0)
    assert composite.put(key, np.arange(512, dtype=np.float32).reshape(8, 8, 8))
    data = composite.snapshot()
    assert isinstance(data, SliceData)
    assert composite.is_complete
    assert composite.give_up(key)
    np.testing.assert_array_equal(composite.snapshot().values, data.values)
