"""An array as a volume whose bricks and tiles arrive when the test says so, one by one."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

import msgspec
import numpy as np

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Samples
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.source import AnyKey, BrickKey, BrickRequest, TileKey
from blustream_widget.errors import BlustreamError, BrickReadError
from blustream_widget.testing.fakes import volume_info


class HeldVolume:
    """A `VolumeSource` that answers on `deliver`, and keeps account of what was asked.

    Parameters
    ----------
    array : ndarray, 3-D, or 4-D of a series, its steps first
    brick_size, n_lods : int
    """

    def __init__(self, array: Samples, *, brick_size: int = 16, n_lods: int = 4) -> None:
        *n_steps, n0, n1, n2 = array.shape
        dtype = array.dtype.name
        info = volume_info((n0, n1, n2), dtype=dtype, n_lods=n_lods, brick_size=brick_size)
        self.info = msgspec.structs.replace(info, time=TimeAxis(n_steps[0]) if n_steps else None)
        self.array = array
        self._memory = MemorySource(self.info, (array,))
        # Any: BrickDone or TileDone, by the type of the key.
        self.pending: dict[AnyKey, Any] = {}
        """What was asked and not answered."""
        self.order: list[AnyKey] = []
        """Everything that was asked, in its order."""
        self.ahead: set[AnyKey] = set()
        """What was asked as to be wanted later."""
        self.cancelled: list[AnyKey] = []
        """What was cancelled and not answered by `deliver_all`."""

    def request_brick(self, key: AnyKey, done: Any, *, prefetch: bool = False) -> BrickRequest:
        assert key not in self.pending, "the same brick is asked for twice"
        self.pending[key] = done
        self.order.append(key)
        if prefetch:
            self.ahead.add(key)
        return _HeldRequest(self, key)

    def close(self) -> None:
        """Keep everything: the test decides."""

    def deliver(self, key: AnyKey) -> None:
        """Answer with the values."""
        done = self.pending.pop(key)
        if isinstance(key, BrickKey):
            self._memory.request_brick(key, done)
        else:
            done(key, self._tile(key))

    def answer(self, key: AnyKey, result: Samples | BlustreamError | None) -> None:
        """Answer with something else."""
        self.pending.pop(key)(key, result)

    def deliver_all(self, broken: Container[AnyKey] = ()) -> None:
        """Answer until nothing is asked: cancelled bricks with None, broken ones with errors."""
        while self.pending:
            for key in list(self.pending):
                if key in broken:
                    self.answer(key, BrickReadError(f"broken {key}"))
                elif key in self.cancelled:
                    self.answer(key, None)
                else:
                    self.deliver(key)
                self.cancelled = [other for other in self.cancelled if other != key]

    def _tile(self, key: TileKey) -> Samples:
        plane = np.take(self.array, key.slice_idx, axis=key.axis)
        a, b = key.a * key.size, key.b * key.size
        tile: Samples = plane[a : a + key.size, b : b + key.size]
        return tile


class HeldTiles(HeldVolume):
    """The same for a `TiledSource`."""

    tile_size = 32

    def request_tile(self, key: TileKey, done: Any, *, prefetch: bool = False) -> BrickRequest:
        return self.request_brick(key, done, prefetch=prefetch)


class _HeldRequest(msgspec.Struct):
    source: HeldVolume
    key: AnyKey

    def cancel(self) -> None:
        """Note it."""
        self.source.cancelled.append(self.key)
