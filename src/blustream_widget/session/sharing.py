"""People in a session: guests let in and shown out, roles, control, chat, pointers, the record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from blustream_widget.core import link_sharing as ls
from blustream_widget.core import share_messages as sm
from blustream_widget.core.qr import qr_rows
from blustream_widget.core.sharing import (
    OWNER_ID,
    OWNER_NAME,
    GuestRole,
    SharedPerson,
)
from blustream_widget.errors import (
    BlustreamError,
    NotDriverError,
    RemovedError,
    ShareError,
    SharingEndedError,
)
from blustream_widget.session.access import DRIVERS
from blustream_widget.session.audit import Audit
from blustream_widget.session.call import CallRoom
from blustream_widget.session.crowd import interval_s
from blustream_widget.session.guests import Guest, Guests, WhyNot, expired
from blustream_widget.session.kernel_port import KernelPort
from blustream_widget.session.pointers import Pointers
from blustream_widget.session.roster import Roster
from blustream_widget.session.session_store import Said, SessionStore
from blustream_widget.transport.tasks import TaskSet
from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.call_relay import CallRelay
    from blustream_widget.session.viewer import Viewer

OnPointers: TypeAlias = Callable[[Collection[sm.PointerPlace], Collection[SharedPerson]], None]

TELL_INTERVAL_S = 0.5
CLOSE_REFUSED = 4403


class Sharing:
    """Who may be in a session, and what they tell each other. Loop thread only.

    A session that was never shared sends nothing of all this.

    Parameters
    ----------
    session_id : str
    viewers : callable
        Who is connected.
    kernel : KernelPort
    guests : Guests, optional
    store : SessionStore, optional
        Of people and chat, perhaps those of a former server; None: they are in memory alone.
    on_pointers : callable
        Gets where pointers have gone, and whose they are.
    calls : bool
        Whether people may call each other.
    relay : CallRelay, optional
        What large calls go through.
    """

    def __init__(
        self,
        session_id: str,
        viewers: Callable[[], Collection[Viewer]],
        kernel: KernelPort,
        *,
        guests: Guests | None = None,
        store: SessionStore | None = None,
        on_pointers: OnPointers = lambda _places, _people: None,
        calls: bool = True,
        relay: CallRelay | None = None,
    ) -> None:
        self._viewers = viewers
        self._kernel = kernel
        self._guests = Guests() if guests is None else guests
        self._tell = Throttle(TELL_INTERVAL_S, self._send_people)
        self.audit = Audit(session_id, self._tell.call)
        self._store = SessionStore(None, kernel.tell_error) if store is None else store
        self._chat = self._store.chat
        self._on_pointers = on_pointers
        self._pointers = Pointers(self._viewers, self._saw_pointers)
        self.call = CallRoom(
            is_on=calls,
            on_change=self._tell.call,
            note=self.noted,
            relay=relay,
        )
        self._roster = Roster(viewers, kernel, self._guests, audit=self.audit, call=self.call)
        self._relay = relay
        self._tasks = TaskSet()
        self.owner_name = OWNER_NAME
        self.on_links: Callable[[], None] = lambda: None  # some was opened or has ended
        self._was_shared = False
        self._expiry: asyncio.TimerHandle | None = None
        if self._store.people is not None:
            self._guests.restore(self._store.people)
            self._was_shared = True
            self._arm()

    @property
    def is_shared(self) -> bool:
        """Whether anybody but the owner can come."""
        return self._guests.is_shared

    # -------------------------------------------------- coming and going

    def redeem(self, join: sm.Join, then: Callable[[Guest], None], *, account: str = "") -> None:
        """Let a person in who has the code of a link; `then` gets them when it is written down.

        `account` is whom JupyterHub knows them as, and nobody else may say it.

        Raises
        ------
        NoLinkError, LinkExpiredError, LinkFullError, SharingEndedError
        """
        guest = self._guests.redeem(join.code, join.name, account=account)
        self._note("joined", guest, f"by link {guest.link.id}")
        self._store.in_turn(lambda: then(guest))

    def admit(self, person: str) -> Guest:
        """Return the guest who comes with a token; raises why they may not."""
        return self._guests.admit(person)

    def joined(self, viewer: Viewer) -> None:
        """Take note of a connection of somebody."""
        self._roster.joined(viewer)
        if self._was_shared:
            # Before they hear who they are: by that a page knows that it is no news.
            for chat in self._chat.history:
                viewer.send(chat)
            self._roster.forget_told()
        self._tell.call()

    def left(self, viewer: Viewer) -> None:
        """Take note that a connection is gone."""
        if self._roster.left(viewer) and (guest := viewer.guest) is not None:
            self.audit.note_going_on("left", guest.id, guest.name, guest.role)
        self._pointers.forget(viewer)
        self.call.left(viewer)
        self._tell.call()

    def attach_kernel(self) -> None:
        """Tell a kernel that came (again) everything."""
        self._roster.forget_told()
        self._tell.call()

    def touch(self) -> None:
        """Take note that somebody's transport or latency may be another."""
        self._tell.call()

    async def close(self) -> None:
        """Tell nothing more."""
        self._tell.close()
        self._pointers.close()
        self.call.close()
        if self._relay is not None:
            await self._relay.close()
        if self._expiry is not None:
            self._expiry.cancel()
        await self._tasks.close()

    # -------------------------------------------------- what people do

    def drove(self, viewer: Viewer) -> None:
        """Take note who moved the view."""
        if not self._was_shared:
            return
        if viewer.person != self._roster.driver:
            self._roster.driver = viewer.person
            self._tell.call()
        self.audit.note_going_on("drove", viewer.person, viewer.name, viewer.role)

    def exported(self, viewer: Viewer, what: str) -> None:
        """Take note what somebody's page says that they took out of the view."""
        if self._was_shared:
            self.audit.note_going_on(what, viewer.person, viewer.name, viewer.role)

    def owner_did(self, what: str, at_ms: float | None = None) -> None:
        """Take note of what the owner did in Python, each time."""
        if self._was_shared:
            self.audit.note(what, OWNER_ID, self.owner_name, "owner", at_ms=at_ms)

    def recorded(self, viewer: Viewer | None, *, on: bool) -> None:
        """Take note who began or ended a recording; None: the owner, from Python."""
        what = "began a recording" if on else "ended a recording"
        if viewer is None:
            self.owner_did(what)
        elif self._was_shared:  # each time: the record tells when one ran
            self.audit.note(what, viewer.person, viewer.name, viewer.role)

    def noted(self, viewer: Viewer, what: str) -> None:
        """Take note what somebody did in the call."""
        self.audit.note_going_on(what, viewer.person, viewer.name, viewer.role)

    def looked_around(self, viewer: Viewer) -> None:
        """Take note who left the shown view for one of their own."""
        if self._was_shared:
            self.audit.note_going_on("looked around", viewer.person, viewer.name, viewer.role)
        self._tell.call()

    def annotated(self, viewer: Viewer, what: str = "annotated") -> None:
        """Take note who drew on the volume."""
        if self._was_shared:
            self.audit.note_going_on(what, viewer.person, viewer.name, viewer.role)

    def receive(self, viewer: Viewer, message: sm.SharingMessage) -> None:
        """Take a message of somebody whose role allows it.

        Raises
        ------
        BlustreamError
        """
        match message:
            case sm.OpenLink():
                self._open_by_page(viewer, message)
            case sm.StopSharing(link=link):
                self._stop(link)
            case sm.Manage():
                self._manage(message, viewer)
            case sm.Control(action=action):
                self._control(viewer, action)
            case sm.Exported(what=what):
                self.exported(viewer, what)
            case sm.Say(text=text):
                self._say(viewer, text)
            case sm.Point(voxel=voxel, drawing=drawing):
                self._pointers.moved(viewer, voxel, drawing)
            case sm.GuestPage(address=address):
                self._roster.page = address
                self._tell.call()

    def receive_from_kernel(self, message: ls.OfSharing) -> None:
        """Take what the owner does in Python; what is wrong is told to the kernel."""
        try:
            match message:
                case ls.OpenLink():
                    self._open(message)
                case ls.StopSharing(link=link):
                    self._stop(link)
                case ls.StayOut(links=links, people=people):
                    self._stay_out(links, people)
                case ls.NoteExport(what=what, at_ms=at_ms):
                    self.owner_did(what, at_ms)
                case ls.NameOwner(name=name):
                    self.owner_name = self._guests.name_owner(name)
                    self._tell.call()
                case ls.SetCalls(calls=calls):
                    self.call.allow(calls)
                case ls.ManagePerson(person=person, action=action, role=role):
                    self._manage(sm.Manage(person=person, action=action, role=role), None)
        except BlustreamError as exc:
            self._kernel.tell_error(exc)
            self._roster.forget_told()
            self._tell.call()

    # -------------------------------------------------- links

    def _open(self, message: ls.OpenLink | sm.OpenLink) -> None:
        n_before = len(self._guests.links)
        link = self._guests.open_link(
            message.id,
            message.code,
            role=message.role,
            expires_s=message.expires_s,
            max_viewers=message.max_viewers,
        )
        if len(self._guests.links) == n_before:
            return  # the kernel says again what it opened, after its link broke
        self._was_shared = True
        detail = f"link {link.id}, {link.max_viewers} as {link.role}, {message.expires_s:.0f} s"
        self._note("shared", None, detail)
        self._arm()

    def _open_by_page(self, viewer: Viewer, message: sm.OpenLink) -> None:
        self._open(message)
        if not message.address:
            viewer.send(sm.LinkOpened(id=message.id))
            return
        self._tasks.spawn(
            self._draw_link(viewer, message.id, f"{message.address}#{message.code}"), name="qr code"
        )

    async def _draw_link(self, viewer: Viewer, key: str, url: str) -> None:
        rows = await asyncio.to_thread(qr_rows, url)
        viewer.send(sm.LinkOpened(id=key, qr=rows))

    def _stop(self, link: str | None) -> None:
        gone = self._guests.close_links(link, _sharing_ended)
        self._note("stopped sharing", None, "" if link is None else f"link {link}")
        for guest in gone:
            self._show_out(guest, _sharing_ended)
        self._arm()

    def _stay_out(self, links: Collection[str], people: Collection[str]) -> None:
        """End what was ended while another server, or none, was there to hear of it."""
        for link in {info.id for info in self._guests.links}.intersection(links):
            self._stop(link)
        for person in {guest.id for guest in self._guests}.intersection(people):
            self._remove(self._guests.find(person))

    def _remove(self, guest: Guest) -> None:
        self._guests.remove(guest.id, _removed)
        self._note("removed", guest)
        self._show_out(guest, _removed)

    def _arm(self) -> None:
        """Wake up when the next link ends; with the last one the call does."""
        self.on_links()
        if self._was_shared and not self._guests.is_shared:
            self.call.end("The view is not shared any more.")
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        due_s = self._guests.next_expiry_s
        if due_s is not None:
            loop = asyncio.get_running_loop()
            self._expiry = loop.call_later(max(0.0, due_s - time.monotonic()), self._expire)

    def _expire(self) -> None:
        self._expiry = None
        for guest in self._guests.expire():
            self._note("expired", guest)
            self._show_out(guest, expired)
        self._arm()
        self._tell.call()

    def _show_out(self, guest: Guest, why: WhyNot) -> None:
        self.call.remove(guest.id)
        for viewer in tuple(self._viewers()):
            if viewer.guest is guest:
                viewer.expel(why(), CLOSE_REFUSED)

    # -------------------------------------------------- roles

    def _manage(self, message: sm.Manage, by: Viewer | None) -> None:
        """Do what the owner wants, or a driver who answers a request."""
        if message.person == OWNER_ID:
            raise ShareError("The owner's role does not change.")
        guest = self._guests.find(message.person)
        if by is not None and by.role != "owner":
            _check_answer(message, by, guest)
        match message.action:
            case "remove":
                self._remove(guest)
            case "role":
                if message.role is None:
                    raise ShareError("The message names no role.")
                guest.own_role, guest.is_lent = message.role, False
                self._set_role(guest, message.role)
            case "grant":
                guest.is_lent = guest.is_lent or guest.role not in DRIVERS
                self._set_role(guest, "editor")
            case "refuse":
                self._refuse(guest)
            case "take-back":
                self._end_lending(guest)

    def _control(self, viewer: Viewer, action: str) -> None:
        guest = viewer.guest
        if guest is None:
            return
        if action == "give-back":
            self._end_lending(guest)
        else:
            guest.asks = action == "ask" and guest.role not in DRIVERS
            if guest.asks:
                self.audit.note_going_on("asked to drive", guest.id, guest.name, guest.role)
        self._tell.call()

    def _refuse(self, guest: Guest) -> None:
        if not guest.asks:
            return
        guest.asks = False
        error = ShareError("You cannot drive at the moment.", hint="The owner said: not now.")
        for viewer in self._viewers():
            if viewer.guest is guest:
                viewer.send_error(error)
        self._tell.call()

    def _end_lending(self, guest: Guest) -> None:
        if guest.is_lent:
            guest.is_lent = False
            self._set_role(guest, guest.own_role)

    def _set_role(self, guest: Guest, role: GuestRole) -> None:
        guest.asks = False
        if role != guest.role:
            guest.role = role
            self._note("role", guest, role)
            for viewer in self._viewers():
                if viewer.guest is guest:
                    viewer.role_changed()
            self.call.review()
        self._keep()
        self._roster.forget_told()
        self._tell.call()

    # -------------------------------------------------- telling

    def _say(self, viewer: Viewer, text: str) -> None:
        chat = self._chat.say(viewer.person, viewer.name, text)
        if chat is not None:
            for line in chat.lines:
                self._store.write(Said(line), is_durable=False)
            for other in self._viewers():
                other.send(chat)

    def _keep(self) -> None:
        """Write down who may come, if that is other than it was."""
        people = self._guests.kept()
        if people != self._store.people:
            self._store.write(people)

    def _note(self, what: str, guest: Guest | None, detail: str = "") -> None:
        self._keep()
        if guest is None:
            self.audit.note(what, OWNER_ID, self.owner_name, "owner", detail)
        else:
            self.audit.note(what, guest.id, guest.name, guest.role, detail)

    def _saw_pointers(self, places: Collection[sm.PointerPlace]) -> None:
        whose = {place.who for place in places}
        people = {v.person: self._roster.person(v) for v in self._viewers() if v.person in whose}
        self._on_pointers(places, people.values())

    def _send_people(self) -> bool:
        n_people = self._roster.tell(tells_viewers=self._was_shared)
        if n_people is None:
            return False
        self._tell.interval_s = interval_s(TELL_INTERVAL_S, n_people)
        return True


def _check_answer(message: sm.Manage, by: Viewer, guest: Guest) -> None:
    """Whether somebody who drives, and is not the owner, may do this to a guest."""
    if message.action not in ("grant", "refuse"):
        raise NotDriverError("Only the owner decides on people.")
    if not guest.asks:
        raise NotDriverError("This person does not ask to drive.")
    if message.action == "grant" and by.guest is not None and by.guest.is_lent:
        raise NotDriverError("What was lent to you is not yours to lend.")


_removed: WhyNot = partial(RemovedError, "The owner has ended your visit.")
_sharing_ended: WhyNot = partial(SharingEndedError, "The view is not shared any more.")
