"""What a person drew on a volume: `Annotation`, and what makes one valid."""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.errors import AnnotationError

MAX_POINTS = 2000
"""Of one annotation: a message with as many, rounded to 3 decimals, still fits its bound."""
MAX_ANNOTATIONS = 10_000
MAX_TOTAL_POINTS = 400_000
_CORNERED = frozenset({"rectangle", "ellipse"})
_IN_PLANE = 0.01  # voxels beside a plane; a page rounds to thousandths
_FLAT = 1e-6  # voxels by which the points of a flat shape may differ across it

AnnotationKind: TypeAlias = Literal[
    "point",
    "text",
    "arrow",
    "line",
    "polyline",
    "freehand",
    "rectangle",
    "ellipse",
    "polygon",
    "box",
    "distance",
    "path",
    "angle",
    "cobb",
    "horizon",
    "fault",
    "profile",
]
"""What an annotation is: `polyline` and the like are drawn, `path` and the like measured."""

ANNOTATION_KINDS: tuple[AnnotationKind, ...] = get_args(AnnotationKind)
FLAT_KINDS: frozenset[AnnotationKind] = frozenset({"rectangle", "ellipse", "polygon"})
"""Shapes that lie in one section; a closed freehand line does too."""

_EXACT_POINTS: dict[str, int] = {
    "point": 1,
    "text": 1,
    "arrow": 2,
    "line": 2,
    "rectangle": 2,
    "ellipse": 2,
    "box": 2,
    "distance": 2,
    "angle": 3,
    "cobb": 4,
    "profile": 2,
}
_LEAST_POINTS: dict[str, int] = {
    "polyline": 2,
    "freehand": 2,
    "polygon": 3,
    "path": 2,
    "horizon": 1,
    "fault": 1,
}

Id: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z0-9_-]{1,64}\Z")]
Coordinate: TypeAlias = Annotated[float, msgspec.Meta(ge=-1.0, le=2.0**31)]
Point: TypeAlias = tuple[Coordinate, Coordinate, Coordinate]
Points: TypeAlias = Annotated[tuple[Point, ...], msgspec.Meta(min_length=1, max_length=MAX_POINTS)]
SectionAxis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2)]
Label: TypeAlias = Annotated[str, msgspec.Meta(max_length=256)]
Text: TypeAlias = Annotated[str, msgspec.Meta(max_length=4096)]
Color: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A#[0-9a-fA-F]{6}\Z")]
Width: TypeAlias = Annotated[float, msgspec.Meta(ge=0.5, le=20.0)]
Name: TypeAlias = Annotated[str, msgspec.Meta(max_length=64)]
Moment: TypeAlias = Annotated[float, msgspec.Meta(ge=0.0, le=1e15)]

_MARKUP = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|svg|img|link|style)\b|javascript\s*:", re.I
)
_MAY_CONTROL = "\n\t"


def new_id() -> str:
    """Make an id that no other annotation has."""
    return uuid.uuid4().hex


class Annotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something drawn or measured, anchored in the volume.

    Parameters
    ----------
    kind : AnnotationKind
        Never changes in an annotation's life.
    points : tuple of (float, float, float)
        Level-0 voxel coordinates along the array's axes. Whole numbers are voxel centres; the
        volume reaches from -0.5 to n - 0.5 on each axis.
    id : str
        Unique in a session: 1 to 64 letters, digits, "-" and "_".
    axis : int, optional
        Axis across which the section was taken that it was drawn on; None where it was drawn in
        three dimensions: a polygon or a closed freehand line then lies in any one plane.
    label : str
        Short name, for lists.
    text : str
        Of a text, or a note. Always shown as text.
    color : str
        "#rrggbb".
    width : float
        Of lines, CSS pixels.
    visible, locked : bool
        A locked one cannot be changed before it is unlocked.
    closed : bool
        A freehand line that encloses an area.
    group : str
        Free; the sticks of one fault share it.
    grid : str
        Of a horizon that was followed: the name of its grid in the session. The server says it.
    author : str
        Who made it: "owner" for Python and the notebook's own pages. The server says it.
    created_ms, modified_ms : float
        Milliseconds since the epoch. The server says it.
    """

    kind: AnnotationKind
    points: Points
    id: Id = msgspec.field(default_factory=new_id)
    axis: SectionAxis | None = None
    label: Label = ""
    text: Text = ""
    color: Color = "#ffd43b"
    width: Width = 2.0
    visible: bool = True
    locked: bool = False
    closed: bool = False
    group: Name = ""
    grid: Name = ""
    author: Name = ""
    created_ms: Moment = 0.0
    modified_ms: Moment = 0.0

    @property
    def is_region(self) -> bool:
        """Whether it encloses voxels."""
        return self.is_flat or self.kind == "box"

    @property
    def is_flat(self) -> bool:
        """Whether it encloses an area of one section."""
        return self.kind in FLAT_KINDS or (self.kind == "freehand" and self.closed)

    def looks_like(self, other: Annotation | None) -> bool:
        """Whether they are equal but for the moment of the last change."""
        if other is None:
            return False
        fields = (name for name in self.__struct_fields__ if name != "modified_ms")
        return all(getattr(self, name) == getattr(other, name) for name in fields)


def annotation(kind: str, points: Any, **fields: Any) -> Annotation:
    """Make an annotation of what a user gives: any sequence or array of points.

    Parameters
    ----------
    kind : str
        One of `ANNOTATION_KINDS`.
    points : sequence of 3 numbers, or of such
        Voxel coordinates; a single point may be given as it is.
    **fields
        Any other field of `Annotation`.

    Raises
    ------
    AnnotationError
        Names what cannot be; the volume's extents are checked where it is put into one.
    """
    return typed({"kind": kind, "points": points_of(points), **fields})


def points_of(points: Any) -> tuple[tuple[float, ...], ...]:
    """Plain numbers of whatever holds points.

    Raises
    ------
    AnnotationError
        If these are not points.
    """
    try:
        rows = [points] if len(points) and not hasattr(points[0], "__len__") else points
        if len(rows) > MAX_POINTS:
            raise AnnotationError(
                f"An annotation of {len(rows)} points is too large.", hint=f"At most {MAX_POINTS}."
            )
        return tuple(tuple(float(v) for v in row) for row in rows)
    except (TypeError, ValueError, IndexError, KeyError) as exc:
        if isinstance(exc, AnnotationError):
            raise
        raise AnnotationError(
            "The points are not sequences of three numbers.",
            hint="Give [(i, j, k), ...] in voxel coordinates.",
        ) from exc


def typed(fields: dict[str, Any]) -> Annotation:
    """Annotation with these fields, each of its type and in its bounds.

    Raises
    ------
    AnnotationError
    """
    kind = fields.get("kind")
    if kind not in ANNOTATION_KINDS:
        raise AnnotationError(
            f"There is no annotation of kind {str(kind)[:40]!r}.",
            hint=f"Known: {', '.join(ANNOTATION_KINDS)}.",
        )
    for point in fields.get("points", ()):
        if not all(math.isfinite(v) for v in point):
            raise AnnotationError(f"The point {point} is not a place.", hint="Give finite numbers.")
    try:
        return msgspec.convert(fields, Annotation)
    except msgspec.ValidationError as exc:
        raise AnnotationError(f"The annotation is not valid: {exc}.") from exc


def check_annotation(item: Annotation, shape: Sequence[int] | None) -> None:
    """Refuse an annotation that cannot be, in a volume of this shape.

    Parameters
    ----------
    item : Annotation
        Its fields have the types and bounds of the struct.
    shape : tuple of int or None
        None: of a volume that is not open yet, whose extents are not checked.

    Raises
    ------
    AnnotationError
    """
    _check_count(item)
    if shape is not None:
        _check_inside(item, shape)
    if item.closed and item.kind != "freehand":
        raise AnnotationError(f"A {item.kind} cannot be closed.", hint="Draw a polygon.")
    if item.grid and item.kind != "horizon":
        raise AnnotationError(f"A {item.kind} has no grid.", hint="Horizons are followed.")
    if item.kind == "box" and any(a == b for a, b in zip(*item.points, strict=True)):
        raise AnnotationError(
            "The box has no volume.", hint="Its two corners differ on all three axes."
        )
    if item.is_flat:
        _check_flat(item)
    for name in ("label", "text", "group"):
        check_text(name, getattr(item, name))


def _check_count(item: Annotation) -> None:
    n, exact = len(item.points), _EXACT_POINTS.get(item.kind)
    if exact is not None:
        if n != exact:
            raise AnnotationError(f"A {item.kind} has {exact} points, not {n}.")
        return
    least = 3 if item.closed else _LEAST_POINTS[item.kind]
    if not least <= n <= MAX_POINTS:
        raise AnnotationError(f"A {item.kind} has {least} to {MAX_POINTS} points, not {n}.")


def _check_inside(item: Annotation, shape: Sequence[int]) -> None:
    for point in item.points:
        for v, n in zip(point, shape, strict=True):
            if not -0.5 <= v <= n - 0.5:  # also false for NaN
                place = tuple(round(v, 3) for v in point)
                raise AnnotationError(
                    f"The point {place} of a {item.kind} is outside the volume.",
                    hint=f"The volume has {tuple(shape)} voxels, from -0.5 to n - 0.5.",
                )


def _check_flat(item: Annotation) -> None:
    if item.axis is None:
        if item.kind in _CORNERED:
            raise AnnotationError(
                f"A {item.kind} lies in a slice.", hint="Say which one: axis=0, 1 or 2."
            )
        check_in_one_plane(item)
        return
    across = [point[item.axis] for point in item.points]
    if max(across) - min(across) > _FLAT:
        raise AnnotationError(
            f"The points of a {item.kind} lie in different sections.",
            hint=f"Give all of them the same coordinate on axis {item.axis}.",
        )


def check_in_one_plane(item: Annotation) -> None:
    """Refuse an outline in space whose points lie in no plane, as far as they are rounded.

    Raises
    ------
    AnnotationError
    """
    normal, middle = plane_through(item.points)
    off = float(np.abs((np.asarray(item.points) - middle) @ normal).max())
    if off > _IN_PLANE:
        raise AnnotationError(
            f"The points of a {item.kind} do not lie in one plane: {off:.2g} voxels beside it.",
            hint="Draw it on one slice, oblique plane or straight piece of a fence.",
        )


def plane_through(
    points: Sequence[Sequence[float]],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the unit normal and a point of the plane that lies closest to points, in index space."""
    at = np.asarray(points, float)
    middle = at.mean(axis=0)
    return np.linalg.svd(at - middle)[2][2], middle


def check_text(name: str, text: str) -> None:
    """Refuse what is not text for people: markup that runs, and characters that steer.

    Raises
    ------
    AnnotationError
    """
    if _MARKUP.search(text):
        raise AnnotationError(f"The {name} holds markup.", hint="It is shown as plain text.")
    for character in text:
        # Cc: control, Cf: also those that turn the direction of writing, Cs: half characters.
        if unicodedata.category(character) in ("Cc", "Cs") and character not in _MAY_CONTROL:
            raise AnnotationError(f"The {name} holds the control character {character!r}.")
        if character in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069":
            raise AnnotationError(f"The {name} turns the direction of writing.")
