"""RtpStream without a network: what leaves, when, and what is sent again."""

from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace

import pytest
from aiortc import rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpSendParameters

from blustream_widget.core.frame_header import HEADER_BYTES
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.rtp_burst import BURST_PACKETS, BurstRoom
from blustream_widget.transport.rtp_h264 import plan_payloads
from blustream_widget.transport.rtp_stream import HISTORY_PACKETS, MAX_WAITING_FRAMES, RtpStream

EXTENSIONS = [
    RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
    RTCRtpHeaderExtensionParameters(
        id=2, uri="http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
    ),
]
CODEC = SimpleNamespace(payloadType=102)


class FakeOutput:
    """Keeps what would be encrypted and sent."""

    has_unsent = False

    def __init__(self) -> None:
        self.packets: list[rtp.RtpPacket] = []
        self.raw: list[bytes] = []
        self.bursts: list[int] = []
        self._room = BurstRoom()

    def send_burst(self, burst, head: bytes, first_seq: int, end: bytes = b"") -> int:
        self._room.put_all(burst, head, first_seq, end)
        for n in range(len(burst)):
            self._sent(bytes(self._room.packet(n, self._room.size(n))))
        self.bursts.append(len(burst))
        return sum(burst.sizes)

    def send_packet(self, packet: bytes) -> int:
        self._sent(packet)
        return len(packet)

    def _sent(self, packet: bytes) -> None:
        self.raw.append(packet)
        self.packets.append(rtp.RtpPacket.parse(packet))

    def close(self) -> None:
        pass


def fake_sender(*, rtx: int | None = 103) -> SimpleNamespace:
    extensions = rtp.HeaderExtensionsMap()
    extensions.configure(RTCRtpSendParameters(headerExtensions=EXTENSIONS))
    names = {
        "rtp_started": asyncio.Event(),
        "rtp_exited": asyncio.Event(),
        "rtx_payload_type": rtx,
        "rtx_sequence_number": 7,
        "mid": "0",
        "rtp_header_extensions_map": extensions,
        "ntp_timestamp": 0,
        "rtp_timestamp": 0,
        "octet_count": 0,
        "packet_count": 0,
    }
    dtls = SimpleNamespace(_RTCDtlsTransport__tx_bytes=0, _RTCDtlsTransport__tx_packets=0)
    sender = SimpleNamespace(_ssrc=1, _rtx_ssrc=2, _enabled=True, track=None, transport=dtls)
    for name, value in names.items():
        setattr(sender, f"_RTCRtpSender__{name}", value)
    return sender


def large_frame(frame_no: int, n_packets: int) -> EncodedFrame:
    """Frame with one unit that takes so many packets."""
    frame = make_frame(frame_no, is_key=True)
    data = frame.data[:HEADER_BYTES] + b"\0\0\1\x65" + b"\xff" * (1298 * n_packets)
    assert len(plan_payloads(data, HEADER_BYTES)) == n_packets
    return EncodedFrame(frame.header, data)


@pytest.fixture
async def made(request):
    """`(stream, sender, output, events)`, started; a parameter may say otherwise than this."""
    said = {"rtx": 103, "has_trailers": False} | getattr(request, "param", {})
    events = Events()
    sender = fake_sender(rtx=said["rtx"])
    stream = RtpStream(
        sender,
        on_ready=lambda: events.append("ready"),
        on_frame=lambda frame: events.append(frame.frame_no),
        on_room=lambda: events.append("room"),
        has_trailers=said["has_trailers"],
    )
    output = FakeOutput()
    stream._current_output = lambda: output
    running = asyncio.create_task(sender._run_rtp(CODEC))
    await sender._RTCRtpSender__rtp_started.wait()
    yield stream, sender, output, events
    running.cancel()
    await sender._RTCRtpSender__rtp_exited.wait()


