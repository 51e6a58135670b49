"""Numbers under annotations are NumPy's, of exactly the voxels whose centre is inside."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.core.annotation import annotation
from blustream_widget.core.types import PERCENTILES, Channel
from blustream_widget.data import region_statistics as rs
from blustream_widget.data import regions
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import array_info
from blustream_widget.data.regions import VoxelRegion, polygon_mask
from blustream_widget.data.source import DoneRequest
from blustream_widget.data.voxels import ReadCancelledError, VoxelReader
from blustream_widget.errors import AnnotationError, BrickReadError
from blustream_widget.testing.volumes import ramp_volume

SHAPE = (70, 150, 90)  # more than one brick along each axis


def source(values) -> MemorySource:
    channel = Channel("v", "HU", values.dtype.name, 0.0, 1.0)
    return MemorySource(array_info(values.shape, (channel,)), (values,))


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(5)
    return rng.normal(100.0, 30.0, SHAPE).astype(np.float32)


def statistics(values, item, bins=16):
    volume = source(values)
    return rs.region_statistics(
        VoxelReader(volume, lambda: False),
        volume.info,
        item,
        channel=0,
        bins=bins,
        on_progress=lambda _: None,
    )


def winding(a, b, outline) -> bool:
    """Whether a place is inside, counted the slow way."""
    inside = False
    for (a1, b1), (a2, b2) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if (b1 <= b) != (b2 <= b) and a < a1 + (b - b1) / (b2 - b1) * (a2 - a1):
            inside = not inside
    return inside


def expect_equal(found, inside, bins=16):
    wide = inside.astype(np.float64)
    assert found.count == len(wide)
    assert found.unit == "HU"
    assert found.mean == pytest.approx(wide.mean(), rel=1e-12)
    assert found.sd == pytest.approx(wide.std(), rel=1e-10, abs=1e-12)
    assert (found.minimum, found.maximum) == (wide.min(), wide.max())
    assert found.median == pytest.approx(np.median(wide), rel=1e-14)
    percents = [value for _, value in found.percentiles]
    assert percents == pytest.approx(np.percentile(wide, PERCENTILES), rel=1e-12)
    counts, _ = np.histogram(wide, bins, (wide.min(), wide.max()))
    assert list(found.histogram) == counts.tolist()


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_rectangle_counts_centres_on_its_edge(values, axis):
    low, high = np.array([10.0, 60.5, 20.0]), np.array([66.0, 130.2, 70.9])
    low[axis] = high[axis] = 33.0
    found = statistics(values, annotation("rectangle", [high, low], axis=axis))
    block = [slice(10, 67), slice(61, 131), slice(20, 71)]
    block[axis] = slice(33, 34)
    expect_equal(found, values[tuple(block)].ravel())


def test_box(values):
    found = statistics(values, annotation("box", [(60, 2.1, 89), (3, 140, 0)]))
    expect_equal(found, values[3:61, 3:141, :].ravel())


def test_ellipse(values):
    item = annotation("ellipse", [(33, 20, 10), (33, 120, 60)], axis=0)
    b, c = np.mgrid[: SHAPE[1], : SHAPE[2]]
    inside = ((b - 70) / 50) ** 2 + ((c - 35) / 25) ** 2 <= 1
    expect_equal(statistics(values, item), values[33][inside])


def test_polygon_in_the_section_nearest_to_it(values):
    outline = np.array([(5.5, 4.0), (140.0, 12.3), (90.0, 80.0), (60.0, 30.0), (20.0, 85.0)])
    points = [(b, 41.4, c) for b, c in outline * [0.45, 1]]
    item = annotation("polygon", points, axis=1)
    plane = np.array([p[:1] + p[2:] for p in points])
    inside = np.array(
        [[winding(a, c, plane) for c in range(SHAPE[2])] for a in range(SHAPE[0])], bool
    )
    expect_equal(statistics(values, item), values[:, 41, :][inside])


places = st.floats(-3, 13) | st.integers(-3, 13)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(places, places), min_size=3, max_size=12))
def test_polygon_mask_is_the_even_odd_rule(outline):
    points = np.array(outline, float)
    mask = polygon_mask(points, (0, 0), (11, 10))
    expected = [[winding(a, b, points) for b in range(10)] for a in range(11)]
    assert mask.tolist() == expected


def test_neighbours_share_no_voxel_and_leave_none_out():
    left = np.array([(0.0, 0.0), (5.0, 0.0), (5.0, 9.0), (0.0, 9.0)])
    right = left + np.array([5.0, 0.0])
    both = [polygon_mask(part, (0, 0), (12, 12)).astype(int) for part in (left, right)]
    whole = np.array([(0.0, 0.0), (10.0, 0.0), (10.0, 9.0), (0.0, 9.0)])
    assert (both[0] + both[1]).tolist() == polygon_mask(whole, (0, 0), (12, 12)).astype(
        int
    ).tolist()


def test_voxels_without_value_are_counted_apart(values):
    holed = values.copy()
    holed[33, 20:40, 30:50] = np.nan
    holed[33, 50, 50] = np.inf
    item = annotation("rectangle", [(33, 10, 20), (33, 60, 70)], axis=0)
    found = statistics(holed, item)
    inside = holed[33, 10:61, 20:71]
    assert found.n_nodata == 401
    expect_equal(found, inside[np.isfinite(inside)])


def test_no_value_at_all_and_no_voxel_at_all(values):
    empty = np.full(SHAPE, np.nan, np.float32)
    item = annotation("rectangle", [(33, 10, 20), (33, 12, 21)], axis=0)
    found = statistics(empty, item)
    assert (found.count, found.n_nodata, found.mean, found.histogram) == (0, 6, None, ())
    between = annotation("rectangle", [(33, 10.2, 20.2), (33, 10.8, 20.8)], axis=0)
    assert statistics(values, between).count == 0


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "float64"])
def test_every_dtype_and_one_value(dtype):
    volume = np.full(SHAPE, 7, dtype)
    found = statistics(volume, annotation("box", [(0, 0, 0), (9, 9, 9)]))
    assert (found.count, found.mean, found.sd, found.median) == (1000, 7.0, 0.0, 7.0)
    assert sum(found.histogram) == 1000


def test_too_large_crossing_and_not_a_region_are_refused(values, monkeypatch):
    monkeypatch.setattr(regions, "MAX_REGION_VOXELS", 100)
    with pytest.raises(AnnotationError, match="too large"):
        VoxelRegion(annotation("box", [(0, 0, 0), (9, 9, 9)]), SHAPE)
    with pytest.raises(AnnotationError, match="encloses no voxels"):
        VoxelRegion(annotation("line", [(0, 0, 0), (9, 9, 9)]), SHAPE)
    tie = [(3, 0, 0), (3, 5, 5), (3, 5, 0), (3, 0, 5)]
    with pytest.raises(AnnotationError, match="crosses itself"):
        VoxelRegion(annotation("polygon", tie, axis=0), SHAPE)


def test_profile_and_value_are_those_of_the_voxels_on_the_line():
    ramp = ramp_volume((70, 100, 90))
    volume = source(ramp)
    reader = VoxelReader(volume, lambda: False)
    item = annotation("profile", [(2.2, 10, 80), (66.8, 74, 16)])
    found = rs.line_profile(reader, volume.info, item, channel=0)
    t = np.linspace(0, 1, len(found.values))[:, None]
    voxels = np.floor(np.array(item.points[0]) * (1 - t) + np.array(item.points[1]) * t + 0.5)
    expected = voxels @ [10_000, 100, 1]
    assert len(found.values) == 66
    assert found.values == tuple(expected)
    assert found.positions[-1] == pytest.approx(math.dist(*item.points))
    assert found.unit == "voxel"
    point = annotation("point", (3.4, 5.6, 7))
    assert rs.value_at(reader, volume.info, point, channel=0) == 30_607.0


def test_profile_shows_where_there_is_no_value(values):
    holed = values.copy()
    holed[5, 5, 40:45] = np.nan
    volume = source(holed)
    item = annotation("profile", [(5, 5, 30), (5, 5, 60)])
    found = rs.line_profile(VoxelReader(volume, lambda: False), volume.info, item, channel=0)
    assert [n for n, v in enumerate(found.values) if v is None] == [10, 11, 12, 13, 14]


class Broken(MemorySource):
    """Answers some bricks, then an error."""

    def request_brick(self, key, done, *, prefetch=False):
        assert prefetch, "what is looked at comes first"
        if key.i2 == 1:
            done(key, BrickReadError("brick 1 is damaged"))
            return DoneRequest()
        return super().request_brick(key, done, prefetch=prefetch)


def test_a_brick_that_cannot_be_read_is_an_error_not_a_wrong_number(values):
    volume = source(values)
    broken = Broken(volume.info, (values,))
    reader = VoxelReader(broken, lambda: False)
    with pytest.raises(BrickReadError):
        reader.block(0, (0, 0, 0), SHAPE)
    assert np.array_equal(reader.block(0, (1, 60, 2), (68, 140, 60)), values[1:68, 60:140, 2:60])


def test_reading_ends_when_it_is_called_off(values):
    reader = VoxelReader(source(values), lambda: True)
    with pytest.raises(ReadCancelledError):
        reader.block(0, (0, 0, 0), SHAPE)


@pytest.mark.parametrize(
    ("low", "high", "n"),
    [
        ((9.2, 2, 2), (9.5, 5, 5), 0),  # in the outer half of the last voxels
        ((-0.5, 2, 2), (-0.2, 5, 5), 0),
        ((8.9, 2, 2), (9.5, 5, 5), 16),
        ((20, 2, 2), (30, 5, 5), 0),  # drawn in a larger volume
    ],
)
def test_at_the_volumes_border_too_only_centres_count(low, high, n):
    region = VoxelRegion(annotation("box", [low, high]), (10, 10, 10))
    assert region.n_voxels == n


def test_a_section_at_the_very_border_is_the_last_slice():
    region = VoxelRegion(annotation("rectangle", [(9.5, 2, 2), (9.5, 5, 5)], axis=0), (10, 10, 10))
    assert (region.lower, region.upper) == ((9, 2, 2), (10, 6, 6))
    far = annotation("ellipse", [(30, 2, 2), (30, 5, 5)], axis=0)
    assert VoxelRegion(far, (10, 10, 10)).n_voxels == 0
