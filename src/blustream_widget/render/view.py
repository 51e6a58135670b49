"""What a view needs of the volume: which slice, at which level of detail, which part of it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blustream_widget.core.geometry import Placement, place_slice
from blustream_widget.core.section_grid import (
    NORMAL,
    SectionRead,
    filled,
    grid_of,
    section_info,
)
from blustream_widget.core.slab import Slab, slab_of
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.core.wiggle import has_wiggles, wiggle_step

# While the hand moves, a voxel may be a little larger than a pixel: the next finer level costs four
# times the voxels and nobody sees the difference in motion.
_MOTION_VOXEL_PX = 1.5
# A voxel costs 7 ns. Where there are many, it may be larger: 1600 x 900 voxels on 1280 x 720 pixels
# take 10 ms to draw, 800 x 450 take 2, and an encoder gives neither its detail in motion. A volume
# of 512 voxels has 2.5 pixels each on a pane of 1280 pixels: larger ones look and cost the same.
_MANY_VOXELS = 600_000
_MANY_VOXEL_PX = 2.5
# A point of a section costs about ten times as much as a voxel of a slice.
_MOTION_SECTION_POINTS = 300_000
# A voxel of a slab costs 1 to 3 ns.
_MOTION_SLAB_VOXELS = 3_000_000
# A wiggle is one trace, not the mean of its neighbours, as long as that is not too much to read.
_WIGGLE_VOXELS = 4_000_000


@dataclass(frozen=True, slots=True)
class SliceView:
    """A slice, and where it lies on the pane.

    Parameters
    ----------
    axis, slice_idx, channel : int
    lod : int
        The coarsest whose voxels are not larger than a pixel.
    region : tuple of int
        LOD0 voxels that the pane shows, with a margin for interpolation: (a0, a1, b0, b1), half
        open, along the two axes in ascending order.
    placement : Placement
    slab : Slab or None
        Slices that are reduced to this one.
    slab_lod : int
        Level of those: 0 at rest, whatever the level of the picture. A voxel of another level is a
        mean, whose maximum is not that of the voxels it is made of.
    section : SectionRead or None
        What is shown in the place of the slice: region, level and placement are of its points.
    source_channel : int
        The channel at the shown step, as the volume's source counts them.
    """

    axis: int
    slice_idx: int
    channel: int
    lod: int
    region: tuple[int, int, int, int]
    placement: Placement
    slab: Slab | None = None
    slab_lod: int = 0
    section: SectionRead | None = None
    source_channel: int = 0


def _choose_lod(placement: Placement, n_lods: int, largest_px: float) -> int:
    voxel_px = max(placement.width_px / placement.n_columns, placement.height_px / placement.n_rows)
    return min(max(math.floor(math.log2(largest_px / voxel_px)), 0), n_lods - 1)


def _shown(first: float, last: float, n: int, margin: int) -> tuple[int, int]:
    """Voxels between two fractional indices, at least one."""
    low, high = min(first, last), max(first, last)
    start = min(max(math.floor(low) - margin, 0), n - 1)
    return start, max(min(math.ceil(high) + 1 + margin, n), start + 1)


def _reach_of_wiggles(placement: Placement, excursion: float, across: int) -> int:
    """Traces beside the pane whose wiggles come into it: across the columns (0) or the rows (1)."""
    trace_px = (
        placement.height_px / placement.n_rows
        if across
        else placement.width_px / placement.n_columns
    )
    return math.ceil((excursion + 1) * wiggle_step(trace_px))


def _within(span: tuple[int, int], bounds: tuple[int, int]) -> tuple[int, int]:
    """Part of `span` inside `bounds`, at least one voxel of it."""
    start = min(max(span[0], bounds[0]), span[1] - 1)
    return start, max(min(span[1], bounds[1]), start + 1)


def _section_of(state: ViewState, info: VolumeInfo) -> SectionRead | None:
    if state.section is None:
        return None
    is_label = info.channels[state.channel].is_label or state.colormap == "labels"
    return SectionRead(grid_of(state.section, info), state.interpolate and not is_label)


def _placement_of(state: ViewState, info: VolumeInfo) -> Placement:
    """Where the slice lies in the pane, or the section, which is one of a volume of its own."""
    shown, axis = info, state.axis
    if state.section is not None:
        shown, axis = section_info(info, state.section), NORMAL
    return place_slice(
        shown,
        axis,
        zoom=state.zoom,
        pan=state.pan,
        stretch=state.stretch,
        width_px=state.width_px,
        height_px=state.height_px,
        north_up=state.north_up,
        rotation=state.rotation,
        flip_x=state.flip_x,
        flip_y=state.flip_y,
    )


def _coarser(lod: int, n_voxels: int, many: int, n_lods: int) -> int:
    """First level from `lod` on at which so many voxels of LOD0 are not more than `many`."""
    return next((k for k in range(lod, n_lods) if n_voxels >> 3 * k <= many), n_lods - 1)


def plan_slice(state: ViewState, info: VolumeInfo, *, in_motion: bool = False) -> SliceView:
    """Say what of the volume must be read to draw `state`."""
    section, placement = _section_of(state, info), _placement_of(state, info)
    left, top = placement.to_voxel(0.0, 0.0)
    right, bottom = placement.to_voxel(float(state.width_px), float(state.height_px))
    columns = _shown(left, right, placement.n_columns, 0)
    rows = _shown(top, bottom, placement.n_rows, 0)
    lod = _choose_lod(placement, info.n_lods, _MOTION_VOXEL_PX if in_motion else 1.0)
    n_whole = (columns[1] - columns[0]) * (rows[1] - rows[0])
    many = _MANY_VOXELS if section is None else _MOTION_SECTION_POINTS
    if in_motion and n_whole >> 2 * lod > many:
        lod = _choose_lod(placement, info.n_lods, _MANY_VOXEL_PX)
    wiggles = has_wiggles(state, info)
    if wiggles and not in_motion:
        lod = next((k for k in range(lod) if n_whole >> 2 * k <= _WIGGLE_VOXELS), lod)
    slab = slab_of(state, info)
    if in_motion and slab is not None:
        many = _MOTION_SLAB_VOXELS if section is None else _MOTION_SECTION_POINTS
        lod = _coarser(lod, n_whole * (slab.last - slab.first + 1), many, info.n_lods)
    plane = placement.plane
    margins = [2 << lod, 2 << lod]
    if wiggles:
        across = 0 if plane.row_axis == 2 else 1
        margins[across] += _reach_of_wiggles(placement, state.wiggle_excursion, across)
    columns = _shown(left, right, placement.n_columns, margins[0])
    rows = _shown(top, bottom, placement.n_rows, margins[1])
    first, second = (columns, rows) if plane.column_axis < plane.row_axis else (rows, columns)
    if section is not None:
        c0, c1, r0, r1 = filled(section.grid, info)
        first, second = _within(first, (c0, c1)), _within(second, (r0, r1))
    return SliceView(
        axis=state.axis,
        slice_idx=state.slice_idx[state.axis],
        channel=state.channel,
        lod=lod,
        region=(*first, *second),
        placement=placement,
        slab=slab,
        slab_lod=lod if in_motion else 0,
        section=section,
        source_channel=info.at_time(state.channel, state.time_idx),
    )
