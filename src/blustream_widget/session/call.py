"""The call of a session: who takes part, and what their browsers tell each other for it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core import call_messages as cm
from blustream_widget.errors import CallError
from blustream_widget.session.access import DRIVERS, EVERYBODY
from blustream_widget.session.ratelimit import TokenBucket

if TYPE_CHECKING:
    from blustream_widget.session.call_relay import CallRelay
    from blustream_widget.session.viewer import Viewer

AWAY_S = 10.0
"""Who lost the connection keeps the seat: what goes from browser to browser goes on meanwhile."""
# Five others get an offer and some twenty candidates each, all at once.
SIGNALS_HZ, SIGNALS_BURST = 30.0, 300.0
CHARS_HZ, CHARS_BURST = 32e3, 512e3
CHANGES_HZ, CHANGES_BURST = 2.0, 20.0

_AS_BEFORE = "Voices go from browser to browser again."
_SILENT = "Nobody is heard meanwhile: it is tried again and again."

_MAY = {"everyone": EVERYBODY, "editors": DRIVERS, "nobody": frozenset[str]()}


class CallRate:
    """What one connection may send for the call."""

    def __init__(self) -> None:
        self._changes = TokenBucket(CHANGES_HZ, CHANGES_BURST)
        self._signals = TokenBucket(SIGNALS_HZ, SIGNALS_BURST)
        self._chars = TokenBucket(CHARS_HZ, CHARS_BURST)

    def take(self, message: cm.CallMessage) -> bool:
        """Count a message; False when it is one too many."""
        if isinstance(message, cm.LeaveCall):
            return True
        if not isinstance(message, cm.CallSignal | cm.CallMedia):
            return self._changes.take()
        return self._signals.take() and self._chars.take(_n_chars(message.signal))


def _n_chars(signal: cm.Signal) -> int:
    match signal:
        case cm.Description(sdp=sdp):
            return len(sdp)
        case cm.Candidate(candidate=candidate):
            return len(candidate)
        case cm.Moved():
            return 0


@dataclass(slots=True, eq=False)
class _Member:
    """One page's part in the call; `viewer` is None while its connection is broken."""

    seat: str
    person: str
    viewer: Viewer | None = None
    muted: bool = False
    camera: bool = False
    recorded: bool = False
    away: asyncio.TimerHandle | None = None


