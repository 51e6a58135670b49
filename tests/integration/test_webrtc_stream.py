"""WebRTC from offer to decoded picture, between the real server process and an aiortc peer."""

import asyncio
import re

import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.frame_header import HEADER_BYTES, FrameFlags, FrameHeader
from blustream_widget.testing.clients import TIMEOUT_S, connect_kernel, connect_viewer
from blustream_widget.testing.fake_worker import read_barcode
from blustream_widget.testing.rtc_client import rtc_client
from blustream_widget.testing.server_process import running_server
from blustream_widget.transport.rtp_stream import COUNT_BYTES


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    with running_server(folder, server_grace_s=60, ice_loopback=True) as running:
        yield running


async def connect(viewer, rtc, **wishes):
    await viewer.send(p.RtcOffer(sdp=await rtc.offer(), **wishes))
    answer = await viewer.message(p.RtcAnswer)
    await rtc.accept(answer.sdp)
    await rtc.opened()


async def release(viewer):
    """Send one frame more: aiortc's receiver hands a frame out when the next one begins."""
    await viewer.send(vm.ChangeSlice(seq=100, slice_idx=7))


async def test_a_frame_is_decoded_and_its_header_found_by_the_rtp_time_stamp(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await viewer.frame()
            await connect(viewer, rtc)
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=6))
            header = await rtc.header(6)
            await release(viewer)
            picture = await rtc.picture(header.timestamp_90k)
    assert header.flags & FrameFlags.HEADER_ONLY
    assert read_barcode(picture) == 6


async def test_after_taking_over_video_comes_by_rtp_and_stills_by_the_socket(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await connect(viewer, rtc)
            await viewer.send(p.Stream(path="webrtc"))
            await viewer.round_trip()
            n = len(viewer.frames)
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=6))
            await rtc.header(6)
            await viewer.frame(lambda h: h.slice_idx == 6 and bool(h.flags & FrameFlags.STILL))
            by_socket = viewer.frames[n:]
            await viewer.send(p.Report(transport="webrtc", displayed_fps=1, latency_ms=1))
            await kernel.message(lp.Mirror, lambda m: m.transport == "webrtc")
    assert all(h.flags & FrameFlags.STILL for h, _ in by_socket)


async def test_a_viewer_that_takes_encoded_frames_finds_each_header_behind_its_frame(server):
    last, came = [], asyncio.Event()

    def look(packet):
        if packet.marker:
            last.append(packet)
            came.set()
        return False

    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            rtc.lose = look
            await connect(viewer, rtc, takes_encoded=True)
            # The keyframe that it begins with may be a quarter of a second later than the socket's.
            async with asyncio.timeout(TIMEOUT_S):
                await came.wait()
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=6))
            await viewer.frame(lambda h: h.slice_idx == 6)
            await release(viewer)
            # A decoder that is given the header too is not disturbed by it.
            _, luma = await rtc.inbox.find(tuple, lambda f: read_barcode(f[1]) == 6)
    trailers = [packet.payload[-HEADER_BYTES - COUNT_BYTES :] for packet in last]
    headers = [FrameHeader.unpack(trailer[:-COUNT_BYTES]) for trailer in trailers]
    counts = {trailer[-1] & 0x7F for trailer in trailers}
    assert counts == set(range(len(counts)))
    assert [h.timestamp_90k for h in headers] == [packet.timestamp for packet in last]
    assert 6 in [h.slice_idx for h in headers]
    assert luma.shape == (headers[0].height_px, headers[0].width_px)


async def test_a_viewer_on_a_near_link_gets_the_header_of_each_picture_by_the_link(server):
    sent_90k = set()

    def look(packet):
        sent_90k.add(packet.timestamp)
        return False

    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await viewer.frame()
            rtc.lose = look
            await connect(viewer, rtc, headers_by_link=True)
            await viewer.send(p.Stream(path="webrtc"))
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=6))
            header, _ = await viewer.frame(
                lambda h: h.slice_idx == 6 and bool(h.flags & FrameFlags.HEADER_ONLY)
            )
            await release(viewer)
            picture = await rtc.picture(header.timestamp_90k)
            came_90k = set(sent_90k)
            await viewer.round_trip()
            by_channel = [i for i in rtc.inbox.items if isinstance(i, FrameHeader)]
            headers = [(h, data) for h, data in viewer.frames if h.flags & FrameFlags.HEADER_ONLY]
    assert read_barcode(picture) == 6
    assert by_channel == []
    assert {len(data) for _, data in headers} == {0}
    assert came_90k <= {h.timestamp_90k for h, _ in headers}


