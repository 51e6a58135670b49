"""Draws one slice: values to colours at the slice's resolution, then each plane onto the pane.

A still takes the other way round: the values are interpolated at each pixel, then coloured.
"""

from __future__ import annotations

import numpy as np

from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Picture, Samples, SliceData, VolumeInfo
from blustream_widget.core.wiggle import has_wiggles
from blustream_widget.errors import RenderError
from blustream_widget.render.kept_colors import Base
from blustream_widget.render.layering import Layering, LayerPainter
from blustream_widget.render.layers import Overlay
from blustream_widget.render.levels import Entries, label_entries, window_entries
from blustream_widget.render.painter import Painted, Painter
from blustream_widget.render.palettes import label_style
from blustream_widget.render.resample import interpolated
from blustream_widget.render.scale import Planes
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.span import Span, find_span, upright
from blustream_widget.render.tables import ColorSpace, ColorTable, Ends, Rgb, color_table
from blustream_widget.render.view import SliceView
from blustream_widget.render.wiggle import WigglePainter, paint_paper

# Between voxels larger than this the video has the colours of the values in between, as the still:
# the mean of dark red and dark blue is no amplitude's colour. swscale fills what is between those.
_LARGE_VOXEL_PX = 6.0

SURROUND: Rgb = (12, 14, 17)
"""Around a slice and where there is no data."""

MEDICAL_SURROUND: Rgb = (0, 0, 0)
"""Radiologists read in the dark."""


def surround_of(info: VolumeInfo) -> Rgb:
    """SRGB colour around a slice and where there is no data."""
    return MEDICAL_SURROUND if info.kind == "medical" else SURROUND


