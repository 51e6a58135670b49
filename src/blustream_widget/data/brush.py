"""Which voxels a brush or a pair of scissors takes, brick by brick."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.label_edit import Brick
from blustream_widget.data.capsules import Capsules
from blustream_widget.data.regions import polygon_mask
from blustream_widget.errors import ProcessingError

Floats: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]
Shape: TypeAlias = tuple[int, int, int]

MAX_BRICKS = 2048
"""Of one edit: half a gigabyte of labels of one byte."""
_MOST_LOOKED_AT = 1 << 28  # some seconds
# Lines of a stroke are noted in bricks together while the block around them has no more voxels.
_JOINED_VOXELS = 1 << 22


@dataclass(frozen=True, slots=True)
class BrickGrid:
    """Bricks of a label volume at full resolution."""

    shape: Shape
    size: int

    def bricks(self, lower: Sequence[int], upper: Sequence[int]) -> Iterator[Brick]:
        """List the bricks that a block, half open and inside the volume, has a share in."""
        ranges = (
            range(v // self.size, -(-u // self.size)) for v, u in zip(lower, upper, strict=True)
        )
        yield from itertools.product(*ranges)

    def n_bricks(self, lower: Sequence[int], upper: Sequence[int]) -> int:
        """How many those are."""
        return math.prod(
            max(0, -(-u // self.size) - v // self.size) for v, u in zip(lower, upper, strict=True)
        )

    def bounds(self, brick: Brick) -> tuple[Shape, Shape]:
        """First and one-past-last voxel of a brick."""
        lower = (brick[0] * self.size, brick[1] * self.size, brick[2] * self.size)
        n0, n1, n2 = self.shape
        upper = (
            min(lower[0] + self.size, n0),
            min(lower[1] + self.size, n1),
            min(lower[2] + self.size, n2),
        )
        return lower, upper


@dataclass(frozen=True, slots=True, eq=False)
class BrickMask:
    """Some voxels of a brick: a box in it, and which of the box.

    Parameters
    ----------
    lower : tuple of int
        Corner of the box in the brick.
    inside : ndarray, bool
        Of the box's shape.
    """

    lower: Shape
    inside: Mask

    @property
    def box(self) -> tuple[slice, ...]:
        """Where it lies in the brick."""
        shape = self.inside.shape
        return tuple(slice(v, v + n) for v, n in zip(self.lower, shape, strict=True))


def brush_masks(
    points: Floats,
    radius: float,
    spacing: Sequence[float],
    axis: int | None,
    grid: BrickGrid,
) -> dict[Brick, BrickMask]:
    """Voxels that a brush passes over: a ball, or a disc in one slice.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        In voxel coordinates, joined by straight lines.
    radius : float
        In the unit of `spacing`.
    spacing : sequence of float
        Distance of neighbouring voxels along each axis.
    axis : int or None
        A disc in the slice across it that the first point lies in; None: a ball.
    grid : BrickGrid

    Raises
    ------
    ProcessingError
        The stroke takes too much.
    """
    points = points.copy()
    if axis is not None:
        points[:, axis] = math.floor(points[0, axis] + 0.5)
    found: dict[Brick, BrickMask] = {}
    reach = radius / np.asarray(spacing, float)
    if axis is not None:
        reach[axis] = 0.0
    begins, ends = (points[:-1], points[1:]) if len(points) > 1 else (points, points)
    # The block that the brush passes over along each line, half open.
    low = np.clip(np.ceil(np.minimum(begins, ends) - reach), 0, grid.shape).astype(np.intp)
    high = np.clip(np.floor(np.maximum(begins, ends) + reach) + 1, low, grid.shape).astype(np.intp)
    looked_at = int((high - low).prod(axis=1).sum())
    if looked_at > _MOST_LOOKED_AT:
        raise ProcessingError(
            f"The stroke passes over {looked_at:,} voxels.",
            hint=f"At most {_MOST_LOOKED_AT:,}: take a smaller brush, or shorter strokes.",
        )
    is_inside = (low < high).all(axis=1)
    begins, ends, low, high = (one[is_inside] for one in (begins, ends, low, high))
    for run in _runs(low, high):
        lines = Capsules(begins[run], ends[run], radius, np.asarray(spacing, float))
        inside = lines.mask(low[run], high[run])
        corners = low[run].min(axis=0).tolist(), high[run].max(axis=0).tolist()
        _add(found, grid, *corners, inside)
    middle = np.asarray(spacing, float)[reach > 0] / 2
    if radius >= math.sqrt(float(middle @ middle)):
        return found  # the centre of a point's voxel is nearer than that
    for point in np.floor(points + 0.5).astype(int).tolist():
        if all(0 <= v < n for v, n in zip(point, grid.shape, strict=True)):
            _add(found, grid, point, [v + 1 for v in point], np.ones((1, 1, 1), bool))
    return found


def cut_masks(
    outline: Floats,
    axis: int,
    slices: tuple[int, int],
    grid: BrickGrid,
    *,
    is_outside: bool,
) -> Iterator[tuple[Brick, BrickMask]]:
    """Voxels inside an outline, or outside, in some slices.

    Parameters
    ----------
    outline : ndarray, shape (n, 3)
    axis : int
    slices : tuple of int
        First and last, both included; inside the volume.
    grid : BrickGrid
    is_outside : bool

    Raises
    ------
    ProcessingError
        That would be too many bricks.
    """
    a_axis, b_axis = (k for k in range(3) if k != axis)
    flat = outline[:, [a_axis, b_axis]]
    low, high = [0, 0, 0], list(grid.shape)
    if not is_outside:
        for column, k in enumerate((a_axis, b_axis)):
            low[k] = min(max(math.ceil(flat[:, column].min()), 0), grid.shape[k])
            high[k] = min(max(math.floor(flat[:, column].max()) + 1, low[k]), grid.shape[k])
    low[axis], high[axis] = slices[0], slices[1] + 1
    if any(u <= v for v, u in zip(low, high, strict=True)):
        return
    if (n_bricks := grid.n_bricks(low, high)) > MAX_BRICKS:
        raise too_many_bricks(n_bricks)
    inside = polygon_mask(flat, (low[a_axis], low[b_axis]), (high[a_axis], high[b_axis]))
    plane = np.expand_dims(inside != is_outside, axis)
    for brick in grid.bricks(low, high):
        lower, upper = grid.bounds(brick)
        first = [max(v, o) for v, o in zip(lower, low, strict=True)]
        last = [min(v, o) for v, o in zip(upper, high, strict=True)]
        part = [slice(f - v, u - v) for f, u, v in zip(first, last, low, strict=True)]
        part[axis] = slice(0, 1)
        piece = plane[tuple(part)]
        if piece.any():
            shape = [u - f for f, u in zip(first, last, strict=True)]
            corner = _less(first, lower)
            yield brick, BrickMask(corner, np.broadcast_to(piece, shape))


def too_many_bricks(n_bricks: int) -> ProcessingError:
    """Say that an edit would change too much at once."""
    return ProcessingError(
        f"The edit would change {n_bricks:,} bricks of the label volume.",
        hint=f"At most {MAX_BRICKS:,} at once: edit fewer slices, or a smaller part.",
    )


def _runs(low: npt.NDArray[np.intp], high: npt.NDArray[np.intp]) -> Iterator[slice]:
    """Join lines of a stroke that follow each other, while the block around them is small."""
    begin, corners = 0, [*low[:1], *high[:1]]
    for end in range(1, len(low)):
        joined = np.minimum(corners[0], low[end]), np.maximum(corners[1], high[end])
        if math.prod((joined[1] - joined[0]).tolist()) > _JOINED_VOXELS:
            yield slice(begin, end)
            begin, joined = end, (low[end], high[end])
        corners = [*joined]
    if len(low):
        yield slice(begin, len(low))


def _add(
    found: dict[Brick, BrickMask],
    grid: BrickGrid,
    low: Sequence[int],
    high: Sequence[int],
    inside: Mask,
) -> None:
    """Note voxels of a block."""
    for brick in grid.bricks(low, high):
        lower, upper = grid.bounds(brick)
        first = [max(v, o) for v, o in zip(lower, low, strict=True)]
        last = [min(v, o) for v, o in zip(upper, high, strict=True)]
        piece = inside[_within(first, last, low)]
        if not piece.any():
            continue
        mask = BrickMask(_less(first, lower), piece)
        if brick in found:
            mask = _joined(found[brick], mask)
        elif len(found) == MAX_BRICKS:
            raise too_many_bricks(len(found) + 1)
        found[brick] = mask


def _joined(one: BrickMask, other: BrickMask) -> BrickMask:
    """Give what is in either, in a box around both."""
    boxes = one.box, other.box
    low = [min(s.start for s in pair) for pair in zip(*boxes, strict=True)]
    high = [max(s.stop for s in pair) for pair in zip(*boxes, strict=True)]
    inside = np.zeros([u - v for v, u in zip(low, high, strict=True)], bool)
    for mask, box in zip((one, other), boxes, strict=True):
        inside[_within([s.start for s in box], [s.stop for s in box], low)] |= mask.inside
    return BrickMask((low[0], low[1], low[2]), inside)


def _less(place: Sequence[int], origin: Sequence[int]) -> Shape:
    a, b, c = (v - o for v, o in zip(place, origin, strict=True))
    return a, b, c


def _within(first: Sequence[int], last: Sequence[int], origin: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(f - o, u - o) for f, u, o in zip(first, last, origin, strict=True))
