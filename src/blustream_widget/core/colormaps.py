"""Names of the colour maps, in the groups that a chooser shows; the tables are in `render/`."""

from __future__ import annotations

from difflib import get_close_matches

from blustream_widget.errors import StateError

COLOR_LEVELS = 1024
"""Entries of a map: two ramps of 256 greys each (white in the middle) lose nothing with 1024."""

LABEL_PERIOD = COLOR_LEVELS - 1
"""Label values v and v + LABEL_PERIOD have the same colour; 0 alone is the background."""

COLORMAP_GROUPS: dict[str, tuple[str, ...]] = {
    "Seismic": (
        "grey",
        "seismic",
        "red-white-blue",
        "black-white-red",
        "brown-white-grey",
        "petrel",
    ),
    "Sequential": (
        "viridis",
        "magma",
        "inferno",
        "plasma",
        "cividis",
        "batlow",
        "batlowk",
        "batloww",
        "acton",
        "bilbao",
        "davos",
        "devon",
        "hawaii",
        "imola",
        "lajolla",
        "lapaz",
        "lipari",
        "navia",
        "nuuk",
        "oslo",
        "tokyo",
        "turku",
        "thermal",
        "haline",
        "solar",
        "ice",
        "deep",
        "dense",
        "matter",
        "tempo",
        "speed",
        "amp",
        "algae",
        "cubehelix",
    ),
    "Diverging": (
        "vik",
        "roma",
        "broc",
        "cork",
        "bam",
        "berlin",
        "lisbon",
        "tofino",
        "managua",
        "vanimo",
        "balance",
        "curl",
        "delta",
        "diff",
        "tarn",
        "coolwarm",
        "bwr",
        "rdbu",
        "rdgy",
        "puor",
        "brbg",
        "prgn",
        "spectral",
    ),
    "Medical": ("bone", "hot", "afmhot", "fire", "copper", "pink", "cool"),
    "Rainbow": ("turbo", "jet", "nipy_spectral", "gist_earth", "terrain"),
    "Cyclic": ("twilight", "phase", "romao", "viko", "broco", "corko", "hsv"),
    "Labels": ("labels",),
}
"""Names by what the maps are for, each name once."""

COLORMAPS: tuple[str, ...] = tuple(name for names in COLORMAP_GROUPS.values() for name in names)
"""Names that `ViewState.colormap` may have, beside those of the user's own maps."""


def unknown_colormap(name: object) -> StateError:
    """Error that says which maps there are; not raised here."""
    near = get_close_matches(str(name).lower(), COLORMAPS, n=3)
    like = f"Did you mean {', '.join(near)}? " if near else ""
    return StateError(
        f"There is no colour map {name!r}.",
        hint=f"{like}Viewer.colormaps has all names, for example grey, seismic, viridis, vik.",
    )
