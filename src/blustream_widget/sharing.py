"""Sharing a view from Python: links, people, the record; a part of `Viewer`."""

from __future__ import annotations

import html
import logging
import math
import os
import secrets
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

import traitlets as t

from blustream_widget.config import load_config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core.call_messages import CALL_POLICIES
from blustream_widget.core.qr import qr_rows, qr_svg
from blustream_widget.core.sharing import (
    CODE_BYTES,
    MAX_LINKS,
    NAME_CHARS,
    AuditRecord,
    GuestRole,
    SharedPerson,
    ShareLinkInfo,
    checked_role,
    checked_seats,
    seconds_of,
    shown_text,
)
from blustream_widget.errors import HubServiceError, ShareError
from blustream_widget.hub_desk import HubDesk

if TYPE_CHECKING:
    from blustream_widget._kernel_loop import KernelLoop
    from blustream_widget.server_link import Link

logger = logging.getLogger(__name__)

QR_PX = 132
MAX_RECORDS = 1000
_CAN: dict[GuestRole, str] = {
    "viewer": "view",
    "annotator": "view and draw",
    "editor": "view, draw and drive",
}


def owner_name() -> str:
    """Return what the owner is called: by setting, or at JupyterHub; "" if nobody says."""
    name = load_config().owner_name or os.environ.get("JUPYTERHUB_USER", "")
    return shown_text(name, NAME_CHARS)


class ShareLink:
    """A way for others into a view. Made by `Viewer.share`.

    Parameters
    ----------
    role : str
        Of who comes by it.
    max_viewers : int
        People it lets in, all in all.
    expires : datetime
        When it ends, and the visits of who came by it with it.
    """

    def __init__(
        self,
        *,
        role: GuestRole,
        max_viewers: int,
        expires_s: float,
        page: Callable[[], str],
        close: Callable[[str], None],
    ) -> None:
        self.role = role
        self.max_viewers = max_viewers
        self.expires = datetime.fromtimestamp(time.time() + expires_s, UTC)
        self._key = secrets.token_hex(8)
        self._code = secrets.token_urlsafe(CODE_BYTES)
        self._page, self._close = page, close
        self._info: ShareLinkInfo | None = None
        self._is_closed = False
        self._is_known = False  # to the server that there is now

    @property
    def url(self) -> str:
        """Address to give to guests; whoever has it can come.

        Raises
        ------
        ShareError
            No page has shown the viewer yet, and it is not known where guests would find it.
        """
        page = self._page()
        if not page:
            raise ShareError(
                "It is not known yet at which address guests find the view.",
                hint="Show the viewer on a page first, or set BLUSTREAM_GUEST_URL.",
            )
        return f"{page}#{self._code}"

    @property
    def joined(self) -> int:
        """How many people came by it."""
        if self._info is None:
            return 0
        # A server that took another's place knows of the places that were left only.
        return self.max_viewers - (self._info.max_viewers - self._info.n_joined)

    @property
    def is_open(self) -> bool:
        """Whether it lets more people in."""
        is_known_shut = self._info is not None and not self._info.is_open
        return not self._is_closed and not is_known_shut and self.expires > datetime.now(UTC)

    def revoke(self) -> None:
        """Close it, and show out at once who came by it."""
        if not self._is_closed:
            self._is_closed = True
            self._close(self._key)

    def _hear(self, links: dict[str, ShareLinkInfo]) -> None:
        found = links.get(self._key)
        if found is None and self._is_known:
            self._is_closed = True
        self._is_known = found is not None
        self._info = found or self._info

    def _opening(self, session: str) -> ls.OpenLink | None:
        """Message that opens it, as far as it is open; None if it is not."""
        # Whole seconds: of a minute, the shortest that a link can have, less is left by now.
        left_s = float(math.ceil((self.expires - datetime.now(UTC)).total_seconds()))
        self._is_known = False
        seats = self.max_viewers - self.joined
        if not self.is_open or left_s < 60.0 or seats < 1:
            return None
        return ls.OpenLink(
            session=session,
            id=self._key,
            code=self._code,
            role=self.role,
            expires_s=left_s,
            max_viewers=seats,
        )

    @property
    def qr_svg(self) -> str:
        """QR code of the address, as SVG."""
        return qr_svg(qr_rows(self.url), size_px=QR_PX)

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        until = self.expires.astimezone().strftime("%d %b %H:%M")
        return (
            f"<ShareLink as {self.role}, {state}, until {until}, "
            f"{self.joined} of {self.max_viewers} came>"
        )

    def _repr_html_(self) -> str:
        try:
            url = html.escape(self.url, quote=True)
        except ShareError as exc:
            return f"<p>{html.escape(str(exc))}</p>"
        until = self.expires.astimezone().strftime("%d %b, %H:%M")
        words = f"Anyone with it can {_CAN[self.role]} until {until}."
        return (
            '<div style="display:flex;gap:16px;align-items:center">'
            f'{self.qr_svg}<div><a href="{url}" target="_blank" rel="noopener">{url}</a>'
            f"<br>{words}<br>For {self.max_viewers} people at most.</div></div>"
        )


