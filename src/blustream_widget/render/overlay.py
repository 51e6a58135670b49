"""Labels over a drawn slice: each pixel's label is the one at its centre, blended or outlined.

The colour space is the picture's own, so that nothing is converted: blending is the same there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blustream_widget.core.colormaps import LABEL_PERIOD
from blustream_widget.core.geometry import Placement
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Samples
from blustream_widget.render.colormaps import label_color
from blustream_widget.render.fill import (
    HALF,
    OPAQUE,
    Alphas,
    Cells,
    Filler,
    same_alphas,
    trimmed,
)
from blustream_widget.render.layers import Overlay, by_row, layer_spans
from blustream_widget.render.levels import FIRST_LABEL, label_entries
from blustream_widget.render.palettes import label_style
from blustream_widget.render.scale import Plane, Planes, copy_plane
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.span import Span, upright
from blustream_widget.render.tables import ColorSpace, color_table
from blustream_widget.render.voxel_layers import Landing, VoxelLayer


class LabelPainter:
    """Draws labels over the planes of a picture; one thread.

    Parameters
    ----------
    scratch : Scratch

    Notes
    -----
    Blended as `Filler` says. An outline is the pixels of a label that have another label, or none,
    to the left, right, above or below; at the pane's edge nothing is known to lie beyond. In planes
    of half the size, it has the share of the four pixels that are outline; where these are of
    several labels, the colour of the most opaque one.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._filler = Filler(scratch)

    def paint(
        self,
        overlay: Overlay,
        look: SegmentationLook,
        placement: Placement,
        state: ViewState,
        planes: Planes,
        space: ColorSpace,
        *,
        is_filled: bool = False,
    ) -> None:
        """Draw labels where the slice lies, over what is there.

        Parameters
        ----------
        overlay : Overlay
        look : SegmentationLook
            Of it.
        placement : Placement
            Of the shown volume's slice.
        state : ViewState
            Of one pane.
        planes : three ndarray, uint8
            Of the pane; the second and third of half its size, unless `space` is "rgb".
        space : ColorSpace
        is_filled : bool
            The labels are there, but for their outlines.
        """
        columns, rows = layer_spans(overlay, placement, state)
        if columns is None or rows is None:
            return
        values = upright(by_row(overlay, overlay.data.values, placement), columns, rows)
        labels = self._upright(self._labels(look, values))
        if not labels.any():
            return
        columns, rows, labels = trimmed(columns, rows, labels)
        colors = _colors(look, space)
        alphas = _alphas(look, look.opacity, len(colors))
        is_halved = space != "rgb"
        if look.style != "outline" and not is_filled:
            self._filler.fill(planes, labels, colors, alphas, columns, rows, is_halved=is_halved)
        if look.style != "fill":
            if look.style == "both":
                alphas = _alphas(look, 1.0, len(colors))
            every = np.arange(len(colors), dtype=np.uint16)
            pixels = self._filler.spread("pixels", every, labels, columns, rows)
            self._outline(planes, pixels, colors, alphas, columns, rows, is_halved=is_halved)

    def outline(
        self,
        overlay: Overlay,
        look: SegmentationLook,
        placement: Placement,
        state: ViewState,
        planes: Planes,
        space: ColorSpace,
        parts: Sequence[tuple[slice, slice]],
    ) -> None:
        """Draw outlines in parts of a 4:2:0 picture, as `paint` does in all of it.

        Parameters
        ----------
        overlay, look, placement, state, planes, space
            As for `paint`; the planes hold there what lies under the outlines.
        parts : sequence of two slices
            Rows and columns of the first plane, of whole pixels of the others; at least one.
        """
        columns, rows = layer_spans(overlay, placement, state)
        if columns is None or rows is None:
            return
        values = upright(by_row(overlay, overlay.data.values, placement), columns, rows)
        rows = _near(rows, [part[0] for part in parts])
        columns = _near(columns, [part[1] for part in parts])
        if rows.high_px <= rows.low_px or columns.high_px <= columns.low_px:
            return
        # Of these few pixels alone; not by way of `trimmed`: rounding could move one.
        there = values[rows.nearest_voxels()[:, None], columns.nearest_voxels()]
        pixels = self._labels(look, there)
        if not pixels.any():
            return
        colors = _colors(look, space)
        alphas = _alphas(look, 1.0 if look.style == "both" else look.opacity, len(colors))
        self._outline(planes, pixels, colors, alphas, columns, rows, is_halved=True, parts=parts)

    def on_voxels(
        self,
        overlay: Overlay,
        look: SegmentationLook,
        placement: Placement,
        space: ColorSpace,
        landing: Landing,
    ) -> VoxelLayer:
        """Give the labels at the voxels of the slice: those that their centres lie in."""
        values = upright(by_row(overlay, overlay.data.values, placement), *landing.own)
        cells = self._labels(look, landing.nearest(values))
        landing.clear_beyond(cells)
        colors = _colors(look, space)
        return VoxelLayer(cells, colors, _alphas(look, look.opacity, len(colors)))

    def _labels(self, look: SegmentationLook, values: Samples) -> Cells:
        """Entries of voxels as they lie on the screen, in the order of memory of `values`."""
        # A pass over a transposed array takes several times as long.
        if abs(values.strides[0]) < abs(values.strides[1]):
            return self._labels(look, values.T).T
        own = tuple(_own_colors(look))
        if values.dtype == np.uint8 and not own and not look.hidden:
            return values  # which are entries as they are
        if values.dtype == np.uint8:
            every = np.arange(256, dtype=np.uint8)[None]
            labels: Cells = self._entries(look, every, own)[0].take(values)
            return labels
        return self._entries(look, values, own)

    def _entries(self, look: SegmentationLook, values: Samples, own: tuple[int, ...]) -> Cells:
        entries = label_entries(values, own=own, scratch=self._scratch)
        np.maximum(entries, 0, out=entries)  # -1, which is "no data"
        labels: Cells = entries.astype(np.uint16)
        # A colour of the user's, or a value of another period, may stand for the background.
        labels[values == 0] = 0
        if look.hidden:
            labels[np.isin(values, np.array(look.hidden))] = 0
        return labels

    def _upright(self, labels: Cells) -> Cells:
        """Give the same in the order of the screen's memory."""
        if abs(labels.strides[0]) >= abs(labels.strides[1]):
            return labels
        turned = self._scratch.array("labels", labels.shape, np.uint16)
        copy_plane(turned, labels)
        return turned

    def _outline(
        self,
        planes: Planes,
        pixels: Cells,
        colors: npt.NDArray[np.uint8],
        alphas: Alphas,
        columns: Span,
        rows: Span,
        *,
        is_halved: bool,
        parts: Sequence[tuple[slice, slice]] | None = None,
    ) -> None:
        """Draw the outermost pixels of each label, or those in parts of the picture."""
        is_edge = self._edges(pixels, columns, rows, planes[0].shape)
        if parts is not None:  # they overlap, and blending a pixel twice is something else
            is_inside = np.zeros(is_edge.shape, bool)
            for down, across in parts:
                is_inside[_shifted(down, rows.low_px), _shifted(across, columns.low_px)] = True
            is_edge &= is_inside
        at = np.flatnonzero(is_edge)  # a tenth of what numpy.nonzero takes
        entries = pixels.ravel()[at]
        y, x = np.divmod(at, pixels.shape[1])
        y += rows.low_px
        x += columns.low_px
        weights = alphas[entries]
        _blend(planes[0], y, x, colors[entries, 0], weights)
        if is_halved:
            y, x, entries, weights = _halved(y, x, entries, weights, planes[1].shape)
        for k in (1, 2):
            _blend(planes[k], y, x, colors[entries, k], weights)

    def _edges(
        self, pixels: Cells, columns: Span, rows: Span, pane: tuple[int, ...]
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


def _near(span: Span, sides: Sequence[slice]) -> Span:
    """Give what of a span is drawn around some pixels, with those beside: outlines look at them."""
    return dataclasses.replace(
        span,
        begin_px=max(span.begin_px, min(side.start for side in sides) - 1),
        end_px=min(span.end_px, max(side.stop for side in sides) + 1),
    )


def _shifted(side: slice, low: int) -> slice:
    return slice(max(side.start - low, 0), max(side.stop - low, 0))


def _colors(look: SegmentationLook, space: ColorSpace) -> npt.NDArray[np.uint8]:
    """Components by entry, shape (n, 3)."""
    own = tuple(_own_colors(look).values())
    table = color_table("labels", space=space, labels=own)
    colors = table.packed.view(np.uint8).reshape(-1, 4)[:, table.byte_of]
    if look.first_color:
        usual = slice(1, 1 + LABEL_PERIOD)
        colors[usual] = np.roll(colors[usual], -look.first_color, axis=0)
    return colors


def _own_colors(look: SegmentationLook) -> dict[int, str]:
    """Colours, "#rrggbb", by label of those with an entry of their own in the table.

    Labels share entries where they have the same colour of the usual ones: not with an opacity of
    their own.
    """
    colors = dict(label_style(look.label_style).colors)
    for label in look.opacities:
        if label not in colors:
            colors[label] = f"#{bytes(label_color(label, look.first_color)).hex()}"
    return colors


def _alphas(look: SegmentationLook, opacity: float, n: int) -> Alphas:
    """Opacities by entry of the table, where labels with none of their own have `opacity`."""
    alphas = same_alphas(opacity, n)
    for place, label in enumerate(_own_colors(look), start=FIRST_LABEL):
        alphas[place] = round(opacity * look.opacities.get(label, 1.0) * OPAQUE)
    return alphas


def _halved(
    y: npt.NDArray[np.intp],
    x: npt.NDArray[np.intp],
    entries: Cells,
    weights: Alphas,
    shape: tuple[int, ...],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Cells, npt.NDArray[np.uint16]]:
    """Outline in planes of half the size: of several labels in four pixels, the strongest one's."""
    height, width = shape
    if len(weights) and weights.min() != weights.max():
        order = np.argsort(weights, kind="stable")  # the last one stays
        y, x, entries, weights = y[order], x[order], entries[order], weights[order]
    y, x = np.minimum(y >> 1, height - 1), np.minimum(x >> 1, width - 1)
    at = y * width + x
    sums: Alphas = np.bincount(at, weights, minlength=1).astype(np.uint16)
    place = np.flatnonzero(sums)
    chosen = np.zeros(len(sums), np.uint16)
    chosen[at] = entries
    share: Alphas = sums[place] >> np.uint16(2)
    return place // width, place % width, chosen[place], share


def _blend(
    plane: Plane,
    y: npt.NDArray[np.intp],
    x: npt.NDArray[np.intp],
    component: npt.NDArray[np.uint8],
    weights: npt.NDArray[np.uint16],
) -> None:
    """Blend single pixels, by the same formula."""
    base = plane[y, x].astype(np.uint16)
    plane[y, x] = (base * (OPAQUE - weights) + component * weights + HALF) >> 8
