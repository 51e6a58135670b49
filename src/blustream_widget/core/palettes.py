"""Colours that a user brought: maps and styles of labels, known by a name made from their content.

They travel once, from kernel to server and from there to worker and browsers; the state only names
them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import msgspec

from blustream_widget.core.colormaps import COLOR_LEVELS, COLORMAPS, unknown_colormap
from blustream_widget.errors import StateError

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState

FIRST_OWN_IDX = 128
"""Pictures name a map by one byte: below this one of `COLORMAPS`, from here on a user's."""

MAX_OWN_MAPS = 64
MAX_STYLES = 10
MAX_LABELS = 4096
OWN_MAP = re.compile(r"user-[0-9a-f]{8}")
LABEL_STYLE = re.compile(r"labels-[0-9a-f]{8}")
HEX_COLOR = re.compile(r"#[0-9a-f]{6}")

_Hex: TypeAlias = Annotated[str, msgspec.Meta(pattern=f"^{HEX_COLOR.pattern}$")]
_Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]


class OwnMap(msgspec.Struct, frozen=True, tag="map", tag_field="kind", forbid_unknown_fields=True):
    """A colour map of the user's.

    Parameters
    ----------
    name : str
        "user-" and eight hex digits of the colours.
    title : str
        For people.
    colors : bytes
        COLOR_LEVELS times red, green, blue, from the low to the high end of the window.
    """

    name: Annotated[str, msgspec.Meta(pattern=f"^{OWN_MAP.pattern}$")]
    title: _Text
    colors: Annotated[bytes, msgspec.Meta(min_length=3 * COLOR_LEVELS, max_length=3 * COLOR_LEVELS)]


class LabelStyle(
    msgspec.Struct, frozen=True, tag="labels", tag_field="kind", forbid_unknown_fields=True
):
    """Colours and names of some label values; the others keep theirs.

    Parameters
    ----------
    name : str
        "labels-" and eight hex digits of the rest.
    colors, names : dict
        By label value.
    """

    name: Annotated[str, msgspec.Meta(pattern=f"^{LABEL_STYLE.pattern}$")]
    colors: Annotated[dict[int, _Hex], msgspec.Meta(max_length=MAX_LABELS)] = {}
    names: Annotated[dict[int, _Text], msgspec.Meta(max_length=MAX_LABELS)] = {}


Palette: TypeAlias = OwnMap | LabelStyle


def checked_colormap(value: Any) -> str:
    """Check that a map is one of `COLORMAPS`, or named like a user's.

    Raises
    ------
    StateError
    """
    if value in COLORMAPS or (isinstance(value, str) and OWN_MAP.fullmatch(value)):
        return str(value)
    raise unknown_colormap(value)


class Palettes:
    """The newest palettes of a session, each map with the number that pictures name it by."""

    def __init__(self, first: Iterable[Palette] = ()) -> None:
        self._maps: dict[str, OwnMap] = {}
        self._idx: dict[str, int] = {}
        self._styles: dict[str, LabelStyle] = {}
        for palette in first:
            self.add(palette)

    def add(self, palette: Palette, *, in_use: Iterable[str] = ()) -> int:
        """Keep a palette, in the place of the oldest that is not `in_use` where there are many.

        Returns
        -------
        int
            Number of a map; 0 for a style.
        """
        if isinstance(palette, LabelStyle):
            self._styles.pop(palette.name, None)
            _make_room(self._styles, MAX_STYLES, in_use)
            self._styles[palette.name] = palette
            return 0
        idx = self._idx.get(palette.name)
        if idx is None:
            _make_room(self._maps, MAX_OWN_MAPS, in_use)
            taken = {self._idx[name] for name in self._maps}
            free = range(FIRST_OWN_IDX, FIRST_OWN_IDX + MAX_OWN_MAPS)
            idx = next(i for i in free if i not in taken)
            self._idx = {name: i for name, i in self._idx.items() if name in self._maps}
            self._idx[palette.name] = idx
        self._maps[palette.name] = palette
        return idx

    def __contains__(self, name: str) -> bool:
        return name in self._maps or name in self._styles

    def all(self) -> list[tuple[Palette, int]]:
        """Every palette with its number, oldest first."""
        maps: list[tuple[Palette, int]] = [(m, self._idx[m.name]) for m in self._maps.values()]
        return maps + [(style, 0) for style in self._styles.values()]

    def check(self, patch: dict[str, Any]) -> None:
        """Refuse a patch that names what is not here.

        Raises
        ------
        StateError
        """
        for name in _maps_of(patch):
            if name not in COLORMAPS and name not in self._maps:
                raise unknown_colormap(name)
        for style in _styles_of(patch):
            if style and style not in self._styles:
                raise StateError(f"There is no style of labels {style!r}.")


def named_in(state: ViewState | None) -> tuple[str, ...]:
    """Names of maps and styles that a view shows: in any pane, over any slice."""
    if state is None:
        return ()
    return (
        *(state.colormap, state.label_style),
        *(pane.colormap for pane in state.panes),
        *(look.colormap for look in state.overlays),
        *(look.label_style for look in state.segmentations),
    )


def _maps_of(patch: dict[str, Any]) -> Iterator[Any]:
    """Names of maps that a patch holds, of the view, of its panes and of its overlays."""
    if "colormap" in patch:
        yield patch["colormap"]
    for field in ("panes", "overlays"):
        items = patch.get(field, ())
        items = tuple(items.values()) if isinstance(items, dict) else items
        for item in items if isinstance(items, (list, tuple)) else ():
            if isinstance(item, dict):
                yield item.get("colormap", COLORMAPS[0])
            elif hasattr(item, "colormap"):
                yield item.colormap


def _styles_of(patch: dict[str, Any]) -> Iterator[Any]:
    """Names of styles that a patch holds, of the view and of its segmentations."""
    yield patch.get("label_style", "")
    looks = patch.get("segmentations", ())
    for look in looks if isinstance(looks, (list, tuple)) else ():
        is_dict = isinstance(look, dict)
        yield look.get("label_style", "") if is_dict else getattr(look, "label_style", "")


def _make_room(held: dict[str, Any], most: int, in_use: Iterable[str]) -> None:
    kept = set(in_use)
    for name in list(held):
        if len(held) < most:
            return
        if name not in kept:
            del held[name]