class SliceRenderer:
    """Draws slices; one thread.

    Notes
    -----
    For video the colour map is applied at the resolution of the slice, straight in the colour space
    of the picture, and the colours are scaled: a slice of 512 x 512 voxels costs less than the
    1280 x 720 pixels it covers. In a still ("rgb") each pixel has exactly the colour that the map
    gives for the value there: that of the voxel, or linear between voxels.
    """

    def __init__(self) -> None:
        self._scratch = Scratch()
        self._painter = Painter(self._scratch)
        # With the look of the outlines over it, if there are any.
        self._painted: dict[ColorSpace, tuple[Painted, SegmentationLook | None]] = {}
        self._wiggles = WigglePainter(self._scratch)
        self._layers = LayerPainter(self._scratch)

    def draw(
        self,
        data: SliceData,
        view: SliceView,
        state: ViewState,
        info: VolumeInfo,
        *,
        space: ColorSpace = "bt709",
        overlays: tuple[Overlay, ...] = (),
    ) -> Picture:
        """Draw a slice as a picture of `state.width_px` x `state.height_px`.

        Parameters
        ----------
        data : SliceData
            As read for `view`; may be coarser or larger.
        view : SliceView
            What `plan_slice` says of `state` and `info`.
        state : ViewState
        info : VolumeInfo
        space : ColorSpace
            "bt709" and "jpeg" give 4:2:0 planes that the next picture of the same kind overwrites;
            "rgb" gives an array of its own.
        overlays : tuple of Overlay
            Labels and values to draw over it, the lowest first.

        Raises
        ------
        RenderError
            If `data` is of another axis than `view`.
        """
        if data.axis != view.axis:
            raise RenderError(f"Data of axis {data.axis} cannot be drawn across axis {view.axis}.")
        picture, planes = self._canvas(state, space)
        before = self._painted.pop(space, None)
        columns, rows = _spans(data, view, state)
        surround = _table(state, info, space).surround
        if columns is None or rows is None:
            for plane, component in zip(planes, surround, strict=True):
                plane[...] = component
            return picture
        wiggles = has_wiggles(state, info)
        if wiggles:
            before = None  # the ink lies over all of it
        is_paper = wiggles and state.display == "wiggle"
        parts = None
        if is_paper:
            layering = Layering((), overlays)
            paint_paper(planes, columns, rows, surround, space)
        else:
            spans = columns, rows
            layering = self._plan(overlays, view, state, space, spans)
            painted = self._paint_colors(
                data, view, state, info, planes, spans, space, layering, before
            )
            if painted is not None and layering.is_kept and not wiggles:
                self._painted[space] = painted, layering.outlined
                parts = painted.drawn
        self._layers.paint(layering, view.placement, state, planes, space, parts)
        if wiggles:
            is_grey = is_paper and not overlays
            sides = {"columns": columns, "rows": rows}
            self._wiggles.paint(data, view, state, planes, space=space, is_grey=is_grey, **sides)
        return picture

    def _plan(
        self,
        overlays: tuple[Overlay, ...],
        view: SliceView,
        state: ViewState,
        space: ColorSpace,
        spans: tuple[Span, Span],
    ) -> Layering:
        if overlays and space != "rgb" and _are_small(*spans, state):
            return self._layers.plan(overlays, view.placement, state, space, spans)
        return Layering((), overlays)

    def _paint_colors(
        self,
        data: SliceData,
        view: SliceView,
        state: ViewState,
        info: VolumeInfo,
        planes: Planes,
        spans: tuple[Span, Span],
        space: ColorSpace,
        layering: Layering,
        before: tuple[Painted, SegmentationLook | None] | None,
    ) -> Painted | None:
        columns, rows = spans
        outlined = layering.outlined
        is_label = state.colormap == "labels" or info.channels[state.channel].is_label
        is_smooth = state.interpolate and not is_label
        values = data.values.T if _is_transposed(view) else data.values
        shown = upright(values, columns, rows)
        if is_smooth:
            # Values must be interpolated, not colours: at every pixel of a still, in large voxels.
            largest_px = 0.0 if space == "rgb" else _LARGE_VOXEL_PX
            shown, columns, rows = interpolated(shown, columns, rows, largest_px)
        base = Base(
            shown,
            lambda part: self._entries(part, state),
            _table(state, info, space),
            data,
            (state.window, state.level, state.label_style, columns, rows),
        )
        return self._painter.paint(
            base,
            planes,
            columns=columns,
            rows=rows,
            is_smooth=is_smooth,
            layers=layering.on_voxels,
            before=before[0] if before is not None and before[1] == outlined else None,
            margin_px=0 if outlined is None else 1,
        )

    def _canvas(self, state: ViewState, space: ColorSpace) -> tuple[Picture, Planes]:
        width, height = state.width_px, state.height_px
        if space == "rgb":
            rgb = np.empty((height, width, 3), np.uint8)
            return Picture(rgb, "rgb24", width, height), (rgb[..., 0], rgb[..., 1], rgb[..., 2])
        pixels = self._scratch.array(space, (height * 3 // 2, width), np.uint8)
        chroma = pixels[height:].reshape(2, height // 2, width // 2)
        picture = Picture(pixels, "yuvj420p" if space == "jpeg" else "yuv420p", width, height)
        return picture, (pixels[:height], chroma[0], chroma[1])

    def _entries(self, shown: Samples, state: ViewState) -> Entries:
        """Table entries of the voxels that are shown, as they lie on the screen."""
        # In the order of memory: a pass over a transposed array takes several times as long.
        is_turned = abs(shown.strides[0]) < abs(shown.strides[1])
        values = shown.T if is_turned else shown
        if state.colormap == "labels":
            own = tuple(label_style(state.label_style).colors)
            entries = label_entries(values, own=own, scratch=self._scratch)
        else:
            entries = window_entries(
                values,
                window=state.window,
                level=state.level,
                has_ends=bool(state.below_color or state.above_color),
                scratch=self._scratch,
            )
        return entries.T if is_turned else entries


def _table(state: ViewState, info: VolumeInfo, space: ColorSpace) -> ColorTable:
    style = label_style(state.label_style)
    return color_table(
        state.colormap,
        reverse=state.reverse,
        surround=surround_of(info),
        space=space,
        ends=Ends(state.below_color, state.above_color, state.no_value_color),
        labels=tuple(style.colors.values()) if state.colormap == "labels" else (),
    )


def _are_small(columns: Span, rows: Span, state: ViewState) -> bool:
    """Whether a slice is drawn at its own voxels in motion."""
    return not state.interpolate or max(columns.step_px, rows.step_px) <= _LARGE_VOXEL_PX


def _is_transposed(view: SliceView) -> bool:
    return view.placement.plane.column_axis < view.placement.plane.row_axis


def _spans(data: SliceData, view: SliceView, state: ViewState) -> tuple[Span | None, Span | None]:
    placement, plane = view.placement, view.placement.plane
    along_columns, along_rows = (0, 1) if _is_transposed(view) else (1, 0)
    columns = find_span(
        pane_px=state.width_px,
        slice_begin_px=placement.x0_px,
        slice_px=placement.width_px,
        n_voxels=placement.n_columns,
        is_flipped=plane.flip_x,
        lod=data.lod,
        origin=data.origin[along_columns],
        n_data=data.values.shape[along_columns],
    )
    rows = find_span(
        pane_px=state.height_px,
        slice_begin_px=placement.y0_px,
        slice_px=placement.height_px,
        n_voxels=placement.n_rows,
        is_flipped=plane.flip_y,
        lod=data.lod,
        origin=data.origin[along_rows],
        n_data=data.values.shape[along_rows],
    )
    return columns, rows
