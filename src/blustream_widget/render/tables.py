"""Colour maps as look-up tables in the colour space of the picture: pictures are not converted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.render.colormaps import RgbTable, rgb_table

ColorSpace: TypeAlias = Literal["bt709", "jpeg", "rgb"]
"""BT.709 limited range for video, BT.601 full range for JPEG, sRGB for stills."""

Rgb = tuple[int, int, int]

# Luma weights of red and blue, luma offset and range, chroma range.
# ITU-R BT.709-6 item 3, limited range; JFIF 1.02 (BT.601 weights, full range).
_YCBCR = {"bt709": (0.2126, 0.0722, 16, 219, 224), "jpeg": (0.299, 0.114, 0, 255, 255)}
_NEUTRAL = 128


@dataclass(frozen=True, slots=True)
class ColorTable:
    """Components of each entry, packed so that one look-up fetches all three.

    Parameters
    ----------
    packed : ndarray, shape (LEVELS + 3 + n,), uint32
        Four bytes in memory order: V, U, Y, 0 (what swscale calls "vuyx"), or R, G, B, 0. After the
        map: below the window, above it, n labels of the user's. The last entry is "no data", so
        that index -1 finds it too.
    byte_of : tuple of int
        Which byte holds component 0, 1, 2.
    first : ndarray, shape (LEVELS + 3 + n,), uint8
        Component 0 alone.
    surround : tuple of int
        Components of the colour around the slice.
    is_grey : bool
        Components 1 and 2 are neutral everywhere: chroma need not be drawn.
    is_subsampled : bool
        Components 1 and 2 are drawn at half the size.
    """

    packed: npt.NDArray[np.uint32]
    byte_of: tuple[int, int, int]
    first: npt.NDArray[np.uint8]
    surround: Rgb
    is_grey: bool
    is_subsampled: bool


def _to_ycbcr(rgb: RgbTable, space: str) -> npt.NDArray[np.uint8]:
    red_weight, blue_weight, offset, luma_range, chroma_range = _YCBCR[space]
    red, green, blue = (rgb[:, c].astype(np.float64) / 255 for c in range(3))
    luma = red_weight * red + (1 - red_weight - blue_weight) * green + blue_weight * blue
    cb = (blue - luma) / (2 * (1 - blue_weight))
    cr = (red - luma) / (2 * (1 - red_weight))
    components = (
        offset + luma_range * luma,
        _NEUTRAL + chroma_range * cb,
        _NEUTRAL + chroma_range * cr,
    )
    return np.clip(np.rint(np.stack(components, axis=1)), 0, 255).astype(np.uint8)


@dataclass(frozen=True, slots=True)
class Ends:
    """Colours beside those of the map, as "#rrggbb"; "" = none of their own.

    Parameters
    ----------
    below, above : str
        Of values outside the window; else the map's ends.
    no_value : str
        Else the surround's.
    """

    below: str = ""
    above: str = ""
    no_value: str = ""


NO_ENDS = Ends()


def rgb_of(hex_color: str) -> Rgb:
    """Components of "#rrggbb"."""
    red, green, blue = bytes.fromhex(hex_color[1:])
    return (red, green, blue)


@lru_cache(maxsize=64)
def components_of(rgb: Rgb, space: ColorSpace) -> Rgb:
    """Components of an sRGB colour in the colour space of a picture."""
    if space == "rgb":
        return rgb
    first, second, third = (int(c) for c in _to_ycbcr(np.array([rgb], np.uint8), space)[0])
    return (first, second, third)


@lru_cache(maxsize=64)
def color_table(
    name: str,
    *,
    reverse: bool = False,
    surround: Rgb = (0, 0, 0),
    space: ColorSpace = "bt709",
    ends: Ends = NO_ENDS,
    labels: tuple[str, ...] = (),
) -> ColorTable:
    """Table of the colour map `name`; `surround` is the colour around it and of "no data".

    Raises
    ------
    StateError
        If there is no such map.
    """
    table = rgb_table(name, reverse=reverse)
    more = (
        rgb_of(ends.below) if ends.below else table[0],
        rgb_of(ends.above) if ends.above else table[-1],
        *(rgb_of(color) for color in labels),
        rgb_of(ends.no_value) if ends.no_value else surround,
        surround,
    )
    rgb = np.vstack([table, np.array(more, np.uint8)])
    components = rgb if space == "rgb" else _to_ycbcr(rgb, space)
    around = tuple(int(c) for c in components[-1])
    components = components[:-1]
    padded = np.zeros((len(components), 4), np.uint8)
    byte_of = (0, 1, 2) if space == "rgb" else (2, 1, 0)
    padded[:, byte_of] = components
    packed = padded.view(np.uint32).ravel()
    luma = np.ascontiguousarray(components[:, 0])
    for array in (packed, luma):
        array.setflags(write=False)
    drawn = components if ends.no_value else components[:-1]
    is_grey = space != "rgb" and bool((drawn[:, 1:] == _NEUTRAL).all())
    first, second, third = around
    return ColorTable(packed, byte_of, luma, (first, second, third), is_grey, space != "rgb")
