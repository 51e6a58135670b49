"""What lies over a slice: what must be read of another volume for it, and where that is drawn."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.geometry import Placement
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.section_grid import SectionGrid, SectionRead
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.render.span import Span, find_span
from blustream_widget.render.view import SliceView

# Nearer than this share of a voxel to a slice, that slice alone is it.
_ON_SLICE = 1e-4


@dataclass(frozen=True, slots=True)
class LayerView:
    """What must be read of another volume for a slice of the shown one.

    Parameters
    ----------
    axis, slice_idx, channel, lod : int
        Of the other volume.
    region : tuple of int
        Its LOD0 voxels, half open, along the two other axes in ascending order.
    alignment : Alignment
    shape : tuple of int
        Of the other volume.
    beyond_idx : int or None
        A second slice, between which and the first the shown one lies; None: one is enough.
    share : float
        Of the second one in the values between: 0 to 1.
    section : SectionRead or None
        What is read in the place of a slice: points at the places of the shown section's.
    shown : SectionGrid or None
        The section that is shown, in its own volume.
    shown_lod : int
        Level of its points, which is not always that of the other volume's voxels.
    """

    axis: int
    slice_idx: int
    channel: int
    lod: int
    region: tuple[int, int, int, int]
    alignment: Alignment
    shape: tuple[int, int, int]
    beyond_idx: int | None = None
    share: float = 0.0
    section: SectionRead | None = None
    shown: SectionGrid | None = None
    shown_lod: int = 0


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was read for a slice, and how it is drawn: labels or values, as `look` says.

    Parameters
    ----------
    view : LayerView
    data : SliceData
    look : SegmentationLook or OverlayLook
    beyond : SliceData or None
        The second slice, where the view has one; of the same level and region.
    """

    view: LayerView
    data: SliceData
    look: SegmentationLook | OverlayLook
    beyond: SliceData | None = None

    def is_of_same_data(self, other: Overlay) -> bool:
        """Whether both were read from the same voxels."""
        return self.data is other.data and self.beyond is other.beyond


def plan_labels(
    view: SliceView, alignment: Alignment, info: VolumeInfo, channel: int
) -> LayerView | None:
    """Say what of a label volume lies in a view of the shown volume; None if nothing does.

    Parameters
    ----------
    view : SliceView
        Of the shown volume.
    alignment : Alignment
    info : VolumeInfo
        The label volume.
    channel : int
        Of it.
    """
    axis = alignment.axes[view.axis]
    slice_idx = math.floor(alignment.there(view.axis, view.slice_idx) + 0.5)
    if not 0 <= slice_idx < info.shape[axis]:
        return None
    lod = _level(view, alignment, info)
    region = _region(view, alignment, info, margin=0)
    if region is None:
        return None
    return LayerView(axis, slice_idx, channel, lod, region, alignment, info.shape)


def plan_values(
    view: SliceView, alignment: Alignment, info: VolumeInfo, channel: int
) -> LayerView | None:
    """Say what of another volume's values is needed for a view, interpolated linearly; as above."""
    planned = plan_labels(view, alignment, info, channel)
    if planned is None or alignment.is_same_grid:
        return planned
    lod = planned.lod
    region = _region(view, alignment, info, margin=1 << lod)
    n = info.shape[planned.axis]
    last = (n - 1) >> lod
    # Voxel k of a level has its centre where (k + 0.5) * 2**lod - 0.5 of level 0 is.
    place = (alignment.there(view.axis, view.slice_idx) + 0.5) / (1 << lod) - 0.5
    place = min(max(place, 0.0), float(last))
    first = math.floor(place + _ON_SLICE)
    share = max(place - first, 0.0)
    is_between = share > _ON_SLICE
    return dataclasses.replace(
        planned,
        region=region or planned.region,
        slice_idx=first << lod,
        beyond_idx=first + 1 << lod if is_between else None,
        share=share if is_between else 0.0,
    )


