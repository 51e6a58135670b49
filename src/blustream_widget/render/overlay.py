"""Labels over a drawn slice: each pixel's label is the one at its centre, blended or outlined.

The colour space is the picture's own, so that nothing is converted: blending is the same there.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.geometry import Placement
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Samples, SliceData, VolumeInfo
from blustream_widget.render.levels import label_entries
from blustream_widget.render.painter import Planes
from blustream_widget.render.palettes import label_style
from blustream_widget.render.scale import Plane, copy_plane
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.span import Span, find_span, upright
from blustream_widget.render.tables import ColorSpace, color_table
from blustream_widget.render.view import SliceView

_Labels: TypeAlias = npt.NDArray[np.uint16]
"""Entries of the table of label colours; 0 is what is not drawn."""

_OPAQUE = 256
_HALF = 128


@dataclass(frozen=True, slots=True)
class LabelView:
    """What must be read of a label volume for a slice of the shown one.

    Parameters
    ----------
    axis, slice_idx, channel, lod : int
        Of the label volume.
    region : tuple of int
        Its LOD0 voxels, half open, along the two other axes in ascending order.
    alignment : Alignment
    shape : tuple of int
        Of the label volume.
    """

    axis: int
    slice_idx: int
    channel: int
    lod: int
    region: tuple[int, int, int, int]
    alignment: Alignment
    shape: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Overlay:
    """Labels that were read for a slice, and how they are drawn."""

    view: LabelView
    data: SliceData
    look: SegmentationLook


def plan_labels(
    view: SliceView, alignment: Alignment, info: VolumeInfo, channel: int
) -> LabelView | None:
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
    here = [a for a in range(3) if a != view.axis]
    bounds = {here[0]: view.region[:2], here[1]: view.region[2:]}
    found = {}
    for a, (first, end) in bounds.items():
        edges = sorted((alignment.there(a, first - 0.5), alignment.there(a, end - 0.5)))
        low, high = max(math.floor(edges[0]), 0), math.ceil(edges[1]) + 1
        high = min(high, info.shape[alignment.axes[a]])
        if low >= high:
            return None
        found[alignment.axes[a]] = (low, high)
    finer = math.log2(max(abs(alignment.scale[a]) for a in here))
    lod = min(max(math.floor(view.lod + finer), 0), info.n_lods - 1)
    first_axis, second_axis = sorted(found)
    region = (*found[first_axis], *found[second_axis])
    return LabelView(axis, slice_idx, channel, lod, region, alignment, info.shape)


class OverlayPainter:
    """Draws labels over the planes of a picture; one thread.

    Parameters
    ----------
    scratch : Scratch

    Notes
    -----
    With `a` = opacity in 256ths, rounded, a component of a pixel becomes
    ``(base * (256 - a) + colour * a + 128) >> 8``: base colour at 0, label colour at 1, exactly.
    An outline is the pixels of a label that have another label, or none, to the left, right, above
    or below; at the pane's edge nothing is known to lie beyond. In planes of half the size, it has
    the share of the four pixels that are outline.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def paint(
        self,
        overlay: Overlay,
        placement: Placement,
        state: ViewState,
        planes: Planes,
        space: ColorSpace,
    ) -> None:
        """Draw labels where the slice lies, over what is there.

        Parameters
        ----------
        overlay : Overlay
        placement : Placement
            Of the shown volume's slice.
        state : ViewState
            Of one pane.
        planes : three ndarray, uint8
            Of the pane; the second and third of half its size, unless `space` is "rgb".
        space : ColorSpace
        """
        columns, rows = _spans(overlay, placement, state)
        if columns is None or rows is None:
            return
        plane = placement.plane
        by_row = _by_row(overlay, plane.row_axis, plane.column_axis)
        labels, colors = self._labels(overlay, by_row, columns, rows, space)
        if not labels.any():
            return
        columns, rows, labels = _trimmed(columns, rows, labels)
        look = overlay.look
        alpha = round(look.opacity * _OPAQUE)
        is_halved = space != "rgb"
        if look.style != "outline":
            for k, target in enumerate(planes):
                x, y = (columns.halved(), rows.halved()) if k and is_halved else (columns, rows)
                self._fill(target, labels, colors[:, k], alpha, x, y)
        if look.style != "fill":
            strength = _OPAQUE if look.style == "both" else alpha
            self._outline(planes, labels, colors, strength, columns, rows, is_halved=is_halved)

    def _labels(
        self, overlay: Overlay, by_row: Samples, columns: Span, rows: Span, space: ColorSpace
    ) -> tuple[_Labels, npt.NDArray[np.uint8]]:
        """Entries of the shown voxels as they lie on the screen, and components by entry."""
        values = upright(by_row, columns, rows)
        style = label_style(overlay.look.label_style)
        # In the order of memory: a pass over a transposed array takes several times as long.
        is_turned = abs(values.strides[0]) < abs(values.strides[1])
        values = values.T if is_turned else values
        entries = label_entries(values, own=tuple(style.colors), scratch=self._scratch)
        np.maximum(entries, 0, out=entries)  # -1, which is "no data"
        labels: _Labels = entries.astype(np.uint16)
        # A colour of the user's, or a value of another period, may stand for the background.
        labels[values == 0] = 0
        if overlay.look.hidden:
            labels[np.isin(values, np.array(overlay.look.hidden))] = 0
        table = color_table("labels", space=space, labels=tuple(style.colors.values()))
        components = table.packed.view(np.uint8).reshape(-1, 4)[:, table.byte_of]
        if not is_turned:
            return labels, components
        turned = self._scratch.array("labels", labels.T.shape, np.uint16)
        copy_plane(turned, labels.T)
        return turned, components

    def _fill(
        self,
        plane: Plane,
        labels: _Labels,
        component: npt.NDArray[np.uint8],
        alpha: int,
        columns: Span,
        rows: Span,
    ) -> None:
        """Blend one component of the labels' colours, by table entry, into its plane."""
        height, width = rows.high_px - rows.low_px, columns.high_px - columns.low_px
        if height <= 0 or width <= 0:
            return
        factor = np.full(len(component), _OPAQUE - alpha, np.uint16)
        term = component.astype(np.uint16) * np.uint16(alpha) + np.uint16(_HALF)
        factor[0], term[0] = _OPAQUE, _HALF
        part = plane[rows.low_px : rows.high_px, columns.low_px : columns.high_px]
        mixed = self._spread("factor", factor, labels, columns, rows)
        np.multiply(part, mixed, out=mixed)
        mixed += self._spread("term", term, labels, columns, rows)
        mixed >>= 8
        np.copyto(part, mixed, casting="unsafe")

    def _spread(
        self, name: str, table: _Labels, labels: _Labels, columns: Span, rows: Span
    ) -> _Labels:
        """Give each pixel what the table has for the label at its centre."""
        # Into arrays that are kept: the pages of fresh ones cost several times the look-up.
        array = self._scratch.array
        across, down = columns.nearest_voxels(), rows.nearest_voxels()
        looked_up = array("looked-up", labels.shape, np.uint16)
        np.take(table, labels, out=looked_up, mode="clip")
        wide = array("wide", (len(labels), len(across)), np.uint16)
        np.take(looked_up, across, axis=1, out=wide, mode="clip")
        found = array(name, (len(down), len(across)), np.uint16)
        np.take(wide, down, axis=0, out=found, mode="clip")
        return found

    def _outline(
        self,
        planes: Planes,
        labels: _Labels,
        colors: npt.NDArray[np.uint8],
        alpha: int,
        columns: Span,
        rows: Span,
        *,
        is_halved: bool,
    ) -> None:
        """Draw the outermost pixels of each label."""
        pixels = self._spread(
            "pixels", np.arange(len(colors), dtype=np.uint16), labels, columns, rows
        )
        is_edge = self._edges(pixels, columns, rows, planes[0].shape)
        at = np.flatnonzero(is_edge)  # a tenth of what numpy.nonzero takes
        entries = pixels.ravel()[at]
        y, x = np.divmod(at, pixels.shape[1])
        y += rows.low_px
        x += columns.low_px
        weights = np.full(len(entries), alpha, np.uint16)
        _blend(planes[0], y, x, colors[entries, 0], weights)
        if is_halved:
            y, x, entries, weights = _halved(y, x, entries, alpha, planes[1].shape)
        for k in (1, 2):
            _blend(planes[k], y, x, colors[entries, k], weights)

    def _edges(
        self, pixels: _Labels, columns: Span, rows: Span, pane: tuple[int, ...]
    ) -> npt.NDArray[np.bool_]:
        is_edge = self._scratch.array("edges", pixels.shape, np.bool_)
        differs = self._scratch.array("differs", pixels.shape, np.bool_)
        # Where the labels' volume ends inside the pane, the label ends.
        height, width = pane
        is_edge[...] = False
        is_edge[0] = rows.low_px > 0
        is_edge[-1] |= rows.high_px < height
        is_edge[:, 0] |= columns.low_px > 0
        is_edge[:, -1] |= columns.high_px < width
        across, down = differs[:, 1:], differs[1:]
        np.not_equal(pixels[:, 1:], pixels[:, :-1], out=across)
        is_edge[:, 1:] |= across
        is_edge[:, :-1] |= across
        np.not_equal(pixels[1:], pixels[:-1], out=down)
        is_edge[1:] |= down
        is_edge[:-1] |= down
        is_edge &= np.not_equal(pixels, 0, out=differs)
        return is_edge


