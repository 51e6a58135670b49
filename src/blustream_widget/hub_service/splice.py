"""Two WebSockets become one: what comes of either goes to the other, unread."""

from __future__ import annotations

import asyncio
import contextlib

from aiohttp import WSMsgType

from blustream_widget.transport.websocket import Socket

CLOSE_GOING_AWAY = 1001
# Codes that are only said of a connection, never on it (RFC 6455, 7.4.1).
_NOT_SENT = frozenset({1005, 1006, 1015})


async def splice(one: Socket, other: Socket) -> None:
    """Pass everything on until either ends; then both are closed, with that one's code.

    Each message is sent before the next is read, so that a slow reader slows its writer down and
    nothing heaps up here.
    """
    ways = [
        asyncio.create_task(_pass_on(one, other), name="splice"),
        asyncio.create_task(_pass_on(other, one), name="splice back"),
    ]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        # One is closed already.
        await asyncio.gather(close(one), close(other))


async def _pass_on(source: Socket, target: Socket) -> None:
    with contextlib.suppress(ConnectionError):
        while True:
            message = await source.receive()
            if message.type is WSMsgType.TEXT:
                await target.send_str(message.data)
            elif message.type is WSMsgType.BINARY:
                await target.send_bytes(message.data)
            elif message.type is WSMsgType.CLOSE:
                await close(target, source.close_code or 0, str(message.extra or ""))
                return
            else:  # it broke, or is closed from here
                return


async def close(socket: Socket, code: int = CLOSE_GOING_AWAY, reason: str = "") -> None:
    """Close a socket whose other side may hang."""
    if code < 1000 or code in _NOT_SENT:
        code = CLOSE_GOING_AWAY
    with contextlib.suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(1.0):
            await socket.close(code=code, message=reason.encode()[:120])
