"""What a viewer says of an array: axes, names, ranges."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Axis, Channel, Kind, Samples, VolumeInfo
from blustream_widget.data.grid import n_lods_for
from blustream_widget.data.memory import BRICK_SIZE, MemorySource
from blustream_widget.data.statistics import with_statistics

# Up to here every value is looked at when an array is opened (0.2 s); above, a regular sample.
_EXACT_BYTES = 64 << 20
_SAMPLED_STEPS = 16
_COARSEST = 256
AXIS_NAMES: dict[Kind, tuple[str, str, str]] = {
    "seismic": ("inline", "crossline", "sample"),
    "medical": ("slice", "row", "column"),
    "generic": ("axis 0", "axis 1", "axis 2"),
}


def shown_dtype(dtype: np.dtype[np.generic]) -> str:
    """Dtype in which the values of an array are read: native, and at least 32 bits for floats."""
    if dtype.kind == "b":
        return "uint8"
    if dtype.kind == "f" and dtype.itemsize < 4:
        return "float32"
    return dtype.newbyteorder("=").name


def describe_channel(
    values: Samples,
    *,
    name: str,
    unit: str,
    is_label: bool = False,
    scaled: Callable[[Samples, str], Samples] = np.asarray,
    dtype: str = "",
) -> Channel:
    """Range and percentiles of an array; of a regular sample of it when it is large.

    Parameters
    ----------
    values : ndarray, 3-D, or 4-D of a series, steps first
    name, unit, is_label
    scaled : callable
        Makes values of `dtype` of the array's numbers.
    dtype : str
        In which they are read; "" = that of the array.
    """
    if values.ndim == 4 and values.nbytes > _EXACT_BYTES:
        values = values[:: -(-len(values) // _SAMPLED_STEPS)]
    step = 1
    while values.nbytes > _EXACT_BYTES * step**3:
        step += 1
    channel = Channel(
        name=name,
        unit=unit,
        dtype=dtype or shown_dtype(values.dtype),
        value_min=0.0,
        value_max=0.0,
        is_label=is_label,
    )
    grid = tuple(slice(min(step, n) // 2, None, step) for n in values.shape[-3:])
    return with_statistics(
        channel, scaled(values[(slice(None),) * (values.ndim - 3) + grid], channel.dtype)
    )


def described_again(source: MemorySource, info: VolumeInfo) -> VolumeInfo:
    """Ranges and percentiles as the values are now; everything else as in `info`."""
    channels = [
        msgspec.structs.replace(
            describe_channel(
                values,
                name=channel.name,
                unit=channel.unit,
                is_label=channel.is_label,
                scaled=source.scaled,
                dtype=channel.dtype,
            ),
            label_names=channel.label_names,
        )
        for channel, values in zip(info.channels, source.channels, strict=False)
    ]
    # None are left of a source that was closed meanwhile.
    return msgspec.structs.replace(info, channels=tuple(channels)) if channels else info


def array_info(
    shape: tuple[int, ...],
    channels: tuple[Channel, ...],
    *,
    name: str = "array",
    kind: Kind = "generic",
    axes: tuple[Axis, Axis, Axis] | None = None,
    world_unit: str = "",
    affine: tuple[float, ...] | None = None,
    source: str = "memory",
    time: TimeAxis | None = None,
) -> VolumeInfo:
    """Info of arrays of one shape: without `axes`, indices along axes named by `kind`.

    A `shape` of four axes has the steps first; without `time` they are numbered.
    """
    *n_steps, n0, n1, n2 = shape
    if n_steps and time is None:
        time = TimeAxis(n_steps[0])
    plain = [
        Axis(name=label, unit="", n=n, first=0.0, step=1.0, spacing=1.0)
        for label, n in zip(AXIS_NAMES[kind], (n0, n1, n2), strict=True)
    ]
    return VolumeInfo(
        name=name,
        kind=kind,
        axes=axes or (plain[0], plain[1], plain[2]),
        channels=channels,
        n_lods=n_lods_for((n0, n1, n2), _COARSEST),
        brick_size=BRICK_SIZE,
        world_unit=world_unit,
        affine=affine,
        source=source,
        time=time,
    )
