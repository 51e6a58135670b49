"""Measures against what geometry says, in the units of the volume."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blustream_widget.core.annotation import annotation
from blustream_widget.core.measures import ellipse_perimeter, quantities_of
from blustream_widget.core.types import Axis, Channel, Kind, VolumeInfo
from blustream_widget.errors import AnnotationError

SHAPE = (100, 100, 100)


def volume(
    kind: Kind = "medical",
    spacing: tuple[float, float, float] = (0.5, 0.75, 3.0),
    *,
    affine: np.ndarray | None = None,
    world_unit: str = "mm",
    vertical: tuple[str, float] = ("ms", 4.0),
) -> VolumeInfo:
    """Describe a volume of 100 voxels a side; `vertical` is unit and step of a survey's samples."""
    axes = [Axis(f"a{n}", "", 100, 0.0, 1.0, spacing[n]) for n in range(3)]
    if kind == "seismic":
        axes[2] = Axis("sample", vertical[0], 100, 0.0, vertical[1], spacing[2])
    flat = None if affine is None else tuple(float(v) for v in affine.ravel())
    channel = Channel("v", "", "float32", 0, 1)
    return VolumeInfo("v", kind, tuple(axes), (channel,), world_unit=world_unit, affine=flat)


def measured(info: VolumeInfo, kind: str, points, **fields) -> dict[str, tuple[float, str]]:
    found = quantities_of(annotation(kind, points, **fields), info)
    return {q.name: (pytest.approx(q.value, rel=1e-12, abs=1e-12), q.unit) for q in found}


def rotation(degrees: float) -> np.ndarray:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def turned(spacing, degrees=30.0) -> np.ndarray:
    affine = np.eye(4)
    affine[:3, :3] = rotation(degrees) @ np.diag(spacing)
    affine[:3, 3] = (512_000.0, 6_780_000.0, 0.0)
    return affine


def test_distance_in_unequal_voxels():
    found = measured(volume(), "distance", [(10, 10, 10), (16, 14, 14)])
    assert found == {"distance": (math.sqrt(3**2 + 3**2 + 12**2), "mm")}


@pytest.mark.parametrize("degrees", [0.0, 30.0, 117.0])
def test_lengths_and_areas_do_not_depend_on_how_the_grid_is_turned(degrees):
    info = volume(affine=turned((0.5, 0.75, 3.0), degrees))
    assert measured(info, "path", [(0, 0, 0), (6, 0, 0), (6, 4, 0), (6, 4, 4)]) == {
        "length": (18.0, "mm")
    }
    found = measured(info, "rectangle", [(2, 7, 5), (10, 3, 5)], axis=2)
    assert found["area"] == (12.0, "mm²")
    assert found["perimeter"] == (14.0, "mm")
    assert (found["width"], found["height"]) == ((4.0, "mm"), (3.0, "mm"))


def test_metres_and_milliseconds_are_never_summed():
    info = volume("seismic", (25.0, 12.5, 4.0), world_unit="m", affine=turned((25.0, 12.5, 4.0)))
    assert measured(info, "distance", [(10, 10, 10), (13, 18, 60)]) == {
        "horizontal": (125.0, "m"),
        "vertical": (200.0, "ms"),
    }
    up_and_down = [(0, 0, 10), (0, 4, 20), (0, 8, 10)]
    assert measured(info, "path", up_and_down) == {
        "horizontal": (100.0, "m"),
        "vertical": (80.0, "ms"),
    }
    found = measured(info, "rectangle", [(5, 0, 10), (5, 8, 35)], axis=0)
    assert found == {"area": (10_000.0, "m·ms"), "width": (100.0, "m"), "height": (100.0, "ms")}
    found = measured(info, "box", [(0, 0, 0), (4, 8, 25)])
    assert found["volume"] == (1_000_000.0, "m²·ms")
    assert measured(info, "polygon", [(0, 0, 9), (4, 0, 9), (4, 8, 9)], axis=2)["area"] == (
        5000.0,
        "m²",
    )


def test_depth_in_the_lines_unit_is_one_distance():
    info = volume("seismic", (20.0, 20.0, 1.0), world_unit="m", vertical=("m", -5.0))
    assert measured(info, "distance", [(0, 0, 0), (3, 4, 48)]) == {"distance": (260.0, "m")}


def test_skewed_grid():
    affine = np.eye(4)
    affine[:3, 1] = (0.5, math.sqrt(0.75), 0.0)  # 60 degrees to the first axis
    info = volume(affine=affine)
    assert measured(info, "distance", [(0, 0, 0), (3, 5, 0)]) == {"distance": (7.0, "mm")}
    assert measured(info, "angle", [(4, 0, 0), (0, 0, 0), (0, 9, 0)]) == {"angle": (60.0, "°")}
    area = measured(info, "polygon", [(0, 0, 0), (2, 0, 0), (2, 2, 0), (0, 2, 0)], axis=2)["area"]
    assert area == (2 * math.sqrt(3), "mm²")


@pytest.mark.parametrize("degrees", [0.001, 30.0, 90.0, 135.0, 179.999])
def test_angles(degrees):
    info = volume(spacing=(1.0, 1.0, 1.0))
    t = math.radians(degrees)
    end = (50 + 20 * math.cos(t), 50 + 20 * math.sin(t), 7)
    assert measured(info, "angle", [(70, 50, 7), (50, 50, 7), end]) == {"angle": (degrees, "°")}
    cobb = measured(info, "cobb", [(50, 50, 7), (70, 50, 7), (50, 50, 7), end])
    assert cobb == {"angle": (min(degrees, 180 - degrees), "°")}