class Person:
    """Somebody who looks at a view now, as of the moment when `Viewer.people` was read.

    Parameters
    ----------
    id, name, role, transport : str
    since : datetime
    latency_ms : float
        From an input to its picture; 0: not measured.
    drives, following : bool
        Whether they were the last to move the view, or see what another shows.
    looks_around : bool
        Whether they have a view of their own now.
    asks : bool
        They ask to drive.
    in_call, muted, voice_recorded : bool
        They take part in the call; nobody hears them there; their voice goes into the recording
        that runs, as they agreed.
    """

    __slots__ = ("_manage", "_value")

    def __init__(self, value: SharedPerson, manage: Callable[..., None]) -> None:
        self._value = value
        self._manage = manage

    @property
    def id(self) -> str:
        return self._value.id

    @property
    def name(self) -> str:
        return self._value.name

    @property
    def role(self) -> str:
        return self._value.role

    @property
    def transport(self) -> str:
        return self._value.transport

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self._value.since_ms / 1000, UTC)

    @property
    def latency_ms(self) -> float:
        return self._value.latency_ms

    @property
    def drives(self) -> bool:
        return self._value.drives

    @property
    def following(self) -> bool:
        return not (self._value.drives or self._value.looks_around)

    @property
    def looks_around(self) -> bool:
        return self._value.looks_around

    @property
    def asks(self) -> bool:
        return self._value.asks

    @property
    def in_call(self) -> bool:
        return self._value.in_call

    @property
    def muted(self) -> bool:
        return self._value.muted

    @property
    def voice_recorded(self) -> bool:
        return self._value.recorded

    def remove(self) -> None:
        """Show them out at once; the link that they came by lets nobody new in."""
        self._manage(self.id, "remove")

    def set_role(self, role: str) -> None:
        """Change what they may do, while they watch.

        Raises
        ------
        ShareError
            A guest cannot have this role.
        """
        self._manage(self.id, "role", checked_role(role))

    def grant(self) -> None:
        """Let them drive, until `take_back`."""
        self._manage(self.id, "grant")

    def refuse(self) -> None:
        """Answer that they cannot drive now."""
        self._manage(self.id, "refuse")

    def take_back(self) -> None:
        """End what was granted."""
        self._manage(self.id, "take-back")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Person) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        does = "drives" if self.drives else "asks to drive" if self.asks else "follows"
        if self.looks_around:
            does = "looks around"
        return f"<Person {self.name!r}, {self.role}, {does}, {self.transport}>"


