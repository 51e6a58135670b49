"""Sections that lie across no axis: fences along a line, and oblique planes. What they are."""

from __future__ import annotations

import itertools
import math
from typing import Any, TypeAlias

import msgspec
import numpy as np

from blustream_widget.core.geometry import anatomical_axes, plane_of
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError

FENCE_MAX_NODES = 256
FENCE_MAX_COLUMNS = 1 << 16
_FARTHEST = 1e9
_PARALLEL = 1e-6
_HALF_A_VOXEL = 0.5 + 1e-6

Vector: TypeAlias = tuple[float, float, float]


class Fence(msgspec.Struct, frozen=True, tag="fence", tag_field="kind", forbid_unknown_fields=True):
    """A curtain that hangs on a line, unrolled: the line runs to the right, the vertical down.

    Parameters
    ----------
    points : tuple of (float, float)
        Nodes of the line, 2 to FENCE_MAX_NODES: 0-based fractional indices along the two
        horizontal axes, for a survey (inline, crossline). Neighbours are apart from each other.
    """

    points: tuple[tuple[float, float], ...]


class Oblique(
    msgspec.Struct, frozen=True, tag="oblique", tag_field="kind", forbid_unknown_fields=True
):
    """A plane that may lie at any angle.

    Parameters
    ----------
    origin : tuple of float
        A point of the plane: 0-based fractional indices along the three axes.
    right, down : tuple of float
        Directions that run to the right and down on the screen, in world coordinates: those of
        `VolumeInfo.affine`, else the axes with their spacing. Any length; made orthonormal.
    """

    origin: Vector
    right: Vector
    down: Vector


Section: TypeAlias = Fence | Oblique


def world_matrix(info: VolumeInfo) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """World displacement of one voxel along each axis: the columns, shape (3, 3)."""
    if info.affine is not None:
        matrix = np.array(info.affine, np.float64).reshape(4, 4)[:3, :3]
        if abs(np.linalg.det(matrix)) > 1e-12:
            return matrix
    return np.diag([axis.spacing for axis in info.axes]).astype(np.float64)


def vertical_axis(info: VolumeInfo) -> int:
    """Axis that a fence hangs along: the samples of a survey, head to foot of a patient."""
    if info.kind == "medical" and info.affine is not None:
        return next(a for a, (world, _) in enumerate(anatomical_axes(info.affine)) if world == 2)
    return 2


def is_upside_down(info: VolumeInfo) -> bool:
    """Whether the index of the vertical axis grows upwards: towards a patient's head."""
    if info.kind != "medical" or info.affine is None:
        return False
    return anatomical_axes(info.affine)[vertical_axis(info)][1] > 0


def horizontal_axes(info: VolumeInfo) -> tuple[int, int]:
    """Return the two axes that the line of a fence lies in, ascending."""
    first, second = (axis for axis in range(3) if axis != vertical_axis(info))
    return first, second


# ---------------------------------------------------------------- checks


def checked_section(value: Any, info: VolumeInfo) -> Section | None:
    """Check a section, given as such or as a dict of its fields.

    Raises
    ------
    StateError
        Names what cannot be: too few or too many nodes, a number that is none, a place outside the
        volume, directions that span no plane.
    """
    if value is None:
        return None
    if not isinstance(value, (Fence, Oblique)):
        try:
            value = msgspec.convert(value, Fence | Oblique)
        except msgspec.ValidationError as exc:
            raise StateError(
                f"section = {str(value)[:80]!r} is no section: {exc}.",
                hint="Give Fence([(x, y), ...]), Oblique(origin, right, down) or None.",
            ) from exc
    return _checked_fence(value, info) if isinstance(value, Fence) else _checked_plane(value, info)


def _checked_fence(fence: Fence, info: VolumeInfo) -> Fence:
    axes = horizontal_axes(info)
    points = tuple(_numbers("A node of the fence", point, 2) for point in fence.points)
    if len(points) > FENCE_MAX_NODES:
        raise StateError(
            f"A fence of {len(points)} nodes is too long.", hint=f"At most {FENCE_MAX_NODES}."
        )
    for point in points:
        for axis, at in zip(axes, point, strict=True):
            n = info.axes[axis].n
            if not -_HALF_A_VOXEL <= at <= n - 1 + _HALF_A_VOXEL:
                raise StateError(
                    f"The node {point} of the fence is outside the volume.",
                    hint=f"Indices of {info.axes[axis].name} go from 0 to {n - 1}.",
                )
    apart = [*points[:1], *(b for a, b in itertools.pairwise(points) if a != b)]
    if len(apart) < 2:
        raise StateError(
            f"A fence of {len(apart)} place(s) has no length.",
            hint="Give at least two nodes that differ.",
        )
    if info.axes[vertical_axis(info)].n < 2:
        raise StateError(
            "This volume has no vertical axis that a fence could hang along.",
            hint=f"{info.axes[vertical_axis(info)].name} has one voxel.",
        )
    checked = Fence(tuple((x, y) for x, y in apart))
    _, n_steps = fence_steps(checked, info)
    if n_steps >= FENCE_MAX_COLUMNS:
        raise StateError(
            f"A fence of {n_steps + 1} columns is too long.", hint=f"At most {FENCE_MAX_COLUMNS}."
        )
    return checked


