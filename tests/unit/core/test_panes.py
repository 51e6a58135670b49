"""Several panes: the view's fields are the active pane's, all others keep what they show."""

from __future__ import annotations

import pytest

from blustream_widget.core.frame_header import HEADER_BYTES, FrameHeader, PaneHeader
from blustream_widget.core.layouts import LAYOUTS, cells_of, pack
from blustream_widget.core.panes import picture_size, view_of, views_of
from blustream_widget.core.state import ViewState, first_state
from blustream_widget.errors import ProtocolError, StateError
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((100, 80, 60), kind="seismic")
SIZES = ((600, 800), (300, 400), (300, 398))


def laid_out(layout: str, **fields) -> ViewState:
    return first_state(INFO).with_patch(fields, INFO).with_patch({"layout": layout}, INFO)


def axes_of(state: ViewState) -> list[int]:
    return [view.axis for _, view in views_of(state)]


@pytest.mark.parametrize("layout", [*LAYOUTS, "2x3"])
def test_every_layout_has_the_panes_that_its_cells_hold(layout) -> None:
    state = laid_out(layout)
    assert len(views_of(state)) == cells_of(layout).panes
    assert (state.panes == ()) == (layout == "single")


def test_orthogonal_shows_each_plane_and_keeps_what_was_in_view() -> None:
    state = laid_out("orthogonal", axis=1, zoom=3.0, slice_idx=(7, 8, 9))
    assert axes_of(state) == [0, 1, 2]
    assert (state.active, state.axis, state.zoom) == (1, 1, 3.0)
    assert [view.slice_idx[view.axis] for _, view in views_of(state)] == [7, 8, 9]
    assert [view.zoom for _, view in views_of(state)] == [1.0, 3.0, 1.0]


def test_medical_volumes_open_with_the_axial_plane_first() -> None:
    info = volume_info((10, 10, 10), kind="medical")
    state = first_state(info).with_patch({"layout": "quad"}, info)
    assert (axes_of(state), state.active) == ([2, 1, 0], 0)


def test_fields_of_the_view_change_the_active_pane_alone() -> None:
    state = laid_out("orthogonal").with_patch({"zoom": 2.0, "pan": (0.1, 0.2)}, INFO)
    assert [pane.zoom for pane in state.panes] == [2.0, 1.0, 1.0]
    state = state.with_patch({"active": 2}, INFO)
    assert (state.axis, state.zoom, state.pan) == (2, 1.0, (0.5, 0.5))
    state = state.with_patch({"zoom": 5.0}, INFO).with_patch({"active": 0}, INFO)
    assert [pane.zoom for pane in state.panes] == [2.0, 1.0, 5.0]
    assert (state.zoom, state.pan) == (2.0, (0.1, 0.2))


def test_linked_panes_share_the_place_and_the_colours() -> None:
    state = laid_out("orthogonal").with_patch({"slice_idx": (1, 2, 3), "window": 9.0}, INFO)
    assert [view.slice_idx[view.axis] for _, view in views_of(state)] == [1, 2, 3]
    assert {view.window for _, view in views_of(state)} == {9.0}


def test_panes_to_compare_have_their_own_place_and_colours() -> None:
    state = laid_out("compare", slice_idx=(5, 0, 0))
    state = state.with_patch({"active": 1, "slice_idx": 40, "colormap": "viridis"}, INFO)
    assert [view.slice_idx[0] for _, view in views_of(state)] == [5, 40]
    assert [view.colormap for _, view in views_of(state)] == ["grey", "viridis"]
    linked = state.with_patch({"linked": True}, INFO)
    assert [view.slice_idx[0] for _, view in views_of(linked)] == [40, 40]


def test_a_grid_spreads_its_panes_over_the_volume() -> None:
    state = laid_out("2x2")
    assert [view.slice_idx[0] for _, view in views_of(state)] == [12, 37, 62, 87]


def test_a_pane_in_the_list_is_changed_without_becoming_the_active_one() -> None:
    state = laid_out("orthogonal")
    panes = [{"axis": 0}, {"axis": 1, "zoom": 4.0}, {"axis": 2, "slice_idx": (0, 0, 9)}]
    state = state.with_patch({"linked": False}, INFO).with_patch({"panes": panes}, INFO)
    assert (state.active, state.zoom) == (0, 1.0)
    assert [view.zoom for _, view in views_of(state)] == [1.0, 4.0, 1.0]
    assert view_of(state, 2).slice_idx == (0, 0, 9)


def test_fields_of_one_pane_leave_what_the_others_show() -> None:
    state = laid_out("compare")
    other = state.with_patch({"panes": {"1": {"zoom": 4.0, "slice_idx": 3}}}, INFO)
    assert (other.active, other.zoom, other.slice_idx) == (0, state.zoom, state.slice_idx)
    assert (other.panes[1].zoom, other.panes[1].slice_idx) == (4.0, (3, 40, 30))
    assert other.panes[0] == state.panes[0]
    active = state.with_patch({"panes": {"0": {"zoom": 2.0}}}, INFO)
    assert (active.zoom, active.panes[0].zoom, active.panes[1].zoom) == (2.0, 2.0, 1.0)
    both = {"panes": {"0": {"axis": 1}, "1": {"axis": 2, "slice_idx": 59}}}
    assert axes_of(state.with_patch(both, INFO)) == [1, 2]


def test_what_linked_panes_share_is_shared_from_any_of_them() -> None:
    state = laid_out("orthogonal", slice_idx=(7, 8, 9))
    state = state.with_patch({"panes": {"1": {"slice_idx": 20, "zoom": 2.0, "window": 5.0}}}, INFO)
    assert {pane.slice_idx for pane in state.panes} == {state.slice_idx} == {(7, 20, 9)}
    assert {pane.window for pane in state.panes} == {state.window} == {5.0}
    assert [pane.zoom for pane in state.panes] == [1.0, 2.0, 1.0]


