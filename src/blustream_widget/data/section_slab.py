"""A slab of a section: sections beside it, sampled one by one and reduced to one picture.

They are one voxel apart across the shown one, at a coarse level as far as its voxels. A strip of
columns after the other is reduced, so that what is kept besides the picture is one section of one
strip, however thick the slab is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from blustream_widget.core.section_grid import SectionRead
from blustream_widget.core.section_shift import beside, voxels_across
from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import lod_size
from blustream_widget.data.section import SectionComposite
from blustream_widget.data.section_bricks import slab_bricks
from blustream_widget.data.section_direct import sample_directly
from blustream_widget.data.section_points import data_of, value_dtype
from blustream_widget.data.slab import IsLate, Reduced, finish, join, reduce_slices, shrink
from blustream_widget.data.slab_level import widened
from blustream_widget.data.source import BrickKey, DirectSource, Region, TileKey

Sample = Callable[[SliceSpec], tuple[Samples, int]]
"""Gives the values of a part of one section, and the level of the coarsest of them."""

# A part is sampled at once: some 10 ms.
_STRIP_POINTS = 1 << 18
# So many levels coarser is what is shown until all bricks are here.
_PREVIEW = 2


class _Walk:
    """Reduces a slab strip by strip.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
        With a section and a slab.
    sample : Sample

    Attributes
    ----------
    values : ndarray
        Of the shown level; NaN where it has not come yet.
    n_done : int
        Columns of them that are done.
    coarsest_lod : int
        Of what is done.
    """

    def __init__(self, info: VolumeInfo, spec: SliceSpec, sample: Sample) -> None:
        assert spec.section is not None
        assert spec.slab is not None
        self.spec = spec
        self._sample = sample
        self._dtype = value_dtype(info.channel_of(spec.channel).dtype)
        first, last, self._mode = spec.slab
        n = last - first + 1
        n_planes = -(-n >> spec.lod)
        grid = spec.section.grid
        across = voxels_across(grid, info)
        by = [first + (k + 0.5) * n / n_planes - 0.5 for k in range(n_planes)]
        self._planes = [
            SectionRead(beside(grid, across * far), spec.section.is_smooth) for far in by
        ]
        shown = replace(spec, lod=spec.shown_lod).lod_region
        shape = (shown.a1 - shown.a0, shown.b1 - shown.b0)
        self.values: Samples = np.full(shape, np.nan, self._dtype)
        self.n_done = 0
        self.coarsest_lod = spec.lod
        rows = lod_size(spec.region.b1, spec.lod) - (spec.region.b0 >> spec.lod)
        self._step = max((_STRIP_POINTS // rows << spec.lod) >> spec.shown_lod, 1)
        self._part: Reduced | None = None
        self._next = 0

    @property
    def is_done(self) -> bool:
        """Nothing is left to do."""
        return self.n_done == len(self.values)

    def work(self, is_late: IsLate) -> None:
        """Sample planes until time is up, one at least."""
        while not self.is_done:
            self._advance()
            if is_late():
                return

    def _advance(self) -> None:
        a0, a1, b0, b1 = self.spec.region
        first = a0 + (self.n_done << self.spec.shown_lod)
        end = min(first + (self._step << self.spec.shown_lod), a1)
        strip = replace(
            self.spec,
            region=Region(first, end, b0, b1),
            section=self._planes[self._next],
            slab=None,
            shown_lod=0,
        )
        values, coarsest_lod = self._sample(strip)
        self.coarsest_lod = max(self.coarsest_lod, coarsest_lod)
        reduced = reduce_slices(values[None], 0, self._mode)
        self._part = reduced if self._part is None else join([self._part, reduced], self._mode)
        self._next += 1
        if self._next == len(self._planes):
            times = self.spec.shown_lod - self.spec.lod
            done = finish(shrink(self._part, times, self._mode), self._mode, self._dtype)
            self.values[self.n_done : self.n_done + len(done)] = done
            self.n_done += len(done)
            self._part, self._next = None, 0


class SectionSlabComposite:
    """A slab of a section put together like a `Composite`.

    First it is shown two levels coarser, again with every brick of those levels; once all bricks
    of its own are here, it is reduced from them, strip by strip in the place of the coarse picture.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
        With a section and a slab.
    cache : BrickCache
        Has room for all bricks of the slab.

    Notes
    -----
    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, info: VolumeInfo, spec: SliceSpec, cache: BrickCache) -> None:
        self.spec = spec
        self._info = info
        self._cache = cache
        lod = min(spec.lod + _PREVIEW, info.n_lods - 1)
        self._preview_spec = widened(
            info, replace(spec, lod=lod, shown_lod=max(spec.shown_lod, lod))
        )
        self._keys = {lod: slab_bricks(info, spec, lod) for lod in (spec.lod, lod)}
        self._awaited = {key for key in self._keys[spec.lod] if cache.find(key) is None}
        self._lost: set[BrickKey] = set()
        self._has_news = True
        self._preview: _Walk | None = None
        self._final: _Walk | None = None
        self._coarse: Samples | None = None
        self._coarse_lod = info.n_lods
        self._shown: SliceData | None = None

    @property
    def is_complete(self) -> bool:
        """Nothing finer is wanted."""
        return self._final is not None and self._final.is_done

    def work(self, is_late: IsLate) -> bool:
        """Reduce what is here until time is up; say whether there is more to do."""
        while not self.is_complete:
            if self._coarse is not None and not self._awaited:
                self._final = self._final or self._walk(self.spec)
                self._final.work(is_late)
            elif self._preview is not None or self._has_news:
                self._go_on_with_preview(is_late)
            else:
                return False
            self._shown = None
            if is_late():
                break
        if self.is_complete:
            return False
        return self._preview is not None or self._has_news or not self._awaited

    def _go_on_with_preview(self, is_late: IsLate) -> None:
        if self._preview is None:
            self._preview, self._has_news = self._walk(self._preview_spec), False
        self._preview.work(is_late)
        if self._preview.is_done:
            self._coarse, self._coarse_lod = self._laid(self._preview), self._preview.coarsest_lod
            self._preview = None

    def leading(self, step: int) -> int:
        """Nothing moves ahead of a section."""
        del step
        return 0

    def keys(self, lod: int, step: int = 0) -> tuple[BrickKey, ...]:
        """Bricks of `lod` that the slab is made of, nearest its middle first."""
        if step:
            return ()
        if lod not in self._keys:
            self._keys[lod] = slab_bricks(self._info, self.spec, lod)
        return self._keys[lod]

    def missing(self, lod: int) -> list[BrickKey]:
        """Those of `keys(lod)` that would make it finer: of its own level, or of the preview's."""
        if lod == self.spec.lod:
            return [key for key in self.keys(lod) if key in self._awaited]
        if not self._awaited or lod < self._preview_spec.lod or lod >= self._coarse_lod:
            return []
        return [key for key in self.keys(lod) if self._cache.find(key) is None]

    def tile_keys(self, tile_size: int, slice_idx: int | None = None) -> tuple[TileKey, ...]:
        """None: stored tiles are of slices."""
        del tile_size, slice_idx
        return ()

    def missing_tiles(self, tile_size: int) -> list[TileKey]:
        """None."""
        del tile_size
        return []

    def put(self, key: BrickKey | TileKey, values: Samples) -> bool:
        """Take note of a brick, which is in the cache, where it makes the slab finer."""
        del values
        if isinstance(key, TileKey) or key.channel != self.spec.channel:
            return False
        if key in self._awaited:
            self._awaited.discard(key)
        elif key in self._lost:
            self._lost.discard(key)
            self._final = None
        elif key.lod < self._preview_spec.lod or key not in self.keys(key.lod):
            return False
        if key.lod >= self._preview_spec.lod and self._coarse_lod > self._preview_spec.lod:
            self._has_news = True
        self._shown = None
        return True

    def give_up(self, key: BrickKey) -> bool:
        """Wait no longer for a brick that cannot be read; say whether it was waited for."""
        if key not in self._awaited:
            return False
        self._awaited.discard(key)
        self._lost.add(key)
        self._shown = None
        return True

    def snapshot(self) -> SliceData:
        """Return the slab as it is now; the same object again if nothing has changed."""
        if self._shown is None:
            final, n_bricks = self._final, len(self._keys[self.spec.lod])
            share = 0.0 if final is None else final.n_done / len(final.values)
            if final is not None and final.is_done:
                values, coarsest_lod = final.values, final.coarsest_lod
            else:
                coarse = self._blank() if self._coarse is None else self._coarse
                values, coarsest_lod = coarse.copy(), self._coarse_lod
                if final is not None:
                    values[: final.n_done] = final.values[: final.n_done]
            # Reading counts as much as reducing.
            here = 1 - len(self._awaited) / n_bricks if n_bricks else 1.0
            progress = (here + share) / 2
            self._shown = _data_of(self.spec, values, coarsest_lod=coarsest_lod, progress=progress)
        return self._shown

    def _blank(self) -> Samples:
        region = replace(self.spec, lod=self.spec.shown_lod).lod_region
        dtype = value_dtype(self._info.channel_of(self.spec.channel).dtype)
        return np.full((region.a1 - region.a0, region.b1 - region.b0), np.nan, dtype)

    def _walk(self, spec: SliceSpec) -> _Walk:
        return _Walk(self._info, spec, self._sample)

    def _sample(self, spec: SliceSpec) -> tuple[Samples, int]:
        data = SectionComposite(self._info, spec, self._cache).snapshot()
        return data.values, data.coarsest_lod

    def _laid(self, walk: _Walk) -> Samples:
        """Give every point of the picture the one of a coarser picture that it lies in."""
        shift = walk.spec.shown_lod - self.spec.shown_lod
        fine = replace(self.spec, lod=self.spec.shown_lod).lod_region
        coarse = replace(walk.spec, lod=walk.spec.shown_lod).lod_region
        columns = (np.arange(fine.a0, fine.a1) >> shift) - coarse.a0
        rows = (np.arange(fine.b0, fine.b1) >> shift) - coarse.b0
        laid: npt.NDArray[Any] = walk.values[np.ix_(columns, rows)]
        return laid


