"""Sends encoded frames as RTP in place of aiortc's own send loop.

aiortc's `RTCRtpSender` does the rest: negotiation, RTCP, statistics. What it does per packet (an
object, two clocks, three coroutines, a call of the system) is replaced, and frames are sent from
where they are offered, without a queue or a task between. What aiortc's other parts read of the
sender is kept up to date: the counters and clocks of sender reports and `getStats`.

- **Header extensions** are those that `HeaderExtensionsMap.set` packs, asked once; the time of
  sending is that of each burst.
- **Lost packets** are sent again (RTX where negotiated). The history refers to frames, which all
  viewers share, and reaches back over `HISTORY_PACKETS`: keyframes of 4K pictures are within it.
- **Much at once** leaves at 160 kB a millisecond; less is sent from within `send`. Chromium on the
  same machine lost nothing of a megabyte at once: the pauses are for other viewers, for events
  that come in, and for the queues of a real network.

Written for aiortc 1.16, aioice 0.13 and pylibsrtp 1.0; `tests/contract/test_aiortc.py` fails when
they no longer have what is used here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from aiortc import RTCRtpSender, rtp
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpsender import random_sequence_number

from blustream_widget.errors import TransportError
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.rtp_burst import BURST_PACKETS, HEAD, MARKER, Burst
from blustream_widget.transport.rtp_h264 import plan_payloads
from blustream_widget.transport.srtp_output import SrtpOutput

logger = logging.getLogger(__name__)

HISTORY_PACKETS = 4096
COUNT_BYTES = 2
COUNTS = 1 << 14
# A burst is charged with this time, a small frame like a full burst (whoever offers thousands of
# frames a second gets them refused); so much may be ahead of the clock: three bursts at once.
BURST_S = 1 / 3000
MAX_AHEAD_S = 0.0007
BURSTS_A_TURN = 3  # of the loop, however slow the machine is
# A frame that comes while this many others still leave is one too many.
MAX_WAITING_FRAMES = 3
_TIMESTAMP = struct.Struct("!L")
_EXTENSION_HEADER = struct.Struct("!HH")
_NTP_1970_S = 2_208_988_800
_NONE: frozenset[int] = frozenset()
_ANY_TIME = 0xFEDCBA  # found again in what aiortc packs: no other extension has these bytes


class _Plan:
    """A frame's payloads, and its bursts, which are laid out when the first viewer needs them."""

    __slots__ = ("_bursts", "frame", "payloads")

    def __init__(self, frame: EncodedFrame, payloads: Sequence[bytes]) -> None:
        self.frame = frame
        self.payloads = payloads
        self._bursts: dict[tuple[int, int], Burst] = {}

    def burst(self, first: int, head_bytes: int) -> Burst:
        """Return the burst that begins with packet `first`."""
        burst = self._bursts.get((first, head_bytes))
        if burst is None:
            end = first + BURST_PACKETS
            burst = Burst(self.payloads[first:end], head_bytes, has_end=end >= len(self.payloads))
            self._bursts[first, head_bytes] = burst
        return burst


class _Sending:
    """One frame on its way, and afterwards in the history."""

    __slots__ = (
        *("count", "extensions", "first_seq"),
        *("frame", "missed", "n_sent", "payloads", "plan"),
    )

    def __init__(self, plan: _Plan, first_seq: int) -> None:
        self.plan: _Plan | None = plan  # until all has left: the history needs the payloads alone
        self.frame = plan.frame
        self.payloads = plan.payloads
        self.first_seq = first_seq
        self.n_sent = 0
        self.extensions: list[bytes] = []  # of each burst
        self.missed = _NONE
        self.count = 0  # of no use without trailers


