"""Sections as a part of the state: what is refused, what moves them, what ends them."""

import math

import msgspec
import numpy as np
import pytest

from blustream_widget.core.linking import Guide
from blustream_widget.core.section_grid import filled, grid_of, section_info
from blustream_widget.core.sections import (
    Fence,
    Oblique,
    checked_section,
    normal_of,
    plane_across,
    through,
    turned,
)
from blustream_widget.core.slab import slab_of
from blustream_widget.core.state import ViewState
from blustream_widget.errors import StateError
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((100, 80, 50), kind="seismic")
PLANE = Oblique((50.0, 40.0, 25.0), (0.6, 0.8, 0.0), (0.0, 0.0, 1.0))
FENCE = Fence(((10.0, 10.0), (60.0, 70.0)))
MEDICAL = (-1.0, 0, 0, 0, 0, -1.0, 0, 0, 0, 0, 1.0, 0, 0, 0, 0, 1.0)


@pytest.mark.parametrize(
    ("section", "words"),
    [
        (Fence(()), ["no length", "two nodes"]),
        (Fence(((5.0, 5.0),)), ["no length", "two nodes"]),
        (Fence(((5.0, 5.0), (5.0, 5.0))), ["no length", "two nodes"]),
        (Fence(((5.0, 5.0), (5.0, math.nan))), ["nan", "numbers"]),
        (Fence(((5.0, 5.0), (100.0, 5.0))), ["outside", "inline", "0 to 99"]),
        (Fence(tuple((float(i % 90), float(i % 7)) for i in range(257))), ["257", "256"]),
        (Oblique((200.0, 0, 0), (0, 1, 0), (0, 0, 1)), ["outside"]),
        (Oblique((5.0, 0, math.inf), (0, 1, 0), (0, 0, 1)), ["origin", "inf"]),
        (Oblique((5.0, 0, 0), (0, 1, 0), (0, -2, 0)), ["parallel"]),
        (Oblique((5.0, 0, 0), (0, 0, 0), (0, 0, 1)), ["no length"]),
        ({"kind": "fence", "points": [[1, "x"]]}, ["section", "points"]),
        ({"kind": "sphere"}, ["sphere"]),
    ],
)
def test_a_section_that_cannot_be_is_refused_in_words(section, words):
    state = ViewState()
    with pytest.raises(StateError) as caught:
        state.with_patch({"section": section}, INFO)
    for word in words:
        assert word in str(caught.value)


def test_a_volume_of_one_sample_has_no_fence():
    with pytest.raises(StateError, match="no vertical axis"):
        checked_section(FENCE, volume_info((100, 80, 1)))


def test_a_fence_that_is_too_long_to_unroll_is_refused():
    info = volume_info((4000, 4000, 4))
    zigzag = Fence(tuple((3999.0 * (i % 2), float(i)) for i in range(200)))
    with pytest.raises(StateError, match="too long"):
        ViewState().with_patch({"section": zigzag}, info)


@pytest.mark.parametrize("section", [PLANE, FENCE])
def test_a_section_has_a_slab_on_both_sides(section):
    state = ViewState().with_patch({"section": section, "slab": 8, "slab_mode": "mean"}, INFO)
    assert slab_of(state, INFO) == (-3, 4, "mean")


def test_a_plane_goes_where_the_place_goes_and_a_fence_stays():
    at = {"slice_idx": (12, 13, 14)}
    plane = ViewState().with_patch({"section": PLANE}, INFO).with_patch(at, INFO).section
    assert plane == through(PLANE, (12, 13, 14))
    assert ViewState().with_patch({"section": FENCE}, INFO).with_patch(at, INFO).section == FENCE


def test_planes_of_linked_panes_go_where_the_place_of_one_goes():
    state = ViewState().with_patch({"layout": "orthogonal"}, INFO)
    panes = [msgspec.structs.asdict(pane) for pane in state.panes]
    panes[1]["section"] = PLANE
    state = state.with_patch({"panes": panes}, INFO)
    assert state.panes[1].section == PLANE
    assert state.panes[2].section is None
    moved = state.with_patch({"slice_idx": (12, 13, 14)}, INFO)
    assert moved.panes[1].section == through(PLANE, (12, 13, 14))


def test_another_axis_ends_a_section():
    state = ViewState().with_patch({"section": FENCE}, INFO)
    assert state.with_patch({"axis": 0}, INFO).section is None


