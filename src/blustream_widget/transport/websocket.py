"""A viewer on its own WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

from aiohttp import ClientWebSocketResponse, web

from blustream_widget.core.protocol import MAX_MESSAGE_BYTES
from blustream_widget.errors import PeerClosedError
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.outbox import Outbox
from blustream_widget.transport.tcp_info import ReadTcp, tcp_reader
from blustream_widget.transport.tcp_tuning import PromptBbr, prefer_bbr

HEARTBEAT_S = 20.0
# More than this waits in the outbox, where frames can be taken back, not in asyncio or the kernel.
MAX_BUFFERED_BYTES = 32 * 1024
_TCP_NOTSENT_LOWAT = 25  # of linux/tcp.h; Python knows it from 3.12 on
_TEXT, _BINARY = 0x81, 0x82  # RFC 6455: whole messages
_SHORT, _MEDIUM, _LONG = struct.Struct("!BB"), struct.Struct("!BBH"), struct.Struct("!BBQ")
Socket: TypeAlias = web.WebSocketResponse | ClientWebSocketResponse
CLOSE_GOING_AWAY = 1001
CLOSE_POLICY = 1008


def make_socket() -> web.WebSocketResponse:
    """WebSocket with our bounds: small messages in, no compression (video does not shrink)."""
    return web.WebSocketResponse(
        max_msg_size=MAX_MESSAGE_BYTES,
        compress=False,
        heartbeat=HEARTBEAT_S,
        writer_limit=MAX_BUFFERED_BYTES,
    )


class Tcp(NamedTuple):
    """The connection below a viewer's WebSocket.

    Parameters
    ----------
    read : callable or None
        Tells of it; None where it is no TCP, or the system tells nothing.
    prompt : PromptBbr or None
        Has a picture leave at once; None where BBR is not in use.
    """

    read: ReadTcp | None = None
    prompt: PromptBbr | None = None


_UNKNOWN = Tcp()


def bound_queues(transport: asyncio.BaseTransport | None) -> Tcp:
    """Have the network take a frame when it can send it, not seconds before.

    The kernel takes megabytes of a TCP connection otherwise, and on a slow link all of them are
    older than what the viewer wants to see. Call before the socket is prepared.

    Returns
    -------
    Tcp
        What is known of the connection.
    """
    if not isinstance(transport, asyncio.Transport):
        return _UNKNOWN
    transport.set_write_buffer_limits(high=MAX_BUFFERED_BYTES)
    connection = transport.get_extra_info("socket")
    read = tcp_reader(connection)
    if read is None:
        return _UNKNOWN
    connection.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, MAX_BUFFERED_BYTES)
    return Tcp(read, PromptBbr(connection, read) if prefer_bbr(connection) else None)


class WebSocketChannel:
    """Outgoing side of a viewer's WebSocket.

    While the connection takes everything, messages are written from where they are sent: no queue,
    no task, no copy for each viewer, and one call of the system. Else they wait in the outbox.

    Parameters
    ----------
    connection : aiohttp.web.WebSocketResponse or aiohttp.ClientWebSocketResponse
        Prepared, or open. `run` writes to it; reading is the caller's.
    via : "direct" or "proxy"
        Whether something of Jupyter carries every message.
    tcp : Tcp
        The connection below.
    transport : asyncio.Transport, optional
        That of the connection; without it every message goes through the outbox.
    """

    name: Literal["websocket"] = "websocket"

    def __init__(
        self,
        connection: Socket,
        via: Literal["direct", "proxy"] = "proxy",
        *,
        tcp: Tcp = _UNKNOWN,
        transport: asyncio.BaseTransport | None = None,
    ) -> None:
        self.via = via
        self.read_tcp = tcp.read
        self._prompt = tcp.prompt
        self._transport = transport if isinstance(transport, asyncio.Transport) else None
        self._socket = connection
        self._outbox = Outbox(connection.send_str, connection.send_bytes)
        self._held = b""
        self._close_code = CLOSE_GOING_AWAY
        self._close_reason = ""

    def hold_text(self, data: bytes) -> None:
        self._held = data

    def flush(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self.send_text(held)

    def send_text(self, data: bytes) -> None:
        self.flush()
        if self._is_free:
            self._write(message_of(_TEXT, data))
            return
        try:
            self._outbox.put_text(data)
        except PeerClosedError as exc:
            self.close(CLOSE_POLICY, str(exc))

    def send_frame(self, frame: EncodedFrame) -> None:
        if self._prompt is not None and not frame.is_still:
            self._prompt.expect(len(frame.data))
        if self._is_free:
            self._write_with_held(_shared_message, frame)
            return
        self.flush()
        self._outbox.put_frame(frame.data, is_still=frame.is_still)

    def send_header(self, frame: EncodedFrame) -> None:
        if self._is_free:
            self._write_with_held(_shared_header, frame)
            return
        self.flush()
        self._outbox.put_header(frame.header_only())

    def drop_frames(self, *, stills_only: bool = False) -> int:
        return self._outbox.drop_frames(stills_only=stills_only)

    @property
    def _is_free(self) -> bool:
        """Whether what is sent now leaves at once, behind everything before it."""
        transport = self._transport
        return (
            transport is not None
            and self._outbox.is_idle
            and not transport.get_write_buffer_size()
            and not transport.is_closing()
            and not self._socket.closed
        )

    def _write_with_held(
        self, make: Callable[[EncodedFrame, bytes], bytes], frame: EncodedFrame
    ) -> None:
        held, self._held = self._held, b""
        # Together they are one call of the system, and one segment less.
        self._write(make(frame, held))

    def _write(self, message: bytes) -> None:
        assert self._transport is not None
        self._transport.write(message)

    def close(self, code: int, reason: str) -> None:
        self._close_code, self._close_reason = code, reason
        self._outbox.drop_frames()
        self._outbox.close()

    async def run(self) -> None:
        """Write what is queued until `close` or until the other side is gone."""
        with contextlib.suppress(ConnectionError):
            await self._outbox.run()
        # aiohttp waits for the other side's close frame; a viewer that hangs must not hold us.
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(1.0):
                # A close reason has at most 123 bytes.
                reason = self._close_reason.encode()[:120]
                await self._socket.close(code=self._close_code, message=reason)


def message_of(kind: int, data: bytes) -> bytes:
    """Bytes of a whole WebSocket message of a server, which has no mask."""
    n = len(data)
    if n < 126:
        return _SHORT.pack(kind, n) + data
    return (_MEDIUM.pack(kind, 126, n) if n < 1 << 16 else _LONG.pack(kind, 127, n)) + data


_Newest: TypeAlias = tuple[EncodedFrame | None, bytes, bytes]
_newest: _Newest = (None, b"", b"")
_newest_header: _Newest = (None, b"", b"")


def _shared_message(frame: EncodedFrame, held: bytes) -> bytes:
    """Make the message of a frame, behind that of a text, once.

    All viewers of a session ask for it one after another, and nearly all hold the same text.
    """
    global _newest
    if _newest[0] is not frame or _newest[1] is not held:
        _newest = (frame, held, _behind(held, frame.data))
    return _newest[2]


def _shared_header(frame: EncodedFrame, held: bytes) -> bytes:
    """Make the message of a frame's header likewise."""
    global _newest_header
    if _newest_header[0] is not frame or _newest_header[1] is not held:
        _newest_header = (frame, held, _behind(held, frame.header_only()))
    return _newest_header[2]


def _behind(held: bytes, data: bytes) -> bytes:
    message = message_of(_BINARY, data)
    return message_of(_TEXT, held) + message if held else message
