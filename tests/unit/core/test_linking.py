"""How one view follows another: the same place and scale, whatever the grid."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.geometry import place_slice
from blustream_widget.core.linking import Guide, grid_map
from blustream_widget.core.measures import world_of
from blustream_widget.core.state import ViewState, first_state
from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.errors import StateError

EVERYTHING = ("plane", "slice", "camera", "window", "colormap", "cursor")
# The same body: 2 mm voxels from -90, -126, -72; and 1 x 1.5 x 3 mm voxels that begin elsewhere,
# the first two axes exchanged and the third one upside down.
COARSE = (2, 0, 0, -90, 0, 2, 0, -126, 0, 0, 2, -72, 0, 0, 0, 1)
OTHER = (0, 1, 0, -80, 1.5, 0, 0, -100, 0, 0, -3, 60, 0, 0, 0, 1)


def volume(
    shape=(91, 109, 91), *, kind="medical", affine=None, unit="mm", vertical="", numbers=None
) -> VolumeInfo:
    numbers = numbers or [(0, 1)] * 3
    spacing = (
        (1.0, 1.0, 1.0) if affine is None else np.linalg.norm(np.reshape(affine, (4, 4)), axis=0)
    )
    axes = tuple(
        Axis(f"axis {a}", vertical if a == 2 else "", n, *numbers[a], float(spacing[a]))
        for a, n in enumerate(shape)
    )
    channel = Channel("value", "", "float32", -1.0, 1.0)
    return VolumeInfo("v", kind, axes, (channel,), world_unit=unit, affine=affine)


def view(info: VolumeInfo, **patch) -> ViewState:
    return first_state(info).with_patch({"width_px": 640, "height_px": 480} | patch, info)


A, B = volume(affine=COARSE), volume((160, 130, 50), affine=OTHER)


def follow(leader, follower, before, now, state, what=EVERYTHING) -> ViewState:
    return state.with_patch(Guide(leader, follower, what).patch(before, now, state), follower)


def middle(info: VolumeInfo, state: ViewState) -> tuple[float, float, float]:
    """World coordinates of what lies in the middle of the picture."""
    placed = placement(info, state)
    voxel = [float(v) for v in state.slice_idx]
    column, row = placed.to_voxel(state.width_px / 2, state.height_px / 2)
    voxel[placed.plane.column_axis], voxel[placed.plane.row_axis] = column, row
    return world_of(voxel, info)


def placement(info: VolumeInfo, state: ViewState):
    return place_slice(
        info,
        state.axis,
        zoom=state.zoom,
        pan=state.pan,
        stretch=state.stretch,
        width_px=state.width_px,
        height_px=state.height_px,
        rotation=state.rotation,
        flip_x=state.flip_x,
        flip_y=state.flip_y,
    )


def mm_per_pixel(info: VolumeInfo, state: ViewState) -> tuple[float, float]:
    """Along the screen's x and y, from the world places of pixels that lie apart."""
    placed = placement(info, state)
    places = []
    for x, y in ((0, 0), (100, 0), (0, 100)):
        voxel = [float(v) for v in state.slice_idx]
        voxel[placed.plane.column_axis], voxel[placed.plane.row_axis] = placed.to_voxel(x, y)
        places.append(np.array(world_of(voxel, info)))
    return tuple(float(np.linalg.norm(p - places[0])) / 100 for p in places[1:])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("turn", [{}, {"rotation": 90}, {"rotation": 270, "flip_x": True}])
@pytest.mark.parametrize("lies", [{}, {"rotation": 90, "flip_y": True}, {"rotation": 180}])
def test_volumes_of_other_spacing_and_orientation_meet_at_the_same_place(axis, turn, lies):
    moved = {"slice_idx": (40, 55, 30), "zoom": 2.5, "pan": (0.4, 0.55), "stretch": 1.3}
    now = view(A, axis=axis, **moved, **lies)
    led = follow(A, B, None, now, view(B, **turn))
    # Half a voxel of the other is as near as a slice can come.
    apart = np.abs(np.subtract(world_of(now.slice_idx, A), world_of(led.slice_idx, B)))
    assert (apart <= np.array([0.5, 0.75, 1.5]) + 1e-9).all()
    across = {0: 0, 1: 1, 2: 2}[axis]  # world axis across which the slices are
    here, there = np.array(middle(A, now)), np.array(middle(B, led))
    in_plane = [w for w in range(3) if w != across]
    assert np.allclose(here[in_plane], there[in_plane], atol=1e-6)
    wanted, scale = mm_per_pixel(A, now), mm_per_pixel(B, led)
    if (
        turn.get("rotation", 0) % 180 != lies.get("rotation", 0) % 180
    ):  # on its side another size fits the pane: the shape is the same
        assert wanted[0] / wanted[1] == pytest.approx(scale[1] / scale[0])
    else:
        assert wanted == pytest.approx(scale)
    assert led.axis == (1, 0, 2)[axis]


