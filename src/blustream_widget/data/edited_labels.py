"""Edited bricks laid over a label volume: whoever reads it reads them, at every level of detail."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from blustream_widget.core.deflate import deflate
from blustream_widget.core.label_edit import Brick
from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.data.brick_patch import BrickPatch, whole_of
from blustream_widget.data.grid import brick_bounds, plane_axes
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import (
    AnyKey,
    BrickDone,
    BrickKey,
    BrickRequest,
    DirectSource,
    DoneRequest,
    FarSource,
    Region,
    TileDone,
    TiledSource,
    TileKey,
    VolumeSource,
)
from blustream_widget.errors import BlustreamError


class EditedLabels:
    """A label volume with some bricks that are other than in its source. Any thread.

    Parameters
    ----------
    source : VolumeSource
        Stays the caller's to close.
    channel : int
        The one that is edited.

    Notes
    -----
    Memory is that of the edited bricks alone; one that is all of one label takes nothing. Coarser
    levels are made of edited bricks as an import makes them, when they are asked for.
    """

    def __init__(self, source: VolumeSource, channel: int) -> None:
        self._source = source
        self._channel = channel
        self._lock = threading.Lock()
        self._bricks: dict[Brick, Samples | BrickPatch] = {}
        self._loose: set[Brick] = set()  # laid, and not settled yet
        # For each level, as far as somebody has asked: which edited bricks lie under its own.
        self._under: list[dict[Brick, set[Brick]]] = [{} for _ in range(source.info.n_lods)]
        self._to_sort: list[list[Brick]] = [[] for _ in range(source.info.n_lods)]
        self._reduced: dict[Brick, dict[int, Samples]] = {}  # by level
        self._n_edits = self._n_bytes = 0

    @property
    def n_edits(self) -> int:
        """Grows by one with every `put`."""
        return self._n_edits

    @property
    def info(self) -> VolumeInfo:
        return self._source.info

    @property
    def n_bytes(self) -> int:
        """What the edited bricks take."""
        return self._n_bytes

    def bricks(self) -> dict[Brick, Samples]:
        """Edited bricks by place; nobody writes to them."""
        with self._lock:
            return {brick: self._whole(brick) for brick in self._bricks}

    def put(self, bricks: Mapping[Brick, Samples | BrickPatch]) -> int:
        """Lay bricks of full resolution over what is there; gives `n_edits` after it."""
        n_edits = self.lay(bricks)
        self.settle(bricks)
        return n_edits

    def lay(self, bricks: Mapping[Brick, Samples | BrickPatch]) -> int:
        """Do the same, for a picture: as little memory as may be is taken only by `settle`."""
        new_ones: list[Brick] = []
        with self._lock:
            for brick, new in bricks.items():
                old = self._bricks.get(brick)
                self._n_bytes += _held_bytes(new) - (0 if old is None else _held_bytes(old))
                if old is None:
                    new_ones.append(brick)
                elif self._reduced:
                    self._reduced.pop(brick, None)
            self._bricks.update(bricks)
            self._loose.update(bricks)
            for to_sort in self._to_sort:
                to_sort.extend(new_ones)
            self._n_edits += 1
            return self._n_edits

    def settle(self, bricks: Iterable[Brick]) -> None:
        """Keep bricks that were laid as they are to stay, before somebody has to wait for them."""
        for brick in bricks:
            with self._lock:
                if brick in self._bricks:
                    self._whole(brick)

    def shape_of(self, brick: Brick) -> tuple[int, int, int]:
        """Voxels of a brick at full resolution."""
        lower, upper = brick_bounds(self.info, BrickKey(self._channel, 0, *brick))
        return (upper[0] - lower[0], upper[1] - lower[1], upper[2] - lower[2])

    def patched(self, key: AnyKey, values: Samples) -> Samples:
        """Give a brick or tile with what is edited by now; the same object where nothing is."""
        if key.channel != self._channel:
            return values
        if isinstance(key, TileKey):
            region = Region(
                key.a * key.size,
                key.a * key.size + values.shape[0],
                key.b * key.size,
                key.b * key.size + values.shape[1],
            )
            return self._with_planes(values, key.axis, key.slice_idx, 0, region)
        with self._lock:
            under = self._sorted(key.lod).get(key[2:])
            if not under:
                return values
            if key.lod == 0:
                return self._whole(key[2:])
            parts = [(brick, self._at_level(brick, key.lod)) for brick in under]
        size = self.info.brick_size
        patched = values.copy(order="K")
        # Where several bricks share one coarse voxel, a label is seen rather than none.
        for brick, part in sorted(parts, key=lambda one: bool(one[1].any())):
            corner = [
                (place * size >> key.lod) - above * size
                for place, above in zip(brick, key[2:], strict=True)
            ]
            patched[tuple(slice(c, c + n) for c, n in zip(corner, part.shape, strict=True))] = part
        patched.flags.writeable = False
        return patched

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        if key.channel == self._channel and key.lod == 0:
            with self._lock:
                there = self._whole(key[2:]) if key[2:] in self._bricks else None
            if there is not None:  # whatever the source has
                done(key, there)
                return DoneRequest()

        def receive(key: BrickKey, result: Samples | BlustreamError | None) -> None:
            done(key, self.patched(key, result) if isinstance(result, np.ndarray) else result)

        return self._source.request_brick(key, receive, prefetch=prefetch)

    @property
    def tile_size(self) -> int:
        """As of the source."""
        return self._source.tile_size if isinstance(self._source, TiledSource) else 0

    def request_tile(self, key: TileKey, done: TileDone, *, prefetch: bool = False) -> BrickRequest:
        """As of the source."""
        assert isinstance(self._source, TiledSource)

        def receive(key: TileKey, result: Samples | BlustreamError | None) -> None:
            done(key, self.patched(key, result) if isinstance(result, np.ndarray) else result)

        return self._source.request_tile(key, receive, prefetch=prefetch)

    @property
    def max_in_flight(self) -> int:
        """As of the source."""
        if isinstance(self._source, FarSource):
            return self._source.max_in_flight
        return 2 * (os.cpu_count() or 1)

    @property
    def trouble(self) -> BlustreamError | None:
        """As of the source."""
        return self._source.trouble if isinstance(self._source, FarSource) else None

    def on_trouble(self, listener: Callable[[], None]) -> None:
        """As of the source."""
        if isinstance(self._source, FarSource):
            self._source.on_trouble(listener)

    def close(self) -> None:
        """Forget the edited bricks; the source stays open."""
        with self._lock:
            self._bricks.clear()
            self._loose.clear()
            self._n_bytes = 0
            self._reduced.clear()
            for under, to_sort in zip(self._under, self._to_sort, strict=True):
                under.clear()
                to_sort.clear()

    def _sorted(self, lod: int) -> dict[Brick, set[Brick]]:
        """Give which edited bricks lie under those of a level. The owner has the lock."""
        under = self._under[lod]
        for brick in self._to_sort[lod]:
            under.setdefault(_above(brick, lod), set()).add(brick)
        self._to_sort[lod].clear()
        return under

    def _at_level(self, brick: Brick, lod: int) -> Samples:
        levels = self._reduced.setdefault(brick, {})
        if lod not in levels:
            before = self._at_level(brick, lod - 1) if lod > 1 else self._whole(brick)
            levels[lod] = half_times(before, 1, is_label=True)
        return levels[lod]

    def _with_planes(
        self,
        values: Samples,
        axis: int,
        slice_idx: int,
        lod: int,
        region: Region,
        bricks: Collection[Brick] | None = None,
    ) -> Samples:
        """Lay what is edited, or some of it, over a slice, whose `region` is in voxels of `lod`."""
        size = self.info.brick_size
        a_axis, b_axis = plane_axes(axis)
        layer = slice_idx // size
        first_a, last_a = region.a0 << lod, region.a1 << lod
        first_b, last_b = region.b0 << lod, region.b1 << lod
        with self._lock:
            found = [
                (brick, self._bricks[brick])
                for brick in (self._bricks if bricks is None else bricks)
                if brick[axis] == layer
                and first_a < (brick[a_axis] + 1) * size
                and brick[a_axis] * size < last_a
                and first_b < (brick[b_axis] + 1) * size
                and brick[b_axis] * size < last_b
                and brick in self._bricks
            ]
        if not found:
            return values
        patched = values.copy(order="K")
        at = slice_idx - layer * size
        planes = _reduced([(brick, _plane(there, axis, at)) for brick, there in found], lod)
        if 1 << lod > size:  # several bricks in one voxel: a label is seen rather than none
            planes.sort(key=lambda one: bool(one[1].any()))
        for brick, plane in planes:
            a, b = brick[a_axis] * size >> lod, brick[b_axis] * size >> lod
            a0, a1 = max(a, region.a0), min(a + plane.shape[0], region.a1)
            b0, b1 = max(b, region.b0), min(b + plane.shape[1], region.b1)
            patched[a0 - region.a0 : a1 - region.a0, b0 - region.b0 : b1 - region.b0] = plane[
                a0 - a : a1 - a, b0 - b : b1 - b
            ]
        patched.flags.writeable = False
        return patched

    def _whole(self, brick: Brick) -> Samples:
        """Give an edited brick, and keep it so. The owner has the lock."""
        laid = self._bricks[brick]
        if brick not in self._loose:
            assert isinstance(laid, np.ndarray)
            return laid
        self._loose.discard(brick)
        whole = self._bricks[brick] = _kept(whole_of(laid))
        self._n_bytes += _held_bytes(whole) - _held_bytes(laid)
        return whole


class EditedArray(EditedLabels):
    """The same of a volume that lies in memory: slices are cut without bricks."""

    def __init__(self, source: DirectSource, channel: int) -> None:
        super().__init__(source, channel)
        self._direct = source

    def read_slice(
        self, axis: int, slice_idx: int, channel: int, lod: int, region: Region
    ) -> Samples:
        values = self._direct.read_slice(axis, slice_idx, channel, lod, region)
        if channel != self._channel:
            return values
        a0, b0 = region.a0 >> lod, region.b0 >> lod
        at_lod = Region(a0, a0 + values.shape[0], b0, b0 + values.shape[1])
        return self._with_planes(values, axis, slice_idx, lod, at_lod)

    def patched_slice(
        self,
        values: Samples,
        axis: int,
        slice_idx: int,
        channel: int,
        lod: int,
        region: Region,
        bricks: Collection[Brick],
    ) -> Samples:
        if channel != self._channel:
            return values
        if 1 << lod > self.info.brick_size:  # several bricks in one voxel
            return self.read_slice(axis, slice_idx, channel, lod, region)
        a0, b0 = region.a0 >> lod, region.b0 >> lod
        at_lod = Region(a0, a0 + values.shape[0], b0, b0 + values.shape[1])
        return self._with_planes(values, axis, slice_idx, lod, at_lod, bricks)

    def read_voxels(self, channel: int, at: npt.NDArray[np.int64]) -> Samples:
        values = self._direct.read_voxels(channel, at)
        size, places = self.info.brick_size, np.stack(np.unravel_index(at, self.info.shape), -1)
        for brick, there in self.bricks().items() if channel == self._channel else ():
            inside = (places // size == brick).all(axis=-1)
            i, j, k = (places[inside] % size).T
            values[inside] = there[i, j, k]
        return values

    def read_box(
        self, axis: int, first: int, last: int, channel: int, region: Region, step: int
    ) -> Samples:
        slices = [
            self.read_slice(axis, index, channel, 0, region)[::step, ::step]
            for index in range(first, last + 1, step)
        ]
        return np.stack(slices, axis=axis)


def edited(source: VolumeSource, channel: int) -> EditedLabels:
    """Lay what will be edited over a label volume, which is read as before until then."""
    if isinstance(source, DirectSource):
        return EditedArray(source, channel)
    return EditedLabels(source, channel)


def touched_keys(channel: int, bricks: Iterable[Brick], *, n_lods: int) -> set[BrickKey]:
    """Bricks of the first `n_lods` levels that edited ones lie under."""
    places = list(bricks)
    return {
        BrickKey(channel, lod, *_above(brick, lod)) for lod in range(n_lods) for brick in places
    }


def pack_brick(values: Samples) -> bytes:
    """Bytes of a brick, compressed: labels shrink to a hundredth and less."""
    if not any(values.strides):
        return _packed(values[:1, :1, :1].tobytes(), values.size)
    return deflate.compress(np.ascontiguousarray(values).tobytes(), 1)


@lru_cache(maxsize=64)
def _packed(voxel: bytes, n: int) -> bytes:
    """Pack a brick of one label: of a large edit, most are."""
    return deflate.compress(voxel * n, 1)


def unpack_brick(data: bytes, shape: tuple[int, int, int], dtype: str) -> Samples:
    """Give the brick back."""
    values = np.frombuffer(deflate.decompress(data), dtype)
    return values.reshape(shape)


def _reduced(planes: list[tuple[Brick, Samples]], lod: int) -> list[tuple[Brick, Samples]]:
    """Bring planes of bricks to a level of detail.

    Those of one shape are reduced as one strip: a call for each would take ten times as long.
    """
    if lod == 0:
        return planes
    side = 1 << lod
    found: list[tuple[Brick, Samples]] = []
    strips: dict[tuple[int, ...], list[tuple[Brick, Samples]]] = {}
    for brick, plane in planes:
        if not any(plane.strides):
            # A plane of one label is as good as any part of it.
            found.append((brick, plane[: -(-plane.shape[0] // side), : -(-plane.shape[1] // side)]))
        elif plane.shape[0] % side:
            found.append((brick, half_times(plane, lod, is_label=True)))
        else:
            strips.setdefault(plane.shape, []).append((brick, plane))
    for strip in strips.values():
        whole = half_times(np.concatenate([plane for _, plane in strip]), lod, is_label=True)
        parts = np.split(whole, len(strip))
        found += [(brick, part) for (brick, _), part in zip(strip, parts, strict=True)]
    return found


def _above(brick: Brick, lod: int) -> Brick:
    return (brick[0] >> lod, brick[1] >> lod, brick[2] >> lod)


def _kept(values: Samples) -> Samples:
    """Give a brick as it is kept: one of one label is a single voxel."""
    first = values.flat[0]
    if (values == first).all():
        return np.broadcast_to(np.asarray(first, values.dtype), values.shape)
    kept = np.ascontiguousarray(values)
    kept.flags.writeable = False
    return kept


def _held_bytes(brick: Samples | BrickPatch) -> int:
    return brick.nbytes if isinstance(brick, BrickPatch) or any(brick.strides) else 0


def _plane(brick: Samples | BrickPatch, axis: int, at: int) -> Samples:
    if isinstance(brick, BrickPatch):
        return brick.plane(axis, at)
    plane: Samples = brick[(slice(None),) * axis + (at,)]
    return plane