class Shareable(t.HasTraits):
    """What a viewer can do with others."""

    people = t.Tuple(
        (), read_only=True, help="Who looks at the view now: `Person` objects, the owner first."
    )

    calls = t.Enum(
        CALL_POLICIES,
        default_value="everyone",
        help="Who may talk to the others by microphone and camera: 'everyone' in the view, the "
        "'editors' and the owner, or 'nobody'.",
    )
    _hub_page = t.Unicode(None, allow_none=True).tag(sync=True)
    """Where guests go at JupyterHub's service: an address or a path; "" while that is not known,
    None where there is no such service."""

    _audit: t.Instance[deque[AuditRecord]] = t.Instance(deque, ((), MAX_RECORDS))
    _links_out: tuple[ShareLink, ...] = ()
    # Links and people that were ended, the newest last: a server that was away is told of them.
    _ended_links: tuple[str, ...] = ()
    _ended_people: tuple[str, ...] = ()
    _known_links: tuple[str, ...] = ()
    _guest_page: str = ""
    _hub_desk: HubDesk | None = None

    if TYPE_CHECKING:
        _kernel: KernelLoop
        _link: Link
        _session: str

    def share(
        self,
        role: Literal["viewer", "annotator", "editor"] = "viewer",
        *,
        expires: str | float = "2h",
        max_viewers: int = 20,
    ) -> ShareLink:
        """Make a link for others to see this view live.

        Parameters
        ----------
        role : {"viewer", "annotator", "editor"}
            What who comes by it may do: look; look and draw; drive too.
        expires : str or float
            "30m", "2h", "1d" or seconds: from a minute to thirty days.
        max_viewers : int
            People it lets in, all in all; 1 makes it good for one time.

        Returns
        -------
        ShareLink
            Shows its address and QR code as the result of a cell.

        Raises
        ------
        ShareError
            Names what cannot be.
        """
        duration_s = seconds_of(expires)
        link = ShareLink(
            role=checked_role(role),
            max_viewers=checked_seats(max_viewers),
            expires_s=duration_s,
            page=self._address_for_guests,
            close=self._close_link,
        )
        if len(self.links) >= MAX_LINKS:
            raise ShareError(
                f"The view is shared by {MAX_LINKS} links, and no more are allowed.",
                hint="Close one: link.revoke(); or all: viewer.stop_sharing().",
            )
        self._links_out = (*self.links, link)
        opening = link._opening(self._session)
        assert opening is not None
        self._link.tell(opening)
        return link

    @property
    def links(self) -> tuple[ShareLink, ...]:
        """Links of `share` that are open."""
        return tuple(link for link in self._links_out if link.is_open)

    @property
    def audit(self) -> tuple[AuditRecord, ...]:
        """Who shared, joined, drove, annotated and left: the newest thousand records."""
        return tuple(self._audit)

    def stop_sharing(self) -> None:
        """Close all links, those made on the page too, and show out every guest at once."""
        for link in self._links_out:
            link._is_closed = True
        own = (link._key for link in self._links_out)
        self._end_links(*own, *self._known_links)
        self._links_out = ()
        self._link.order(ls.StopSharing(session=self._session))

    def _end_links(self, *keys: str) -> None:
        self._ended_links = tuple(dict.fromkeys((*self._ended_links, *keys)))[-ls.MAX_ENDED :]

    @t.observe("calls")
    def _calls_changed(self, _change: object = None) -> None:
        self._link.order(ls.SetCalls(session=self._session, calls=self.calls))

    def _close_link(self, key: str) -> None:
        self._end_links(key)
        self._link.order(ls.StopSharing(session=self._session, link=key))

    def _manage_person(self, person: str, action: str, role: GuestRole | None = None) -> None:
        if action == "remove" and person not in self._ended_people:
            self._ended_people = (*self._ended_people, person)[-ls.MAX_ENDED :]
        self._link.order(
            ls.ManagePerson(
                session=self._session,
                person=person,
                action=action,  # type: ignore[arg-type]  # one of the words of Person's methods
                role=role,
            )
        )

    @t.default("_hub_page")
    def _first_hub_page(self) -> str | None:
        return "" if load_config().hub_service else None

    def _address_for_guests(self) -> str:
        if by_hand := load_config().guest_url:
            return by_hand
        return (
            self._guest_page if self._hub_desk is None else self._hub_desk.address(self._guest_page)
        )

    def _open_desk(self) -> None:
        """Have the server be found through JupyterHub's service, where there is one."""
        config = load_config()
        if self._hub_desk is None and config.hub_service:
            self._hub_desk = HubDesk(config, self._session, self._link.tell, self._hear_desk)
        if self._hub_desk is not None:
            self._hub_desk.open()

    def _hear_desk(self, page: str, failure: HubServiceError | None) -> None:
        if failure is not None:
            logger.warning("%s", failure)
        # At once, also while a cell runs: a page shows it, and no code observes it.
        self._hub_page = page

    def _close_sharing(self) -> None:
        if self._hub_desk is not None:
            self._hub_desk.close()

    def _hear_sharing(self, message: lp.ToKernel) -> None:
        """Hear the server; on the link thread."""
        if isinstance(message, lp.RenewDesk) and self._hub_desk is not None:
            self._hub_desk.renew()
        elif isinstance(message, lp.SessionOpened):
            self._open_desk()
            if name := owner_name():
                self._link.tell(ls.NameOwner(session=self._session, name=name))
            if self._ended_links or self._ended_people:
                ended = {"links": self._ended_links, "people": self._ended_people}
                self._link.tell(ls.StayOut(session=self._session, **ended))
            if self.calls != "everyone":
                self._calls_changed()
            # Another server knows no links; one that knows them changes nothing.
            for link in self._links_out:
                if (opening := link._opening(self._session)) is not None:
                    self._link.tell(opening)
        elif isinstance(message, ls.Shared):
            self._guest_page = message.page or self._guest_page
            self._audit.extend(message.audit)
            by_key = {info.id: info for info in message.links}
            self._known_links = tuple(by_key)
            for link in self._links_out:
                link._hear(by_key)
            people = tuple(Person(person, self._manage_person) for person in message.people)
            self._kernel.call(lambda: self.set_trait("people", people))
