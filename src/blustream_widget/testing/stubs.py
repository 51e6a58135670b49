"""What surrounds a session, in a test's hand: workers that say what it wants, pages' channels."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((16, 24, 32))

M = TypeVar("M")


class StubWorker:
    """A worker that says what the test has it say.

    Attributes
    ----------
    sent : list of ToWorker
    """

    pid = 1

    def __init__(self) -> None:
        self.sent: list[wp.ToWorker] = []
        self.listener: Any = None

    def send(self, message: wp.ToWorker) -> None:
        """Keep what it is told."""
        self.sent.append(message)

    def listen(self, listener: object) -> None:
        """Speak to `listener` from now on."""
        self.listener = listener

    async def close(self) -> None:
        """End; nothing is left."""

    def says(self, message: wp.FromWorker) -> None:
        """Say something."""
        self.listener.on_message(message)

    def opens(self) -> None:
        """Say that the volume is open."""
        self.says(wp.Opened(INFO, ViewState()))

    def dies(self) -> None:
        """End without being asked to."""
        self.listener.on_end()

    def got(self, kind: type[M]) -> list[M]:
        """Return what it was told of a kind."""
        return [message for message in self.sent if isinstance(message, kind)]


class StubPool:
    """Every worker is there at once."""

    def __init__(self) -> None:
        self.workers: list[StubWorker] = []

    async def take(self) -> StubWorker:
        """Hand out a new one."""
        self.workers.append(StubWorker())
        return self.workers[-1]

    async def worker(self, number: int = -1) -> StubWorker:
        """Wait until the supervisor's task has taken one."""
        await asyncio.sleep(0)
        return self.workers[number]

    async def close(self) -> None:
        """End; nothing is left."""


class StubChannel:
    """The way to a page, which keeps what is sent.

    Attributes
    ----------
    messages : list of ServerMessage
    closed : list of (int, str)
    """

    name = "websocket"
    via = "proxy"
    read_tcp = None

    def __init__(self) -> None:
        self.messages: list[p.ServerMessage] = []
        self.closed: list[tuple[int, str]] = []

    def send_text(self, data: bytes) -> None:
        """Keep a message."""
        self.messages.append(p.decode_server(data))

    def hold_text(self, data: bytes) -> None:
        """Keep a message: nothing is held here."""
        self.send_text(data)

    def flush(self) -> None:
        """Send nothing: nothing is held here."""

    def send_frame(self, frame: object) -> None:
        """Let a frame go."""

    def send_header(self, frame: object) -> None:
        """Let a header go."""

    def drop_frames(self, *, stills_only: bool = False) -> int:  # noqa: ARG002  as Channel has it
        """Drop nothing: nothing waits here."""
        return 0

    def close(self, code: int, reason: str) -> None:
        """Keep that it was closed, and why."""
        self.closed.append((code, reason))

    def got(self, kind: type[M]) -> list[M]:
        """Return what was sent of a kind."""
        return [message for message in self.messages if isinstance(message, kind)]

    def codes(self) -> list[str]:
        """Return the codes of the errors that were sent."""
        return [message.code for message in self.got(p.Error)]
