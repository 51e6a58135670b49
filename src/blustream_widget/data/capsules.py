"""Voxels near some lines, found row by row: of a row, what is near one line is one run of voxels.

Asking each voxel of the block around a line takes several times as long. Here each row is solved
for its ends, and only what lies there is asked: rounding takes no other voxels than if all were.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.intp]
Mask: TypeAlias = npt.NDArray[np.bool_]

# Of a squared radius: more than rounding makes of it. What only touches is asked.
_SLACK = 1e-9
_TINY = 1e-12
# Of a voxel: more than rounding makes of where a run ends.
_MARGIN = 1e-6
_MOST_IN_8_BITS = 127  # lines over each other


class Capsules:
    """Lines with everything that is not farther than a radius from their nearest point.

    Parameters
    ----------
    begins, ends : ndarray, shape (n, 3)
        In voxel coordinates; a line may be a point.
    radius : float
        In the unit of `spacing`.
    spacing : ndarray, shape (3,)
        Distance of neighbouring voxels along each axis.
    """

    def __init__(self, begins: Floats, ends: Floats, radius: float, spacing: Floats) -> None:
        self._begins = begins
        self._along = (ends - begins) * spacing
        self._r2 = radius * radius
        self._spacing = spacing

    def mask(self, firsts: Ints, lasts: Ints) -> Mask:
        """Give the voxels near any line, of the block around all boxes.

        Parameters
        ----------
        firsts, lasts : ndarray, shape (n, 3)
            The box of each line, what is beside it is left out: first and one-past-last voxels.
        """
        low, high = firsts.min(axis=0), lasts.max(axis=0)
        shape = high - low
        axis = int(np.argmax(shape))  # along which the rows lie: the fewer the better
        lines, voxels = _rows(firsts, lasts, axis)
        first, last = self._rows_of(lines, voxels, axis).runs()
        first = np.maximum(first, firsts[lines, axis])
        last = np.minimum(last, lasts[lines, axis] - 1)
        is_run = first <= last
        dtype = np.int8 if len(firsts) <= _MOST_IN_8_BITS else np.int32
        counts = np.zeros(shape + (np.arange(3) == axis), dtype)
        steps = np.array(counts.strides) // counts.itemsize
        at = (steps @ (voxels - low[:, None]))[is_run]
        for ends, by in ((first, 1), (last + 1, -1)):
            np.add.at(counts.reshape(-1), at + ends[is_run] * steps[axis], dtype(by))
        np.add.accumulate(counts, axis=axis, dtype=dtype, out=counts)
        inside: Mask = counts[tuple(slice(n) for n in shape)] > 0
        return inside

    def _rows_of(self, lines: Ints, voxels: Ints, axis: int) -> _Rows:
        begins = self._begins.T[:, lines]
        offsets = (voxels - begins) * self._spacing[:, None]
        along = self._along.T[:, lines]
        return _Rows(axis, offsets, along, self._r2, begins[axis], float(self._spacing[axis]))


class _Rows:
    """Rows of voxels along one axis, each with a line that goes with it.

    Parameters
    ----------
    axis : int
    offsets, along : ndarray, shape (3, m)
        From the line's begin to the row, and to its end, in the unit of the radius.
    r2 : float
        The radius, squared.
    begins : ndarray, shape (m,)
        The line's begin along the axis, in voxels.
    size : float
        Of a voxel along it.
    """

    def __init__(
        self, axis: int, offsets: Floats, along: Floats, r2: float, begins: Floats, size: float
    ) -> None:
        u, v = (k for k in range(3) if k != axis)
        self._r2, self._begins, self._size = r2, begins, size
        self._across, self._beside = (offsets[u], offsets[v]), (along[u], along[v])
        self._along = along[axis]
        # Of everything along the row, what does not change there.
        self._apart2 = offsets[u] * offsets[u] + offsets[v] * offsets[v]
        self._dot = offsets[u] * along[u] + offsets[v] * along[v]
        self._slope = along[u] * along[u] + along[v] * along[v]
        # A point is a line that is not quite 0 long.
        self._length2 = np.maximum(self._slope + self._along**2, np.finfo(float).tiny)

    def are_near(self, at: Ints) -> Mask:
        """Say of one voxel in each row whether its centre is near."""
        c = (at - self._begins) * self._size
        dot = self._dot + c * self._along
        share = np.clip(dot / self._length2, 0.0, 1.0)
        apart2 = self._apart2 + c * c - (2.0 * dot - share * self._length2) * share
        near: Mask = apart2 <= self._r2
        return near

    def runs(self) -> tuple[Ints, Ints]:
        """First and last voxel that is near; the last before the first where none is."""
        low, high = self._reach()
        first, last = np.floor(low).astype(np.intp), np.ceil(high).astype(np.intp)
        # One step is what was rounded outwards, the other a difference that rounding makes.
        for _ in range(2):
            first += ~self.are_near(first)
            last -= ~self.are_near(last)
        return first, last

    def _reach(self) -> tuple[Floats, Floats]:
        """Where rows come near and go away, and a little more, in voxels; a row may never be."""
        d, length2, r2 = self._along, self._length2, self._r2
        low, high = np.full(d.shape, np.inf), np.full(d.shape, -np.inf)

        def take(first: Floats, last: Floats, where: Mask) -> None:
            np.minimum(low, first, out=low, where=where)
            np.maximum(high, last, out=high, where=where)

        # Balls around both ends.
        beyond2 = self._apart2 - 2.0 * self._dot + self._slope
        for middle, apart2 in ((0.0, self._apart2), (d, beyond2)):
            half = np.sqrt(np.maximum(r2 - apart2, 0.0))
            take(middle - half, middle + half, apart2 <= r2 * (1 + _SLACK) + _TINY)
        # Beside the line: squared distance times squared length is quadratic along the row.
        root2 = self._dot * self._dot + self._slope * (r2 - self._apart2)
        root = np.sqrt(length2 * np.maximum(root2, 0.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            first, last = ((self._dot * d + sign * root) / self._slope for sign in (-1, 1))
            near_begin, near_end = -self._dot / d, (length2 - self._dot) / d
        is_level = d == 0.0
        enters, leaves = np.minimum(near_begin, near_end), np.maximum(near_begin, near_end)
        enters[is_level], leaves[is_level] = -np.inf, np.inf
        is_beside = ~is_level | ((self._dot >= 0.0) & (self._dot <= length2))
        is_beside &= (self._slope > 0.0) & (root2 >= -_SLACK * self._slope * r2)
        first, last = np.fmax(first, enters), np.fmin(last, leaves)
        take(first, last, is_beside & (first <= last))
        is_never = low > high
        low[is_never], high[is_never] = 1.0, 0.0
        begins, margin = self._begins, _MARGIN
        return low / self._size + begins - margin, high / self._size + begins + margin


def _rows(firsts: Ints, lasts: Ints, axis: int) -> tuple[Ints, Ints]:
    """Give each row of boxes: number of the box, and its voxel at 0 of `axis`, shape (3, m)."""
    u, v = (k for k in range(3) if k != axis)
    sides = lasts - firsts
    n_rows = sides[:, u] * sides[:, v]
    lines = np.repeat(np.arange(len(firsts)), n_rows)
    number = np.arange(len(lines)) - np.repeat(np.cumsum(n_rows) - n_rows, n_rows)
    voxels = np.zeros((3, len(lines)), np.intp)
    voxels[u], voxels[v] = np.divmod(number, sides[lines, v])
    voxels[u] += firsts[lines, u]
    voxels[v] += firsts[lines, v]
    return lines, voxels
