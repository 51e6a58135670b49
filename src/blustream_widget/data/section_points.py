"""Where the points of a section lie among voxels, and the values there.

At a point x of the volume, LOD0 voxels, level `lod` has the place ``(x + 0.5) / 2**lod - 0.5``, of
which what the column and what the row say are each rounded to whole 65536ths. There, values are
linear between the voxels of the level along all three axes, beyond the outermost centres those of
the edge; or they are those of the nearest voxel, ``floor(place + 0.5)``. An axis along which a
section does not move is taken at its nearest voxel of a coarse level, as a slice is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.section_grid import SectionGrid, SectionRead
from blustream_widget.core.types import Samples, SliceData
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import lod_shape
from blustream_widget.data.source import Region

Ints: TypeAlias = npt.NDArray[Any]
"""Of 32 bits in a brick, of 64 in a volume."""

Shares: TypeAlias = npt.NDArray[Any]

# What is worked at lies in the second cache.
BLOCK_POINTS = 1 << 16

BITS = 16
ONE = 1 << BITS
"""From a voxel to the next."""
HALF = ONE >> 1
_BELOW = ONE - 1


def clip_to_grid(grid: SectionGrid, region: Region | None) -> Region:
    """Region inside the section with at least one point; all of it for None."""
    n_a, n_b = grid.n_columns, grid.n_rows
    if region is None:
        return Region(0, n_a, 0, n_b)
    a0, b0 = min(max(region.a0, 0), n_a - 1), min(max(region.b0, 0), n_b - 1)
    return Region(a0, min(max(region.a1, a0 + 1), n_a), b0, min(max(region.b1, b0 + 1), n_b))


def value_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Floats that hold the values of a channel exactly, and NaN where there are none."""
    return np.result_type(dtype, np.float32)


