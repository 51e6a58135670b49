"""A section that lies anyhow in the volume: its columns cut into runs, each in one brick."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples
from blustream_widget.data.section_points import (
    HALF,
    ONE,
    Ints,
    Points,
    Shares,
    blend_corners,
    corner_steps,
    is_outside,
    voxels_at,
)

Spans = list[slice]


class _Runs(NamedTuple):
    """Points that follow each other in a column; each ndarray of shape (n,)."""

    columns: Ints
    rows: Ints
    """The first of each."""
    lengths: Ints

    def chosen(self, at: Any) -> _Runs:
        """Give some of them, by index."""
        return _Runs(self.columns[at], self.rows[at], self.lengths[at])


class RunSampler:
    """Samples any section, as `SectionSampler` says.

    Parameters
    ----------
    points : Points
    size : int
        Of a brick, a power of two.
    counts : tuple of int
        Bricks of the level along each axis.
    dtype : dtype
        Of the values.

    Notes
    -----
    Where a column enters another brick, or the last voxels of one, is found for whole columns: of
    the points outside nothing is ever computed, and those of a brick not before it comes, in the
    cache of the processor. Points whose voxels lie in several bricks, some percent, are looked up
    voxel by voxel.
    """

    def __init__(
        self, points: Points, size: int, counts: tuple[int, int, int], dtype: np.dtype[Any]
    ) -> None:
        self._points, self._size, self._counts, self._dtype = points, size, counts, dtype
        self._values = np.full(points.n_columns * points.n_rows, np.nan, dtype)
        runs = self._cut()
        numbers, is_split = self._bricks_of(runs)
        inner = np.flatnonzero(~is_split)
        inner = inner[np.argsort(numbers[inner], kind="stable")]
        self._runs, numbers = runs.chosen(inner), numbers[inner]
        self._lay_split(runs.chosen(np.flatnonzero(is_split)))
        found = np.union1d(_first_of_each(numbers), _first_of_each(self._split.numbers))
        _, n1, n2 = counts
        self.bricks = np.stack([found // (n1 * n2), found // n2 % n1, found % n2], axis=1)
        self._spans = _spans(numbers, found)
        self._split_spans = _spans(self._split.numbers, found)

    # ------------------------------------------------------------ once

    def _cut(self) -> _Runs:
        """Cut the columns where another brick, or the last voxels of one, or nothing, begins."""
        points = self._points
        n_columns, n_rows = points.n_columns, points.n_rows
        cuts = [np.zeros((1, n_columns), np.intp), np.full((1, n_columns), n_rows, np.intp)]
        for axis in range(3):
            along, down = points.along[axis], points.down[axis]
            if len(down) == 1:
                continue
            limits = self._limits(axis)[:, None]
            # The first row on the other side of each limit.
            if down[0] < down[-1]:
                cut = np.searchsorted(down, limits - along, side="left")
            else:
                cut = np.searchsorted(-down, along - limits, side="right")
            cuts.append(np.broadcast_to(cut, (len(limits), n_columns)))
        by_column = np.sort(np.concatenate(cuts).T, axis=1)
        lengths = np.diff(by_column, axis=1)
        columns, place = np.nonzero(lengths)
        runs = _Runs(columns, by_column[columns, place], lengths[columns, place])
        is_out = np.zeros(len(columns), bool)
        for axis, n in enumerate(points.voxel_counts):
            is_out |= is_outside(self._places(axis, runs.columns, runs.rows), n)
        return runs.chosen(np.flatnonzero(~is_out))

    def _limits(self, axis: int) -> Ints:
        """Places along an axis at which a point has another brick, other corners, or none."""
        points, side = self._points, self._size * ONE
        along, down = points.along[axis], points.down[axis]
        low, high = int(along.min() + down.min()), int(along.max() + down.max())
        n_bricks = self._counts[axis]
        bricks = np.arange(max(low // side, 0) + 1, min(high // side + 2, n_bricks)) * side
        end = points.voxel_counts[axis] * ONE - HALF
        if axis in points.moving:
            bricks = np.concatenate([bricks, bricks - ONE, [(points.voxel_counts[axis] - 1) * ONE]])
        else:
            bricks = bricks - HALF
        limits = np.concatenate([bricks, [-HALF, end + 1]])
        found: Ints = limits[(limits > low) & (limits <= high)]
        return found

    def _bricks_of(self, runs: _Runs) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
        """Give the number of the brick of each run, and whether its corners lie in several."""
        points, size = self._points, self._size
        numbers = np.zeros(len(runs.columns), np.intp)
        is_split = np.zeros(len(runs.columns), bool)
        for axis, n in enumerate(points.voxel_counts):
            at = self._places(axis, runs.columns, runs.rows)
            index, share = voxels_at(at, n, is_between=axis in points.moving)
            numbers *= self._counts[axis]
            numbers += index // size
            if share is not None:
                is_split |= index % size == size - 1
        return numbers, is_split

    def _lay_split(self, runs: _Runs) -> None:
        """Note the corners of points whose voxels lie in several bricks, sorted by brick."""
        points, size = self._points, self._size
        columns, rows = np.repeat(runs.columns, runs.lengths), _count_up(runs.rows, runs.lengths)
        self._split_at = columns * points.n_rows + rows
        self._split_shares: list[Shares] = []
        n_corners = 1 << len(points.moving)
        numbers = np.zeros((n_corners, len(rows)), np.int32)
        local = np.zeros((n_corners, len(rows)), np.int32)
        corners = np.arange(n_corners)[:, None]
        for axis, n in enumerate(points.voxel_counts):
            at = self._places(axis, columns, rows)
            index, share = voxels_at(at, n, is_between=axis in points.moving)
            if share is not None:
                # No brick is asked for whose voxel has no weight.
                index = index + (corners >> len(self._split_shares) & 1) * (share > 0)
                self._split_shares.append(share)
            numbers *= self._counts[axis]
            numbers += (index // size).astype(np.int32)
            local *= size
            local += (index % size).astype(np.int32)
        self._split = _Lookups(numbers.reshape(-1), local.reshape(-1))
        self._corners = np.full(numbers.size, np.nan, self._dtype)

    def _places(self, axis: int, columns: Ints, rows: Ints) -> Ints:
        """Places of points along an axis; one alone where all are the same."""
        along, down = self._points.along[axis], self._points.down[axis]
        return (along if len(along) == 1 else along[columns]) + (
            down if len(down) == 1 else down[rows]
        )

    # ------------------------------------------------------------ brick by brick

    def take(self, place: int, brick: Samples) -> None:
        """Take the values of `bricks[place]`, exactly."""
        flat, steps = _flat_of(brick)
        span, split = self._spans[place], self._split_spans[place]
        if span.start < span.stop:
            moving = self._points.moving
            target, index, shares = self._voxels(place)
            first = (self.bricks[place] * self._size).tolist()
            local = sum(i * step for i, step in zip(index, steps, strict=True))
            local = local - sum(i * step for i, step in zip(first, steps, strict=True))
            corners = corner_steps([steps[axis] for axis in moving])[:, None] + local
            found = flat.take(corners, mode="clip").astype(self._dtype, copy=False)
            self._values[target] = blend_corners(found, shares)
        if split.start < split.stop:
            size, local = self._size, self._split.local[split]
            if steps != (size * size, size, 1):
                voxel = (local // (size * size), local // size % size, local % size)
                local = sum(i * step for i, step in zip(voxel, steps, strict=True))
            self._corners[self._split.order[split]] = flat[local]

    def preview(
        self, place: int, brick: Samples, *, shift: int, first: tuple[int, int, int]
    ) -> None:
        """Take the nearest voxels of a coarser brick."""
        flat, steps = _flat_of(brick)

        def nearest(voxel: list[Ints]) -> npt.NDArray[Any]:
            inside = [(i >> shift) - f for i, f in zip(voxel, first, strict=True)]
            found: npt.NDArray[Any] = flat[
                sum(i * step for i, step in zip(inside, steps, strict=True))
            ]
            return found

        span, split = self._spans[place], self._split_spans[place]
        if span.start < span.stop:
            target, index, _ = self._voxels(place)
            self._values[target] = nearest(index)
        if split.start < split.stop:
            size, local = self._size, self._split.local[split]
            i, j, k = (int(b) * size for b in self.bricks[place])
            voxel = [i + local // (size * size), j + local // size % size, k + local % size]
            self._corners[self._split.order[split]] = nearest(voxel)

    def _voxels(self, place: int) -> tuple[Ints, list[Ints], list[Shares]]:
        """Points in a brick: where they belong, their voxels, the weights of those after them."""
        runs, points = self._runs.chosen(self._spans[place]), self._points
        rows = _count_up(runs.rows, runs.lengths)
        target = np.repeat(runs.columns * points.n_rows, runs.lengths)
        target += rows
        index, shares = [], []
        for axis, n in enumerate(points.voxel_counts):
            along, down = points.along[axis], points.down[axis]
            at = along if len(along) == 1 else np.repeat(along[runs.columns], runs.lengths)
            at = at + (down if len(down) == 1 else down.take(rows))
            voxel, share = voxels_at(
                at,
                n,
                is_between=axis in points.moving,
                is_inside=0 < self.bricks[place, axis] < self._counts[axis] - 1,
            )
            index.append(voxel)
            if share is not None:
                shares.append(share)
        return target, index, shares

    def values(self, *, is_final: bool) -> npt.NDArray[np.floating[Any]]:
        """Give all values as they are now, shape (n_columns, n_rows)."""
        values = self._values if is_final else self._values.copy()
        if len(self._split_at):
            corners = self._corners.reshape(-1, len(self._split_at)).copy()
            values[self._split_at] = blend_corners(corners, self._split_shares)
        return values.reshape(self._points.n_columns, self._points.n_rows)


class _Lookups:
    """Voxels in bricks, sorted by brick.

    Parameters
    ----------
    numbers : ndarray of int32, shape (n,)
        Of the brick of each, which come in long runs.
    local : ndarray of int32, shape (n,)
        The voxel in it, counted as in a whole brick in C order.
    """

    def __init__(self, numbers: Ints, local: Ints) -> None:
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        lengths = np.diff(starts, append=len(numbers))
        by_number = np.argsort(numbers[starts], kind="stable")
        starts, lengths = starts[by_number], lengths[by_number]
        self.order = _count_up(starts, lengths)
        self.numbers = np.repeat(numbers[starts], lengths)
        self.local = local[self.order].astype(np.intp)  # `take` converts others each time


def _count_up(firsts: Ints, lengths: Ints) -> npt.NDArray[np.intp]:
    """Count up from each of `firsts`, so many numbers, one after the other."""
    ends = np.cumsum(lengths)
    found = np.arange(int(ends[-1]) if len(ends) else 0)
    found += np.repeat(firsts - (ends - lengths), lengths)
    return found


def _first_of_each(numbers: Ints) -> Ints:
    """Give each of sorted numbers once."""
    found: Ints = numbers[np.flatnonzero(np.diff(numbers, prepend=-1))]
    return found


def _spans(numbers: Ints, bricks: Ints) -> Spans:
    """Where each brick's part lies in sorted numbers."""
    starts = np.searchsorted(numbers, bricks, side="left").tolist()
    ends = np.searchsorted(numbers, bricks, side="right").tolist()
    return [slice(a, b) for a, b in zip(starts, ends, strict=True)]


def _flat_of(brick: Samples) -> tuple[npt.NDArray[Any], tuple[int, int, int]]:
    """Give the voxels as they lie in memory, and the distance of neighbours along each axis."""
    order = sorted(range(3), key=lambda axis: -brick.strides[axis])
    lying = brick.transpose(order)
    flat = lying.reshape(-1)  # a view, but of a brick with gaps
    steps = [0, 0, 0]
    step = 1
    for axis in reversed(order):
        steps[axis] = step
        step *= brick.shape[axis]
    return flat, (steps[0], steps[1], steps[2])
