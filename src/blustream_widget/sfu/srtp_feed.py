"""Encoded frames as encrypted RTP to one address, without a peer connection.

What an SFU takes from a sender that it trusts: plain UDP, keys agreed on elsewhere. RTCP has a port
of its own; what comes there is a wish for a keyframe.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import secrets
import socket
import struct
from collections import deque
from collections.abc import Callable

from pylibsrtp import Policy, Session

from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.rtp_h264 import plan_payloads

logger = logging.getLogger(__name__)

KEY_BYTES = 30  # key and salt of AES128_CM_SHA1_80
PAYLOAD_TYPE = 96
# Linux gives a socket room for about 90 packets of this size, unless it is told otherwise.
BURST_PACKETS = 32
BURST_S = 0.001
MAX_WAITING_FRAMES = 3
RTCP_S = 2.0
"""So often the SFU hears where feedback goes, also while nothing is drawn."""
_HEADER = struct.Struct("!BBHLL")
_RECEIVER_REPORT = 201
_PAYLOAD_FEEDBACK, _PLI, _FIR = 206, 1, 4


class SrtpFeed:
    """Sends frames of one stream. Loop thread only; `close` after use.

    Parameters
    ----------
    host : str
        Address, not a name.
    rtp_port, rtcp_port : int
    key : bytes
        `KEY_BYTES` that the receiver has, too.
    on_keyframe : callable
        The receiver asks for a keyframe.

    Raises
    ------
    OSError
        There is no way to that address.
    """

    def __init__(
        self, host: str, rtp_port: int, rtcp_port: int, key: bytes, on_keyframe: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_keyframe = on_keyframe
        self._ssrc, self._next_seq = secrets.randbits(32), secrets.randbits(15)
        profile = Policy.SRTP_PROFILE_AES128_CM_SHA1_80
        ssrc_type = Policy.SSRC_ANY_OUTBOUND
        self._srtp = Session(Policy(key=key, ssrc_type=ssrc_type, srtp_profile=profile))
        self._waiting: deque[tuple[EncodedFrame, list[bytes], int]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._has_failed = False
        with contextlib.ExitStack() as opened:
            self._rtp = opened.enter_context(_connected(host, rtp_port))
            self._rtcp = opened.enter_context(_connected(host, rtcp_port))
            opened.pop_all()
        self._loop.add_reader(self._rtcp, self._feedback_came)
        self._report_timer = self._loop.call_soon(self._report)

    @property
    def is_behind(self) -> bool:
        """Whether one frame more would be queueing."""
        return len(self._waiting) >= MAX_WAITING_FRAMES

    def send(self, frame: EncodedFrame) -> None:
        """Send a frame now, or behind those that still leave. Never waits, never raises."""
        planned = plan_payloads(frame.data, frame.header.n_bytes)
        payloads = [prefix + frame.data[begin:end] for prefix, begin, end in planned]
        if payloads:
            self._waiting.append((frame, payloads, 0))
        if self._timer is None:
            self._send_burst()

    def close(self) -> None:
        """Send nothing more, and let go of the sockets."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._report_timer.cancel()
        self._loop.remove_reader(self._rtcp)
        self._rtp.close()
        self._rtcp.close()

    def _send_burst(self) -> None:
        """Send some packets of the first frame that waits; the others after a pause."""
        self._timer = None
        if not self._waiting:
            return
        frame, payloads, first = self._waiting.popleft()
        end = min(first + BURST_PACKETS, len(payloads))
        timestamp_90k = frame.header.timestamp_90k & 0xFFFFFFFF
        for index in range(first, end):
            marker = 0x80 if index == len(payloads) - 1 else 0
            head = _HEADER.pack(
                0x80, marker | PAYLOAD_TYPE, self._next_seq, timestamp_90k, self._ssrc
            )
            self._next_seq = (self._next_seq + 1) & 0xFFFF
            self._put(self._rtp, self._srtp.protect(head + payloads[index]))
        if end < len(payloads):
            self._waiting.appendleft((frame, payloads, end))
        self._timer = self._loop.call_later(BURST_S, self._send_burst)

    def _put(self, to: socket.socket, packet: bytes) -> None:
        # A packet that the network does not take is a lost one, which a keyframe mends; whether
        # the receiver is there at all is known elsewhere.
        try:
            to.send(packet)
        except OSError as exc:
            if not self._has_failed:
                logger.debug("A packet was not sent: %s", exc)
            self._has_failed = True

    def _report(self) -> None:
        """Say where feedback goes: an empty receiver report."""
        self._put(self._rtcp, struct.pack("!BBHL", 0x80, _RECEIVER_REPORT, 1, self._ssrc))
        self._report_timer = self._loop.call_later(RTCP_S, self._report)

    def _feedback_came(self) -> None:
        try:
            packet = self._rtcp.recv(1500)
        except OSError:  # nobody is at that port now
            return
        if asks_for_keyframe(packet):
            self._on_keyframe()


def asks_for_keyframe(packet: bytes) -> bool:
    """Whether a PLI or FIR is among the parts of an RTCP packet."""
    at = 0
    while at + 4 <= len(packet):
        first, kind, words = struct.unpack_from("!BBH", packet, at)
        if first >> 6 != 2:
            return False
        if kind == _PAYLOAD_FEEDBACK and first & 0x1F in (_PLI, _FIR):
            return True
        at += 4 * (words + 1)
    return False


def _connected(host: str, port: int) -> socket.socket:
    is_v6 = ipaddress.ip_address(host).version == 6
    opened = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        opened.setblocking(False)
        opened.connect((host, port))
    except OSError:
        opened.close()
        raise
    return opened
