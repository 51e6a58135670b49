"""Links and the people who came by them: who may come, as what, and until when."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from blustream_widget.core.sharing import (
    COLORS,
    MAX_LINKS,
    NAME_CHARS,
    OWNER_ID,
    OWNER_NAME,
    GuestRole,
    ShareLinkInfo,
    name_key,
    shown_text,
)
from blustream_widget.errors import (
    BlustreamError,
    LinkExpiredError,
    LinkFullError,
    NoLinkError,
    ShareError,
    from_code,
)
from blustream_widget.session.kept_people import KeptGuest, KeptLink, KeptPast, KeptPeople

MAX_GUESTS = 512
"""People who may come to a session, here or not."""
MAX_REMEMBERED = 256
"""Links and people of the past whose end can be told to them."""
MAX_NAMES = 4096
"""People who ever came to a session."""
WhyNot: TypeAlias = Callable[[], BlustreamError]
"""Makes the error that a person is refused with."""


@dataclass(slots=True)
class Link:
    """A way in. `expires_s` on the monotonic clock."""

    id: str
    digest: bytes
    role: GuestRole
    expires_s: float
    expires_ms: float
    max_viewers: int
    n_joined: int = 0
    is_open: bool = True

    @property
    def info(self) -> ShareLinkInfo:
        """Without anything secret."""
        return ShareLinkInfo(
            id=self.id,
            role=self.role,
            expires_ms=self.expires_ms,
            max_viewers=self.max_viewers,
            n_joined=self.n_joined,
            is_open=self.is_open and self.n_joined < self.max_viewers,
        )


@dataclass(slots=True)
class Guest:
    """A person who came by a link. `own_role` is theirs again when what was lent ends.

    `account` is whom JupyterHub knows them as, if they came through its service.
    """

    id: str
    name: str
    role: GuestRole
    own_role: GuestRole
    color: str
    link: Link
    asks: bool = False
    is_lent: bool = False
    account: str = ""


class Guests:
    """The guests of one session. Not bound to a loop; nothing here speaks to anybody.

    Parameters
    ----------
    clock, wall : callable
        Seconds: monotonic, and since 1970.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._clock, self._wall = clock, wall
        self._links: dict[str, Link] = {}
        self._guests: dict[str, Guest] = {}
        # By the digest of a code, or by a person's id.
        self._past: OrderedDict[bytes | str, WhyNot] = OrderedDict()
        # Never given twice: annotations bear them, and belong to who drew them.
        self._names = {OWNER_ID}
        # Except to the same account by another link: what they drew is theirs again.
        self._accounts: dict[str, str] = {}

    def __iter__(self) -> Iterator[Guest]:
        return iter(tuple(self._guests.values()))

    def name_owner(self, name: str) -> str:
        """Say what the owner is called: nobody who comes later has the same name."""
        wanted = shown_text(name, NAME_CHARS) or OWNER_NAME
        if any(name_key(guest.name) == name_key(wanted) for guest in self):
            wanted = f"{wanted[: NAME_CHARS - 8].rstrip()} (owner)"
        self._names.add(name_key(wanted))
        return wanted

    @property
    def links(self) -> tuple[ShareLinkInfo, ...]:
        """Links that are not over."""
        return tuple(link.info for link in self._links.values())

    @property
    def is_shared(self) -> bool:
        """Whether anybody but the owner can come."""
        return bool(self._links)

    @property
    def next_expiry_s(self) -> float | None:
        """When the first of the links ends, on the monotonic clock."""
        return min((link.expires_s for link in self._links.values()), default=None)

    def kept(self) -> KeptPeople:
        """All of it, as another server can take it up with `restore`."""
        return KeptPeople(
            links=tuple(_kept_link(link) for link in self._links.values()),
            guests=tuple(_kept_guest(guest) for guest in self),
            past=tuple(_kept_past(what, why()) for what, why in self._past.items()),
            names=tuple(sorted(self._names)),
            accounts=dict(self._accounts),
        )

    def restore(self, kept: KeptPeople) -> None:
        """Let those come whom a former server let come, as long as it would have."""
        ahead_s = self._clock() - self._wall()
        for link in kept.links:
            self._links[link.id] = Link(
                id=link.id,
                digest=link.digest,
                role=link.role,
                expires_s=link.expires_ms / 1000 + ahead_s,
                expires_ms=link.expires_ms,
                max_viewers=link.max_viewers,
                n_joined=link.n_joined,
                is_open=link.is_open,
            )
        for guest in kept.guests:
            self._guests[guest.id] = Guest(
                id=guest.id,
                name=guest.name,
                role=guest.role,
                own_role=guest.own_role,
                color=guest.color,
                link=self._links[guest.link],
                is_lent=guest.is_lent,
                account=guest.account,
            )
        for past in kept.past:
            what = past.digest or past.person
            self._past[what] = partial(from_code, past.code, past.message, past.hint)
        self._names |= set(kept.names)
        self._accounts |= kept.accounts

    def open_link(
        self, key: str, code: str, *, role: GuestRole, expires_s: float, max_viewers: int
    ) -> Link:
        """Let people in who have `code`; the code itself is not kept. Again: nothing changes.

        Raises
        ------
        ShareError
            There are too many links, or this one is known already.
        """
        digest = digest_of(code)
        known = self._links.get(key)
        if known is not None and secrets.compare_digest(known.digest, digest):
            return known
        if known is not None or digest in self._past or self._find(digest) is not None:
            raise ShareError("This link was made before.", hint="Make a new one.")
        if len(self._links) >= MAX_LINKS:
            raise ShareError(
                f"The view is shared by {MAX_LINKS} links, and no more are allowed.",
                hint="Close one of them, or all: viewer.stop_sharing().",
            )
        link = Link(
            id=key,
            digest=digest,
            role=role,
            expires_s=self._clock() + expires_s,
            expires_ms=(self._wall() + expires_s) * 1000,
            max_viewers=max_viewers,
        )
        self._links[key] = link
        return link

    def redeem(self, code: str, name: str, *, account: str = "") -> Guest:
        """Let a person in: one who is known by an account, in another tab, is who they were.

        Raises
        ------
        NoLinkError
            No link of this session has that code.
        LinkExpiredError, LinkFullError, SharingEndedError
        """
        digest = digest_of(code)
        link = self._find(digest)
        if link is None:
            raise self._past.get(digest, no_link)()
        if self._clock() >= link.expires_s:
            raise expired()
        for guest in self if account else ():
            if guest.account == account and guest.link is link:
                return guest
        if not link.is_open or link.n_joined >= link.max_viewers:
            raise LinkFullError(
                "This link has let in as many people as it may.", hint="Ask for a new one."
            )
        if len(self._guests) >= MAX_GUESTS or len(self._names) > MAX_NAMES:
            raise LinkFullError("Too many people have come already.", hint="Ask for a new link.")
        link.n_joined += 1
        guest = Guest(
            id=secrets.token_hex(8),
            name=self._name_of(account, name) if account else self._new_name(name),
            role=link.role,
            own_role=link.role,
            color=COLORS[1 + len(self._names) % (len(COLORS) - 1)],
            link=link,
            account=account,
        )
        self._guests[guest.id] = guest
        return guest

    def admit(self, person: str) -> Guest:
        """Return the guest who comes with a token.

        Raises
        ------
        RemovedError, LinkExpiredError, SharingEndedError
            Why they may not.
        """
        guest = self._guests.get(person)
        if guest is None:
            raise self._past.get(person, no_link)()
        if self._clock() >= guest.link.expires_s:
            raise expired()
        return guest

    def find(self, person: str) -> Guest:
        """Return a guest.

        Raises
        ------
        ShareError
        """
        guest = self._guests.get(person)
        if guest is None:
            raise ShareError("This person is not a guest of the view any more.")
        return guest

    def remove(self, person: str, why: WhyNot) -> None:
        """Let a person come no more; their link lets nobody new in, or they would use it again."""
        guest = self.find(person)
        guest.link.is_open = False
        self._forget(guest, why)

    def close_links(self, key: str | None, why: WhyNot) -> list[Guest]:
        """End a link, or all, and return the people who came by them."""
        if key is not None and key not in self._links:
            raise ShareError("There is no such link any more.")
        ended = [link for link in self._links.values() if key in (None, link.id)]
        return self._end(ended, why)

    def expire(self) -> list[Guest]:
        """End what is over its time, and return the people who came by it."""
        now_s = self._clock()
        return self._end([k for k in self._links.values() if k.expires_s <= now_s], expired)

    def _end(self, links: list[Link], why: WhyNot) -> list[Guest]:
        gone = [guest for guest in self if guest.link in links]
        for link in links:
            del self._links[link.id]
            self._remember(link.digest, why)
        for guest in gone:
            self._forget(guest, why)
        return gone

    def _forget(self, guest: Guest, why: WhyNot) -> None:
        del self._guests[guest.id]
        self._remember(guest.id, why)

    def _remember(self, what: bytes | str, why: WhyNot) -> None:
        self._past[what] = why
        while len(self._past) > MAX_REMEMBERED:
            self._past.popitem(last=False)

    def _find(self, digest: bytes) -> Link | None:
        found = (k for k in self._links.values() if secrets.compare_digest(k.digest, digest))
        return next(found, None)

    def _name_of(self, account: str, name: str) -> str:
        known = self._accounts.get(account)
        if known is not None and all(guest.name != known for guest in self):
            return known
        new = self._new_name(name)
        self._accounts.setdefault(account, new)
        return new

    def _new_name(self, name: str) -> str:
        wanted = base = shown_text(name, NAME_CHARS) or "Guest"
        number = 1
        while name_key(wanted) in self._names:
            number += 1
            wanted = f"{base[: NAME_CHARS - 5].rstrip()} {number}"
        self._names.add(name_key(wanted))
        return wanted


def _kept_link(link: Link) -> KeptLink:
    return KeptLink(
        link.id,
        link.digest,
        link.role,
        link.expires_ms,
        link.max_viewers,
        link.n_joined,
        link.is_open,
    )


def _kept_guest(guest: Guest) -> KeptGuest:
    return KeptGuest(
        guest.id,
        guest.name,
        guest.role,
        guest.own_role,
        guest.color,
        guest.link.id,
        guest.is_lent,
        guest.account,
    )


def _kept_past(what: bytes | str, why: BlustreamError) -> KeptPast:
    digest, person = (b"", what) if isinstance(what, str) else (what, "")
    return KeptPast(digest, person, why.code, why.message, why.hint)


def digest_of(code: str) -> bytes:
    """SHA-256 of a join code, which is random enough not to need more."""
    return hashlib.sha256(code.encode()).digest()


def no_link() -> BlustreamError:
    """Say that a link, or who came by it, is not known."""
    return NoLinkError("This link leads nowhere any more.", hint="Ask for a new one.")


def expired() -> BlustreamError:
    """Say that a link is over."""
    return LinkExpiredError("This link is over its time.", hint="Ask for a new one.")
