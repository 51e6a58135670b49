"""Edits of labels: what may be asked for, with its bounds, and how it travels."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

import msgspec

from blustream_widget.core.looks import MAX_NAME
from blustream_widget.core.segmentation import LABEL_MAX, LABEL_MIN
from blustream_widget.core.types import Channel
from blustream_widget.errors import StateError

MAX_STROKE_POINTS = 2000

History: TypeAlias = Literal["", "undo", "redo"]
Label: TypeAlias = Annotated[int, msgspec.Meta(ge=LABEL_MIN, le=LABEL_MAX)]
_Coordinate: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
_Real: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e30, le=1e30)]
_Axis: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2)]
_Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Channel: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=4095)]
_Radius: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1e6)]
Place: TypeAlias = tuple[_Coordinate, _Coordinate, _Coordinate]
"""Voxel coordinates of the shown volume; voxel i reaches from i - 0.5 to i + 0.5."""

Brick: TypeAlias = tuple[int, int, int]
"""Number of a brick along each axis of the label volume, at full resolution."""


class ValueRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Values of a channel of the shown volume from `low` to `high`, both included."""

    low: _Real
    high: _Real
    channel: _Channel = 0


class _Edit(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True
):
    pass


class Stroke(_Edit, tag="stroke", frozen=True, kw_only=True):
    """A brush is drawn along points: every voxel whose centre it passes over gets the label.

    Parameters
    ----------
    points : tuple of Place
        Joined by straight lines. The voxel that a point lies in is always painted.
    radius : float
        In the shown volume's world unit, by the spacing of its axes.
    label : int
        0 erases.
    axis : int or None
        The brush is a disc in the slice across this axis that the first point lies in; None: a
        ball.
    over : int or None
        Only voxels that have this label.
    within : ValueRange or None
        Only voxels with such values.
    """

    points: Annotated[tuple[Place, ...], msgspec.Meta(min_length=1, max_length=MAX_STROKE_POINTS)]
    radius: _Radius
    label: Label
    axis: _Axis | None = None
    over: Label | None = None
    within: ValueRange | None = None


class Fill(_Edit, tag="fill", frozen=True, kw_only=True):
    """Everything gets the label that has the seed's label now and is joined to it by faces.

    Parameters
    ----------
    seed : Place
    label : int
    axis : int or None
        Only in the slice across this axis that the seed lies in.
    """

    seed: Place
    label: Label
    axis: _Axis | None = None


class Grow(_Edit, tag="grow", frozen=True, kw_only=True):
    """Everything gets the label that has values in a range and is joined to the seed by faces.

    Parameters
    ----------
    seed : Place
    label : int
    within : ValueRange or None
        None: values that differ from the seed's own by `tolerance` at most.
    tolerance : float
    channel : int
        Of the shown volume, for `tolerance`.
    axis : int or None
        Only in the slice across this axis that the seed lies in.
    over : int or None
        Only voxels that have this label.
    """

    seed: Place
    label: Label
    within: ValueRange | None = None
    tolerance: Annotated[float, msgspec.Meta(ge=0, le=1e30)] = 0.0
    channel: _Channel = 0
    axis: _Axis | None = None
    over: Label | None = None


class Cut(_Edit, tag="cut", frozen=True, kw_only=True):
    """Everything inside or outside an outline gets the label: voxels whose centre lies there.

    Parameters
    ----------
    points : tuple of Place
        Corners of the outline, at least three, in a slice across `axis`.
    label : int
        0 erases.
    axis : int
    slices : tuple of int or None
        First and last of the shown volume's slices, both included; None: all of them.
    is_outside : bool
    over : int or None
        Only voxels that have this label.
    """

    points: Annotated[tuple[Place, ...], msgspec.Meta(min_length=3, max_length=MAX_STROKE_POINTS)]
    label: Label
    axis: _Axis
    slices: tuple[_Index, _Index] | None = None
    is_outside: bool = False
    over: Label | None = None


class Smooth(_Edit, tag="smooth", frozen=True, kw_only=True):
    """A label's outline is smoothed: a voxel has it where the blurred label is at least a half.

    Parameters
    ----------
    label : int
        Voxels that it loses get 0; it gains none that another label has.
    radius : float
        Standard deviation of the blur, in the shown volume's world unit.
    """

    label: Label
    radius: _Radius


class Islands(_Edit, tag="islands", frozen=True, kw_only=True):
    """Separate pieces of a label, joined by faces, are taken away.

    Parameters
    ----------
    label : int
    min_voxels : int
        Pieces with fewer go; 0: all but the largest.
    """

    label: Label
    min_voxels: Annotated[int, msgspec.Meta(ge=0, le=2**40)] = 0