async def test_input_on_the_data_channel_moves_the_picture(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await connect(viewer, rtc)
            rtc.channel.send(p.encode(vm.ChangeSlice(seq=1, slice_idx=9)).decode())
            header = await rtc.header(9)
            state = await viewer.message(vm.State, lambda m: m.seq == 1)
    assert header.revision == state.state.revision


async def test_a_picture_loss_indication_brings_a_keyframe(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await connect(viewer, rtc)
            await viewer.send(p.Stream(path="webrtc"))
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=6))
            header = await rtc.header(6)
            await release(viewer)
            await rtc.picture(header.timestamp_90k)
            (ssrc,) = rtc.receiver._RTCRtpReceiver__active_ssrc
            await rtc.receiver._send_rtcp_pli(ssrc)
            after = await rtc.inbox.find(
                FrameHeader,
                lambda h: h.slice_idx == 7 and bool(h.flags & FrameFlags.KEY),
            )
    assert after.slice_idx == 7


async def test_a_lost_packet_is_sent_again_and_its_frame_decoded(server):
    seen, lost = [], []

    def lose(packet):
        seen.append(packet)
        # Retransmissions have a payload type of their own.
        is_first_try = packet.payload_type == seen[0].payload_type
        is_due = is_first_try and not lost and packet.timestamp != seen[0].timestamp
        if is_due:
            lost.append(packet)
        return is_due

    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await connect(viewer, rtc)
            await viewer.send(p.Stream(path="webrtc"))
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=5))
            header = await rtc.header(5)
            await release(viewer)
            await rtc.picture(header.timestamp_90k)
            rtc.lose = lose
            for slice_idx in range(1, 5):
                await viewer.send(vm.ChangeSlice(seq=200 + slice_idx, slice_idx=slice_idx))
                await rtc.header(slice_idx)
            # Not the last one: aiortc's jitter buffer gives out one frame per packet that comes.
            picture = await rtc.picture(lost[0].timestamp)
            header = await rtc.inbox.find(
                FrameHeader, lambda h: h.timestamp_90k == lost[0].timestamp
            )
    assert read_barcode(picture) == header.slice_idx
    (packet,) = lost
    again = [s for s in seen if s.payload_type != packet.payload_type]
    assert packet.payload in [s.payload[2:] for s in again]


async def test_when_webrtc_ends_video_is_back_on_the_socket_with_a_keyframe(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            async with rtc_client() as rtc:
                await connect(viewer, rtc)
                await viewer.send(p.Stream(path="webrtc"))
                await viewer.send(vm.ChangeSlice(seq=1, slice_idx=6))
                await rtc.header(6)
                n = len(viewer.frames)
            await viewer.frame(lambda h: _is_video(h) and h.slice_idx == 6 and h.frame_no > n)
            await viewer.send(vm.ChangeSlice(seq=2, slice_idx=7))
            await viewer.frame(lambda h: _is_video(h) and h.slice_idx == 7)
            back = [h for h, _ in viewer.frames[n:] if _is_video(h)]
    assert back[0].flags & FrameFlags.KEY


async def test_the_answer_takes_h264_and_the_playout_delay_extension(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            await viewer.send(p.RtcOffer(sdp=await rtc.offer()))
            answer = await viewer.message(p.RtcAnswer)
    first = re.search(r"m=video \d+ \S+ (\d+)", answer.sdp).group(1)
    assert f"a=rtpmap:{first} H264/90000" in answer.sdp
    assert "playout-delay" in answer.sdp
    assert "127.0.0.1" in answer.sdp


@pytest.mark.parametrize("sdp", ["", "v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96", "x" * 40_000])
async def test_an_offer_that_is_none_gets_one_error_and_the_stream_goes_on(server, sdp):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer:
            await viewer.send(p.RtcOffer(sdp=sdp))
            error = await viewer.message(p.Error)
            await viewer.send(vm.ChangeSlice(seq=1, slice_idx=3))
            await viewer.frame(lambda h: h.slice_idx == 3)
    assert error.code in ("signalling", "ice-failed")
    assert not error.fatal


async def test_a_browser_without_h264_is_refused_not_sent_something_else(server):
    async with connect_kernel(server.address) as kernel:
        opened = await kernel.open()
        async with connect_viewer(server.address, opened.token) as viewer, rtc_client() as rtc:
            sdp = re.sub("H264", "XYZ4", await rtc.offer())
            await viewer.send(p.RtcOffer(sdp=sdp))
            error = await viewer.message(p.Error)
    assert error.code == "signalling"


def _is_video(header):
    return not header.flags & FrameFlags.STILL
