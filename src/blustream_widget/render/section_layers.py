"""What lies over a section: points of another volume at the very places of the section's own."""

from __future__ import annotations

import math

import numpy as np

from blustream_widget.core.alignment import SAME_GRID, Alignment
from blustream_widget.core.section_grid import NORMAL, SectionGrid, SectionRead
from blustream_widget.core.section_shift import aligned, at_level, voxels_per_step
from blustream_widget.core.types import SliceData, VolumeInfo
from blustream_widget.render.layers import LayerView
from blustream_widget.render.view import SliceView

# Points to each side among which the one is found that is read from a voxel.
_AROUND = 2


def plan_on_section(
    view: SliceView, alignment: Alignment, info: VolumeInfo, channel: int, *, is_smooth: bool
) -> LayerView:
    """Say what of another volume lies on the section that is shown.

    Parameters
    ----------
    view : SliceView
        Of the shown volume, with a section.
    alignment : Alignment
    info : VolumeInfo
        The other volume.
    channel : int
        Of it.
    is_smooth : bool
        Values linear between its voxels; else, and for labels, those of the nearest.
    """
    assert view.section is not None
    shown = view.section.grid
    grid = aligned(shown, alignment)
    # Not -1 for steps that are one voxel long but for rounding.
    lod = math.floor(view.lod + math.log2(voxels_per_step(grid)) + 1e-6)
    lod = min(max(lod, 0), info.n_lods - 1)
    a0, a1, b0, b1 = view.region
    ends = (a0 >> view.lod, -(-a1 >> view.lod), b0 >> view.lod, -(-b1 >> view.lod))
    region = view.region if lod == view.lod else tuple(end << lod for end in ends)
    return LayerView(
        axis=NORMAL,
        slice_idx=0,
        channel=channel,
        lod=lod,
        region=(region[0], region[1], region[2], region[3]),
        alignment=SAME_GRID,
        shape=(1, shown.n_columns, shown.n_rows),
        section=SectionRead(at_level(grid, view.lod, lod), is_smooth),
        shown=shown,
        shown_lod=view.lod,
    )


def point_of(view: LayerView, data: SliceData, voxel: tuple[int, int, int]) -> float | None:
    """Value that was read for a voxel of the shown volume which a section goes through.

    Parameters
    ----------
    view : LayerView
        Of a section.
    data : SliceData
        As read for it.
    voxel : tuple of int
        Of the shown volume.

    Returns
    -------
    float or None
        At the point nearest to its centre, of those that the voxel is the nearest one of; None
        where the section does not go through it, where there is no value, or none is here yet.
    """
    assert view.shown is not None
    at = _nearest(view.shown, voxel, view.shown_lod)
    if at is None:
        return None
    a, b = at[0] - data.origin[0], at[1] - data.origin[1]
    if not (0 <= a < data.values.shape[0] and 0 <= b < data.values.shape[1]):
        return None
    value = float(data.values[a, b])
    return value if math.isfinite(value) else None


def is_on(grid: SectionGrid, voxel: tuple[int, int, int]) -> bool:
    """Whether a section goes through a voxel: it is the nearest one of a point."""
    return _nearest(grid, voxel, 0) is not None


def _nearest(grid: SectionGrid, voxel: tuple[int, int, int], lod: int) -> tuple[int, int] | None:
    """Point of a level, column and row, for a voxel of the volume; None: it lies elsewhere."""
    best: tuple[float, int, int] | None = None
    for column, row in _feet(grid, voxel):
        columns = round(column) + np.arange(-_AROUND, _AROUND + 1, dtype=float)
        rows = round(row) + np.arange(-_AROUND, _AROUND + 1, dtype=float)
        along, down = grid.along(columns), grid.down(rows)
        off = np.stack([np.add.outer(f, g) - v for f, g, v in zip(along, down, voxel, strict=True)])
        # As the nearest voxel of a point is found, and as a page finds that of its pointer.
        is_of = ((off >= -0.5) & (off < 0.5)).all(axis=0)
        far = np.where(is_of, (off**2).sum(axis=0), np.inf)
        c, r = np.unravel_index(int(far.argmin()), far.shape)
        found = (float(far[c, r]), int(columns[c]), int(rows[r]))
        if math.isfinite(found[0]) and (best is None or found < best):
            best = found
    return None if best is None else (best[1] >> lod, best[2] >> lod)


def _feet(grid: SectionGrid, voxel: tuple[int, int, int]) -> list[tuple[float, float]]:
    """Column and row of the points nearest to a voxel; of a fence, one on each of its pieces."""
    steps = np.array([step for _, step in grid.rows])
    if not grid.nodes:
        ways = np.stack([[step for _, step in grid.columns], steps], axis=1)
        start = [f[0] + g[0] for f, g in zip(grid.columns, grid.rows, strict=True)]
        column, row = np.linalg.lstsq(ways, np.subtract(voxel, start), rcond=None)[0]
        return [(float(column), float(row))]
    row = float((np.subtract(voxel, [at for at, _ in grid.rows]) @ steps) / (steps @ steps))
    ends, nodes = np.array(grid.columns).T, np.array(grid.nodes)
    ways = np.diff(ends, axis=0)
    off = np.where(steps == 0, np.array(voxel, float) - ends[:-1], 0.0)
    share = ((off * ways).sum(axis=1) / (ways**2).sum(axis=1)).clip(0, 1)
    return [(float(c), row) for c in nodes[:-1] + share * np.diff(nodes)]
