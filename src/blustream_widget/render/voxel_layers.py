"""Labels and values blended into the colours of a slice's voxels, before these are scaled.

A slice has a quarter of the voxels that a picture has pixels, or less: in motion, layers whose
voxels are about as large as the slice's cost a fraction of what they cost pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples
from blustream_widget.render.fill import HALF, OPAQUE, Alphas, Cells
from blustream_widget.render.levels import Entries
from blustream_widget.render.resample import resample, taps_at
from blustream_widget.render.scratch import Scratch, whole_rows
from blustream_widget.render.span import Span
from blustream_widget.render.tables import ColorTable

# Of a pixel: spans nearer than this are the same.
_SAME_PX = 1e-6
# Voxels of another grid may be this many times smaller than the slice's, and these so large: what
# is off by half a voxel of the slice is then off by one and a half pixels.
_FINEST = 0.5
_LARGEST_PX = 3.0
# A block of rows stays in the cache while it is blended.
_BLOCK_ROWS = 32

_Lanes = npt.NDArray[np.uint64]
"""Four components of 16 bits."""


@dataclass(frozen=True, slots=True)
class VoxelLayer:
    """Something that lies over a slice, at the slice's own voxels.

    Parameters
    ----------
    cells : ndarray, shape (rows, columns), uint8 or uint16
        Entries of `colors`, as they lie on the screen; 0 is what is clear.
    colors : ndarray, shape (n, 3), uint8
        Components by entry.
    alphas : ndarray, shape (n,), uint16
        Opacities by entry.
    """

    cells: Cells
    colors: npt.NDArray[np.uint8]
    alphas: Alphas


def can_lie_on(own: Span, under: Span) -> bool:
    """Whether voxels of a layer can be drawn as those of the slice under it, along one axis."""
    is_near = under.step_px <= _LARGEST_PX and own.step_px >= _FINEST * under.step_px
    return is_near or _is_same(own, under)


def _is_same(own: Span, under: Span) -> bool:
    return (
        own.count == under.count
        and abs(own.first_px - under.first_px) < _SAME_PX
        and abs(own.step_px - under.step_px) * own.count < _SAME_PX
    )


class Landing:
    """Where the voxels of a slice lie among those of a layer over it.

    Parameters
    ----------
    columns, rows : Span
        Of the layer.
    under_columns, under_rows : Span
        Of the slice.
    """

    def __init__(self, columns: Span, rows: Span, under_columns: Span, under_rows: Span) -> None:
        pairs = ((columns, under_columns), (rows, under_rows))
        self.own = (columns, rows)
        self._pairs = [None if _is_same(*pair) else pair for pair in pairs]

    @property
    def is_same(self) -> bool:
        """Both have the same voxels."""
        return self._pairs == [None, None]

    def nearest(self, values: Samples) -> Samples:
        """Take for each voxel of the slice the one that its centre lies in; at first of `own`."""
        for axis, pair in zip((1, 0), self._pairs, strict=True):
            if pair is not None:
                values = values.take(_voxels(*pair), axis=axis, mode="clip")
        return values

    def linear(self, values: Samples) -> Samples:
        """Interpolate linearly at the centre of each voxel of the slice."""
        if self.is_same:
            return values
        columns, rows = (pair and taps_at(*pair) for pair in self._pairs)
        # In the order of memory of the values, which is mostly that of the slice's own.
        if abs(values.strides[0]) < abs(values.strides[1]):
            return resample(values.T, rows, columns).T
        return resample(values, columns, rows)

    def clear_beyond(self, cells: Cells) -> None:
        """Set cells of the slice to 0 where nothing of the layer lies."""
        for turned, pair in zip((cells.T, cells), self._pairs, strict=True):
            if pair is not None:
                voxels = _voxels(*pair)
                turned[(voxels < 0) | (voxels >= pair[0].count)] = 0


def _voxels(own: Span, under: Span) -> npt.NDArray[np.intp]:
    """For each voxel of `under` the one of `own` that its centre lies in, or would lie in."""
    found: npt.NDArray[np.intp] = np.floor((under.centres_px - own.first_px) / own.step_px).astype(
        np.intp
    )
    return found


class LayerBlender:
    """Looks up the colours of voxels and blends layers into them; one thread.

    Parameters
    ----------
    scratch : Scratch

    Notes
    -----
    By the formula of `Filler`. Its products have 16 bits.
    """

    def __init__(self, scratch: Scratch) -> None:
        self._scratch = scratch

    def blend(
        self,
        entries: Entries,
        table: ColorTable,
        layers: Sequence[VoxelLayer],
        *,
        into: Scratch | None = None,
    ) -> npt.NDArray[np.uint32]:
        """Give the packed colours of voxels with layers over them.

        Parameters
        ----------
        entries : ndarray, shape (rows, columns), intp
            Of `table`; padded, or such an array transposed.
        table : ColorTable
        layers : sequence of VoxelLayer
            The lowest first.
        into : Scratch, optional
            What the result lies in; default: the blender's own.

        Returns
        -------
        ndarray, shape (rows, columns), uint32
            Packed as those of `table`; padded or transposed, of the scratch.
        """
        cells = [layer.cells for layer in layers]
        into = into or self._scratch
        if entries.strides[0] < entries.strides[1]:
            return self._blended(entries.T, table, layers, [c.T for c in cells], into).T
        return self._blended(entries, table, layers, cells, into)

    def _blended(
        self,
        entries: Entries,
        table: ColorTable,
        layers: Sequence[VoxelLayer],
        cells: Sequence[Cells],
        into: Scratch,
    ) -> npt.NDArray[np.uint32]:
        n_rows, n_columns = entries.shape
        found = into.padded("packed", (n_rows, n_columns), np.uint32)
        bases = _lanes(table.packed.view(np.uint8).reshape(-1, 4))
        terms = [_terms(layer, table) for layer in layers]
        factors = [_factors(layer) for layer in layers]
        whole = whole_rows(entries)
        for first in range(0, n_rows, _BLOCK_ROWS):
            rows = slice(first, min(first + _BLOCK_ROWS, n_rows))
            n = rows.stop - first
            base = self._scratch.array("voxel colors", (n, whole.shape[1]), np.uint64)
            np.take(bases, whole[rows], out=base, mode="wrap")  # which turns -1 into the last
            base = base[:, :n_columns]
            for factor, term, cell in zip(factors, terms, cells, strict=True):
                self._lay(base, factor, term, cell[rows])
            packed = found[rows].view(np.uint8)
            np.copyto(packed, base.view(np.uint16), casting="unsafe")
        return found

    def _lay(self, base: _Lanes, factors: _Lanes | np.uint16, terms: _Lanes, cells: Cells) -> None:
        index = self._scratch.array("cell index", cells.shape, np.intp)
        np.copyto(index, cells)
        term = self._scratch.array("cell terms", cells.shape, np.uint64)
        np.take(terms, index, out=term, mode="clip")
        mixed = self._scratch.array("mixed", cells.shape, np.uint64)
        lanes: npt.NDArray[Any] = mixed.view(np.uint16)
        if isinstance(factors, np.ndarray):
            np.take(factors, index, out=mixed, mode="clip")
            lanes *= base.view(np.uint16)
        else:  # which spares a look-up of each voxel
            np.multiply(base.view(np.uint16), factors, out=lanes)
        lanes += term.view(np.uint16)
        lanes >>= 8
        np.copyto(base, mixed, where=index != 0)


def _lanes(components: npt.NDArray[Any]) -> _Lanes:
    """Four components each, side by side in one number."""
    return np.ascontiguousarray(components, np.uint16).view(np.uint64).ravel()


def _terms(layer: VoxelLayer, table: ColorTable) -> _Lanes:
    components = np.zeros((len(layer.colors), 4), np.uint16)
    components[:, table.byte_of] = layer.colors
    return _lanes(components * layer.alphas[:, None] + np.uint16(HALF))


def _factors(layer: VoxelLayer) -> _Lanes | np.uint16:
    """Give what is left of the colours below, by entry; one number if it is always the same."""
    factors = np.uint16(OPAQUE) - layer.alphas
    if (factors[1:] == factors[-1]).all():  # the first is for what is clear
        return np.uint16(factors[-1])
    return _lanes(np.repeat(factors[:, None], 4, axis=1))