def test_the_state_travels_with_its_sections():
    state = ViewState().with_patch({"layout": "compare", "section": PLANE}, INFO)
    assert state.section == PLANE
    assert state.panes[0].section == PLANE
    assert msgspec.json.decode(msgspec.json.encode(state), type=ViewState) == state


def test_turning_there_and_back_is_no_turn():
    plane = plane_across(INFO, 0, (50, 40, 25))
    there = turned(plane, (0, 0, 1), 37.5)
    assert normal_of(there) == pytest.approx(
        (math.cos(math.radians(37.5)), math.sin(math.radians(37.5)), 0)
    )
    assert turned(there, (0, 0, 1), -37.5) == plane


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    "info",
    [INFO, volume_info((40, 30, 20)), volume_info((40, 30, 20), kind="medical", affine=MEDICAL)],
    ids=["survey", "cubes", "patient"],
)
def test_a_plane_that_is_not_turned_lies_on_the_screen_like_the_slice(info, axis):
    state = ViewState(axis=axis, slice_idx=(7, 8, 9), zoom=2.5, pan=(0.4, 0.7))
    plane = plane_across(info, axis, (7, 8, 9))
    slice_view = plan_slice(state, info)
    view = plan_slice(state.with_patch({"section": plane}, info), info)
    assert view.section is not None
    for x, y in ((0.0, 0.0), (960.0, 540.0), (333.3, 77.7)):
        column, row = slice_view.placement.to_voxel(x, y)
        there = [7.0, 8.0, 9.0]
        there[slice_view.placement.plane.column_axis] = column
        there[slice_view.placement.plane.row_axis] = row
        assert view.section.grid.voxel(*view.placement.to_voxel(x, y)) == pytest.approx(there)
    assert view.lod == slice_view.lod


def test_a_plane_stays_where_it_is_on_the_screen_while_it_moves_along_its_normal():
    info = volume_info((40, 30, 20))
    plane = turned(turned(plane_across(info, 0, (20, 15, 10)), (0, 0, 1), 30), (0, 1, 0), 20)
    one, other = (grid_of(through(plane, at), info) for at in ((20, 15, 10), (12, 15, 10)))
    assert (one.n_columns, one.n_rows) == (other.n_columns, other.n_rows)
    apart = np.subtract(one.voxel(3, 4), other.voxel(3, 4))
    assert abs(normal_of(plane) @ apart) == pytest.approx(np.linalg.norm(apart))


def test_nothing_is_read_where_a_plane_has_left_the_volume():
    info = volume_info((40, 30, 20))
    plane = turned(turned(plane_across(info, 0, (20, 15, 10)), (0, 0, 1), 40), (0, 1, 0), 50)
    grid = grid_of(plane, info)
    c0, c1, r0, r1 = filled(grid, info)
    inside = [
        (c, r)
        for c in range(grid.n_columns)
        for r in range(grid.n_rows)
        if all(-0.5 <= v <= n - 0.5 for v, n in zip(grid.voxel(c, r), info.shape, strict=True))
    ]
    for rotation in (0, 90):
        view = plan_slice(ViewState(section=plane, rotation=rotation), info)
        assert view.region == (c0, c1, r0, r1)
    columns, rows = zip(*inside, strict=True)
    assert (c0, r0) <= (min(columns), min(rows))
    assert c1 > max(columns)
    assert r1 > max(rows)
    assert (c1 - c0) * (r1 - r0) < grid.n_columns * grid.n_rows


def test_a_section_is_a_volume_one_voxel_thick():
    info = section_info(INFO, FENCE)
    assert info.kind == "seismic"
    assert info.axes[2] == INFO.axes[2]
    assert info.axes[1].spacing * (info.axes[1].n - 1) == pytest.approx(math.hypot(50, 60))
    tilted = turned(plane_across(INFO, 0, (50, 40, 25)), (0, 1, 0), 30)
    assert section_info(INFO, tilted).kind == "generic"


def test_the_head_is_above_on_a_fence_through_a_patient():
    info = volume_info((40, 30, 20), kind="medical", affine=MEDICAL)
    grid = grid_of(Fence(((5.0, 5.0), (30.0, 20.0))), info)
    assert grid.voxel(0, 0)[2] == 19


def test_a_section_is_not_shown_as_large_by_a_linked_view():
    guide = Guide(INFO, INFO, {"plane", "slice", "camera"})
    before = ViewState(section=FENCE)
    now = before.with_patch({"zoom": 3.0, "slice_idx": (1, 2, 3)}, INFO)
    assert guide.patch(before, now, ViewState()) == {"slice_idx": (1, 2, 3)}
