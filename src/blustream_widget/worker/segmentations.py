"""Labels that lie over the shown volume: their sources, their slices beside its own, their counts.

A source is opened and counted in a thread of its own: the picture never waits for it, and shows it
from when it is there.
"""

from __future__ import annotations

import contextlib
import logging
import math
import queue
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from blustream_widget.config import Config
from blustream_widget.core.alignment import Alignment, align
from blustream_widget.core.measures import metric_of
from blustream_widget.core.segmentation import (
    LabelCount,
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
)
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.core.worker_protocol import (
    AddSegmentation,
    CountLabels,
    OfSegmentations,
    RefreshSegmentation,
    RemoveSegmentation,
    SegmentationFailed,
    SegmentationOpened,
)
from blustream_widget.data import Region, SliceReader, VolumeSource
from blustream_widget.data.label_counts import LabelCounter, LabelSum, level_to_count
from blustream_widget.data.label_volume import as_labels
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import described_again
from blustream_widget.data.voxels import ReadCancelledError
from blustream_widget.errors import BlustreamError, PeerClosedError, StateError, VolumeFormatError
from blustream_widget.render.overlay import LabelView, Overlay, plan_labels
from blustream_widget.render.view import SliceView
from blustream_widget.runtime import start_thread
from blustream_widget.worker.sink import Sink

logger = logging.getLogger(__name__)

OpenVolume = Callable[[VolumeRef, Config], VolumeSource]

# Of the budget of decoded bricks, for each label volume that is read by bricks.
_SHARE = 16
# Seats of the shown volume's reader from which on a channel's labels sit: behind every pane's.
_FIRST_SEAT = 100


@dataclass(slots=True, eq=False)
class _Labels:
    """Labels that are open.

    Parameters
    ----------
    source : VolumeSource
    channel : int
    alignment : Alignment
    info : SegmentationInfo
    opened : VolumeSource or None
        To be closed; None: that of the shown volume.
    reader : SliceReader or None
        None until the render thread has taken it over.
    cancelled : Event
        Nobody waits for what is being counted.
    """

    source: VolumeSource
    channel: int
    alignment: Alignment
    info: SegmentationInfo
    opened: VolumeSource | None
    reader: SliceReader | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)


