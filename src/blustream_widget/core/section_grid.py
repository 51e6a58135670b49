"""The points that a section is sampled at: a grid of columns and rows, as a slice has voxels.

A fence and an oblique plane have one form: index k of the volume at column c and row r is
``f_k(c) + g_k(r)``. The grid is that of a volume of its own, `section_info`, one voxel thick, so
that placing, zooming and rulers need to know nothing of sections.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.sections import (
    Fence,
    Oblique,
    Section,
    box_corners,
    fence_steps,
    horizontal_axes,
    is_upside_down,
    normal_of,
    plane_offset,
    vertical_axis,
    world_matrix,
)
from blustream_widget.core.types import Axis, VolumeInfo

NORMAL, COLUMNS, ROWS = 0, 1, 2
"""Axes of `section_info`."""

_EDGES = [(a, a | 1 << axis) for a in range(8) for axis in range(3) if not a >> axis & 1]
"""Edges of a box, by the numbers of its corners."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SectionGrid:
    """Columns and rows of a section of one volume.

    Parameters
    ----------
    section : Fence or Oblique
    n_columns, n_rows : int
    column_step, row_step : float
        World distance from one to the next. In the volume, both are one voxel long or, of a fence,
        at most that.
    nodes : tuple of float
        Columns, fractional, of the nodes of a fence.
    columns, rows : tuple of tuple of float
        Index of the volume along its three axes: (at the first, per step). Columns of a fence are
        those of each piece of its line, by `nodes`.
    """

    section: Section
    n_columns: int
    n_rows: int
    column_step: float
    row_step: float
    nodes: tuple[float, ...]
    columns: tuple[tuple[float, ...], ...]
    rows: tuple[tuple[float, float], ...]

    def along(self, columns: Floats) -> tuple[Floats, Floats, Floats]:
        """Give what columns, fractional, add to the index along each axis: f_k(c)."""
        if not self.nodes:
            first, second, third = (at + step * columns for at, step in self.columns)
            return first, second, third
        nodes = np.array(self.nodes)
        piece = (np.searchsorted(nodes, columns, side="right") - 1).clip(0, len(nodes) - 2)
        # Beyond the ends the line goes on: the last voxel of a coarse level reaches there.
        share = (columns - nodes[piece]) / (nodes[piece + 1] - nodes[piece])
        first, second, third = (
            np.array(at)[piece] + share * (np.array(at)[piece + 1] - np.array(at)[piece])
            for at in self.columns
        )
        return first, second, third

    def down(self, rows: Floats) -> tuple[Floats, Floats, Floats]:
        """Give what rows, fractional, add to the index along each axis: g_k(r)."""
        first, second, third = (at + step * rows for at, step in self.rows)
        return first, second, third

    def voxel(self, column: float, row: float) -> tuple[float, float, float]:
        """Give the place in the volume, 0-based fractional indices."""
        along, down = self.along(np.array([column])), self.down(np.array([row]))
        i, j, k = (float((c + r)[0]) for c, r in zip(along, down, strict=True))
        return (i, j, k)


@dataclass(frozen=True, slots=True)
class SectionRead:
    """What is read of a section: values linear between voxels, or of the nearest."""

    grid: SectionGrid
    is_smooth: bool


def filled(grid: SectionGrid, info: VolumeInfo) -> tuple[int, int, int, int]:
    """Columns and rows, half open, beyond which a section has left the volume."""
    if grid.nodes:
        return 0, grid.n_columns, 0, grid.n_rows
    start = np.array([c[0] + r[0] for c, r in zip(grid.columns, grid.rows, strict=True)])
    steps = np.array([[c[1], r[1]] for c, r in zip(grid.columns, grid.rows, strict=True)])
    corners = box_corners(info) - start
    beyond = corners @ np.cross(steps[:, 0], steps[:, 1])
    cut = []
    for a, b in _EDGES:
        if beyond[a] * beyond[b] <= 0 and beyond[a] != beyond[b]:
            share = beyond[a] / (beyond[a] - beyond[b])
            cut.append(corners[a] + share * (corners[b] - corners[a]))
    if not cut:
        return 0, grid.n_columns, 0, grid.n_rows
    at = np.array(cut) @ np.linalg.pinv(steps).T
    (c0, r0), (c1, r1) = np.floor(at.min(axis=0)), np.ceil(at.max(axis=0)) + 1
    return (
        *(min(max(int(c0), 0), grid.n_columns - 1), min(max(int(c1), 1), grid.n_columns)),
        *(min(max(int(r0), 0), grid.n_rows - 1), min(max(int(r1), 1), grid.n_rows)),
    )


@lru_cache(maxsize=64)
def _grid_of(section: Section, geometry: VolumeInfo) -> SectionGrid:
    if isinstance(section, Fence):
        return _fence_grid(section, geometry)
    return _plane_grid(section, geometry)


