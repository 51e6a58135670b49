"""Slices of a volume, at once and as sharp as memory allows, sharper as bricks arrive."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence

import numpy as np

from blustream_widget.core.section_grid import SectionRead
from blustream_widget.core.slab import Slab
from blustream_widget.core.types import Samples, SliceData
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.coarsest import CoarsestLevels
from blustream_widget.data.composite import Composite, SliceSpec
from blustream_widget.data.fetch import BrickFetcher
from blustream_widget.data.grid import clip_region, plane_axes
from blustream_widget.data.layout import is_cut_slowly, turned
from blustream_widget.data.loaded import Run, loaded_runs
from blustream_widget.data.plan import AnyComposite, plan_stages
from blustream_widget.data.seats import Seat, Seats
from blustream_widget.data.section import SectionComposite
from blustream_widget.data.section_points import clip_to_grid
from blustream_widget.data.section_slab import DirectSectionSlab, SectionSlabComposite
from blustream_widget.data.seen_slices import SeenSlices
from blustream_widget.data.slab import DirectSlab, IsLate, SlabComposite
from blustream_widget.data.slab_level import slab_spec
from blustream_widget.data.source import (
    AnyKey,
    BrickKey,
    ChangingSource,
    DirectSource,
    FarSource,
    Region,
    TiledSource,
    TileKey,
    VolumeSource,
)
from blustream_widget.data.voxel_value import ValueDone, VoxelQuestion, plain
from blustream_widget.errors import BlustreamError

logger = logging.getLogger(__name__)

_TURNED_PER_READ = 6  # 4 ms once, instead of 0.15 ms for each such brick in every slice
# What OpenVDS and bricks on their way take, measured with a cache of next to nothing; and the holes
# between bricks: resident memory grew by a ninth more than the bricks in a cache of 1 GB.
_READING_BYTES = 48 << 20
_HOLES = 16
# Of the rest, at most this share for whole slices that were shown before: what took 1 ms to put
# together, or 160 ms and more where its bricks fill the memory, is there at once.
_SEEN = 4
# So long a slab is reduced at once, the rest with the next reads: no input waits longer.
_SLAB_S = 0.025


class SliceReader:
    """Reads slices without waiting; `on_data` says when more of them is here.

    Parameters
    ----------
    source : VolumeSource
        Stays the caller's to close, after the reader.
    budget_bytes : int
        Of memory: for decoded bricks, and a small part of it for reading them.
    on_data : callable
        Called after something new for the slice last read has arrived, or could not be read.
        From an io thread, or from inside `read`; must return at once.
    clock : callable
        Monotonic seconds: how quickly bricks come decides how many levels are shown on the way.

    Notes
    -----
    `read`, `request_value` and `refresh` belong to one thread at a time; `close` to any.
    """

    def __init__(
        self,
        source: VolumeSource,
        *,
        budget_bytes: int,
        on_data: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.error: BlustreamError | None = None
        """Why bricks of a shown slice are missing: the first one's reason, until all are read."""
        self._source = source
        self._info = source.info
        self._direct = source if isinstance(source, DirectSource) else None
        self._on_data = on_data
        self._clock = clock
        self._lock = threading.RLock()
        self._room_bytes = _room(budget_bytes)
        self._cache = BrickCache(self._room_bytes)
        self._seen = SeenSlices(self._room_bytes // _SEEN)
        self._fetcher = BrickFetcher(
            source,
            self._cache,
            self._receive,
            max_in_flight=source.max_in_flight
            if isinstance(source, FarSource)
            else 2 * (os.cpu_count() or 1),
            clock=clock,
        )
        self._tile_size = source.tile_size if isinstance(source, TiledSource) else 0
        self._seats = Seats()
        self._coarsest = CoarsestLevels(self._info, self._cache, self._fetcher, self._seats)
        self._question: VoxelQuestion | None = None
        self._stale: set[AnyKey] = set()
        self._broken: dict[BrickKey, BlustreamError] = {}
        self._closed = False
        if self._direct is None:
            self._coarsest.load(0)

    @property
    def cached_bytes(self) -> int:
        """Decoded bricks and whole slices in memory, bytes; at most the budget."""
        return self._cache.used_bytes + self._seen.used_bytes

    @property
    def n_changes(self) -> int:
        """Grows when what `loaded` says may have changed."""
        return self._cache.n_changes

    @property
    def is_reading(self) -> bool:
        """Whether bricks are on their way."""
        return self._fetcher.in_flight > 0

    def loaded(
        self, axis: int, channel: int, lod: int, region: Region | None = None
    ) -> tuple[Run, ...]:
        """Slices (first, last) that `read` gives whole and at once, in order, as bricks tell.

        Raises
        ------
        ValueError
            If axis or channel do not exist.
        """
        spec = self._check(axis, 0, channel, lod, region)
        if self._direct is not None:
            return ((0, self._info.shape[axis] - 1),)
        with self._lock:
            keys = self._cache.keys()
        return loaded_runs(keys, self._info, spec)

    def seat(self, numbers: Sequence[int]) -> None:
        """Say which slices are looked at side by side, by numbers of `read`, most urgent first."""
        with self._lock:
            if self._seats.order(numbers):
                self._cache.pin(self._seats.pinned)
                self._fetcher.want(self._seats.stages)

    def read(
        self,
        axis: int,
        slice_idx: int,
        channel: int,
        lod: int,
        region: Region | None = None,
        *,
        seat: int = 0,
        slab: Slab | None = None,
        slab_lod: int = 0,
        section: SectionRead | None = None,
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
        seat : int
            Which of several slices side by side this is; what the others want is wanted on.
        slab : Slab, optional
            Slices around this one, or planes beside the section, that are reduced to one, as far as
            is possible at once: `on_data` is called when there is more to do.
        slab_lod : int
            Level of the slices that are reduced, not coarser than `lod`; a coarser one where the
            bricks would not fit the budget. In the result, `coarsest_lod` tells.
        section : SectionRead, optional
            Read this in the place of a slice: `region`, and the result, are of points of its grid,
            columns first. Floats, NaN outside the volume. Of an array, points as fine as
            `slab_lod` are averaged.

        Returns
        -------
        SliceData
            The very same object as before when nothing has changed. Where nothing is here yet, NaN
            (0 for integers) and `coarsest_lod == info.n_lods`. A brick that cannot be read counts
            as done in `progress`: coarser values stay in its place.

        Raises
        ------
        ValueError
            If axis, slice or channel do not exist.
        """
        spec = self._check(axis, slice_idx, channel, lod, region, section)
        if slab is not None:
            return self._read_slab(spec, slab, slab_lod, self._seats.seat(seat))
        if self._direct is not None:
            return self._seats.seat(seat).cuts.read(self._direct, spec, slab_lod)
        with self._lock:
            place = self._seats.seat(seat)
            if place.composite is None or place.composite.spec != spec:
                self._move_to(spec, place)
            assert place.composite is not None
            return place.composite.snapshot()

    def request_value(self, channel: int, voxel: tuple[int, int, int], done: ValueDone) -> None:
        """Tell the LOD0 value of one voxel: a float, or None for NaN or if it cannot be read.

        `done` is called at once if the value is in memory, else from an io thread. A newer request
        replaces an older one, which is then never answered. A voxel outside gives None.
        """
        inside = all(0 <= v < n for v, n in zip(voxel, self._info.shape, strict=True))
        if not inside or not 0 <= channel < self._info.n_source_channels:
            done(None)
            return
        size = self._info.brick_size
        i0, i1, i2 = (v // size for v in voxel)
        offset = (voxel[0] % size, voxel[1] % size, voxel[2] % size)
        request = VoxelQuestion(BrickKey(channel, 0, i0, i1, i2), offset, done)
        if self._direct is not None:
            a, b = voxel[1], voxel[2]
            values = self._direct.read_slice(0, voxel[0], channel, 0, Region(a, a + 1, b, b + 1))
            done(plain(values[0, 0]))
            return
        with self._lock:
            brick = self._cache.find(request.key)
            self._question = None if brick is not None else request
            self._fetcher.want_urgently(None if brick is not None else request.key)
        if brick is not None:
            done(plain(brick[offset]))

    def refresh(self) -> None:
        """Read everything again: the volume was changed in place."""
        with self._lock:
            self.error = None
            self._broken.clear()
            self._seats.change_cuts()
            self._cache.clear()
            self._seen.clear()
            self._stale = self._fetcher.restart()
            if self._direct is None:
                self._coarsest.load_again()
            for seat in self._seats.all:
                if seat.composite is not None:
                    self._move_to(seat.composite.spec, seat)
        self._on_data()

    def change(self, bricks: Collection[BrickKey]) -> None:
        """Show bricks, of every level, as a `ChangingSource` has them now; nothing is read."""
        assert isinstance(self._source, ChangingSource)
        with self._lock:
            self._seats.change_cuts(bricks)
            self._seen.clear()
            cached = self._cache.keys()
            for key in [key for key in cached if _is_of(key, bricks, self._info.brick_size)]:
                brick = self._cache.find(key)
                assert brick is not None
                patched = self._source.patched(key, brick)
                axis = self._seats.axis_of(key, self._info)
                if axis is not None and isinstance(key, BrickKey):
                    patched = turned(patched, axis)
                self._cache.put(key, patched)
            for seat in self._seats.all:
                if seat.composite is not None:
                    self._move_to(seat.composite.spec, seat)
        self._on_data()

    def limit(self, budget_bytes: int) -> None:
        """Keep to another budget of memory, which others share."""
        with self._lock:
            self._room_bytes = _room(budget_bytes)
            self._seen.limit(self._room_bytes // _SEEN)
            self._cache.limit(self._room_bytes - self._seen.used_bytes)

    def close(self) -> None:
        """Cancel what is on its way and free the memory. May be called twice, from any thread."""
        with self._lock:
            self._closed = True
            self._fetcher.close()
            self._cache.clear()
            self._seen.clear()
            self._seats.empty()
            self._question = None

    def _check(
        self,
        axis: int,
        slice_idx: int,
        channel: int,
        lod: int,
        region: Region | None,
        section: SectionRead | None = None,
    ) -> SliceSpec:
        if axis not in (0, 1, 2) or not 0 <= channel < self._info.n_source_channels:
            raise ValueError(f"{self._info.name} has no axis {axis} or channel {channel}")
        if not 0 <= slice_idx < self._info.shape[axis]:
            raise ValueError(f"slice {slice_idx} of {self._info.shape[axis]} on axis {axis}")
        lod = min(max(lod, 0), self._info.n_lods - 1)
        if section is not None:
            whole = clip_to_grid(section.grid, region)
            return SliceSpec(axis, slice_idx, channel, lod, whole, section=section)
        return SliceSpec(axis, slice_idx, channel, lod, clip_region(self._info, axis, region))

    def _read_slab(self, spec: SliceSpec, slab: Slab, slab_lod: int, seat: Seat) -> SliceData:
        room_bytes = None if self._direct else self._cache.budget_bytes // 2 // len(self._seats)
        spec = slab_spec(self._info, spec, slab, slab_lod, room_bytes=room_bytes)
        end_s = self._clock() + _SLAB_S

        def is_late() -> bool:
            return self._clock() > end_s

        if self._direct is not None:
            if seat.slab is None or seat.slab.spec != spec:
                kind = DirectSlab if spec.section is None else DirectSectionSlab
                seat.slab = kind(self._direct, spec)
            is_unfinished, data = seat.slab.work(is_late), seat.slab.snapshot()
        else:
            with self._lock:
                if seat.composite is None or seat.composite.spec != spec:
                    self._move_to(spec, seat, is_late)
                composite = seat.composite
                assert isinstance(composite, SlabComposite | SectionSlabComposite)
                is_unfinished, data = composite.work(is_late), composite.snapshot()
        if is_unfinished:
            self._on_data()
        return data

    def _move_to(self, spec: SliceSpec, seat: Seat, is_late: IsLate = lambda: False) -> None:
        seat.hand = seat.follow(spec)
        self._coarsest.load(spec.channel)
        composite: AnyComposite
        if spec.section is not None and spec.slab is not None:
            composite = SectionSlabComposite(self._info, spec, self._cache)
        elif spec.section is not None:
            composite = SectionComposite(self._info, spec, self._cache)
        elif spec.slab is None:
            composite = self._put_together(spec, seat.composite)
        else:
            composite = SlabComposite(self._info, spec, self._cache)
            composite.work(is_late)
        seat.composite = composite
        if spec.section is not None:
            seat.pinned, seat.has_slow_cuts = composite.keys(spec.lod), False
            self._cache.pin(self._seats.pinned)
        elif self._tile_size and spec.lod == 0 and spec.slab is None:
            seat.pinned, seat.has_slow_cuts = composite.tile_keys(self._tile_size), False
            self._cache.pin(self._seats.pinned)
        else:
            self._pin(composite.keys(spec.lod), seat)
        self._ask(seat)

    def _put_together(self, spec: SliceSpec, left: AnyComposite | None) -> Composite:
        """Give a slice that was shown before, or cut it; keep the one that is left for it."""
        if type(left) is Composite and left.spec != spec:
            self._seen.keep(left)
        composite = self._seen.take(spec)
        self._cache.limit(self._room_bytes - self._seen.used_bytes)
        if composite is None:
            composite = Composite(self._info, spec, self._cache, stored_tile=self._tile_size)
        return composite

    def _ask(self, seat: Seat) -> None:
        composite = seat.composite
        assert composite is not None
        room_bytes = self._cache.budget_bytes - self._coarsest.bytes_of(composite.spec.channel)
        seat.stages = plan_stages(
            composite,
            self._info,
            seat.hand,
            room_bytes=room_bytes // len(self._seats),
            is_slow=self._fetcher.is_slow,
            tile_size=0 if composite.spec.slab or composite.spec.section else self._tile_size,
        )
        self._fetcher.want(self._seats.stages)
        for key in [key for key in self._broken if self._fetcher.has_given_up(key)]:
            self._give_up(key)

    def _pin(self, keys: Sequence[BrickKey], seat: Seat) -> None:
        """Keep the shown layer, and turn bricks of it that were read for another axis."""
        if keys is not seat.pinned:  # else a slice of the same layer: 0.1 ms saved
            seat.pinned, seat.has_slow_cuts = keys, True
            self._cache.pin(self._seats.pinned)
        if seat.has_slow_cuts:
            seat.has_slow_cuts = self._turn_some(keys, seat)

    def _turn_some(self, keys: Sequence[BrickKey], seat: Seat) -> bool:
        """Turn a few cached bricks that are cut slowly; say whether more of them are left."""
        assert seat.composite is not None
        axis, n_turned = seat.composite.spec.axis, 0
        for key in keys:
            brick = self._cache.find(key)
            if brick is None or not is_cut_slowly(brick, axis):
                continue
            if self._seats.axis_of(key, self._info) != axis:
                continue  # another slice beside this one is cut from it too, and comes first
            self._cache.put(key, turned(brick, axis))
            n_turned += 1
            if n_turned == _TURNED_PER_READ:
                return True
        return False

    def _receive(self, key: AnyKey, result: Samples | BlustreamError | None) -> None:
        """Take what the source delivers; any thread."""
        answer: tuple[ValueDone, float | None] | None = None
        axis = self._seats.axis_of(key, self._info)
        if axis is not None and isinstance(result, np.ndarray) and isinstance(key, BrickKey):
            result = turned(result, axis)
        with self._lock:
            if self._closed:
                self._fetcher.settle(key, failed=False)
                return
            if key in self._stale:  # read before `refresh`, perhaps
                self._stale.discard(key)
                result = None
            if isinstance(result, np.ndarray) and isinstance(self._source, ChangingSource):
                result = self._source.patched(key, result)  # what changed since it was read
            if isinstance(key, TileKey):
                is_news = self._take_tile(key, result)
            else:
                is_news = self._take_brick(key, result)
                answer = self._answer(key, result)
            self._fetcher.pump()
        if answer is not None:
            answer[0](answer[1])
        if is_news:
            self._on_data()

    def _take_brick(self, key: BrickKey, result: Samples | BlustreamError | None) -> bool:
        is_error = isinstance(result, BlustreamError)
        self._fetcher.settle(key, failed=is_error)
        if isinstance(result, BlustreamError):
            self._broken[key] = result
            return self._fetcher.has_given_up(key) and self._give_up(key)
        if result is None:
            return False
        if self._broken.pop(key, None) and not self._broken:
            self.error = None
        return self._put(key, result)

    def _put(self, key: AnyKey, values: Samples) -> bool:
        """Keep what has come, and show it in every slice that it makes finer."""
        self._cache.put(key, values)
        return sum(composite.put(key, values) for composite in self._seats.composites) > 0

    def _take_tile(self, key: TileKey, result: Samples | BlustreamError | None) -> bool:
        self._fetcher.settle(key, failed=False)
        if isinstance(result, BlustreamError):
            if self._tile_size:
                logger.warning("The slice copy is not used any more: %s", result)
                self._tile_size = 0
                for seat in self._seats.all:
                    if seat.composite is not None:
                        self._ask(seat)
            return False
        if result is None:
            return False
        return self._put(key, result)

    def _give_up(self, key: BrickKey) -> bool:
        """Show the slice without a brick, and say why; once, however many are broken."""
        if not sum(composite.give_up(key) for composite in self._seats.composites):
            return False
        self.error = self.error or self._broken[key]
        return True

    def _answer(
        self, key: BrickKey, result: Samples | BlustreamError | None
    ) -> tuple[ValueDone, float | None] | None:
        answer = None if self._question is None else self._question.answered_by(key, result)
        if answer is not None:
            self._question = None
        return answer


def _is_of(key: AnyKey, bricks: Collection[BrickKey], size: int) -> bool:
    """Whether a brick is one of those, or a tile is cut from one of them."""
    if isinstance(key, BrickKey):
        return key in bricks
    a_axis, b_axis = plane_axes(key.axis)
    return any(
        brick.lod == 0
        and brick.channel == key.channel
        and brick[2 + key.axis] == key.slice_idx // size
        and brick[2 + a_axis] * size // key.size == key.a
        and brick[2 + b_axis] * size // key.size == key.b
        for brick in bricks
    )


def _room(budget_bytes: int) -> int:
    """Take off what the reading of bricks needs."""
    return budget_bytes - min(_READING_BYTES + budget_bytes // _HOLES, budget_bytes // 4)
