"""A viewer's WebRTC through a real TURN server (coturn) alone, with credentials that end."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator

import pytest
from aiortc import RTCConfiguration, RTCIceServer
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from blustream_widget import doctor
from blustream_widget.config import Config
from blustream_widget.errors import IceFailedError
from blustream_widget.testing.clients import Inbox
from blustream_widget.testing.rtc_client import rtc_client
from blustream_widget.testing.turn_server import SECRET, TurnServer, turn_server
from blustream_widget.transport.ice_servers import ice_servers_for
from blustream_widget.transport.webrtc import RtcPeer

pytestmark = pytest.mark.skipif(
    shutil.which("turnserver") is None, reason="coturn is not installed"
)
CONFIG = Config(turn_secret=SECRET, turn_lifetime_s=600)


@pytest.fixture(scope="module")
def turn(tmp_path_factory) -> Iterator[TurnServer]:
    with turn_server(tmp_path_factory.mktemp("turn")) as running:
        yield running


def peer_with(server, inbox, *, relay_only=True) -> RtcPeer:
    return RtcPeer(
        ice_servers=(server,),
        loopback=True,
        relay_only=relay_only,
        on_text=inbox.put,
        on_state=inbox.put,
        on_keyframe_wanted=lambda: None,
    )


def relayed(server) -> RTCConfiguration:
    ice = RTCIceServer(**server)
    return RTCConfiguration(iceServers=[ice], iceTransportPolicy=RTCIceTransportPolicy.RELAY)


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_both_sides_meet_at_the_relay(turn, monkeypatch, way):
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.certificate))
    servers = ({"urls": turn.url(way)},)
    given = [ice_servers_for(who, servers, CONFIG)[0] for who in ("server", "owner")]
    inbox = Inbox()
    peer = peer_with(given[0], inbox)
    try:
        async with rtc_client(relayed(given[1])) as client:
            offer = await client.offer()
            answer = await peer.answer(offer)
            for sdp in (offer, answer):
                candidates = [line for line in sdp.splitlines() if "a=candidate" in line]
                assert candidates
                assert all(" typ relay" in line for line in candidates)
            await client.accept(answer)
            await client.opened()
            client.channel.send("here")
            assert await inbox.find(bytes, bool) == b"here"
    finally:
        await peer.close()


@pytest.mark.parametrize(
    ("secret", "age_s", "said"),
    [
        (SECRET, 3600, r"refuses \(401 Unauthorized\): the credentials have ended"),
        ("other", 0, r"refuses \(401 Unauthorized\)\."),
    ],
)
async def test_credentials_that_are_not_good_are_an_error_of_the_server(turn, secret, age_s, said):
    config = Config(turn_secret=secret, turn_lifetime_s=600)
    now_s = time.time() - age_s
    (server,) = ice_servers_for("server", ({"urls": turn.url("udp")},), config, now_s=now_s)
    peer = peer_with(server, Inbox())
    try:
        async with rtc_client() as client:
            with pytest.raises(IceFailedError, match=f"No relay for the server: .* {said}"):
                await peer.answer(await client.offer())
    finally:
        await peer.close()


async def test_a_server_that_may_do_without_a_relay_logs_why_it_has_none(turn, caplog):
    servers = ({"urls": turn.url("tcp")},)
    (server,) = ice_servers_for("server", servers, Config(turn_secret="other"))
    peer = peer_with(server, Inbox(), relay_only=False)
    try:
        async with rtc_client() as client:
            assert " typ host" in await peer.answer(await client.offer())
        await peer.warn_of_relay()
    finally:
        await peer.close()
    assert "without a relay for the server: the TURN server refuses (401" in caplog.text


def test_the_doctor_says_whether_there_is_a_relay_and_why_not(turn, monkeypatch):
    urls = [turn.url("udp"), turn.url("tcp"), turn.url("tls")]
    monkeypatch.setenv("SSL_CERT_FILE", str(turn.certificate))
    monkeypatch.setenv("BLUSTREAM_ICE_SERVERS", json.dumps([{"urls": urls}]))
    monkeypatch.setenv("BLUSTREAM_TURN_SECRET", SECRET)
    assert relays_found() == dict.fromkeys(urls, (True, "gives a relay"))
    monkeypatch.setenv("BLUSTREAM_TURN_SECRET", "other")
    assert relays_found() == dict.fromkeys(urls, (False, "refuses (401 Unauthorized)"))
    assert "other" not in str(relays_found())


def relays_found():
    report = doctor.Report()
    doctor._relays(report)
    return {finding.what: (finding.ok, finding.detail) for finding in report.findings}
