"""Messages about horizons (0x88 to 0x8A), part of `core.protocol`'s unions.

The page picks on pictures, which are no voxels: where an event lies is asked of the worker. What
was followed is a grid that the session keeps under a name, which the annotation bears (`grid`); a
page that shows the annotation asks for the grid once.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.core.annotation import Id, Name, Point
from blustream_widget.core.horizon import Event
from blustream_widget.core.message_types import MessageType

Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Reach: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=100)]
Channel: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=4095)]
Over: TypeAlias = Literal["section", "volume"]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Snap(_Message, tag=int(MessageType.SNAP), frozen=True):
    """Ask where the event nearest to a pick lies, within `reach` samples above and below it."""

    n: Seq
    place: Point
    event: Event = "peak"
    reach: Reach = 3.0
    channel: Channel | None = None


class Snapped(_Message, tag=int(MessageType.SNAP), frozen=True):
    """Answer to `Snap`: the sample with its fraction; None where there is no such event."""

    n: Seq
    sample: float | None = None
    error: str = ""


class Track(_Message, tag=int(MessageType.TRACK), frozen=True):
    """Follow an annotated horizon from its picks, in one section or over the volume.

    `axis` and `line` say which section. What it is followed to is added to what it was before in
    sections, and replaces it over the volume. `cancel` calls question `n` off.
    """

    n: Seq
    id: Id
    over: Over = "volume"
    axis: Annotated[int, msgspec.Meta(ge=0, le=1)] = 0
    line: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    event: Event = "peak"
    reach: Reach = 3.0
    channel: Channel | None = None
    cancel: bool = False


class Tracking(_Message, tag=int(MessageType.TRACK), frozen=True):
    """How far `Track` is; the last one is `done`, and the annotation has its `grid` by then."""

    n: Seq
    id: str
    progress: float = 0.0
    done: bool = False
    n_picked: int = 0
    error: str = ""


class WantGrid(_Message, tag=int(MessageType.GRID), frozen=True):
    """Ask for the grid of a horizon; answered by `GridOfHorizon`."""

    name: Name


class GridOfHorizon(_Message, tag=int(MessageType.GRID), frozen=True):
    """A grid as `HorizonGrid` packs it; `stride` 0: the session does not have it any more.

    `codes`: base64.
    """

    name: str
    shape: tuple[int, int] = (0, 0)
    stride: int = 0
    base: float = 0.0
    step: float = 1.0
    n_picked: int = 0
    low: float = 0.0
    high: float = 0.0
    codes: bytes = b""
