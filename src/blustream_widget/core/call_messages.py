"""Messages about calls of people (0xA2 to 0xA6, 0xBA), part of `core.protocol`'s unions.

Voice and pictures go from browser to browser; the server passes on what two browsers must tell each
other to find and trust one another, between people who are in the call. In a larger call they go
through an SFU: the server speaks with that, and passes on what a page and the SFU tell each other.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.core.message_types import MessageType

MAX_IN_CALL = 6
"""People of a call from browser to browser: each page sends what it sends to every other one."""
SDP_CHARS = 48 * 1024
"""Longest description; with the escapes of JSON it stays below the bound of all messages."""

Seat: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{16}$")]
"""Names one page's part in a call; another visit of the same person is another one."""
CallPolicy: TypeAlias = Literal["everyone", "editors", "nobody"]
"""Who may talk: everybody in the view; those who may drive it; nobody."""
CALL_POLICIES: tuple[CallPolicy, ...] = ("everyone", "editors", "nobody")


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="sdp"):
    """Offer or answer of a browser."""

    kind: Literal["offer", "answer"]
    sdp: Annotated[str, msgspec.Meta(max_length=SDP_CHARS, pattern=r"^v=0")]


class Candidate(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ice", rename="camel"):
    """Where a browser may be reached, in the words of `RTCIceCandidateInit`; "": no more comes."""

    candidate: Annotated[str, msgspec.Meta(max_length=1024)]
    sdp_mid: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    sdp_m_line_index: Annotated[int, msgspec.Meta(ge=0, le=255)] | None = None
    username_fragment: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class Moved(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="moved"):
    """The receiver is heard by way of the SFU: their own connection may end, if they agree."""


Signal: TypeAlias = Description | Candidate | Moved

Way: TypeAlias = Literal["up", "down"]
"""Connections of a page with the SFU: what it sends, and what it gets."""
Attempt: TypeAlias = Annotated[int, msgspec.Meta(ge=1, lt=1 << 31)]
"""Which pair of connections of a page: each time it begins anew with both."""

# ---------------------------------------------------------------- viewer to server


class JoinCall(_Message, tag=int(MessageType.JOIN_CALL), frozen=True):
    """Take part in the call; answered by `Call`, or an error of code "call".

    `seat`: the one that the sender had before its connection broke; "" for a new one.
    """

    seat: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{16})?$")] = ""
    muted: bool = False
    camera: bool = False


class LeaveCall(_Message, tag=int(MessageType.LEAVE_CALL), frozen=True):
    """Take part no more."""


class CallSound(_Message, tag=int(MessageType.CALL_SOUND), frozen=True):
    """Whether the others hear the sender, and see their camera."""

    muted: bool
    camera: bool = False


class CallSignal(_Message, tag=int(MessageType.CALL_SIGNAL), frozen=True):
    """Tell the browser that has `seat` something, if both are in the call."""

    seat: Seat
    signal: Signal


class CallMedia(_Message, tag=int(MessageType.CALL_MEDIA), frozen=True):
    """Tell the SFU something, if the sender is in the call.

    An offer goes up and begins attempt `n`, in place of the one before; an answer goes down.
    """

    n: Attempt
    way: Way
    signal: Description | Candidate


CallMessage: TypeAlias = JoinCall | LeaveCall | CallSound | CallSignal | CallMedia

# ---------------------------------------------------------------- server to viewer


class CallMember(msgspec.Struct, frozen=True):
    """Somebody who takes part; `recorded`: their voice goes into the recording that runs."""

    seat: str
    person: str
    muted: bool
    camera: bool
    recorded: bool = False


class Call(_Message, tag=int(MessageType.CALL), frozen=True):
    """Who takes part, told to those who do; `seat` is the receiver's.

    `mesh`: each page is to be connected to each other one. `sfu` numbers the room of the SFU that
    there is, 0: none; until all are heard there, connections between pages go on. `trouble` says
    what is wrong with the SFU.
    """

    seat: str
    members: tuple[CallMember, ...]
    mesh: bool = True
    sfu: int = 0
    trouble: str = ""


class CallSignalled(_Message, tag=int(MessageType.CALL_SIGNAL), frozen=True):
    """What the browser that has `seat` tells the receiver."""

    seat: str
    signal: Signal


class MediaEnded(msgspec.Struct, frozen=True, tag="end"):
    """The SFU let go of the connections of this attempt: they have to begin anew."""


class CallTrack(msgspec.Struct, frozen=True):
    """Whose voice or picture comes by a line (`mid`) of an offer."""

    mid: str
    kind: Literal["audio", "video"]
    seat: str


class CallMediaTold(_Message, tag=int(MessageType.CALL_MEDIA), frozen=True):
    """What the SFU tells the receiver; `tracks` are all of those in an offer."""

    n: int
    way: Way
    signal: Description | Candidate | MediaEnded
    tracks: tuple[CallTrack, ...] = ()


class CallLeft(_Message, tag=int(MessageType.LEAVE_CALL), frozen=True):
    """The receiver takes part no more, because of this."""

    message: str
    hint: str = ""