def grid_of(section: Section, info: VolumeInfo) -> SectionGrid:
    """Lay the grid of a checked section.

    Columns of a plane run over all that the volume spans in its directions, wherever the plane
    lies: the picture stays where it is while the plane moves along its normal.

    Raises
    ------
    StateError
        If a fence is too long to be unrolled.
    """
    # Without what knows of values, which cannot be hashed and plays no part.
    return _grid_of(section, msgspec.structs.replace(info, channels=()))


def section_info(info: VolumeInfo, section: Section) -> VolumeInfo:
    """Describe a section as a volume one voxel thick: axis 1 to the right, axis 2 down.

    A vertical section of a survey is a seismic section, which fills the pane; everything else has
    the true aspect ratio.
    """
    grid = grid_of(section, info)
    unit = info.world_unit
    across = Axis(name="distance", unit=unit, n=1, first=0.0, step=1.0, spacing=1.0)
    along = Axis(
        name="distance",
        unit=unit,
        n=grid.n_columns,
        first=0.0,
        step=grid.column_step,
        spacing=grid.column_step,
    )
    stands = is_upright(section, info)
    vertical = info.axes[vertical_axis(info)]
    if stands and grid.rows[vertical_axis(info)] == (0.0, 1.0):
        down = vertical
    else:
        down = Axis(
            name="distance",
            unit=unit,
            n=grid.n_rows,
            first=0.0,
            step=grid.row_step,
            spacing=grid.row_step,
        )
    is_seismic = info.kind == "seismic" and stands
    return msgspec.structs.replace(
        info,
        kind="seismic" if is_seismic else "generic",
        axes=(across, along, down),
        affine=None,
    )


def is_upright(section: Section, info: VolumeInfo) -> bool:
    """Whether rows run along the vertical axis alone, and columns not at all."""
    if isinstance(section, Fence):
        return True
    grid, vertical = grid_of(section, info), vertical_axis(info)
    horizontal = [axis for axis in range(3) if axis != vertical]
    return grid.columns[vertical][1] == 0 and all(grid.rows[a][1] == 0 for a in horizontal)


def _fence_grid(fence: Fence, info: VolumeInfo) -> SectionGrid:
    axes, vertical = horizontal_axes(info), vertical_axis(info)
    lengths, n_steps = fence_steps(fence, info)
    total = float(lengths.sum())
    points = np.array(fence.points)
    columns: list[tuple[float, ...]] = [(0.0,) * len(points)] * 3
    for axis, at in zip(axes, points.T, strict=True):
        columns[axis] = tuple(float(v) for v in at)
    n_rows = info.axes[vertical].n
    rows = [(0.0, 0.0)] * 3
    rows[vertical] = (n_rows - 1.0, -1.0) if is_upside_down(info) else (0.0, 1.0)
    nodes = np.concatenate(([0.0], np.cumsum(lengths))) * n_steps / total
    return SectionGrid(
        section=fence,
        n_columns=n_steps + 1,
        n_rows=n_rows,
        column_step=total / n_steps,
        row_step=info.axes[vertical].spacing,
        nodes=tuple(float(v) for v in nodes),
        columns=tuple(columns),
        rows=tuple(rows),
    )


def _plane_grid(plane: Oblique, info: VolumeInfo) -> SectionGrid:
    matrix = world_matrix(info)
    inverse = np.linalg.inv(matrix)
    world = box_corners(info) @ matrix.T
    right, down, normal = np.array(plane.right), np.array(plane.down), normal_of(plane)
    u0, n_columns, u_step = _steps(world @ right, inverse @ right)
    v0, n_rows, v_step = _steps(world @ down, inverse @ down)
    offset = plane_offset(plane, info)
    start = inverse @ (right * u0 + down * v0 + normal * offset)
    return SectionGrid(
        section=plane,
        n_columns=n_columns,
        n_rows=n_rows,
        column_step=u_step,
        row_step=v_step,
        nodes=(),
        columns=_pairs(start, inverse @ right * u_step),
        rows=_pairs(np.zeros(3), inverse @ down * v_step),
    )


def _steps(ends: Floats, voxels_per_unit: Floats) -> tuple[float, int, float]:
    """First place, number and size of the steps, one voxel long each, that span `ends`."""
    step = 1 / float(np.linalg.norm(voxels_per_unit))
    low, high = float(ends.min()), float(ends.max())
    n = max(int(np.ceil((high - low) / step - 1e-6)), 1)
    return (low + high - (n - 1) * step) / 2, n, step


def _pairs(at: Any, per_step: Any) -> tuple[tuple[float, float], ...]:
    at, per_step = np.round(at, 9) + 0.0, np.round(per_step, 12) + 0.0
    return tuple((float(a), float(s)) for a, s in zip(at, per_step, strict=True))
