"""Who is in a session, as viewers and kernel are told."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core import share_messages as sm
from blustream_widget.core.sharing import COLORS, SharedPerson, ShareLinkInfo
from blustream_widget.session.crowd import is_crowd, told_to_guests, without_link

if TYPE_CHECKING:
    from blustream_widget.session.audit import Audit
    from blustream_widget.session.call import CallRoom
    from blustream_widget.session.guests import Guests
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.viewer import Viewer

LATENCY_STEP_MS = 10.0
"""A change below it is not told: at rest nothing is sent."""


class Roster:
    """People of a session, and what was told of them last. Loop thread only.

    Parameters
    ----------
    viewers : callable
        Who is connected.
    kernel : KernelPort
    guests : Guests
        By which links more can come.
    audit : Audit
        The kernel is told its records with the people.
    call : CallRoom

    Attributes
    ----------
    driver : str
        Who moved the view last; "" before anybody did.
    page : str
        Where guests find the view, as an owner's page says.
    """

    def __init__(
        self,
        viewers: Callable[[], Collection[Viewer]],
        kernel: KernelPort,
        guests: Guests,
        *,
        audit: Audit,
        call: CallRoom,
    ) -> None:
        self._viewers, self._kernel, self._guests = viewers, kernel, guests
        self._audit, self._call = audit, call
        self.driver = self.page = ""
        self._since_ms: dict[str, float] = {}
        self._told: tuple[object, ...] = ()
        self._told_to_guests: tuple[object, ...] | None = None
        self._n_audit_told = 0

    def joined(self, viewer: Viewer) -> None:
        """Take note since when somebody is here."""
        self._since_ms.setdefault(viewer.person, time.time() * 1000)

    def left(self, viewer: Viewer) -> bool:
        """Take note that a connection is gone; whether it was the last one of its person."""
        if any(other.person == viewer.person for other in self._viewers()):
            return False
        self._since_ms.pop(viewer.person, None)
        return True

    def forget_told(self) -> None:
        """Tell all of it next time: somebody has heard nothing yet."""
        self._told = ()

    def people(self) -> tuple[SharedPerson, ...]:
        """Give everybody who is here, once each."""
        newest = {viewer.person: viewer for viewer in self._viewers()}
        return tuple(self.person(viewer) for viewer in newest.values())

    def person(self, viewer: Viewer) -> SharedPerson:
        """Say who somebody is."""
        guest = viewer.guest
        latency_ms = 0.0 if viewer.report is None else viewer.report.latency_ms
        in_call, muted, recorded = self._call.hears(viewer.person)
        person = SharedPerson(
            id=viewer.person,
            name=viewer.name,
            role="owner" if guest is None else guest.role,
            color=COLORS[0] if guest is None else guest.color,
            since_ms=self._since_ms.get(viewer.person, 0.0),
            transport=viewer.transport,
            latency_ms=round(latency_ms / LATENCY_STEP_MS) * LATENCY_STEP_MS,
            drives=viewer.person == self.driver,
            looks_around=viewer.own is not None,
            in_call=in_call,
            muted=muted,
            recorded=recorded,
        )
        if guest is None:
            return person
        return msgspec.structs.replace(person, asks=guest.asks, is_lent=guest.is_lent)

    def tell(self, *, tells_viewers: bool) -> int | None:
        """Tell the kernel who is here and, of a session that is shared, the viewers.

        Returns how many people are here; None if nothing is other than it was told.
        """
        people, links = self.people(), self._guests.links
        told = (people, links, self.page, self._audit.n_made, self._call.allowed)
        if told == self._told:
            return None
        if not self._told:
            self._told_to_guests = None  # who came has heard nothing yet
        self._told = told
        records = self._audit.newest(self._n_audit_told)
        self._kernel.tell_sharing(people, links, self.page, records)
        if self._kernel.is_attached:
            self._n_audit_told = self._audit.n_made
        if tells_viewers:
            self._tell_viewers(people, links)
        return len(people)

    def _tell_viewers(
        self, people: tuple[SharedPerson, ...], links: tuple[ShareLinkInfo, ...]
    ) -> None:
        some = told_to_guests(people)
        is_crowded = is_crowd(len(people))
        told = (some, len(people), self._call.allowed)
        is_news = not is_crowded or told != self._told_to_guests
        self._told_to_guests = told
        by_id = {person.id: person for person in people}
        named = {person.id for person in some}
        for viewer in self._viewers():
            you, may = viewer.person, self._call.may(viewer)
            if viewer.role == "owner":
                viewer.send(sm.People(people, you, links=links, may_call=may))
            elif is_news:
                mine = some if you in named else (*some[:-1], without_link(by_id[you]))
                more = len(people) - len(mine)
                viewer.send(sm.People(mine, you, more=more, may_call=may))
