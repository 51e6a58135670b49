"""What every room for calls must promise, at whichever SFU; a fresh harness for each check."""

from __future__ import annotations

import asyncio
from typing import Protocol

from blustream_widget.core.call_messages import Candidate
from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu.media_room import (
    DownLine,
    LineEvents,
    MediaRoom,
    Offer,
    Stream,
    StreamGoneError,
    UpLine,
)
from blustream_widget.sfu.videoroom import RoomName

TIMEOUT_S = 30.0


class Page(Protocol):
    """A browser's two connections."""

    async def offer(self) -> str:
        """Offer a voice and a picture."""

    async def take_answer(self, sdp: str) -> None:
        """Take what is answered."""

    async def answer(self, offer: Offer) -> str:
        """Answer what is offered."""


class RoomHarness(Protocol):
    """An SFU that runs."""

    def room(self, name: RoomName, *left: RoomName, is_wrong: bool = False) -> MediaRoom:
        """Make a room, not opened; `is_wrong`: with a secret that is not the SFU's."""

    def page(self) -> Page:
        """Make a page that can be connected to it."""

    async def connected(self, up: UpLine) -> None:
        """See to it that a page's connection comes up."""

    async def names(self) -> set[int]:
        """Which rooms are there."""

    async def end_there(self, name: RoomName) -> None:
        """End a room as somebody there may."""

    async def stop(self) -> None:
        """Let the SFU end as by a crash."""

    async def start(self) -> None:
        """Start it again, at the same address."""


ONE, OTHER = RoomName(4711, "a secret of a room"), RoomName(4712, "another secret")


class _Heard:
    """What is heard of a line."""

    def __init__(self) -> None:
        self.up, self.gone = asyncio.Event(), asyncio.Event()
        self.candidates: list[Candidate] = []
        self.events = LineEvents(self.up.set, self.gone.set, self.candidates.append)


async def _within(waiting: object) -> object:
    async with asyncio.timeout(TIMEOUT_S):
        return await waiting  # type: ignore[misc]  # anything that can be awaited


async def _publish(harness: RoomHarness, room: MediaRoom) -> UpLine:
    page, heard = harness.page(), _Heard()
    up = await room.publish(await page.offer(), heard.events)
    await page.take_answer(up.answer)
    await harness.connected(up)
    await _within(heard.up.wait())
    return up


async def _shown(page: Page, down: DownLine, streams: tuple[Stream, ...]) -> set[Stream]:
    offer = await down.show(streams)
    if offer is None:
        return set()
    await down.answer(await page.answer(offer))
    return set(offer.lines.values())


async def check_is_there_from_open_to_close(harness: RoomHarness) -> None:
    """Be there as long as it is open; closing twice is as well."""
    room = harness.room(ONE)
    await room.open()
    assert ONE.number in await harness.names()
    assert await room.close()
    await room.close()
    assert ONE.number not in await harness.names()


async def check_takes_the_place_of_one_left_behind(harness: RoomHarness) -> None:
    """End a former room that is still there."""
    left, room = harness.room(ONE), harness.room(OTHER, ONE)
    await left.open()
    await room.open()
    assert await harness.names() == {OTHER.number}
    await room.close()
    await left.close()
    room = harness.room(ONE, OTHER)  # that is gone, which is as well
    await room.open()
    await room.close()


async def check_says_who_is_refused(harness: RoomHarness) -> None:
    """Tell a wrong secret from a silence."""
    room = harness.room(ONE, is_wrong=True)
    try:
        await room.open()
    except SfuRefusedError:
        await room.close()
        return
    raise AssertionError("a wrong secret was taken")


async def check_gives_each_what_they_are_to_get_and_no_more(harness: RoomHarness) -> None:
    """Lines come and go as it is wished for, and name their streams."""
    room = harness.room(ONE)
    await room.open()
    ann, ben = await _publish(harness, room), await _publish(harness, room)
    assert [stream.kind for stream in ann.streams] == ["audio", "video"]
    assert ann.streams[0].feed != ben.streams[0].feed
    page, heard = harness.page(), _Heard()
    down = room.receive(heard.events)
    assert await down.show(()) is None
    assert await _shown(page, down, ann.streams[:1]) == {ann.streams[0]}
    assert await down.show(ann.streams[:1]) is None
    both = (*ann.streams, ben.streams[0])
    assert await _shown(page, down, both) == set(both)
    assert await _shown(page, down, ben.streams[:1]) == {ben.streams[0]}
    assert await _shown(page, down, both) == set(both)
    await down.close()
    await room.close()


async def check_says_what_is_not_sent_any_more_and_goes_on(harness: RoomHarness) -> None:
    """Who has left is no reason to lose the others."""
    room = harness.room(ONE)
    await room.open()
    ann, ben = await _publish(harness, room), await _publish(harness, room)
    page = harness.page()
    down = room.receive(_Heard().events)
    gone = ben.streams[:1]
    await ben.close()
    for before in ((), ann.streams[:1]):
        await _shown(page, down, before)
        try:
            await down.show((*before, *gone))
        except StreamGoneError:
            continue
        raise AssertionError("what is gone was given")
    assert await _shown(page, down, ann.streams) == set(ann.streams)
    await room.close()


async def check_refuses_what_is_no_offer(harness: RoomHarness) -> None:
    """Nonsense ends nothing but itself."""
    room = harness.room(ONE)
    await room.open()
    try:
        await room.publish("v=0\r\nnonsense", _Heard().events)
    except SfuError:
        assert ONE.number in await harness.names()
        await room.close()
        return
    raise AssertionError("nonsense was answered")


async def check_says_that_somebody_ended_it(harness: RoomHarness) -> None:
    """Take it as lost, and to be tried again, when somebody ends it."""
    room = harness.room(ONE)
    await room.open()
    await _publish(harness, room)
    losing = asyncio.create_task(room.lost())
    await harness.end_there(ONE)
    assert isinstance(await _within(losing), SfuUnreachableError)
    await room.close()


async def check_says_that_the_sfu_is_gone_and_closes_all_the_same(harness: RoomHarness) -> None:
    """Tell of a crash, hang nowhere, and let it be tried again."""
    room = harness.room(ONE)
    await room.open()
    up = await _publish(harness, room)
    losing = asyncio.create_task(room.lost())
    await harness.stop()
    assert isinstance(await _within(losing), SfuUnreachableError)
    await up.close()
    await room.close()
    another = harness.room(OTHER)
    try:
        await another.open()
    except SfuUnreachableError:
        await another.close()
    else:
        raise AssertionError("there was a room at an SFU that is not there")
    await harness.start()
    room = harness.room(ONE, OTHER)
    await room.open()
    await room.close()
