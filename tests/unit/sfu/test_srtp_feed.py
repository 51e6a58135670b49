"""What leaves for an SFU that takes RTP, and what it may ask for."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import struct

import pytest
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import RtpPacket
from pylibsrtp import Policy, Session

from blustream_widget.sfu.srtp_feed import KEY_BYTES, SrtpFeed, asks_for_keyframe
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.frame import EncodedFrame

PLI = struct.pack("!BBHLL", 0x81, 206, 2, 1, 2)
FIR = struct.pack("!BBHLLLL", 0x84, 206, 4, 1, 0, 2, 0)
REPORT = struct.pack("!BBHL", 0x80, 201, 1, 1)
REMB = struct.pack("!BBHLL", 0x8F, 206, 2, 1, 0)


class Receiver:
    """Two ports of 127.0.0.1, and the key."""

    def __init__(self):
        self.key = secrets.token_bytes(KEY_BYTES)
        profile = Policy.SRTP_PROFILE_AES128_CM_SHA1_80
        policy = Policy(key=self.key, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile)
        self._srtp = Session(policy)
        self.rtp, self.rtcp = (socket.socket(type=socket.SOCK_DGRAM) for _ in range(2))
        for each in (self.rtp, self.rtcp):
            each.bind(("127.0.0.1", 0))
            each.setblocking(False)

    @property
    def ports(self):
        return self.rtp.getsockname()[1], self.rtcp.getsockname()[1]

    async def frame(self):
        """Packets up to the end of a frame."""
        packets = []
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(5):
            while not (packets and packets[-1].marker):
                data = await loop.sock_recv(self.rtp, 1500)
                packets.append(RtpPacket.parse(self._srtp.unprotect(data)))
        return packets

    def close(self):
        self.rtp.close()
        self.rtcp.close()


@contextlib.asynccontextmanager
async def feeding(on_keyframe=lambda: None):
    receiver = Receiver()
    feed = SrtpFeed("127.0.0.1", *receiver.ports, receiver.key, on_keyframe)
    try:
        yield feed, receiver
    finally:
        feed.close()
        receiver.close()


def units(data):
    return [part.strip(b"\x00") for part in data.split(b"\x00\x00\x01") if part.strip(b"\x00")]


def large_frame(n_bytes):
    small = make_frame(1, is_key=True)
    body = bytes(1 + i % 250 for i in range(n_bytes))
    return EncodedFrame(small.header, small.header.pack() + b"\x00\x00\x01\x65" + body)


async def test_a_frame_arrives_encrypted_and_whole():
    async with feeding() as (feed, receiver):
        for n in (1, 2):
            feed.send(make_frame(n, is_key=n == 1))
        first, second = await receiver.frame(), await receiver.frame()
    for n, packets in ((1, first), (2, second)):
        frame = make_frame(n, is_key=n == 1)
        data = b"".join(h264_depayload(packet.payload) for packet in packets)
        assert units(data) == units(bytes(frame.picture))
        assert {packet.timestamp for packet in packets} == {frame.header.timestamp_90k}
    numbers = [packet.sequence_number for packet in first + second]
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(len(numbers))]
    assert len({packet.ssrc for packet in first + second}) == 1


async def test_a_large_frame_leaves_in_parts_and_the_next_one_behind_it():
    frame = large_frame(200_000)
    async with feeding() as (feed, receiver):
        feed.send(frame)
        feed.send(make_frame(2))
        large, small = await receiver.frame(), await receiver.frame()
    assert len(large) > 100
    data = b"".join(h264_depayload(packet.payload) for packet in large)
    assert units(data) == units(bytes(frame.picture))
    assert small[0].timestamp == make_frame(2).header.timestamp_90k


async def test_what_would_queue_is_said():
    async with feeding() as (feed, _):
        waited = []
        for _ in range(5):
            waited.append(feed.is_behind)
            feed.send(large_frame(200_000))
    assert waited == [False, False, False, True, True]


async def test_it_says_where_feedback_goes_and_takes_a_wish_for_a_keyframe():
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    async with feeding(asked.set) as (_, receiver), asyncio.timeout(5):
        report, address = await loop.sock_recvfrom(receiver.rtcp, 1500)
        assert not asks_for_keyframe(report)
        receiver.rtcp.sendto(REPORT, address)
        receiver.rtcp.sendto(REPORT + PLI, address)
        await asked.wait()


async def test_a_receiver_that_is_gone_raises_nothing():
    async with feeding() as (feed, receiver):
        receiver.close()
        for n in range(4):
            feed.send(make_frame(n, is_key=n == 0))
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("packet", "asks"),
    [
        (PLI, True),
        (FIR, True),
        (REPORT + PLI, True),
        (REPORT, False),
        (REMB, False),
        (b"", False),
        (PLI[:3], False),
        (b"\x00" * 40, False),
        (bytes([0x80, 201, 0xFF, 0xFF]), False),
    ],
)
def test_wishes_for_keyframes_are_told_from_other_reports(packet, asks):
    assert asks_for_keyframe(packet) is asks
