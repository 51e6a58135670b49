"""Opens what lies over the shown volume: a channel of it, or another volume on its grid or not."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from blustream_widget.config import Config
from blustream_widget.core.alignment import SAME_GRID, Alignment, align
from blustream_widget.core.segmentation import SegmentationInfo, SegmentationSource
from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.data import SliceReader, VolumeSource
from blustream_widget.data.label_volume import as_labels
from blustream_widget.errors import StateError, VolumeFormatError

OpenVolume = Callable[[VolumeRef, Config], VolumeSource]


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
    is_label: bool = True
    reader: SliceReader | None = None
    cancelled: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        """Close what is its own; the shown volume's source and reader stay."""
        if self.opened is not None:
            if self.reader is not None:
                self.reader.close()
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
    if asked.ref is None:
        _check_channel(shown.info, asked)
        opened, source, alignment = None, shown, SAME_GRID
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
    return Layer(source, asked.channel, alignment, info, opened, asked.kind == "labels")


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
