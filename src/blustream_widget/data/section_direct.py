"""A section sampled from an array, at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import SliceData
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import lod_size
from blustream_widget.data.reduce import half
from blustream_widget.data.section_points import BLOCK_POINTS, Points, blend, data_of, value_dtype
from blustream_widget.data.source import DirectSource, Region

# A picture at rest is reduced from so many points, as a slice is from all.
_MOST_POINTS = 3_000_000


def sample_directly(source: DirectSource, spec: SliceSpec, *, finest_lod: int = 0) -> SliceData:
    """Sample a section of an array at once.

    Its voxels are those of the array whatever the level: points as fine as `finest_lod`, and as are
    not too many, are reduced to the level of `spec` like those of a slice.
    """
    assert spec.section is not None
    info, region, lod = source.info, spec.lod_region, spec.lod
    times = 0
    n_points = (region.a1 - region.a0) * (region.b1 - region.b0)
    while times < lod - finest_lod and n_points << 2 * (times + 1) <= _MOST_POINTS:
        times += 1
    grid, fine_lod = spec.section.grid, lod - times
    fine = Region(
        region.a0 << times,
        min(region.a1 << times, lod_size(grid.n_columns, fine_lod)),
        region.b0 << times,
        min(region.b1 << times, lod_size(grid.n_rows, fine_lod)),
    )
    points = Points(spec.section, info.shape, fine_lod, fine, voxel_lod=0)
    values: Any = _sampled(source, spec.channel, points)
    channel = info.channel_of(spec.channel)
    for _ in range(times):
        values = half(values, is_label=channel.is_label)
        if np.dtype(channel.dtype).kind in "ui":  # the means of a slice are whole numbers too
            np.rint(values, out=values)
    # In motion not yet as fine as it will be.
    return data_of(spec, values, coarsest_lod=lod + (finest_lod > 0), progress=1.0)


def _sampled(source: DirectSource, channel: int, points: Points) -> npt.NDArray[Any]:
    info = source.info
    _, n1, n2 = info.shape
    dtype = value_dtype(info.channel_of(channel).dtype)
    steps = [(n1 * n2, n2, 1)[axis] for axis in points.moving]
    values = np.empty((points.n_columns, points.n_rows), dtype)
    flat = values.reshape(-1)
    for block in points.blocks(BLOCK_POINTS):
        i, j, k = (index.astype(np.int64) for index in block.index)
        at = block.whole((i * n1 + j) * n2 + k)
        shares = [block.whole(share) for share in block.shares]
        part = blend(lambda at: source.read_voxels(channel, at).astype(dtype), at, steps, shares)
        if block.is_outside is not None:
            part[block.whole(block.is_outside)] = np.nan
        flat[block.first : block.first + len(part)] = part
    return values