class DirectSectionSlab:
    """A slab of a section through a source that gives voxels at once, strip by strip.

    Parameters
    ----------
    source : DirectSource
    spec : SliceSpec
        With a section and a slab.
    """

    def __init__(self, source: DirectSource, spec: SliceSpec) -> None:
        assert spec.section is not None
        self.spec = spec
        self._source = source
        self._walk = _Walk(source.info, spec, self._sample)
        plane = replace(spec, lod=spec.shown_lod, slab=None, shown_lod=0)
        self._plain = sample_directly(source, plane, finest_lod=spec.shown_lod).values
        self._shown: SliceData | None = None

    def work(self, is_late: IsLate) -> bool:
        """Reduce strips until time is up; say whether there are more."""
        if self._walk.is_done:
            return False
        self._walk.work(is_late)
        self._shown = None
        return not self._walk.is_done

    def snapshot(self) -> SliceData:
        """Return the slab as it is now, beside what is done the plane in its middle."""
        if self._shown is None:
            done = self._walk.n_done
            values = np.concatenate([self._walk.values[:done], self._plain[done:]])
            self._shown = _data_of(
                self.spec,
                values,
                coarsest_lod=self.spec.lod,
                progress=done / len(values),
            )
        return self._shown

    def _sample(self, spec: SliceSpec) -> tuple[Samples, int]:
        return sample_directly(self._source, spec, finest_lod=spec.lod).values, spec.lod


def _data_of(spec: SliceSpec, values: Samples, *, coarsest_lod: int, progress: float) -> SliceData:
    shown = replace(spec, lod=spec.shown_lod)
    return data_of(shown, values, coarsest_lod=coarsest_lod, progress=progress)
