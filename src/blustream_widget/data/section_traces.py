"""A section whose columns, or rows, run along an axis of the volume: whole traces are read."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples
from blustream_widget.data.section_points import (
    Ints,
    Points,
    Shares,
    blend_corners,
    is_outside,
    voxels_at,
)


def trace_axis(points: Points) -> tuple[int, bool] | None:
    """Say along which axis a section has traces whose voxels are its points.

    Returns
    -------
    axis : int
    is_across : bool
        The rows of the section are the traces; otherwise its columns are.
    """
    for axis in (2, 1, 0):  # the first lies in one piece in most bricks
        if axis in points.moving:
            continue
        others = [other for other in range(3) if other != axis]
        for is_across, (across, run) in enumerate(
            ((points.along, points.down), (points.down, points.along))
        ):
            if len(across[axis]) == 1 and all(len(run[other]) == 1 for other in others):
                return axis, bool(is_across)
    return None


class _Layer(NamedTuple):
    """One brick along the traces: its number, the points of a trace in it, and their voxels."""

    number: int
    points: slice
    voxels: slice | npt.NDArray[np.intp]


class _Tile(NamedTuple):
    """Traces whose voxels lie in the same bricks.

    Places of the corners in a brick, shape (corners, n), and weights, shape (n, 1).
    """

    i: npt.NDArray[np.intp]
    j: npt.NDArray[np.intp]
    shares: list[Shares]


class TraceSampler:
    """Samples a section trace by trace, as `SectionSampler` says.

    Parameters
    ----------
    points : Points
    size : int
        Of a brick, a power of two.
    dtype : dtype
        Of the values.
    axis, is_across
        What `trace_axis` says of the points.

    Notes
    -----
    Between the voxels of the two other axes there are up to four traces to a column. Where they
    lie in one brick, they are blended as the brick comes; the others, some percent, at the end.
    """

    def __init__(
        self, points: Points, size: int, dtype: np.dtype[Any], *, axis: int, is_across: bool
    ) -> None:
        self._size, self._axis, self._is_across = size, axis, is_across
        self._dtype = dtype
        self._others = [other for other in range(3) if other != axis]
        across, run = points.along, points.down
        n_traces, n_run = points.n_columns, points.n_rows
        if is_across:
            across, run, n_traces, n_run = run, across, n_run, n_traces
        self._values = np.full((n_traces, n_run), np.nan, dtype)
        places = [across[other] + run[other] for other in self._others]
        self._lay_traces([np.broadcast_to(at, n_traces).copy() for at in places], points)
        self._lay_run(np.broadcast_to(across[axis] + run[axis], n_run).copy(), points)
        self._counts = [points.voxel_counts[other] for other in self._others]
        self._begin_bricks()

    def _lay_traces(self, places: list[Ints], points: Points) -> None:
        """Sort the traces by the tile of bricks that they go through."""
        size = self._size
        is_out = np.zeros(len(places[0]), bool)
        is_split = np.zeros(len(places[0]), bool)
        index: list[Ints] = []
        share_of: dict[int, Shares] = {}
        steps = [(0, 0)]
        for k, (axis, at) in enumerate(zip(self._others, places, strict=True)):
            n = points.voxel_counts[axis]
            is_out |= is_outside(at, n)
            voxel, share = voxels_at(at, n, is_between=axis in points.moving)
            index.append(voxel.astype(np.intp))
            if share is not None:
                share_of[k] = share
                is_split |= voxel % size == size - 1
                steps += [(a + (k == 0), b + (k == 1)) for a, b in steps]
        self._steps = np.array(steps, np.intp)
        shares = list(share_of.values())
        inner, outer = np.flatnonzero(~is_out & ~is_split), np.flatnonzero(~is_out & is_split)
        self._inner = _Traces(inner, [i[inner] for i in index], size)
        self._shares = [share[inner][self._inner.order, None] for share in shares]
        self._split_at = outer
        self._split_shares = [share[outer, None] for share in shares]
        corners = []
        for k, steps_k in enumerate(self._steps.T):
            # No brick is asked for whose voxel has no weight.
            has_weight = share_of[k][outer] > 0 if k in share_of else False
            corners.append(np.concatenate([index[k][outer] + s * has_weight for s in steps_k]))
        self._outer = _Traces(np.arange(len(corners[0])), corners, size)
        shape = (len(self._steps) * len(outer), self._values.shape[1])
        self._corners = np.full(shape, np.nan, self._dtype)

    def _lay_run(self, at: Ints, points: Points) -> None:
        """Note which points along the traces lie in which layer of bricks."""
        n = points.voxel_counts[self._axis]
        inside = np.flatnonzero(~is_outside(at, n))
        self._run = voxels_at(at, n, is_between=False)[0].astype(np.intp)
        layer = self._run[inside] // self._size
        starts = np.flatnonzero(np.diff(layer, prepend=-1)).tolist()
        self._layers = []
        for a, b in pairwise([*starts, len(layer)]):
            rows = slice(int(inside[a]), int(inside[b - 1]) + 1)
            number = int(layer[a])
            voxels = _as_slice(self._run[rows] - number * self._size)
            self._layers.append(_Layer(number, rows, voxels))

    def _begin_bricks(self) -> None:
        tiles = sorted(self._inner.spans.keys() | self._outer.spans.keys())
        self._places = [(tile, layer) for tile in tiles for layer in self._layers]
        bricks = np.empty((len(self._places), 3), np.intp)
        for row, (tile, layer) in zip(bricks, self._places, strict=True):
            row[self._others], row[self._axis] = tile, layer.number
        self.bricks = bricks
        self._tiles = {tile: self._tile_of(tile) for tile in self._inner.spans}

    def _tile_of(self, tile: tuple[int, int]) -> _Tile:
        """Give what is the same for all bricks that the traces of a tile go through."""
        span, places = self._inner.spans[tile], []
        for k, (n, first) in enumerate(zip(self._counts, tile, strict=True)):
            index = self._inner.index[k][span] + self._steps[:, k, None]
            # A voxel without weight may lie beyond the end of a volume one voxel thick.
            places.append(np.minimum(index, n - 1) - first * self._size)
        return _Tile(places[0], places[1], [share[span] for share in self._shares])

    def take(self, place: int, brick: Samples) -> None:
        """Take the values of `bricks[place]`, exactly."""
        at, layer = self._places[place]
        cube = brick.transpose(*self._others, self._axis)
        tile = self._tiles.get(at)
        if tile is not None:
            found = _traces_of(cube, tile.i, tile.j)[..., layer.voxels]
            self._values[self._inner.at[at], layer.points] = blend_corners(
                found.astype(self._dtype, copy=False), tile.shares
            )
        span = self._outer.spans.get(at)
        if span is not None:
            i, j = (
                index[span] - first * self._size
                for index, first in zip(self._outer.index, at, strict=True)
            )
            found = _traces_of(cube, i, j)[..., layer.voxels]
            self._corners[self._outer.at[at], layer.points] = found

    def preview(
        self, place: int, brick: Samples, *, shift: int, first: tuple[int, int, int]
    ) -> None:
        """Take the nearest voxels of a coarser brick."""
        tile, layer = self._places[place]
        cube = brick.transpose(*self._others, self._axis)
        k = (self._run[layer.points] >> shift) - first[self._axis]
        for traces, values in ((self._inner, self._values), (self._outer, self._corners)):
            span = traces.spans.get(tile)
            if span is not None:
                i, j = (
                    (index[span] >> shift) - first[axis]
                    for index, axis in zip(traces.index, self._others, strict=True)
                )
                values[traces.at[tile], layer.points] = cube[i[:, None], j[:, None], k]

    def values(self, *, is_final: bool) -> npt.NDArray[np.floating[Any]]:
        """Give all values as they are now, shape (n_columns, n_rows)."""
        values = self._values if is_final else self._values.copy()
        if len(self._split_at):
            shape = (len(self._steps), len(self._split_at), values.shape[1])
            corners = self._corners.reshape(shape).copy()
            values[self._split_at] = blend_corners(corners, self._split_shares)
        return values.T if self._is_across else values


class _Traces:
    """Traces sorted by the tile of bricks that they go through.

    Parameters
    ----------
    at : ndarray of intp, shape (n,)
        Row of an array that each belongs to.
    index : two ndarray of intp
        Voxels of the two other axes.
    size : int
        Of a brick.

    Attributes
    ----------
    order : ndarray
        What sorts them.
    spans : dict
        By tile (numbers of its bricks along the two axes), where its traces lie.
    at : dict
        By tile, the rows of the array.
    """

    def __init__(self, at: npt.NDArray[np.intp], index: list[Ints], size: int) -> None:
        tiles = [i // size for i in index]
        self.order = np.lexsort((tiles[1], tiles[0]))
        first, second = (tile[self.order] for tile in tiles)
        self.index = [i[self.order] for i in index]
        at = at[self.order]
        is_new = np.ones(len(at), bool)
        is_new[1:] = (first[1:] != first[:-1]) | (second[1:] != second[:-1])
        starts = np.flatnonzero(is_new).tolist()
        self.spans: dict[tuple[int, int], slice] = {}
        self.at: dict[tuple[int, int], Any] = {}
        for a, b in pairwise([*starts, len(at)]):
            tile = (int(first[a]), int(second[a]))
            self.spans[tile] = slice(a, b)
            self.at[tile] = _as_slice(at[a:b])


def _as_slice(index: npt.NDArray[np.intp]) -> slice | npt.NDArray[np.intp]:
    """Give a slice of the same elements where they follow each other."""
    if np.all(np.diff(index) == 1):
        return slice(int(index[0]), int(index[-1]) + 1)
    return index


def _traces_of(cube: Samples, i: Ints, j: Ints) -> npt.NDArray[Any]:
    """Whole traces of a brick, which are its last axis; a copy."""
    if cube.flags.c_contiguous:  # four times as fast
        rows = cube.reshape(-1, cube.shape[2])
        found: npt.NDArray[Any] = rows.take(i * cube.shape[1] + j, axis=0, mode="clip")
    else:
        found = cube[i, j]
    return found
