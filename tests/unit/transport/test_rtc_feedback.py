"""What is made of RTCP: the round trip is the network's, whatever the pictures do."""

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, clock, rtp

from blustream_widget.transport.rtc_feedback import watch_feedback
from blustream_widget.transport.webrtc import _VideoTrack


class Scene:
    """A sender whose reports a test answers."""

    now_s = 100.0

    def __init__(self, sender):
        self.sender = sender
        self.sent = []
        self.round_trips_s = []
        sender._send_rtcp = self._keep
        watch_feedback(
            sender,
            on_report=lambda _loss, echo: self.round_trips_s.append(echo and echo.round_trip_s),
            on_estimate=lambda _bps: None,
            now_s=lambda: self.now_s,
        )

    async def _keep(self, packets):
        self.sent += packets

    async def report(self, frame_s, rtp_timestamp=0):
        """Send a report as aiortc makes it: with the time of the newest frame."""
        info = rtp.RtcpSenderInfo(int(frame_s * 2**32), rtp_timestamp, 0, 0)
        await self.sender._send_rtcp([rtp.RtcpSrPacket(ssrc=self.sender._ssrc, sender_info=info)])
        return self.sent[-1].sender_info

    async def answer(self, info, held_s):
        report = rtp.RtcpReceiverInfo(
            ssrc=self.sender._ssrc,
            fraction_lost=0,
            packets_lost=0,
            highest_sequence=0,
            jitter=0,
            lsr=info.ntp_timestamp >> 16 & 0xFFFFFFFF,
            dlsr=int(held_s * 65536),
        )
        await self.sender._handle_rtcp_packet(rtp.RtcpRrPacket(ssrc=1, reports=[report]))


@pytest.fixture
async def scene(monkeypatch):
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    made = Scene(connection.addTrack(_VideoTrack()))
    monkeypatch.setattr(clock, "current_ntp_time", lambda: int(made.now_s * 2**32))
    yield made
    await connection.close()


async def test_at_rest_an_answer_to_the_older_of_two_reports_tells_the_same_round_trip(scene):
    first = await scene.report(frame_s=99.0)
    scene.now_s += 1.0
    await scene.report(frame_s=99.0)
    scene.now_s += 0.28
    await scene.answer(first, held_s=1.2)
    assert scene.round_trips_s == [pytest.approx(0.08, abs=0.001)]


async def test_what_answers_no_known_report_tells_nothing(scene):
    await scene.answer(rtp.RtcpSenderInfo(77 << 32, 0, 0, 0), held_s=0.1)
    assert scene.round_trips_s == [None]


async def test_a_report_names_the_streams_own_time_of_its_leaving(scene):
    info = await scene.report(frame_s=99.5, rtp_timestamp=2**32 - 1000)
    assert info.ntp_timestamp == 100 << 32
    assert info.rtp_timestamp == 45_000 - 1000
    assert (await scene.report(frame_s=0)).ntp_timestamp == 0  # no frame yet