class RtpStream:
    """Frames of one viewer's sender. Loop thread only.

    Parameters
    ----------
    sender : RTCRtpSender
        Not started yet; its loop and its retransmission are replaced.
    on_ready : callable
        The connection is up: frames can be sent from now on.
    on_frame : callable
        The first packet of this frame is about to leave.
    on_room : callable
        All frames have left, after some had to wait.
    has_trailers : bool
        Send each frame's header behind it, and its place in the stream: frames of which a packet
        was lost are complete later than those after them.
    on_missed : callable
        A packet of this frame did not arrive, and is sent again.

    Attributes
    ----------
    n_packets : int
        Packets of frames that were sent, not counting those sent again.
    n_missed : int
        Of them, those that did not arrive.
    """

    def __init__(
        self,
        sender: RTCRtpSender,
        *,
        on_ready: Callable[[], None],
        on_frame: Callable[[EncodedFrame], None],
        on_room: Callable[[], None],
        has_trailers: bool = False,
        on_missed: Callable[[EncodedFrame], None] = lambda _frame: None,
    ) -> None:
        # Any: private attributes, which the contract test looks at.
        self._sender: Any = sender
        self._on_ready = on_ready
        self._on_frame = on_frame
        self._on_room = on_room
        self._has_trailers = has_trailers
        self._on_missed = on_missed
        self.n_packets = self.n_missed = 0
        self._output: SrtpOutput | None = None
        self._packed: _PackedExtensions | None = None
        self._payload_type = 0
        self._next_seq = random_sequence_number()
        self._next_count = 0
        self._waiting: deque[_Sending] = deque()
        self._history: deque[_Sending] = deque()
        self._n_history = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        # When what was sent so far would have left at the rate of the bursts.
        self._clear_at_s = 0.0
        self._stop: asyncio.Event | None = None
        sender._run_rtp = self._run  # type: ignore[method-assign]  # aiortc has no hook for it
        sender._retransmit = self._retransmit  # type: ignore[method-assign]

    @property
    def is_ready(self) -> bool:
        """Whether frames can be sent."""
        return self._stop is not None

    @property
    def has_room(self) -> bool:
        """Whether everything sent has left."""
        return not self._waiting and not self._has_unsent

    @property
    def is_behind(self) -> bool:
        """Whether one frame more would be queueing."""
        return len(self._waiting) >= MAX_WAITING_FRAMES

    def send(self, frame: EncodedFrame) -> None:
        """Send a frame now, or behind those that still leave. Never waits, never raises."""
        if self._stop is None or not self._sender._enabled:
            return
        plan = _plan_of(frame, has_trailer=self._has_trailers)
        if not plan.payloads:
            return
        sending = _Sending(plan, self._next_seq)
        sending.count = self._next_count
        self._next_count = (self._next_count + 1) % COUNTS
        self._waiting.append(sending)
        self._next_seq = (self._next_seq + len(plan.payloads)) & 0xFFFF
        if self._timer is None:
            self._send_waiting()

    def forget_waiting(self) -> None:
        """Drop frames of which nothing has left: the next one decodes without them."""
        while self._waiting and self._waiting[-1].n_sent == 0:
            dropped = self._waiting.pop()
            self._next_seq, self._next_count = dropped.first_seq, dropped.count

    @property
    def _has_unsent(self) -> bool:
        return self._output is not None and self._output.has_unsent

    # -------------------------------------------------- aiortc's sender

    async def _run(self, codec: RTCRtpCodecParameters) -> None:
        """Stand in for the sender's loop: aiortc starts, cancels and waits for it."""
        sender = self._sender
        self._payload_type = codec.payloadType or 0
        sender._RTCRtpSender__rtp_started.set()
        self._stop = asyncio.Event()
        self._on_ready()
        with contextlib.suppress(asyncio.CancelledError):
            await self._stop.wait()
        self._end()
        if sender.track is not None:
            sender.track.stop()
        sender._RTCRtpSender__rtp_exited.set()

    def _end(self) -> None:
        self._stop = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._waiting.clear()
        self._history.clear()
        if self._output is not None:
            self._output.close()
            self._output = None

    def repeat(self, frame: EncodedFrame) -> None:
        """Send a whole frame once more, before anybody has missed a packet of it."""
        for sending in reversed(self._history):
            if sending.frame is frame:
                for index in range(sending.n_sent):
                    self._send_again(sending, index)
                return

    async def _retransmit(self, sequence_number: int) -> None:
        """Send a packet again that the receiver missed, if the history still has it."""
        for sending in reversed(self._history):
            index = (sequence_number - sending.first_seq) & 0xFFFF
            if index < sending.n_sent:
                if index not in sending.missed:  # asked for once a round trip until it is there
                    sending.missed |= {index}
                    self.n_missed += 1
                    self._on_missed(sending.frame)
                self._send_again(sending, index)
                return

    def _send_again(self, sending: _Sending, index: int) -> None:
        sequence_number = (sending.first_seq + index) & 0xFFFF
        packet = self._packet(sending, index)
        if self._sender._RTCRtpSender__rtx_payload_type is not None:
            packet = self._as_rtx(packet, sequence_number, len(sending.payloads[index]))
        output = self._current_output()
        if output is None:
            return
        try:
            self._count_bytes(output.send_packet(packet), 1)
        except TransportError as exc:
            self._fail(exc)

    # -------------------------------------------------- packets

    def _send_waiting(self, *, is_late: bool = False) -> None:
        """Send a burst; what is left, and whether that has left, is looked at after a pause."""
        self._timer = None
        try:
            for _ in range(BURSTS_A_TURN):
                if not self._waiting or self._wait_s() > 0 or self._has_unsent:
                    break
                self._send_burst(self._waiting[0])
        except TransportError as exc:
            self._fail(exc)
            return
        if self._waiting or self._has_unsent:
            wait_s = max(self._wait_s(), BURST_S if self._has_unsent else 0)
            self._timer = self._loop.call_later(wait_s, self._send_late)
        elif is_late:
            self._on_room()

    def _wait_s(self) -> float:
        return self._clear_at_s - self._loop.time() - MAX_AHEAD_S

    def _send_late(self) -> None:
        self._send_waiting(is_late=True)

    def _send_burst(self, sending: _Sending) -> None:
        output, plan = self._current_output(), sending.plan
        assert plan is not None
        first = sending.n_sent
        if first == 0:
            self._on_frame(sending.frame)
            self._remember(sending)
        now_s = time.time()
        extensions = self._extensions(now_s)
        sending.extensions.append(extensions)
        burst = plan.burst(first, HEAD.size + len(extensions))
        sending.n_sent = first + len(burst)
        self._clear_at_s = max(self._clear_at_s, self._loop.time()) + BURST_S
        if burst.has_end:
            sending.plan = None
            self._waiting.popleft()
        if output is None:
            return
        seq = (sending.first_seq + first) & 0xFFFF
        head = self._head(sending, seq, extensions)
        n_bytes = output.send_burst(burst, head, seq, self._count_of(sending))
        self._count_bytes(n_bytes, len(burst))
        self._count_media(sending, burst, now_s)
        self.n_packets += len(burst)

    def _head(self, sending: _Sending, seq: int, extensions: bytes, marker: int = 0) -> bytes:
        """Pack what stands in front of the payload, which is that of all viewers."""
        flags = 0x90 if extensions else 0x80
        timestamp_90k = sending.frame.header.timestamp_90k & 0xFFFFFFFF
        kind = marker | self._payload_type
        return HEAD.pack(flags, kind, seq, timestamp_90k, self._sender._ssrc) + extensions

    def _packet(self, sending: _Sending, index: int) -> bytes:
        """Give a packet once more, as it left."""
        seq = (sending.first_seq + index) & 0xFFFF
        extensions = sending.extensions[index // BURST_PACKETS]
        payload = sending.payloads[index]
        is_last = index == len(sending.payloads) - 1
        if is_last and (count := self._count_of(sending)):
            payload = payload[: -len(count)] + count
        return self._head(sending, seq, extensions, MARKER if is_last else 0) + payload

    def _count_of(self, sending: _Sending) -> bytes:
        """Place of a frame in the stream, at the end of its last packet; empty without trailers."""
        if not self._has_trailers:
            return b""
        # Never a zero: with the header's last bytes it might look like a start code. The plan
        # keeps both bytes in this packet.
        return bytes((0x80 | sending.count >> 7, 0x80 | sending.count & 0x7F))

    def _as_rtx(self, packet: bytes, lost_seq: int, size: int) -> bytes:
        """RFC 4588: in a stream of its own, with the first number in front of the payload."""
        sender = self._sender
        seq = sender._RTCRtpSender__rtx_sequence_number
        sender._RTCRtpSender__rtx_sequence_number = (seq + 1) & 0xFFFF
        marker_and_type = packet[1] & 0x80 | sender._RTCRtpSender__rtx_payload_type
        (timestamp_90k,) = _TIMESTAMP.unpack_from(packet, 4)
        # The time of sending is in the extensions, and this is another one.
        extensions = self._extensions(time.time())
        head = HEAD.pack(packet[0], marker_and_type, seq, timestamp_90k, sender._rtx_ssrc)
        return b"".join((head, extensions, lost_seq.to_bytes(2, "big"), packet[-size:]))

    def _extensions(self, now_s: float) -> bytes:
        """Header extensions of packets that leave now, as aiortc and its hooks pack them."""
        extensions = self._packed
        if extensions is None:
            extensions = self._packed = _PackedExtensions(self._sender)
        return extensions.at(now_s)

    def _remember(self, sending: _Sending) -> None:
        self._history.append(sending)
        self._n_history += len(sending.payloads)
        while self._n_history > HISTORY_PACKETS and len(self._history) > 1:
            self._n_history -= len(self._history.popleft().payloads)

    def _current_output(self) -> SrtpOutput | None:
        """Where packets go now: ICE may choose another pair of addresses at any time."""
        dtls = self._sender.transport
        pair = dtls.transport._connection._nominated.get(1)
        output = self._output
        if output is not None and output.pair is pair:
            return output
        if output is not None:
            output.close()
            self._output = None
        if pair is not None and dtls.state == "connected":
            self._output = SrtpOutput(dtls._tx_srtp, pair)
        return self._output

    # -------------------------------------------------- what others read

    def _count_media(self, sending: _Sending, burst: Burst, now_s: float) -> None:
        sender = self._sender
        sender._RTCRtpSender__ntp_timestamp = int((now_s + _NTP_1970_S) * 4294967296)
        sender._RTCRtpSender__rtp_timestamp = sending.frame.header.timestamp_90k & 0xFFFFFFFF
        sender._RTCRtpSender__octet_count += burst.payload_bytes
        sender._RTCRtpSender__packet_count += len(burst)

    def _count_bytes(self, n_bytes: int, n_packets: int) -> None:
        dtls = self._sender.transport
        dtls._RTCDtlsTransport__tx_bytes += n_bytes
        dtls._RTCDtlsTransport__tx_packets += n_packets

    def _fail(self, error: TransportError) -> None:
        """End this stream alone: whoever offers frames serves other viewers too."""
        logger.error("A WebRTC stream ended: %s", error)
        if self._stop is not None:
            self._stop.set()
            self._end()


class _PackedExtensions:
    """Header extensions of one stream, packed by aiortc once; only the time of sending changes."""

    def __init__(self, sender: Any) -> None:  # as in `RtpStream`
        values = rtp.HeaderExtensions()
        values.mid = sender._RTCRtpSender__mid
        values.abs_send_time = _ANY_TIME
        profile, packed = sender._RTCRtpSender__rtp_header_extensions_map.set(values)
        head = _EXTENSION_HEADER.pack(profile, len(packed) // 4) if packed else b""
        whole: bytes = head + packed
        self._before, found, self._after = whole.partition(_ANY_TIME.to_bytes(3, "big"))
        self._is_timed = bool(found)

    def at(self, now_s: float) -> bytes:
        """Bytes for packets that leave at this time of the day."""
        if not self._is_timed:
            return self._before
        # 6.18 fixed point of seconds, modulo 64 s, which divides the epochs' difference.
        now = int(now_s * 262144) & 0xFFFFFF
        return self._before + now.to_bytes(3, "big") + self._after


_newest: dict[bool, _Plan] = {}


def _plan_of(frame: EncodedFrame, *, has_trailer: bool) -> _Plan:
    """Cut a frame up; all viewers of a session ask for the same one after another."""
    known = _newest.get(has_trailer)
    if known is not None and known.frame is frame:
        return known
    if has_trailer:
        data = frame.with_trailer + bytes(COUNT_BYTES)  # filled in for each viewer
        planned = plan_payloads(data, trailer_bytes=frame.header.n_bytes + COUNT_BYTES)
    else:
        data = frame.data
        planned = plan_payloads(data, frame.header.n_bytes)
    plan = _Plan(frame, [prefix + data[begin:end] for prefix, begin, end in planned])
    _newest[has_trailer] = plan
    return plan
