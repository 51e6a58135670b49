"""Reads VDS files and cloud volumes through OpenVDS, with one handle for now and one for later."""

from __future__ import annotations

import logging
import math
import queue
import threading
from collections.abc import Iterator
from typing import Any, TypeAlias

import msgspec
import numpy as np
import openvds

from blustream_widget.core.types import Channel, Samples, VolumeInfo, VolumeRef
from blustream_widget.data.grid import Shape, brick_bounds, brick_counts, check_key
from blustream_widget.data.openvds_errors import OPENVDS_ERRORS, translate
from blustream_widget.data.openvds_handle import Handle
from blustream_widget.data.openvds_layout import ChannelAccess, Opened, describe_layout
from blustream_widget.data.openvds_open import open_vds
from blustream_widget.data.paths import scheme_of, shown_name
from blustream_widget.data.source import BrickDone, BrickKey, BrickRequest, DoneRequest
from blustream_widget.data.statistics import RunningStatistics
from blustream_widget.data.words import with_user_words
from blustream_widget.errors import BlustreamError, BrickReadError, VolumeFormatError
from blustream_widget.runtime import start_thread

logger = logging.getLogger(__name__)

# Bricks that are read at open to judge the value range of a volume that does not say it.
_SAMPLED_BRICKS = 8
# And where those are blank: data can be a small body in a large box.
_SEARCHED_BRICKS = 64
_SAMPLED_BYTES = 32 << 20
_WAIT_S = 60.0

_Answer: TypeAlias = "queue.SimpleQueue[Samples | BlustreamError | None]"


