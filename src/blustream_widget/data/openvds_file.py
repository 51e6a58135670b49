"""Creates a VDS whose levels we write ourselves: OpenVDS's own take the first non-zero voxel."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import openvds

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Channel, Samples, VolumeInfo
from blustream_widget.data.grid import brick_counts
from blustream_widget.data.openvds_errors import OPENVDS_ERRORS
from blustream_widget.data.openvds_layout import CATEGORY, FORMATS, INFO_KEY, StoredInfo
from blustream_widget.data.source import BrickKey
from blustream_widget.data.survey import Survey
from blustream_widget.errors import VolumeWriteError

_DIMENSIONS = openvds.DimensionsND.Dimensions_012
_MODE = openvds.IVolumeDataAccessManager.AccessMode.AccessMode_CreateWithoutLODGeneration
_LABEL_FLAGS = openvds.VolumeDataChannelDescriptor.Flags(3)  # DiscreteData | NoLossyCompression
CODECS = {"none": "None", "rle": "RLE", "zip": "Zip", "wavelet": "Wavelet"}
_PAGES_IN_MEMORY = 8
_CHUNK_METADATA_PAGE = 1024


class VdsFile:
    """A VDS being written, brick by brick in any order.

    Parameters
    ----------
    path : str
    info : VolumeInfo
        Shape, axes, channels (range as far as known), levels, brick size, and steps in time.
    codec : {"none", "rle", "zip", "wavelet"}
    tolerance : float
        Of the wavelet codec, in 1/255 of the value range.
    survey : Survey, optional
        Where the lines lie.
    """

    def __init__(
        self, path: str, info: VolumeInfo, *, codec: str, tolerance: float, survey: Survey | None
    ) -> None:
        self._path, self._info = path, info
        try:
            self._vds = openvds.create(
                path,
                "",
                _layout(info),
                axis_descriptors(info),
                [channel_descriptor(channel) for channel in info.channels],
                _metadata(survey),
                getattr(openvds.CompressionMethod, CODECS[codec]),
                tolerance,
            )
            manager = openvds.getAccessManager(self._vds)
            self._pages = {
                (channel, lod): manager.createVolumeDataPageAccessor(
                    _DIMENSIONS, lod, channel, _PAGES_IN_MEMORY, _MODE, _CHUNK_METADATA_PAGE
                )
                for channel in range(len(info.channels))
                for lod in range(info.n_lods)
            }
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc

    def write(self, key: BrickKey, values: Samples) -> None:
        """Write one brick; key and shape are checked by the pyramid."""
        pages = self._pages[self._info.own_channel(key.channel), key.lod]
        n0, n1, n2 = brick_counts(self._info, key.lod)
        step = key.channel // len(self._info.channels)
        try:
            page = pages.createPage(((step * n0 + key.i0) * n1 + key.i1) * n2 + key.i2)
            buffer = np.array(page.getWritableBuffer(), copy=False)
            if buffer.ndim == 4:  # OpenVDS's page of a volume of a series
                buffer = buffer[0]
            n0_, n1_, n2_ = values.shape
            buffer[:n0_, :n1_, :n2_] = values
            del buffer  # before release: the memory is gone after it, and using it ends the process
            page.release()
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc

    def finish(self, stored: StoredInfo) -> None:
        """Flush all pages, add what is known now, close.

        Raises
        ------
        VolumeWriteError
            For example a full disk.
        """
        try:
            for pages in self._pages.values():
                pages.commit()
            text = msgspec.json.encode(stored).decode()
            openvds.getMetadataWriteAccessInterface(self._vds).setMetadataString(
                CATEGORY, INFO_KEY, text
            )
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc
        self.close()

    def close(self) -> None:
        """Close, finished or not; once."""
        vds, self._vds = self._vds, None
        if vds is None:
            return
        self._pages.clear()
        try:
            openvds.close(vds)
        except OPENVDS_ERRORS as exc:
            raise self._error(exc) from exc

    def _error(self, exc: Exception) -> VolumeWriteError:
        return VolumeWriteError(
            f"{self._info.name} cannot be written: {exc}.",
            hint="Check the free space and the rights of the folder.",
        )


# Any in the following: OpenVDS ships no types.
def _layout(info: VolumeInfo) -> Any:
    kind = openvds.VolumeDataLayoutDescriptor
    size = getattr(kind.BrickSize, f"BrickSize_{info.brick_size}")
    levels = kind.LODLevels(info.n_lods - 1)
    return kind(size, 0, 0, 4, levels, kind.Options.Options_None)


def axis_descriptors(info: VolumeInfo) -> list[Any]:
    """Describe the axes to OpenVDS, its fastest one first."""
    names = [_axis_name(info, axis) for axis in range(3)]
    time = info.time
    steps = [] if time is None else [_step_descriptor(time)]
    axes = [
        openvds.VolumeDataAxisDescriptor(
            axis.n, name, axis.unit or "unitless", axis.first, axis.first + (axis.n - 1) * axis.step
        )
        for axis, name in reversed(list(zip(info.axes, names, strict=True)))
    ]
    return [*axes, *steps]


def _step_descriptor(time: TimeAxis) -> Any:
    unit = time.unit or "unitless"
    return openvds.VolumeDataAxisDescriptor(
        time.n, time.name, unit, time.at(0), time.at(time.n - 1)
    )


def _axis_name(info: VolumeInfo, axis: int) -> str:
    if info.kind == "seismic":  # the names other software looks for
        return ("Inline", "Crossline", "Sample")[axis]
    return info.axes[axis].name


def channel_descriptor(channel: Channel) -> Any:
    """Describe a channel to OpenVDS."""
    kind = openvds.VolumeDataChannelDescriptor
    low, high = channel.value_min, channel.value_max
    return kind(
        FORMATS[channel.dtype],
        kind.Components.Components_1,
        channel.name,
        channel.unit,
        low,
        high if high > low else low + 1.0,
        _LABEL_FLAGS if channel.is_label else kind.Flags.Default,
    )


def _metadata(survey: Survey | None) -> Any:
    metadata = openvds.MetadataContainer()
    if survey is None:
        return metadata
    known = openvds.KnownMetadata
    for key, vector in (
        (known.surveyCoordinateSystemOrigin(), survey.origin),
        (known.surveyCoordinateSystemInlineSpacing(), survey.inline_step),
        (known.surveyCoordinateSystemCrosslineSpacing(), survey.crossline_step),
    ):
        metadata.setMetadataDoubleVector2(key.category, key.name, vector)
    for key, text in (
        (known.surveyCoordinateSystemUnit(), survey.unit),
        (known.surveyCoordinateSystemCRSWkt(), survey.crs_wkt),
    ):
        if text:
            metadata.setMetadataString(key.category, key.name, text)
    return metadata
