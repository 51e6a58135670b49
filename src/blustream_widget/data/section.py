"""A section sampled from bricks as they arrive: values at the points of its grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import brick_counts
from blustream_widget.data.section_points import Points, data_of, value_dtype
from blustream_widget.data.section_runs import RunSampler
from blustream_widget.data.section_sampler import SectionSampler
from blustream_widget.data.section_traces import TraceSampler, trace_axis
from blustream_widget.data.source import BrickKey, TileKey


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
    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, info: VolumeInfo, spec: SliceSpec, cache: BrickCache) -> None:
        assert spec.section is not None
        self.spec = spec
        self._info = info
        self._sampler = _sampler_of(info, spec)
        self._bricks = self._sampler.bricks
        self._begin_cells()
        self._given_up: set[int] = set()
        self._shown: SliceData | None = None
        self._final: Samples | None = None
        self._fill(cache)

    def _begin_cells(self) -> None:
        # n_lods stands for "nothing yet".
        self._levels = np.full(len(self._bricks), self._info.n_lods, np.int16)
        self._n_open = len(self._bricks)
        middle = self._bricks.mean(axis=0) if len(self._bricks) else np.zeros(3)
        self._nearest_first = np.argsort(((self._bricks - middle) ** 2).sum(axis=1), kind="stable")
        self._place_of = {brick: k for k, brick in enumerate(map(tuple, self._bricks.tolist()))}

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
            place = self._place_of.get(key[2:])
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
        place = self._place_of.get(key[2:])
        if place is None:
            return False
        self._given_up.add(place)
        self._shown = None
        return True

    def snapshot(self) -> SliceData:
        """Return the section as it is now; the same object again if nothing has changed."""
        if self._shown is None:
            lost = sum(bool(self._levels[place] > self.spec.lod) for place in self._given_up)
            n_cells = len(self._bricks)
            values = self._final
            if values is None:
                values = self._sampler.values(is_final=self.is_complete)
                self._final = values if self.is_complete else None
            self._shown = data_of(
                self.spec,
                values,
                coarsest_lod=int(self._levels.max()) if n_cells else self.spec.lod,
                progress=1 - (self._n_open - lost) / n_cells if n_cells else 1.0,
            )
        return self._shown

    # ------------------------------------------------------------ values

    def _fill(self, cache: BrickCache) -> None:
        for place, key in enumerate(self._keys(self.spec.lod, np.arange(len(self._bricks)))):
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
        self._sampler.take(place, brick)
        if self._levels[place] > self.spec.lod:
            self._n_open -= 1
        self._levels[place] = self.spec.lod

    def _preview(self, place: int, key: BrickKey, brick: Samples) -> None:
        """Take the nearest voxels of a coarser brick."""
        size = self._info.brick_size
        first = (key.i0 * size, key.i1 * size, key.i2 * size)
        self._sampler.preview(place, brick, shift=key.lod - self.spec.lod, first=first)
        self._levels[place] = key.lod

    # ------------------------------------------------------------ keys

    def _keys(self, lod: int, places: npt.NDArray[np.intp]) -> tuple[BrickKey, ...]:
        channel, bricks = self.spec.channel, self._bricks[places] >> (lod - self.spec.lod)
        keys = (BrickKey(channel, lod, i, j, k) for i, j, k in bricks.tolist())
        return tuple(dict.fromkeys(keys))


def _sampler_of(info: VolumeInfo, spec: SliceSpec) -> SectionSampler:
    assert spec.section is not None
    points = Points(spec.section, info.shape, spec.lod, spec.lod_region)
    dtype = value_dtype(info.channel_of(spec.channel).dtype)
    found = trace_axis(points)
    if found is None:
        return RunSampler(points, info.brick_size, brick_counts(info, spec.lod), dtype)
    axis, is_across = found
    return TraceSampler(points, info.brick_size, dtype, axis=axis, is_across=is_across)
