"""At which level a slab is reduced, of a slice or of a section."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from blustream_widget.core.slab import Slab
from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import clip_region
from blustream_widget.data.section_bricks import slab_bricks
from blustream_widget.data.section_points import clip_to_grid
from blustream_widget.data.source import Region


def slab_spec(
    info: VolumeInfo, spec: SliceSpec, slab: Slab, slab_lod: int, *, room_bytes: int | None
) -> SliceSpec:
    """Say at which level a slab is reduced: the finest from `slab_lod` on that there is room for.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
        Of the slice, or the section, in its middle; its level is that of the values that are
        wanted.
    slab : Slab
    slab_lod : int
        Not coarser than the level of `spec`.
    room_bytes : int, optional
        For the bricks of the slab; None if it needs none.
    """
    spec = replace(spec, slab=slab, shown_lod=spec.lod, lod=min(slab_lod, spec.lod))
    brick_bytes = info.brick_size**3 * int(np.dtype(info.channel_of(spec.channel).dtype).itemsize)
    while room_bytes is not None and spec.lod < info.n_lods - 1:
        if _n_bricks(info, spec, slab) * brick_bytes <= room_bytes:
            break
        spec = replace(spec, lod=spec.lod + 1)
    return widened(info, replace(spec, shown_lod=max(spec.shown_lod, spec.lod)))


def widened(info: VolumeInfo, spec: SliceSpec) -> SliceSpec:
    """Widen the region to whole voxels, or points, of the level that is shown."""
    side = 1 << spec.shown_lod
    a0, a1, b0, b1 = spec.region
    whole = Region(
        a0 // side * side, -(-a1 // side) * side, b0 // side * side, -(-b1 // side) * side
    )
    if spec.section is not None:
        return replace(spec, region=clip_to_grid(spec.section.grid, whole))
    return replace(spec, region=clip_region(info, spec.axis, whole))


def _n_bricks(info: VolumeInfo, spec: SliceSpec, slab: Slab) -> int:
    if spec.section is not None:
        return len(slab_bricks(info, spec, spec.lod))
    side = info.brick_size << spec.lod
    a0, a1, b0, b1 = spec.region
    spans = ((a0, a1 - 1), (b0, b1 - 1), (slab.first, slab.last))
    return math.prod(last // side - first // side + 1 for first, last in spans)
