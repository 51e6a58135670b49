"""One slice, put together from bricks as they arrive, coarse ones first."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from blustream_widget.core.section_grid import SectionRead
from blustream_widget.core.slab import Slab
from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.grid import key_on_plane, lod_size, plane_axes
from blustream_widget.data.source import BrickKey, Region, TileKey

_Cut = tuple[slice, slice]


@dataclass(frozen=True, slots=True)
class SliceSpec:
    """Which slice: as in `SliceData`; `region` is clipped and in LOD0 voxels.

    With a `slab`, `lod` is the level of the slices that are reduced, and `shown_lod` that of the
    values that come of it. With a `section`, `region` and `lod` are in points of its grid, and
    `axis` and `slice_idx` have no say.
    """

    axis: int
    slice_idx: int
    channel: int
    lod: int
    region: Region
    slab: Slab | None = None
    shown_lod: int = 0
    section: SectionRead | None = None

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


class _Part(NamedTuple):
    """One brick of the slice's own level: its tile, and what is copied from where to where."""

    key: BrickKey
    tile: tuple[int, int]
    target: _Cut
    source: _Cut


class Composite:
    """The values of one slice and, for each brick-sized tile of it, the level it was filled from.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
    cache : BrickCache
        What is in it is shown from the start, the finest of it for every tile.
    stored_tile : int
        Side of the stored tiles of LOD0 slices that the cache may hold; 0 for none.

    Notes
    -----
    Not for several threads at once: the owner has the lock.
    """

    def __init__(
        self, info: VolumeInfo, spec: SliceSpec, cache: BrickCache, *, stored_tile: int = 0
    ) -> None:
        self.spec = spec
        self._info = info
        self._size = info.brick_size
        region = self._region = spec.lod_region
        dtype = np.dtype(info.channel_of(spec.channel).dtype)
        self._values = self._empty((region.a1 - region.a0, region.b1 - region.b0), dtype)
        self._tiles_a = range(region.a0 // self._size, -(-region.a1 // self._size))
        self._tiles_b = range(region.b0 // self._size, -(-region.b1 // self._size))
        # n_lods stands for "nothing yet".
        self._levels = np.full((len(self._tiles_a), len(self._tiles_b)), info.n_lods, np.int16)
        self._n_open = self._levels.size
        self._given_up: set[tuple[int, int]] = set()
        self._shown: SliceData | None = None
        self._begin(cache, stored_tile)

    def leading(self, step: int) -> int:
        """Slice at the end that moves ahead with a `step` of +1 or -1."""
        del step
        return self.spec.slice_idx

    def keys(self, lod: int, step: int = 0) -> tuple[BrickKey, ...]:
        """Bricks of `lod` covering the slice, nearest its centre first; none finer than its own.

        With a `step` of +1 or -1 those of the next brick layer in that direction; none outside.
        """
        shift = lod - self.spec.lod
        a_range = range(self._tiles_a[0] >> shift, (self._tiles_a[-1] >> shift) + 1)
        b_range = range(self._tiles_b[0] >> shift, (self._tiles_b[-1] >> shift) + 1)
        layer = (self.spec.slice_idx >> lod) // self._size + step
        n = lod_size(self._info.axes[self.spec.axis].n, lod)
        if not 0 <= layer < -(-n // self._size):
            return ()
        return _from_centre(self.spec.plane, self._size, lod, layer, a_range, b_range)

    def tile_keys(self, tile_size: int, slice_idx: int | None = None) -> tuple[TileKey, ...]:
        """List stored tiles that cover the slice or another of its stack, nearest the centre first.

        None outside the volume. For a slice at LOD0 only: tiles have no levels.
        """
        axis, channel, region = self.spec.plane
        index = self.spec.slice_idx if slice_idx is None else slice_idx
        if not 0 <= index < self._info.axes[axis].n:
            return ()
        pairs = _pairs_from_centre(
            region,
            tile_size,
            range(region.a0 // tile_size, -(-region.a1 // tile_size)),
            range(region.b0 // tile_size, -(-region.b1 // tile_size)),
        )
        return tuple(TileKey(channel, axis, index, a, b, tile_size) for a, b in pairs)

    def missing(self, lod: int) -> list[BrickKey]:
        """Those of `keys(lod)` that would make some tile finer."""
        if not self._n_open:
            return []
        shift = lod - self.spec.lod
        coarse = {
            (self._tiles_a[int(i)] >> shift, self._tiles_b[int(j)] >> shift)
            for i, j in np.argwhere(self._levels > lod)
        }
        a_axis, b_axis = plane_axes(self.spec.axis)
        return [key for key in self.keys(lod) if (key[2 + a_axis], key[2 + b_axis]) in coarse]

    def missing_tiles(self, tile_size: int) -> list[TileKey]:
        """Those of `tile_keys` that would make some tile finer."""
        if not self._n_open:
            return []
        return [
            key
            for key in self.tile_keys(tile_size)
            if (self._levels[self._under(key)] > self.spec.lod).any()
        ]

    def put(self, key: BrickKey | TileKey, values: Samples) -> bool:
        """Cut the slice out of a brick where that makes it finer; say whether it did."""
        if isinstance(key, TileKey):
            return self._put_tile(key, values)
        spec, shift = self.spec, key.lod - self.spec.lod
        a_axis, b_axis = plane_axes(spec.axis)
        if key.channel != spec.channel or shift < 0:
            return False
        corner = (key[2 + a_axis] * self._size, key[2 + b_axis] * self._size)
        covered = (
            _covered(self._tiles_a, key[2 + a_axis], shift),
            _covered(self._tiles_b, key[2 + b_axis], shift),
        )
        coarser = self._levels[self._at(*covered)] > key.lod
        if not coarser.any():
            return False
        plane = self._plane_of(key, values)
        if plane is None:
            return False
        if coarser.all():  # all tiles at once: a twentieth of the time
            self._paste(plane, corner, shift, *covered)
        else:
            for i, j in np.argwhere(coarser):
                a, b = covered[0][int(i)], covered[1][int(j)]
                self._paste(plane, corner, shift, range(a, a + 1), range(b, b + 1))
        self._shown = None
        if shift == 0:
            self._n_open -= int(coarser.sum())
        self._levels[self._at(*covered)][coarser] = key.lod
        return True

    def give_up(self, key: BrickKey) -> bool:
        """Wait no longer for a brick that cannot be read; say whether it was waited for."""
        if key not in self.keys(self.spec.lod):
            return False
        a_axis, b_axis = plane_axes(self.spec.axis)
        self._given_up.add((key[2 + a_axis] - self._tiles_a[0], key[2 + b_axis] - self._tiles_b[0]))
        self._shown = None
        return True

    @property
    def is_complete(self) -> bool:
        """Nothing finer is wanted."""
        return not self._n_open

    @property
    def n_bytes(self) -> int:
        """Memory of the values."""
        return self._values.nbytes

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
                progress=1.0 - self._n_awaited / self._levels.size,
            )
        return self._shown

    @property
    def _n_awaited(self) -> int:
        lost = sum(bool(self._levels[at] > self.spec.lod) for at in self._given_up)
        return self._n_open - lost

    def _empty(self, shape: tuple[int, int], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        return np.empty(shape, dtype)

    def _begin(self, cache: BrickCache, stored_tile: int) -> None:
        if stored_tile and self.spec.lod == 0:
            self._fill_from_tiles(cache, stored_tile)
        if self._n_open:
            self._fill_exactly(cache)
            self._fill_coarsely(cache)

    def _plane_of(self, key: BrickKey, values: Samples) -> npt.NDArray[Any] | None:
        """Cut out what a brick has of the slice; None if nothing."""
        axis = self.spec.axis
        voxel = (self.spec.slice_idx >> key.lod) - key[2 + axis] * self._size
        if not 0 <= voxel < values.shape[axis]:
            return None
        plane: npt.NDArray[Any] = values[(slice(None),) * axis + (voxel,)]
        return plane

    def _fill_exactly(self, cache: BrickCache) -> None:
        """Take the own level from the cache; the rest is blank. 4 µs a brick, the copy included."""
        spec, values = self.spec, self._values
        layer = (spec.slice_idx >> spec.lod) // self._size
        voxel = (spec.slice_idx >> spec.lod) - layer * self._size
        blank = np.nan if values.dtype.kind == "f" else 0
        for key, at, target, (rows, columns) in _parts(
            spec.plane, self._size, spec.lod, layer, self._region
        ):
            if self._levels[at] == spec.lod:  # from a stored tile
                continue
            brick = cache.find(key)
            if brick is None:
                values[target] = blank
            else:
                values[target] = brick[
                    ((voxel, rows, columns), (rows, voxel, columns), (rows, columns, voxel))[
                        spec.axis
                    ]
                ]
                self._levels[at] = spec.lod
                self._n_open -= 1

    def _fill_coarsely(self, cache: BrickCache) -> None:
        for lod in range(self.spec.lod + 1, self._info.n_lods):
            if not self._n_open or self._levels.max() <= lod:
                return
            for key in self.missing(lod):
                brick = cache.find(key)
                if brick is not None:
                    self.put(key, brick)

    def _fill_from_tiles(self, cache: BrickCache, tile_size: int) -> None:
        for key in self.missing_tiles(tile_size):
            tile = cache.find(key)
            if tile is not None:
                self._put_tile(key, tile)

    def _at(self, tiles_a: range, tiles_b: range) -> _Cut:
        """Tiles counted from the first of the slice."""
        a, b = self._tiles_a[0], self._tiles_b[0]
        return (
            slice(tiles_a.start - a, max(tiles_a.stop - a, 0)),
            slice(tiles_b.start - b, max(tiles_b.stop - b, 0)),
        )

    def _under(self, key: TileKey) -> _Cut:
        """Tiles of the slice, counted from its first, that a stored tile covers."""
        per_side = key.size // self._size
        a0, b0 = key.a * per_side - self._tiles_a[0], key.b * per_side - self._tiles_b[0]
        return (
            slice(max(a0, 0), max(a0 + per_side, 0)),
            slice(max(b0, 0), max(b0 + per_side, 0)),
        )

    def _put_tile(self, key: TileKey, values: Samples) -> bool:
        spec, region = self.spec, self._region
        if (key.channel, key.axis, key.slice_idx, 0) != (
            spec.channel,
            spec.axis,
            spec.slice_idx,
            spec.lod,
        ):
            return False
        under = self._under(key)
        n_better = int((self._levels[under] > 0).sum())
        if not n_better:
            return False
        a, b = key.a * key.size, key.b * key.size
        a0, a1 = max(a, region.a0), min(a + values.shape[0], region.a1)
        b0, b1 = max(b, region.b0), min(b + values.shape[1], region.b1)
        self._values[a0 - region.a0 : a1 - region.a0, b0 - region.b0 : b1 - region.b0] = values[
            a0 - a : a1 - a, b0 - b : b1 - b
        ]
        self._levels[under] = 0
        self._n_open -= n_better
        self._shown = None
        return True

    def _paste(
        self,
        plane: npt.NDArray[Any],
        corner: tuple[int, int],
        shift: int,
        tiles_a: range,
        tiles_b: range,
    ) -> None:
        region, size = self._region, self._size
        a0, a1 = max(tiles_a.start * size, region.a0), min(tiles_a.stop * size, region.a1)
        b0, b1 = max(tiles_b.start * size, region.b0), min(tiles_b.stop * size, region.b1)
        target = self._values[a0 - region.a0 : a1 - region.a0, b0 - region.b0 : b1 - region.b0]
        if shift == 0:
            target[...] = plane[a0 - corner[0] : a1 - corner[0], b0 - corner[1] : b1 - corner[1]]
            return
        rows = (np.arange(a0, a1) >> shift) - corner[0]
        columns = (np.arange(b0, b1) >> shift) - corner[1]
        target[...] = plane.take(columns, axis=1).take(rows, axis=0)


def _covered(tiles: range, brick: int, shift: int) -> range:
    """Tiles of the slice that lie in a brick `shift` levels coarser."""
    return range(max(tiles[0], brick << shift), min(tiles[-1] + 1, (brick + 1) << shift))


@lru_cache(maxsize=64)  # the same for every slice of a brick layer: 1 ms saved for each
def _from_centre(
    plane: tuple[int, int, Region], size: int, lod: int, layer: int, a_range: range, b_range: range
) -> tuple[BrickKey, ...]:
    axis, channel, region = plane
    pairs = _pairs_from_centre(region, size << lod, a_range, b_range)
    return tuple(key_on_plane(axis, channel, lod, layer, a, b) for a, b in pairs)


def _pairs_from_centre(
    region: Region, side: int, a_range: range, b_range: range
) -> list[tuple[int, int]]:
    centre_a = (region.a0 + region.a1) / 2 / side - 0.5
    centre_b = (region.b0 + region.b1) / 2 / side - 0.5
    pairs = [(a, b) for a in a_range for b in b_range]
    pairs.sort(key=lambda pair: (pair[0] - centre_a) ** 2 + (pair[1] - centre_b) ** 2)
    return pairs


@lru_cache(maxsize=16)
def _parts(
    plane: tuple[int, int, Region], size: int, lod: int, layer: int, region: Region
) -> tuple[_Part, ...]:
    """All bricks under a slice, row by row; `region` is in voxels of `lod`."""
    axis, channel, _ = plane
    first_a, first_b = region.a0 // size, region.b0 // size
    parts = []
    for a in range(first_a, -(-region.a1 // size)):
        for b in range(first_b, -(-region.b1 // size)):
            a0, a1 = max(a * size, region.a0), min((a + 1) * size, region.a1)
            b0, b1 = max(b * size, region.b0), min((b + 1) * size, region.b1)
            parts.append(
                _Part(
                    key_on_plane(axis, channel, lod, layer, a, b),
                    (a - first_a, b - first_b),
                    (
                        slice(a0 - region.a0, a1 - region.a0),
                        slice(b0 - region.b0, b1 - region.b0),
                    ),
                    (slice(a0 - a * size, a1 - a * size), slice(b0 - b * size, b1 - b * size)),
                )
            )
    return tuple(parts)
