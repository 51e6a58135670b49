"""Messages about sharing (0x90 to 0x9E), part of `core.protocol`'s unions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.core.annotation import AnnotationKind, SectionAxis
from blustream_widget.core.message_types import MessageType
from blustream_widget.core.sharing import (
    Code,
    Expiry,
    GuestName,
    GuestRole,
    Key,
    PersonKey,
    Seats,
    SharedPerson,
    ShareLinkInfo,
)

MAX_LINK_CHARS = 32 * 1024
"""Longest text of a copied view."""
CHAT_CHARS = 500
"""Longest line of the chat."""
MAX_CHAT_LINES = 200
MAX_DRAWING_POINTS = 64
"""Of an unfinished annotation that others see."""
"""What the server keeps of a session's chat for people who come later."""

Coordinate: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]
VoxelPlace: TypeAlias = tuple[Coordinate, Coordinate, Coordinate]


class Drawing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An annotation that somebody draws, as far as it is; nothing of it is kept.

    Parameters
    ----------
    kind : AnnotationKind
    points : tuple of (float, float, float)
        Level-0 voxel coordinates; of a long stroke some of them.
    axis : int, optional
        Axis across which the section was taken that it is drawn on.
    """

    kind: AnnotationKind
    points: Annotated[
        tuple[VoxelPlace, ...], msgspec.Meta(min_length=1, max_length=MAX_DRAWING_POINTS)
    ]
    axis: SectionAxis | None = None


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


# ---------------------------------------------------------------- viewer to server


class Join(_Message, tag=int(MessageType.JOIN), frozen=True):
    """First message of a guest: exchange the code of a link for a token; answered by `Joined`.

    The hello with that token follows on the same connection, or on another.
    """

    code: Code
    name: GuestName
    protocol: int


class OpenLink(_Message, tag=int(MessageType.OPEN_LINK), frozen=True):
    """Let people in who have `code`, which the sender made; answered by `LinkOpened`.

    `address` is what their browsers open, without the code, so that the answer can draw it.
    """

    id: Key
    code: Code
    role: GuestRole
    expires_s: Expiry
    max_viewers: Seats
    address: Annotated[str, msgspec.Meta(max_length=1024)] = ""


class StopSharing(_Message, tag=int(MessageType.STOP_SHARING), frozen=True):
    """Show out all guests and close all links, or one link and those who came by it."""

    link: Key | None = None


class Manage(_Message, tag=int(MessageType.MANAGE), frozen=True):
    """Do something about a person.

    "role" gives them `role`, "remove" shows them out, "grant" and "refuse" answer who asks to
    drive, "take-back" ends a grant.
    """

    person: PersonKey
    action: Literal["role", "remove", "grant", "refuse", "take-back"]
    role: GuestRole | None = None


class Control(_Message, tag=int(MessageType.CONTROL), frozen=True):
    """Ask to drive, ask no more, or give back what was lent."""

    action: Literal["ask", "withdraw", "give-back"]


class Say(_Message, tag=int(MessageType.CHAT), frozen=True):
    """Say a line to everybody; answered by `Chat`."""

    text: Annotated[str, msgspec.Meta(max_length=CHAT_CHARS)]


class Point(_Message, tag=int(MessageType.POINTER), frozen=True):
    """The sender's pointer is over this place, in indices; None: over no picture.

    `drawing`: what they draw at the moment, of those who may.
    """

    voxel: VoxelPlace | None
    drawing: Drawing | None = None


class GuestPage(_Message, tag=int(MessageType.GUEST_PAGE), frozen=True):
    """Where the owner's browser would find the page for guests: links begin with it."""

    address: Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^https?://[^\s#?]+$")]


class LookAround(_Message, tag=int(MessageType.LOOK_AROUND), frozen=True):
    """Leave the shown view for one of the sender's own, or come back to it.

    Answered by a `Welcome` to the other view, or an error. `resumes`: the sender looked around when
    its connection broke, and goes on where it was.
    """

    on: bool
    resumes: bool = False


class CopyView(_Message, tag=int(MessageType.VIEW_LINK), frozen=True):
    """Write what the sender sees as text; answered by `ViewLink`."""


class OpenView(_Message, tag=int(MessageType.OPEN_VIEW), frozen=True):
    """Show what a copied view says, where the sender may move what they see."""

    text: Annotated[str, msgspec.Meta(max_length=MAX_LINK_CHARS)]


class Exported(_Message, tag=int(MessageType.EXPORTED), frozen=True):
    """The sender's page saved or copied a picture, which it does without the server."""

    what: Literal["saved a picture", "copied a picture"]


ViewMessage: TypeAlias = LookAround | CopyView | OpenView
SharingMessage: TypeAlias = (
    OpenLink | StopSharing | Manage | Control | Say | Point | GuestPage | Exported
)

# ---------------------------------------------------------------- server to viewer


class Joined(_Message, tag=int(MessageType.JOINED), frozen=True):
    """The code was taken; `token` goes into the hello, `expires_ms` since 1970."""

    token: str
    expires_ms: float


class People(_Message, tag=int(MessageType.PEOPLE), frozen=True):
    """Who is here; `you` is the receiver, whose role may be another now.

    `links` are told to owners only. `more`: so many are here too, and not named. `may_call`: the
    receiver may take part in a call.
    """

    people: tuple[SharedPerson, ...]
    you: str
    links: tuple[ShareLinkInfo, ...] = ()
    more: int = 0
    may_call: bool = False


class LinkOpened(_Message, tag=int(MessageType.LINK_OPENED), frozen=True):
    """The link lets people in. `qr`: rows of its QR code, "1" is dark; empty without an address."""

    id: str
    qr: tuple[str, ...] = ()


class ChatLine(msgspec.Struct, frozen=True):
    """What somebody said; `n` grows with every line, `at_ms` since 1970."""

    n: int
    who: str
    name: str
    text: str
    at_ms: float


class Chat(_Message, tag=int(MessageType.CHAT), frozen=True):
    """New lines; to who has just come, the newest ones that were said before."""

    lines: tuple[ChatLine, ...]


class PointerPlace(msgspec.Struct, frozen=True):
    """Where a person's pointer is, in indices (None: over no picture), and what they draw."""

    who: str
    voxel: VoxelPlace | None
    drawing: Drawing | None = None


class ViewLink(_Message, tag=int(MessageType.VIEW_LINK), frozen=True):
    """The view that the receiver sees, as text (`core.view_link`)."""

    text: str


class Pointers(_Message, tag=int(MessageType.POINTER), frozen=True):
    """Pointers of others that moved: at most twenty messages a second."""

    places: tuple[PointerPlace, ...]
