"""Orientation, fit, zoom and pan, checked against what a reader of sections and scans expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from blustream_widget.core.geometry import anatomical_axes, place_slice, plane_of, turned_pan
from blustream_widget.core.types import Axis, Channel, VolumeInfo

TABLE = Path(__file__).resolve().parents[3] / "js" / "tests" / "fixtures" / "contract.json"
CASES: list[dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["geometry"]

RAS = (1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1)
LPS = (-1.0, 0, 0, 0, 0, -1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1)


def volume(
    kind="generic", *, shape=(10, 20, 30), spacing=(1.0, 1.0, 1.0), affine=None
) -> VolumeInfo:
    axes = tuple(Axis(f"axis {a}", "", shape[a], 0.0, 1.0, spacing[a]) for a in range(3))
    channel = Channel("value", "", "float32", 0.0, 1.0)
    return VolumeInfo(name="v", kind=kind, axes=axes, channels=(channel,), affine=affine)


def place(info: VolumeInfo, normal: int, **view: Any):
    whole = {"zoom": 1.0, "pan": (0.5, 0.5), "stretch": 1.0, "width_px": 400, "height_px": 200}
    return place_slice(info, normal, **(whole | view))


@pytest.mark.parametrize(("normal", "axes"), [(0, (1, 2)), (1, (0, 2)), (2, (1, 0))])
def test_seismic_sections_have_lines_across_and_samples_down(normal, axes) -> None:
    plane = plane_of(volume("seismic"), normal)
    assert (plane.column_axis, plane.row_axis) == axes
    assert not plane.flip_x
    assert not plane.flip_y
    assert plane.letters == ("", "", "", "")


def test_seismic_section_fills_the_pane() -> None:
    where = place(volume("seismic"), 0)
    assert (where.x0_px, where.y0_px, where.width_px, where.height_px) == (0, 0, 400, 200)


def test_time_slice_keeps_its_shape() -> None:
    where = place(volume("seismic", spacing=(2.0, 1.0, 1.0)), 2)
    assert where.width_px == where.height_px == 200
    assert where.x0_px == 100


def test_axial_ras_slice_has_the_right_hand_on_the_left_and_the_nose_on_top() -> None:
    where = place(volume("medical", affine=RAS), 2)
    assert where.plane.letters == ("R", "L", "A", "P")
    right, left = where.to_pixel(9, 0)[0], where.to_pixel(0, 0)[0]
    assert right < left
    front, back = where.to_pixel(0, 19)[1], where.to_pixel(0, 0)[1]
    assert front < back


def test_axial_lps_slice_is_stored_as_it_is_shown() -> None:
    plane = plane_of(volume("medical", affine=LPS), 2)
    assert not plane.flip_x
    assert not plane.flip_y


@pytest.mark.parametrize(("normal", "letters"), [(0, "APSI"), (1, "RLSI"), (2, "RLAP")])
def test_letters_of_the_three_anatomical_planes(normal, letters) -> None:
    assert plane_of(volume("medical", affine=RAS), normal).letters == tuple(letters)


def test_unknown_orientation_has_no_letters() -> None:
    assert plane_of(volume("medical"), 2).letters == ("", "", "", "")


def test_each_world_axis_is_used_once_when_two_columns_are_close() -> None:
    oblique = (0.8, 0.7, 0.1, 0, 0.5, 0.7, 0.1, 0, 0.1, 0.1, 1.0, 0, 0, 0, 0, 1)
    assert sorted(world for world, _ in anatomical_axes(oblique)) == [0, 1, 2]


def test_pan_point_lies_in_the_middle_of_the_pane_at_any_zoom() -> None:
    for zoom in (1.0, 7.0):
        where = place(volume(), 0, zoom=zoom, pan=(0.25, 0.75))
        column, row = where.to_voxel(200, 100)
        assert (column + 0.5) / where.n_columns == pytest.approx(0.25)
        assert (row + 0.5) / where.n_rows == pytest.approx(0.75)


def test_stretch_changes_the_vertical_alone() -> None:
    once, twice = place(volume(), 0), place(volume(), 0, stretch=2.0)
    assert twice.width_px == once.width_px
    assert twice.height_px == 2 * once.height_px


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_pixel_and_voxel_are_inverse_and_as_in_the_shared_table(case) -> None:
    info = msgspec.convert(case["info"], VolumeInfo)
    where = place_slice(info, case["normal"], **case["view"])
    assert where.to_pixel(10, 20.25) == pytest.approx(case["pixel"])
    assert where.to_voxel(*case["pixel"]) == pytest.approx((10, 20.25))


@pytest.mark.parametrize("name", ["survey east", "survey north", "survey turned"])
def test_north_is_up_and_east_is_right_on_a_map(name: str) -> None:
    case = next(c for c in CASES if c["name"] == f"{name}, axis 2, zoom 2.0")
    info = msgspec.convert(case["info"], VolumeInfo)
    assert info.affine is not None
    where = place_slice(info, 2, **case["view"])
    plane = where.plane

    def map_xy(x_px: float, y_px: float) -> tuple[float, float]:
        index = [0.0, 0.0]
        index[plane.column_axis], index[plane.row_axis] = where.to_voxel(x_px, y_px)
        m = info.affine
        return m[0] * index[0] + m[1] * index[1], m[4] * index[0] + m[5] * index[1]

    east, north = map_xy(320, 240)
    assert map_xy(420, 240)[0] > east
    assert map_xy(320, 140)[1] > north


def test_sections_and_other_volumes_have_no_north() -> None:
    for kind, normal in (("seismic", 0), ("seismic", 2), ("generic", 2), ("medical", 2)):
        info = volume(kind)
        assert plane_of(info, normal, north_up=True) == plane_of(info, normal)


def test_a_turn_to_the_right_brings_the_top_to_the_right() -> None:
    info = volume("medical", affine=RAS)
    assert plane_of(info, 2).letters == ("R", "L", "A", "P")
    assert plane_of(info, 2, rotation=90).letters == ("P", "A", "R", "L")
    # Rotation first, then the mirror: as it is seen, left and right change places.
    assert plane_of(info, 2, rotation=90, flip_x=True).letters == ("A", "P", "R", "L")
    assert plane_of(info, 2, flip_y=True).letters == ("R", "L", "P", "A")
    half = plane_of(info, 2, rotation=180)
    assert half == plane_of(info, 2, flip_x=True, flip_y=True)


def test_a_slice_on_its_side_fits_the_pane_and_takes_its_stretch_along() -> None:
    info = volume(shape=(10, 20, 40))
    upright, lying = place(info, 0, stretch=2.0), place(info, 0, stretch=2.0, rotation=90)
    assert (upright.width_px, upright.height_px) == (100, 400)
    assert (lying.width_px, lying.height_px) == (800, 200)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flips", [(False, False), (True, False), (False, True), (True, True)])
def test_the_point_in_the_middle_stays_there_when_the_slice_is_turned(rotation, flips) -> None:
    info, before = volume(), (90, True, False)
    after = (rotation, *flips)
    pan = turned_pan((0.2, 0.7), before, after)
    voxels = []
    for (degrees, flip_x, flip_y), at in ((before, (0.2, 0.7)), (after, pan)):
        where = place(info, 0, pan=at, zoom=3.0, rotation=degrees, flip_x=flip_x, flip_y=flip_y)
        column, row = where.to_voxel(200, 100)
        voxels.append({where.plane.column_axis: column, where.plane.row_axis: row})
    assert voxels[0] == pytest.approx(voxels[1])
