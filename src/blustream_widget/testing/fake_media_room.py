"""An SFU for calls that passes nothing on: it keeps who is there, and what each is to get."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection
from dataclasses import dataclass, field

from blustream_widget.core.call_messages import Candidate
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu.media_room import LineEvents, Offer, OnTalk, Stream, StreamGoneError
from blustream_widget.sfu.videoroom import RoomName

SECRET = "an API secret of tests alone"


class FakeSfu:
    """Where the rooms are; it can be stopped and started, or not answer for a while.

    Attributes
    ----------
    rooms : dict of int to FakeRoom
        Those that are there, by number.
    answers : asyncio.Event
        Requests wait for it.
    ends : asyncio.Event
        The end of each room waits for it.
    is_cut : bool
        There is no way to it, though it runs.
    n_made, n_swept : int
        Rooms that were wished for, and how often it was asked to end those left behind.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, FakeRoom] = {}
        self.is_up, self.is_cut = True, False
        self.answers = asyncio.Event()
        self.ends = asyncio.Event()
        self.answers.set()
        self.ends.set()
        self.n_made = self.n_swept = 0

    def make(
        self, settings: CallSfu, name: RoomName, left: Collection[RoomName], on_talk: OnTalk
    ) -> FakeRoom:
        """Make a room that is not opened yet."""
        self.n_made += 1
        return FakeRoom(self, settings, name, left, on_talk)

    async def sweep(self, settings: CallSfu, names: Collection[RoomName]) -> None:
        """End rooms that were left behind."""
        self.n_swept += 1
        await self.asked(settings)
        for name in names:
            self.end(name)

    async def asked(self, settings: CallSfu) -> None:
        """Wait until it answers; raises `SfuError` where it would."""
        await self.answers.wait()
        if not self.is_up or self.is_cut:
            raise SfuUnreachableError("The fake does not answer.")
        if settings.api_secret != SECRET:
            raise SfuRefusedError("The fake refuses.")

    def end(self, name: RoomName) -> None:
        """End a room if the secret is its own."""
        room = self.rooms.get(name.number)
        if room is not None and room.name.secret == name.secret:
            del self.rooms[name.number]
            room.lose("Somebody ended it.")

    def stop(self) -> None:
        """End as by a crash."""
        self.is_up = False
        for room in tuple(self.rooms.values()):
            room.lose("The fake does not answer.")
        self.rooms.clear()

    def cut(self) -> None:
        """Have no way to it any more; what is there stays."""
        self.is_cut = True
        for room in tuple(self.rooms.values()):
            room.lose("The fake does not answer.")

    def start(self) -> None:
        """Be there again."""
        self.is_up, self.is_cut = True, False


@dataclass(eq=False)
class FakeUp:
    """What a page sends; `come` lets it be connected."""

    room: FakeRoom
    events: LineEvents
    offer: str
    feed: int
    answer: str = "v=0\r\na=answer of the fake\r\n"
    candidates: list[Candidate] = field(default_factory=list)

    @property
    def streams(self) -> tuple[Stream, ...]:
        """A voice, and a picture if one is offered."""
        voice = Stream(self.feed, "0", "audio")
        has_picture = "\nm=video" in self.offer
        return (voice, Stream(self.feed, "1", "video")) if has_picture else (voice,)

    def come(self) -> None:
        """Be connected."""
        self.events.up()

    async def trickle(self, candidate: Candidate) -> None:
        self.candidates.append(candidate)

    async def close(self) -> None:
        self.room.ups.pop(self.feed, None)


@dataclass(eq=False)
class FakeDown:
    """What a page gets: `shown`."""

    room: FakeRoom
    events: LineEvents
    shown: frozenset[Stream] = frozenset()
    answers: list[str] = field(default_factory=list)
    is_closed: bool = False

    async def show(self, streams: Collection[Stream]) -> Offer | None:
        wanted = frozenset(streams)
        if wanted == self.shown:
            return None
        await self.room.asked()
        if any(stream.feed not in self.room.ups for stream in wanted - self.shown):
            raise StreamGoneError("The fake has no such feed.")
        self.shown = wanted
        lines = dict(zip(map(str, itertools.count()), sorted(wanted, key=repr), strict=False))
        return Offer("v=0\r\na=offer of the fake\r\n", lines)

    async def answer(self, sdp: str) -> None:
        await self.room.asked()
        self.answers.append(sdp)

    async def trickle(self, candidate: Candidate) -> None:
        del candidate

    async def close(self) -> None:
        self.is_closed = True
        if self in self.room.downs:
            self.room.downs.remove(self)


class FakeRoom:
    """One room; see `MediaRoom`."""

    def __init__(
        self,
        sfu: FakeSfu,
        settings: CallSfu,
        name: RoomName,
        left: Collection[RoomName],
        on_talk: OnTalk,
    ) -> None:
        self._sfu, self._settings, self._left = sfu, settings, left
        self.name, self.on_talk = name, on_talk
        self.ups: dict[int, FakeUp] = {}
        self.downs: list[FakeDown] = []
        self._feeds = itertools.count(1)
        self._end: asyncio.Future[SfuError] = asyncio.get_running_loop().create_future()

    async def asked(self) -> None:
        """Wait until the SFU answers."""
        await self._sfu.asked(self._settings)
        if self._end.done():
            raise self._end.result()

    async def open(self) -> None:
        await self.asked()
        for name in self._left:
            self._sfu.end(name)
        self._sfu.rooms[self.name.number] = self

    async def publish(self, offer: str, events: LineEvents) -> FakeUp:
        await self.asked()
        if "\nm=" not in offer:
            raise SfuRefusedError("The fake cannot read that.")
        up = FakeUp(self, events, offer, next(self._feeds))
        self.ups[up.feed] = up
        return up

    def receive(self, events: LineEvents) -> FakeDown:
        down = FakeDown(self, events)
        self.downs.append(down)
        return down

    async def lost(self) -> SfuError:
        return await asyncio.shield(self._end)

    def lose(self, why: str) -> None:
        """Be lost."""
        if not self._end.done():
            self._end.set_result(SfuUnreachableError(why))

    async def close(self) -> bool:
        self.lose("It has ended.")
        self.ups.clear()
        self.downs.clear()
        await self._sfu.ends.wait()
        is_there = self._sfu.rooms.get(self.name.number) is self
        if is_there and self._sfu.is_cut:
            return False
        if is_there:
            del self._sfu.rooms[self.name.number]
        return True
