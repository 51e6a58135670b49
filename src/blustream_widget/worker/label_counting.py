"""Counts labels beside the render thread, and keeps the counts right while labels are edited."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterable

import msgspec
import numpy as np

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.measures import metric_of
from blustream_widget.core.segmentation import LabelCount, SegmentationInfo
from blustream_widget.core.types import Channel, VolumeInfo
from blustream_widget.core.worker_protocol import SegmentationFailed, SegmentationOpened
from blustream_widget.data import VolumeSource
from blustream_widget.data.label_counts import (
    LabelCounter,
    LabelSum,
    level_to_count,
    with_changes,
)
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import described_again
from blustream_widget.data.voxels import ReadCancelledError
from blustream_widget.errors import BlustreamError, PeerClosedError
from blustream_widget.runtime import start_thread
from blustream_widget.worker.label_editing import Edited
from blustream_widget.worker.layer_sources import Layer
from blustream_widget.worker.sink import Sink


class LabelCounting:
    """Counts of all labels of a pipeline; the render thread calls everything.

    Parameters
    ----------
    sink : Sink
        Hears the counts, from any thread.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def count(self, labels: Layer, shown: VolumeSource, channel: int | None) -> None:
        """Count labels in a thread of its own, with a channel's values under them, if any."""
        labels.counts.cancelled.set()
        cancelled = labels.counts.cancelled = threading.Event()
        labels.counts.asked = channel

        def run() -> None:
            try:
                while not self._count(labels, shown, channel, cancelled):
                    pass
            except ReadCancelledError:
                return
            except BlustreamError as exc:
                if not cancelled.is_set():
                    labels.counts.asked = None
                    self._fail(labels.info.name, exc)

        start_thread(run, name="blustream-count")

    def take_edited(self, labels: Layer, shown: VolumeSource, done: Edited) -> None:
        """Take what an edit has changed of the counts, or have them counted anew."""
        counts = labels.counts
        with counts.lock:
            if labels.info.is_counted and counts.n_edits >= done.n_edits:
                return  # it was counted when this was done already
            is_known = labels.info.is_counted and counts.n_edits == done.n_edits - 1
            if is_known and done.counts is not None and counts.asked is None:
                counts.cancelled.set()
                counts.sums = with_changes(counts.sums, done.counts)
                counts.n_edits = done.n_edits
                self._tell(
                    labels,
                    _described(
                        labels.info,
                        _spanning(labels.info.channel, counts.sums),
                        counts.sums,
                        labels.alignment,
                        _grid_of(labels, shown),
                        lod=labels.info.lod,
                    ),
                )
                return
            self._tell(labels, msgspec.structs.replace(labels.info, is_counted=False))
            asked = counts.asked
        self.count(labels, shown, asked)

    def _count(
        self, labels: Layer, shown: VolumeSource, channel: int | None, cancelled: threading.Event
    ) -> bool:
        """Count, and say whether nothing was edited meanwhile: that may be counted, or not."""
        n_edits = _n_edits(labels)
        lod = level_to_count(labels.source)
        counter = LabelCounter(labels.edited, labels.source_channel, lod, cancelled.is_set)
        values = None
        if channel is not None:
            values = (shown, shown.info.at_time(channel, labels.shown_time_idx))
        sums = counter.count(values)
        info = _described(
            labels.info,
            _spanning(_channel_of(labels), sums),
            sums,
            labels.alignment,
            _grid_of(labels, shown),
            lod=lod,
            reference=counter.reference,
            values_of=channel,
        )
        with labels.counts.lock:
            if not cancelled.is_set() and _n_edits(labels) != n_edits:
                return False
            if not cancelled.is_set():
                labels.counts.sums, labels.counts.n_edits = sums, n_edits
                labels.counts.asked = None
                self._tell(labels, info)
        return True

    def _tell(self, labels: Layer, info: SegmentationInfo) -> None:
        """Say what is known of labels now; within their lock, so that the newest comes last."""
        labels.info = info
        with contextlib.suppress(PeerClosedError):
            self._sink.send(SegmentationOpened(info))

    def _fail(self, name: str, exc: BlustreamError) -> None:
        with contextlib.suppress(PeerClosedError):
            self._sink.send(
                SegmentationFailed(name, exc.code, exc.message, exc.hint, are_open=True)
            )


def _n_edits(labels: Layer) -> int:
    return 0 if labels.editable is None else labels.editable.labels.n_edits


def _grid_of(labels: Layer, shown: VolumeSource) -> VolumeInfo:
    # An array knows no spacing of its own.
    return shown.info if labels.alignment.is_same_grid else labels.source.info


def _channel_of(labels: Layer) -> Channel:
    """Give range and names as they are in the source now."""
    if isinstance(labels.source, MemorySource):
        return described_again(labels.source, labels.source.info).channels[labels.channel]
    return labels.source.info.channels[labels.channel]


def _spanning(channel: Channel, labels: Iterable[int]) -> Channel:
    """Widen the range of a channel to labels that were painted."""
    values = [*labels, channel.value_min, channel.value_max]
    return msgspec.structs.replace(
        channel, value_min=float(min(values)), value_max=float(max(values))
    )


def _described(
    info: SegmentationInfo,
    channel: Channel,
    found: dict[int, LabelSum],
    alignment: Alignment,
    grid: VolumeInfo,
    *,
    lod: int,
    reference: float = 0.0,
    values_of: int | None = None,
) -> SegmentationInfo:
    """Say what was counted.

    Parameters
    ----------
    info : SegmentationInfo
        As it was.
    channel : Channel
        As the labels are now.
    found : dict
        By label.
    alignment : Alignment
        How the labels lie in the shown volume.
    grid : VolumeInfo
        Whose voxels they are.
    lod : int
        Level that was counted.
    reference : float
        As of the `LabelCounter`.
    values_of : int or None
        Channel of the shown volume whose values were summed up.
    """
    metric = metric_of(grid)
    counts = [
        _label_count(value, one, lod, alignment, reference) for value, one in sorted(found.items())
    ]
    return msgspec.structs.replace(
        info,
        channel=channel,
        labels=tuple(counts),
        is_counted=True,
        lod=lod,
        voxel_volume=float(abs(np.linalg.det(metric.vectors))) * 8.0**lod,
        volume_unit=metric.volume_unit,
        values_of=values_of,
    )


def _label_count(
    value: int, one: LabelSum, lod: int, alignment: Alignment, reference: float
) -> LabelCount:
    # A voxel of a coarser level covers 2**lod: its centre lies between those.
    there = (one.places / one.count + 0.5) * (1 << lod) - 0.5
    here = [alignment.here(axis, float(there[alignment.axes[axis]])) for axis in range(3)]
    mean = sd = None
    if one.n_values:
        offset = one.total / one.n_values
        mean = reference + offset
        sd = math.sqrt(max(one.squares / one.n_values - offset * offset, 0.0))
    return LabelCount(value, one.count, (here[0], here[1], here[2]), mean, sd)
