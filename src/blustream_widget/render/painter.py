"""From table entries of the shown voxels to the planes of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from blustream_widget.render.kept_colors import Base, Box, Kept, KeptColors
from blustream_widget.render.levels import Entries
from blustream_widget.render.scale import PackedScaler, Plane, Planes, PlaneScaler, copy_plane
from blustream_widget.render.scale_part import draw_part
from blustream_widget.render.scratch import Scratch, whole_rows
from blustream_widget.render.span import Span
from blustream_widget.render.tables import ColorTable
from blustream_widget.render.voxel_layers import VoxelLayer

T = TypeVar("T", bound=np.generic)
_Packed: TypeAlias = npt.NDArray[np.uint32]

_NEUTRAL = 128  # chroma of grey
# Of all voxels: so few are drawn sooner by themselves.
_PART = 1 / 8


@dataclass(frozen=True, slots=True)
class Painted:
    """What the planes of a picture hold, until something else is drawn there.

    Parameters
    ----------
    kept : Kept
    n_repairs : int
        Of it, when it was drawn.
    shape : tuple of int
        Of the first plane.
    is_smooth : bool
    drawn : tuple of two slices each, or None
        Rows and columns of the first plane that alone were drawn for it; None: all of it was.
    """

    kept: Kept
    n_repairs: int
    shape: tuple[int, ...]
    is_smooth: bool
    drawn: tuple[Box, ...] | None = None


class Painter:
    """Looks colours up and scales them onto the pane; one thread.

    Parameters
    ----------
    scratch : Scratch
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch
        self._planes = (PlaneScaler(), PlaneScaler(), PlaneScaler())
        self._packed = PackedScaler()
        self._kept = KeptColors(scratch)

    def paint(
        self,
        base: Base,
        planes: Planes,
        *,
        columns: Span,
        rows: Span,
        is_smooth: bool,
        layers: Sequence[VoxelLayer] = (),
        before: Painted | None = None,
        margin_px: int = 0,
    ) -> Painted | None:
        """Fill all planes of a picture.

        Parameters
        ----------
        base : Base
            The slice, of `rows.count` and `columns.count`. Its entries are padded, or such an array
            transposed.
        planes : three ndarray, uint8
            Of the pane; the second and third of half its size if the table is subsampled.
        columns, rows : Span
            Of the first plane.
        is_smooth : bool
        layers : sequence of VoxelLayer
            Over the voxels, the lowest first.
        before : Painted or None
            What the planes hold: then only what is other is drawn, if that can be known.
        margin_px : int
            Pixels around that which are drawn too.

        Returns
        -------
        Painted or None
            What they hold now; None where nothing will come of knowing it.
        """
        table = base.table
        kept = self._kept.blend(base, layers) if layers else None
        painted = None
        if kept is not None:
            painted = Painted(kept, kept.n_repairs, planes[0].shape, is_smooth)
            if before is not None:
                drawn = _draw_change(before, painted, planes, columns, rows, margin_px)
                if drawn is not None:
                    return replace(painted, drawn=drawn)
        halves = (columns.halved(), rows.halved()) if table.is_subsampled else (columns, rows)
        spans = ((columns, rows), halves, halves)
        for plane, component, (x, y) in zip(planes, table.surround, spans, strict=True):
            _fill_outside(plane, component, x, y)
        if table.is_grey and not layers:
            grey = self._look_up(table.first, base.entries_of(base.values), "grey")
            for plane, (x, y) in zip(planes[1:], spans[1:], strict=True):
                plane[y.low_px : y.high_px, x.low_px : x.high_px] = _NEUTRAL
            self._planes[0].draw(grey, planes[0], columns=columns, rows=rows, is_smooth=is_smooth)
            return None
        if kept is not None:
            colors = kept.colors
        else:
            colors = self._look_up(table.packed, base.entries_of(base.values), "packed")
        if is_smooth and table.is_subsampled:
            self._packed.draw(colors, planes, columns=columns, rows=rows)
        else:
            self._paint_apart(colors, table, planes, spans, is_smooth=is_smooth)
        return painted

    def _look_up(self, table: npt.NDArray[T], entries: Entries, name: str) -> npt.NDArray[T]:
        if entries.strides[0] < entries.strides[1]:
            return self._look_up(table, entries.T, name).T
        found = self._scratch.padded(name, (entries.shape[0], entries.shape[1]), table.dtype.type)
        # "wrap" needs no check of the bounds and turns -1 into the last entry.
        np.take(table, whole_rows(entries), out=whole_rows(found), mode="wrap")
        return found

    def _paint_apart(
        self,
        colors: _Packed,
        table: ColorTable,
        planes: Planes,
        spans: tuple[tuple[Span, Span], ...],
        *,
        is_smooth: bool,
    ) -> None:
        # Turning all components at once: 0.45 instead of 0.65 ms for 512 x 512 voxels.
        upright = self._scratch.array("upright", colors.shape, np.uint32)
        copy_plane(upright, colors)
        components = upright.view(np.uint8).reshape(*upright.shape, 4)
        for scaler, plane, byte, (x, y) in zip(
            self._planes, planes, table.byte_of, spans, strict=True
        ):
            scaler.draw(components[..., byte], plane, columns=x, rows=y, is_smooth=is_smooth)


def _draw_change(
    before: Painted, now: Painted, planes: Planes, columns: Span, rows: Span, margin_px: int
) -> tuple[Box, ...] | None:
    """Bring planes from what they hold to what they shall hold, if a small part is to be drawn.

    Returns
    -------
    tuple of two slices each, or None
        Rows and columns of the first plane that were drawn; None: it is left to be drawn whole.
    """
    kept, n_new = now.kept, now.n_repairs - before.n_repairs
    if replace(before, n_repairs=now.n_repairs, drawn=None) != now or n_new > 1:
        return None
    if n_new == 0:
        return ()
    table = kept.base.table
    if not now.is_smooth or not table.is_subsampled:
        return None
    n_voxels = sum(kept.colors[box].size for box in kept.repaired)
    if n_voxels > _PART * kept.colors.size:
        return None
    spans = {"columns": columns, "rows": rows}
    drawn = [
        draw_part(kept.colors, planes, table.byte_of, box=box, margin_px=margin_px, **spans)
        for box in kept.repaired
    ]
    return tuple(part for part in drawn if part[0].stop and part[1].stop)


def _fill_outside(plane: Plane, component: int, columns: Span, rows: Span) -> None:
    plane[: rows.low_px] = component
    plane[rows.high_px :] = component
    between = plane[rows.low_px : rows.high_px]
    between[:, : columns.low_px] = component
    between[:, columns.high_px :] = component
