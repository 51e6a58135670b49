"""Colour maps by name: RGB tables of `LEVELS` entries, and the distinct colours of labels.

The maps of the seismic trade have control points of their own here; the others come from `cmap`.
`scripts/generate_colormaps.py` gives the browser the same maps for its colour bar.
"""

from __future__ import annotations

import colorsys
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from blustream_widget.core.colormaps import COLOR_LEVELS, LABEL_PERIOD, unknown_colormap
from blustream_widget.render.palettes import own_table

LEVELS = COLOR_LEVELS

RgbTable = npt.NDArray[np.uint8]

# Position (0 to 1) and sRGB colour; linear in between. Low amplitudes first.
_ControlPoints = tuple[tuple[float, tuple[int, int, int]], ...]
_POINTS: dict[str, _ControlPoints] = {
    "grey": ((0.0, (0, 0, 0)), (1.0, (255, 255, 255))),
    # Lightness (OKLab) falls in even steps from the middle to both ends, which are equally dark.
    "seismic": (
        (0.0, (18, 52, 128)),
        (0.0625, (34, 77, 148)),
        (0.125, (42, 101, 177)),
        (0.1875, (57, 127, 202)),
        (0.25, (80, 152, 221)),
        (0.3125, (114, 178, 233)),
        (0.375, (155, 203, 240)),
        (0.4375, (199, 226, 244)),
        (0.5, (247, 247, 247)),
        (0.5625, (252, 212, 198)),
        (0.625, (252, 176, 154)),
        (0.6875, (246, 139, 116)),
        (0.75, (232, 105, 85)),
        (0.8125, (211, 73, 63)),
        (0.875, (184, 46, 48)),
        (0.9375, (153, 24, 38)),
        (1.0, (120, 8, 30)),
    ),
    "red-white-blue": ((0.0, (255, 0, 0)), (0.5, (255, 255, 255)), (1.0, (0, 0, 255))),
    "black-white-red": ((0.0, (0, 0, 0)), (0.5, (255, 255, 255)), (1.0, (255, 0, 0))),
    "brown-white-grey": (
        (0.0, (89, 46, 8)),
        (0.25, (170, 116, 60)),
        (0.5, (255, 255, 255)),
        (0.75, (150, 150, 150)),
        (1.0, (40, 40, 40)),
    ),
    "petrel": (
        (0.0, (161, 255, 255)),
        (0.25, (0, 0, 191)),
        (0.4, (77, 77, 77)),
        (0.5, (204, 204, 204)),
        (0.6, (97, 69, 0)),
        (0.75, (191, 0, 0)),
        (1.0, (255, 255, 0)),
    ),
}

# Names of `cmap`'s catalogue: "family:name".
_CATALOGUE = {
    name: f"{family}:{name}"
    for family, names in {
        "bids": ("viridis", "magma", "inferno", "plasma"),
        "cividis": ("cividis",),
        "crameri": (
            *("batlow", "batlowk", "batloww", "acton", "bilbao", "davos", "devon", "hawaii"),
            *("imola", "lajolla", "lapaz", "lipari", "navia", "nuuk", "oslo", "tokyo", "turku"),
            *("vik", "roma", "broc", "cork", "bam", "berlin", "lisbon", "tofino", "managua"),
            *("vanimo", "romao", "viko", "broco", "corko"),
        ),
        "cmocean": (
            *("thermal", "haline", "solar", "ice", "deep", "dense", "matter", "tempo", "speed"),
            *("amp", "algae", "balance", "curl", "delta", "diff", "tarn", "phase"),
        ),
        "cubehelix": ("cubehelix",),
        "matplotlib": ("coolwarm", "bwr", "nipy_spectral", "terrain", "twilight"),
        "colorbrewer": ("rdbu", "rdgy", "puor", "brbg", "prgn", "spectral"),
        "google": ("turbo",),
        "matlab": ("bone", "hot", "copper", "pink", "cool", "jet", "hsv"),
        "gnuplot": ("afmhot",),
        "imagej": ("fire",),
    }.items()
    for name in names
} | {"gist_earth": "yorick:earth"}

_GOLDEN_RATIO = 0.6180339887498949
_FIRST_HUE = 0.68


def _from_points(points: _ControlPoints) -> RgbTable:
    positions = np.linspace(0.0, 1.0, LEVELS)
    stops = [stop for stop, _ in points]
    channels = [np.interp(positions, stops, [rgb[c] for _, rgb in points]) for c in range(3)]
    return np.rint(np.stack(channels, axis=1)).astype(np.uint8)


def _from_catalogue(name: str) -> RgbTable:
    import cmap  # 0.2 s, and most pictures are grey or seismic

    colors = cmap.Colormap(name)(np.linspace(0.0, 1.0, LEVELS))
    return np.rint(np.asarray(colors)[:, :3] * 255).astype(np.uint8)


def family_of(name: str) -> str:
    """Whose map it is: "crameri", "cmocean"…; "" for those of this file."""
    return _CATALOGUE.get(name, "").partition(":")[0]


def label_color(value: int, first: int = 0) -> tuple[int, int, int]:
    """Give a label value its sRGB colour: 0 is black, neighbours differ, always the same.

    The first ones are vivid, and none of the colours that amplitudes have: green, magenta, cyan,
    amber, violet. With `first`, label v has the colour of label v + `first`.
    """
    if value == 0:
        return (0, 0, 0)
    entry = (value - 1 + first) % LABEL_PERIOD + 1
    # Steps of the golden ratio never come close to a hue of the neighbours; saturation and
    # brightness change in between so that far labels of one hue still differ.
    red, green, blue = colorsys.hsv_to_rgb(
        (entry * _GOLDEN_RATIO + _FIRST_HUE) % 1.0,
        (0.65, 0.95, 0.8)[entry % 3],
        (0.95, 0.75, 0.6)[entry // 3 % 3],
    )
    return (round(red * 255), round(green * 255), round(blue * 255))


@lru_cache(maxsize=128)
def rgb_table(name: str, *, reverse: bool = False) -> RgbTable:
    """Colours of a map, from the low to the high end of the window.

    Parameters
    ----------
    name : str
        One of `core.colormaps.COLORMAPS`, or a user's map.
    reverse : bool
        From the other end. The labels' colours have no ends and stay.

    Returns
    -------
    ndarray, shape (LEVELS, 3), uint8, sRGB, read only
        For "labels", entry v is the colour of label v.

    Raises
    ------
    StateError
        If there is no such map.
    """
    own = own_table(name)
    if own is not None:
        table = own.copy()
    elif name == "labels":
        table = np.array([label_color(v) for v in range(LEVELS)], np.uint8)
    elif name in _POINTS:
        table = _from_points(_POINTS[name])
    elif name in _CATALOGUE:
        table = _from_catalogue(_CATALOGUE[name])
    else:
        raise unknown_colormap(name)
    if reverse and name != "labels":
        table = np.ascontiguousarray(table[::-1])
    table.setflags(write=False)
    return table
