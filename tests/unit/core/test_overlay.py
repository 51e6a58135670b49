"""Looks of overlays as part of the state, and the range and colours that are chosen for them."""

from __future__ import annotations

import msgspec
import pytest

from blustream_widget.core.overlay import MAX_OVERLAYS, OverlayLook
from blustream_widget.core.overlay_fit import fitted
from blustream_widget.core.palettes import Palettes
from blustream_widget.core.state import ViewState
from blustream_widget.errors import StateError
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((10, 20, 30))
PET = {"name": "pet"}
NAN = float("nan")


def test_overlays_are_part_of_the_picture_and_of_a_saved_state() -> None:
    state = ViewState().with_patch({"overlays": [PET | {"threshold": 2, "tiles": 5}]}, INFO)
    assert state.overlays == (OverlayLook(name="pet", threshold=2.0, tiles=5),)
    faint = state.with_patch({"overlays": [PET | {"opacity": 0.1}]}, INFO)
    assert not faint.looks_like(state)
    assert not state.with_patch({"show_overlays": False}, INFO).looks_like(state)
    assert msgspec.json.decode(msgspec.json.encode(state), type=ViewState) == state


@pytest.mark.parametrize(
    "looks",
    [
        "pet",
        [{"name": " "}],
        [PET, PET],
        [PET | {"opacity": -0.1}],
        [PET | {"window": 0}],
        [PET | {"window": NAN}],
        [PET | {"level": NAN}],
        [PET | {"level": None}],
        [PET | {"threshold": NAN}],
        [PET | {"two_sided": 1}],
        [PET | {"colormap": "labels"}],
        [PET | {"colormap": "mauve"}],
        [PET | {"mode": "dissolve"}],
        [PET | {"tiles": 1}],
        [PET | {"tiles": 2.0}],
        [PET | {"split": 1.1}],
        [PET | {"divider": "diagonal"}],
        [PET | {"period_s": 0.3}],  # more than three flashes a second can cause seizures
        [PET | {"colour": "red"}],
        [{"name": f"s{n}"} for n in range(MAX_OVERLAYS + 1)],
    ],
)
def test_a_look_that_cannot_be_is_refused_and_changes_nothing(looks) -> None:
    state = ViewState().with_patch({"overlays": [PET]}, INFO)
    with pytest.raises(StateError):
        state.with_patch({"overlays": looks}, INFO)
    assert state.overlays == (OverlayLook(name="pet"),)


def test_a_map_of_the_users_must_have_been_brought() -> None:
    with pytest.raises(StateError, match="user-00000000"):
        Palettes().check({"overlays": [PET | {"colormap": "user-00000000"}]})


@pytest.mark.parametrize(
    ("low", "high", "kind", "expected"),
    [
        (0.0, 8.0, "generic", ("viridis", 8.0, 4.0)),
        (0.0, 8.0, "medical", ("hot", 8.0, 4.0)),
        (-0.1, 8.0, "medical", ("hot", 8.1, 3.95)),  # noise below zero is no sign
        (-4.0, 8.0, "generic", ("vik", 12.0, 2.0)),
    ],
)
def test_range_and_colours_suit_the_values(low, high, kind, expected) -> None:
    channel = volume_info((1, 1, 1), value_range=(low, high)).channels[0]
    look = fitted(OverlayLook(name="pet"), channel, kind, ("range", "colormap"))
    assert (look.colormap, look.window, look.level) == (
        expected[0],
        pytest.approx(expected[1]),
        pytest.approx(expected[2]),
    )
    assert fitted(look, channel, "generic", ()) == look


def test_values_of_both_signs_get_a_range_around_zero() -> None:
    channel = volume_info((1, 1, 1), value_range=(-4.0, 8.0)).channels[0]
    channel = msgspec.structs.replace(channel, abs_percentiles=(1, 2, 3, 4, 5, 8, 7))
    look = fitted(OverlayLook(name="pet"), channel, "generic", ("range",))
    assert (look.window, look.level, look.colormap) == (6.0, 0.0, "viridis")
