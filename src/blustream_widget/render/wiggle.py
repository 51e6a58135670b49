"""Wiggles over a drawn section: traces as curves, their peaks filled, at the pane's own pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.state import ViewState
from blustream_widget.core.types import SliceData
from blustream_widget.core.wiggle import wiggle_step
from blustream_widget.render.curves import ONE, Floats, cover, trace_curves
from blustream_widget.render.scale import Plane, Planes, copy_plane
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.span import Span
from blustream_widget.render.tables import ColorSpace, Rgb, components_of
from blustream_widget.render.view import SliceView

INK: Rgb = (0, 0, 0)
PAPER: Rgb = (255, 255, 255)
"""Under wiggles without colours."""

# Over colours a full fill would hide the very peaks.
_FILL_OVER_COLORS = 0.4
# Lines are a twelfth of the distance between wiggles, within these bounds.
_LINE_SHARE, _LINE_MIN_PX, _LINE_MAX_PX = 1 / 12, 1.2, 2.0
# A block of rows stays in the cache while it is blended.
_BLOCK_ROWS = 64

_Covered: TypeAlias = npt.NDArray[np.uint16]
"""Shares of pixels, in 256ths."""


@dataclass(frozen=True, slots=True)
class Traces:
    """Traces that are drawn.

    Parameters
    ----------
    at : ndarray, shape (n,), intp
        Which ones of the data.
    base_px : ndarray, shape (n,), float64
        Where their baselines lie on the pane, across the traces.
    spacing_px : float
        From one to the next.
    """

    at: npt.NDArray[np.intp]
    base_px: npt.NDArray[Any]  # numpy has no narrower word for sums of floats
    spacing_px: float


class WigglePainter:
    """Draws wiggles over the planes of a picture; one thread.

    Parameters
    ----------
    scratch : Scratch

    Notes
    -----
    Values above the level deflect to the right, where the traces lie on their side upwards, however
    the section is flipped; half the window is the full deflection, at which they are cut. Where
    there is no value there is no line.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def paint(
        self,
        data: SliceData,
        view: SliceView,
        state: ViewState,
        planes: Planes,
        *,
        columns: Span,
        rows: Span,
        space: ColorSpace,
        is_grey: bool = False,
    ) -> None:
        """Draw the wiggles of a section over what is there.

        Parameters
        ----------
        data : SliceData
            As read for `view`; may be coarser or larger.
        view : SliceView
            Of a section: one of its axes is the samples'.
        state : ViewState
            Of one pane.
        planes : three ndarray, uint8
            Of the pane; the second and third of half its size, unless `space` is "rgb".
        columns, rows : Span
            Where the data lie on the pane.
        space : ColorSpace
        is_grey : bool
            What is there has no colours: chroma need not be drawn.
        """
        is_upright = view.placement.plane.row_axis == 2
        across, along = (columns, rows) if is_upright else (rows, columns)
        traces = plan_traces(data, view, state, is_upright=is_upright)
        if not len(traces.at):
            return
        # From an even pixel to an even one: planes of half the size have one for four.
        x0, y0 = across.low_px & ~1, along.low_px & ~1
        shape = (across.high_px + 1 & ~1) - x0, (along.high_px + 1 & ~1) - y0
        covered = self._scratch.array("wiggles", shape, np.int16)
        covered[...] = 0
        part = covered[across.low_px - x0 :, along.low_px - y0 :]
        part = part[: across.high_px - across.low_px, : along.high_px - along.low_px]
        base_px = traces.base_px - across.low_px
        if not is_upright:  # the curves go up
            part, base_px = part[::-1], len(part) - base_px
        fill = _FILL_OVER_COLORS if state.display != "wiggle" else 1.0
        cover(
            part,
            trace_curves(
                deflections(data, state, traces, along), along, is_smooth=state.interpolate
            ),
            base_px,
            line_px=min(max(traces.spacing_px * _LINE_SHARE, _LINE_MIN_PX), _LINE_MAX_PX),
            fill=fill if state.wiggle_fill else 0.0,
            reach_px=state.wiggle_excursion * traces.spacing_px,
        )
        drawn = planes[:1] if is_grey and space != "rgb" else planes
        ink = covered.view(np.uint16)
        if is_upright:
            self._blend(drawn, ink.T, (x0, y0), space)
        else:
            self._blend(drawn, ink, (y0, x0), space)

    def _blend(
        self,
        planes: tuple[Plane, ...],
        covered: _Covered,
        corner: tuple[int, int],
        space: ColorSpace,
    ) -> None:
        """Mix ink into the planes, by 256ths that lie at `corner` (x, y) of the pane."""
        ink = components_of(INK, space)
        x, y = corner
        height, width = covered.shape
        for begin in range(0, height, _BLOCK_ROWS):
            n = min(_BLOCK_ROWS, height - begin)
            block = self._scratch.array("covered", (n, width), np.uint16)
            copy_plane(block, covered[begin : begin + n])
            if not block.any():
                continue
            top = y + begin
            _mix(planes[0][top : top + n, x : x + width], block, ink[0])
            left = x
            if len(planes) > 1 and space != "rgb":
                block, left, top = _halved(block), x // 2, top // 2
            for plane, component in zip(planes[1:], ink[1:], strict=False):
                part = plane[top : top + block.shape[0], left : left + block.shape[1]]
                _mix(part, block, component)


