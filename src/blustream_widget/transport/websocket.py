"""A viewer on its own WebSocket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from typing import Literal

from aiohttp import web

from blustream_widget.core.protocol import MAX_MESSAGE_BYTES
from blustream_widget.errors import PeerClosedError
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.outbox import Outbox
from blustream_widget.transport.tcp_info import ReadTcp, tcp_reader
from blustream_widget.transport.tcp_tuning import prefer_bbr

HEARTBEAT_S = 20.0
# More than this waits in the outbox, where frames can be taken back, not in asyncio or the kernel.
MAX_BUFFERED_BYTES = 32 * 1024
_TCP_NOTSENT_LOWAT = 25  # of linux/tcp.h; Python knows it from 3.12 on
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


def bound_queues(transport: asyncio.BaseTransport | None) -> ReadTcp | None:
    """Have the network take a frame when it can send it, not seconds before.

    The kernel takes megabytes of a TCP connection otherwise, and on a slow link all of them are
    older than what the viewer wants to see. Call before the socket is prepared.

    Returns
    -------
    callable or None
        Tells of the connection, if it is TCP.
    """
    if not isinstance(transport, asyncio.Transport):
        return None
    transport.set_write_buffer_limits(high=MAX_BUFFERED_BYTES)
    connection = transport.get_extra_info("socket")
    if (
        sys.platform == "linux"
        and connection is not None
        and connection.family in (socket.AF_INET, socket.AF_INET6)
    ):
        connection.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, MAX_BUFFERED_BYTES)
        prefer_bbr(connection)
    return tcp_reader(connection)


class WebSocketChannel:
    """Outgoing side of a viewer's WebSocket.

    Parameters
    ----------
    connection : aiohttp.web.WebSocketResponse
        Prepared. `run` writes to it; reading is the caller's.
    via : "direct" or "proxy"
        Whether something of Jupyter carries every message.
    read_tcp : callable, optional
        Tells of the connection below, where the system does.
    """

    name: Literal["websocket"] = "websocket"

    def __init__(
        self,
        connection: web.WebSocketResponse,
        via: Literal["direct", "proxy"] = "proxy",
        *,
        read_tcp: ReadTcp | None = None,
    ) -> None:
        self.via = via
        self.read_tcp = read_tcp
        self._socket = connection
        self._outbox = Outbox(connection.send_str, connection.send_bytes)
        self._close_code = CLOSE_GOING_AWAY
        self._close_reason = ""

    def send_text(self, data: bytes) -> None:
        try:
            self._outbox.put_text(data)
        except PeerClosedError as exc:
            self.close(CLOSE_POLICY, str(exc))

    def send_frame(self, frame: EncodedFrame) -> None:
        self._outbox.put_frame(frame.data, is_still=frame.is_still)

    def drop_frames(self, *, stills_only: bool = False) -> int:
        return self._outbox.drop_frames(stills_only=stills_only)

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
