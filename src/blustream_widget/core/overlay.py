"""Values of another volume or channel that lie over the slices, in colours of their own."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec

from blustream_widget.core import looks
from blustream_widget.core.palettes import checked_colormap
from blustream_widget.errors import StateError

MAX_OVERLAYS = 4
MAX_TILES = 64
MIN_PERIOD_S, MAX_PERIOD_S = 0.4, 60.0
"""Of a blinking overlay: 2.5 times a second at most, below the three flashes that are safe."""
RANGE_MAX = 1e30

Mode: TypeAlias = Literal["blend", "checkerboard", "swipe", "blink"]
MODES: tuple[Mode, ...] = get_args(Mode)
Divider: TypeAlias = Literal["vertical", "horizontal"]
DIVIDERS: tuple[Divider, ...] = get_args(Divider)

_Real: TypeAlias = Annotated[float, msgspec.Meta(ge=-RANGE_MAX, le=RANGE_MAX)]


class OverlayLook(looks.Look, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an overlay is drawn. Where it has no value, and beyond its grid, it is clear.

    Parameters
    ----------
    name : str
        Of the overlay, 1 to MAX_NAME characters.
    visible : bool
    opacity : float
        0 to 1, in every mode.
    colormap : str
        One of `COLORMAPS`, or the name of a user's map (`core.palettes`).
    reverse : bool
        Colour map from the other end.
    window, level : float
        Full width (positive) and centre of the range that the map spans, in the overlay's unit.
    threshold : float or None
        It is clear below this value; None: nowhere.
    two_sided : bool
        It is clear where the value's magnitude is below `threshold`: for maps of both signs.
    mode : Mode
        "blend": over the whole slice. "checkerboard": on every other tile. "swipe": on one side of
        a divider. "blink": half of the time.
    tiles : int
        Of a checkerboard, along the pane's shorter side, 2 to MAX_TILES.
    split : float
        Place of the divider, 0 to 1 of the pane's width or height; the overlay lies right of it, or
        below it.
    divider : Divider
    period_s : float
        From one showing to the next of an overlay that blinks, MIN_PERIOD_S to MAX_PERIOD_S.
    """

    colormap: Annotated[str, msgspec.Meta(max_length=64)] = "viridis"
    reverse: bool = False
    window: Annotated[float, msgspec.Meta(ge=1 / RANGE_MAX, le=RANGE_MAX)] = 1.0
    level: _Real = 0.5
    threshold: _Real | None = None
    two_sided: bool = False
    mode: Mode = "blend"
    tiles: Annotated[int, msgspec.Meta(ge=2, le=MAX_TILES)] = 8
    split: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.5
    divider: Divider = "vertical"
    period_s: Annotated[float, msgspec.Meta(ge=MIN_PERIOD_S, le=MAX_PERIOD_S)] = 1.0

    @property
    def is_drawn(self) -> bool:
        """Something of it is to be seen, where all overlays are shown."""
        return self.visible and self.opacity > 0


def checked_overlays(value: Any) -> tuple[OverlayLook, ...]:
    """Check the looks of all overlays; each may leave out fields, which are then as usual.

    Raises
    ------
    StateError
        Names the overlay and the field.
    """
    return looks.checked_looks(
        value,
        OverlayLook,
        _CHECKS,
        most=MAX_OVERLAYS,
        word="overlay",
        hint="Remove one that is not needed any more: viewer.remove_overlay(name).",
    )


def _check_colormap(_name: str, value: Any) -> str:
    if value == "labels":
        raise StateError(
            "The map 'labels' is for labels, not for values.",
            hint="viewer.add_segmentation lays labels over the slices.",
        )
    return checked_colormap(value)


def _check_threshold(name: str, value: Any) -> float | None:
    return None if value is None else float(_check_limit(name, value))


def _check_tiles(name: str, value: Any) -> int:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole or not 2 <= value <= MAX_TILES:
        raise StateError(
            f"tiles of {name!r} = {value!r} is out of range.",
            hint=f"Give 2 to {MAX_TILES}: tiles along the pane's shorter side.",
        )
    return int(value)


_check_limit = looks.number_check(
    "threshold", -RANGE_MAX, RANGE_MAX, "Give a value of the overlay, or None."
)
_CHECKS: dict[str, looks.Check] = {
    "visible": looks.bool_check("visible"),
    "opacity": looks.check_opacity,
    "colormap": _check_colormap,
    "reverse": looks.bool_check("reverse"),
    "window": looks.number_check(
        "window", 1 / RANGE_MAX, RANGE_MAX, "Give a positive width of the range."
    ),
    "level": looks.number_check("level", -RANGE_MAX, RANGE_MAX, "Give the centre of the range."),
    "threshold": _check_threshold,
    "two_sided": looks.bool_check("two_sided"),
    "mode": looks.choice_check("mode", MODES),
    "tiles": _check_tiles,
    "split": looks.number_check("split", 0, 1, "Give 0 to 1 of the pane."),
    "divider": looks.choice_check("divider", DIVIDERS),
    "period_s": looks.number_check(
        "period_s",
        MIN_PERIOD_S,
        MAX_PERIOD_S,
        f"Give {MIN_PERIOD_S:g} to {MAX_PERIOD_S:g} seconds.",
    ),
}
