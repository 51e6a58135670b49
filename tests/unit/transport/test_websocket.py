"""A WebSocket on a link that carries nothing: what waits, waits where it can be dropped."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web

from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.websocket import WebSocketChannel, bound_queues, make_socket

N_FRAMES = 400
FRAME_BYTES = 12_500
HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@pytest.fixture
async def channel():
    """Of a browser that has connected and reads nothing."""
    made: asyncio.Future[WebSocketChannel] = asyncio.get_running_loop().create_future()

    async def handler(request: web.Request) -> web.StreamResponse:
        connection = make_socket()
        bound_queues(request.transport)
        await connection.prepare(request)
        channel = WebSocketChannel(connection)
        made.set_result(channel)
        writing = asyncio.create_task(channel.run())
        async for _ in connection:
            pass
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        return connection

    app = web.Application()
    app.router.add_get("/ws", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.socket() as browser:
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
        browser.connect(runner.addresses[0])
        browser.sendall(HEAD)
        async with asyncio.timeout(5):
            yield await made
    await runner.cleanup()


async def test_frames_that_the_link_does_not_take_can_be_taken_back(channel) -> None:
    frame = EncodedFrame(make_frame(1).header, bytes(FRAME_BYTES))
    for _ in range(N_FRAMES):
        channel.send_frame(frame)
    for _ in range(2 * N_FRAMES):
        await asyncio.sleep(0)  # the writer's turns
    n_out = N_FRAMES - channel.drop_frames()
    assert n_out * FRAME_BYTES < 256 * 1024