def _level(view: SliceView, alignment: Alignment, info: VolumeInfo) -> int:
    """Level of the other volume whose voxels are about as large as those of the view."""
    finer = math.log2(max(abs(alignment.scale[a]) for a in range(3) if a != view.axis))
    return min(max(math.floor(view.lod + finer), 0), info.n_lods - 1)


def _region(
    view: SliceView, alignment: Alignment, info: VolumeInfo, *, margin: int
) -> tuple[int, int, int, int] | None:
    here = [a for a in range(3) if a != view.axis]
    bounds = {here[0]: view.region[:2], here[1]: view.region[2:]}
    found = {}
    for a, (first, end) in bounds.items():
        edges = sorted((alignment.there(a, first - 0.5), alignment.there(a, end - 0.5)))
        low, high = max(math.floor(edges[0]) - margin, 0), math.ceil(edges[1]) + 1 + margin
        high = min(high, info.shape[alignment.axes[a]])
        if low >= high:
            return None
        found[alignment.axes[a]] = (low, high)
    first_axis, second_axis = sorted(found)
    return (*found[first_axis], *found[second_axis])


def by_row(overlay: Overlay, values: Samples, placement: Placement) -> Samples:
    """Turn values of its slice so that their first axis runs along the screen's y; no copy."""
    axes, plane = overlay.view.alignment.axes, placement.plane
    return values if axes[plane.row_axis] < axes[plane.column_axis] else values.T


def layer_spans(
    overlay: Overlay, placement: Placement, state: ViewState
) -> tuple[Span | None, Span | None]:
    """Say which voxels go to which pixels of a pane, across and down; None where none does.

    Parameters
    ----------
    overlay : Overlay
    placement : Placement
        Of the shown volume's slice.
    state : ViewState
        Of one pane.
    """
    plane = placement.plane
    columns = _span(
        overlay,
        plane.column_axis,
        n_here=placement.n_columns,
        begin_px=placement.x0_px,
        size_px=placement.width_px,
        pane_px=state.width_px,
        is_flipped=plane.flip_x,
    )
    rows = _span(
        overlay,
        plane.row_axis,
        n_here=placement.n_rows,
        begin_px=placement.y0_px,
        size_px=placement.height_px,
        pane_px=state.height_px,
        is_flipped=plane.flip_y,
    )
    return columns, rows


def _span(
    overlay: Overlay,
    axis: int,
    *,
    n_here: int,
    begin_px: float,
    size_px: float,
    pane_px: int,
    is_flipped: bool,
) -> Span | None:
    """Place voxels along `axis` of the shown volume, which is drawn at `begin_px`, `size_px`."""
    view, data = overlay.view, overlay.data
    other = view.alignment.axes[axis]
    n_other = view.shape[other]
    first_px, length_px, flipped = begin_px, size_px, is_flipped
    # Not by way of the other grid where it is the same one: rounding could move an edge.
    if not view.alignment.is_same_grid:
        low, high = sorted(view.alignment.here(axis, edge) for edge in (-0.5, n_other - 0.5))
        voxel_px = size_px / n_here
        length_px = (high - low) * voxel_px
        first_px = begin_px + (n_here - 0.5 - high if is_flipped else low + 0.5) * voxel_px
        flipped = is_flipped != (view.alignment.scale[axis] < 0)
    at = [a for a in range(3) if a != view.axis].index(other)
    span = find_span(
        pane_px=pane_px,
        slice_begin_px=first_px,
        slice_px=length_px,
        n_voxels=n_other,
        is_flipped=flipped,
        lod=data.lod if view.section is None else view.shown_lod,
        origin=data.origin[at],
        n_data=data.values.shape[at],
    )
    if span is None:
        return None
    # Nothing is drawn beyond the shown volume.
    begin, end = max(span.begin_px, begin_px), min(span.end_px, begin_px + size_px)
    span = dataclasses.replace(span, begin_px=begin, end_px=end)
    return span if span.high_px > span.low_px else None
