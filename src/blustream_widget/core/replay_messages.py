"""Messages about a recording that happens again in a view (0xC0 to 0xC3).

Part of `core.protocol`'s unions, and of the link's: the kernel plays it, and is the one that knows
where it is.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from blustream_widget.core.message_types import MessageType

REPLAY_SPEED_MIN, REPLAY_SPEED_MAX = 0.05, 100.0
PIECE_MS = 2000
"""Voices come in pieces of this length: the first begins with the recording."""
MAX_SAID_BYTES = 1024 * 1024
"""Of one piece, as it is coded: a hundred people who talk at once."""
MAX_CHAPTERS = 1000

ReplayNumber: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
"""Of a replay: the next one of the same kernel has a higher number."""


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class DriveReplay(_Message, tag=int(MessageType.DRIVE_REPLAY), frozen=True):
    """Go on or stand still, go to a time in seconds, at another speed, or end it.

    What is None stays. About a replay that is over it says nothing.
    """

    n: ReplayNumber
    playing: bool | None = None
    t: Annotated[float, msgspec.Meta(ge=0, le=1e9)] | None = None
    speed: Annotated[float, msgspec.Meta(ge=REPLAY_SPEED_MIN, le=REPLAY_SPEED_MAX)] | None = None
    end: bool = False


class ReplayAbout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a replay is of: `name` is the file's, `chapters` are (seconds, title).

    `speakers` are (id, name, colour) of those whose voices are heard.
    """

    name: str
    duration_s: float
    chapters: tuple[tuple[float, str], ...] = ()
    speakers: tuple[tuple[str, str, str], ...] = ()


class ReplayState(_Message, tag=int(MessageType.REPLAY), frozen=True):
    """Where a replay is: told to everybody who looks, twice a second and when it changes.

    `t` is in seconds of the recording, `jumps` counts how often somebody went to another time.
    `waits`: the kernel runs a cell, and the view stands still. `about` comes with the first one.
    """

    n: ReplayNumber
    t: float
    speed: float = 1.0
    playing: bool = True
    jumps: int = 0
    waits: bool = False
    over: bool = False
    about: ReplayAbout | None = None


class WantSaid(_Message, tag=int(MessageType.WANT_SAID), frozen=True):
    """Ask for what is said in a piece of the recording, near where the replay is."""

    n: ReplayNumber
    piece: Annotated[int, msgspec.Meta(ge=0, le=2**31)]


class SaidRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Packets of one voice, without a gap; `at`: when the first begins, in seconds."""

    who: str
    at: float
    packets: tuple[bytes, ...]


class Said(_Message, tag=int(MessageType.SAID), frozen=True):
    """What is said in a piece, and just before it; `refused` says why that is not told."""

    n: ReplayNumber
    piece: int
    runs: tuple[SaidRun, ...] = ()
    refused: str = ""
