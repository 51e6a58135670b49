"""Colours as users give them: names, triples, tables, maps of other packages."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.colormaps import COLOR_LEVELS, COLORMAPS, unknown_colormap
from blustream_widget.core.palettes import MAX_LABELS, LabelStyle, OwnMap
from blustream_widget.core.types import Channel
from blustream_widget.errors import StateError

_SHORT_HEX = re.compile(r"#?([0-9a-fA-F])([0-9a-fA-F])([0-9a-fA-F])")
_HEX = re.compile(r"#?([0-9a-fA-F]{6})")
_ALIASES = {"gray": "grey"}
_MOST_COLORS = 65_536
_HOW = "Give an array (n, 3) of uint8 or of floats 0 to 1, or a list of colours."


def color_hex(name: str, value: Any) -> str:
    """Return a colour as "#rrggbb"; "" for None.

    Parameters
    ----------
    name : str
        Of the setting, for the error.
    value : str, or 3 numbers, or None
        "#ff8800", "#f80", a CSS name; whole numbers 0 to 255 or floats 0 to 1.

    Raises
    ------
    StateError
    """
    if value is None or (isinstance(value, str) and value == ""):
        return ""
    found = _named(value) if isinstance(value, str) else _triple(value)
    if found is None:
        raise StateError(
            f"{name} = {value!r} is not a colour.",
            hint='Give "#ff8800", a name like "orange", (255, 136, 0), (1.0, 0.53, 0.0) or None.',
        )
    return found


def _named(text: str) -> str | None:
    if (short := _SHORT_HEX.fullmatch(text)) is not None:
        return "#" + "".join(digit * 2 for digit in short.groups()).lower()
    if (whole := _HEX.fullmatch(text)) is not None:
        return f"#{whole[1].lower()}"
    import cmap  # 0.2 s, and names are rare

    try:
        color = cmap.Color(text)
    except ValueError:
        return None
    return f"#{bytes(color.rgba8[:3]).hex()}" if color.rgba8.a == 1 else None


def _triple(value: Any) -> str | None:
    try:
        array = np.asarray(value)
    except ValueError:
        return None
    if array.shape not in ((3,), (4,)) or array.dtype.kind not in "uif":
        return None
    try:
        rounded = np.rint(_as_bytes(array[None])[0]).astype(np.uint8)
    except StateError:
        return None
    return f"#{rounded.tobytes().hex()}"


def own_map(value: Any, title: str = "") -> OwnMap:
    """Make a colour map of what a user gives.

    Parameters
    ----------
    value : ndarray, sequence, or map of another package
        Shape (n, 3) or (n, 4), uint8 or float 0 to 1, from low to high, linear in between; colours
        as `color_hex` takes them; or something that is called with numbers 0 to 1, as matplotlib's
        and cmap's maps are.
    title : str
        For people; default: the name that the map has.

    Raises
    ------
    StateError
    """
    if callable(value):
        title = title or str(getattr(value, "name", ""))
        try:
            colors = np.asarray(value(np.linspace(0.0, 1.0, COLOR_LEVELS)))
        except Exception as exc:  # of a foreign map
            raise StateError(f"The colour map {value!r} fails: {exc}", hint=_HOW) from exc
    elif isinstance(value, (list, tuple)) and any(isinstance(one, str) for one in value):
        hexes = [color_hex("A colour of the map", one) or "no" for one in value]
        if "no" in hexes:
            raise StateError("A colour of the map is missing.", hint=_HOW)
        colors = np.array([list(bytes.fromhex(h[1:])) for h in hexes], np.uint8)
    else:
        try:
            colors = np.asarray(value)
        except ValueError as exc:
            raise StateError("The colours of the map have different lengths.", hint=_HOW) from exc
    table = _resampled(_as_bytes(colors)).tobytes()
    digest = hashlib.blake2s(table, digest_size=4).hexdigest()
    return OwnMap(name=f"user-{digest}", title=title[:64], colors=table)


def _as_bytes(colors: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Check a table; gives components 0 to 255 that are not rounded yet."""
    if colors.ndim != 2 or colors.shape[1] not in (3, 4) or colors.dtype.kind not in "uif":
        what = f"shape {colors.shape}, {colors.dtype}"
        raise StateError(f"This is not a table of colours: {what}.", hint=_HOW)
    top = 1.0 if colors.dtype.kind == "f" else 255.0
    values = colors.astype(np.float64)
    if not np.isfinite(values).all():
        raise StateError("A colour map has values that are not finite.", hint=_HOW)
    if values.size and (values.min() < 0 or values.max() > top):
        raise StateError(
            f"Colours go from {values.min():g} to {values.max():g}, not from 0 to {top:g}.",
            hint=_HOW,
        )
    if colors.shape[1] == 4 and not (values[:, 3] == top).all():
        raise StateError("Slices are opaque: alpha must be 1.", hint="Leave alpha out: [:, :3].")
    return values[:, :3] * (255.0 / top)


