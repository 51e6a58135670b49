"""A call's place at an SFU, whichever it is: voices and pictures of pages, passed on."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal, Protocol

from blustream_widget.core.call_messages import Candidate
from blustream_widget.errors import SfuError, SfuUnreachableError

Kind = Literal["audio", "video"]


class StreamGoneError(SfuUnreachableError):
    """Something that is wished for is not sent any more; what comes is what came before."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A voice or a picture that is sent to the room: whose (`feed`), and by which of its lines."""

    feed: int
    mid: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Offer:
    """What a page is offered: `lines` says by which line (`mid`) of it each stream comes."""

    sdp: str
    lines: dict[str, Stream]


@dataclass(frozen=True, slots=True)
class LineEvents:
    """What is heard of one connection of a page.

    Parameters
    ----------
    up : callable
        It is there.
    gone : callable
        It is not there any more, though nobody here closed it.
    candidate : callable
        Where the SFU may be reached.
    """

    up: Callable[[], None]
    gone: Callable[[], None]
    candidate: Callable[[Candidate], None]


class Line(Protocol):
    """One connection of a page with the SFU."""

    async def trickle(self, candidate: Candidate) -> None:
        """Take where the page may be reached; raises `SfuError`."""

    async def close(self) -> None:
        """End it, whatever the state; never raises."""


class UpLine(Line, Protocol):
    """What a page sends."""

    @property
    def answer(self) -> str:
        """SDP, for the page."""

    @property
    def streams(self) -> tuple[Stream, ...]:
        """What others may have of it."""


class DownLine(Line, Protocol):
    """What a page gets."""

    async def show(self, streams: Collection[Stream]) -> Offer | None:
        """Have these come, and no others; None: there is nothing to be agreed on.

        The offer must be answered before the next call.

        Raises
        ------
        StreamGoneError
            Nothing has changed, and another try may do.
        SfuError
        """

    async def answer(self, sdp: str) -> None:
        """Take the page's answer; raises `SfuError`."""


OnTalk = Callable[[int], None]
"""Gets the feed of somebody who begins to talk."""


class MediaRoom(Protocol):
    """A room of its own for one call, from `open` to `close`. Loop thread only."""

    async def open(self) -> None:
        """Make it.

        Raises
        ------
        SfuRefusedError
            The SFU does not let us.
        SfuUnreachableError
            It is not there, or does not answer.
        """

    async def publish(self, offer: str, events: LineEvents) -> UpLine:
        """Take what a page sends; raises `SfuError`."""

    def receive(self, events: LineEvents) -> DownLine:
        """Give a line by which a page gets something; nothing is asked before it does."""

    async def lost(self) -> SfuError:
        """Wait until it is not there any more, after `open`; returns why."""

    async def close(self) -> bool:
        """End it for everybody, whatever the state; never raises.

        False: it may be left at the SFU.
        """
