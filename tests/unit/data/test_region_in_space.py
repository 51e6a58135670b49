"""Outlines on oblique planes and fences: their voxels one by one, their areas by hand."""

import math
from itertools import product

import msgspec
import numpy as np
import pytest

from blustream_widget.core.annotation import annotation, check_annotation
from blustream_widget.core.measures import quantities_of
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.region_statistics import line_profile, region_statistics
from blustream_widget.data.regions import VoxelRegion
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.errors import AnnotationError
from blustream_widget.testing.fakes import volume_info

SHAPE = (14, 17, 12)
MIDDLE = np.array([6.3, 8.2, 5.4])
RIGHT = np.array([0.6, 0.8, 0.0])
DOWN = np.array([0.24, -0.18, math.sqrt(0.91)])
OUTLINE = ((-4.0, -3.0), (3.0, -3.5), (4.5, 2.0), (0.0, 0.5), (-3.5, 3.0))


def polygon(outline=OUTLINE, right=RIGHT, down=DOWN, middle=MIDDLE, **fields):
    points = [np.round(middle + u * right + v * down, 3) for u, v in outline]
    return annotation("polygon", points, **fields)


def is_in(ring, at):
    """Even-odd, by rays."""
    found = False
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if (ay > at[1]) != (by > at[1]) and at[0] < ax + (at[1] - ay) * (bx - ax) / (by - ay):
            found = not found
    return found


@pytest.mark.parametrize(
    ("right", "down"),
    [(RIGHT, DOWN), (RIGHT, np.array([0, 0, 1.0])), (np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))],
    ids=["tilted", "upright", "a slice"],
)
def test_a_region_has_the_voxel_nearest_to_its_plane_in_each_column(right, down):
    item = polygon(right=right, down=down)
    check_annotation(item, SHAPE)
    region = VoxelRegion(item, SHAPE)
    found = {
        tuple(int(v) for v in np.add(at, region.lower)) for at in np.argwhere(region.mask).tolist()
    }
    normal = np.cross(right, down)
    across = int(np.abs(normal).argmax())
    axes = [axis for axis in range(3) if axis != across]
    ring = [(point[axes[0]], point[axes[1]]) for point in item.points]
    wanted = set()
    for u, v in product(range(SHAPE[axes[0]]), range(SHAPE[axes[1]])):
        if not is_in(ring, (u, v)):
            continue
        off = (u - MIDDLE[axes[0]]) * normal[axes[0]] + (v - MIDDLE[axes[1]]) * normal[axes[1]]
        voxel = [u, v]
        voxel.insert(across, math.floor(MIDDLE[across] - off / normal[across] + 0.5))
        wanted.add(tuple(voxel))
    assert found == wanted
    assert len(found) > 15


def test_its_numbers_are_those_of_these_voxels():
    values = np.random.default_rng(2).normal(size=SHAPE).astype(np.float32)
    info = volume_info(SHAPE, brick_size=8)
    reader = VoxelReader(MemorySource(info, (values,)), lambda: False)
    item = polygon()
    region = VoxelRegion(item, SHAPE)
    inside = values[tuple(np.argwhere(region.mask).T + np.array(region.lower)[:, None])]
    found = region_statistics(reader, info, item, channel=0, bins=8, on_progress=lambda _: None)
    assert found.count == len(inside)
    assert found.mean == pytest.approx(float(inside.astype(float).mean()))
    assert found.maximum == float(inside.max())
    ends = [MIDDLE - 4 * RIGHT, MIDDLE + 4 * RIGHT]
    profile = line_profile(reader, info, annotation("profile", ends), channel=0)
    assert profile.positions[-1] == pytest.approx(8.0)
    places = np.linspace(ends[0], ends[1], len(profile.values))
    wanted = values[tuple(np.floor(places + 0.5).astype(int).T)]
    assert profile.values == tuple(float(v) for v in wanted)


def test_area_and_perimeter_are_those_of_the_plane():
    square = ((0, 0), (5, 0), (5, 4), (0, 4))
    info = volume_info(SHAPE)
    item = polygon(square, middle=np.array([4.0, 4.0, 4.0]))
    numbers = {one.name: one.value for one in quantities_of(item, info)}
    assert numbers["area"] == pytest.approx(20, abs=0.01)
    assert numbers["perimeter"] == pytest.approx(18, abs=0.01)


def test_in_time_an_upright_one_has_metres_times_milliseconds_and_a_tilted_one_no_area():
    info = volume_info(SHAPE, kind="seismic")
    one, two, three = info.axes
    axes = (
        msgspec.structs.replace(one, spacing=20.0),
        msgspec.structs.replace(two, spacing=10.0),
        msgspec.structs.replace(three, unit="ms", step=4.0),
    )
    info = msgspec.structs.replace(info, axes=axes, world_unit="m")
    square = ((0, 0), (5, 0), (5, 4), (0, 4))
    upright = polygon(square, down=np.array([0, 0, 1.0]), middle=np.array([4.0, 4.0, 4.0]))
    (area,) = quantities_of(upright, info)
    assert area.unit == "m·ms"
    # 3 inlines of 20 m and 4 crosslines of 10 m; 4 samples of 4 ms.
    assert area.value == pytest.approx(math.hypot(60, 40) * 16, rel=1e-3)
    with pytest.raises(AnnotationError, match="tilted"):
        quantities_of(polygon(square, middle=np.array([4.0, 4.0, 4.0])), info)


@pytest.mark.parametrize("kind", ["rectangle", "ellipse"])
def test_corners_say_nothing_without_an_axis(kind):
    with pytest.raises(AnnotationError, match="slice"):
        check_annotation(annotation(kind, [(1, 1, 1), (5, 6, 7)]), SHAPE)


def test_an_outline_that_is_bent_is_refused():
    bent = annotation("polygon", [(1, 1, 1), (6, 1, 1), (6, 6, 1), (1, 6, 4)])
    with pytest.raises(AnnotationError, match="one plane"):
        check_annotation(bent, SHAPE)
    bow = polygon(((0, 0), (4, 4), (4, 0), (0, 4)))
    with pytest.raises(AnnotationError, match="crosses itself"):
        quantities_of(bow, volume_info(SHAPE))
