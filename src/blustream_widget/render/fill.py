"""Colours blended over a picture: a table entry of each voxel, spread over the pixels of it."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.render.scale import Plane, Planes
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.span import Span

Cells: TypeAlias = npt.NDArray[Any]
"""Entries of a table of colours, as they lie on the screen; 0 is what is clear. uint8 or uint16."""

Alphas: TypeAlias = npt.NDArray[np.uint16]
"""Opacities by entry, in 256ths."""

OPAQUE = 256
HALF = 128


def same_alphas(opacity: float, n: int) -> Alphas:
    """Give `n` entries the same opacity, 0 to 1."""
    return np.full(n, round(opacity * OPAQUE), np.uint16)


class Filler:
    """Blends cells into the planes of a picture; one thread.

    Parameters
    ----------
    scratch : Scratch

    Notes
    -----
    With `a` = a cell's opacity in 256ths, a component of a pixel becomes
    ``(base * (256 - a) + colour * a + 128) >> 8``: base colour at 0, the cell's at 1, exactly.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def fill(
        self,
        planes: Planes,
        cells: Cells,
        colors: npt.NDArray[np.uint8],
        alphas: Alphas,
        columns: Span,
        rows: Span,
        *,
        is_halved: bool,
        tile_px: int = 0,
    ) -> None:
        """Blend the colours of cells over what is there.

        Parameters
        ----------
        planes : three ndarray, uint8
            Of the pane; the second and third of half its size if `is_halved`.
        cells : ndarray, shape (rows.count, columns.count), uint16
        colors : ndarray, shape (n, 3), uint8
            Components by entry.
        alphas : ndarray, shape (n,), uint16
            Opacities by entry.
        columns, rows : Span
            Of the first plane.
        is_halved : bool
        tile_px : int
            Only on every other square of so many pixels, an even number; the first is left clear.
            0 = everywhere.
        """
        for k, plane in enumerate(planes):
            is_half = bool(k) and is_halved
            x, y = (columns.halved(), rows.halved()) if is_half else (columns, rows)
            self._blend(plane, cells, colors[:, k], alphas, x, y, tile_px // (2 if is_half else 1))

    def spread(self, name: str, table: Cells, cells: Cells, columns: Span, rows: Span) -> Cells:
        """Give each pixel what the table has for the cell at its centre; of the scratch `name`."""
        # Into arrays that are kept: the pages of fresh ones cost several times the look-up.
        array = self._scratch.array
        across, down = columns.nearest_voxels(), rows.nearest_voxels()
        looked_up = array("looked-up", cells.shape, np.uint16)
        np.take(table, cells, out=looked_up, mode="clip")
        wide = array("wide", (len(cells), len(across)), np.uint16)
        np.take(looked_up, across, axis=1, out=wide, mode="clip")
        found = array(name, (len(down), len(across)), np.uint16)
        np.take(wide, down, axis=0, out=found, mode="clip")
        return found

    def _blend(
        self,
        plane: Plane,
        cells: Cells,
        component: npt.NDArray[np.uint8],
        alphas: Alphas,
        columns: Span,
        rows: Span,
        tile_px: int,
    ) -> None:
        height, width = rows.high_px - rows.low_px, columns.high_px - columns.low_px
        if height <= 0 or width <= 0:
            return
        factor = np.uint16(OPAQUE) - alphas
        term = component * alphas + np.uint16(HALF)
        factor[0], term[0] = OPAQUE, HALF
        part = plane[rows.low_px : rows.high_px, columns.low_px : columns.high_px]
        mixed = self.spread("factor", factor, cells, columns, rows)
        np.multiply(part, mixed, out=mixed)
        mixed += self.spread("term", term, cells, columns, rows)
        mixed >>= 8
        where = _odd_tiles(columns, rows, tile_px) if tile_px else True
        np.copyto(part, mixed, casting="unsafe", where=where)


def trimmed(columns: Span, rows: Span, cells: Cells) -> tuple[Span, Span, Cells]:
    """Leave out what is clear, but for one voxel around: outlines look at it."""
    columns, (left, right) = _trim(columns, np.any(cells, axis=0))
    rows, (top, bottom) = _trim(rows, np.any(cells, axis=1))
    return columns, rows, np.ascontiguousarray(cells[top:bottom, left:right])


def _trim(span: Span, is_used: npt.ArrayLike) -> tuple[Span, tuple[int, int]]:
    used = np.flatnonzero(is_used)
    first, end = max(int(used[0]) - 1, 0), min(int(used[-1]) + 2, span.count)
    first_px = span.first_px + first * span.step_px
    kept = dataclasses.replace(
        span,
        count=end - first,
        first_px=first_px,
        begin_px=max(span.begin_px, first_px),
        end_px=min(span.end_px, first_px + (end - first) * span.step_px),
    )
    return kept, (first, end)


def _odd_tiles(columns: Span, rows: Span, tile_px: int) -> npt.NDArray[np.bool_]:
    across = np.arange(columns.low_px, columns.high_px) // tile_px & 1
    down = np.arange(rows.low_px, rows.high_px) // tile_px & 1
    is_odd: npt.NDArray[np.bool_] = across[None, :] != down[:, None]
    return is_odd
