"""RtcPeer without a network: which candidates it looks at, which keyframes it asks for."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport import webrtc
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.link_rate import LinkRate
from blustream_widget.transport.webrtc import MAX_ANSWERED_AT_REST, RtcPeer, _usable_offer

OFFER = (
    "v=0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"
    "a=candidate:1 1 udp 2113937151 0f2a6f0e-5d3b-4f0c.local 51000 typ host\r\n"
    "a=candidate:2 1 udp 2113937150 127.0.0.1 51001 typ host\r\n"
    "a=mid:0\r\n"
)


def test_candidates_with_an_mdns_name_are_dropped_and_the_others_kept() -> None:
    lines = _usable_offer(OFFER).split("\r\n")
    assert not [line for line in lines if ".local" in line]
    assert [line for line in lines if "127.0.0.1" in line]
    assert "a=mid:0" in lines


def test_masses_of_candidates_are_cut() -> None:
    many = OFFER + "a=candidate:3 1 udp 1 127.0.0.1 5 typ host\r\n" * 1000
    assert _usable_offer(many).count("a=candidate") <= 40


async def test_a_browser_that_hides_its_addresses_is_told_ours() -> None:
    """Firefox also says that there are no more: nothing is left of a list that has ended."""
    browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    browser.createDataChannel("input")
    browser.addTransceiver("video", direction="recvonly")
    await browser.setLocalDescription(await browser.createOffer())
    offer = browser.localDescription.sdp
    await browser.close()
    assert "a=end-of-candidates" in offer
    hidden = re.sub(r"(a=candidate:\S+ \d \w+ \d+) \S+", r"\1 0f2a6f0e-5d3b-4f0c.local", offer)
    nothing = dict.fromkeys(("on_text", "on_state"), lambda _: None)
    peer = RtcPeer(**nothing, on_keyframe_wanted=lambda: None, loopback=True)
    try:
        assert "a=candidate" in await peer.answer(hidden)
    finally:
        await peer.close()


@pytest.fixture
async def peer(request):
    asked: list[bool] = []
    peer = RtcPeer(
        on_text=lambda _data: None,
        on_state=lambda _state: None,
        on_keyframe_wanted=lambda: asked.append(True),
        takes_encoded=getattr(request, "param", False),
    )
    peer._is_live = True
    peer._stream = FakeStream()
    peer.asked = asked
    yield peer
    await peer.close()


class FakeStream:
    """Takes everything at once, unless a test says that it is behind."""

    def __init__(self) -> None:
        self.has_room = True
        self.n_packets = self.n_missed = 0
        self.is_behind = False
        self.sent: list[int] = []
        self.repeated: list[int] = []
        self.repeated_twice = asyncio.Event()

    def send(self, frame) -> None:
        self.sent.append(frame.frame_no)

    def repeat(self, frame) -> None:
        self.repeated.append(frame.frame_no)
        if len(self.repeated) == 2:
            self.repeated_twice.set()

    def forget_waiting(self) -> None:
        self.sent.append(-1)


async def test_requests_for_keyframes_at_rest_end_in_silence_until_something_moves(peer) -> None:
    peer.offer(make_frame(1, is_key=True))
    for _ in range(10):
        peer._keyframe_wanted()
        if peer.needs_keyframe:
            peer.offer(make_frame(2, is_key=True))
    asked_at_rest = len(peer.asked)
    assert asked_at_rest == MAX_ANSWERED_AT_REST
    peer.offer(make_frame(3, is_key=False))
    peer._keyframe_wanted()
    assert peer.needs_keyframe


async def test_a_path_that_is_looked_at_again_corrects_the_sockets_link_too(peer) -> None:
    pair = SimpleNamespace(
        local_addr=("10.0.0.5", 1),
        remote_addr=("10.0.0.5", 2),
        local_candidate=SimpleNamespace(type="host"),
        remote_candidate=SimpleNamespace(type="prflx"),
    )
    ice = SimpleNamespace(_nominated={1: pair})
    peer._sender = SimpleNamespace(
        transport=SimpleNamespace(transport=SimpleNamespace(_connection=ice))
    )
    peer.socket_link = LinkRate()
    peer._look_at_path()
    assert peer.socket_link.is_same_machine
    assert peer.pacer.link.is_same_machine
    peer._ice_servers = ({"urls": "turn:10.0.0.5:3478"},)  # whose relay may be that address
    peer._reported(0.0, None)
    assert not peer.socket_link.is_same_machine
    assert not peer.pacer.link.is_same_machine


class FakeChannel:
    readyState = "open"  # noqa: N815  as aiortc calls it
    bufferedAmount = 0  # noqa: N815

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


@pytest.mark.parametrize(("peer", "n_headers"), [(True, 0), (False, 1)], indirect=["peer"])
async def test_headers_go_by_the_data_channel_only_where_the_browser_decodes(
    peer, n_headers
) -> None:
    peer._input = FakeChannel()
    peer._send_header(make_frame(1, is_key=True))
    assert len(peer._input.sent) == n_headers


@pytest.mark.parametrize(("peer", "n_headers"), [(True, 0), (False, 1)], indirect=["peer"])
async def test_headers_go_by_the_link_instead_where_the_viewer_wants_that(peer, n_headers) -> None:
    by_link: list[EncodedFrame] = []
    wanting = RtcPeer(
        on_text=lambda _data: None,
        on_state=lambda _state: None,
        on_keyframe_wanted=lambda: None,
        takes_encoded=peer._takes_encoded,
        send_header=by_link.append,
    )
    wanting._input = FakeChannel()
    frame = make_frame(1, is_key=True)
    wanting._send_header(frame)
    assert by_link == [frame] * n_headers
    assert wanting._input.sent == []
    await wanting.close()


@pytest.mark.parametrize("by_link", [False, True])
async def test_a_frame_is_repeated_with_its_header_where_that_may_have_been_lost(
    by_link, monkeypatch
) -> None:
    monkeypatch.setattr(webrtc, "REPEAT_AFTER_S", 0.0)
    headers: list[EncodedFrame] = []
    sending = RtcPeer(
        on_text=lambda _data: None,
        on_state=lambda _state: None,
        on_keyframe_wanted=lambda: None,
        send_header=headers.append if by_link else None,
    )
    sending._is_live, sending._stream = True, FakeStream()
    sending._input = FakeChannel()
    sending._repeats.of = lambda _n_bytes, _link: 3
    sending.offer(make_frame(1, is_key=True))
    async with asyncio.timeout(10):
        await sending._stream.repeated_twice.wait()
    assert sending._stream.repeated == [1, 1]
    assert (len(headers), len(sending._input.sent)) == ((0, 0) if by_link else (0, 2))
    await sending.close()


@pytest.mark.parametrize("peer", [True], indirect=True)
async def test_a_browser_whose_own_decoder_is_idle_gets_no_keyframe_for_its_asking(peer) -> None:
    peer.offer(make_frame(1, is_key=True))
    peer._keyframe_wanted()
    assert not peer.needs_keyframe
    assert not peer.asked
    peer.restart()  # what the viewer's own request does
    assert peer.needs_keyframe


async def test_a_peer_that_is_behind_gets_a_keyframe_and_nothing_before(peer) -> None:
    peer.offer(make_frame(1, is_key=True))
    peer._stream.is_behind = True
    peer.offer(make_frame(2))
    peer._stream.is_behind = False
    assert peer.needs_keyframe
    peer.offer(make_frame(3))
    peer.offer(make_frame(4, is_key=True))
    assert peer._stream.sent == [1, -1, 4]
