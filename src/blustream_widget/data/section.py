"""A section sampled from bricks as they arrive: values at the points of its grid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import brick_counts
from blustream_widget.data.section_points import (
    BLOCK_POINTS,
    Block,
    Ints,
    Points,
    blend,
    data_of,
    value_dtype,
)
from blustream_widget.data.source import BrickKey, TileKey

_Rows: TypeAlias = list[npt.NDArray[Any]]


def _runs(numbers: Ints) -> tuple[npt.NDArray[np.intp], Ints]:
    """Order that sorts numbers which come in long runs, stable, and the sorted numbers.

    Only the runs are sorted.
    """
    starts = np.concatenate(([0], np.flatnonzero(numbers[1:] != numbers[:-1]) + 1))
    lengths = np.diff(starts, append=len(numbers))
    by_number = np.argsort(numbers[starts], kind="stable")
    starts, lengths = starts[by_number], lengths[by_number]
    firsts = np.cumsum(lengths) - lengths
    order = np.repeat(starts - firsts, lengths) + np.arange(len(numbers))
    return order, np.repeat(numbers[starts], lengths)


class _Lookups:
    """Places in bricks, sorted by brick.

    Parameters
    ----------
    bricks : ndarray, int32, shape (n,)
        Number of the brick of each place.
    local : ndarray, int32, shape (n,)
        The voxel in it, counted as in a whole brick in C order.
    """

    def __init__(self, bricks: Ints, local: Ints) -> None:
        self.order, self._sorted = _runs(bricks) if len(bricks) else (np.empty(0, np.intp), bricks)
        self.local: Ints = local[self.order].astype(np.intp)  # `take` converts others each time

    def brick_numbers(self) -> Ints:
        """Bricks that there are places in, ascending."""
        if not len(self._sorted):
            return self._sorted
        is_first = np.concatenate(([True], self._sorted[1:] != self._sorted[:-1]))
        result: Ints = self._sorted[is_first]
        return result

    def spans(self, bricks: Ints) -> list[slice]:
        """Where the places of each brick lie."""
        starts = np.searchsorted(self._sorted, bricks, side="left").tolist()
        ends = np.searchsorted(self._sorted, bricks, side="right").tolist()
        return [slice(a, b) for a, b in zip(starts, ends, strict=True)]


class SectionComposite:
    """A section put together like a `Composite`: sharper with every brick that arrives.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
        With a section; its region is in points of the section.
    cache : BrickCache
        What is in it is shown from the start.

    Notes
    -----
    Points are sorted by the brick they lie in once; then a brick costs one call for each corner.
    Those whose voxels lie in several bricks, some percent, are looked up voxel by voxel.
    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, info: VolumeInfo, spec: SliceSpec, cache: BrickCache) -> None:
        assert spec.section is not None
        self.spec = spec
        self._info = info
        self._size = info.brick_size
        self._counts = brick_counts(info, spec.lod)
        self._dtype = value_dtype(info.channels[spec.channel].dtype)
        points = Points(spec.section, info.shape, spec.lod, spec.lod_region)
        self._shape = (points.n_columns, points.n_rows)
        self._values = np.full(points.n_columns * points.n_rows, np.nan, self._dtype)
        self._lay(points)
        self._begin_cells()
        self._given_up: set[int] = set()
        self._shown: SliceData | None = None
        self._fill(cache)

    # ------------------------------------------------------------ once

    def _lay(self, points: Points) -> None:
        """Sort the points by brick; note the corners of those whose voxels lie in several."""
        size, moving = self._size, points.moving
        bits = size.bit_length() - 1  # a power of two
        inner: list[_Rows] = []
        outer: list[_Rows] = []
        for block in points.blocks(BLOCK_POINTS):
            bricks = [index >> bits for index in block.index]
            locals_ = [index & (size - 1) for index in block.index]
            is_left_out = block.is_outside
            for axis in moving:
                is_last = locals_[axis] == size - 1
                if is_last.any():
                    is_left_out = is_last if is_left_out is None else is_left_out | is_last
            chosen = None if is_left_out is None else ~block.whole(is_left_out)
            at: Any = slice(None) if chosen is None else np.flatnonzero(chosen)
            rows = (self._number(bricks), self._local(locals_), *block.shares)
            n_points = block.shape[0] * block.shape[1]
            places = np.arange(block.first, block.first + n_points)
            inner.append([places[at], *(block.whole(row)[at] for row in rows)])
            if is_left_out is not None and is_left_out is not block.is_outside:
                outer.append(self._corners_of(block, chosen, moving))
        at, number, local, *shares = _joined(inner)
        self._inner = _Lookups(number, local)
        self._at = at[self._inner.order]
        self._shares = [share[self._inner.order] for share in shares]
        self._steps = [(size * size, size, 1)[axis] for axis in moving]
        self._lay_corners(outer, len(moving))

    def _corners_of(self, block: Block, chosen: Any, moving: list[int]) -> _Rows:
        """Voxels of points whose voxels lie in several bricks: place, weights, then each corner."""
        if block.is_outside is not None:
            chosen = chosen | block.whole(block.is_outside)
        at = np.flatnonzero(~chosen)
        shares = [block.whole(share)[at] for share in block.shares]
        near = [block.whole(index)[at] for index in block.index]
        rows: _Rows = [at + block.first, *shares]
        bits = self._size.bit_length() - 1
        for corner in range(1 << len(moving)):
            voxel = list(near)
            for bit, axis in enumerate(moving):
                if corner >> bit & 1:
                    # No brick is asked for whose voxel has no weight.
                    voxel[axis] = voxel[axis] + (shares[bit] > 0)
            rows.append(self._number([index >> bits for index in voxel]))
            rows.append(self._local([index & (self._size - 1) for index in voxel]))
        return rows

    def _lay_corners(self, outer: list[_Rows], n_moving: int) -> None:
        empty: _Rows = [np.empty(0, np.intp)]
        empty += [np.empty(0, np.int32)] * (n_moving + (2 << n_moving))
        at, *rest = _joined(outer) if outer else empty
        self._split_at = at
        self._split_shares = rest[:n_moving]
        corners = rest[n_moving:]
        self._outer = _Lookups(np.concatenate(corners[::2]), np.concatenate(corners[1::2]))
        self._corners = np.full(len(at) << n_moving, np.nan, self._dtype)

    def _begin_cells(self) -> None:
        found = np.union1d(self._inner.brick_numbers(), self._outer.brick_numbers())
        self._cells: Ints = found.astype(np.int32)
        self._inner_spans = self._inner.spans(self._cells)
        self._outer_spans = self._outer.spans(self._cells)
        n1, n2 = self._counts[1:]
        self._bricks = np.stack(
            [self._cells // (n1 * n2), self._cells // n2 % n1, self._cells % n2], axis=1
        )
        # n_lods stands for "nothing yet".
        self._levels = np.full(len(self._cells), self._info.n_lods, np.int16)
        self._n_open = len(self._cells)
        middle = self._bricks.mean(axis=0) if len(self._cells) else np.zeros(3)
        self._nearest_first = np.argsort(((self._bricks - middle) ** 2).sum(axis=1), kind="stable")
        self._place_of = {int(number): place for place, number in enumerate(self._cells)}

    def _number(self, bricks: Sequence[npt.NDArray[Any]]) -> Ints:
        """Bricks counted through in C order."""
        _, n1, n2 = self._counts
        return np.asarray((bricks[0] * n1 + bricks[1]) * n2 + bricks[2], np.int32)

    def _local(self, voxel: Sequence[npt.NDArray[Any]]) -> Ints:
        size = self._size
        return np.asarray((voxel[0] * size + voxel[1]) * size + voxel[2], np.int32)

    # ------------------------------------------------------------ as a composite

    @property
    def is_complete(self) -> bool:
        """Nothing finer is wanted."""
        return not self._n_open

    def leading(self, step: int) -> int:
        """Nothing moves ahead of a section: what is beside it lies in its own bricks mostly."""
        del step
        return 0

    def keys(self, lod: int, step: int = 0) -> tuple[BrickKey, ...]:
        """Bricks of `lod` that the section is made of, nearest its middle first."""
        return () if step else self._keys(lod, self._nearest_first)

    def missing(self, lod: int) -> list[BrickKey]:
        """Those of `keys(lod)` that would make some part finer."""
        near = self._nearest_first
        return list(self._keys(lod, near[self._levels[near] > lod]))

    def tile_keys(self, tile_size: int, slice_idx: int | None = None) -> tuple[TileKey, ...]:
        """None: stored tiles are of slices."""
        del tile_size, slice_idx
        return ()

    def missing_tiles(self, tile_size: int) -> list[TileKey]:
        """None."""
        del tile_size
        return []

    def put(self, key: BrickKey | TileKey, values: Samples) -> bool:
        """Take a brick where that makes the section finer; say whether it did."""
        if isinstance(key, TileKey) or key.channel != self.spec.channel:
            return False
        shift = key.lod - self.spec.lod
        if shift < 0:
            return False
        if shift == 0:
            place = self._place_of.get(self._key_number(key))
            if place is None or self._levels[place] <= key.lod:
                return False
            self._take(place, values)
        else:
            under = (self._bricks >> shift == np.array(key[2:])).all(axis=1)
            places = np.flatnonzero(under & (self._levels > key.lod))
            if not len(places):
                return False
            for under_it in places.tolist():
                self._preview(under_it, key, values)
        self._shown = None
        return True

    def give_up(self, key: BrickKey) -> bool:
        """Wait no longer for a brick that cannot be read; say whether it was waited for."""
        if key.lod != self.spec.lod or key.channel != self.spec.channel:
            return False
        place = self._place_of.get(self._key_number(key))
        if place is None:
            return False
        self._given_up.add(place)
        self._shown = None
        return True

    def snapshot(self) -> SliceData:
        """Return the section as it is now; the same object again if nothing has changed."""
        if self._shown is None:
            values = self._values.copy()
            if len(self._split_at):
                n = len(self._split_at)
                values[self._split_at] = blend(
                    lambda at: self._corners[at],
                    np.arange(n, dtype=np.int32),
                    [n << bit for bit in range(len(self._split_shares))],
                    self._split_shares,
                )
            lost = sum(bool(self._levels[place] > self.spec.lod) for place in self._given_up)
            n_cells = len(self._cells)
            self._shown = data_of(
                self.spec,
                values.reshape(self._shape),
                coarsest_lod=int(self._levels.max()) if n_cells else self.spec.lod,
                progress=1 - (self._n_open - lost) / n_cells if n_cells else 1.0,
            )
        return self._shown

    # ------------------------------------------------------------ values

    def _fill(self, cache: BrickCache) -> None:
        for place, key in enumerate(self._keys(self.spec.lod, np.arange(len(self._cells)))):
            brick = cache.find(key)
            if brick is not None:
                self._take(place, brick)
        for lod in range(self.spec.lod + 1, self._info.n_lods):
            if not self._n_open or self._levels.max() <= lod:
                return
            for key in self.missing(lod):
                brick = cache.find(key)
                if brick is not None:
                    self.put(key, brick)

    def _take(self, place: int, brick: Samples) -> None:
        """Sample the own level, exactly."""
        flat, steps = _flat_of(brick)
        is_whole = steps == (self._size * self._size, self._size, 1)
        span, outer = self._inner_spans[place], self._outer_spans[place]
        if span.start < span.stop:
            local = self._inner.local[span]
            self._values[self._at[span]] = blend(
                lambda at: flat.take(at, mode="clip").astype(self._dtype, copy=False),
                local if is_whole else self._restepped(local, steps),
                self._steps if is_whole else self._steps_of(steps),
                [share[span] for share in self._shares],
            )
        if outer.start < outer.stop:
            local = self._outer.local[outer]
            self._corners[self._outer.order[outer]] = flat[
                local if is_whole else self._restepped(local, steps)
            ]
        if self._levels[place] > self.spec.lod:
            self._n_open -= 1
        self._levels[place] = self.spec.lod

    def _preview(self, place: int, key: BrickKey, brick: Samples) -> None:
        """Take the nearest voxels of a coarser brick."""
        shift, size = key.lod - self.spec.lod, self._size
        corner = self._bricks[place] * size
        flat, steps = _flat_of(brick)

        def at(local: Ints) -> Ints:
            voxel = (local // (size * size), local // size % size, local % size)
            index: Any = 0
            for axis in range(3):
                inside = (voxel[axis] + corner[axis] >> shift) - key[2 + axis] * size
                index = index + inside * steps[axis]
            return np.asarray(index, np.int32)

        span, outer = self._inner_spans[place], self._outer_spans[place]
        self._values[self._at[span]] = flat[at(self._inner.local[span])]
        self._corners[self._outer.order[outer]] = flat[at(self._outer.local[outer])]
        self._levels[place] = key.lod

    def _restepped(self, local: Ints, steps: tuple[int, int, int]) -> Ints:
        """Voxels of a brick that lies otherwise in memory than a whole one in C order."""
        size = self._size
        i, j, k = local // (size * size), local // size % size, local % size
        return np.asarray(i * steps[0] + j * steps[1] + k * steps[2], np.int32)

    def _steps_of(self, steps: tuple[int, int, int]) -> list[int]:
        whole = (self._size * self._size, self._size, 1)
        return [steps[whole.index(step)] for step in self._steps]

    # ------------------------------------------------------------ keys

    def _key_number(self, key: BrickKey) -> int:
        _, n1, n2 = self._counts
        return (key.i0 * n1 + key.i1) * n2 + key.i2

    def _keys(self, lod: int, places: npt.NDArray[np.intp]) -> tuple[BrickKey, ...]:
        channel, bricks = self.spec.channel, self._bricks[places] >> (lod - self.spec.lod)
        keys = (BrickKey(channel, lod, i, j, k) for i, j, k in bricks.tolist())
        return tuple(dict.fromkeys(keys))


def _joined(blocks: list[_Rows]) -> _Rows:
    """Put what several blocks say of their points into one."""
    return [np.concatenate(rows) for rows in zip(*blocks, strict=True)]


def _flat_of(brick: Samples) -> tuple[npt.NDArray[Any], tuple[int, int, int]]:
    """Give the voxels as they lie in memory, and the distance of neighbours along each axis."""
    order = np.argsort([-stride for stride in brick.strides], kind="stable")
    lying = brick.transpose(order)
    flat = lying.reshape(-1)  # a view, but of a brick with gaps
    steps = [0, 0, 0]
    step = 1
    for axis in reversed(order.tolist()):
        steps[axis] = step
        step *= brick.shape[axis]
    return flat, (steps[0], steps[1], steps[2])
