"""Layouts of several panes: which there are, what they open with, how pictures are packed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import msgspec

from blustream_widget.core.sections import Section, followed
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError

LAYOUTS: tuple[str, ...] = ("single", "orthogonal", "quad", "picture-in-picture", "compare")
"""Layouts by name; "2x3" and the like are grids of rows x columns."""

GRID_MAX_SIDE = 4
PANES_MAX = 9

OWN_FIELDS = (
    "axis",
    "zoom",
    "pan",
    "stretch",
    "rotation",
    "flip_x",
    "flip_y",
    "slab",
    "slab_mode",
    "display",
    "wiggle_excursion",
    "wiggle_fill",
    "wiggle_polarity",
    "section",
)
"""What every pane has for itself, always."""

SHARED_FIELDS = (
    "slice_idx",
    "time_idx",
    "channel",
    "window",
    "level",
    "colormap",
    "reverse",
    "interpolate",
)
"""What linked panes have in common."""

PANE_FIELDS = OWN_FIELDS + SHARED_FIELDS

# A block of H.264 that lay in two panes would let the colours of one run into the other.
_BLOCK_PX = 16
_PICTURE_MAX_PX = 4096


class PaneState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one pane of several shows; the fields are those of `ViewState`."""

    axis: int = 0
    slice_idx: tuple[int, int, int] = (0, 0, 0)
    time_idx: int = 0
    channel: int = 0
    window: float = 1.0
    level: float = 0.5
    colormap: str = "grey"
    reverse: bool = False
    zoom: float = 1.0
    pan: tuple[float, float] = (0.5, 0.5)
    stretch: float = 1.0
    interpolate: bool = True
    rotation: int = 0
    flip_x: bool = False
    flip_y: bool = False
    slab: int = 1
    slab_mode: str = "max"
    display: str = "density"
    wiggle_excursion: float = 1.0
    wiggle_fill: bool = True
    wiggle_polarity: str = "normal"
    section: Section | None = None


class Cells(NamedTuple):
    """Columns and rows of a layout, and how many panes it has."""

    columns: int
    rows: int
    panes: int


_CELLS = {
    "single": Cells(1, 1, 1),
    "orthogonal": Cells(2, 2, 3),
    "quad": Cells(2, 2, 3),
    "picture-in-picture": Cells(1, 1, 2),
    "compare": Cells(2, 1, 2),
}


@lru_cache(maxsize=64)
def cells_of(layout: str) -> Cells:
    """Columns, rows and panes of a layout.

    Raises
    ------
    StateError
        If there is no such layout.
    """
    if layout in _CELLS:
        return _CELLS[layout]
    grid = re.fullmatch(r"([1-9])x([1-9])", layout)
    rows, columns = (int(side) for side in grid.groups()) if grid else (0, 0)
    if grid and max(rows, columns) <= GRID_MAX_SIDE and 1 < rows * columns <= PANES_MAX:
        return Cells(columns, rows, rows * columns)
    raise StateError(
        f"There is no layout {layout!r}.",
        hint=f"Known: {', '.join(LAYOUTS)}, and grids of rows x columns such as '2x3', "
        f"at most {GRID_MAX_SIDE} a side and {PANES_MAX} panes.",
    )


def panes_of(
    layout: str, info: VolumeInfo, panes: Sequence[PaneState], active: int
) -> tuple[tuple[PaneState, ...], int, bool]:
    """Panes that a layout opens with, the active one among them, and whether they are linked.

    Parameters
    ----------
    layout : str
    info : VolumeInfo
    panes : sequence of PaneState
        Those there are, at least one: what they show of a plane stays with that plane.
    active : int
        Which of them is in use.
    """
    now = panes[active]
    if layout == "single":
        return (), 0, True
    if layout in ("orthogonal", "quad"):
        axes = (2, 1, 0) if info.kind == "medical" else (0, 1, 2)
        return tuple(_pane_of(axis, panes, now) for axis in axes), axes.index(now.axis), True
    if layout == "picture-in-picture":
        # The map beside a section, a section beside the map.
        other = 2 if now.axis != 2 else 0
        return (now, _pane_of(other, panes, now)), 0, True
    if layout == "compare":
        return (now, now), 0, False
    n, n_slices = cells_of(layout).panes, info.axes[now.axis].n
    spread = (min(int((k + 0.5) * n_slices / n), n_slices - 1) for k in range(n))
    return tuple(_at(now, idx) for idx in spread), 0, False


