"""What RTCP tells the sender of a WebRTC video: losses, round trip, the receiver's estimate."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aiortc import RTCRtpSender, clock, rtp

_REMB = 15  # payload-specific feedback format of RTCP_PSFB_APP
_KEPT_REPORTS = 8


class Echo(NamedTuple):
    """A report's round trip, and when it left; both in seconds."""

    round_trip_s: float
    sent_s: float


def watch_feedback(
    sender: RTCRtpSender,
    *,
    on_report: Callable[[float, Echo | None], None],
    on_estimate: Callable[[float], None],
    now_s: Callable[[], float] = time.monotonic,
) -> None:
    """Call back for each receiver report and each REMB, before the sender is started.

    Parameters
    ----------
    sender : RTCRtpSender
    on_report : callable
        Share of packets lost since the report before it (0 to 1), and the round trip of the report
        that it answers, where that is known.
    on_estimate : callable
        Bits a second that the receiver believes the link to carry.
    now_s : callable
        Seconds, monotonic.
    """
    handle, send = sender._handle_rtcp_packet, sender._send_rtcp
    round_trips = _RoundTrips(now_s)

    async def stamp_and_send(packets: Sequence[Any]) -> None:
        for packet in packets:
            if isinstance(packet, rtp.RtcpSrPacket):
                round_trips.stamp(packet.sender_info)
        await send(list(packets))

    # Any: one of aiortc's packet classes, passed through untouched.
    async def handle_and_tell(packet: Any) -> None:
        await handle(packet)
        if isinstance(packet, (rtp.RtcpRrPacket, rtp.RtcpSrPacket)):
            for report in packet.reports:
                if report.ssrc == sender._ssrc:
                    on_report(report.fraction_lost / 256, round_trips.echoed(report))
        elif isinstance(packet, rtp.RtcpPsfbPacket) and packet.fmt == _REMB:
            estimate = _estimate_bps(packet.fci, sender._ssrc)
            if estimate is not None:
                on_estimate(estimate)

    # There are no hooks for them.
    sender._send_rtcp = stamp_and_send  # type: ignore[method-assign]
    sender._handle_rtcp_packet = handle_and_tell  # type: ignore[method-assign]


class _RoundTrips:
    """Gives each sender report the time when it leaves, and knows it again in the receiver's.

    aiortc gives it the time of the newest frame. While nothing moves, two reports are alike then,
    and the answer to the older one is taken for one to the newer: round trips of 1 ms, or less than
    none, over any network. Each picture after that looks late.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._sent_s: dict[int, float] = {}

    def stamp(self, info: rtp.RtcpSenderInfo) -> None:
        """Say when this report leaves, in NTP's time and in the stream's."""
        if info.ntp_timestamp == 0:
            return  # no frame has left yet
        ntp_timestamp = clock.current_ntp_time()
        age_90k = 90_000 * (ntp_timestamp - info.ntp_timestamp) >> 32
        info.rtp_timestamp = (info.rtp_timestamp + age_90k) & 0xFFFFFFFF
        info.ntp_timestamp = ntp_timestamp
        self._sent_s[ntp_timestamp >> 16 & 0xFFFFFFFF] = self._now_s()
        if len(self._sent_s) > _KEPT_REPORTS:
            del self._sent_s[next(iter(self._sent_s))]

    def echoed(self, report: rtp.RtcpReceiverInfo) -> Echo | None:
        """Tell the round trip; None if the receiver answers nothing that is known."""
        sent_s = self._sent_s.get(report.lsr)
        if sent_s is None:
            return None
        return Echo(self._now_s() - sent_s - report.dlsr / 65536, sent_s)


def _estimate_bps(fci: bytes, ssrc: int) -> float | None:
    try:
        bps, ssrcs = rtp.unpack_remb_fci(fci)
    except ValueError:  # another application's message
        return None
    return float(bps) if ssrc in ssrcs else None