class Segmentations:
    """All labels of a pipeline.

    Parameters
    ----------
    config : Config
    sink : Sink
        Hears what was opened and counted, from any thread.
    open_volume : callable
        Opens what a reference names.
    wake : callable
        Has the render thread look again; called from any thread.

    Notes
    -----
    One thread, the render thread, calls everything.
    """

    def __init__(
        self, config: Config, sink: Sink, open_volume: OpenVolume, wake: Callable[[], None]
    ) -> None:
        self._config = config
        self._sink = sink
        self._open_volume = open_volume
        self._wake = wake
        self._source: VolumeSource | None = None
        self._reader: SliceReader | None = None
        self._budget_bytes = 0
        self._wanted: dict[str, SegmentationSource] = {}
        # Channels to be counted under labels that are not open yet.
        self._to_count: dict[str, int] = {}
        self._open: dict[str, _Labels] = {}
        self._arrived: queue.SimpleQueue[tuple[SegmentationSource, _Labels]] = queue.SimpleQueue()
        self._drawn: dict[int, tuple[Overlay, ...]] = {}
        self._is_closed = threading.Event()

    def start(self, source: VolumeSource, reader: SliceReader, budget_bytes: int) -> None:
        """Say what the labels lie over, and the memory that all bricks together may take."""
        self._source, self._reader, self._budget_bytes = source, reader, budget_bytes

    def take(self, messages: Iterable[OfSegmentations]) -> None:
        """Do what the server wants of labels."""
        for message in messages:
            match message:
                case AddSegmentation(source=source):
                    self._add(source)
                case RemoveSegmentation(name=name):
                    self._wanted.pop(name, None)
                    self._to_count.pop(name, None)
                    self._drop(name)
                case RefreshSegmentation(name=name):
                    self._refresh(name)
                case CountLabels(name=name, channel=channel):
                    self._count_again(name, channel)

    def settle(self) -> bool:
        """Take over what was opened meanwhile; say whether something was."""
        is_news = False
        while True:
            try:
                asked, labels = self._arrived.get_nowait()
            except queue.Empty:
                return is_news
            if self._wanted.get(asked.name) is not asked:
                _close(labels)  # replaced or removed before it was open
                continue
            self._drop(asked.name)
            labels.reader = self._reader_of(labels)
            self._open[asked.name] = labels
            self._share_budget()
            self._count(labels, None)
            if asked.name in self._to_count:
                self._count_again(asked.name, self._to_count.pop(asked.name))
            is_news = True

    def seat(self, panes: Sequence[int], looks: Sequence[SegmentationLook]) -> tuple[int, ...]:
        """Say which panes are looked at; gives the seats of the shown volume's reader for labels.

        A seat stays while its labels are hidden, so that they come back without being read.
        """
        seats: list[int] = []
        self._drawn = {index: drawn for index, drawn in self._drawn.items() if index in panes}
        for place, look in enumerate(looks):
            labels = self._open.get(look.name)
            if labels is None or labels.reader is None:
                continue
            if labels.opened is None:
                seats.extend(_seat(place, index) for index in panes)
            else:
                labels.reader.seat(panes)
        return tuple(seats)

    def read(
        self, index: int, state: ViewState, view: SliceView
    ) -> tuple[tuple[Overlay, ...], bool]:
        """Read the labels over a pane's slice as far as they are in memory, and ask for the rest.

        Parameters
        ----------
        index : int
            Of the pane.
        state : ViewState
            Of that pane alone.
        view : SliceView
            What of the shown volume is read for it.

        Returns
        -------
        overlays : tuple of Overlay
            The lowest first.
        is_complete : bool
            All that is open is here, as fine as `view` is.
        """
        overlays, is_complete = [], True
        for place, look in enumerate(state.segmentations if state.show_segmentations else ()):
            labels = self._open.get(look.name)
            if labels is None or labels.reader is None or not look.visible:
                continue
            planned = plan_labels(view, labels.alignment, labels.source.info, labels.channel)
            if planned is None:
                continue
            seat = _seat(place, index) if labels.opened is None else index
            data = labels.reader.read(
                planned.axis,
                planned.slice_idx,
                planned.channel,
                planned.lod,
                Region(*planned.region),
                seat=seat,
            )
            overlays.append(Overlay(planned, data, look))
            is_complete = is_complete and data.progress >= 1 and data.coarsest_lod <= planned.lod
        self._drawn[index] = tuple(overlays)
        return self._drawn[index], is_complete

    def labels_at(self, voxel: tuple[int, int, int]) -> tuple[tuple[str, int], ...]:
        """Labels that are drawn over a voxel of the shown volume: (segmentation, label)."""
        found: dict[str, int] = {}
        for overlays in self._drawn.values():
            for overlay in overlays:
                label = _label_at(overlay, voxel)
                if label and label not in overlay.look.hidden:
                    found[overlay.look.name] = label
        return tuple(found.items())

    def refresh_channels(self) -> None:
        """Count labels that are channels of the shown volume again: it has changed."""
        for labels in self._open.values():
            if labels.opened is None:
                self._count(labels, None)

    def close(self) -> None:
        """Close everything. May be called twice."""
        self._is_closed.set()
        self._wanted.clear()
        for name in list(self._open):
            self._drop(name)
        self.settle()

    # ------------------------------------------------------------ opening and closing

    def _add(self, asked: SegmentationSource) -> None:
        self._wanted[asked.name] = asked
        start_thread(lambda: self._open_beside(asked), name="blustream-labels")

    def _open_beside(self, asked: SegmentationSource) -> None:
        """Open labels; a thread of its own."""
        try:
            labels = self._opened(asked)
        except BlustreamError as exc:
            self._fail(asked.name, exc)
            return
        except Exception as exc:
            # A reader that fails in a way nobody foresaw must not look like labels that never come.
            logger.exception("Opening labels failed")
            name = type(exc).__name__
            self._fail(asked.name, VolumeFormatError(f"The labels cannot be opened: {name}."))
            return
        self._arrived.put((asked, labels))
        if self._is_closed.is_set():
            _close(labels)
            return
        with contextlib.suppress(PeerClosedError):  # the render thread notices and ends
            self._sink.send(SegmentationOpened(labels.info))
        self._wake()

    def _opened(self, asked: SegmentationSource) -> _Labels:
        shown = self._source
        assert shown is not None
        if asked.ref is None:
            opened, source = None, shown
            if asked.channel >= len(shown.info.channels):
                raise StateError(f"{shown.info.name} has no channel {asked.channel}.")
            if not shown.info.channels[asked.channel].is_label:
                name = shown.info.channels[asked.channel].name
                raise StateError(
                    f"The channel {name} of {shown.info.name} is not marked as labels.",
                    hint="Import it as labels: blustream import --labels.",
                )
            alignment = Alignment()
        else:
            opened = self._open_volume(asked.ref, self._config)
            try:
                alignment = align(shown.info, opened.info)
                source = as_labels(opened, asked.ref, asked.channel)
            except BaseException:
                opened.close()
                raise
        info = SegmentationInfo(asked.name, source.info.channels[asked.channel])
        return _Labels(source, asked.channel, alignment, info, opened)

    def _reader_of(self, labels: _Labels) -> SliceReader:
        if labels.opened is None:
            assert self._reader is not None
            return self._reader
        return SliceReader(
            labels.source, budget_bytes=self._budget_bytes // _SHARE, on_data=self._wake
        )

    def _share_budget(self) -> None:
        """Leave the shown volume what the label volumes do not need; arrays need nothing."""
        assert self._reader is not None
        n = sum(
            labels.opened is not None and not isinstance(labels.source, MemorySource)
            for labels in self._open.values()
        )
        self._reader.limit(self._budget_bytes - n * (self._budget_bytes // _SHARE))

    def _drop(self, name: str) -> None:
        labels = self._open.pop(name, None)
        if labels is not None:
            labels.cancelled.set()
            _close(labels)
            if not self._is_closed.is_set():
                self._share_budget()

    def _refresh(self, name: str) -> None:
        labels = self._open.get(name)
        if labels is None or labels.opened is None or labels.reader is None:
            return
        labels.reader.refresh()
        self._count(labels, labels.info.values_of)

    def _fail(self, name: str, exc: BlustreamError, *, are_open: bool = False) -> None:
        with contextlib.suppress(PeerClosedError):
            self._sink.send(
                SegmentationFailed(name, exc.code, exc.message, exc.hint, are_open=are_open)
            )

    # ------------------------------------------------------------ counting

    def _count_again(self, name: str, channel: int) -> None:
        labels = self._open.get(name)
        shown = self._source
        if labels is None and name in self._wanted:
            self._to_count[name] = channel
        elif labels is None or shown is None:
            self._fail(name, StateError(f"There is no segmentation {name!r}."), are_open=True)
        elif not labels.alignment.is_same_grid or level_to_count(labels.source) > 0:
            error = StateError(
                f"Values under the labels of {name!r} are not known: "
                + (
                    "they lie on another grid."
                    if not labels.alignment.is_same_grid
                    else "there are too many voxels."
                ),
                hint="statistics(channel=None) gives counts and volumes.",
            )
            self._fail(name, error, are_open=True)
        else:
            self._count(labels, channel)

    def _count(self, labels: _Labels, channel: int | None) -> None:
        labels.cancelled.set()
        cancelled = labels.cancelled = threading.Event()
        shown = self._source
        assert shown is not None
        values = None if channel is None else (shown, channel)

        def run() -> None:
            try:
                info = _counted(labels, values, cancelled.is_set, shown.info)
            except ReadCancelledError:
                return
            except BlustreamError as exc:
                if not cancelled.is_set():
                    self._fail(labels.info.name, exc, are_open=True)
                return
            if not cancelled.is_set():
                labels.info = info
                with contextlib.suppress(PeerClosedError):
                    self._sink.send(SegmentationOpened(info))

        start_thread(run, name="blustream-count")


def _counted(
    labels: _Labels,
    values: tuple[VolumeSource, int] | None,
    is_cancelled: Callable[[], bool],
    shown: VolumeInfo,
) -> SegmentationInfo:
    source, channel = labels.source, labels.channel
    if isinstance(source, MemorySource):
        described = described_again(source, source.info).channels[channel]
    else:
        described = source.info.channels[channel]
    lod = level_to_count(source)
    counter = LabelCounter(source, channel, lod, is_cancelled)
    found = counter.count(values)
    # An array knows no spacing of its own.
    metric = metric_of(shown if labels.alignment.is_same_grid else source.info)
    counts = [
        _label_count(value, one, lod, labels.alignment, counter.reference)
        for value, one in sorted(found.items())
    ]
    return msgspec.structs.replace(
        labels.info,
        channel=described,
        labels=tuple(counts),
        is_counted=True,
        lod=lod,
        voxel_volume=float(abs(np.linalg.det(metric.vectors))) * 8.0**lod,
        volume_unit=metric.volume_unit,
        values_of=None if values is None else values[1],
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


def _label_at(overlay: Overlay, voxel: tuple[int, int, int]) -> int:
    """Label of the slice that was read at a voxel of the shown volume; 0 where it has none."""
    view: LabelView = overlay.view
    there = [0, 0, 0]
    for axis in range(3):
        place = math.floor(view.alignment.there(axis, voxel[axis]) + 0.5)
        there[view.alignment.axes[axis]] = place
    if there[view.axis] != view.slice_idx:
        return 0
    data = overlay.data
    a, b = (
        (there[axis] >> data.lod) - origin
        for axis, origin in zip((k for k in range(3) if k != view.axis), data.origin, strict=True)
    )
    if not (0 <= a < data.values.shape[0] and 0 <= b < data.values.shape[1]):
        return 0
    return int(data.values[a, b].item())


def _seat(place: int, index: int) -> int:
    return _FIRST_SEAT * (place + 1) + index


def _close(labels: _Labels) -> None:
    """Close what is the labels' own; the shown volume's source and reader stay."""
    if labels.opened is not None:
        if labels.reader is not None:
            labels.reader.close()
        labels.source.close()
        labels.opened.close()
