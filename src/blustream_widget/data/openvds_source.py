"""Reads VDS files and cloud volumes through OpenVDS, with one handle for now and one for later."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import openvds

from blustream_widget.core.types import Samples, VolumeInfo, VolumeRef
from blustream_widget.data.grid import brick_bounds, brick_counts, check_key
from blustream_widget.data.openvds_errors import translate
from blustream_widget.data.openvds_handle import Handle
from blustream_widget.data.openvds_layout import Opened, describe_layout
from blustream_widget.data.paths import shown_name
from blustream_widget.data.source import BrickDone, BrickKey, BrickRequest, DoneRequest
from blustream_widget.data.statistics import with_statistics
from blustream_widget.data.words import with_user_words
from blustream_widget.errors import BlustreamError, VolumeFormatError

_SIGNATURE = b"HueDataStore"
# Bricks that are read at open to judge the value range of a volume that does not say it.
_SAMPLED_BRICKS = 8
_OPEN_TIMEOUT_S = 60.0


class OpenVdsSource:
    """A VDS, open. OpenVDS serves the requests of one handle in order, whatever their urgency;
    so bricks that are only read ahead have a handle of their own, opened when first needed.

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
        self._lock = threading.Lock()
        self._closed = False
        self._ahead: Handle | None = None
        vds = _open(url, ref.connection, name)
        try:
            opened = _describe(vds, name)
        except BaseException:
            openvds.close(vds)
            raise
        self._access = opened.access
        self._now = Handle(vds, name, opened.info.shape)
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
        request = handle.request(
            self._access[key.channel], key, brick_bounds(self._info, key), done
        )
        if request is None:
            done(key, None)
            return DoneRequest()
        return request

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
            if self._ahead is None and not self._closed:
                vds = _open(self._url, self._connection, self._name)
                self._ahead = Handle(vds, self._name, self._info.shape)
            return self._ahead or self._now

    def _estimate(self) -> VolumeInfo:
        """Value range and percentiles from some bricks of the coarsest level."""
        channels = []
        for index, channel in enumerate(self._info.channels):
            samples = np.concatenate([b.ravel() for b in self._sample(index)])
            channels.append(with_statistics(channel, samples))
        return msgspec.structs.replace(self._info, channels=tuple(channels))

    def _sample(self, channel: int) -> list[Samples]:
        lod = self._info.n_lods - 1
        counts = brick_counts(self._info, lod)
        n_bricks = counts[0] * counts[1] * counts[2]
        picked = np.unique(np.linspace(0, n_bricks - 1, min(n_bricks, _SAMPLED_BRICKS)).astype(int))
        indices = [np.unravel_index(int(i), counts) for i in picked]
        keys = [BrickKey(channel, lod, int(i0), int(i1), int(i2)) for i0, i1, i2 in indices]
        return read_bricks(self, keys)


def read_bricks(source: OpenVdsSource, keys: list[BrickKey]) -> list[Samples]:
    """Read bricks and wait for them, in order.

    Raises
    ------
    BlustreamError
        The first brick that could not be read.
    """
    results: dict[BrickKey, Samples | BlustreamError | None] = {}
    here = threading.Semaphore(0)

    def done(key: BrickKey, result: Samples | BlustreamError | None) -> None:
        results[key] = result
        here.release()

    for key in keys:
        source.request_brick(key, done)
    for _ in keys:
        if not here.acquire(timeout=_OPEN_TIMEOUT_S):
            raise VolumeFormatError(
                f"{source.info.name} did not answer in {_OPEN_TIMEOUT_S:.0f} s."
            )
    bricks = []
    for key in keys:
        result = results[key]
        if isinstance(result, BlustreamError):
            raise result
        if result is None:
            raise VolumeFormatError(f"{source.info.name} was closed while it was read.")
        bricks.append(result)
    return bricks


def check_signature(path: Path) -> None:
    """Refuse a file that is not a VDS before OpenVDS sees it.

    Raises
    ------
    VolumeFormatError
    """
    with path.open("rb") as file:
        start = file.read(len(_SIGNATURE))
    if start != _SIGNATURE:
        raise VolumeFormatError(
            f"{path} is not a VDS file: it does not begin like one.",
            hint="Other formats are converted first: blustream import.",
        )


def _open(url: str, connection: str, name: str) -> Any:  # openvds.core.VDS, untyped
    try:
        return openvds.open(url, connection)
    except RuntimeError as exc:
        raise translate(exc, name) from exc


def _describe(vds: Any, name: str) -> Opened:
    try:
        return describe_layout(openvds.getLayout(vds), name)
    except RuntimeError as exc:
        raise translate(exc, name) from exc
