"""Lengths, angles, areas and volumes of annotations, in the volume's own units.

In a time section metres stand against milliseconds. Nothing is ever summed over both: a distance is
given as its two parts, an area as their product, and an angle not at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from blustream_widget.core.annotation import Annotation, plane_through
from blustream_widget.core.annotation_messages import Quantity, Want
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import AnnotationError

Floats = npt.NDArray[np.float64]

_LINES = frozenset({"arrow", "line", "distance", "profile"})
_PATHS = frozenset({"polyline", "freehand", "path", "fault"})
_DEGREES = "°"
_UPRIGHT = 1e-3  # share of an area as seen from above, below which a plane stands upright


@dataclass(frozen=True, slots=True)
class Metric:
    """How voxel coordinates become lengths.

    Parameters
    ----------
    vectors : ndarray, shape (3, 3), float64
        Row a: the world vector of one step along axis a. Where `is_mixed`, its third component is
        in `vertical_unit` and only axis 2 has one.
    unit : str
        "m", "mm", or "voxel" where the volume has no unit.
    vertical_unit : str
        Of axis 2: "ms", or the same as `unit`.
    is_mixed : bool
        The two units differ.
    """

    vectors: Floats
    unit: str
    vertical_unit: str
    is_mixed: bool

    @property
    def volume_unit(self) -> str:
        """Unit of volumes: "mm³", "m²·ms"."""
        return f"{self.unit}²·{self.vertical_unit}" if self.is_mixed else f"{self.unit}³"

    def steps(self, points: Sequence[Sequence[float]]) -> Floats:
        """World vectors from each point to the next, shape (n - 1, 3)."""
        return np.diff(np.asarray(points, float), axis=0) @ self.vectors


def metric_of(info: VolumeInfo) -> Metric:
    """Say how the volume's indices become lengths.

    Seismic: lines lie on the map (`affine`, else the spacing of both axes), samples count in their
    own unit. Otherwise the affine, else the spacing.
    """
    unit = info.world_unit or "voxel"
    spacings = np.diag([axis.spacing for axis in info.axes]).astype(float)
    matrix = None if info.affine is None else np.reshape(np.asarray(info.affine, float), (4, 4))
    if info.kind != "seismic":
        return Metric(spacings if matrix is None else matrix[:3, :3].T.copy(), unit, unit, False)
    vectors = spacings
    if matrix is not None:
        vectors[0, :2], vectors[1, :2] = matrix[:2, 0], matrix[:2, 1]
    vertical = info.axes[2]
    vertical_unit = vertical.unit or "sample"
    vectors[2] = (0.0, 0.0, abs(vertical.step) if vertical.unit else 1.0)
    return Metric(vectors, unit, vertical_unit, vertical_unit != unit)


def wants_of(item: Annotation) -> tuple[Want, ...]:
    """Say what can be measured of an annotation of this kind."""
    if item.is_region:
        return ("geometry", "statistics")
    if item.kind == "profile":
        return ("geometry", "profile")
    if item.kind == "point":
        return ("geometry", "value")
    return ("geometry",)


def quantities_of(item: Annotation, info: VolumeInfo) -> tuple[Quantity, ...]:
    """Everything that the geometry of an annotation says, with units.

    Raises
    ------
    AnnotationError
        A self-crossing outline, or an angle between units that have no common one.
    """
    metric = metric_of(info)
    if item.kind in _LINES:
        return _lengths("distance", item.points, metric)
    if item.is_region:
        return _region(item, metric)
    if item.kind in _PATHS:
        return _lengths("length", item.points, metric)
    if item.kind in ("angle", "cobb"):
        return (_angle(item, metric),)
    if item.kind == "point":
        return _place(item.points[0], info)
    return ()


def _lengths(name: str, points: Sequence[Sequence[float]], metric: Metric) -> tuple[Quantity, ...]:
    steps = metric.steps(points)
    if not metric.is_mixed:
        return (Quantity(name, float(np.linalg.norm(steps, axis=1).sum()), metric.unit),)
    horizontal = float(np.hypot(steps[:, 0], steps[:, 1]).sum())
    vertical = float(np.abs(steps[:, 2]).sum())
    return (
        Quantity("horizontal", horizontal, metric.unit),
        Quantity("vertical", vertical, metric.vertical_unit),
    )


def _angle(item: Annotation, metric: Metric) -> Quantity:
    points = item.points
    if metric.is_mixed and len({point[2] for point in points}) > 1:
        raise AnnotationError(
            f"There is no angle between {metric.unit} and {metric.vertical_unit}.",
            hint="Draw it on a slice of constant time.",
        )
    if item.kind == "angle":
        a, b = metric.steps((points[1], points[0]))[0], metric.steps((points[1], points[2]))[0]
    else:
        a, b = metric.steps(points[:2])[0], metric.steps(points[2:])[0]
    if not a.any() or not b.any():
        raise AnnotationError("A line without length has no direction.", hint="Move its ends.")
    # atan2 keeps its digits where acos loses half of them: near 0 and 180 degrees.
    degrees = math.degrees(math.atan2(float(np.linalg.norm(np.cross(a, b))), float(a @ b)))
    if item.kind == "cobb":
        degrees = min(degrees, 180.0 - degrees)
    return Quantity("angle", degrees, _DEGREES)


def _place(point: Sequence[float], info: VolumeInfo) -> tuple[Quantity, ...]:
    numbers = [
        Quantity(axis.name, axis.first + axis.step * v, axis.unit)
        for axis, v in zip(info.axes, point, strict=True)
    ]
    if info.affine is not None:
        world = world_of(point, info)
        numbers += [
            Quantity(name, value, info.world_unit) for name, value in zip("xyz", world, strict=True)
        ]
    return tuple(numbers)


def world_of(point: Sequence[float], info: VolumeInfo) -> tuple[float, float, float]:
    """World coordinates of a place: by the affine, else index times spacing."""
    if info.affine is None:
        x, y, z = (axis.spacing * v for axis, v in zip(info.axes, point, strict=True))
        return (x, y, z)
    rows = np.reshape(np.asarray(info.affine, float), (4, 4))[:3]
    x, y, z = rows[:, :3] @ np.asarray(point, float) + rows[:, 3]
    return (float(x), float(y), float(z))


# ---------------------------------------------------------------- areas


def _region(item: Annotation, metric: Metric) -> tuple[Quantity, ...]:
    if item.kind == "box":
        return _box(item, metric)
    if item.axis is None:
        return _outline_in_space(item, metric)
    in_plane = [axis for axis in range(3) if axis != item.axis]
    u, v = metric.vectors[in_plane]
    is_mixed = metric.is_mixed and item.axis != 2
    square = f"{metric.unit}·{metric.vertical_unit}" if is_mixed else f"{metric.unit}²"
    outline = np.asarray(item.points, float)[:, in_plane]
    if item.kind in ("rectangle", "ellipse"):
        width, height = np.abs(outline[1] - outline[0])
        share = 1.0 if item.kind == "rectangle" else math.pi / 4
        area = share * width * height * _parallelogram(u, v)
        sides = _sides(width * u, height * v, metric, is_mixed=is_mixed)
        perimeter = (
            2 * float(np.linalg.norm(width * u) + np.linalg.norm(height * v))
            if item.kind == "rectangle"
            else ellipse_perimeter(*_semi_axes(width / 2 * u, height / 2 * v))
        )
    else:
        check_simple(outline)
        area = abs(signed_area(outline)) * _parallelogram(u, v)
        closed = np.vstack([outline, outline[:1]])
        perimeter = float(np.linalg.norm(np.diff(closed, axis=0) @ np.stack([u, v]), axis=1).sum())
        extent = np.ptp(outline, axis=0)
        sides = _sides(extent[0] * u, extent[1] * v, metric, is_mixed=is_mixed)
    found = [Quantity("area", float(area), square), *sides]
    return tuple(found) if is_mixed else (*found, Quantity("perimeter", perimeter, metric.unit))


def _outline_in_space(item: Annotation, metric: Metric) -> tuple[Quantity, ...]:
    """Area and perimeter of an outline in a plane across no axis."""
    points = np.asarray(item.points, float)
    check_simple(seen_across(points))
    way = (points - points[0]) @ metric.vectors
    spanned = np.cross(way, np.roll(way, -1, axis=0)).sum(axis=0)
    area = float(np.linalg.norm(spanned)) / 2
    if metric.is_mixed:
        # Upright: what is horizontal times what is vertical.
        if abs(spanned[2]) > _UPRIGHT * np.linalg.norm(spanned):
            raise AnnotationError(
                f"There is no area between {metric.unit} and {metric.vertical_unit} on a tilted "
                "plane.",
                hint="Draw it on an upright section or a slice of constant time.",
            )
        return (Quantity("area", area, f"{metric.unit}·{metric.vertical_unit}"),)
    perimeter = float(np.linalg.norm(np.roll(way, -1, axis=0) - way, axis=1).sum())
    return (
        Quantity("area", area, f"{metric.unit}²"),
        Quantity("perimeter", perimeter, metric.unit),
    )


def seen_across(points: Floats) -> Floats:
    """Give points in a plane, shape (n, 3), as seen along the axis that it lies across most.

    Returns
    -------
    ndarray, shape (n, 2)
        Their places on the two other axes.
    """
    return np.delete(points, across_of(points), axis=1)


def across_of(points: Floats) -> int:
    """Axis that the plane through points lies across most, in index space."""
    normal, _ = plane_through(points.tolist())
    return int(np.abs(normal).argmax())


def _sides(
    width: Floats, height: Floats, metric: Metric, *, is_mixed: bool
) -> tuple[Quantity, Quantity]:
    """Extents along the two axes of the section, in ascending order of the axes."""
    return (
        Quantity("width", float(np.linalg.norm(width)), metric.unit),
        Quantity(
            "height",
            float(np.linalg.norm(height)),
            metric.vertical_unit if is_mixed else metric.unit,
        ),
    )


def _box(item: Annotation, metric: Metric) -> tuple[Quantity, ...]:
    sizes = np.abs(np.subtract(item.points[1], item.points[0]))
    edges = sizes[:, None] * metric.vectors
    volume = float(abs(np.linalg.det(edges)))
    units = (metric.unit, metric.unit, metric.vertical_unit)
    sides = (
        Quantity(f"side {axis}", float(np.linalg.norm(edges[axis])), units[axis])
        for axis in range(3)
    )
    return (Quantity("volume", volume, metric.volume_unit), *sides)


def signed_area(outline: Floats) -> float:
    """Area inside a closed outline, shape (n, 2): positive when it turns to the left."""
    # From the first point on: far from the origin, products would lose their digits.
    x, y = (outline - outline[0]).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def check_simple(outline: Floats) -> None:
    """Refuse an outline, shape (n, 2), that crosses or touches itself.

    Raises
    ------
    AnnotationError
    """
    points = outline[np.any(outline != np.roll(outline, 1, axis=0), axis=1)]
    n = len(points)
    ends = np.roll(points, -1, axis=0)
    for i in range(n - 2):
        # Edges that are not neighbours of edge i, which meet it in their common point.
        others = slice(i + 2, n - 1 if i == 0 else n)
        if _meets(points[i], ends[i], points[others], ends[others]).any():
            raise AnnotationError(
                "The outline crosses itself, and encloses no area.",
                hint="Move the crossing vertices apart.",
            )


def _meets(p: Floats, q: Floats, a: Floats, b: Floats) -> npt.NDArray[np.bool_]:
    """Whether segment p-q has a point in common with each of the segments a-b."""
    side_a, side_b = _turn(p, q, a), _turn(p, q, b)
    side_p, side_q = _turn(a, b, p), _turn(a, b, q)
    crosses = (side_a * side_b <= 0) & (side_p * side_q <= 0)
    low, high = np.minimum(p, q), np.maximum(p, q)
    overlaps = np.all((np.minimum(a, b) <= high) & (np.maximum(a, b) >= low), axis=1)
    found: npt.NDArray[np.bool_] = crosses & overlaps
    return found


def _turn(a: Floats, b: Floats, c: Floats) -> Floats:
    """Sign of the turn a, b, c: 1 left, -1 right, 0 straight on."""
    ab, ac = b - a, c - a
    turn: Floats = np.sign(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])
    return turn


def _parallelogram(u: Floats, v: Floats) -> float:
    return float(np.linalg.norm(np.cross(u, v)))


def _semi_axes(u: Floats, v: Floats) -> tuple[float, float]:
    """Principal half axes of the ellipse cos(t) u + sin(t) v."""
    long, short = np.linalg.svd(np.stack([u, v]), compute_uv=False)
    return float(long), float(short)


def ellipse_perimeter(a: float, b: float) -> float:
    """Perimeter of an ellipse with half axes a >= b, to the last digits.

    References
    ----------
    Gauss: arithmetic-geometric mean; DLMF 19.8.6 with 19.30.2.
    """
    if b <= 0:
        return 4.0 * a
    first, total, power = a, (a * a - b * b) / 2, 0.5
    while abs(a - b) > 1e-16 * first:
        half = (a - b) / 2
        a, b = (a + b) / 2, math.sqrt(a * b)
        power *= 2
        total += power * half * half
        if half < 1e-15 * first:
            break
    return 2 * math.pi * (first * first - total) / a


def path_positions(points: Sequence[Sequence[float]], metric: Metric) -> tuple[Floats, str]:
    """Distances along a path at its points, and their unit: voxels where units would be mixed."""
    steps = metric.steps(points)
    if metric.is_mixed:
        if not steps[:, 2].any():
            lengths, unit = np.hypot(steps[:, 0], steps[:, 1]), metric.unit
        elif not steps[:, :2].any():
            lengths, unit = np.abs(steps[:, 2]), metric.vertical_unit
        else:
            raw = [math.dist(a, b) for a, b in pairwise(points)]
            lengths, unit = np.asarray(raw, float), "voxel"
    else:
        lengths, unit = np.linalg.norm(steps, axis=1), metric.unit
    return np.concatenate([[0.0], np.cumsum(lengths)]), unit