def test_following_back_changes_nothing():
    now = view(A, slice_idx=(40, 54, 30), zoom=2.0, pan=(0.4, 0.5))
    there = follow(A, B, None, now, view(B))
    back = follow(B, A, None, there, now)
    names = ("axis", "zoom", "pan", "stretch", "window")
    for name in names:
        assert getattr(back, name) == pytest.approx(getattr(now, name))


def test_only_what_changed_is_taken_over():
    before = view(A, slice_idx=(40, 54, 30))
    guide = Guide(A, B, EVERYTHING)
    other = view(B, slice_idx=(7, 8, 9))
    patch = guide.patch(before, before.with_patch({"window": 3.0}, A), other)
    assert patch == {"window": 3.0}
    moved = before.with_patch({"slice_idx": (40, 54, 33)}, A)
    # Along the third axis to -6 mm; along the other two it stays as it was set.
    assert guide.patch(before, moved, other) == {"slice_idx": (7, 8, 22)}
    assert Guide(A, B, ("window",)).patch(before, moved, other) == {}


def test_a_place_outside_becomes_the_nearest_there_is():
    small = volume((10, 10, 10), affine=COARSE)
    led = follow(A, small, None, view(A, slice_idx=(90, 50, 3), pan=(1.0, 0.0)), view(small))
    assert led.slice_idx == (9, 9, 3)
    assert -1.0 <= led.pan[0] <= 2.0


def test_what_fits_one_pane_fits_the_other_though_their_sizes_differ():
    now = view(A, zoom=1.0)
    led = follow(A, A, None, now, view(A, width_px=300, height_px=700, zoom=4.0))
    assert led.zoom == pytest.approx(1.0)


def test_a_pane_that_shows_the_plane_comes_into_use():
    several = view(B).with_patch({"layout": "orthogonal"}, B)
    now = view(A, axis=1, zoom=3.0)
    led = follow(A, B, view(A, axis=2), now, several)
    assert led.axis == 0
    assert led.panes[led.active].axis == 0
    assert [pane.axis for pane in led.panes] == [pane.axis for pane in several.panes]
    assert led.zoom > 1.5
    assert led.panes[several.active].zoom == several.zoom


def test_without_the_plane_the_camera_follows_only_on_the_same_one():
    guide = Guide(A, A, ("slice", "camera"))
    before, now = view(A, axis=2), view(A, axis=2, zoom=3.0)
    assert guide.patch(before, now, view(A, axis=0)) == {}
    assert guide.patch(before, now, view(A, axis=2))["zoom"] == pytest.approx(3.0)


def test_sections_of_surveys_meet_at_line_numbers_and_times():
    full = volume(
        (100, 80, 500), kind="seismic", vertical="ms", numbers=[(1000, 1), (2000, 2), (0, 4)]
    )
    part = volume(
        (20, 40, 100), kind="seismic", vertical="ms", numbers=[(1040, 2), (2020, 2), (400, 2)]
    )
    now = view(full, axis=0, slice_idx=(50, 30, 120), zoom=2.0, stretch=1.5, pan=(0.375, 0.25))
    led = follow(full, part, None, now, view(part))
    assert led.slice_idx == (5, 20, 40)  # inline 1050, crossline 2060, 480 ms
    for name in ("column", "row"):
        voxels_full, voxels_part = (
            getattr(placement(i, s), f"{size}_px") / getattr(placement(i, s), f"n_{name}s")
            for (i, s) in ((full, now), (part, led))
            for size in (("width",) if name == "column" else ("height",))
        )
        per_voxel = 1.0 if name == "column" else 2.0  # samples of 4 ms and of 2 ms
        assert voxels_full == pytest.approx(voxels_part * per_voxel)


def test_a_survey_in_depth_does_not_meet_one_in_time():
    in_time = volume((10, 10, 10), kind="seismic", vertical="ms", unit="m")
    in_depth = volume((10, 10, 12), kind="seismic", vertical="m", unit="m")
    with pytest.raises(StateError, match="no coordinates in common") as caught:
        Guide(in_time, in_depth, ("slice",))
    assert "window" in caught.value.hint
    Guide(in_time, in_depth, ("window", "colormap"))


def test_volumes_without_coordinates_meet_by_index_if_their_shapes_are_equal():
    a, b = volume((5, 6, 7), kind="generic"), volume((5, 6, 7), affine=COARSE)
    assert grid_map(a, b).at((1, 2, 3)) == (1, 2, 3)
    with pytest.raises(StateError, match="differ"):
        grid_map(a, volume((5, 6, 8), kind="generic"))


def test_coordinates_in_other_units_are_not_taken_for_each_other():
    metres = msgspec.structs.replace(B, world_unit="m")
    with pytest.raises(StateError):
        grid_map(A, metres)
