"""Opens what lies over the shown volume: a channel of it, or another volume on its grid or not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from blustream_widget.config import Config
from blustream_widget.core.alignment import SAME_GRID, Alignment, align
from blustream_widget.core.segmentation import SegmentationInfo, SegmentationSource
from blustream_widget.core.time_axis import step_in
from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.data import SliceReader, VolumeSource
from blustream_widget.data.edited_labels import edited
from blustream_widget.data.label_counts import LabelSum, level_to_count
from blustream_widget.data.label_volume import as_labels
from blustream_widget.data.new_labels import NewLabels
from blustream_widget.errors import StateError, VolumeFormatError
from blustream_widget.worker.label_tools import Editable

OpenVolume = Callable[[VolumeRef, Config], VolumeSource]


@dataclass(slots=True, eq=False)
class LayerCounts:
    """What was counted of labels.

    Parameters
    ----------
    sums : dict
        By label.
    n_edits : int
        That were done then.
    asked : int or None
        Channel whose values are being counted under the labels; somebody waits for it.
    cancelled : Event
        Nobody waits for what is being counted.
    lock : Lock
        Of all of it, and of what is said of it.
    """

    sums: dict[int, LabelSum] = field(default_factory=dict)
    n_edits: int = 0
    asked: int | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True, eq=False)
class Layer:
    """Labels or values that are open.

    Parameters
    ----------
    source : VolumeSource
    channel : int
    alignment : Alignment
    info : SegmentationInfo
    opened : VolumeSource or None
        To be closed; None: that of the shown volume.
    is_label : bool
    editable : Editable or None
        Labels with what is edited; None of values, and of a series.
    reader : SliceReader or None
        None until the render thread has taken it over.
    is_shared : bool
        The reader is that of the shown volume.
    counts : LayerCounts
    time_idx, shown_time_idx : int
        Step that is shown of it, and of the volume that it lies over; of series.
    """

    source: VolumeSource
    channel: int
    alignment: Alignment
    info: SegmentationInfo
    opened: VolumeSource | None
    is_label: bool = True
    editable: Editable | None = None
    reader: SliceReader | None = None
    is_shared: bool = False
    counts: LayerCounts = field(default_factory=LayerCounts)
    time_idx: int = 0
    shown_time_idx: int = 0

    @property
    def source_channel(self) -> int:
        """The channel at the step that is shown of it, as its source counts them."""
        return self.source.info.at_time(self.channel, self.time_idx)

    def follow(self, shown: VolumeInfo, time_idx: int) -> None:
        """Go to the step that belongs to one of the shown volume; stay if there is none."""
        self.shown_time_idx = time_idx
        here, there = shown.time, self.source.info.time
        if there is not None:
            step = 0 if here is None else step_in(here, there, time_idx)
            self.time_idx = self.time_idx if step is None else step

    @property
    def edited(self) -> VolumeSource:
        """What is read: the source, with what is edited where it holds labels."""
        return self.source if self.editable is None else self.editable.labels

    def close(self) -> None:
        """Close what is its own; the shown volume's source and reader stay."""
        if not self.is_shared and self.reader is not None:
            self.reader.close()
        if self.editable is not None:
            self.editable.labels.close()
        if self.opened is not None:
            self.source.close()
            self.opened.close()


def open_layer(
    asked: SegmentationSource, shown: VolumeSource, open_volume: OpenVolume, config: Config
) -> Layer:
    """Open labels or values; blocks.

    Raises
    ------
    StateError
        There is no such channel, or the grids do not fit.
    VolumeError
        It cannot be read, or holds labels where values are wanted, or the other way round.
    """
    opened: VolumeSource | None = None
    source, alignment = shown, SAME_GRID
    if asked.new is not None:
        source = opened = NewLabels(shown.info, asked.name, asked.new, asked.names)
    elif asked.ref is None:
        _check_channel(shown.info, asked)
    else:
        opened = open_volume(asked.ref, config)
        try:
            alignment = align(shown.info, opened.info)
            if asked.kind == "labels":
                source = as_labels(opened, asked.ref, asked.channel)
            else:
                _check_values(opened.info, asked.channel)
                source = opened
        except BaseException:
            opened.close()
            raise
    info = SegmentationInfo(asked.name, source.info.channels[asked.channel])
    is_label = asked.kind == "labels"
    editable = None
    if is_label and source.info.time is None:
        labels = edited(source, asked.channel)
        editable = Editable(
            asked.name,
            labels,
            asked.channel,
            alignment,
            shown,
            count_lod=level_to_count(source),
            is_new=asked.new is not None,
        )
    return Layer(
        source,
        asked.channel,
        alignment,
        info,
        opened,
        is_label,
        editable,
        is_shared=opened is None,
    )


def _check_channel(info: VolumeInfo, asked: SegmentationSource) -> None:
    if asked.channel >= len(info.channels):
        raise StateError(f"{info.name} has no channel {asked.channel}.")
    channel = info.channels[asked.channel]
    if asked.kind == "labels" and not channel.is_label:
        raise StateError(
            f"The channel {channel.name} of {info.name} is not marked as labels.",
            hint="Import it as labels: blustream import --labels.",
        )
    if asked.kind == "values" and channel.is_label:
        raise StateError(
            f"The channel {channel.name} of {info.name} holds labels.",
            hint=f"viewer.add_segmentation(channel={channel.name!r}) lays them over the slices.",
        )


def _check_values(info: VolumeInfo, channel: int) -> None:
    if channel >= len(info.channels):
        known = ", ".join(one.name for one in info.channels)
        raise VolumeFormatError(
            f"{info.name} has no channel {channel}.", hint=f"There are: {known}."
        )
    if info.channels[channel].is_label:
        raise VolumeFormatError(
            f"The channel {info.channels[channel].name} of {info.name} holds labels.",
            hint="viewer.add_segmentation lays labels over the slices.",
        )
