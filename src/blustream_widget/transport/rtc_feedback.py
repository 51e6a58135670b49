"""What RTCP tells the sender of a WebRTC video: losses, round trip, the receiver's estimate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiortc import RTCRtpSender, rtp

_REMB = 15  # payload-specific feedback format of RTCP_PSFB_APP


def watch_feedback(
    sender: RTCRtpSender,
    *,
    on_report: Callable[[float, float | None], None],
    on_estimate: Callable[[float], None],
) -> None:
    """Call back for each receiver report and each REMB, before the sender is started.

    Parameters
    ----------
    sender : RTCRtpSender
    on_report : callable
        Share of packets lost since the report before it (0 to 1), and the round trip in seconds
        where it is known.
    on_estimate : callable
        Bits a second that the receiver believes the link to carry.
    """
    handle = sender._handle_rtcp_packet

    # Any: one of aiortc's packet classes, passed through untouched.
    async def handle_and_tell(packet: Any) -> None:
        await handle(packet)
        if isinstance(packet, (rtp.RtcpRrPacket, rtp.RtcpSrPacket)):
            for report in packet.reports:
                if report.ssrc == sender._ssrc:
                    on_report(report.fraction_lost / 256, await _round_trip_s(sender))
        elif isinstance(packet, rtp.RtcpPsfbPacket) and packet.fmt == _REMB:
            estimate = _estimate_bps(packet.fci, sender._ssrc)
            if estimate is not None:
                on_estimate(estimate)

    sender._handle_rtcp_packet = handle_and_tell  # type: ignore[method-assign]  # no hook for it


async def _round_trip_s(sender: RTCRtpSender) -> float | None:
    for stats in (await sender.getStats()).values():
        if stats.type == "remote-inbound-rtp":
            round_trip_s: float | None = stats.roundTripTime
            return round_trip_s
    return None


def _estimate_bps(fci: bytes, ssrc: int) -> float | None:
    try:
        bps, ssrcs = rtp.unpack_remb_fci(fci)
    except ValueError:  # another application's message
        return None
    return float(bps) if ssrc in ssrcs else None