def paint_paper(
    planes: Planes, columns: Span, rows: Span, surround: Rgb, space: ColorSpace
) -> None:
    """Fill the planes with what lies under wiggles alone, and around the section."""
    paper = components_of(PAPER, space)
    for k, plane in enumerate(planes):
        x, y = (columns.halved(), rows.halved()) if k and space != "rgb" else (columns, rows)
        plane[...] = surround[k]
        plane[y.low_px : y.high_px, x.low_px : x.high_px] = paper[k]


def _halved(covered: _Covered) -> _Covered:
    """Mean of each four pixels."""
    halved = covered[::2, ::2] + covered[::2, 1::2]
    halved += covered[1::2, ::2]
    halved += covered[1::2, 1::2]
    halved >>= 2
    return halved


def _mix(part: Plane, covered: _Covered, ink: int) -> None:
    mixed = part * (ONE - covered)
    mixed += covered * np.uint16(ink)
    mixed += ONE // 2
    mixed >>= 8
    np.copyto(part, mixed, casting="unsafe")


def plan_traces(data: SliceData, view: SliceView, state: ViewState, *, is_upright: bool) -> Traces:
    """Choose every n-th trace of the volume, of those that reach into the pane."""
    placement, plane = view.placement, view.placement.plane
    if is_upright:
        begin_px, size_px, pane_px = placement.x0_px, placement.width_px, state.width_px
        n, is_flipped = placement.n_columns, plane.flip_x
    else:
        begin_px, size_px, pane_px = placement.y0_px, placement.height_px, state.height_px
        n, is_flipped = placement.n_rows, plane.flip_y
    trace_px = size_px / n
    step = wiggle_step(trace_px)
    numbers = np.arange(0, n, step)
    base_px: npt.NDArray[Any] = begin_px + (numbers + 0.5) * trace_px
    if is_flipped:
        base_px = 2 * begin_px + size_px - base_px
    # Traces are the first of the two axes of every upright slice and section.
    at = (numbers >> data.lod) - data.origin[0]
    reach_px = state.wiggle_excursion * step * trace_px + _LINE_MAX_PX
    is_drawn = (base_px > -reach_px) & (base_px < pane_px + reach_px)
    is_drawn &= (at >= 0) & (at < data.values.shape[0])
    return Traces(at[is_drawn].astype(np.intp), base_px[is_drawn], step * trace_px)


def deflections(data: SliceData, state: ViewState, traces: Traces, along: Span) -> Floats:
    """Deflections at the samples that are shown, shape (traces, samples), in screen order, px.

    Positive to the right, or up. NaN where there is no value.
    """
    # Samples are the last axis of the volume, and so the second one of every section.
    shown = data.values[:, along.start : along.start + along.count][traces.at]
    found: npt.NDArray[Any] = shown.astype(np.result_type(shown.dtype, np.float32))
    if along.is_flipped:
        found = found[:, ::-1]
    sign = -1.0 if state.wiggle_polarity == "reverse" else 1.0
    # A value of 1e38 in a window of 1e-30 overflows to infinity, which is cut as it should.
    with np.errstate(over="ignore"):
        found -= state.level
        found *= 2 / state.window
    np.clip(found, -1, 1, out=found)
    found *= sign * state.wiggle_excursion * traces.spacing_px
    return found.astype(np.float32, copy=False)
