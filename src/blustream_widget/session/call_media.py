"""One page's two connections with the SFU, from its offer to their end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from blustream_widget.core import call_messages as cm
from blustream_widget.errors import SfuError, SfuUnreachableError
from blustream_widget.sfu.media_room import (
    DownLine,
    LineEvents,
    MediaRoom,
    Offer,
    Stream,
    StreamGoneError,
    UpLine,
)

logger = logging.getLogger(__name__)

ANSWER_S = 15.0
"""So long a page may take to answer an offer."""
AGAIN_S = 1.0
AGREE_S, AT_ONCE = 1.0, 2
"""A page is made one offer in so long, whatever others switch on and off: each answer is long.
After a rest it may be two: many come at about the same time, as all do when a call goes over."""
SOON_S = 0.25
"""Between those two: the first one waits for nobody, the second one has who came meanwhile."""
MOST_WAITING = 100
"""Candidates of a page that its connections did not take yet."""

Tell = Callable[[cm.CallMediaTold], None]
Wanted = Callable[[], Mapping[Stream, str]]
"""Gives what a page gets, and whose seat each is."""


class SeatMedia:
    """What a page sends to the SFU, and what it gets. Loop thread only.

    Parameters
    ----------
    room : MediaRoom
    n : int
        The page's number of this attempt.
    tell : callable
        Gets what the page is to hear.
    wanted : callable
        What it is to get.
    on_change : callable
        What others can have of it is other than before.
    """

    def __init__(
        self, room: MediaRoom, n: int, *, tell: Tell, wanted: Wanted, on_change: Callable[[], None]
    ) -> None:
        self.n = n
        self.streams: tuple[Stream, ...] = ()
        """What others can have: nothing before it is connected."""
        self._room, self._tell = room, tell
        self._wanted, self._on_change = wanted, on_change
        self._inbox: asyncio.Queue[cm.CallMedia] = asyncio.Queue(MOST_WAITING)
        self._wake = asyncio.Event()
        self._answer: asyncio.Future[str] | None = None
        self._untaken: cm.CallMediaTold | None = None
        self._is_gone = asyncio.Event()
        self._up: UpLine | None = None
        self._down: DownLine | None = None

    def receive(self, message: cm.CallMedia) -> None:
        """Take what the page says after its offer; what is too much is left out."""
        if message.n != self.n:
            return
        if isinstance(message.signal, cm.Description):
            if self._answer is not None and self.awaits(message):
                self._answer.set_result(message.signal.sdp)
        elif not self._inbox.full():
            self._inbox.put_nowait(message)

    def awaits(self, message: cm.CallMedia) -> bool:
        """Whether it is the answer to an offer that was made to the page: one for each."""
        signal = message.signal
        is_answer = isinstance(signal, cm.Description) and signal.kind == "answer"
        is_asked = self._answer is not None and not self._answer.done()
        return is_answer and is_asked and (message.n, message.way) == (self.n, "down")

    def has(self, feed: int) -> bool:
        """Whether something that others can have is sent by this feed."""
        return any(stream.feed == feed for stream in self.streams)

    def want(self) -> None:
        """Take note that the page may be to get something else."""
        self._wake.set()

    async def run(self, offer: str) -> None:
        """Be there until the SFU or the page lets go; the page is told of the end."""
        try:
            self._up = await self._room.publish(offer, self._events("up", self._came_up))
            self._say("up", cm.Description(kind="answer", sdp=self._up.answer))
            self._down = self._room.receive(self._events("down", lambda: None))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._carry(self._up, self._down))
                tasks.create_task(self._follow(self._down))
                tasks.create_task(self._watch())
        except* SfuError:
            self._end()
        except* Exception:
            logger.exception("What a page has of a call's SFU ends by a fault")
            self._end()

    def tell_again(self) -> None:
        """Tell what a page that was away for a moment may have missed."""
        if self._untaken is not None:
            self._tell(self._untaken)

    async def close(self) -> None:
        """Let go of both connections; never raises."""
        self._set_streams(())
        for line in (self._up, self._down):
            if line is not None:
                await line.close()

    # -------------------------------------------------- what runs

    async def _carry(self, up: UpLine, down: DownLine) -> None:
        """Pass on where the page may be reached."""
        while True:
            message = await self._inbox.get()
            if isinstance(message.signal, cm.Candidate):
                await (up if message.way == "up" else down).trickle(message.signal)

    async def _follow(self, down: DownLine) -> None:
        """Have come what the page is to get: what changes fast is agreed on once in a while."""
        loop, rested_s = asyncio.get_running_loop(), 0.0
        while True:
            self._wake.clear()
            seats = self._wanted()
            try:
                offer = await down.show(seats)
            except StreamGoneError:  # we hear of that, too
                await self._woken(AGAIN_S)
                continue
            if offer is not None:
                now_s = loop.time()
                rested_s = max(rested_s, now_s) + AGREE_S  # two at once may be from then on
                next_s = max(now_s + SOON_S, rested_s - (AT_ONCE - 1) * AGREE_S)
                await self._agree(down, offer, seats)
                await asyncio.sleep(next_s - loop.time())
            await self._woken()

    async def _agree(self, down: DownLine, offer: Offer, seats: Mapping[Stream, str]) -> None:
        answer = self._answer = asyncio.get_running_loop().create_future()
        tracks = tuple(
            cm.CallTrack(mid=mid, kind=stream.kind, seat=seats[stream])
            for mid, stream in offer.lines.items()
        )
        wish = cm.Description(kind="offer", sdp=offer.sdp)
        self._untaken = cm.CallMediaTold(n=self.n, way="down", signal=wish, tracks=tracks)
        self._tell(self._untaken)
        try:
            async with asyncio.timeout(ANSWER_S):
                sdp = await answer
        except TimeoutError as exc:
            raise SfuUnreachableError("The page does not answer.") from exc
        finally:
            self._answer = self._untaken = None
        await down.answer(sdp)

    async def _woken(self, at_most_s: float | None = None) -> None:
        try:
            async with asyncio.timeout(at_most_s):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _watch(self) -> None:
        await self._is_gone.wait()
        raise SfuUnreachableError("A connection of a page with the SFU has ended.")

    # -------------------------------------------------- what is heard

    def _events(self, way: cm.Way, up: Callable[[], None]) -> LineEvents:
        return LineEvents(
            up=up, gone=self._is_gone.set, candidate=lambda candidate: self._say(way, candidate)
        )

    def _came_up(self) -> None:
        if self._up is not None:
            self._set_streams(self._up.streams)

    def _set_streams(self, streams: tuple[Stream, ...]) -> None:
        if self.streams != streams:
            self.streams = streams
            self._on_change()

    def _end(self) -> None:
        self._untaken = cm.CallMediaTold(n=self.n, way="up", signal=cm.MediaEnded())
        self._tell(self._untaken)

    def _say(self, way: cm.Way, signal: cm.Description | cm.Candidate) -> None:
        self._tell(cm.CallMediaTold(n=self.n, way=way, signal=signal))
