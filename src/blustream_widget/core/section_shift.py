"""A section's grid seen otherwise: from another volume, at another level."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.section_grid import SectionGrid
from blustream_widget.core.sections import Oblique, normal_of, world_matrix
from blustream_widget.core.types import VolumeInfo


@lru_cache(maxsize=64)
def aligned(grid: SectionGrid, alignment: Alignment) -> SectionGrid:
    """Give the same points in indices of another volume."""
    if alignment.is_same_grid:
        return grid
    columns: list[tuple[float, ...]] = [()] * 3
    rows: list[tuple[float, float]] = [(0.0, 0.0)] * 3
    for here, there in enumerate(alignment.axes):
        scale, offset = alignment.scale[here], alignment.offset[here]
        at, down = grid.columns[here], grid.rows[here]
        if grid.nodes:
            columns[there] = tuple(alignment.there(here, v) for v in at)
        else:
            columns[there] = (at[0] * scale + offset, at[1] * scale)
        rows[there] = (down[0] * scale, down[1] * scale)
    return replace(grid, columns=tuple(columns), rows=tuple(rows))


@lru_cache(maxsize=64)
def at_level(grid: SectionGrid, lod: int, other: int) -> SectionGrid:
    """Give a grid whose points of level `other` are those of level `lod` of this one.

    Where the voxels of another volume are larger, a coarse level of the section needs a finer one
    of that volume.
    """
    if lod == other:
        return grid
    step = 2.0 ** (lod - other)

    def pair(at: tuple[float, ...]) -> tuple[float, float]:
        return (at[0] + at[1] * (step - 1) / 2, at[1] * step)

    return replace(
        grid,
        n_columns=-(-grid.n_columns >> lod) << other,
        n_rows=-(-grid.n_rows >> lod) << other,
        column_step=grid.column_step * step,
        row_step=grid.row_step * step,
        nodes=tuple((node + 0.5) / step - 0.5 for node in grid.nodes),
        columns=grid.columns if grid.nodes else tuple(pair(at) for at in grid.columns),
        rows=tuple(pair(at) for at in grid.rows),
    )


def voxels_per_step(grid: SectionGrid) -> float:
    """Length of the longest step from a point to the next, in voxels of the grid's volume."""
    if grid.nodes:
        pieces = np.diff(np.array(grid.columns), axis=1) / np.diff(np.array(grid.nodes))
        across = float(np.linalg.norm(pieces, axis=0).max())
    else:
        across = float(np.linalg.norm([step for _, step in grid.columns]))
    return max(across, float(np.linalg.norm([step for _, step in grid.rows])))


def voxel_across(grid: SectionGrid, info: VolumeInfo) -> tuple[float, float, float]:
    """Give the step of one voxel along a plane's normal, in indices of the volume.

    It goes the way in which the index grows that changes most: that of a slice's own axis.
    """
    assert isinstance(grid.section, Oblique)
    step = np.linalg.solve(world_matrix(info), normal_of(grid.section))
    step = np.round(step / np.linalg.norm(step), 12) + 0.0
    i, j, k = (float(v) for v in step * np.sign(step[np.abs(step).argmax()]))
    return (i, j, k)


def beside(grid: SectionGrid, by: tuple[float, float, float]) -> SectionGrid:
    """Give a plane's grid moved by a difference of indices."""
    moved = ((at + d, step) for (at, step), d in zip(grid.columns, by, strict=True))
    return replace(grid, columns=tuple(moved))