class Events(list):
    """What the stream said, and a way to wait for it."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def append(self, event: object) -> None:
        super().append(event)
        self._changed.set()

    async def until(self, event: object) -> None:
        async with asyncio.timeout(5):
            while event not in self:
                self._changed.clear()
                await self._changed.wait()


async def test_a_frame_leaves_from_within_send_and_its_header_before_it(made) -> None:
    stream, _, output, events = made
    stream.send(make_frame(3, is_key=True))
    assert events == ["ready", 3]
    assert [packet.marker for packet in output.packets][-1:] == [1]
    assert stream.has_room


async def test_nothing_is_sent_before_the_connection_is_up() -> None:
    sender = fake_sender()
    stream = RtpStream(
        sender, on_ready=lambda: None, on_frame=lambda _f: None, on_room=lambda: None
    )
    stream.send(make_frame(1, is_key=True))
    assert stream.has_room
    assert not stream.is_ready


async def test_a_large_frame_leaves_in_bursts_and_all_of_it_leaves(made) -> None:
    stream, _, output, events = made
    stream.send(large_frame(1, 50 * BURST_PACKETS + 1))
    await events.until("room")
    assert output.bursts == [BURST_PACKETS] * 50 + [1]
    assert stream.has_room
    assert [packet.marker for packet in output.packets] == [0] * 50 * BURST_PACKETS + [1]
    numbers = [packet.sequence_number for packet in output.packets]
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(len(numbers))]


async def test_waiting_frames_can_be_forgotten_without_a_gap_in_the_numbers(made) -> None:
    stream, _, output, events = made
    n = 50 * BURST_PACKETS
    stream.send(large_frame(1, n))
    for frame_no in range(2, 2 + MAX_WAITING_FRAMES):
        stream.send(large_frame(frame_no, 1))
    assert stream.is_behind
    stream.forget_waiting()
    stream.send(large_frame(9, 1))
    await events.until("room")
    assert [event for event in events if isinstance(event, int)] == [1, 9]
    numbers = [packet.sequence_number for packet in output.packets]
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(n + 1)]


async def test_every_packet_of_a_large_keyframe_can_be_sent_again(made) -> None:
    stream, sender, output, events = made
    n = HISTORY_PACKETS // 2
    stream.send(large_frame(1, n))
    await events.until("room")
    originals = list(output.packets)
    for number in (originals[0].sequence_number, originals[-1].sequence_number):
        await sender._retransmit(number)
    first, last = output.packets[n:]
    assert (first.ssrc, first.payload_type, first.sequence_number) == (2, 103, 7)
    assert rtp.unwrap_rtx(last, payload_type=102, ssrc=1).payload == originals[-1].payload
    assert last.marker == 1
    assert last.timestamp == originals[-1].timestamp


@pytest.mark.parametrize("made", [{"has_trailers": True}], indirect=True)
async def test_the_header_is_behind_its_frame_also_when_a_packet_is_sent_again(made) -> None:
    stream, sender, output, _ = made
    frame = large_frame(1, 3)
    stream.send(frame)
    assert output.packets[-1].payload.endswith(frame.data[:HEADER_BYTES] + b"\x80\x80")
    assert output.packets[-1].marker == 1
    await sender._retransmit(output.packets[-1].sequence_number)
    again = rtp.unwrap_rtx(output.packets[-1], payload_type=102, ssrc=1)
    assert again.payload == output.packets[-2].payload


async def test_frames_with_and_without_a_trailer_are_planned_apart(made) -> None:
    stream, _, output, _ = made
    frame = large_frame(1, 2)
    for has_trailer in (True, False, True):
        stream._has_trailers = has_trailer
        stream.send(frame)
    ends = [p.payload[-2 - HEADER_BYTES :] for p in output.packets if p.marker]
    assert [frame.data[:HEADER_BYTES] in end for end in ends] == [True, False, True]


@pytest.mark.parametrize("made", [{"has_trailers": True}], indirect=True)
async def test_frames_are_counted_as_they_are_sent(made) -> None:
    stream, _, output, _ = made
    for n in (5, 8):
        stream.send(large_frame(n, 2))
    ends = [p.payload[-2:] for p in output.packets if p.marker]
    assert ends == [b"\x80\x80", b"\x80\x81"]


async def test_a_packet_that_is_asked_for_twice_was_missed_once(made) -> None:
    stream, sender, output, _ = made
    frame, missed = large_frame(1, 3), []
    stream._on_missed = missed.append
    stream.send(frame)
    for _ in range(2):
        await sender._retransmit(output.packets[1].sequence_number)
    assert (stream.n_packets, stream.n_missed) == (3, 1)
    assert missed == [frame]


@pytest.mark.parametrize("made", [{"rtx": None}], indirect=True)
async def test_without_rtx_the_very_same_packet_is_sent_again(made) -> None:
    stream, sender, output, _ = made
    stream.send(large_frame(1, 3))
    await sender._retransmit(output.packets[1].sequence_number)
    assert output.packets[3].serialize() == output.packets[1].serialize()


async def test_a_number_that_was_never_sent_or_is_forgotten_is_not_sent_again(made) -> None:
    stream, sender, output, _ = made
    stream.send(large_frame(1, 2))
    first = output.packets[0].sequence_number
    await sender._retransmit((first + 2) & 0xFFFF)
    await sender._retransmit((first - 1) & 0xFFFF)
    assert len(output.packets) == 2


async def test_sender_reports_know_what_was_sent(made) -> None:
    stream, sender, output, _ = made
    frame = large_frame(1, 3)
    stream.send(frame)
    assert sender._RTCRtpSender__packet_count == 3
    assert sender._RTCRtpSender__octet_count == sum(len(p.payload) for p in output.packets)
    assert sender._RTCRtpSender__rtp_timestamp == frame.header.timestamp_90k
    assert sender._RTCRtpSender__ntp_timestamp >> 32 > 3_900_000_000


async def test_packets_carry_the_extensions_that_aiortc_packs(made) -> None:
    stream, sender, output, _ = made
    stream.send(large_frame(1, 1))
    extensions = sender._RTCRtpSender__rtp_header_extensions_map
    packet = rtp.RtpPacket.parse(output.raw[0], extensions)
    assert packet.extensions.mid == "0"
    age_s = (int(time.time() * 262144) - packet.extensions.abs_send_time & 0xFFFFFF) / 262144
    assert age_s < 10