def fence_steps(
    fence: Fence, info: VolumeInfo
) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], int]:
    """Lengths of the pieces of a fence, world units, and the steps that unroll all of them.

    A step is as long as a voxel in the direction of the piece where that is the shortest.
    """
    axes = list(horizontal_axes(info))
    pieces = np.diff(np.array(fence.points), axis=0)
    lengths = np.linalg.norm(pieces @ world_matrix(info)[:, axes].T, axis=1)
    finest = float((lengths / np.linalg.norm(pieces, axis=1)).min())
    return lengths, max(math.ceil(float(lengths.sum()) / finest - 1e-6), 1)


def _checked_plane(plane: Oblique, info: VolumeInfo) -> Oblique:
    origin = _numbers("The origin of the plane", plane.origin, 3)
    right = np.array(_numbers("right", plane.right, 3))
    down = np.array(_numbers("down", plane.down, 3))
    if not np.linalg.norm(right) or not np.linalg.norm(down):
        raise StateError("A direction of the plane has no length.", hint="Give right and down.")
    right, down = right / np.linalg.norm(right), down / np.linalg.norm(down)
    normal = np.cross(right, down)
    if np.linalg.norm(normal) < _PARALLEL:
        raise StateError(
            "right and down are parallel and span no plane.",
            hint="Give two directions that differ.",
        )
    down = down - right * (down @ right)
    down = down / np.linalg.norm(down)
    checked = Oblique(_vector(np.array(origin)), _vector(right), _vector(down))
    low, high = plane_span(checked, info)
    at = plane_offset(checked, info)
    if not low - _PARALLEL <= at <= high + _PARALLEL:
        raise StateError(
            f"The plane through {plane.origin} lies outside the volume.",
            hint="Give an origin inside it, in 0-based indices.",
        )
    return checked


def _numbers(name: str, values: Any, n: int) -> tuple[float, ...]:
    numbers = tuple(float(value) for value in values)
    if len(numbers) != n or not all(math.isfinite(v) and abs(v) < _FARTHEST for v in numbers):
        raise StateError(f"{name} is {values}.", hint=f"Give {n} numbers.")
    return numbers


def _vector(values: Any) -> Vector:
    # Without the last bits of sines: a quarter turn is exactly one.
    x, y, z = (float(v) + 0.0 for v in np.round(values, 12))
    return (x, y, z)


# ---------------------------------------------------------------- planes that move and turn


def normal_of(plane: Oblique) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Give the unit vector across a plane, in world coordinates."""
    normal = np.cross(np.array(plane.right), np.array(plane.down))
    result: np.ndarray[tuple[int], np.dtype[np.float64]] = normal / np.linalg.norm(normal)
    return result


def plane_offset(plane: Oblique, info: VolumeInfo) -> float:
    """Where a plane lies along its normal, world units from voxel (0, 0, 0)."""
    return float(normal_of(plane) @ (world_matrix(info) @ np.array(plane.origin)))


def plane_span(plane: Oblique, info: VolumeInfo) -> tuple[float, float]:
    """From where to where along its normal a plane meets the volume, as `plane_offset`."""
    at = box_corners(info) @ world_matrix(info).T @ normal_of(plane)
    return float(at.min()), float(at.max())


def box_corners(info: VolumeInfo) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Corners of the volume in indices, half a voxel beyond the outermost centres: (8, 3)."""
    ends = np.array([(-0.5, n - 0.5) for n in info.shape])
    return np.array([[ends[a, bit >> a & 1] for a in range(3)] for bit in range(8)])


def through(plane: Oblique, voxel: tuple[float, float, float]) -> Oblique:
    """Return the plane moved along its normal until a voxel lies in it."""
    return Oblique(_vector(np.array(voxel)), plane.right, plane.down)


def followed(
    section: Section | None, before: tuple[int, int, int], now: tuple[int, int, int]
) -> Section | None:
    """Return what a pane shows after its place in the volume has changed."""
    if before == now or not isinstance(section, Oblique):
        return section
    return through(section, now)


def plane_across(
    info: VolumeInfo, axis: int, voxel: tuple[float, float, float], *, north_up: bool = False
) -> Oblique:
    """Return the plane of the slice across `axis` through a voxel, as it is laid on the screen."""
    laid, matrix = plane_of(info, axis, north_up=north_up), world_matrix(info)
    right = matrix[:, laid.column_axis] * (-1 if laid.flip_x else 1)
    down = matrix[:, laid.row_axis] * (-1 if laid.flip_y else 1)
    right = right / np.linalg.norm(right)
    down = down - right * (down @ right)
    return Oblique(_vector(np.array(voxel)), _vector(right), _vector(down / np.linalg.norm(down)))


def turned(plane: Oblique, about: Vector, degrees: float, at: Vector | None = None) -> Oblique:
    """Turn a plane about a world direction through its origin, or through the voxel `at`.

    Counter-clockwise where `about` points at the viewer of a right-handed world.
    """
    axis = np.array(about, np.float64) / np.linalg.norm(about)
    angle = math.radians(degrees)
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross)
    return Oblique(
        plane.origin if at is None else at,
        _vector(rotation @ np.array(plane.right)),
        _vector(rotation @ np.array(plane.down)),
    )