def _by_row(overlay: Overlay, row_axis: int, column_axis: int) -> Samples:
    """Voxels whose first axis runs along the screen's y."""
    axes = overlay.view.alignment.axes
    values = overlay.data.values
    return values if axes[row_axis] < axes[column_axis] else values.T


def _spans(
    overlay: Overlay, placement: Placement, state: ViewState
) -> tuple[Span | None, Span | None]:
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
    """Place labels along `axis` of the shown volume, which is drawn at `begin_px`, `size_px`."""
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
        lod=data.lod,
        origin=data.origin[at],
        n_data=data.values.shape[at],
    )
    if span is None:
        return None
    # Nothing is labelled beyond the shown volume.
    begin, end = max(span.begin_px, begin_px), min(span.end_px, begin_px + size_px)
    span = dataclasses.replace(span, begin_px=begin, end_px=end)
    return span if span.high_px > span.low_px else None


def _trimmed(columns: Span, rows: Span, labels: _Labels) -> tuple[Span, Span, _Labels]:
    """Leave out what has no label, but for one voxel around: outlines look at it."""
    columns, (left, right) = _trim(columns, np.any(labels, axis=0))
    rows, (top, bottom) = _trim(rows, np.any(labels, axis=1))
    return columns, rows, np.ascontiguousarray(labels[top:bottom, left:right])