class Interpolate(_Edit, tag="interpolate", frozen=True, kw_only=True):
    """A label is filled in between its slices: halfway from outline to outline.

    Parameters
    ----------
    label : int
        It gains no voxels that another label has.
    axis : int
        Across the slices that it was drawn on; those without it in between are filled.
    """

    label: Label
    axis: _Axis


LabelEdit: TypeAlias = Stroke | Fill | Grow | Cut | Smooth | Islands | Interpolate


class BrickChange(msgspec.Struct, frozen=True, array_like=True):
    """A brick before and after an edit, as `pack_brick` makes it."""

    brick: Brick
    old: bytes
    new: bytes


class EditLabels(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=0x70
):
    """A viewer edits labels: all of it or nothing; answered by `LabelsEdited` or an error.

    Parameters
    ----------
    seq : int
        Grows with every one of this viewer's.
    name : str
        Of the segmentation; of no meaning with `history`.
    edit : LabelEdit or None
        None with `history`.
    history : {"", "undo", "redo"}
        Takes back this viewer's newest edit that is left, or does it again.
    """

    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    name: Annotated[str, msgspec.Meta(max_length=MAX_NAME)] = ""
    edit: LabelEdit | None = None
    history: History = ""


class LabelsEdited(msgspec.Struct, frozen=True, tag_field="type", tag=0x71):
    """Labels were edited, by this viewer or another one; or this one's edit was refused.

    Parameters
    ----------
    name : str
    seq : int
        Of the newest edit of this viewer that was done or refused.
    frame_no : int
        Pictures with a higher number show it.
    n_voxels : int
        That changed.
    can_undo, can_redo : bool
        Of this viewer's own edits.
    """

    name: str
    seq: int
    frame_no: int
    n_voxels: int = 0
    can_undo: bool = False
    can_redo: bool = False


class CancelEdit(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type", tag=0x78
):
    """A viewer's edit `seq` is not wanted any more.

    Answered by the edit's own `LabelsEdited`: with no voxels, unless it was done by then.
    """

    seq: Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class EditProgress(msgspec.Struct, frozen=True, tag_field="type", tag=0x79):
    """How far this viewer's long edit is: a share of 0 to 1, or None where nobody can know it."""

    name: str
    seq: int
    share: float | None = None


def check_new_label(value: Any, channel: Channel) -> int:
    """Check a label that voxels are to get: one that the volume can hold, and somebody knows.

    Known are 0, those from the channel's lowest to its highest, the next one, which is a new label,
    and those with a name.

    Raises
    ------
    StateError
    """
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    if not is_whole:
        raise StateError(f"The label {value!r} is not a whole number.", hint="For example label=1.")
    known = value == 0 or channel.value_min <= value <= channel.value_max + 1
    if not (known or value in channel.label_names):
        raise StateError(
            f"There is no label {value}.",
            hint=f"There are {channel.value_min:g} to {channel.value_max:g} and those with a name; "
            f"{channel.value_max + 1:g} would be a new one.",
        )
    return int(value)


def checked_places(points: Any) -> tuple[Place, ...]:
    """Check voxel coordinates, of one point or of several.

    Raises
    ------
    StateError
    """
    message = f"The points are not 1 to {MAX_STROKE_POINTS} places of three finite coordinates."
    hint = "For example [(10, 20, 30), (10, 25, 30)]."
    try:
        given = [points] if _is_one(points) else list(points)
        places = [tuple(float(v) for v in one) for one in given[: MAX_STROKE_POINTS + 1]]
    except (TypeError, ValueError) as exc:
        raise StateError(message, hint=hint) from exc
    are_numbers = all(len(one) == 3 and all(map(math.isfinite, one)) for one in places)
    if not 0 < len(places) <= MAX_STROKE_POINTS or not are_numbers:
        raise StateError(message, hint=hint)
    return tuple((a, b, c) for a, b, c in places)


_Kind = TypeVar("_Kind", bound=LabelEdit | ValueRange)


def checked_edit(kind: type[_Kind], **fields: Any) -> _Kind:
    """Make an edit whose fields are within their bounds.

    Raises
    ------
    StateError
        Names the field.
    """
    for name, value in fields.items():
        if any(isinstance(v, float) and not math.isfinite(v) for v in _numbers(value)):
            raise StateError(f"{name} = {value!r} is not a finite number.")
    try:
        return msgspec.convert(fields, type=kind)
    except msgspec.ValidationError as exc:
        raise StateError(f"The edit cannot be: {exc}.") from exc


def _numbers(value: Any) -> Iterable[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def _is_one(points: Any) -> bool:
    return len(points) == 3 and not hasattr(points[0], "__len__")
