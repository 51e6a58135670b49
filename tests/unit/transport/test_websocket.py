"""A WebSocket on a link that carries nothing: what waits, waits where it can be dropped."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp import web

from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.websocket import (
    WebSocketChannel,
    bound_queues,
    make_socket,
    message_of,
)

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
        channel = WebSocketChannel(connection, transport=request.transport)
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


class FakeTransport(asyncio.Transport):
    """Takes everything until it is `full`."""

    def __init__(self):
        super().__init__()
        self.written, self.is_full = [], False

    def write(self, data):
        self.written.append(data)

    def get_write_buffer_size(self):
        return int(self.is_full)

    def is_closing(self):
        return False


class FakeSocket:
    closed = False

    async def send_str(self, data):
        raise AssertionError("nothing runs the outbox here")

    send_bytes = send_str


@pytest.fixture
def transport():
    return FakeTransport()


@pytest.fixture
def free_channel(transport):
    return WebSocketChannel(FakeSocket(), transport=transport)


def test_all_viewers_get_the_very_same_bytes(transport) -> None:
    frame = make_frame(1)
    for _ in range(3):
        WebSocketChannel(FakeSocket(), transport=transport).send_frame(frame)
    first, *others = transport.written
    assert first.endswith(frame.data)
    assert all(other is first for other in others)


def test_a_held_text_goes_with_the_next_frame_and_only_the_newest(transport, free_channel) -> None:
    free_channel.hold_text(b"older")
    free_channel.hold_text(b"newer")
    assert transport.written == []
    frame = make_frame(1)
    free_channel.send_frame(frame)
    free_channel.flush()
    assert transport.written == [message_of(0x81, b"newer") + message_of(0x82, frame.data)]


def test_all_who_hold_the_same_text_get_the_very_same_bytes(transport) -> None:
    frame, text, other = make_frame(1), b"the same", b"another one"
    for held in (text, text, other, text):
        channel = WebSocketChannel(FakeSocket(), transport=transport)
        channel.hold_text(held)
        channel.send_frame(frame)
    first, same, different, again = transport.written
    assert same is first
    assert different == message_of(0x81, other) + message_of(0x82, frame.data)
    assert again == first


def test_a_held_text_goes_before_another_text_and_with_a_flush(transport, free_channel) -> None:
    free_channel.hold_text(b"held")
    free_channel.send_text(b"sent")
    free_channel.hold_text(b"again")
    free_channel.flush()
    texts = [message_of(0x81, text) for text in (b"held", b"sent", b"again")]
    assert transport.written == texts


def test_nothing_passes_what_waits(transport, free_channel) -> None:
    transport.is_full = True
    free_channel.send_frame(make_frame(1))
    transport.is_full = False
    free_channel.hold_text(b"held")
    free_channel.send_frame(make_frame(2))
    assert transport.written == []
    assert free_channel.drop_frames() == 2


def test_a_header_goes_at_once_or_before_what_waits_and_cannot_be_taken_back(
    transport, free_channel
) -> None:
    frame = make_frame(1)
    free_channel.hold_text(b"held")
    free_channel.send_header(frame)
    header = message_of(0x82, frame.header_only())
    assert transport.written == [message_of(0x81, b"held") + header]
    transport.is_full = True
    free_channel.send_frame(make_frame(2))
    free_channel.send_header(frame)
    assert len(transport.written) == 1
    assert free_channel.drop_frames() == 1
    transport.is_full = False
    free_channel.send_header(make_frame(3))
    assert len(transport.written) == 1, "an older header waits"


def test_all_viewers_get_the_very_same_header(transport) -> None:
    frame = make_frame(1)
    for _ in range(3):
        WebSocketChannel(FakeSocket(), transport=transport).send_header(frame)
    first, *others = transport.written
    assert all(other is first for other in others)


@pytest.mark.parametrize("n", [0, 125, 126, 65_535, 65_536])
def test_a_message_says_its_length_as_the_standard_wants_it(n) -> None:
    head = {0: 2, 125: 2, 126: 4, 65_535: 4, 65_536: 10}[n]
    message = message_of(0x82, bytes(n))
    assert len(message) == head + n
    size = message[1] if n < 126 else int.from_bytes(message[2:head], "big")
    assert size == n
