"""Colours of voxels under layers, kept: after an edit of labels only what it touched is made anew.

A stroke touches some thousand of a million voxels: looking for them by comparing the layers' cells
with those that were drawn takes a twentieth of colouring and blending all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples
from blustream_widget.render.fill import Cells
from blustream_widget.render.levels import Entries
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.tables import ColorTable
from blustream_widget.render.voxel_layers import LayerBlender, VoxelLayer

Packed: TypeAlias = npt.NDArray[np.uint32]
Box: TypeAlias = tuple[slice, slice]
"""Rows and columns."""
EntriesOf: TypeAlias = Callable[[Samples], Entries]
"""Gives table entries of values, each from its value alone."""

# Of all that is kept, at five bytes or six for each: some panes in motion and at rest.
_MOST_VOXELS = 1 << 22
# A stroke lies across the box around it: bands of that hold fewer voxels.
_BANDS = 4
_WORTH_BANDS = 0.75


@dataclass(frozen=True, slots=True)
class Base:
    """What is under the layers.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
        As they lie on the screen.
    entries_of : callable
    table : ColorTable
    data : object
        What they are of: the very same object while they are the same.
    look : tuple
        Equal to another's if both show the same of it, with the same entries.
    """

    values: Samples
    entries_of: EntriesOf
    table: ColorTable
    data: object
    look: tuple[Any, ...]


@dataclass(slots=True, eq=False)
class Kept:
    """Colours of voxels, and how they became what they are.

    Parameters
    ----------
    base : Base
    layers : tuple of VoxelLayer
        Their cells are copies: a user's array may change in place.
    colors : ndarray, shape (rows, columns), uint32
    scratch : Scratch
        What all of that lies in.
    n_repairs : int
        Grows by one when a part is made anew.
    repaired : tuple of two slices each
        Rows and columns of what that was the last time.
    """

    base: Base
    layers: tuple[VoxelLayer, ...]
    colors: Packed
    scratch: Scratch = field(default_factory=Scratch)
    n_repairs: int = 0
    repaired: tuple[Box, ...] = ()


class KeptColors:
    """Gives the colours of voxels under layers; one thread.

    Parameters
    ----------
    scratch : Scratch
    """

    def __init__(self, scratch: Scratch) -> None:
        self._blender = LayerBlender(scratch)
        self._kept: dict[tuple[Any, ...], Kept] = {}

    def blend(self, base: Base, layers: Sequence[VoxelLayer]) -> Kept:
        """Give packed colours, as `LayerBlender.blend`; valid until the next call.

        It is the very same object as before if only a part, or nothing, was made anew.
        """
        place = (base.values.shape, base.values.strides, base.table.byte_of)
        kept = self._kept.pop(place, None)
        boxes = None if kept is None else _changed_boxes(kept, base, layers)
        if kept is None or boxes is None:
            kept = self._made(base, layers, Scratch() if kept is None else kept.scratch)
        elif boxes:
            for box in boxes:
                self._repair(kept, base, layers, box)
            kept.n_repairs += 1
            kept.repaired = boxes
        self._kept[place] = kept
        while len(self._kept) > 1 and self._n_voxels > _MOST_VOXELS:
            self._kept.pop(next(iter(self._kept)))
        return kept

    @property
    def _n_voxels(self) -> int:
        return sum(kept.colors.size for kept in self._kept.values())

    def _made(self, base: Base, layers: Sequence[VoxelLayer], scratch: Scratch) -> Kept:
        entries = base.entries_of(base.values)
        colors = self._blender.blend(entries, base.table, layers, into=scratch)
        copies = tuple(
            VoxelLayer(_copy(layer.cells, base.values, scratch, n), layer.colors, layer.alphas)
            for n, layer in enumerate(layers)
        )
        return Kept(base, copies, colors, scratch)

    def _repair(self, kept: Kept, base: Base, layers: Sequence[VoxelLayer], box: Box) -> None:
        parts = [VoxelLayer(one.cells[box], one.colors, one.alphas) for one in layers]
        entries = base.entries_of(base.values[box])
        kept.colors[box] = self._blender.blend(entries, base.table, parts)
        for old, new in zip(kept.layers, parts, strict=True):
            old.cells[box] = new.cells


def _changed_boxes(kept: Kept, base: Base, layers: Sequence[VoxelLayer]) -> tuple[Box, ...] | None:
    """Rows and columns of all that is other than it was; None where that may be anything."""
    before = kept.base
    is_same = base.data is before.data and base.table is before.table and base.look == before.look
    if not is_same or len(layers) != len(kept.layers):
        return None
    boxes: tuple[Box, ...] = ()
    for old, new in zip(kept.layers, layers, strict=True):
        is_alike = np.array_equal(old.colors, new.colors) and np.array_equal(old.alphas, new.alphas)
        if not is_alike or old.cells.dtype != new.cells.dtype:
            return None
        boxes += _boxes_of(old.cells, new.cells)
    return boxes


def _boxes_of(old: Cells, new: Cells) -> tuple[Box, ...]:
    """Rows and columns of some boxes that hold all cells that differ; there may be none."""
    if old.strides[0] < old.strides[1]:
        return tuple((rows, columns) for columns, rows in _boxes_of(old.T, new.T))
    n_joined = _n_joined(old, new)
    differs = old.view(np.uint64) != new.view(np.uint64) if n_joined > 1 else old != new
    at = np.flatnonzero(differs)  # a tenth of what looking at rows and columns takes
    if not at.size:
        return ()
    rows, columns = np.divmod(at, differs.shape[1])
    first, last = int(rows[0]), int(rows[-1]) + 1
    edges = [first + (last - first) * k // _BANDS for k in range(_BANDS + 1)]
    cuts = np.searchsorted(rows, edges).tolist()
    bands = [
        (slice(edges[k], edges[k + 1]), _span_of(columns[cuts[k] : cuts[k + 1]], n_joined))
        for k in range(_BANDS)
        if cuts[k] < cuts[k + 1]
    ]
    whole = (slice(first, last), _span_of(columns, n_joined))
    n_cells = sum(_n_cells(band) for band in bands)
    return tuple(bands) if n_cells < _WORTH_BANDS * _n_cells(whole) else (whole,)


def _n_joined(old: Cells, new: Cells) -> int:
    """How many cells can be compared as one number."""
    n = np.dtype(np.uint64).itemsize // old.itemsize
    can_be = old.shape[1] % n == 0 and all(one.strides[1] == one.itemsize for one in (old, new))
    return n if can_be else 1


def _span_of(columns: npt.NDArray[np.intp], n_joined: int) -> slice:
    return slice(int(columns.min()) * n_joined, (int(columns.max()) + 1) * n_joined)


def _n_cells(box: Box) -> int:
    rows, columns = (int(side.stop - side.start) for side in box)
    return rows * columns


def _copy(cells: Cells, like: Samples, scratch: Scratch, n: int) -> Cells:
    """Copy cells in the order of memory of the values under them, as those of edited labels have.

    Not in their own: where nobody has painted yet, they have none.
    """
    if abs(like.strides[0]) < abs(like.strides[1]):
        return _copy(cells.T, like.T, scratch, n).T
    copy = scratch.array(f"cells {n}", cells.shape, cells.dtype.type)
    np.copyto(copy, cells)
    return copy
