"""The user's maps and styles of labels that this process was told; any thread."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blustream_widget.core.colormaps import COLOR_LEVELS, COLORMAPS, unknown_colormap
from blustream_widget.core.palettes import LabelStyle, OwnMap

_maps: dict[str, tuple[int, npt.NDArray[np.uint8]]] = {}
_styles: dict[str, LabelStyle] = {}
_MOST_STYLES = 64


def keep_palette(palette: OwnMap | LabelStyle, idx: int) -> None:
    """Take a palette; a map takes the place of the one that had its number."""
    if isinstance(palette, LabelStyle):
        while len(_styles) >= _MOST_STYLES:
            _styles.pop(next(iter(_styles)))
        _styles[palette.name] = palette
        return
    for name, (old_idx, _) in list(_maps.items()):
        if old_idx == idx and name != palette.name:
            del _maps[name]
    table = np.frombuffer(palette.colors, np.uint8).reshape(COLOR_LEVELS, 3)
    _maps[palette.name] = (idx, table)


def own_table(name: str) -> npt.NDArray[np.uint8] | None:
    """Colours of a user's map, shape (COLOR_LEVELS, 3), read only; None if it is not one."""
    found = _maps.get(name)
    return None if found is None else found[1]


def colormap_idx(name: str) -> int:
    """Return the number by which pictures name a map.

    Raises
    ------
    StateError
        If there is no such map.
    """
    if name in _maps:
        return _maps[name][0]
    if name not in COLORMAPS:
        raise unknown_colormap(name)
    return COLORMAPS.index(name)


def label_style(name: str) -> LabelStyle:
    """Return the style of that name; an empty one if it is not known."""
    return _styles.get(name) or LabelStyle(name="labels-00000000")
