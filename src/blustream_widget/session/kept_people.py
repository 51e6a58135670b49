"""Links and guests of a session as they are written down, without the codes of the links."""

from __future__ import annotations

import msgspec

from blustream_widget.core.sharing import GuestRole


class KeptLink(msgspec.Struct, frozen=True, array_like=True):
    """A link, by the SHA-256 of its code."""

    id: str
    digest: bytes
    role: GuestRole
    expires_ms: float
    max_viewers: int
    n_joined: int
    is_open: bool


class KeptGuest(msgspec.Struct, frozen=True, array_like=True):
    """A person who came by the link of this id; `account` as JupyterHub knows them."""

    id: str
    name: str
    role: GuestRole
    own_role: GuestRole
    color: str
    link: str
    is_lent: bool
    account: str = ""


class KeptPast(msgspec.Struct, frozen=True, array_like=True):
    """A link (by its digest) or a person (by its id, without a digest) not let in, and why."""

    digest: bytes
    person: str
    code: str
    message: str
    hint: str


class KeptPeople(msgspec.Struct, frozen=True, array_like=True, tag="people"):
    """Who may come to a session, who may not any more, and names that nobody gets again.

    `accounts` says by which of them accounts of JupyterHub are known.
    """

    links: tuple[KeptLink, ...]
    guests: tuple[KeptGuest, ...]
    past: tuple[KeptPast, ...]
    names: tuple[str, ...]
    accounts: dict[str, str] = {}
