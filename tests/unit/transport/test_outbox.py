"""Outbox: order, and what can be taken back."""

import asyncio

import pytest

from blustream_widget.errors import PeerClosedError
from blustream_widget.transport.outbox import MAX_WAITING_HEADERS, MAX_WAITING_TEXTS, Outbox


class Socket:
    def __init__(self):
        self.sent = []

    async def send(self, data):
        self.sent.append(data)


@pytest.fixture
def socket():
    return Socket()


@pytest.fixture
def outbox(socket):
    return Outbox(socket.send, socket.send)


async def flush(outbox):
    outbox.close()
    await outbox.run()


async def test_texts_and_frames_leave_in_order(outbox, socket):
    outbox.put_text(b"a")
    outbox.put_frame(b"1")
    outbox.put_text(b"b")
    await flush(outbox)
    assert socket.sent == ["a", b"1", "b"]


async def test_frames_of_one_channel_are_taken_back_and_nothing_else(outbox, socket):
    outbox.put_frame(b"1", channel=1)
    outbox.put_frame(b"2", channel=2)
    outbox.put_text(b"a")
    assert outbox.drop_frames(channel=1) == 1
    await flush(outbox)
    assert socket.sent == [b"2", "a"]


async def test_stills_can_be_taken_back_alone(outbox, socket):
    outbox.put_frame(b"video")
    outbox.put_frame(b"still", is_still=True)
    assert outbox.drop_frames(stills_only=True) == 1
    await flush(outbox)
    assert socket.sent == [b"video"]


async def test_headers_leave_before_all_else_and_stay_when_frames_are_taken_back(outbox, socket):
    outbox.put_frame(b"still", is_still=True)
    outbox.put_text(b"a")
    outbox.put_header(b"1")
    outbox.put_header(b"2")
    assert not outbox.is_idle
    assert outbox.drop_frames() == 1
    await flush(outbox)
    assert socket.sent == [b"1", b"2", "a"]


async def test_of_many_headers_the_newest_are_kept(outbox, socket):
    for n in range(MAX_WAITING_HEADERS + 3):
        outbox.put_header(bytes([n]))
    outbox.close()
    outbox.put_header(b"late")
    await outbox.run()
    assert socket.sent == [bytes([n + 3]) for n in range(MAX_WAITING_HEADERS)]


async def test_a_peer_that_does_not_read_is_noticed(outbox):
    for _ in range(MAX_WAITING_TEXTS):
        outbox.put_text(b"x")
    with pytest.raises(PeerClosedError):
        outbox.put_text(b"x")


async def test_after_close_nothing_more_is_taken(outbox, socket):
    outbox.close()
    outbox.put_text(b"late")
    await outbox.run()
    assert socket.sent == []


async def test_what_comes_while_it_waits_leaves_at_once(outbox, socket):
    running = asyncio.create_task(outbox.run())
    await asyncio.sleep(0)
    outbox.put_text(b"a")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert socket.sent == ["a"]
    await flush(outbox)
    await running