class Points:
    """Where the points of a region of a section lie among the voxels of a level.

    Parameters
    ----------
    read : SectionRead
    shape : tuple of int
        The volume's, at LOD0.
    lod : int
    region : Region
        In points of `lod`: columns, then rows.
    voxel_lod : int, optional
        Level of the voxels, if not that of the points.

    Attributes
    ----------
    n_columns, n_rows : int
    moving : list of int
        Axes with places between voxels.
    voxel_counts : tuple of int
        Of the level, along each axis.
    along, down : list of ndarray of int, shape (n_columns,) and (n_rows,), or (1,)
        What the column and what the row adds to the place along each axis; one number where all
        are the same. Rows only rise, or only fall.

    Notes
    -----
    Places are counted in 65536ths of a voxel, which whole numbers of 32 bits hold.
    """

    def __init__(
        self,
        read: SectionRead,
        shape: tuple[int, int, int],
        lod: int,
        region: Region,
        *,
        voxel_lod: int | None = None,
    ) -> None:
        voxel_lod = lod if voxel_lod is None else voxel_lod
        self.n_columns, self.n_rows = region.a1 - region.a0, region.b1 - region.b0
        self.moving: list[int] = []
        self.voxel_counts = lod_shape(shape, voxel_lod)
        self.along: list[Ints] = []
        self.down: list[Ints] = []
        along = read.grid.along(_centres(region.a0, region.a1, lod))
        down = read.grid.down(_centres(region.b0, region.b1, lod))
        side = 1 << voxel_lod
        for axis in range(3):
            column = np.rint(((along[axis] + 0.5) / side - 0.5) * ONE).astype(np.int64)
            row = np.rint(down[axis] / side * ONE).astype(np.int64)
            if np.abs(column).max() + np.abs(row).max() < np.iinfo(np.int32).max - ONE:
                column, row = column.astype(np.int32), row.astype(np.int32)
            column, row = _short(column), _short(row)
            self.along.append(column)
            self.down.append(row)
            is_still = len(column) == len(row) == 1 and voxel_lod > 0
            is_between = np.any(column & _BELOW) or np.any(row & _BELOW)
            if read.is_smooth and is_between and not is_still:
                self.moving.append(axis)

    def blocks(self, n_points: int) -> Iterator[Block]:
        """All columns in turn, about so many points at once."""
        step = max(n_points // self.n_rows, 1)
        for first in range(0, self.n_columns, step):
            yield self._block(first, min(first + step, self.n_columns))

    def _block(self, first: int, end: int) -> Block:
        shape = (end - first, self.n_rows)
        block = Block(first * self.n_rows, shape)
        for axis, n in enumerate(self.voxel_counts):
            along = self.along[axis]
            at = np.add.outer(along[first:end] if len(along) > 1 else along, self.down[axis])
            low, high, last = int(at.min()), int(at.max()), (n - 1) * ONE
            if low < -HALF or high > last + HALF:
                block.leave_out(is_outside(at, n))
            index, share = voxels_at(
                at, n, is_between=axis in self.moving, is_inside=low >= 0 and high < last
            )
            block.index.append(index)
            if share is not None:
                block.shares.append(share)
        return block


def is_outside(at: Ints, n: int) -> npt.NDArray[np.bool_]:
    """Whether places lie beyond the first or the last of `n` voxels."""
    found: npt.NDArray[np.bool_] = (at < -HALF) | (at > (n - 1) * ONE + HALF)
    return found


def voxels_at(
    at: Ints, n: int, *, is_between: bool, is_inside: bool = False
) -> tuple[Ints, Shares | None]:
    """Give the voxels that places along one axis lie at.

    Parameters
    ----------
    at : ndarray of int
        Overwritten.
    n : int
        Voxels along the axis.
    is_between : bool
        Values are linear between voxels; otherwise those of the nearest.
    is_inside : bool
        All places are known to lie between the centres of the first and the last voxel.

    Returns
    -------
    index : ndarray of int
        The voxel at or before each place, never the last one of several; or the nearest.
    share : ndarray of float32 or None
        Weight of the voxel after it.
    """
    if not is_between:
        at += HALF
        at >>= BITS
        return at.clip(0, n - 1, out=at), None
    if not is_inside:
        np.clip(at, 0, min((n - 1) * ONE, np.iinfo(at.dtype).max), out=at)
    index, share = at >> BITS, at & _BELOW
    if not is_inside and n > 1:  # so that there is a voxel after each
        is_last = index == n - 1
        index -= is_last
        share += is_last * at.dtype.type(ONE)
    weight = share.astype(np.float32)
    weight *= 1 / ONE
    return index, weight


class Block:
    """Some columns of `Points`.

    Attributes
    ----------
    first : int
        Number of its first point; points are counted column by column.
    index : list of ndarray of int
        Along each axis the voxel at or before the point; shapes (C, 1), (1, R), (C, R) or (1, 1).
    shares : list of ndarray of float32
        For each moving axis, weight of the voxel after it.
    is_outside : ndarray of bool or None
        None where none is.
    """

    def __init__(self, first: int, shape: tuple[int, int]) -> None:
        self.first = first
        self.shape = shape
        self.index: list[Ints] = []
        self.shares: list[Shares] = []
        self.is_outside: npt.NDArray[np.bool_] | None = None

    def leave_out(self, outside: npt.NDArray[np.bool_]) -> None:
        """Note points that lie outside the volume."""
        self.is_outside = outside if self.is_outside is None else self.is_outside | outside

    def whole(self, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Give a value for every point, in one row."""
        return np.broadcast_to(values, self.shape).reshape(-1)


def _centres(first: int, end: int, lod: int) -> npt.NDArray[np.float64]:
    """Middles of points of a level, in those of LOD0."""
    return (np.arange(first, end, dtype=np.float64) + 0.5) * (1 << lod) - 0.5


def _short(values: Ints) -> Ints:
    """Give one value where all are the same."""
    return values if np.any(values != values[0]) else values[:1]


def blend(
    take: Callable[[Ints], npt.NDArray[Any]],
    at: Ints,
    steps: Sequence[int],
    shares: Sequence[Shares],
) -> npt.NDArray[Any]:
    """Linear between `at` and a step further along each axis in turn."""
    if not steps:
        return take(at)
    near = blend(take, at, steps[1:], shares[1:])
    far = blend(take, at + at.dtype.type(steps[0]), steps[1:], shares[1:])
    # Not near + (far - near) * share: that is not `far` itself where the share is one.
    share = shares[0]
    far *= share
    near *= 1 - share
    near += far
    return near


def corner_steps(steps: Sequence[int]) -> npt.NDArray[np.intp]:
    """Distance of each corner of a cell from its first, shape (2 ** n,), for `blend_corners`."""
    found = np.zeros(1, np.intp)
    for step in steps:
        found = np.concatenate([found, found + step])
    return found


def blend_corners(values: npt.NDArray[Any], shares: Sequence[Shares]) -> npt.NDArray[Any]:
    """Linear between the corners of cells, as `blend`; a view of `values`, which is overwritten.

    Parameters
    ----------
    values : ndarray of float, shape (2 ** n, ...)
        In the order of `corner_steps`.
    shares : sequence of n ndarray of float32
        Weights of what is further along each axis.
    """
    for share in reversed(shares):
        n = len(values) // 2
        near, far = values[:n], values[n:]
        far *= share
        near *= 1 - share
        near += far
        values = near
    found: npt.NDArray[Any] = values[0]
    return found


def data_of(spec: SliceSpec, values: Samples, *, coarsest_lod: int, progress: float) -> SliceData:
    """Wrap the values of a section, which nobody writes to any more."""
    values.flags.writeable = False
    region = spec.lod_region
    return SliceData(
        values=values,
        axis=spec.axis,
        slice_idx=spec.slice_idx,
        channel=spec.channel,
        lod=spec.lod,
        origin=(region.a0, region.b0),
        coarsest_lod=coarsest_lod,
        progress=progress,
    )
