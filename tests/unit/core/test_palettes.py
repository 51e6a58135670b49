"""Palettes of a session: numbers of maps, what is refused, what makes room."""

from __future__ import annotations

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.colormaps import COLOR_LEVELS, COLORMAPS
from blustream_widget.core.layouts import PaneState
from blustream_widget.core.palettes import (
    FIRST_OWN_IDX,
    MAX_OWN_MAPS,
    MAX_STYLES,
    LabelStyle,
    OwnMap,
    Palettes,
)
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.errors import StateError
from blustream_widget.link_session import LinkSession


def own_map(n: int) -> OwnMap:
    return OwnMap(name=f"user-{n:08x}", title="", colors=bytes(3 * COLOR_LEVELS))


def test_numbers_of_own_maps_and_of_named_ones_never_meet() -> None:
    assert len(COLORMAPS) <= FIRST_OWN_IDX
    assert FIRST_OWN_IDX + MAX_OWN_MAPS <= 256


def test_a_map_keeps_its_number_and_the_oldest_unused_makes_room() -> None:
    palettes = Palettes()
    numbers = [palettes.add(own_map(n)) for n in range(MAX_OWN_MAPS)]
    assert len(set(numbers)) == MAX_OWN_MAPS
    assert palettes.add(own_map(5)) == numbers[5]
    taken = palettes.add(own_map(1000), in_use=[own_map(0).name])
    assert taken == numbers[1]
    assert own_map(0).name in palettes
    assert own_map(1).name not in palettes
    assert len(palettes.all()) == MAX_OWN_MAPS


def test_a_map_that_any_pane_shows_goes_to_the_next_server_too() -> None:
    session = LinkSession(lp.OpenSession(session="s", ref=VolumeRef(url="fake:")), listener=None)
    session.state = ViewState(panes=(PaneState(), PaneState(colormap=own_map(0).name)))
    for n in range(MAX_OWN_MAPS + 5):
        session.put(own_map(n))
    names = [palette.name for palette in session.reopening().palettes]
    assert own_map(0).name in names
    assert own_map(1).name not in names


def test_styles_are_few() -> None:
    palettes = Palettes(LabelStyle(name=f"labels-{n:08x}") for n in range(MAX_STYLES + 3))
    assert len(palettes.all()) == MAX_STYLES


def test_a_patch_may_name_only_what_is_here() -> None:
    palettes = Palettes([own_map(1), LabelStyle(name="labels-00000001")])
    palettes.check({"colormap": own_map(1).name, "label_style": "labels-00000001"})
    palettes.check({"panes": [{"colormap": own_map(1).name}, {"zoom": 2.0}]})
    with pytest.raises(StateError, match="user-00000003"):
        palettes.check({"panes": [{"colormap": own_map(3).name}]})
    with pytest.raises(StateError, match="user-00000003"):
        palettes.check({"panes": {"1": {"colormap": own_map(3).name}}})
    palettes.check({"colormap": "vik", "label_style": "", "zoom": 2.0})
    with pytest.raises(StateError, match="user-00000002"):
        palettes.check({"colormap": own_map(2).name})
    with pytest.raises(StateError, match="labels-00000002"):
        palettes.check({"label_style": "labels-00000002"})
