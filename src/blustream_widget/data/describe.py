"""What is inside a volume, in words: `blustream info`."""

from __future__ import annotations

import math
from pathlib import Path

from blustream_widget.config import Config
from blustream_widget.core.types import Axis, Channel, VolumeInfo, VolumeRef
from blustream_widget.data.grid import lod_shape
from blustream_widget.data.opening import open_source
from blustream_widget.data.paths import local_path, scheme_of
from blustream_widget.data.survey import Survey


def describe(ref: VolumeRef, config: Config | None = None) -> str:
    """Open a volume and describe its axes, channels, levels and storage, one fact a line.

    Raises
    ------
    VolumeError
        As `open_source`.
    """
    source = open_source(ref, config or Config())
    try:
        info = source.info
        lines = [
            f"{info.name}: {info.kind} volume, {' x '.join(str(n) for n in info.shape)} voxels"
        ]
        lines += [_axis_line(axis, info.world_unit) for axis in info.axes]
        lines += [_channel_line(channel) for channel in info.channels]
        lines.append(_levels_line(info))
        storage = getattr(source, "storage", None)
        if storage:
            lines.append(f"  storage    {storage}")
        slices = getattr(source, "slices_note", None)
        if slices:
            lines.append(f"  slices     {slices}")
        survey = getattr(source, "survey", None)
        if survey is not None:
            lines += _survey_lines(survey, info)
    finally:
        source.close()
    if info.affine is not None:
        lines += ["  to patient RAS+ in mm"] + [
            "             " + " ".join(f"{v:9.4g}" for v in info.affine[4 * row : 4 * row + 4])
            for row in range(3)
        ]
    if ref.url and not scheme_of(ref.url):
        lines.append(f"  file       {_size(Path(local_path(ref.url)).stat().st_size)}")
    return "\n".join(lines)


def _axis_line(axis: Axis, world_unit: str) -> str:
    last = axis.first + (axis.n - 1) * axis.step
    unit = f" {axis.unit}" if axis.unit else ""
    spacing = f", spacing {axis.spacing:g} {world_unit}" if world_unit else ""
    return (
        f"  axis       {axis.name}: {axis.n} from {axis.first:g} to {last:g}{unit} "
        f"in steps of {axis.step:g}{spacing}"
    )


def _channel_line(channel: Channel) -> str:
    what = "labels" if channel.is_label else "values"
    unit = f" {channel.unit}" if channel.unit else ""
    span = f"{channel.value_min:g} to {channel.value_max:g}{unit}"
    line = f"  channel    {channel.name}: {channel.dtype} {what} {span}"
    if channel.percentiles and not channel.is_label:
        low, high = channel.percentiles[2], channel.percentiles[-3]
        line += f", 2 % to 98 %: {low:.4g} to {high:.4g}"
    if channel.label_names:
        line += f", {len(channel.label_names)} named"
    return line


def _survey_lines(survey: Survey, info: VolumeInfo) -> list[str]:
    """Map coordinates of the first and the last trace."""
    lines = []
    for word, at_end in (("first", False), ("last", True)):
        numbers = [axis.first + at_end * (axis.n - 1) * axis.step for axis in info.axes[:2]]
        easting, northing = (
            survey.origin[i]
            + numbers[0] * survey.inline_step[i]
            + numbers[1] * survey.crossline_step[i]
            for i in range(2)
        )
        place = f"{info.axes[0].name} {numbers[0]:g}, {info.axes[1].name} {numbers[1]:g}"
        lines.append(f"  {word} trace {place}: {easting:.2f} E, {northing:.2f} N {survey.unit}")
    return lines


def _levels_line(info: VolumeInfo) -> str:
    coarsest = " x ".join(str(n) for n in lod_shape(info.shape, info.n_lods - 1))
    voxel_bytes = sum(_itemsize(channel.dtype) for channel in info.channels)
    total = math.prod(info.shape) * voxel_bytes
    if info.n_lods == 1 and info.source == "openvds" and max(info.shape) > info.brick_size:
        coarsest += " (sharpens brick by brick; blustream import makes the levels)"
    return (
        f"  levels     {info.n_lods}, coarsest {coarsest}; bricks of {info.brick_size}; "
        f"{_size(total)} of voxels"
    )


def _itemsize(dtype: str) -> int:
    digits = "".join(c for c in dtype if c.isdigit())
    return int(digits) // 8


def _size(n_bytes: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:
            return f"{n_bytes:.4g} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.4g} TB"
