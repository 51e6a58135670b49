"""Every transport keeps the promises of the transport contract."""

import asyncio
from functools import partial

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.testing.contracts import transport as suite
from blustream_widget.testing.rtc_client import rtc_client
from blustream_widget.transport.outbox import Outbox
from blustream_widget.transport.relay import RelayChannel
from blustream_widget.transport.socket_subscriber import SocketSubscriber
from blustream_widget.transport.webrtc import RtcPeer
from blustream_widget.transport.websocket import WebSocketChannel

TIMEOUT_S = 5.0


class SocketHarness:
    """Acknowledges what it receives, when it is asked for it: not before."""

    def __init__(self):
        self.numbers = []
        self._unacknowledged = []
        self._changed = asyncio.Event()
        self.subscriber = None

    def take(self, data):
        header = FrameHeader.unpack(data)
        if not header.flags & FrameFlags.STILL:
            self.numbers.append(header.frame_no)
            self._unacknowledged.append(header.frame_no)
            self._changed.set()

    async def received(self, frame_no):
        async with asyncio.timeout(TIMEOUT_S):
            while frame_no not in self.numbers:
                self._changed.clear()
                await self._changed.wait()
                self._acknowledge()
        self._acknowledge()
        return list(self.numbers)

    async def drain(self):
        await turns()
        self._acknowledge()

    def _acknowledge(self):
        for number in self._unacknowledged:
            self.subscriber.acknowledged(number)
        self._unacknowledged = []


class FakeSocket:
    """As much of an aiohttp WebSocket as a channel uses."""

    def __init__(self, take):
        self._take = take

    async def send_str(self, text):
        await asyncio.sleep(0)

    async def send_bytes(self, data):
        await asyncio.sleep(0)
        self._take(data)

    async def close(self, *, code, message):
        pass


async def websocket_harness():
    harness = SocketHarness()
    channel = WebSocketChannel(FakeSocket(harness.take))
    harness.subscriber = SocketSubscriber(channel, "h264")
    writer = asyncio.create_task(channel.run())
    yield harness
    channel.close(1001, "")
    await writer


async def relay_harness():
    harness = SocketHarness()
    socket = FakeSocket(lambda data: harness.take(data[lp.RELAY_PREFIX.size :]))
    outbox = Outbox(socket.send_str, socket.send_bytes)
    channel = RelayChannel(outbox, 3, on_close=lambda: None)
    harness.subscriber = SocketSubscriber(channel, "h264")
    writer = asyncio.create_task(outbox.run())
    yield harness
    outbox.close()
    await writer


class RtcHarness:
    def __init__(self, peer, rtc):
        self.subscriber = peer
        self._rtc = rtc

    async def received(self, frame_no):
        await self._rtc.inbox.find(FrameHeader, lambda h: h.frame_no == frame_no)
        # The data channel is unordered; RTP packets are put in order by their time stamps.
        headers = [i for i in self._rtc.inbox.items if isinstance(i, FrameHeader)]
        return sorted(h.frame_no for h in headers)

    async def drain(self):
        await turns()


async def turns():
    """Let every task that can run do so: 100 turns of the loop."""
    for _ in range(100):
        await asyncio.sleep(0)


async def webrtc_harness():
    connected = asyncio.Event()
    peer = RtcPeer(
        loopback=True,
        on_text=lambda data: None,
        on_state=lambda state: connected.set(),
        on_keyframe_wanted=lambda: None,
    )
    async with rtc_client() as rtc:
        # In a task of its own, because "only 127.0.0.1" is said for a task.
        answer = await asyncio.create_task(peer.answer(await rtc.offer()))
        await rtc.accept(answer)
        await rtc.opened()
        async with asyncio.timeout(TIMEOUT_S):
            await connected.wait()
        yield RtcHarness(peer, rtc)
        await peer.close()


@pytest.fixture(params=[websocket_harness, relay_harness, webrtc_harness])
async def harness(request):
    async for made in request.param():
        yield made


@pytest.mark.parametrize(
    "check",
    [
        suite.check_starts_at_a_keyframe,
        suite.check_keeps_order,
        suite.check_overload_never_breaks_the_chain,
        suite.check_offer_returns_at_once,
    ],
)
async def test_transport(harness, check):
    await check(harness)


def note_packet(seen, doubled, packet):
    seen.append(packet.payload_type)
    if len(set(seen)) == 2:  # the payload type of the video, and that of repetitions
        doubled.set()
    return False


async def test_over_a_lossy_network_every_packet_goes_twice_and_pictures_come_at_once():
    async for harness in webrtc_harness():
        peer, rtc = harness.subscriber, harness._rtc
        seen, doubled = [], asyncio.Event()
        rtc.lose = partial(note_packet, seen, doubled)
        peer.pacer.link.is_same_machine = False  # as if it were far away
        peer.pacer.link.counted(400, 20)
        peer.pacer.link.answered(0.2)
        for n in range(8):
            peer.offer(suite.make_frame(n, is_key=n == 0))
            await harness.received(n)
        async with asyncio.timeout(TIMEOUT_S):
            await doubled.wait()
    assert peer.copies > 1


async def test_over_a_good_network_no_packet_goes_twice():
    async for harness in webrtc_harness():
        peer = harness.subscriber
        peer.pacer.link.answered(0.02)
        for n in range(8):
            peer.offer(suite.make_frame(n, is_key=n == 0))
            await harness.received(n)
    assert peer.copies == 1