def _trim(span: Span, is_used: npt.ArrayLike) -> tuple[Span, tuple[int, int]]:
    used = np.flatnonzero(is_used)
    first, end = max(int(used[0]) - 1, 0), min(int(used[-1]) + 2, span.count)
    first_px = span.first_px + first * span.step_px
    kept = dataclasses.replace(
        span,
        count=end - first,
        first_px=first_px,
        begin_px=max(span.begin_px, first_px),
        end_px=min(span.end_px, first_px + (end - first) * span.step_px),
    )
    return kept, (first, end)


def _halved(
    y: npt.NDArray[np.intp],
    x: npt.NDArray[np.intp],
    entries: _Labels,
    alpha: int,
    shape: tuple[int, ...],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], _Labels, npt.NDArray[np.uint16]]:
    """Outline in planes of half the size: of several labels in four pixels, the last one's."""
    height, width = shape
    y, x = np.minimum(y >> 1, height - 1), np.minimum(x >> 1, width - 1)
    at = y * width + x
    counts = np.bincount(at, minlength=1)
    place = np.flatnonzero(counts)
    chosen = np.zeros(len(counts), np.uint16)
    chosen[at] = entries
    weights = (counts[place] * alpha >> 2).astype(np.uint16)
    return place // width, place % width, chosen[place], weights


def _blend(
    plane: Plane,
    y: npt.NDArray[np.intp],
    x: npt.NDArray[np.intp],
    component: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.uint16],
) -> None:
    """Blend single pixels, by the same formula."""
    base = plane[y, x].astype(np.uint16)
    plane[y, x] = (base * (_OPAQUE - weights) + component * weights + _HALF) >> 8
