"""What is read for a view."""

from __future__ import annotations

import msgspec
import pytest

from blustream_widget.core.state import ViewState
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((2048, 2048, 2048), n_lods=6)


def state(**fields) -> ViewState:
    return msgspec.structs.replace(
        ViewState(width_px=512, height_px=512, slice_idx=(7, 8, 9)), **fields
    )


@pytest.mark.parametrize(("zoom", "lod"), [(0.5, 3), (1, 2), (1.9, 1), (2, 1), (4, 0), (64, 0)])
def test_voxels_are_not_larger_than_a_pixel(zoom, lod) -> None:
    assert plan_slice(state(zoom=zoom), INFO).lod == lod


def test_in_motion_a_voxel_may_be_a_little_larger() -> None:
    assert plan_slice(state(zoom=1.4), INFO, in_motion=True).lod == 2
    assert plan_slice(state(zoom=2.6), INFO, in_motion=True).lod == 1
    assert plan_slice(state(zoom=2.6), INFO).lod == 0


def test_lod_is_one_that_the_volume_has() -> None:
    assert plan_slice(state(zoom=0.1), volume_info((2048,) * 3, n_lods=2)).lod == 1


def test_whole_slice_is_read_at_zoom_1() -> None:
    assert plan_slice(state(), INFO).region == (0, 2048, 0, 2048)


def test_only_what_the_pane_shows_is_read_when_zoomed_in() -> None:
    a0, a1, b0, b1 = plan_slice(state(zoom=16, pan=(0.25, 0.75)), INFO).region
    # Axis 0: columns are axis 1 (a), rows axis 2 (b); 128 voxels are shown around the point.
    assert a0 == pytest.approx(512 - 64, abs=4)
    assert a1 == pytest.approx(512 + 64, abs=4)
    assert b0 == pytest.approx(1536 - 64, abs=4)
    assert b1 == pytest.approx(1536 + 64, abs=4)


def test_slice_and_axis_are_those_of_the_state() -> None:
    view = plan_slice(state(axis=2), INFO)
    assert (view.axis, view.slice_idx) == (2, 9)


@pytest.mark.parametrize("pan", [(-1.0, -1.0), (2.0, 2.0)])
def test_a_slice_outside_the_pane_still_reads_something_valid(pan) -> None:
    a0, a1, b0, b1 = plan_slice(state(zoom=8, pan=pan), INFO).region
    assert 0 <= a0 < a1 <= 2048
    assert 0 <= b0 < b1 <= 2048


@pytest.mark.parametrize(("pane", "lod"), [((1280, 720), 1), ((1000, 562), 1), ((320, 180), 2)])
def test_in_motion_many_voxels_may_have_the_size_of_a_small_volumes(pane, lod) -> None:
    info = volume_info((4, 1600, 900), kind="seismic", n_lods=6)
    view = plan_slice(state(width_px=pane[0], height_px=pane[1]), info, in_motion=True)
    assert view.lod == lod


def test_in_motion_a_huge_section_asks_for_no_more_than_a_small_one() -> None:
    pane = state(width_px=1280, height_px=720)
    for n in (512, 2048, 8192, 1 << 17):
        info = volume_info((4, n, n), kind="seismic", n_lods=12)
        view = plan_slice(pane, info, in_motion=True)
        assert n >> view.lod == 512


def test_in_motion_few_voxels_keep_their_detail_in_a_small_pane() -> None:
    info = volume_info((4, 512, 512), kind="seismic", n_lods=6)
    small = state(width_px=496, height_px=496)  # 0.97 pixels a voxel
    assert plan_slice(small, info, in_motion=True).lod == 0


def test_at_rest_many_voxels_are_drawn_all_the_same() -> None:
    info = volume_info((4, 1600, 900), kind="seismic", n_lods=6)
    assert plan_slice(state(width_px=1280, height_px=720), info).lod == 0


def test_a_slab_at_rest_is_of_every_voxel_and_in_motion_of_as_many_as_are_quick() -> None:
    at_rest = plan_slice(state(slab=9, slab_mode="min"), INFO)
    assert at_rest.slab == (3, 11, "min")
    assert (at_rest.lod, at_rest.slab_lod) == (2, 0)
    thin = plan_slice(state(slab=9), INFO, in_motion=True)
    assert (thin.lod, thin.slab_lod) == (2, 2)
    thick = plan_slice(state(slab=512, slice_idx=(1000, 8, 9)), INFO, in_motion=True)
    assert (thick.lod, thick.slab_lod) == (4, 4)
    assert plan_slice(state(), INFO).slab is None
