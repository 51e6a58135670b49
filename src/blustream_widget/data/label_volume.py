"""Labels of any source that lie over another volume: which sources can be read as labels."""

from __future__ import annotations

import msgspec
import numpy as np

from blustream_widget.core.types import Samples, VolumeRef
from blustream_widget.data.labels import label_names
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.paths import local_path, scheme_of
from blustream_widget.data.source import VolumeSource
from blustream_widget.errors import VolumeFormatError

_CHUNK = 1 << 22


def as_labels(source: VolumeSource, ref: VolumeRef, channel: int) -> VolumeSource:
    """Give a source whose channel is read as labels: nearest voxel, reduced by majority.

    Parameters
    ----------
    source : VolumeSource
        The caller's to close; what is returned need not be closed.
    ref : VolumeRef
        What it was opened from: names of labels are looked for beside a file.
    channel : int

    Raises
    ------
    VolumeFormatError
        There is no such channel, or it holds amounts.
    """
    info = source.info
    if channel >= len(info.channels):
        known = ", ".join(one.name for one in info.channels)
        raise VolumeFormatError(
            f"{info.name} has no channel {channel}.", hint=f"There are: {known}."
        )
    given = info.channels[channel]
    if not isinstance(source, MemorySource):
        if given.is_label:
            return source
        raise VolumeFormatError(
            f"The channel {given.name} of {info.name} is not marked as labels: its coarser levels "
            "are means.",
            hint="Import it as labels: blustream import --labels, or give the array itself.",
        )
    values = _whole(source.scaled(source.channels[channel], given.dtype), info.name)
    names = given.label_names
    if ref.url and not scheme_of(ref.url) and not names:
        names = label_names(local_path(ref.url))
    labels = msgspec.structs.replace(
        given, dtype=values.dtype.newbyteorder("=").name, is_label=True, label_names=names
    )
    channels = tuple(labels if n == channel else one for n, one in enumerate(info.channels))
    arrays = tuple(values if n == channel else one for n, one in enumerate(source.channels))
    return MemorySource(msgspec.structs.replace(info, channels=channels), arrays)


def _whole(values: Samples, name: str) -> Samples:
    """Integers as they are; floats that hold whole numbers alone as integers of 32 bits."""
    if values.dtype.kind in "uib":
        return values
    whole = np.empty(values.shape, np.int32)
    step = max(1, _CHUNK // max(1, values[0].size))
    for first in range(0, len(values), step):
        part = values[first : first + step]
        with np.errstate(invalid="ignore"):
            whole[first : first + step] = part.astype(np.int32)
        if not np.array_equal(whole[first : first + step], part):
            raise VolumeFormatError(
                f"{name} holds values that are no whole numbers, which are not labels.",
                hint="Threshold or round it first, for example (array > 0.5).astype('uint8').",
            )
    return whole
