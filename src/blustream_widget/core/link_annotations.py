"""Messages of a kernel's link about annotations, measurements and horizons.

Part of `core.link_protocol`'s unions.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from blustream_widget.core.annotation import Annotation, Id, Name, Points
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    Edit,
    Measurement,
    Seq,
    Want,
)
from blustream_widget.core.horizon import Gate, TrackedGrid


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


# ---------------------------------------------------------------- kernel to server


class EditItems(_Message, tag="edit", frozen=True):
    """Change annotations, all of it or nothing; answered by `Annotations`.

    `seq` grows with every message; one that was taken already is not taken again. `is_restoring`:
    these are all that a former server had, with their authors and times; `more`: the rest of them
    follows. The server takes no other edits before it has all of them, not even if there are none.
    """

    session: str
    seq: Seq
    edits: tuple[Edit, ...] = ()
    gesture: Seq = 0
    history: Literal["", "undo", "redo"] = ""
    now_ms: float = 0.0
    is_restoring: bool = False
    more: bool = False


class MeasureItem(_Message, tag="measure", frozen=True):
    """Measure an annotation, whether the session has it or not; answered by `Measured`.

    `cancel`: the answer to question `n` is not wanted any more.
    """

    session: str
    n: int
    item: Annotation
    want: tuple[Want, ...] = ()
    channel: int | None = None
    bins: int = 64
    cancel: bool = False


class TrackHorizon(_Message, tag="track", frozen=True):
    """Follow a horizon from its seeds over the volume; answered by `Tracked`.

    `span`: samples above and below the seeds that are looked at; None: as many as may be. `item`:
    the annotation that gets what is followed.
    """

    session: str
    n: int
    seeds: Points = ()
    gate: Gate = Gate()
    channel: int | None = None
    span: int | None = None
    item: Id | None = None
    cancel: bool = False


class WantHorizon(_Message, tag="horizon", frozen=True):
    """Ask for a grid that the session keeps; answered by `Tracked`."""

    session: str
    n: int
    name: Name
    cancel: bool = False


# ---------------------------------------------------------------- server to kernel


class Annotations(_Message, tag="annotations", frozen=True):
    """What changed of the annotations: at most 5 a second, each with its newest version."""

    session: str
    edits: AnnotationEdits


class Measured(_Message, tag="measured", frozen=True):
    """Answer to `MeasureItem`; more than one while voxels are read, the last is `done`."""

    session: str
    measurement: Measurement


class Tracked(_Message, tag="tracked", frozen=True):
    """Answer to `TrackHorizon` or `WantHorizon`; the last is `done`."""

    session: str
    grid: TrackedGrid


AnnotationsToServer: TypeAlias = EditItems | MeasureItem | TrackHorizon | WantHorizon
AnnotationsToKernel: TypeAlias = Annotations | Measured | Tracked
