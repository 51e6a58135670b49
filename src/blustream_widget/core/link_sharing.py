"""Messages of a kernel's link about people and links, part of `core.link_protocol`'s unions."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

import msgspec

from blustream_widget.core.call_messages import CallPolicy
from blustream_widget.core.sharing import (
    AuditRecord,
    Code,
    Expiry,
    Export,
    GuestName,
    GuestRole,
    Key,
    PersonKey,
    Seats,
    SharedPerson,
    ShareLinkInfo,
)


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


# ---------------------------------------------------------------- kernel to server


class OpenLink(_Message, tag="share", frozen=True):
    """Let people in who have `code`; `Shared` says that they can, `SessionError` why not."""

    session: str
    id: Key
    code: Code
    role: GuestRole
    expires_s: Expiry
    max_viewers: Seats


class StopSharing(_Message, tag="unshare", frozen=True):
    """Show out all guests and close all links, or one link and those who came by it."""

    session: str
    link: Key | None = None


class ManagePerson(_Message, tag="manage", frozen=True):
    """Do something about a person, as `share_messages.Manage`."""

    session: str
    person: PersonKey
    action: Literal["role", "remove", "grant", "refuse", "take-back"]
    role: GuestRole | None = None


MAX_ENDED = 512


class StayOut(_Message, tag="stay-out", frozen=True):
    """What was ended before: told again to a server that may not have heard of it.

    What is not there any more is no error.
    """

    session: str
    links: Annotated[tuple[Key, ...], msgspec.Meta(max_length=MAX_ENDED)] = ()
    people: Annotated[tuple[PersonKey, ...], msgspec.Meta(max_length=MAX_ENDED)] = ()


class NoteExport(_Message, tag="exported", frozen=True):
    """The owner wrote something of the view from Python: for the record.

    `at_ms`: when, since 1970; it may have been while there was no server.
    """

    session: str
    what: Export
    at_ms: float


class NameOwner(_Message, tag="owner", frozen=True):
    """What the owner is called; "": nobody knows."""

    session: str
    name: GuestName


class SetCalls(_Message, tag="calls", frozen=True):
    """Say who may take part in calls; who may not any more is out."""

    session: str
    calls: CallPolicy


OfSharing: TypeAlias = (
    OpenLink | StopSharing | StayOut | ManagePerson | NoteExport | NameOwner | SetCalls
)


# ---------------------------------------------------------------- server to kernel


class Shared(_Message, tag="shared", frozen=True):
    """Who is here, and by which links more can come; `page` is the address links begin with.

    `audit` holds the records since the last one.
    """

    session: str
    people: tuple[SharedPerson, ...] = ()
    links: tuple[ShareLinkInfo, ...] = ()
    page: str = ""
    audit: tuple[AuditRecord, ...] = ()
