"""Numbers of the full-resolution voxels under an annotation: statistics, profile, value."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import MAX_PROFILE, Profile, Statistics
from blustream_widget.core.measures import metric_of, path_positions
from blustream_widget.core.types import PERCENTILES, VolumeInfo
from blustream_widget.data.regions import VoxelRegion
from blustream_widget.data.voxels import Part, VoxelReader

Floats = npt.NDArray[np.float64]


def region_statistics(
    reader: VoxelReader,
    info: VolumeInfo,
    item: Annotation,
    *,
    channel: int,
    bins: int,
    on_progress: Callable[[float], None],
    on_part: Callable[[Part], None] | None = None,
) -> Statistics:
    """Statistics of the voxels whose centre is inside.

    Parameters
    ----------
    reader : VoxelReader
    info : VolumeInfo
    item : Annotation
        A region.
    channel, bins : int
    on_progress : callable
        Gets the share that was read.
    on_part : callable, optional
        Gets what was read, all of the block around the region.

    Raises
    ------
    AnnotationError, BrickReadError, ReadCancelledError
    """
    region = VoxelRegion(item, info.shape)
    unit, dtype = info.channel_of(channel).unit, np.dtype(info.channel_of(channel).dtype)
    own = info.own_channel(channel)
    if region.n_voxels == 0:
        return Statistics(own, unit, 0)
    values = np.empty(region.n_voxels, dtype)
    n_inside = n_values = 0
    for part in reader.parts(channel, region.lower, region.upper):
        if on_part is not None:
            on_part(part)
        mask = region.inside(part.lower, part.upper)
        inside = part.values.reshape(-1) if mask is None else part.values[mask]
        n_inside += len(inside)
        if dtype.kind == "f":
            inside = inside[np.isfinite(inside)]
        values[n_values : n_values + len(inside)] = inside
        n_values += len(inside)
        on_progress(part.progress)
    return summarise(values[:n_values], own, unit, bins=bins, n_nodata=n_inside - n_values)


def summarise(
    values: npt.NDArray[np.generic], channel: int, unit: str, *, bins: int, n_nodata: int
) -> Statistics:
    """Statistics of finite values, shape (n,), which are sorted in place.

    Percentiles lie between two values as `numpy.percentile` puts them; all arithmetic is float64.
    """
    n = len(values)
    if n == 0:
        return Statistics(channel, unit, 0, n_nodata)
    values.sort()
    low, high = float(values[0]), float(values[-1])
    mean = float(values.mean(dtype=np.float64))
    # In pieces: the difference of all at once would need as much memory again, twice.
    pieces = np.array_split(values, max(1, n >> 20))
    square = math.fsum(float(np.square(piece.astype(np.float64) - mean).sum()) for piece in pieces)
    counts = np.zeros(bins, np.int64)
    for piece in pieces:
        # numpy takes a span of nothing as one of half a unit to both sides; so do we.
        counts += np.histogram(piece.astype(np.float64), bins, (low, high))[0]
    return Statistics(
        channel=channel,
        unit=unit,
        count=n,
        n_nodata=n_nodata,
        mean=mean,
        sd=math.sqrt(square / n),
        minimum=low,
        maximum=high,
        median=_percentile(values, 50.0),
        percentiles=tuple((p, _percentile(values, p)) for p in PERCENTILES),
        low=low,
        high=high,
        histogram=tuple(int(count) for count in counts),
    )


def _percentile(ordered: npt.NDArray[np.generic], percent: float) -> float:
    place = percent / 100 * (len(ordered) - 1)
    below = math.floor(place)
    a = float(ordered[below].item())
    b = float(ordered[min(below + 1, len(ordered) - 1)].item())
    return a + (b - a) * (place - below)


def line_profile(
    reader: VoxelReader, info: VolumeInfo, item: Annotation, *, channel: int
) -> Profile:
    """Values along an annotation's points, one for each voxel on the axis it goes furthest on.

    Longer ones than `MAX_PROFILE` voxels have as many samples, evenly.
    """
    points = np.asarray(item.points, float)
    reach = float(np.abs(np.diff(points, axis=0)).max(axis=1).sum()) if len(points) > 1 else 0.0
    n = min(MAX_PROFILE, max(2, math.ceil(reach) + 1))
    places, positions, unit = _sampled(points, n, info)
    values = _values_at(reader, info, places, channel)
    first, last = points[0], points[-1]
    return Profile(
        channel=info.own_channel(channel),
        unit=unit,
        value_unit=info.channel_of(channel).unit,
        positions=tuple(float(v) for v in positions),
        values=values,
        first=(float(first[0]), float(first[1]), float(first[2])),
        last=(float(last[0]), float(last[1]), float(last[2])),
    )


def value_at(
    reader: VoxelReader, info: VolumeInfo, item: Annotation, *, channel: int
) -> float | None:
    """Value of the voxel that holds the first point; None where it has none."""
    place = np.asarray(item.points[:1], float)
    return _values_at(reader, info, place, channel)[0]


def _sampled(points: Floats, n: int, info: VolumeInfo) -> tuple[Floats, Floats, str]:
    """Places along the path, shape (n, 3), with their distances from its first point."""
    distances, unit = path_positions([tuple(point) for point in points], metric_of(info))
    if len(points) == 1:
        return np.repeat(points, n, axis=0), np.zeros(n), unit
    share = np.linspace(0, len(points) - 1, n)
    knots = np.arange(len(points))
    places = np.stack([np.interp(share, knots, points[:, axis]) for axis in range(3)], axis=1)
    return places, np.interp(share, knots, distances), unit


def _values_at(
    reader: VoxelReader, info: VolumeInfo, places: Floats, channel: int
) -> tuple[float | None, ...]:
    voxels = np.floor(places + 0.5).astype(np.intp)
    voxels = np.clip(voxels, 0, np.subtract(info.shape, 1))
    values = reader.at(channel, voxels)
    return tuple(float(v) if np.isfinite(v) else None for v in values)