class CallRoom:
    """Who takes part in a session's call. Loop thread only.

    A person has one seat, whichever of their pages they talk from. Nothing is passed on to or from
    a page that has none, so nobody is called who did not join.

    Parameters
    ----------
    is_on : bool
        Whether this server has calls at all.
    on_change : callable
        Who takes part, or may, is other than before.
    note : callable
        Keeps a record of what a viewer did.
    relay : CallRelay, optional
        What a call goes through that is too large to go from browser to browser.

    Attributes
    ----------
    allowed : frozenset of str
        Roles that may take part.
    on_seat_end : callable
        Called with a seat that nobody has any more, whatever ended it.
    """

    def __init__(
        self,
        *,
        is_on: bool,
        on_change: Callable[[], None],
        note: Callable[[Viewer, str], None],
        relay: CallRelay | None = None,
    ) -> None:
        self.allowed = EVERYBODY if is_on else frozenset[str]()
        self.on_seat_end: Callable[[str], None] = lambda _: None
        self._is_on = is_on
        self._on_change = on_change
        self._note = note
        self._members: dict[str, _Member] = {}
        self._relay = relay
        self._waiting: dict[Viewer, cm.JoinCall] = {}
        self._was_relayed = False
        self._back: frozenset[str] | None = None
        """Who was told that the call is without the SFU again."""
        if relay is not None:
            relay.on_change, relay.tell = self._relay_changed, self._tell_seat

    def may(self, viewer: Viewer) -> bool:
        """Whether somebody may take part now."""
        return viewer.role in self.allowed

    def hears(self, person: str) -> tuple[bool, bool, bool]:
        """Return whether a person takes part, whether muted, and whether recorded."""
        member = next(self._of_person(person), None)
        if member is None:
            return False, False, False
        return True, member.muted, member.recorded

    def seat_of(self, viewer: Viewer) -> str | None:
        """Return the seat of this very page; None: it takes no part."""
        member = self._of_viewer(viewer)
        return None if member is None else member.seat

    def set_recorded(self, seat: str, *, on: bool) -> None:
        """Tell those who take part whether the voice of somebody is recorded."""
        member = self._members.get(seat)
        if member is not None and member.recorded != on:
            member.recorded = on
            self._tell()

    def allow(self, calls: cm.CallPolicy) -> None:
        """Say who may take part; who may not any more is out."""
        self.allowed = _MAY[calls] if self._is_on else frozenset()
        self.review()
        self._on_change()

    def review(self) -> None:
        """Put out who may not take part any more: their role, or what the owner allows, changed."""
        gone = [
            m for m in self._members.values() if m.viewer is not None and not self.may(m.viewer)
        ]
        for member in gone:
            self._end(member, "You may not take part in the call any more.")
        if gone:
            self._tell()

    def receive(self, viewer: Viewer, message: cm.CallMessage) -> None:
        """Take a message of somebody.

        Raises
        ------
        CallError
            They may not take part, there is no room, or they send too much.
        """
        member = self._of_viewer(viewer)
        if not self._is_asked_for(member, message) and not viewer.call_rate.take(message):
            raise CallError("Your page sends too much for the call.", hint="Wait a moment.")
        match message:
            case cm.JoinCall():
                self._join(viewer, message)
            case cm.LeaveCall():
                self._waiting.pop(viewer, None)
                if member is not None:
                    self._end(member)
                    self._tell()
            case cm.CallSound(muted=muted, camera=camera) if member is not None:
                member.muted, member.camera = muted, camera
                self._tell()
            case cm.CallSignal(seat=seat, signal=signal) if member is not None:
                other = self._members.get(seat)
                if other is not None and other is not member and other.viewer is not None:
                    other.viewer.send(cm.CallSignalled(seat=member.seat, signal=signal))
            case cm.CallMedia() if member is not None and self._relay is not None:
                self._relay.receive(member.seat, message, person=member.person)

    def left(self, viewer: Viewer) -> None:
        """Take note that a connection is gone; its page may come again and go on."""
        self._waiting.pop(viewer, None)
        member = self._of_viewer(viewer)
        if member is None:
            return
        member.viewer = None
        member.away = asyncio.get_running_loop().call_later(AWAY_S, self._gone, member)

    def remove(self, person: str) -> None:
        """End the part of somebody who is shown out."""
        for member in tuple(self._of_person(person)):
            self._end(member, "Your visit has ended.")
        self._tell()

    def end(self, why: str) -> None:
        """End the call for all."""
        self._refuse_waiting(CallError(why))
        for member in tuple(self._members.values()):
            self._end(member, why)
        self._tell()

    def close(self) -> None:
        """Wait for nobody any more."""
        for member in self._members.values():
            if member.away is not None:
                member.away.cancel()
        self._members.clear()

    # -------------------------------------------------- seats

    def _join(self, viewer: Viewer, message: cm.JoinCall) -> None:
        if not self.may(viewer):
            raise CallError(
                "You may look here, not take part in calls.", hint="Ask the owner to allow it."
            )
        member = self._members.get(message.seat)
        if member is None or member.person != viewer.person:
            if self._has_to_wait(viewer):
                self._waiting[viewer] = message
                return
            member = self._take_seat(viewer)
        if member.away is not None:
            member.away.cancel()
            member.away = None
        member.viewer = viewer
        member.muted, member.camera = message.muted, message.camera
        self._tell()
        if self._relay is not None:
            self._relay.tell_again(member.seat)

    def _is_asked_for(self, member: _Member | None, message: cm.CallMessage) -> bool:
        """Whether it answers what we offered: how often that is, is not the page's doing."""
        if member is None or self._relay is None or not isinstance(message, cm.CallMedia):
            return False
        return self._relay.awaits(member.seat, message)

    def _has_to_wait(self, viewer: Viewer) -> bool:
        """Whether there is room only once the SFU is there; raises `CallError` if there is none."""
        relay = self._relay
        n_others = sum(m.person != viewer.person for m in self._members.values())
        most = cm.MAX_IN_CALL if relay is None else relay.people
        if n_others >= most:
            raise CallError(
                f"A call takes {most} people, and as many are in it.",
                hint="Write in the chat, or wait until somebody leaves.",
            )
        if relay is None or n_others < relay.mesh or relay.number:
            return False
        if len(self._members) > relay.mesh and relay.trouble and relay.is_wanted:
            raise _unreachable(relay)  # it is being tried again for those who are in
        relay.want()
        return True

    def _take_seat(self, viewer: Viewer) -> _Member:
        for former in tuple(self._of_person(viewer.person)):
            is_same_page = former.viewer is viewer
            self._end(former, "" if is_same_page else "You talk from another of your pages now.")
        member = _Member(seat=secrets.token_hex(8), person=viewer.person)
        self._members[member.seat] = member
        self._note(viewer, "joined the call")
        return member

    def _gone(self, member: _Member) -> None:
        member.away = None
        if self._members.pop(member.seat, None) is not None:
            self.on_seat_end(member.seat)
            self._tell()

    def _end(self, member: _Member, why: str = "") -> None:
        del self._members[member.seat]
        self.on_seat_end(member.seat)
        if member.away is not None:
            member.away.cancel()
        if member.viewer is not None:
            self._note(member.viewer, "left the call")
            if why:
                member.viewer.send(cm.CallLeft(message=why))

    def _of_viewer(self, viewer: Viewer) -> _Member | None:
        return next((m for m in self._members.values() if m.viewer is viewer), None)

    def _of_person(self, person: str) -> Iterator[_Member]:
        return (m for m in self._members.values() if m.person == person)

    def _relay_changed(self) -> None:
        """Go over to the SFU; or without it, go on from browser to browser if that is possible."""
        relay = self._relay
        assert relay is not None
        if not relay.number:
            self._refuse_waiting(_unreachable(relay))
        waiting, self._waiting = self._waiting, {}
        for viewer, message in waiting.items():
            try:
                self._join(viewer, message)
            except CallError as exc:
                viewer.send_error(exc)
        if not self._was_relayed and len(self._members) <= relay.mesh:
            relay.rest()  # whoever it was for did not wait
        self._was_relayed = self._was_relayed or bool(relay.number)
        self._tell()

    def _refuse_waiting(self, error: CallError) -> None:
        waiting, self._waiting = self._waiting, {}
        for viewer in waiting:
            viewer.send_error(error)

    def _tell_seat(self, seat: str, message: cm.CallMediaTold) -> None:
        member = self._members.get(seat)
        if member is not None and member.viewer is not None:
            member.viewer.send(message)

    def _tell(self) -> None:
        """Tell those who take part who does, and by which way they are heard."""
        members = tuple(
            cm.CallMember(
                seat=m.seat,
                person=m.person,
                muted=m.muted,
                camera=m.camera,
                recorded=m.recorded,
            )
            for m in self._members.values()
        )
        told = self._ways(members)
        for member in self._members.values():
            if member.viewer is not None:
                member.viewer.send(msgspec.structs.replace(told, seat=member.seat))
        self._on_change()

    def _ways(self, members: tuple[cm.CallMember, ...]) -> cm.Call:
        """Say by which way those in the call are heard; to the SFU, who is."""
        relay = self._relay
        if relay is None:
            return cm.Call(seat="", members=members)
        if relay.trouble and len(members) <= relay.mesh:
            relay.rest()  # the next one who comes is another try
        relay.show({m.seat: m.camera for m in members})
        self._was_relayed = self._was_relayed and bool(members)
        mesh = not relay.number and len(members) <= relay.mesh
        seats = frozenset(m.seat for m in members)
        if not mesh:
            self._back = None
        elif relay.trouble and self._was_relayed:
            self._back = self._back or seats
            if self._back != seats:  # it is no news any more
                self._was_relayed, self._back = False, None
        trouble = ""
        if relay.trouble and self._was_relayed:
            trouble = f"{relay.trouble} {_AS_BEFORE if mesh else _SILENT}"
        return cm.Call(seat="", members=members, mesh=mesh, sfu=relay.number, trouble=trouble)


def _unreachable(relay: CallRelay) -> CallError:
    return CallError(
        f"For more than {relay.mesh} people a call needs a server that does not answer now.",
        hint="Try again in a while, or tell who runs this Jupyter.",
    )
