"""Slices of a volume, at once and as sharp as memory allows, sharper as bricks arrive."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from blustream_widget.core.types import Samples, SliceData
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.composite import Composite, SliceSpec
from blustream_widget.data.fetch import BrickFetcher
from blustream_widget.data.grid import brick_counts, clip_region, lod_shape
from blustream_widget.data.layout import is_cut_slowly, turned
from blustream_widget.data.source import BrickKey, DirectSource, Region, VolumeSource
from blustream_widget.errors import BlustreamError

ValueDone = Callable[[float | None], None]
_TURNED_PER_READ = 6  # 4 ms once, instead of 0.15 ms for each such brick in every slice
# The coarsest level is read before anything else; a volume without levels must not be.
_RESIDENT_BYTES = 32 << 20
_STEP = 2  # a picture two levels coarser needs a sixteenth of the bricks: it is shown on the way


@dataclass(frozen=True, slots=True)
class _ValueRequest:
    key: BrickKey
    offset: tuple[int, int, int]
    done: ValueDone


class SliceReader:
    """Reads slices without waiting; `on_data` says when more of them is here.

    Parameters
    ----------
    source : VolumeSource
        Stays the caller's to close, after the reader.
    budget_bytes : int
        Of decoded bricks in memory.
    on_data : callable
        Called after something new for the slice last read has arrived, or could not be read.
        From an io thread, or from inside `read`; must return at once.

    Notes
    -----
    `read`, `request_value` and `refresh` belong to one thread at a time; `close` to any.
    """

    def __init__(
        self, source: VolumeSource, *, budget_bytes: int, on_data: Callable[[], None]
    ) -> None:
        self.error: BlustreamError | None = None
        """The last brick that could not be read; None after `refresh`."""
        self._source = source
        self._info = source.info
        self._direct = source if isinstance(source, DirectSource) else None
        self._on_data = on_data
        self._lock = threading.RLock()
        self._cache = BrickCache(budget_bytes)
        self._fetcher = BrickFetcher(
            source, self._cache, self._receive, max_in_flight=2 * (os.cpu_count() or 1)
        )
        self._composite: Composite | None = None
        self._cut: tuple[SliceSpec, SliceData] | None = None
        self._value: _ValueRequest | None = None
        self._resident_channels: set[int] = set()
        self._stale: set[BrickKey] = set()
        self._step = 0
        self._closed = False
        self._load_coarsest(0)

    @property
    def cached_bytes(self) -> int:
        """Decoded bricks in memory, bytes; at most the budget."""
        return self._cache.used_bytes

    def read(
        self, axis: int, slice_idx: int, channel: int, lod: int, region: Region | None = None
    ) -> SliceData:
        """Return a slice as far as it is in memory, and ask for the rest.

        Parameters
        ----------
        axis, slice_idx, channel : int
            Which slice; `slice_idx` in LOD0 voxels.
        lod : int
            Wanted resolution. Coarser than the volume has: its coarsest.
        region : Region, optional
            Part of the slice in LOD0 voxels, widened to whole voxels of `lod` and clipped.

        Returns
        -------
        SliceData
            The very same object as before when nothing has changed. Where nothing is here yet, NaN
            (0 for integers) and `coarsest_lod == info.n_lods`.

        Raises
        ------
        ValueError
            If axis, slice or channel do not exist.
        """
        spec = self._check(axis, slice_idx, channel, lod, region)
        if self._direct is not None:
            return self._read_directly(self._direct, spec)
        with self._lock:
            if self._composite is None or self._composite.spec != spec:
                self._move_to(spec)
            assert self._composite is not None
            return self._composite.snapshot()

    def request_value(self, channel: int, voxel: tuple[int, int, int], done: ValueDone) -> None:
        """Tell the LOD0 value of one voxel: a float, or None for NaN or if it cannot be read.

        `done` is called at once if the value is in memory, else from an io thread. A newer request
        replaces an older one, which is then never answered. A voxel outside gives None.
        """
        inside = all(0 <= v < n for v, n in zip(voxel, self._info.shape, strict=True))
        if not inside or not 0 <= channel < len(self._info.channels):
            done(None)
            return
        size = self._info.brick_size
        i0, i1, i2 = (v // size for v in voxel)
        offset = (voxel[0] % size, voxel[1] % size, voxel[2] % size)
        request = _ValueRequest(BrickKey(channel, 0, i0, i1, i2), offset, done)
        if self._direct is not None:
            a, b = voxel[1], voxel[2]
            values = self._direct.read_slice(0, voxel[0], channel, 0, Region(a, a + 1, b, b + 1))
            done(_plain(values[0, 0]))
            return
        with self._lock:
            brick = self._cache.find(request.key)
            self._value = None if brick is not None else request
            self._fetcher.want_urgently(None if brick is not None else request.key)
        if brick is not None:
            done(_plain(brick[offset]))

    def refresh(self) -> None:
        """Read everything again: the volume was changed in place."""
        with self._lock:
            self.error = None
            self._cut = None
            self._cache.clear()
            self._stale = self._fetcher.restart()
            self._resident_channels.clear()
            self._load_coarsest(0)
            if self._composite is not None:
                self._move_to(self._composite.spec)
        self._on_data()

    def close(self) -> None:
        """Cancel what is on its way and free the memory. May be called twice, from any thread."""
        with self._lock:
            self._closed = True
            self._fetcher.close()
            self._cache.clear()
            self._composite = self._cut = self._value = None

    def _check(
        self, axis: int, slice_idx: int, channel: int, lod: int, region: Region | None
    ) -> SliceSpec:
        if axis not in (0, 1, 2) or not 0 <= channel < len(self._info.channels):
            raise ValueError(f"{self._info.name} has no axis {axis} or channel {channel}")
        if not 0 <= slice_idx < self._info.shape[axis]:
            raise ValueError(f"slice {slice_idx} of {self._info.shape[axis]} on axis {axis}")
        lod = min(max(lod, 0), self._info.n_lods - 1)
        return SliceSpec(axis, slice_idx, channel, lod, clip_region(self._info, axis, region))

    def _read_directly(self, source: DirectSource, spec: SliceSpec) -> SliceData:
        if self._cut is None or self._cut[0] != spec:
            values = source.read_slice(
                spec.axis, spec.slice_idx, spec.channel, spec.lod, spec.region
            )
            origin = (spec.lod_region.a0, spec.lod_region.b0)
            self._cut = (
                spec,
                SliceData(
                    values=values,
                    axis=spec.axis,
                    slice_idx=spec.slice_idx,
                    channel=spec.channel,
                    lod=spec.lod,
                    origin=origin,
                    coarsest_lod=spec.lod,
                    progress=1.0,
                ),
            )
        return self._cut[1]

    def _move_to(self, spec: SliceSpec) -> None:
        self._step = self._direction(spec)
        self._load_coarsest(spec.channel)
        composite = self._composite = Composite(self._info, spec)
        composite.fill(self._cache)
        wanted = composite.missing(spec.lod)
        on_the_way = spec.lod + _STEP
        if wanted and on_the_way < self._info.n_lods:
            wanted = composite.missing(on_the_way) + wanted
        keys = composite.keys(spec.lod)
        self._cache.pin(keys)
        self._turn_some(keys)
        self._fetcher.want(wanted, self._ahead(composite))

    def _direction(self, spec: SliceSpec) -> int:
        if self._composite is None or self._composite.spec.axis != spec.axis:
            return 0
        moved = spec.slice_idx - self._composite.spec.slice_idx
        return (moved > 0) - (moved < 0) if moved else self._step

    def _ahead(self, composite: Composite) -> Sequence[BrickKey]:
        """Bricks of the next layer, once the hand is past the middle of this one."""
        spec, size = composite.spec, self._info.brick_size
        within = (spec.slice_idx >> spec.lod) % size
        is_near = within >= size // 2 if self._step > 0 else within < size // 2
        if self._step == 0 or not is_near:
            return ()
        keys = composite.layer_keys(self._step)
        layer_bytes = len(keys) * self._brick_bytes(spec.channel)
        return (
            keys
            if 2 * layer_bytes + self._coarsest_bytes(spec.channel) <= self._cache.budget_bytes
            else ()
        )

    def _load_coarsest(self, channel: int) -> None:
        """Keep the coarsest level of a channel in memory, if that is little."""
        if self._direct is not None or channel in self._resident_channels:
            return
        self._resident_channels.add(channel)
        lod = self._info.n_lods - 1
        if self._coarsest_bytes(channel) > min(self._cache.budget_bytes // 4, _RESIDENT_BYTES):
            return
        n0, n1, n2 = brick_counts(self._info, lod)
        keys = [
            BrickKey(channel, lod, i0, i1, i2)
            for i0 in range(n0)
            for i1 in range(n1)
            for i2 in range(n2)
        ]
        for key in keys:
            self._cache.keep(key)
        self._fetcher.want_always(keys)

    def _coarsest_bytes(self, channel: int) -> int:
        itemsize = _itemsize(self._info.channels[channel].dtype)
        return math.prod(lod_shape(self._info.shape, self._info.n_lods - 1)) * itemsize

    def _brick_bytes(self, channel: int) -> int:
        return self._info.brick_size**3 * _itemsize(self._info.channels[channel].dtype)

    def _turn_some(self, keys: Sequence[BrickKey]) -> None:
        """Turn a few cached bricks that were read for slices across another axis."""
        assert self._composite is not None
        axis, n_turned = self._composite.spec.axis, 0
        for key in keys:
            brick = self._cache.find(key)
            if brick is None or not is_cut_slowly(brick, axis):
                continue
            self._cache.put(key, turned(brick, axis))
            n_turned += 1
            if n_turned == _TURNED_PER_READ:
                return

    def _receive(self, key: BrickKey, result: Samples | BlustreamError | None) -> None:
        """Take what the source delivers; any thread."""
        answer: tuple[ValueDone, float | None] | None = None
        composite = self._composite
        if composite is not None and isinstance(result, np.ndarray):
            result = turned(result, composite.spec.axis)
        with self._lock:
            if self._closed:
                self._fetcher.settle(key, failed=False)
                return
            if key in self._stale:  # read before `refresh`, perhaps
                self._stale.discard(key)
                result = None
            is_error = isinstance(result, BlustreamError)
            self._fetcher.settle(key, failed=is_error)
            is_news = False
            if isinstance(result, BlustreamError):
                self.error = result
                is_news = True
            elif result is not None:
                self._cache.put(key, result)
                is_news = self._composite is not None and self._composite.put(key, result)
            if result is not None and self._value is not None and self._value.key == key:
                value = (
                    None
                    if isinstance(result, BlustreamError)
                    else _plain(result[self._value.offset])
                )
                answer = self._value.done, value
                self._value = None
            self._fetcher.pump()
        if answer is not None:
            answer[0](answer[1])
        if is_news:
            self._on_data()


def _itemsize(dtype: str) -> int:
    return int(np.dtype(dtype).itemsize)


def _plain(value: np.generic) -> float | None:
    number = float(value.item())
    return None if math.isnan(number) else number
