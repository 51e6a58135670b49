"""ViewState changes in one place, wholly or not at all."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blustream_widget.core.colormaps import COLORMAPS
from blustream_widget.core.slab import slab_of
from blustream_widget.core.state import (
    ViewState,
    auto_window,
    channel_view,
    check_fields,
    first_state,
)
from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.errors import StateError

AMPLITUDE = Channel(
    name="Amplitude",
    unit="",
    dtype="float32",
    value_min=-9.0,
    value_max=7.0,
    percentiles=(-6.0, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6.5),
    abs_percentiles=(3.0, 4.0, 5.0, 5.5, 6.0, 9.0),
)
LABELS = Channel(name="Salt", unit="", dtype="uint8", value_min=0, value_max=3, is_label=True)


def survey(
    kind: str = "seismic", channels: tuple[Channel, ...] = (AMPLITUDE, LABELS)
) -> VolumeInfo:
    axes = (
        Axis("inline", "", 100, 1000, 1, 25.0),
        Axis("crossline", "", 80, 2000, 2, 12.5),
        Axis("sample", "ms", 50, 0, 4, 10.0),
    )
    return VolumeInfo(name="survey.vds", kind=kind, axes=axes, channels=channels)


def test_a_patch_changes_its_fields_and_counts_one_revision() -> None:
    old = ViewState(revision=4)
    new = old.with_patch({"axis": 1, "slice_idx": 79, "zoom": 2}, survey())
    assert (new.axis, new.slice_idx, new.zoom, new.revision) == (1, (0, 79, 0), 2.0, 5)
    assert old.revision == 4


def test_a_patch_that_changes_nothing_is_the_same_state() -> None:
    state = ViewState()
    assert state.with_patch({"zoom": 1.0, "pan": [0.5, 0.5]}, survey()) is state
    assert state.with_patch({}, survey()) is state


def test_a_crosshair_and_slices_that_are_not_shown_leave_the_picture_as_it_is() -> None:
    state = ViewState(axis=1)
    moved = state.with_patch({"crosshair": True, "slice_idx": (9, 0, 7)}, survey())
    assert moved.revision == state.revision + 1
    assert moved.looks_like(state)
    assert not moved.with_patch({"slice_idx": 3}, survey()).looks_like(state)
    assert not moved.with_patch({"axis": 0}, survey()).looks_like(state)
    assert not moved.with_patch({"reverse": True}, survey()).looks_like(state)


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"slice_idx": 100}, ["inline", "100", "0 to 99"]),
        ({"slice_idx": -1}, ["inline", "-1"]),
        ({"axis": 2, "slice_idx": 50}, ["sample", "50", "0 to 49"]),
        ({"slice_idx": 1.5}, ["1.5", "whole"]),
        ({"slice_idx": (1, 2)}, ["slice_idx", "three"]),
        ({"axis": 3}, ["axis", "0 to 2"]),
        ({"channel": 2}, ["channel", "0 to 1"]),
        ({"window": 0}, ["window"]),
        ({"window": math.nan}, ["window", "nan"]),
        ({"level": math.inf}, ["level", "inf"]),
        ({"zoom": "2"}, ["zoom", "'2'"]),
        ({"zoom": True}, ["zoom", "True"]),
        ({"pan": 3}, ["pan", "two"]),
        ({"pan": (0.5, 9)}, ["pan", "9"]),
        ({"colormap": "rainbow"}, ["rainbow", "seismic"]),
        ({"reverse": 1}, ["reverse"]),
        ({"width_px": 4096, "height_px": 4096}, ["4096", "too large"]),
        ({"width_px": 10**9}, ["width_px", "4096"]),
        ({"revision": 7}, ["revision"]),
        ({"windw": 1}, ["windw", "window"]),
    ],
)
def test_a_wrong_value_names_the_field_and_what_is_allowed(patch: dict, words: list[str]) -> None:
    with pytest.raises(StateError) as caught:
        ViewState().with_patch(patch, survey())
    for word in words:
        assert word in str(caught.value)


def test_one_wrong_field_refuses_the_whole_patch() -> None:
    state = ViewState()
    with pytest.raises(StateError):
        state.with_patch({"zoom": 3.0, "level": math.nan}, survey())
    assert state.zoom == 1.0


def test_picture_sizes_become_even() -> None:
    new = ViewState().with_patch({"width_px": 641, "height_px": 361}, survey())
    assert (new.width_px, new.height_px) == (640, 360)


def test_fields_are_checked_before_a_volume_is_open() -> None:
    check_fields({"window": 5.0, "colormap": "seismic", "channel": 3})
    with pytest.raises(StateError, match="colour map"):
        check_fields({"colormap": "nope"})


def test_seismic_opens_symmetric_about_zero_in_the_seismic_map() -> None:
    state = first_state(survey())
    assert (state.window, state.level) == (10.0, 0.0)
    assert (state.colormap, state.axis, state.slice_idx) == ("seismic", 0, (50, 40, 25))


def test_medical_opens_axial_with_a_thousandth_cut_off_each_end() -> None:
    state = first_state(survey("medical"))
    assert (state.axis, state.colormap) == (2, "grey")
    assert (state.window, state.level) == (12.5, 0.25)


def test_labels_open_in_the_label_map_without_interpolation() -> None:
    state = first_state(survey("generic", (LABELS,)))
    assert (state.colormap, state.interpolate) == ("labels", False)


def test_a_channel_is_shown_in_its_own_range_and_map() -> None:
    assert channel_view(survey(), 1) == {
        "channel": 1,
        "window": 3.0,
        "level": 1.5,
        "colormap": "labels",
        "interpolate": False,
    }
    assert channel_view(survey(), 0)["colormap"] == "seismic"
    with pytest.raises(StateError, match="channel"):
        channel_view(survey(), 2)


def test_constant_data_still_has_a_positive_window() -> None:
    flat = Channel(name="", unit="", dtype="float32", value_min=5, value_max=5)
    assert auto_window(flat, symmetric=False) == (1.0, 5.0)
    assert auto_window(flat, symmetric=True) == (1.0, 5.0)


@pytest.mark.parametrize(("low", "high"), [(-1e-35, 1e-35), (-3e38, 3e38), (2e38, 3e38)])
@pytest.mark.parametrize("kind", ["generic", "seismic"])
def test_values_of_any_size_get_a_window_that_a_state_may_have(low, high, kind) -> None:
    channel = Channel(name="", unit="", dtype="float32", value_min=low, value_max=high)
    info = survey(kind, (channel,))
    assert first_state(info).with_patch(channel_view(info, 0), info)


def test_percentiles_that_are_next_to_nothing_give_way_to_the_range() -> None:
    near_zero = (2e-41,) * 12 + (4e-41,)
    channel = Channel("", "", "float32", -1.0, 1.0, percentiles=near_zero)
    assert auto_window(channel, symmetric=False) == (2.0, 0.0)


@given(
    st.dictionaries(
        st.sampled_from(["axis", "slice_idx", "window", "level", "zoom", "pan", "channel", "x"]),
        st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.lists(st.floats())),
    )
)
def test_any_patch_gives_a_valid_state_or_a_state_error(patch: dict) -> None:
    info = survey()
    try:
        new = ViewState().with_patch(patch, info)
    except StateError:
        return
    assert 0 <= new.axis <= 2
    assert all(0 <= i < n for i, n in zip(new.slice_idx, info.shape, strict=True))
    assert 0 < new.window < math.inf
    assert math.isfinite(new.level)
    assert new.colormap in COLORMAPS


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ({"rotation": 45}, "0, 90, 180 or 270"),
        ({"rotation": 360}, "0 to 270"),
        ({"flip_x": 1}, "True nor False"),
        ({"slab": 0}, "1 to 512"),
        ({"slab": 513}, "1 to 512"),
        ({"slab": 2.5}, "whole"),
        ({"slab_mode": "median"}, "max, min, mean, rms"),
        ({"display": "wiggles"}, "density, wiggle, wiggle+density"),
        ({"display": ["wiggle"]}, "density, wiggle, wiggle+density"),
        ({"wiggle_excursion": 0}, "0.1 to 10"),
        ({"wiggle_excursion": math.nan}, "0.1 to 10"),
        ({"wiggle_fill": "yes"}, "True nor False"),
        ({"wiggle_polarity": "SEG"}, "normal, reverse"),
    ],
)
def test_turns_slabs_and_wiggles_have_bounds(patch, words) -> None:
    with pytest.raises(StateError) as caught:
        ViewState().with_patch(patch, survey())
    assert words in str(caught.value)


def test_what_lies_in_the_middle_stays_there_when_the_slice_is_turned() -> None:
    state = ViewState(pan=(0.2, 0.7), zoom=4.0)
    turned = state.with_patch({"rotation": 90}, survey())
    assert turned.pan == pytest.approx((0.3, 0.2))
    mirrored = turned.with_patch({"flip_x": True}, survey())
    assert mirrored.pan == pytest.approx((0.7, 0.2))
    back = mirrored.with_patch({"rotation": 0, "flip_x": False}, survey())
    assert back.pan == pytest.approx(state.pan)
    # Whoever says where the view goes is believed.
    assert state.with_patch({"rotation": 90, "pan": (0.5, 0.5)}, survey()).pan == (0.5, 0.5)


def test_a_slab_lies_around_its_slice_and_ends_with_the_volume() -> None:
    def slices(**fields):
        slab = slab_of(ViewState(**fields), survey())
        return slab and (slab.first, slab.last)

    assert slices(slice_idx=(50, 0, 0)) is None
    assert slices(slice_idx=(50, 0, 0), slab=9) == (46, 54)
    assert slices(slice_idx=(50, 0, 0), slab=2) == (50, 51)
    assert slices(slice_idx=(2, 0, 0), slab=9) == (0, 6)
    assert slices(slice_idx=(0, 0, 49), axis=2, slab=9) == (45, 49)
    assert slices(slice_idx=(50, 0, 0), slab=512) == (0, 99)
    assert slices(slice_idx=(50, 0, 0), slab=9, channel=1) is None  # labels


def test_a_state_of_an_older_version_is_upright_and_without_slab_and_wiggles() -> None:
    fields = msgspec.to_builtins(ViewState(axis=1, zoom=2.0))
    wiggles = ("display", "wiggle_excursion", "wiggle_fill", "wiggle_polarity")
    for name in ("rotation", "flip_x", "flip_y", "slab", "slab_mode", *wiggles):
        del fields[name]
    assert msgspec.convert(fields, ViewState) == ViewState(axis=1, zoom=2.0)