def test_another_active_pane_is_the_same_picture() -> None:
    state = laid_out("orthogonal")
    assert state.with_patch({"active": 1}, INFO).looks_like(state)
    assert not state.with_patch({"active": 1, "zoom": 2.0}, INFO).looks_like(state)


def test_a_crosshair_that_moves_along_one_axis_changes_one_pane() -> None:
    state = laid_out("orthogonal")
    moved = state.with_patch({"slice_idx": (state.slice_idx[0], 3, state.slice_idx[2])}, INFO)
    same = [
        a.looks_like(b) for (_, a), (_, b) in zip(views_of(state), views_of(moved), strict=True)
    ]
    assert same == [True, False, True]


def test_maximised_shows_the_active_pane_alone_and_keeps_the_others() -> None:
    state = laid_out("orthogonal").with_patch({"active": 1, "maximised": True}, INFO)
    assert [index for index, _ in views_of(state)] == [1]
    back = state.with_patch({"maximised": False}, INFO)
    assert [index for index, _ in views_of(back)] == [0, 1, 2]


def test_a_pane_without_a_place_on_the_page_is_not_drawn() -> None:
    state = laid_out("orthogonal").with_patch({"pane_sizes": [(64, 64), (0, 0), (32, 32)]}, INFO)
    assert [index for index, _ in views_of(state)] == [0, 2]
    assert (state.width_px, state.height_px) == (64, 64)


def test_going_back_to_one_pane_leaves_what_was_in_use() -> None:
    state = laid_out("quad").with_patch({"active": 2, "zoom": 3.0}, INFO)
    single = state.with_patch({"layout": "single"}, INFO)
    assert (single.panes, single.pane_sizes, single.active) == ((), (), 0)
    assert (single.axis, single.zoom) == (2, 3.0)


@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ({"layout": "mosaic"}, "mosaic"),
        ({"layout": "5x1"}, "5x1"),
        ({"layout": "4x4"}, "4x4"),
        ({"layout": 3}, "layout"),
        ({"active": 3}, "pane 3"),
        ({"active": -1}, "active"),
        ({"panes": [{"axis": 0}]}, "panes"),
        ({"panes": [{"axis": 0}, {"axis": 7}, {"axis": 2}]}, "axis"),
        ({"panes": [{"colour": 0}] * 3}, "colour"),
        ({"panes": [{"axis": 0, "slice_idx": (999, 0, 0)}] * 3}, "slice_idx"),
        ({"panes": {"3": {"zoom": 2.0}}}, "no pane 3"),
        ({"panes": {"9": {"zoom": 2.0}}}, "no pane '9'"),
        ({"panes": {1: {"zoom": 2.0}}}, "no pane 1"),
        ({"panes": {"1": {"active": 2}}}, "Pane 1 is"),
        ({"panes": {"1": 2.0}}, "Pane 1 is"),
        ({"panes": {"1": {"slice_idx": 80}}}, "0 to 79"),
        ({"pane_sizes": [(64, 64)] * 2}, "pane_sizes"),
        ({"pane_sizes": [(64, 0)] * 3}, "pane_sizes"),
        ({"pane_sizes": [(4096, 4096)] * 3}, "too large"),
        ({"columns": [0.5]}, "columns"),
        ({"rows": [0.5, float("nan")]}, "rows"),
        ({"linked": 1}, "linked"),
    ],
)
def test_what_panes_cannot_have_is_refused_by_name_and_changes_nothing(patch, named) -> None:
    state = laid_out("orthogonal")
    with pytest.raises(StateError, match=named):
        state.with_patch(patch, INFO)


def test_packed_panes_begin_at_whole_blocks_and_do_not_overlap() -> None:
    packing = pack(SIZES)
    covered = set()
    for rect, (width, height) in zip(packing.rects, SIZES, strict=True):
        assert (rect.x % 16, rect.y % 16) == (0, 0)
        assert (rect.width, rect.height) == (width, height)
        assert rect.x + width <= packing.width
        assert rect.y + height <= packing.height
        cells = {
            (x, y)
            for x in range(rect.x // 2, (rect.x + width) // 2)
            for y in range(rect.y // 2, (rect.y + height) // 2)
        }
        assert not covered & cells
        covered |= cells
    assert packing.width * packing.height < 1.4 * sum(w * h for w, h in SIZES)


def test_one_pane_alone_is_the_picture() -> None:
    state = first_state(INFO)
    assert picture_size(state) == (state.width_px, state.height_px)
    assert views_of(state) == ((0, state),)


def test_a_frame_of_several_panes_says_what_each_shows() -> None:
    pane = PaneHeader(*range(11), *(0.5,) * 6, 1, 0, 1, 9)
    header = FrameHeader(*range(10), *(0.5,) * 6, 1, 0, 1, 9, 2, (pane, pane))
    data = header.pack()
    assert len(data) == header.n_bytes > HEADER_BYTES
    assert FrameHeader.unpack(data + b"picture") == header
    with pytest.raises(ProtocolError, match="panes"):
        FrameHeader.unpack(data[:-1])


def test_a_pane_that_went_with_its_layout_is_refused_by_name() -> None:
    alone = (
        laid_out("compare").with_patch({"active": 1}, INFO).with_patch({"layout": "single"}, INFO)
    )
    with pytest.raises(StateError, match="no pane 0 in the layout 'single'"):
        alone.with_patch({"panes": {"0": {"zoom": 2.0}}}, INFO)
