"""A browser's side of WebRTC in Python: offers, receives and decodes H.264, talks on a channel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import numpy as np
import numpy.typing as npt
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from av import VideoFrame

from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.testing.clients import TIMEOUT_S, Inbox
from blustream_widget.transport import aiortc_hooks


class RtcClient:
    """One peer connection. Use `rtc_client`.

    Parameters
    ----------
    configuration : RTCConfiguration, optional
        None: no STUN or TURN server.

    Attributes
    ----------
    inbox : Inbox
        Frame headers of the data channel, and pictures as (RTP time stamp, luma plane).
    lose : callable
        Whether the network loses a packet; it is asked for every one that comes.
    """

    def __init__(self, configuration: RTCConfiguration | None = None) -> None:
        self.connection = RTCPeerConnection(configuration or RTCConfiguration(iceServers=[]))
        self.inbox = Inbox()
        self.lose: Callable[[RtpPacket], bool] = lambda _packet: False
        self.channel = self.connection.createDataChannel("input", ordered=False, maxRetransmits=0)
        self.channel.on("message", self._message_came)
        self.receiver: RTCRtpReceiver = self.connection.addTransceiver(
            "video", direction="recvonly"
        ).receiver
        self.connection.on("track", self._track_came)
        self._reader: asyncio.Task[None] | None = None
        self._rtp_origin_90k: int | None = None
        self._take_rtp = self.receiver._handle_rtp_packet
        self.receiver._handle_rtp_packet = self._rtp_came  # type: ignore[method-assign]  # see there

    async def offer(self, *, is_loopback: bool = True) -> str:
        """Offer with all candidates, of 127.0.0.1 only or of all addresses."""
        if is_loopback:
            aiortc_hooks.use_loopback_only()
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def accept(self, answer_sdp: str) -> None:
        """Take the server's answer and start receiving."""
        answer = RTCSessionDescription(sdp=answer_sdp, type="answer")
        await self.connection.setRemoteDescription(answer)

    async def opened(self) -> None:
        """Wait until the data channel is open."""
        event = asyncio.Event()
        self.channel.on("open", event.set)
        if self.channel.readyState != "open":
            async with asyncio.timeout(TIMEOUT_S):
                await event.wait()

    async def header(self, slice_idx: int) -> FrameHeader:
        """Header of the first frame that shows a slice."""
        return await self.inbox.find(FrameHeader, lambda h: h.slice_idx == slice_idx)

    async def picture(self, timestamp_90k: int) -> npt.NDArray[np.uint8]:
        """Wait for the decoded luma of the frame with an RTP time stamp, shape (height, width)."""
        _, luma = await self.inbox.find(tuple, lambda f: f[0] == timestamp_90k)
        return np.asarray(luma)

    async def close(self) -> None:
        """End the connection."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.connection.close()

    def _message_came(self, message: str | bytes) -> None:
        if isinstance(message, bytes):
            self.inbox.put(FrameHeader.unpack(message))

    async def _rtp_came(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        # aiortc gives decoded frames times that begin at 0; a browser tells the RTP time stamp.
        if self._rtp_origin_90k is None:
            self._rtp_origin_90k = packet.timestamp
        if self.lose(packet):
            return
        await self._take_rtp(packet, arrival_time_ms=arrival_time_ms)

    def _track_came(self, track: MediaStreamTrack) -> None:
        self._reader = asyncio.get_running_loop().create_task(self._read(track))

    async def _read(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if isinstance(frame, VideoFrame) and frame.pts is not None:
                    timestamp = (frame.pts + (self._rtp_origin_90k or 0)) & 0xFFFFFFFF
                    self.inbox.put((timestamp, frame.to_ndarray(format="gray")))
        self.inbox.end()


@asynccontextmanager
async def rtc_client(configuration: RTCConfiguration | None = None) -> AsyncIterator[RtcClient]:
    """Make a client for the length of the block."""
    client = RtcClient(configuration)
    try:
        yield client
    finally:
        await client.close()