def _resampled(colors: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    if not 2 <= len(colors) <= _MOST_COLORS:
        raise StateError(
            f"A colour map has 2 to {_MOST_COLORS} colours, not {len(colors)}.", hint=_HOW
        )
    at = np.linspace(0.0, len(colors) - 1.0, COLOR_LEVELS)
    places = np.arange(len(colors))
    channels = [np.interp(at, places, colors[:, c]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def base_of(name: str) -> tuple[str, bool]:
    """Split a map's name as people write it into ours, and whether it is reversed ("_r")."""
    plain = name if name in COLORMAPS else name.lower()
    is_reversed = plain.endswith("_r") and plain not in COLORMAPS
    plain = plain.removesuffix("_r") if is_reversed else plain
    return _ALIASES.get(plain, plain), is_reversed


def catalogue_map(name: str) -> OwnMap:
    """Find a map of cmap's catalogue by its full name, for example "cmasher:rainforest".

    Raises
    ------
    StateError
        If there is none.
    """
    import cmap

    try:
        found = cmap.Colormap(name)
    except ValueError:
        raise unknown_colormap(name) from None
    return own_map(found, title=name)


def styled_labels(
    colors: Mapping[int, Any], names: Mapping[int, str], channels: Iterable[Channel]
) -> LabelStyle:
    """Make a style of labels of what a user gives.

    Raises
    ------
    StateError
        Names the label that no channel has, the colour that is none, the name that is no text.
    """
    known = [channel for channel in channels if channel.is_label]
    for value in (*colors, *names):
        check_label(value, known)
    for value, name in names.items():
        if not 0 < len(str(name)) <= 64:
            raise StateError(
                f"The name {name!r} of label {value} is not a text of 1 to 64 letters."
            )
    if max(len(colors), len(names)) > MAX_LABELS:
        raise StateError(f"At most {MAX_LABELS} labels have colours or names of their own.")
    hexes = {int(v): color_hex(f"The colour of label {v}", c) for v, c in colors.items()}
    hexes = {value: color for value, color in hexes.items() if color}
    texts = {int(value): str(name) for value, name in names.items()}
    digest = hashlib.blake2s(
        msgspec.json.encode((sorted(hexes.items()), sorted(texts.items()))), digest_size=4
    ).hexdigest()
    return LabelStyle(name=f"labels-{digest}", colors=hexes, names=texts)


def check_label(value: Any, known: list[Channel]) -> None:
    """Refuse what is no label of the channels `known`.

    Raises
    ------
    StateError
    """
    if not known:
        raise StateError("The volume has no labels.", hint="Label colours are for label channels.")
    is_whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not is_whole:
        raise StateError(f"The label {value!r} is not a whole number.")
    if not any(c.value_min <= value <= c.value_max or value in c.label_names for c in known):
        spans = ", ".join(f"{c.name} {c.value_min:g} to {c.value_max:g}" for c in known)
        raise StateError(f"There is no label {value}.", hint=f"There are: {spans}.")