def _pane_of(axis: int, panes: Sequence[PaneState], now: PaneState) -> PaneState:
    """Give the plane across `axis` as it was looked at last, at the place of now."""
    if now.axis == axis:
        return now
    known = next((pane for pane in panes if pane.axis == axis), PaneState(axis=axis))
    return with_shared(known, now)


def _at(pane: PaneState, idx: int) -> PaneState:
    at = list(pane.slice_idx)
    at[pane.axis] = idx
    return msgspec.structs.replace(pane, slice_idx=(at[0], at[1], at[2]), section=None)


def with_shared(pane: PaneState, of: PaneState) -> PaneState:
    """Return the pane with what linked panes have in common as `of` has it.

    An oblique plane goes where the place goes.
    """
    shared = {name: getattr(of, name) for name in SHARED_FIELDS}
    section = followed(pane.section, pane.slice_idx, of.slice_idx)
    return msgspec.structs.replace(pane, **shared, section=section)


def pane_sizes_of(layout: str, whole: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    """Sizes of the panes before a page has said them, of all together `whole`; even."""
    width, height = whole
    columns, rows, n = cells_of(layout)
    side = (_even(width / columns), _even(height / rows))
    if layout == "orthogonal":
        return ((side[0], _even(height)), side, side)
    if layout == "picture-in-picture":
        return ((_even(width), _even(height)), (_even(width / 4), _even(height / 4)))
    return (side,) * n


def _even(length: float) -> int:
    return max(int(length) // 2 * 2, 16)


class Rect(NamedTuple):
    """Place of a pane in the picture of all panes, pixels."""

    x: int
    y: int
    width: int
    height: int


class Packing(NamedTuple):
    """Where the panes lie in the picture that the encoder gets, and its size."""

    rects: tuple[Rect, ...]
    width: int
    height: int


@lru_cache(maxsize=64)
def pack(sizes: tuple[tuple[int, int], ...]) -> Packing:
    """Lay panes into one picture of few pixels; alone, a pane is the picture.

    Notes
    -----
    Where they lie on the page plays no part: the frame says which rectangle is which pane. Each
    begins at a whole block of the encoder.

    Raises
    ------
    StateError
        If they do not fit into a picture that encoders take.
    """
    if len(sizes) == 1:
        return Packing((Rect(0, 0, *sizes[0]),), *sizes[0])
    tries = [_in_rows(sizes, per_row) for per_row in range(1, len(sizes) + 1)]
    fitting = [t for t in tries if max(t.width, t.height) <= _PICTURE_MAX_PX]
    if not fitting:
        raise StateError(
            "The panes together are too large for one picture.",
            hint=f"At most {_PICTURE_MAX_PX} pixels a side.",
        )
    return min(fitting, key=lambda packing: packing.width * packing.height)


def _in_rows(sizes: tuple[tuple[int, int], ...], per_row: int) -> Packing:
    rects, y, width = [], 0, 0
    for first in range(0, len(sizes), per_row):
        row, x, bottom = sizes[first : first + per_row], 0, y
        for w, h in row:
            rects.append(Rect(x, y, w, h))
            width, bottom = max(width, x + w), max(bottom, y + h)
            x += _blocks(w)
        y, height = _blocks(bottom), bottom
    # Whole blocks: others are padded, and Chromium cuts the chroma of those at a wrong row.
    return Packing(tuple(rects), _blocks(width), _blocks(height))


def _blocks(length: int) -> int:
    return -(-length // _BLOCK_PX) * _BLOCK_PX
