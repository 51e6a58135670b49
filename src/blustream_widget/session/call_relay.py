"""A call's room at the SFU: made when it is needed, anew when it is lost, ended with the call."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from blustream_widget.config import Config
from blustream_widget.core import call_messages as cm
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import BlustreamError, CallError, ConfigError, SfuError
from blustream_widget.session.call_left import CallRooms, Sweep
from blustream_widget.session.call_media import SeatMedia
from blustream_widget.session.call_stage import Stage
from blustream_widget.session.ratelimit import TokenBuckets
from blustream_widget.sfu.media_room import MediaRoom, OnTalk, Stream
from blustream_widget.sfu.videoroom import JanusRoom, RoomName, end_rooms, new_name
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Between tries to reach an SFU that is not there: each is twice as long."""
BEGINS_HZ, BEGINS_BURST = 0.5, 8.0
"""Of connections that one person begins, whatever seats they take in turn."""
CLOSE_S = 5.0
"""So long the end of a session waits for the SFU; a room that is left there is empty."""
MOST_LINES = 3
"""Of an offer: a voice, a picture, and one to spare."""
TROUBLE = "The server that passes the call's voices on is not there."
FAULT = "A fault, which this server's log names, keeps the call's voices from being passed on."


class MakeRoom(Protocol):
    """Makes a room, not opened yet, which ends those of `left` that are still there."""

    def __call__(
        self, settings: CallSfu, name: RoomName, left: Collection[RoomName], on_talk: OnTalk
    ) -> MediaRoom: ...


@dataclass(slots=True)
class _Seat:
    """Somebody in the call, and their connections with the SFU, if there are some."""

    camera: bool = False
    media: SeatMedia | None = None
    task: asyncio.Task[None] | None = None

    def end(self) -> None:
        """Let go of the connections."""
        if self.task is not None:
            self.task.cancel()
        self.media = self.task = None


