"""One slice, put together from bricks as they arrive, coarse ones first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.grid import key_on_plane, lod_size, plane_axes
from blustream_widget.data.source import BrickKey, Region


@dataclass(frozen=True, slots=True)
class SliceSpec:
    """Which slice: as in `SliceData`; `region` is clipped and in LOD0 voxels."""

    axis: int
    slice_idx: int
    channel: int
    lod: int
    region: Region

    @property
    def plane(self) -> tuple[int, int, Region]:
        """Axis, channel and region: what all slices of a stack have in common."""
        return self.axis, self.channel, self.region

    @property
    def lod_region(self) -> Region:
        """Region in voxels of `lod`, widened to whole ones."""
        a0, a1, b0, b1 = self.region
        return Region(
            a0 >> self.lod, lod_size(a1, self.lod), b0 >> self.lod, lod_size(b1, self.lod)
        )


class Composite:
    """The values of one slice and, for each brick-sized tile of it, the level it was filled from.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec

    Notes
    -----
    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, info: VolumeInfo, spec: SliceSpec) -> None:
        self.spec = spec
        self._info = info
        self._size = info.brick_size
        region = self._region = spec.lod_region
        dtype = np.dtype(info.channels[spec.channel].dtype)
        blank = np.nan if dtype.kind == "f" else 0
        self._values = np.full((region.a1 - region.a0, region.b1 - region.b0), blank, dtype)
        self._tiles_a = range(region.a0 // self._size, -(-region.a1 // self._size))
        self._tiles_b = range(region.b0 // self._size, -(-region.b1 // self._size))
        # n_lods stands for "nothing yet".
        self._levels = np.full((len(self._tiles_a), len(self._tiles_b)), info.n_lods, np.int16)
        self._shown: SliceData | None = None

    def keys(self, lod: int) -> tuple[BrickKey, ...]:
        """Bricks of `lod` covering the slice, nearest its centre first; none finer than its own."""
        shift = lod - self.spec.lod
        a_range = range(self._tiles_a[0] >> shift, (self._tiles_a[-1] >> shift) + 1)
        b_range = range(self._tiles_b[0] >> shift, (self._tiles_b[-1] >> shift) + 1)
        layer = (self.spec.slice_idx >> lod) // self._size
        return _from_centre(self.spec.plane, self._size, lod, layer, a_range, b_range)

    def layer_keys(self, step: int) -> tuple[BrickKey, ...]:
        """Bricks of the next brick layer in the direction of `step` (+1 or -1); none outside."""
        layer = (self.spec.slice_idx >> self.spec.lod) // self._size + step
        n = lod_size(self._info.axes[self.spec.axis].n, self.spec.lod)
        if not 0 <= layer < -(-n // self._size):
            return ()
        return _from_centre(
            self.spec.plane, self._size, self.spec.lod, layer, self._tiles_a, self._tiles_b
        )

    def missing(self, lod: int) -> list[BrickKey]:
        """Those of `keys(lod)` that would make some tile finer."""
        shift = lod - self.spec.lod
        coarse = {
            (self._tiles_a[int(i)] >> shift, self._tiles_b[int(j)] >> shift)
            for i, j in np.argwhere(self._levels > lod)
        }
        a_axis, b_axis = plane_axes(self.spec.axis)
        return [key for key in self.keys(lod) if (key[2 + a_axis], key[2 + b_axis]) in coarse]

    def fill(self, cache: BrickCache) -> None:
        """Take the finest there is from the cache, for every tile."""
        for lod in range(self.spec.lod, self._info.n_lods):
            if self._levels.max() <= lod:
                return
            for key in self.missing(lod):
                brick = cache.find(key)
                if brick is not None:
                    self.put(key, brick)

    def put(self, key: BrickKey, brick: Samples) -> bool:
        """Cut the slice out of a brick where that makes it finer; say whether it did."""
        spec, shift = self.spec, key.lod - self.spec.lod
        a_axis, b_axis = plane_axes(spec.axis)
        layer_voxel = (spec.slice_idx >> key.lod) - key[2 + spec.axis] * self._size
        if (
            key.channel != spec.channel
            or shift < 0
            or not 0 <= layer_voxel < brick.shape[spec.axis]
        ):
            return False
        changed = False
        plane = brick[(slice(None),) * spec.axis + (layer_voxel,)]
        for tile_a in _covered(self._tiles_a, key[2 + a_axis], shift):
            for tile_b in _covered(self._tiles_b, key[2 + b_axis], shift):
                at = (tile_a - self._tiles_a[0], tile_b - self._tiles_b[0])
                if self._levels[at] > key.lod:
                    corner = (key[2 + a_axis] * self._size, key[2 + b_axis] * self._size)
                    self._paste(plane, corner, shift, tile_a, tile_b)
                    self._levels[at] = key.lod
                    changed = True
        if changed:
            self._shown = None
        return changed

    @property
    def is_complete(self) -> bool:
        """Nothing finer is wanted."""
        return bool((self._levels == self.spec.lod).all())

    def snapshot(self) -> SliceData:
        """Return the slice as it is now; the same object again if nothing has changed."""
        if self._shown is None:
            # A complete slice never changes again, so it needs no copy: 1 ms for 4 MB.
            values = self._values if self.is_complete else self._values.copy()
            values.flags.writeable = False
            region = self._region
            self._shown = SliceData(
                values=values,
                axis=self.spec.axis,
                slice_idx=self.spec.slice_idx,
                channel=self.spec.channel,
                lod=self.spec.lod,
                origin=(region.a0, region.b0),
                coarsest_lod=int(self._levels.max()),
                progress=float((self._levels == self.spec.lod).mean()),
            )
        return self._shown

    def _paste(
        self, plane: Samples, corner: tuple[int, int], shift: int, tile_a: int, tile_b: int
    ) -> None:
        region = self._region
        a0, a1 = max(tile_a * self._size, region.a0), min((tile_a + 1) * self._size, region.a1)
        b0, b1 = max(tile_b * self._size, region.b0), min((tile_b + 1) * self._size, region.b1)
        target = self._values[a0 - region.a0 : a1 - region.a0, b0 - region.b0 : b1 - region.b0]
        if shift == 0:
            target[...] = plane[a0 - corner[0] : a1 - corner[0], b0 - corner[1] : b1 - corner[1]]
            return
        rows = (np.arange(a0, a1) >> shift) - corner[0]
        columns = (np.arange(b0, b1) >> shift) - corner[1]
        target[...] = plane[rows[:, None], columns]


def _covered(tiles: range, brick: int, shift: int) -> range:
    """Tiles of the slice that lie in a brick `shift` levels coarser."""
    return range(max(tiles[0], brick << shift), min(tiles[-1] + 1, (brick + 1) << shift))


@lru_cache(maxsize=64)  # the same for every slice of a brick layer: 1 ms saved for each
def _from_centre(
    plane: tuple[int, int, Region], size: int, lod: int, layer: int, a_range: range, b_range: range
) -> tuple[BrickKey, ...]:
    axis, channel, region = plane
    side = size << lod
    centre_a = (region.a0 + region.a1) / 2 / side - 0.5
    centre_b = (region.b0 + region.b1) / 2 / side - 0.5
    pairs = [(a, b) for a in a_range for b in b_range]
    pairs.sort(key=lambda pair: (pair[0] - centre_a) ** 2 + (pair[1] - centre_b) ** 2)
    return tuple(key_on_plane(axis, channel, lod, layer, a, b) for a, b in pairs)
