"""Messages about annotations (0x33) and measurements (0x34), part of `core.protocol`'s unions.

Edits are absolute, so that repeating one changes nothing, and small: a dragged vertex sends that
vertex. The server puts all edits into one order; whoever applies them in this order has the same
annotations as everybody else.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.core.annotation import (
    MAX_POINTS,
    Annotation,
    Color,
    Id,
    Label,
    Name,
    Point,
    Points,
    Text,
    Width,
)
from blustream_widget.core.message_types import MessageType
from blustream_widget.core.spectrum import Spectrum

MAX_EDITS = 256
"""Edits of one message of a viewer."""
MAX_BINS = 256
MAX_PROFILE = 2000
"""Samples of a line profile."""

Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class _Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="op"):
    pass


class PutItem(_Edit, tag="put", frozen=True, omit_defaults=True):
    """Add an annotation, or replace the one of the same id in its place.

    A new one comes last, or in front of `before` where that is given and exists.
    """

    item: Annotation
    before: Id | None = None


class SetItem(_Edit, tag="set", frozen=True):
    """Change the fields that are given."""

    id: Id
    label: Label | None = None
    text: Text | None = None
    color: Color | None = None
    width: Width | None = None
    visible: bool | None = None
    locked: bool | None = None
    closed: bool | None = None
    group: Name | None = None
    points: Points | None = None


class DragPoint(_Edit, tag="drag", frozen=True):
    """Put one vertex to another place."""

    id: Id
    at: Annotated[int, msgspec.Meta(ge=0, lt=MAX_POINTS)]
    point: Point


class MoveItem(_Edit, tag="move", frozen=True):
    """Move an annotation as a whole, so that its first point lies at `to`."""

    id: Id
    to: Point


class RemoveItem(_Edit, tag="remove", frozen=True):
    """Remove an annotation; nothing happens where there is none of this id."""

    id: Id


Edit: TypeAlias = PutItem | SetItem | DragPoint | MoveItem | RemoveItem
OrderedEdit: TypeAlias = PutItem | DragPoint | MoveItem | RemoveItem
"""What the server sends: `SetItem` has become a whole item."""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class EditAnnotations(_Message, tag=int(MessageType.ANNOTATION), frozen=True):
    """Change annotations, all of it or nothing; or take back a step of the same author.

    Goes by the reliable connection. Edits of one `gesture` above 0 are one step of the history.
    """

    seq: Seq
    edits: Annotated[tuple[Edit, ...], msgspec.Meta(max_length=MAX_EDITS)] = ()
    gesture: Seq = 0
    history: Literal["", "undo", "redo"] = ""


class AnnotationEdits(_Message, tag=int(MessageType.ANNOTATION), frozen=True):
    """What changed, in the server's order. `reset`: forget all annotations first.

    `more`: the rest of the reset follows. `seq` is the newest `EditAnnotations` of this very viewer
    that is contained, or was refused.
    """

    revision: Seq
    seq: Seq = 0
    edits: tuple[OrderedEdit, ...] = ()
    reset: bool = False
    more: bool = False
    can_undo: bool = False
    can_redo: bool = False


Want: TypeAlias = Literal["geometry", "statistics", "profile", "value", "spectrum"]


class Measure(_Message, tag=int(MessageType.MEASUREMENT), frozen=True):
    """Measure an annotation of the session. A newer question about it replaces an older one.

    `want` empty: all that its kind has but a spectrum. `channel` None: the shown one.
    """

    n: Seq
    id: Id
    want: Annotated[tuple[Want, ...], msgspec.Meta(max_length=5)] = ()
    channel: Annotated[int, msgspec.Meta(ge=0, le=4095)] | None = None
    bins: Annotated[int, msgspec.Meta(ge=1, le=MAX_BINS)] = 64
    cancel: bool = False


class Quantity(msgspec.Struct, frozen=True):
    """A number with its name and unit: ("distance", 38.2, "mm")."""

    name: str
    value: float
    unit: str


class Statistics(msgspec.Struct, frozen=True):
    """Of the full-resolution voxels whose centre is inside; numbers are None without any value.

    `sd` is that of the population. `histogram` counts in equal bins from `low` to `high`.
    `n_nodata` voxels inside have no value (NaN, or marked as such) and count nowhere else.
    """

    channel: int
    unit: str
    count: int
    n_nodata: int = 0
    mean: float | None = None
    sd: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    median: float | None = None
    percentiles: tuple[tuple[float, float], ...] = ()
    low: float | None = None
    high: float | None = None
    histogram: tuple[int, ...] = ()


class Profile(msgspec.Struct, frozen=True):
    """Values along a line: of the voxel that holds each position, None where it has none.

    `positions` are distances from the first point in `unit`; voxels where the line crosses units
    that have no sum. `first` and `last` are the line's ends in voxel coordinates.
    """

    channel: int
    unit: str
    value_unit: str
    positions: tuple[float, ...]
    values: tuple[float | None, ...]
    first: tuple[float, float, float]
    last: tuple[float, float, float]


class Measurement(_Message, tag=int(MessageType.MEASUREMENT), frozen=True):
    """Answer to `Measure`: quantities at once, what needs voxels when all of them were read.

    `no_spectrum` says why there is none, where one was wanted.
    """

    n: Seq
    id: str
    progress: float = 0.0
    done: bool = False
    quantities: tuple[Quantity, ...] = ()
    statistics: Statistics | None = None
    profile: Profile | None = None
    value: float | None = None
    spectrum: Spectrum | None = None
    no_spectrum: str = ""
    error: str = ""

    def __getitem__(self, name: str) -> float:
        """Return the number of one quantity."""
        return {found.name: found.value for found in self.quantities}[name]
