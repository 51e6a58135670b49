"""Values over a drawn slice, in colours of their own: an overlay, as its look says."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from blustream_widget.core.geometry import Placement
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Samples
from blustream_widget.render.fill import Cells, Filler, same_alphas, trimmed
from blustream_widget.render.layers import LayerView, Overlay, by_row, layer_spans
from blustream_widget.render.levels import window_steps
from blustream_widget.render.resample import interpolated
from blustream_widget.render.scale import Planes, copy_plane
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.section_layers import is_on, point_of
from blustream_widget.render.span import Span, upright
from blustream_widget.render.tables import ColorSpace, color_table
from blustream_widget.render.voxel_layers import Landing, VoxelLayer

# In motion, voxels up to this size are drawn as they are; larger ones get values in between.
_LARGE_VOXEL_PX = 2.0
# Of a voxel: nearer ones are the same place.
_SAME_PLACE = 1e-3


class ValuePainter:
    """Draws overlays over the planes of a picture; one thread.

    Parameters
    ----------
    scratch : Scratch

    Notes
    -----
    The values are interpolated first, as those of the slice are, then each gets its colour or is
    clear, then it is blended as `Filler` says. In motion they are interpolated less finely.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._filler = Filler(scratch)

    def paint(
        self,
        overlay: Overlay,
        look: OverlayLook,
        placement: Placement,
        state: ViewState,
        planes: Planes,
        space: ColorSpace,
    ) -> None:
        """Draw an overlay where the slice lies, over what is there.

        Parameters
        ----------
        overlay : Overlay
        look : OverlayLook
            Of it.
        placement : Placement
            Of the shown volume's slice.
        state : ViewState
            Of one pane.
        planes : three ndarray, uint8
            Of the pane; the second and third of half its size, unless `space` is "rgb".
        space : ColorSpace
        """
        columns, rows = layer_spans(overlay, placement, state)
        if look.mode == "swipe":
            columns, rows = _beyond_divider(look, state, columns, rows)
        if columns is None or rows is None:
            return
        values = upright(by_row(overlay, values_of(overlay), placement), columns, rows)
        if state.interpolate:
            largest_px = 0.0 if space == "rgb" else _LARGE_VOXEL_PX
            values, columns, rows = interpolated(values, columns, rows, largest_px)
        cells = self._upright(self._cells(values, look))
        if not cells.any():
            return
        columns, rows, cells = trimmed(columns, rows, cells)
        colors = _colors(look, space)
        self._filler.fill(
            planes,
            cells,
            colors,
            same_alphas(look.opacity, len(colors)),
            columns,
            rows,
            is_halved=space != "rgb",
            tile_px=_tile_px(look, state) if look.mode == "checkerboard" else 0,
        )

    def on_voxels(
        self,
        overlay: Overlay,
        look: OverlayLook,
        placement: Placement,
        state: ViewState,
        space: ColorSpace,
        landing: Landing,
    ) -> VoxelLayer:
        """Give the values at the voxels of the slice; of another grid, linear or the nearest."""
        values = upright(by_row(overlay, values_of(overlay), placement), *landing.own)
        values = landing.linear(values) if state.interpolate else landing.nearest(values)
        cells = self._cells(values, look)
        landing.clear_beyond(cells)
        colors = _colors(look, space)
        return VoxelLayer(cells, colors, same_alphas(look.opacity, len(colors)))

    def _cells(self, values: Samples, look: OverlayLook) -> Cells:
        """Entries of the table of colours; 0 where there is no value, or one that is clear.

        In the order of memory of the values.
        """
        # A pass over a transposed array takes several times as long.
        if abs(values.strides[0]) < abs(values.strides[1]):
            return self._cells(values.T, look).T
        steps = window_steps(values, window=look.window, level=look.level, scratch=self._scratch)
        cells = np.add(steps, 1, dtype=np.int16).view(np.uint16)
        if look.threshold is not None:
            amount = np.abs(values) if look.two_sided else values
            cells *= np.greater_equal(amount, look.threshold)
        return cells

    def _upright(self, cells: Cells) -> Cells:
        """Give the same in the order of the screen's memory."""
        if abs(cells.strides[0]) >= abs(cells.strides[1]):
            return cells
        turned = self._scratch.array("turned cells", cells.shape, np.uint16)
        copy_plane(turned, cells)
        return turned


def values_of(overlay: Overlay) -> Samples:
    """Give the values in the shown slice, between two of the overlay's own where it lies there."""
    near = overlay.data.values
    if overlay.beyond is None:
        return near
    kind = np.result_type(near.dtype, np.float32).type
    share = overlay.view.share
    first, second = near.astype(kind, copy=False), overlay.beyond.values.astype(kind, copy=False)
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values
        between: npt.NDArray[np.floating] = first + (second - first) * kind(share)
    missing = np.isnan(between)
    if missing.any():  # the nearer one decides whether there is a value, and which
        between[missing] = (first if share < 0.5 else second)[missing]
    return between


