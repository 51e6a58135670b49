"""What a VDS says of itself: its layout and metadata as a `VolumeInfo`."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import msgspec
import openvds

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Axis, Channel, Kind, VolumeInfo
from blustream_widget.data.survey import Survey
from blustream_widget.errors import VolumeFormatError

CATEGORY = "blustream"
INFO_KEY = "info"
SLICES_KEY = "slices-of"
MS_PER_M = 1.0  # two-way time at 2000 m/s: one millisecond looks like one metre
FORMATS = {
    "uint8": openvds.VolumeDataFormat.Format_U8,
    "uint16": openvds.VolumeDataFormat.Format_U16,
    "uint32": openvds.VolumeDataFormat.Format_U32,
    "float32": openvds.VolumeDataFormat.Format_R32,
    "float64": openvds.VolumeDataFormat.Format_R64,
}
_DTYPES = {format_.value: dtype for dtype, format_ in FORMATS.items()}
# The same things are called by other names in volumes of other people.
_AXIS_NAMES = {"xline": "crossline", "time": "sample", "depth": "sample", "twt": "sample"}
# Larger stored bricks are read in parts: 256 cubed floats would be 64 MB for one slice of them.
_LARGEST_BRICK = 128
_UNITS = {"unitless": "", "metre": "m", "meter": "m", "millisecond": "ms", "foot": "ft"}


class StoredInfo(msgspec.Struct, frozen=True):
    """What our own files say beyond the layout; JSON in the metadata."""

    kind: Kind
    axes: tuple[Axis, Axis, Axis]
    channels: tuple[Channel, ...]
    world_unit: str = ""
    affine: tuple[float, ...] | None = None
    version: int = 1


class ChannelAccess(NamedTuple):
    """How a channel is read: its number in the file, format, and its "no value" marker."""

    number: int
    dtype: str
    no_value: float | None


class Opened(NamedTuple):
    """Everything that is ever read from a layout: using one after close ends the process."""

    info: VolumeInfo
    access: tuple[ChannelAccess, ...]
    has_statistics: bool
    survey: Survey | None


# Any: OpenVDS ships no types; its objects do not leave this package's openvds modules.
def describe_layout(layout: Any, name: str, *, is_slice_copy: bool = False) -> Opened:
    """Copy out of an open layout what a viewer needs.

    Raises
    ------
    VolumeFormatError
        No volume, or volumes one after the other, with voxel values; or a slice copy, if it is
        not said to be one.
    """
    if not is_slice_copy and layout.isMetadataStringAvailable(CATEGORY, SLICES_KEY):
        raise VolumeFormatError(
            f"{name} holds slices of another file, not a volume.",
            hint="Open that file; its slice copy is used by itself.",
        )
    time = _steps(layout, name)
    access = _readable_channels(layout)
    if not access:
        raise VolumeFormatError(f"{name} has no channel of voxel values.")
    descriptor = layout.getLayoutDescriptor()
    stored = _stored_info(layout)
    if stored is not None and len(stored.channels) != len(access):
        stored = None
    axes = _axes(layout) if stored is None else stored.axes
    channels = tuple(_channel(layout, item) for item in access)
    info = VolumeInfo(
        name=name,
        kind=_kind(axes) if stored is None else stored.kind,
        axes=axes,
        channels=channels if stored is None else stored.channels,
        n_lods=descriptor.getLODLevels().value + 1,
        brick_size=min(1 << descriptor.getBrickSize().value, _LARGEST_BRICK),
        world_unit=_world_unit(layout, axes) if stored is None else stored.world_unit,
        affine=None if stored is None else stored.affine,
        source="openvds",
        time=time,
    )
    return Opened(info, access, stored is not None, _survey(layout))


def _steps(layout: Any, name: str) -> TimeAxis | None:
    """Describe the fourth dimension, where the slowest one counts volumes."""
    n_dimensions = layout.getDimensionality()
    if n_dimensions == 3:
        return None
    axes = [layout.getAxisDescriptor(number) for number in range(n_dimensions)]
    names = [axis.getName().lower() for axis in axes]
    # The slowest dimension of gathers is the inline: what differs lies between the samples.
    if n_dimensions != 4 or names[3] in ("inline", "crossline", "xline"):
        raise VolumeFormatError(
            f"{name} has {n_dimensions} dimensions ({', '.join(reversed(names))}), not 3, or 4 of"
            " which the slowest counts volumes.",
            hint="Extract one stacked volume first; pre-stack gathers are not shown.",
        )
    n, unit = int(axes[3].getNumSamples()), axes[3].getUnit()
    first, last = float(axes[3].getCoordinateMin()), float(axes[3].getCoordinateMax())
    step = (last - first) / (n - 1) if n > 1 else 1.0
    is_rising = math.isfinite(first) and math.isfinite(step) and step > 0
    return TimeAxis(
        n,
        first=first if is_rising else 0.0,
        step=step if is_rising else 1.0,
        unit=_UNITS.get(unit.lower(), unit) if is_rising else "",
        name=names[3] or "time",
    )


def _stored_info(layout: Any) -> StoredInfo | None:
    if not layout.isMetadataStringAvailable(CATEGORY, INFO_KEY):
        return None
    try:
        return msgspec.json.decode(layout.getMetadataString(CATEGORY, INFO_KEY), type=StoredInfo)
    except msgspec.DecodeError:
        return None  # of a later version: the layout says enough


def _readable_channels(layout: Any) -> tuple[ChannelAccess, ...]:
    found = []
    for index in range(layout.getChannelCount()):
        descriptor = layout.getChannelDescriptor(index)
        # Trace headers and the like have one value per trace, not per voxel.
        per_voxel = descriptor.getMapping() == openvds.VolumeDataMapping.Direct
        single = layout.getChannelComponents(index).value == 1
        dtype = _DTYPES.get(layout.getChannelFormat(index).value)
        if not (per_voxel and single and dtype):
            continue
        scaled = layout.getChannelIntegerScale(index), layout.getChannelIntegerOffset(index)
        if dtype.startswith("uint") and scaled != (1.0, 0.0):
            dtype = "float32"
        no_value = layout.getChannelNoValue(index) if layout.isChannelUseNoValue(index) else None
        found.append(ChannelAccess(index, dtype, no_value))
    return tuple(found)


def _channel(layout: Any, item: ChannelAccess) -> Channel:
    descriptor = layout.getChannelDescriptor(item.number)
    return Channel(
        name=descriptor.getName(),
        unit=_UNITS.get(descriptor.getUnit().lower(), descriptor.getUnit()),
        dtype=item.dtype,
        value_min=float(descriptor.getValueRangeMin()),
        value_max=float(descriptor.getValueRangeMax()),
        is_label=bool(descriptor.isDiscrete()),
    )


def _axes(layout: Any) -> tuple[Axis, Axis, Axis]:
    spacings = (
        _vector_length(layout, openvds.KnownMetadata.surveyCoordinateSystemInlineSpacing()),
        _vector_length(layout, openvds.KnownMetadata.surveyCoordinateSystemCrosslineSpacing()),
        None,
    )
    axes = [_axis(layout.getAxisDescriptor(2 - axis), spacings[axis]) for axis in range(3)]
    return axes[0], axes[1], axes[2]


def _axis(descriptor: Any, spacing: float | None) -> Axis:
    n = int(descriptor.getNumSamples())
    first, last = float(descriptor.getCoordinateMin()), float(descriptor.getCoordinateMax())
    step = (last - first) / (n - 1) if n > 1 else 1.0
    step = step if math.isfinite(step) and step != 0 else 1.0
    name, unit = descriptor.getName().lower(), descriptor.getUnit()
    unit = _UNITS.get(unit.lower(), unit)
    if spacing is None:
        spacing = abs(step) * MS_PER_M if unit in ("ms", "m", "mm", "ft") else 1.0
    return Axis(
        name=_AXIS_NAMES.get(name, name), unit=unit, n=n, first=first, step=step, spacing=spacing
    )


def _vector_length(layout: Any, key: Any) -> float | None:
    if not layout.isMetadataDoubleVector2Available(key.category, key.name):
        return None
    length = math.hypot(*layout.getMetadataDoubleVector2(key.category, key.name))
    return length if math.isfinite(length) and length > 0 else None


def _survey(layout: Any) -> Survey | None:
    known = openvds.KnownMetadata
    vectors = [
        layout.getMetadataDoubleVector2(key.category, key.name)
        for key in (
            known.surveyCoordinateSystemOrigin(),
            known.surveyCoordinateSystemInlineSpacing(),
            known.surveyCoordinateSystemCrosslineSpacing(),
        )
        if layout.isMetadataDoubleVector2Available(key.category, key.name)
    ]
    if len(vectors) != 3:
        return None
    origin, inline_step, crossline_step = ((float(v[0]), float(v[1])) for v in vectors)
    unit = _text(layout, known.surveyCoordinateSystemUnit())
    crs_wkt = _text(layout, known.surveyCoordinateSystemCRSWkt())
    return Survey(origin, inline_step, crossline_step, _UNITS.get(unit.lower(), unit), crs_wkt)


def _text(layout: Any, key: Any) -> str:
    if not layout.isMetadataStringAvailable(key.category, key.name):
        return ""
    return str(layout.getMetadataString(key.category, key.name))


def _kind(axes: tuple[Axis, Axis, Axis]) -> Kind:
    names = {axis.name for axis in axes}
    return "seismic" if {"inline", "crossline"} <= names else "generic"


def _world_unit(layout: Any, axes: tuple[Axis, Axis, Axis]) -> str:
    unit = _text(layout, openvds.KnownMetadata.surveyCoordinateSystemUnit())
    return _UNITS.get(unit.lower(), unit) or ("m" if _kind(axes) == "seismic" else "")