class OpenVdsSource:
    """An open VDS.

    OpenVDS serves the requests of one handle in order, whatever their urgency; so bricks that are
    only read ahead have a handle of their own, opened when first needed.

    Parameters
    ----------
    url : str
        Path or address, already checked.
    ref : VolumeRef
        Its connection string, and what the user says of the volume.
    """

    def __init__(self, url: str, ref: VolumeRef) -> None:
        name = shown_name(url)
        self._url, self._connection, self._name = url, ref.connection, name
        self._is_remote = bool(scheme_of(url))
        self._lock = threading.Lock()
        self._closed = False
        self._ahead: Handle | None = None
        self._is_ahead_wanted = False
        vds = open_vds(url, ref.connection, name)
        try:
            opened, storage = _describe(vds, name)
        except BaseException:
            openvds.close(vds)
            raise
        self._access = opened.access
        self.survey = opened.survey
        self.storage = storage
        self._now = Handle(vds, name, opened.info.shape, is_remote=self._is_remote)
        self._info = opened.info
        if not opened.has_statistics:
            try:
                self._info = self._estimate()
            except BaseException:
                self._now.close()
                raise
        self._info = with_user_words(self._info, ref)

    @property
    def info(self) -> VolumeInfo:
        return self._info

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        check_key(self._info, key)
        handle = self._prefetch_handle() if prefetch else self._now
        access, step = self._place(key.channel)
        request = handle.request(access, key, brick_bounds(self._info, key), done, step=step)
        if request is None:
            done(key, None)
            return DoneRequest()
        return request

    def _place(self, channel: int) -> tuple[ChannelAccess, int | None]:
        """Where OpenVDS has a channel of a step: its own channel, and the step if it has steps."""
        own, step = self._info.own_channel(channel), channel // len(self._info.channels)
        return self._access[own], None if self._info.time is None else step

    def close(self) -> None:
        with self._lock:
            self._closed = True
            handles = [self._ahead, self._now]
            self._ahead = None
        for handle in handles:
            if handle is not None:
                handle.close()

    def _prefetch_handle(self) -> Handle:
        with self._lock:
            if not self._is_ahead_wanted and not self._closed:
                self._is_ahead_wanted = True
                # Opening takes 25 ms locally and 250 ms in a cloud; nobody waits for it.
                start_thread(self._open_ahead, name="blustream-vds-open")
            return self._ahead or self._now

    def _open_ahead(self) -> None:
        try:
            vds = open_vds(self._url, self._connection, self._name)
        except BlustreamError as exc:
            logger.warning("Reading ahead shares the handle of the shown slice: %s", exc)
            return
        handle = Handle(vds, self._name, self._info.shape, is_remote=self._is_remote)
        with self._lock:
            if not self._closed:
                self._ahead = handle
                return
        handle.close()

    def _estimate(self) -> VolumeInfo:
        """Value range and percentiles from some bricks of a small level."""
        channels = []
        has_numbers = False
        for index, channel in enumerate(self._info.channels):
            span = (channel.value_min, channel.value_max)
            statistics = self._sample(index)
            has_numbers |= statistics is not None
            if statistics is not None:
                channels.append(statistics.describe(channel, span))
            else:
                channels.append(channel if np.isfinite(span).all() else _without_range(channel))
        if not has_numbers:
            self._refuse_blank()
        return msgspec.structs.replace(self._info, channels=tuple(channels))

    def _sample(self, channel: int) -> RunningStatistics | None:
        """Count some bricks; None if none of them has a finite value."""
        statistics = RunningStatistics()
        # The coarse levels of other software can be blank where the volume is not.
        for lod, most in ((self._small_lod(), _SAMPLED_BRICKS), (0, _SEARCHED_BRICKS)):
            counts, n_bricks = brick_counts(self._info, lod), self._n_bricks(lod)
            n_all = n_bricks * self._info.n_steps
            picked = np.unique(np.linspace(0, n_all - 1, min(n_all, most)).astype(int))
            keys = [self._brick_key(channel, lod, int(number), counts) for number in picked]
            for brick in self._read_together(keys):
                statistics.add(brick)
            if statistics.n_finite:
                return statistics
        return None

    def _brick_key(self, channel: int, lod: int, number: int, counts: Shape) -> BrickKey:
        """Name a brick of a channel by its number among those of all steps."""
        step, place = divmod(number, math.prod(counts))
        i0, i1, i2 = (int(i) for i in np.unravel_index(place, counts))
        return BrickKey(self._info.at_time(channel, step), lod, i0, i1, i2)

    def _read_together(self, keys: list[BrickKey]) -> Iterator[Samples]:
        """Read bricks side by side, as from far away each costs a round trip, in little memory."""
        dtype = np.dtype(self._info.channels[0].dtype)
        size = max(1, _SAMPLED_BYTES // (self._info.brick_size**3 * dtype.itemsize))
        for start in range(0, len(keys), size):
            some = keys[start : start + size]
            for answer in [self._ask(key, brick_bounds(self._info, key)) for key in some]:
                yield self._take(answer)

    def _small_lod(self) -> int:
        """Find the finest small level: coarse ones of other software can hold strange values."""
        levels = range(self._info.n_lods)
        small = (lod for lod in levels if self._n_bricks(lod) <= _SAMPLED_BRICKS)
        return next(small, self._info.n_lods - 1)

    def _refuse_blank(self) -> None:
        """Nothing of what was sampled is finite: an error if that was everything."""
        seen_whole = self._n_bricks(self._small_lod()) <= _SAMPLED_BRICKS
        if seen_whole or self._n_bricks(0) <= _SEARCHED_BRICKS:
            raise VolumeFormatError(
                f"{self._name} has no finite value: all are NaN, infinite or marked as no value.",
                hint="Check the step that made it.",
            )
        logger.warning("%d bricks of %s have no finite value", _SEARCHED_BRICKS, self._name)

    def _n_bricks(self, lod: int) -> int:
        return math.prod(brick_counts(self._info, lod))

    def read_block(self, channel: int, block: tuple[slice, slice, slice]) -> Samples:
        """Read a block of LOD0 voxels and wait for it; `block` lies inside and has no steps.

        Raises
        ------
        BrickReadError
        """
        lower = (block[0].start, block[1].start, block[2].start)
        upper = (block[0].stop, block[1].stop, block[2].stop)
        for first, last, n in zip(lower, upper, self._info.shape, strict=True):
            if not 0 <= first < last <= n:  # OpenVDS ends the process for some of these
                raise ValueError(f"{block} is not inside {self._info.shape}")
        return self._wait_for(BrickKey(channel, 0, 0, 0, 0), (lower, upper))

    def _wait_for(self, key: BrickKey, bounds: tuple[Shape, Shape]) -> Samples:
        return self._take(self._ask(key, bounds))

    def _ask(self, key: BrickKey, bounds: tuple[Shape, Shape]) -> _Answer:
        answer: _Answer = queue.SimpleQueue()
        access, step = self._place(key.channel)
        request = self._now.request(
            access, key, bounds, lambda _, result: answer.put(result), step=step
        )
        if request is None:
            answer.put(None)
        return answer

    def _take(self, answer: _Answer) -> Samples:
        try:
            result = answer.get(timeout=_WAIT_S)
        except queue.Empty:
            result = None
        if isinstance(result, BlustreamError):
            raise result
        if result is None:
            raise BrickReadError(
                f"{self._name} did not answer in {_WAIT_S:.0f} s, or was closed.",
                hint="Check the storage it lies on, and the connection.",
            )
        return result


def _without_range(channel: Channel) -> Channel:
    return msgspec.structs.replace(channel, value_min=0.0, value_max=0.0)


def _describe(vds: Any, name: str) -> tuple[Opened, str]:
    try:
        codec = str(openvds.getCompressionMethod(vds)).rsplit(".", 1)[-1].lower()
        return describe_layout(openvds.getLayout(vds), name), f"OpenVDS, codec {codec}"
    except OPENVDS_ERRORS as exc:
        raise translate(exc, name) from exc
