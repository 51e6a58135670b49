"""Ordered outgoing messages of one WebSocket; frames that are too late can be taken back."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from blustream_widget.errors import PeerClosedError

MAX_WAITING_TEXTS = 2000
# A page keeps no more of them for pictures that are still to come.
MAX_WAITING_HEADERS = 64


class _Entry(NamedTuple):
    data: bytes
    channel: int
    is_text: bool
    is_still: bool


class Outbox:
    """Messages wait here while the socket is full, not in the socket: here they can be dropped.

    Parameters
    ----------
    send_text, send_binary : coroutine functions
        Write one message; they return when the socket's own buffer has room again.

    Notes
    -----
    `channel` tells apart the relayed viewers that share a kernel's link; a viewer's own socket has
    only 0.
    """

    def __init__(
        self,
        send_text: Callable[[str], Awaitable[None]],
        send_binary: Callable[[bytes], Awaitable[None]],
    ) -> None:
        self._send_text = send_text
        self._send_binary = send_binary
        self._entries: deque[_Entry] = deque()
        self._headers: deque[bytes] = deque(maxlen=MAX_WAITING_HEADERS)
        self._texts = 0
        self._wake = asyncio.Event()
        self._closed = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits, and something may be sent past it."""
        return not (self._headers or self._entries or self._closed)

    def put_text(self, data: bytes) -> None:
        """Queue a message.

        Raises
        ------
        PeerClosedError
            If the other side has stopped reading: it has to reconnect.
        """
        if self._texts >= MAX_WAITING_TEXTS:
            raise PeerClosedError(f"{self._texts} messages wait: the other side does not read.")
        self._texts += 1
        self._put(_Entry(data, 0, is_text=True, is_still=False))

    def put_frame(self, data: bytes, *, channel: int = 0, is_still: bool = False) -> None:
        """Queue a frame. The caller's pacing bounds their number."""
        self._put(_Entry(data, channel, is_text=False, is_still=is_still))

    def put_header(self, data: bytes) -> None:
        """Queue the header of a frame that goes another way, before all else: it is small."""
        if not self._closed:
            self._headers.append(data)
            self._wake.set()

    def drop_frames(self, *, channel: int = 0, stills_only: bool = False) -> int:
        """Take back the frames of `channel` that have not left, and say how many there were."""
        kept = [
            entry
            for entry in self._entries
            if entry.is_text or entry.channel != channel or (stills_only and not entry.is_still)
        ]
        n_dropped = len(self._entries) - len(kept)
        if n_dropped:
            self._entries = deque(kept)
        return n_dropped

    def close(self) -> None:
        """Let `run` end when everything queued has left."""
        self._closed = True
        self._wake.set()

    async def run(self) -> None:
        """Write messages in order until the outbox is closed or the connection breaks."""
        while True:
            while self._headers or self._entries:
                if self._headers:
                    await self._send_binary(self._headers.popleft())
                    continue
                entry = self._entries.popleft()
                if entry.is_text:
                    self._texts -= 1
                    await self._send_text(entry.data.decode())
                else:
                    await self._send_binary(entry.data)
            if self._closed:
                return
            self._wake.clear()
            await self._wake.wait()

    def _put(self, entry: _Entry) -> None:
        if not self._closed:
            self._entries.append(entry)
            self._wake.set()
