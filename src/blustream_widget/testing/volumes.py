"""Volumes whose value is their index: a wrong axis, slice or voxel gives a wrong number."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Axis, Channel, Kind, Samples, VolumeInfo

Shape = tuple[int, int, int]


def ramp_volume(shape: Shape, dtype: npt.DTypeLike = np.float32) -> Samples:
    """Array whose value at (i0, i1, i2) is i0 * 10000 + i1 * 100 + i2: exact for 100 per axis.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype, optional

    Returns
    -------
    ndarray, of `shape` and `dtype`
    """
    i0, i1, i2 = np.ogrid[: shape[0], : shape[1], : shape[2]]
    ramp: Samples = (i0 * 10_000 + i1 * 100 + i2).astype(dtype)
    return ramp


def label_volume(shape: Shape) -> npt.NDArray[np.uint8]:
    """Blocks of 8 voxels with labels 0 to 6, neighbours differing."""
    i0, i1, i2 = np.ogrid[: shape[0], : shape[1], : shape[2]]
    labels: npt.NDArray[np.uint8] = ((i0 // 8 + 2 * (i1 // 8) + 3 * (i2 // 8)) % 7).astype(np.uint8)
    return labels


def plain_axes(shape: Shape) -> tuple[Axis, Axis, Axis]:
    """Inlines from 1000, crosslines from 2000, samples of 4 ms."""
    return (
        Axis("inline", "", shape[0], 1000.0, 1.0, 25.0),
        Axis("crossline", "", shape[1], 2000.0, 1.0, 25.0),
        Axis("sample", "ms", shape[2], 0.0, 4.0, 4.0),
    )


def write_volume(
    path: Path,
    *channels: Samples,
    labels: tuple[int, ...] = (),
    codec: str = "none",
    brick_size: int = 32,
    kind: Kind = "seismic",
) -> VolumeInfo:
    """Write arrays of one shape as the channels of a VDS; those numbered in `labels` as labels."""
    from blustream_widget.data.writer import VdsWriter

    n0, n1, n2 = channels[0].shape
    writer = VdsWriter(
        path,
        axes=plain_axes((n0, n1, n2)),
        channels=[
            Channel(f"c{n}", "", values.dtype.name, 0.0, 1.0, is_label=n in labels)
            for n, values in enumerate(channels)
        ],
        kind=kind,
        codec=codec,
        brick_size=brick_size,
    )
    with writer:
        for number, values in enumerate(channels):
            writer.write(number, (0, 0, 0), values)
        return writer.finish()


def write_series(path: Path, *channels: Samples, times: TimeAxis, brick_size: int = 32) -> None:
    """Write arrays of one shape (steps first) as the channels of a VDS with four dimensions."""
    from blustream_widget.data.grid import brick_bounds, brick_counts
    from blustream_widget.data.openvds_file import VdsFile
    from blustream_widget.data.openvds_layout import StoredInfo
    from blustream_widget.data.reduce import half_times
    from blustream_widget.data.source import BrickKey

    steps, n0, n1, n2 = channels[0].shape
    described = tuple(
        Channel(f"c{n}", "", values.dtype.name, float(values.min()), float(values.max()))
        for n, values in enumerate(channels)
    )
    axes = plain_axes((n0, n1, n2))
    info = VolumeInfo(
        path.name, "seismic", axes, described, n_lods=2, brick_size=brick_size, time=times
    )
    file = VdsFile(str(path), info, codec="none", tolerance=0.0, survey=None)
    for step, (number, values), lod in itertools.product(
        range(steps), enumerate(channels), range(info.n_lods)
    ):
        level = half_times(values[step], lod, is_label=False)
        for place in np.ndindex(*brick_counts(info, lod)):
            key = BrickKey(info.at_time(number, step), lod, *place)
            lower, upper = brick_bounds(info, key)
            file.write(key, level[tuple(map(slice, lower, upper))])
    file.finish(StoredInfo("seismic", axes, described))