class CallRelay:
    """What of a call goes through the SFU. Loop thread only.

    Parameters
    ----------
    settings : CallSfu
    kept : Path, optional
        The session's folder: the room that a killed server left is ended by the next one.
    make, sweep : callable, optional
        Make a room, and end those that were left behind; for tests.

    Attributes
    ----------
    people, mesh : int
        Who may be in the call; how many of them go from browser to browser.
    number : int
        Of the room that is there; each is another one. 0: none.
    trouble : str
        Why there is none though one is wished for.
    on_change : callable
        `number` or `trouble` are others.
    tell : callable
        Gets a seat, and what its page is to hear.
    """

    def __init__(
        self,
        settings: CallSfu,
        *,
        kept: Path | None = None,
        make: MakeRoom = JanusRoom,
        sweep: Sweep = end_rooms,
    ) -> None:
        self.people, self.mesh = settings.people, settings.mesh
        self.number, self.trouble = 0, ""
        self.on_change: Callable[[], None] = lambda: None
        self.tell: Callable[[str, cm.CallMediaTold], None] = lambda _seat, _message: None
        self._settings, self._make = settings, make
        self._rooms = CallRooms(settings, kept, sweep=sweep)
        self._n_rooms = 0
        self._room: MediaRoom | None = None
        self._running: asyncio.Task[None] | None = None
        self._stage = Stage(settings.pictures)
        self._later: asyncio.TimerHandle | None = None
        self._seats: dict[str, _Seat] = {}
        self._begins = TokenBuckets(BEGINS_HZ, BEGINS_BURST)
        self._tasks = TaskSet()
        self._rooms.end_left()

    @property
    def is_wanted(self) -> bool:
        """Whether a room is there, or is being tried for."""
        return self._running is not None

    def want(self) -> None:
        """Have a room; what comes of it is told by `on_change`."""
        if self._running is None:
            self.trouble = ""
            self._running = self._tasks.spawn(self._run(), name="call at the SFU")

    def rest(self) -> None:
        """Have no room any more."""
        running, self._running = self._running, None
        self._let_go()
        if running is not None:
            running.cancel()

    def show(self, cameras: Mapping[str, bool]) -> None:
        """Say who is in the call, and whether their camera is on; with nobody the room ends."""
        for seat in self._seats.keys() - cameras.keys():
            self._seats.pop(seat).end()
        for seat, is_on in cameras.items():
            self._seats.setdefault(seat, _Seat()).camera = is_on
        self._stage.set_cameras([seat for seat, is_on in cameras.items() if is_on])
        self._want_again()
        if not cameras:
            self.trouble = ""
            self.rest()

    def receive(self, seat: str, message: cm.CallMedia, *, person: str) -> None:
        """Take what a page tells the SFU, and whose page it is.

        Raises
        ------
        CallError
            It begins too often, or offers too much.
        """
        signal, there = message.signal, self._seats.get(seat)
        if there is None:
            return
        if isinstance(signal, cm.Description) and message.way == "up":
            self._begin(seat, there, person, message.n, signal)
        elif there.media is not None:
            there.media.receive(message)

    def awaits(self, seat: str, message: cm.CallMedia) -> bool:
        """Whether a page answers what it was offered."""
        there = self._seats.get(seat)
        return there is not None and there.media is not None and there.media.awaits(message)

    def tell_again(self, seat: str) -> None:
        """Tell a page that was away for a moment what it may have missed."""
        there = self._seats.get(seat)
        if there is not None and there.media is not None:
            there.media.tell_again()

    async def close(self) -> None:
        """End the room, when the session ends, in five seconds at most."""
        self.rest()
        if self._later is not None:
            self._later.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                await self._tasks.wait()
        await self._tasks.close()
        await self._rooms.close()

    # -------------------------------------------------- the room

    async def _run(self) -> None:
        """Have a room, again and again, until nobody wishes for one any more."""
        pause_s = FIRST_PAUSE_S
        try:
            while True:
                n_before = self._n_rooms
                try:
                    trouble = await self._have_room()
                except Exception:  # whatever it is: those in the call wait for nobody else
                    if self.trouble != FAULT:
                        logger.exception("A call cannot go through the SFU")
                    trouble = FAULT
                if self._n_rooms != n_before:
                    pause_s = FIRST_PAUSE_S
                self.trouble = trouble
                self.on_change()
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        finally:
            if self._running is asyncio.current_task():  # it failed; the next wish tries again
                self._running, self.trouble = None, FAULT

    async def _have_room(self) -> str:
        """Have one until it is lost; returns what those in the call are told then."""
        name = new_name()
        left = self._rooms.left
        room = self._make(self._settings, name, left, self._talks)
        try:
            await self._rooms.use(name)
            await room.open()
            await self._rooms.forget(left)
            self._came(room)
            error = await room.lost()
        except SfuError as exc:
            error = exc
        finally:
            # Those in the call hear of it now; the SFU, which may not answer, has time.
            if self._room is room:
                self._let_go()
            self._rooms.leave(name)
            self._tasks.spawn(self._leave(room, name), name="end of a call")
        if not self.trouble:
            logger.warning("The SFU of a call is not there: %s", error)
        return TROUBLE

    def _came(self, room: MediaRoom) -> None:
        self._room = room
        self._n_rooms += 1
        self.number, self.trouble = self._n_rooms, ""
        self.on_change()

    def _let_go(self) -> None:
        self._room, self.number = None, 0
        for seat in self._seats.values():
            seat.end()

    async def _leave(self, room: MediaRoom, name: RoomName) -> None:
        if await room.close():
            await self._rooms.forget([name])
        else:
            self._rooms.end_left()

    def _talks(self, feed: int) -> None:
        for name, seat in self._seats.items():
            if seat.media is not None and seat.media.has(feed):
                if self._stage.spoke(name):
                    self._want_again()
                self._review_later()
                return

    def _review_later(self) -> None:
        """Show who spoke when that may be, if somebody waits for it."""
        if self._later is None and (wait_s := self._stage.wait_s):
            self._later = asyncio.get_running_loop().call_later(wait_s, self._review)

    def _review(self) -> None:
        self._later = None
        if self._stage.review():
            self._want_again()
        self._review_later()

    # -------------------------------------------------- seats

    def _begin(self, name: str, seat: _Seat, person: str, n: int, offer: cm.Description) -> None:
        room = self._room
        if room is None or offer.kind != "offer":
            return  # its page is told that there is none
        if not self._begins.take(person):
            raise CallError("Your page connects to the call too often.", hint="Wait a moment.")
        if offer.sdp.count("\nm=") > MOST_LINES:
            raise CallError("Your page offers more than a voice and a picture.")
        seat.end()
        media = seat.media = SeatMedia(
            room,
            n,
            tell=lambda message: self.tell(name, message),
            wanted=lambda: self._wanted_by(name),
            on_change=self._want_again,
        )
        seat.task = self._tasks.spawn(self._be_there(media, offer.sdp), name="a page at the SFU")
        self._want_again()

    async def _be_there(self, media: SeatMedia, offer: str) -> None:
        try:
            await media.run(offer)
        finally:
            await asyncio.shield(self._tasks.spawn(media.close(), name="a page leaves the SFU"))

    def _wanted_by(self, name: str) -> dict[Stream, str]:
        """Give what a page gets: all other voices, and the pictures that are seen."""
        seen = self._stage.seats
        return {
            stream: other
            for other, seat in self._seats.items()
            if other != name and seat.media is not None
            for stream in seat.media.streams
            if stream.kind == "audio" or (seat.camera and other in seen)
        }

    def _want_again(self) -> None:
        for seat in self._seats.values():
            if seat.media is not None:
                seat.media.want()


def call_sfu_of(config: Config) -> CallSfu | None:
    """Read the setting that says which SFU large calls go through; None: there is none.

    Raises
    ------
    ConfigError
        It cannot be read.
    """
    if not config.call_sfu:
        return None
    try:
        return msgspec.json.decode(config.call_sfu, type=CallSfu)
    except msgspec.MsgspecError as exc:
        # Not what is wrong with it: that may be a part of a secret.
        raise ConfigError(
            "BLUSTREAM_CALL_SFU cannot be read.",
            hint='For example {"type": "janus", "url": "http://127.0.0.1:8088/janus"}; its numbers '
            "have bounds, see the page about calls.",
        ) from exc


def make_relay(config: Config, kept: Path | None) -> CallRelay | None:
    """Give what large calls go through; None: there is nothing, and they are small."""
    try:
        settings = call_sfu_of(config) if config.calls else None
    except ConfigError as exc:
        logger.warning("%s %s", exc.message, exc.hint)
        return None
    return None if settings is None else CallRelay(settings, kept=kept)


async def call_sfu_obstacle(config: Config) -> str:
    """Why no call can go through the SFU of the settings; "" if one can. Tries it."""
    try:
        settings = call_sfu_of(config)
        if settings is None:
            return "BLUSTREAM_CALL_SFU names none."
        room = JanusRoom(settings, new_name(), (), lambda _: None)
        try:
            await room.open()
        finally:
            await room.close()
    except BlustreamError as exc:
        return f"{exc.message} {exc.hint}".strip()
    return ""
