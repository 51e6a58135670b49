"""A slab: several slices reduced to one picture, from bricks as they arrive or from an array."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from blustream_widget.core.slab import Slab
from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.composite import Composite, SliceSpec
from blustream_widget.data.source import BrickKey, DirectSource, Region, TileKey

IsLate = Callable[[], bool]
"""Says that enough time was spent for now."""

Reduced = npt.NDArray[Any]
"""(a, b) for max and min; (a, b, 2) for mean and rms: a sum, and how many values are in it."""

_CHUNK_VOXELS = 1 << 20


# ---------------------------------------------------------------- arithmetic


def reduce_slices(box: Samples, axis: int, mode: str) -> Reduced:
    """Reduce a box along `axis`, leaving out NaN."""
    if mode in ("max", "min"):
        quick, without_nan = (np.maximum, np.fmax) if mode == "max" else (np.minimum, np.fmin)
        values: Reduced = quick.reduce(box, axis=axis)
        # Looking for NaN takes a fraction of leaving it out, and most slabs have none.
        if values.dtype.kind == "f" and np.isnan(values.min(initial=np.inf)):
            values = without_nan.reduce(box, axis=axis)
        return values
    kind = np.float64
    with np.errstate(over="ignore", invalid="ignore"):  # infinity minus infinity
        terms = box if mode == "mean" else np.square(box, dtype=kind)
        total = np.add.reduce(terms, axis=axis, dtype=kind)
        count: Any = box.shape[axis]
        if np.isnan(total).any():
            is_number = ~np.isnan(box)
            total = np.add.reduce(terms, axis=axis, dtype=kind, where=is_number)
            count = is_number.sum(axis)
    result = np.empty((*total.shape, 2), kind)
    result[..., 0], result[..., 1] = total, count
    return result


def join(parts: list[Reduced], mode: str) -> Reduced:
    """Reduce what was reduced from several parts of a slab."""
    ufunc = _ufunc(mode)
    whole = parts[0]
    for part in parts[1:]:
        whole = ufunc(whole, part)
    return whole


def shrink(values: Reduced, times: int, mode: str) -> Reduced:
    """Reduce squares of 2**times voxels to one: what one pixel shows is in the slab too."""
    if not times:
        return values
    ufunc = _ufunc(mode)
    for axis in (0, 1):
        starts = np.arange(0, values.shape[axis], 1 << times)
        values = ufunc.reduceat(values, starts, axis=axis)
    return values


def finish(values: Reduced, mode: str, dtype: npt.DTypeLike) -> Samples:
    """Give the values that are shown: of `dtype` for max and min, floats for mean and rms."""
    if mode in ("max", "min"):
        return values.astype(dtype, copy=False)
    total, count = values[..., 0], values[..., 1]
    mean = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    if mode == "rms":
        np.sqrt(mean, out=mean)
    result: Samples = mean.astype(np.result_type(dtype, np.float32))
    return result


def _ufunc(mode: str) -> np.ufunc:
    return {"max": np.fmax, "min": np.fmin}.get(mode, np.add)


def _blank(mode: str, shape: tuple[int, int], dtype: np.dtype[Any]) -> Reduced:
    """Give values that change nothing when others are joined to them."""
    if mode not in ("max", "min"):
        return np.zeros((*shape, 2))
    if dtype.kind == "f":
        return np.full(shape, np.nan, dtype)
    ends = np.iinfo(dtype)
    return np.full(shape, ends.min if mode == "max" else ends.max, dtype)


# ---------------------------------------------------------------- from bricks


class _Sheet(Composite):
    """The slices of a slab that lie in one layer of bricks."""

    def __init__(self, info: VolumeInfo, spec: SliceSpec, part: Slab, cache: BrickCache) -> None:
        self._part = part
        super().__init__(info, replace(spec, slice_idx=part.first, slab=part), cache)

    @property
    def reduced(self) -> Reduced:
        """What is here of it, of its own level."""
        return self._values

    @property
    def coarsest_lod(self) -> int:
        """Level of the coarsest tile; `n_lods` where there is nothing yet."""
        return int(self._levels.max())

    @property
    def n_tiles(self) -> int:
        """Parts that it is made of."""
        return int(self._levels.size)

    @property
    def n_awaited(self) -> int:
        """Parts of them that are coarser than they will be."""
        return self._n_awaited

    def refine(self, cache: BrickCache, is_late: IsLate) -> bool:
        """Take bricks of its own level from the cache; say whether time was too short for all."""
        for key in self.missing(self.spec.lod):
            brick = cache.find(key)
            if brick is None:
                continue
            self.put(key, brick)
            if is_late():
                return True
        return False

    def fill_coarsely(self, cache: BrickCache) -> None:
        """Show something where its own level is missing."""
        self._fill_coarsely(cache)

    def _empty(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> Reduced:
        return _blank(self._part.mode, shape, dtype)

    def _begin(self, cache: BrickCache, stored_tile: int) -> None:
        """Nothing: `refine` comes first, and takes its time."""

    def _plane_of(self, key: BrickKey, values: Samples) -> Reduced | None:
        axis, base = self.spec.axis, key[2 + self.spec.axis] * self._size
        low = max((self._part.first >> key.lod) - base, 0)
        high = min((self._part.last >> key.lod) + 1 - base, values.shape[axis])
        if low >= high:
            return None
        plane = reduce_slices(
            values[(slice(None),) * axis + (slice(low, high),)], axis, self._part.mode
        )
        if plane.ndim == 3:  # a coarse slice stands for several
            lod = self.spec.lod
            plane *= ((self._part.last >> lod) - (self._part.first >> lod) + 1) / (high - low)
        return plane


class SlabComposite:
    """A slab put together like a `Composite`: one sheet for each layer of bricks that it lies in.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
        With a slab.
    cache : BrickCache

    Notes
    -----
    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, info: VolumeInfo, spec: SliceSpec, cache: BrickCache) -> None:
        assert spec.slab is not None
        self.spec = spec
        self._slab = spec.slab
        self._info = info
        self._cache = cache
        self._has_begun = False
        self._shown: SliceData | None = None
        depth = info.brick_size << spec.lod
        first, last, mode = spec.slab
        layers = range(first // depth, last // depth + 1)
        self._sheets = [
            _Sheet(
                info,
                spec,
                Slab(max(first, layer * depth), min(last, (layer + 1) * depth - 1), mode),
                cache,
            )
            for layer in layers
        ]

    @property
    def is_complete(self) -> bool:
        """Nothing finer is wanted."""
        return all(sheet.is_complete for sheet in self._sheets)

    def work(self, is_late: IsLate) -> bool:
        """Take what the cache has until time is up; say whether there is more to take."""
        if self.is_complete:
            return False
        self._shown = None
        is_unfinished = any(sheet.refine(self._cache, is_late) for sheet in self._sheets)
        if not self._has_begun:  # what comes later is put in its place when it comes
            self._has_begun = True
            for sheet in self._sheets:
                sheet.fill_coarsely(self._cache)
        return is_unfinished

    def leading(self, step: int) -> int:
        """Slice at the end that moves ahead."""
        return self._slab.last if step > 0 else self._slab.first

    def keys(self, lod: int, step: int = 0) -> tuple[BrickKey, ...]:
        """Bricks of `lod` that the slab is made of, or of the layer ahead of it."""
        if step:
            return self._sheets[-1 if step > 0 else 0].keys(lod, step)
        return _mixed(sheet.keys(lod) for sheet in self._sheets)

    def missing(self, lod: int) -> list[BrickKey]:
        """Those of `keys(lod)` that would make some tile finer."""
        return list(_mixed(sheet.missing(lod) for sheet in self._sheets))

    def tile_keys(self, tile_size: int, slice_idx: int | None = None) -> tuple[TileKey, ...]:
        """None: stored tiles are of one slice each, a brick has all that a slab needs of it."""
        del tile_size, slice_idx
        return ()

    def missing_tiles(self, tile_size: int) -> list[TileKey]:
        """None."""
        del tile_size
        return []

    def put(self, key: BrickKey | TileKey, values: Samples) -> bool:
        """Take a brick where that makes the slab finer; say whether it did."""
        if isinstance(key, TileKey):
            return False
        is_news = sum(sheet.put(key, values) for sheet in self._sheets) > 0
        if is_news:
            self._shown = None
        return is_news

    def give_up(self, key: BrickKey) -> bool:
        """Wait no longer for a brick that cannot be read; say whether it was waited for."""
        is_news = sum(sheet.give_up(key) for sheet in self._sheets) > 0
        if is_news:
            self._shown = None
        return is_news

    def snapshot(self) -> SliceData:
        """Return the slab as it is now; the same object again if nothing has changed."""
        if self._shown is None:
            sheets, n_lods = self._sheets, self._info.n_lods
            coarsest = max(sheet.coarsest_lod for sheet in sheets)
            values = join([sheet.reduced for sheet in sheets], self._slab.mode)
            if coarsest == n_lods and values.ndim == 2 and values.dtype.kind != "f":
                blank = _blank(self._slab.mode, (1, 1), values.dtype)
                values = np.where(values == blank, values.dtype.type(0), values)
            n_tiles = sum(sheet.n_tiles for sheet in sheets)
            n_awaited = sum(sheet.n_awaited for sheet in sheets)
            dtype = self._info.channel_of(self.spec.channel).dtype
            self._shown = _data_of(
                self.spec, values, dtype, coarsest_lod=coarsest, progress=1 - n_awaited / n_tiles
            )
        return self._shown


def _mixed(lists: Iterable[Iterable[BrickKey]]) -> tuple[BrickKey, ...]:
    """Keys of all lists in turn, each once."""
    keys = chain.from_iterable(zip_longest(*lists))
    return tuple(dict.fromkeys(key for key in keys if key is not None))


def _data_of(
    spec: SliceSpec,
    reduced: Reduced,
    dtype: npt.DTypeLike,
    *,
    coarsest_lod: int,
    progress: float,
) -> SliceData:
    assert spec.slab is not None
    mode = spec.slab.mode
    values = finish(shrink(reduced, spec.shown_lod - spec.lod, mode), mode, dtype)
    if values is reduced:
        values = values.copy()
    values.flags.writeable = False
    return SliceData(
        values=values,
        axis=spec.axis,
        slice_idx=spec.slice_idx,
        channel=spec.channel,
        lod=spec.shown_lod,
        origin=(spec.region.a0 >> spec.shown_lod, spec.region.b0 >> spec.shown_lod),
        coarsest_lod=coarsest_lod,
        progress=progress,
    )


# ---------------------------------------------------------------- from an array


class DirectSlab:
    """A slab of a source that gives voxels at once, row by row so that no input waits for it.

    Parameters
    ----------
    source : DirectSource
    spec : SliceSpec
        With a slab. Of a level coarser than 0 every voxel of it is one of the array's.
    """

    def __init__(self, source: DirectSource, spec: SliceSpec) -> None:
        assert spec.slab is not None
        self.spec = spec
        self._slab = spec.slab
        self._source = source
        a0, a1, b0, b1 = spec.region
        side = 1 << spec.lod
        row_voxels = (b1 - b0) * (spec.slab.last - spec.slab.first + 1) // side**3 + 1
        rows = max(_CHUNK_VOXELS // row_voxels, 1) << spec.shown_lod
        self._todo = [Region(a, min(a + rows, a1), b0, b1) for a in reversed(range(a0, a1, rows))]
        self._n_chunks = len(self._todo)
        self._parts: list[Reduced] = []
        self._shown: SliceData | None = None

    def work(self, is_late: IsLate) -> bool:
        """Reduce rows until time is up; say whether there are more."""
        first, last, mode = self._slab
        while self._todo:
            spec, region = self.spec, self._todo.pop()
            box = self._source.read_box(spec.axis, first, last, spec.channel, region, 1 << spec.lod)
            self._parts.append(reduce_slices(box, spec.axis, mode))
            self._shown = None
            if is_late():
                break
        return bool(self._todo)

    def snapshot(self) -> SliceData:
        """Return the slab as it is now, below what is done the slice in its middle."""
        if self._shown is None:
            spec = self.spec
            done = np.concatenate(self._parts)
            dtype = self._source.info.channel_of(spec.channel).dtype
            progress = 1 - len(self._todo) / self._n_chunks
            data = _data_of(spec, done, dtype, coarsest_lod=spec.lod, progress=progress)
            if self._todo:
                rest = Region(self._todo[-1].a0, *spec.region[1:])
                plain = self._source.read_slice(
                    spec.axis, spec.slice_idx, spec.channel, spec.shown_lod, rest
                )
                values = np.concatenate([data.values, plain.astype(data.values.dtype)])
                values.flags.writeable = False
                data = replace(data, values=values)
            self._shown = data
        return self._shown