def test_angle_uses_world_directions():
    info = volume(spacing=(1.0, 2.0, 1.0))
    found = measured(info, "angle", [(0, 5, 0), (0, 0, 0), (10, 5, 0)])
    assert found == {"angle": (45.0, "°")}


def test_no_angle_between_metres_and_milliseconds():
    info = volume("seismic", world_unit="m")
    with pytest.raises(AnnotationError, match="m and ms"):
        quantities_of(annotation("angle", [(0, 0, 0), (0, 5, 0), (0, 5, 9)]), info)
    flat = [(10, 0, 7), (0, 0, 7), (0, 10, 7)]
    assert measured(info, "angle", flat)["angle"] == (90.0, "°")


def test_line_without_length_has_no_angle():
    with pytest.raises(AnnotationError, match="direction"):
        quantities_of(annotation("angle", [(0, 5, 0), (0, 5, 0), (0, 5, 9)]), volume())


@pytest.mark.parametrize("n", [3, 4, 7, 360])
def test_regular_polygons(n):
    info = volume(spacing=(2.0, 2.0, 2.0))
    angles = np.arange(n) * 2 * np.pi / n
    points = [(9, 50 + 30 * math.cos(t), 50 + 30 * math.sin(t)) for t in angles]
    found = measured(info, "polygon", points, axis=0)
    assert found["area"] == (n / 2 * 60**2 * math.sin(2 * math.pi / n), "mm²")
    assert found["perimeter"] == (2 * n * 60 * math.sin(math.pi / n), "mm")


def test_ellipse_in_unequal_voxels_and_turned():
    corners = [(9, 10, 20), (9, 30, 40)]  # 20 x 0.75 = 15 mm and 20 x 3 = 60 mm
    for info in (volume(), volume(affine=turned((0.5, 0.75, 3.0)))):
        found = measured(info, "ellipse", corners, axis=0)
        assert found["area"] == (math.pi * 7.5 * 30, "mm²")
        t = np.linspace(0, 2 * np.pi, 20_001)[:-1]  # the trapezium rule is exact for these
        speed = np.hypot(7.5 * np.sin(t), 30 * np.cos(t))
        assert found["perimeter"] == (speed.mean() * 2 * math.pi, "mm")


def test_perimeters_of_a_circle_and_of_a_line():
    assert ellipse_perimeter(3.0, 3.0) == pytest.approx(6 * math.pi, rel=1e-15)
    assert ellipse_perimeter(3.0, 0.0) == 12.0
    # DLMF 19.2.8: E(1/sqrt 2) = 1.3506438810476755...
    assert ellipse_perimeter(1.0, math.sqrt(0.5)) == pytest.approx(
        4 * 1.3506438810476755, rel=1e-14
    )


def test_box():
    found = measured(volume(), "box", [(0, 0, 0), (20, 20, 10)])
    assert found["volume"] == (10 * 15 * 30.0, "mm³")
    assert [found[f"side {axis}"] for axis in range(3)] == [(10, "mm"), (15, "mm"), (30, "mm")]


CROSSING = [
    [(0, 0), (10, 10), (10, 0), (0, 10)],  # a bow tie
    [(0, 0), (10, 0), (10, 10), (5, 0), (0, 10)],  # a vertex on an edge
    [(0, 0), (10, 0), (5, 5), (10, 10), (0, 10), (5, 5)],  # through one point twice
]


@pytest.mark.parametrize("outline", CROSSING)
@pytest.mark.parametrize("kind", ["polygon", "freehand"])
def test_what_crosses_itself_has_no_area(outline, kind):
    item = annotation(kind, [(a, b, 3) for a, b in outline], axis=2, closed=kind == "freehand")
    with pytest.raises(AnnotationError, match="crosses itself"):
        quantities_of(item, volume())


def test_the_same_point_twice_is_no_crossing():
    points = [(0, 0, 3), (10, 0, 3), (10, 0, 3), (10, 10, 3), (0, 0, 3)]
    info = volume(spacing=(1.0, 1.0, 1.0))
    assert measured(info, "polygon", points, axis=2)["area"] == (50.0, "mm²")


def test_a_point_tells_numbers_and_world():
    info = volume("seismic", (25.0, 12.5, 4.0), world_unit="m", affine=turned((25.0, 12.5, 4.0), 0))
    found = measured(info, "point", (2, 4, 10))
    assert found["sample"] == (40.0, "ms")
    assert (found["x"], found["y"]) == ((512_050.0, "m"), (6_780_050.0, "m"))


def test_a_volume_without_units_counts_voxels():
    info = volume("generic", (1.0, 1.0, 1.0), world_unit="")
    assert measured(info, "line", [(0, 0, 0), (2, 3, 6)]) == {"distance": (7.0, "voxel")}


radii = st.lists(st.floats(1, 45), min_size=3, max_size=30)


@settings(max_examples=60, deadline=None)
@given(radii, st.floats(0, 6.3), st.floats(0.1, 10))
def test_star_shapes_have_the_area_of_their_triangles(radii, turn, scale):
    n = len(radii)
    angles = turn + np.arange(n) * 2 * np.pi / n
    points = [
        (50 + r * math.cos(t), 50 + r * math.sin(t), 3) for r, t in zip(radii, angles, strict=True)
    ]
    info = volume(spacing=(scale, scale, 1.0))
    triangles = sum(a * b for a, b in zip(radii, radii[1:] + radii[:1], strict=True))
    expected = abs(triangles * math.sin(2 * math.pi / n) / 2) * scale**2
    area = quantities_of(annotation("polygon", points, axis=2), info)[0].value
    assert area == pytest.approx(expected, rel=1e-9)