def value_at(overlay: Overlay, voxel: tuple[int, int, int]) -> float | None:
    """Value that is drawn at a voxel of the shown volume, at the level that is drawn.

    Parameters
    ----------
    overlay : Overlay
    voxel : tuple of int
        In the shown slice.

    Returns
    -------
    float or None
        None where there is none, or where it is not here yet.
    """
    view, data = overlay.view, overlay.data
    if view.section is not None:
        return point_of(view, data, voxel)
    places = [0.0, 0.0, 0.0]
    for axis in range(3):
        place = view.alignment.there(axis, voxel[axis])
        there = view.alignment.axes[axis]
        if not -0.5 <= place < view.shape[there] - 0.5:
            return None
        places[there] = (place + 0.5) / (1 << data.lod) - 0.5
    across = [places[axis] for axis in range(3) if axis != view.axis]
    at = [place - origin for place, origin in zip(across, data.origin, strict=True)]
    if any(not -0.5 <= a < n - 0.5 for a, n in zip(at, data.values.shape, strict=True)):
        return None
    (a0, a1, share_a), (b0, b1, share_b) = (
        _between(a, n) for a, n in zip(at, data.values.shape, strict=True)
    )
    corners = values_of(_part(overlay, (a0, a1), (b0, b1))).astype(float)
    along_a = corners[0] + (corners[-1] - corners[0]) * share_a
    value = float(along_a[0] + (along_a[-1] - along_a[0]) * share_b)
    return value if math.isfinite(value) else None


def is_in_slice(view: LayerView, voxel: tuple[int, int, int]) -> bool:
    """Whether a voxel of the shown volume lies in the slice or section that was planned for."""
    if view.shown is not None:
        return is_on(view.shown, voxel)
    axis = view.alignment.axes.index(view.axis)
    place = view.alignment.there(axis, voxel[axis])
    if view.alignment.is_same_grid:
        return voxel[axis] == view.slice_idx
    last = (view.shape[view.axis] - 1) >> view.lod
    wanted = min(max((place + 0.5) / (1 << view.lod) - 0.5, 0.0), float(last))
    return abs((view.slice_idx >> view.lod) + view.share - wanted) < _SAME_PLACE


def _part(overlay: Overlay, a: tuple[int, int], b: tuple[int, int]) -> Overlay:
    """Give the voxels from one corner to another, both included."""
    cut = slice(a[0], a[1] + 1), slice(b[0], b[1] + 1)
    beyond = overlay.beyond
    return dataclasses.replace(
        overlay,
        data=dataclasses.replace(overlay.data, values=overlay.data.values[cut]),
        beyond=beyond and dataclasses.replace(beyond, values=beyond.values[cut]),
    )


def _between(place: float, n: int) -> tuple[int, int, float]:
    """Voxels on both sides of a place, and the share of the second."""
    place = min(max(place, 0.0), n - 1.0)
    first = math.floor(place)
    share = place - first
    return first, first + 1 if share > 0 else first, share


def _beyond_divider(
    look: OverlayLook, state: ViewState, columns: Span | None, rows: Span | None
) -> tuple[Span | None, Span | None]:
    """Cut off what lies left of the divider, or above it."""
    if look.divider == "vertical":
        return _cut(columns, _divider_px(look.split, state.width_px)), rows
    return columns, _cut(rows, _divider_px(look.split, state.height_px))


def _divider_px(split: float, size_px: int) -> int:
    """First pixel beyond the divider; even, so that planes of half the size have the same edge."""
    return 2 * math.floor(split * size_px / 2 + 0.5)


def _cut(span: Span | None, begin_px: int) -> Span | None:
    if span is None or span.high_px <= begin_px:
        return None
    return dataclasses.replace(span, begin_px=max(span.begin_px, float(begin_px)))


def _tile_px(look: OverlayLook, state: ViewState) -> int:
    side_px = min(state.width_px, state.height_px)
    return max(2 * math.floor(side_px / look.tiles / 2 + 0.5), 2)


def _colors(look: OverlayLook, space: ColorSpace) -> npt.NDArray[np.uint8]:
    """Components by entry, shape (n, 3); the first is for what is clear."""
    table = color_table(look.colormap, reverse=look.reverse, space=space)
    components = table.packed.view(np.uint8).reshape(-1, 4)[:, table.byte_of]
    return np.concatenate([components[-1:], components])
