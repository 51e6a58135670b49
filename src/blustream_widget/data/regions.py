"""Which voxels an annotation encloses: those whose centre is inside."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from blustream_widget.core.annotation import Annotation, plane_through
from blustream_widget.core.measures import across_of, check_simple
from blustream_widget.errors import AnnotationError

Mask = npt.NDArray[np.bool_]
Shape = tuple[int, int, int]

MAX_REGION_VOXELS = 32 * 2**20
"""Of the block around a region: 128 MB of float32, beside the cache of bricks."""


class VoxelRegion:
    """Voxels inside a rectangle, ellipse, polygon, closed freehand line or box.

    Of an outline that lies across no axis: seen along the axis that its plane lies across most,
    each column of voxels whose centre is inside has one, that which is nearest to the plane.

    Parameters
    ----------
    item : Annotation
    shape : tuple of int
        Of the volume.

    Attributes
    ----------
    lower, upper : tuple of int
        Block around it, half open; empty when no centre is inside.
    mask : ndarray of bool or None
        Of the block; None: all of it is inside.

    Raises
    ------
    AnnotationError
        It is too large, crosses itself, or encloses nothing by its kind.
    """

    def __init__(self, item: Annotation, shape: Shape) -> None:
        if not item.is_region:
            raise AnnotationError(
                f"A {item.kind} encloses no voxels.", hint="Draw a rectangle or a polygon."
            )
        lower, upper = _block(item, shape)
        n_voxels = math.prod(max(0, u - v) for v, u in zip(lower, upper, strict=True))
        if n_voxels > MAX_REGION_VOXELS:
            raise AnnotationError(
                f"A region of {n_voxels:,} voxels is too large to be measured.",
                hint=f"At most {MAX_REGION_VOXELS:,}.",
            )
        self.lower, self.upper = lower, upper
        self.n_voxels = n_voxels
        self.mask = None if item.kind in ("rectangle", "box") else self._mask(item, shape)

    def inside(self, lower: Shape, upper: Shape) -> Mask | None:
        """Mask of a part of the block; None: all of it is inside."""
        if self.mask is None:
            return None
        part = tuple(
            slice(v - origin, u - origin)
            for v, u, origin in zip(lower, upper, self.lower, strict=True)
        )
        found: Mask = self.mask[part]
        return found

    def _mask(self, item: Annotation, shape: Shape) -> Mask:
        if item.axis is None:
            return self._mask_in_space(item, shape)
        axes = [axis for axis in range(3) if axis != item.axis]
        outline = np.asarray(item.points, float)[:, axes]
        low = [self.lower[axis] for axis in axes]
        high = [max(self.upper[axis], self.lower[axis]) for axis in axes]
        if item.kind == "ellipse":
            plane = _ellipse_mask(outline, low, high)
        else:
            check_simple(outline)
            plane = polygon_mask(outline, low, high)
        return np.expand_dims(plane, item.axis)

    def _mask_in_space(self, item: Annotation, shape: Shape) -> Mask:
        """Voxels of an outline across no axis: along the axis it lies across most, the nearest."""
        points = np.asarray(item.points, float)
        across = across_of(points)
        axes = [axis for axis in range(3) if axis != across]
        outline = points[:, axes]
        check_simple(outline)
        low = [self.lower[axis] for axis in axes]
        high = [max(self.upper[axis], self.lower[axis]) for axis in axes]
        plane = polygon_mask(outline, low, high)
        normal, middle = plane_through(item.points)
        u, v = np.nonzero(plane)
        offset = (u + low[0] - middle[axes[0]]) * normal[axes[0]]
        offset += (v + low[1] - middle[axes[1]]) * normal[axes[1]]
        at = np.floor(middle[across] - offset / normal[across] + 0.5).astype(int)
        # Of a plane along a face of the volume, the outermost voxels.
        at = at.clip(0, shape[across] - 1) - self.lower[across]
        size = [max(0, u - v) for v, u in zip(self.lower, self.upper, strict=True)]
        mask: Mask = np.zeros(size, bool)
        is_in = (at >= 0) & (at < size[across])
        place: list[npt.NDArray[np.intp]] = [u[is_in], v[is_in]]
        place.insert(across, at[is_in])
        mask[tuple(place)] = True
        return mask


def _block(item: Annotation, shape: Shape) -> tuple[Shape, Shape]:
    points = np.asarray(item.points, float)
    lower = np.ceil(points.min(axis=0)).astype(int)
    upper = np.floor(points.max(axis=0)).astype(int) + 1
    if item.axis is not None and item.is_flat:
        # The section that it was drawn on, wherever between two it lies.
        across, n = points[0, item.axis], shape[item.axis]
        lower[item.axis] = min(math.floor(across + 0.5), n - 1 if across <= n - 0.5 else n)
        upper[item.axis] = lower[item.axis] + 1
    elif item.is_flat:
        # The voxels nearest to a plane lie up to half a voxel beside it.
        lower, upper = lower - 1, upper + 1
    lower, upper = np.clip(lower, 0, shape), np.clip(upper, 0, shape)
    return (
        (int(lower[0]), int(lower[1]), int(lower[2])),
        (int(upper[0]), int(upper[1]), int(upper[2])),
    )


def _ellipse_mask(
    corners: npt.NDArray[np.float64], low: Sequence[int], high: Sequence[int]
) -> Mask:
    (ca, cb), (ra, rb) = corners.mean(axis=0), np.abs(corners[1] - corners[0]) / 2
    a, b = np.ogrid[low[0] : high[0], low[1] : high[1]]
    # Multiplied out: half axes may be 0.
    mask: Mask = ((a - ca) * rb) ** 2 + ((b - cb) * ra) ** 2 <= (ra * rb) ** 2
    return mask


def polygon_mask(outline: npt.NDArray[np.float64], low: Sequence[int], high: Sequence[int]) -> Mask:
    """Whole-number places in a polygon by the even-odd rule.

    Parameters
    ----------
    outline : ndarray, shape (n, 2)
    low, high : sequence of int
        Block that is looked at, half open.

    Returns
    -------
    ndarray of bool, shape (high[0] - low[0], high[1] - low[1])
        A place on an edge counts where the inside lies ahead of it on the first axis, or, on an
        edge along the first axis, on the second: of two neighbours that share an edge, one has it.

    Notes
    -----
    Cost: rows that the edges span, and the block once.
    """
    n_a, n_b = high[0] - low[0], high[1] - low[1]
    if n_a <= 0 or n_b <= 0:
        return np.zeros((max(n_a, 0), max(n_b, 0)), bool)
    # turns[k, j]: crossings of the line b = j between the places k - 1 and k.
    turns = np.zeros((n_a + 1, n_b), np.int32)
    for (a1, b1), (a2, b2) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        first = max(math.ceil(min(b1, b2)), low[1])
        last = min(math.ceil(max(b1, b2)), high[1])  # half open: an edge's upper end is the next's
        if first >= last:
            continue
        b = np.arange(first, last)
        crossing = a1 + (b - b1) / (b2 - b1) * (a2 - a1)
        places = np.clip(np.ceil(crossing).astype(int) - low[0], 0, n_a)
        turns[places, b - low[1]] += 1
    mask: Mask = np.cumsum(turns[:n_a], axis=0) % 2 == 1
    return mask
