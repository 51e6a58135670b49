"""The coarsest level of channels, kept in memory: what a slice shows at once, wherever it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.grid import brick_counts, lod_shape
from blustream_widget.data.source import BrickKey

if TYPE_CHECKING:
    from blustream_widget.data.cache import BrickCache
    from blustream_widget.data.fetch import BrickFetcher
    from blustream_widget.data.seats import Seats

# The coarsest level is read before anything else; a volume without levels must not be.
_RESIDENT_BYTES = 32 << 20


class CoarsestLevels:
    """Channels whose coarsest level stays. The reader's lock is held by who calls.

    Parameters
    ----------
    info : VolumeInfo
    cache : BrickCache
    fetcher : BrickFetcher
    seats : Seats
    """

    def __init__(
        self, info: VolumeInfo, cache: BrickCache, fetcher: BrickFetcher, seats: Seats
    ) -> None:
        self._info, self._cache, self._fetcher, self._seats = info, cache, fetcher, seats
        self._resident: dict[int, list[BrickKey]] = {}

    def load(self, channel: int) -> None:
        """Keep the coarsest level of a channel in memory, if that is little.

        Of a series, that of the steps looked at last, as many as there are slices side by side.
        """
        if channel in self._resident:
            self._resident[channel] = self._resident.pop(channel)
            return
        most = max(len(self._info.channels), len(self._seats))
        while self._info.time is not None and len(self._resident) >= most:
            left = self._resident.pop(next(iter(self._resident)))
            self._cache.keep_no_longer(left)
            self._fetcher.want_no_longer(left)
        self._resident[channel] = []
        lod = self._info.n_lods - 1
        if self.bytes_of(channel) > min(self._cache.budget_bytes // 4, _RESIDENT_BYTES):
            return
        n0, n1, n2 = brick_counts(self._info, lod)
        keys = [
            BrickKey(channel, lod, i0, i1, i2)
            for i0 in range(n0)
            for i1 in range(n1)
            for i2 in range(n2)
        ]
        self._resident[channel] = keys
        for key in keys:
            self._cache.keep(key)
        self._fetcher.want_always(keys)

    def load_again(self) -> None:
        """Read those that are kept once more, after the cache was emptied."""
        shown = list(self._resident) or [0]
        self._resident.clear()
        for channel in shown:
            self.load(channel)

    def bytes_of(self, channel: int) -> int:
        """Size of the coarsest level of a channel, bytes."""
        itemsize = np.dtype(self._info.channel_of(channel).dtype).itemsize
        return math.prod(lod_shape(self._info.shape, self._info.n_lods - 1)) * int(itemsize)
