"""Coarser levels built while the finest is written, in any order, with few bricks in memory."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from blustream_widget.core.types import Channel, Samples, VolumeInfo
from blustream_widget.data.grid import Shape, brick_bounds, brick_counts
from blustream_widget.data.reduce import half
from blustream_widget.data.source import BrickKey

Emit = Callable[[BrickKey, Samples], None]


@dataclass
class _Parent:
    values: Samples
    n_missing: int


class Pyramid:
    """Takes LOD0 bricks, gives every brick of every LOD to `emit` once.

    Parameters
    ----------
    info : VolumeInfo
        Shape, brick size, number of levels, and each channel's dtype and whether it is a label.
    emit : callable
        Gets (key, values), one call at a time.

    Notes
    -----
    `add` may be called from several threads; what is expensive runs outside the lock. A coarser
    brick is held until its eight children are there: in Z order, a few bricks for each level.
    """

    def __init__(self, info: VolumeInfo, emit: Emit) -> None:
        self._info = info
        self._emit = emit
        self._lock = threading.Lock()
        self._parents: dict[BrickKey, _Parent] = {}
        self._counts = [brick_counts(info, lod) for lod in range(info.n_lods)]
        per_channel = math.prod(self._counts[0])
        self._written = [bytearray(per_channel) for _ in info.channels]
        self._n_written = 0
        self._n_bricks = per_channel * len(info.channels)

    @property
    def progress(self) -> float:
        """Share of the LOD0 bricks that were added."""
        return self._n_written / self._n_bricks

    @property
    def held_bytes(self) -> int:
        """Memory of the coarse bricks that wait for children."""
        with self._lock:
            return sum(parent.values.nbytes for parent in self._parents.values())

    def add(self, channel: int, index: Shape, values: Samples) -> None:
        """Add one LOD0 brick, shape clipped at the volume's end.

        Raises
        ------
        ValueError
            The brick does not exist, has another shape, or was added before.
        """
        key = BrickKey(channel, 0, *index)
        lower, upper = brick_bounds(self._info, key)
        expected = tuple(u - v for v, u in zip(lower, upper, strict=True))
        if values.shape != expected:
            raise ValueError(f"{key} has the shape {values.shape}, not {expected}")
        flat = int(np.ravel_multi_index(index, self._counts[0]))
        with self._lock:
            if self._written[channel][flat]:
                raise ValueError(f"{key} was written before")
            self._written[channel][flat] = 1
            self._n_written += 1
        self._pass_on(key, values)

    def finish(self) -> None:
        """Check that nothing is missing.

        Raises
        ------
        ValueError
        """
        if self._n_written < self._n_bricks or self._parents:
            missing = self._n_bricks - self._n_written
            raise ValueError(f"{missing} of {self._n_bricks} bricks were never written")

    def _pass_on(self, key: BrickKey, values: Samples) -> None:
        channel = self._info.channels[key.channel]
        while True:
            with self._lock:
                self._emit(key, values)
            if key.lod + 1 >= self._info.n_lods:
                return
            reduced = half(values, is_label=channel.is_label)
            parent_key = BrickKey(key.channel, key.lod + 1, key.i0 // 2, key.i1 // 2, key.i2 // 2)
            with self._lock:
                complete = self._place(parent_key, key, reduced, channel)
            if complete is None:
                return
            key, values = parent_key, complete

    def _place(
        self, parent_key: BrickKey, child: BrickKey, reduced: Samples, channel: Channel
    ) -> Samples | None:
        """Put a reduced child in its parent; return the parent if it was the last one."""
        parent = self._parents.get(parent_key)
        if parent is None:
            lower, upper = brick_bounds(self._info, parent_key)
            shape = [u - v for v, u in zip(lower, upper, strict=True)]
            parent = _Parent(np.empty(shape, channel.dtype), self._n_children(parent_key))
            self._parents[parent_key] = parent
        corner = [(i % 2) * (self._info.brick_size // 2) for i in child[2:]]
        target = tuple(slice(c, c + n) for c, n in zip(corner, reduced.shape, strict=True))
        parent.values[target] = reduced
        parent.n_missing -= 1
        if parent.n_missing:
            return None
        del self._parents[parent_key]
        return parent.values

    def _n_children(self, parent: BrickKey) -> int:
        counts: Sequence[int] = self._counts[parent.lod - 1]
        return math.prod(min(2, n - 2 * i) for n, i in zip(counts, parent[2:], strict=True))
