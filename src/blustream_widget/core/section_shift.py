"""A section's grid seen otherwise: from another volume, at another level."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.section_grid import Floats, SectionGrid
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


def voxels_across(grid: SectionGrid, info: VolumeInfo) -> Floats:
    """Give the step of one voxel along a section's normal, in indices: shape (1, 3).

    It goes the way in which the index grows that changes most: that of a slice's own axis. A fence
    has a normal for each piece of its line, shape (n, 3), all on the same side of it and equally
    long in the world: one voxel where that is the shortest, and less elsewhere. The first piece
    says which side.
    """
    matrix = world_matrix(info)
    if grid.nodes:
        along = matrix @ np.diff(np.array(grid.columns), axis=1)
        down = matrix @ np.array([step for _, step in grid.rows])
        normals = np.cross(along.T, down)
        normals /= np.linalg.norm(normals, axis=1)[:, None]
    else:
        assert isinstance(grid.section, Oblique)
        normals = normal_of(grid.section)[None]
    steps = np.linalg.solve(matrix, normals.T).T
    steps = np.round(steps / np.linalg.norm(steps, axis=1).max(), 12) + 0.0
    steps *= np.sign(steps[0, np.abs(steps[0]).argmax()])
    found: Floats = steps
    return found


def beside(grid: SectionGrid, by: Floats) -> SectionGrid:
    """Give a section's grid moved by a difference of indices, as `voxels_across` counts it.

    The pieces of a fence move each its own way: at its bends columns jump from the end of one to
    the beginning of the next.
    """
    if not grid.nodes:
        moved = ((at + d, step) for (at, step), d in zip(grid.columns, by[0].tolist(), strict=True))
        return replace(grid, columns=tuple(moved))
    ends = np.repeat(np.array(grid.columns), 2, axis=1)[:, 1:-1] + np.repeat(by.T, 2, axis=1)
    nodes = np.repeat(np.array(grid.nodes), 2)[1:-1]
    return replace(grid, nodes=tuple(nodes.tolist()), columns=tuple(map(tuple, ends.tolist())))
