"""What `rtp_stream`, `srtp_output` and `aiortc_hooks` use of the inside of aiortc is there.

The names are private: a new aiortc may change them without notice, and then this fails before a
viewer does.
"""

import inspect
import re

import aioice.ice
import pylibsrtp
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, rtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpSendParameters
from pylibsrtp._binding import lib

from blustream_widget.transport import aiortc_hooks
from blustream_widget.transport.webrtc import _VideoTrack


@pytest.fixture
async def sender():
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    yield connection.addTrack(_VideoTrack())
    await connection.close()


async def test_the_sender_has_the_attributes_that_are_read_and_written(sender):
    names = ("rtp_started", "rtp_exited", "rtx_payload_type", "rtx_sequence_number", "mid")
    counters = ("ntp_timestamp", "rtp_timestamp", "octet_count", "packet_count")
    for name in (*names, *counters, "rtp_header_extensions_map"):
        assert hasattr(sender, f"_RTCRtpSender__{name}"), name
    for name in ("_ssrc", "_rtx_ssrc", "_enabled", "track"):
        assert hasattr(sender, name), name
    for name in ("_run_rtp", "_retransmit", "_handle_rtcp_packet", "_send_rtcp"):
        assert inspect.iscoroutinefunction(getattr(sender, name)), name


def test_the_loop_that_is_replaced_does_nothing_that_is_not_done_instead():
    source = inspect.getsource(RTCRtpSender._run_rtp)
    used = set(re.findall(r"self\.(_\w+)", source))
    counters = {"__ntp_timestamp", "__rtp_timestamp", "__octet_count", "__packet_count"}
    identity = {"_ssrc", "__mid", "__rtp_header_extensions_map", "transport"} - {"transport"}
    life = {"__rtp_started", "__rtp_exited", "__track", "_next_encoded_frame", "__encoder"}
    history = {"__rtp_history"}
    logs = {"__log_debug", "__log_warning"}
    assert used == counters | identity | life | history | logs


def test_retransmission_is_asked_for_by_sequence_number():
    assert list(inspect.signature(RTCRtpSender._retransmit).parameters)[1:] == ["sequence_number"]
    assert "self._retransmit(seq)" in inspect.getsource(RTCRtpSender._handle_rtcp_packet)


def test_rtcp_and_statistics_read_the_counters_that_are_kept():
    report = inspect.getsource(RTCRtpSender._run_rtcp) + inspect.getsource(RTCRtpSender.getStats)
    for name in ("ntp_timestamp", "rtp_timestamp", "octet_count", "packet_count"):
        assert f"self.__{name}" in report


def test_a_senders_reports_leave_by_the_method_that_stamps_them():
    assert "await self._send_rtcp(packets)" in inspect.getsource(RTCRtpSender._run_rtcp)
    assert list(inspect.signature(RTCRtpSender._send_rtcp).parameters)[1:] == ["packets"]


async def test_the_transport_below_has_the_attributes_that_are_used(sender):
    dtls = sender.transport
    for name in ("_tx_srtp", "_RTCDtlsTransport__tx_bytes", "_RTCDtlsTransport__tx_packets"):
        assert hasattr(dtls, name), name
    assert dtls.state == "new"
    assert dtls.transport._connection._nominated == {}
    source = inspect.getsource(aioice.ice.CandidatePair.__init__)
    assert "self.protocol = protocol" in source
    for name in ("local_addr", "remote_addr", "local_candidate"):
        assert isinstance(getattr(aioice.ice.CandidatePair, name), property), name
    assert "self.remote_candidate = remote_candidate" in source


def test_a_packet_can_be_encrypted_in_place():
    policy = pylibsrtp.Policy(key=bytes(30), ssrc_type=pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
    assert pylibsrtp.Session(policy)._srtp[0] is not None
    assert callable(lib.srtp_protect)


def test_extensions_are_packed_as_they_are_patched():
    parameters = RTCRtpSendParameters(
        headerExtensions=[
            RTCRtpHeaderExtensionParameters(id=1, uri="urn:ietf:params:rtp-hdrext:sdes:mid"),
            RTCRtpHeaderExtensionParameters(id=6, uri=aiortc_hooks.PLAYOUT_DELAY_URI),
        ]
    )
    extensions = rtp.HeaderExtensionsMap()
    extensions.configure(parameters)
    values = rtp.HeaderExtensions()
    values.mid, values.abs_send_time = "0", 5
    profile, packed = extensions.set(values)
    found = dict(rtp.unpack_header_extensions(profile, packed))
    assert found == {1: b"0", 6: bytes(3)}
