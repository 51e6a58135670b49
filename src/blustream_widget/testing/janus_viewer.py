"""Somebody who watches a mountpoint of Janus, in Python: decodes what comes."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import av
import numpy as np
import numpy.typing as npt
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import RtpPacket

from blustream_widget.testing.clients import TIMEOUT_S, Inbox
from blustream_widget.testing.janus_server import API_SECRET


class JanusViewer:
    """One peer connection with Janus' streaming plugin. Use `janus_viewer`.

    Attributes
    ----------
    inbox : Inbox
        Access units as bytes, decoded luma, shape (height, width), and dicts: Janus' events.
    arrivals_s : list of float
        When each access unit was whole, on `time.perf_counter`'s clock.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, *, decodes: bool = True) -> None:
        self._http, self._url, self._decodes = http, url, decodes
        self._reader: asyncio.Task[None] | None = None
        self._session = self._handle = ""
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.connection.on("track", self._track_came)
        self.inbox = Inbox()
        self.arrivals_s: list[float] = []

    async def watch(self, mountpoint: int, pin: str) -> None:
        """Connect, as a browser would.

        Raises
        ------
        PermissionError
            Janus says why not.
        """
        self._session = f"/{(await self._post('', janus='create'))['data']['id']}"
        attached = await self._post(self._session, janus="attach", plugin="janus.plugin.streaming")
        self._handle = f"{self._session}/{attached['data']['id']}"
        self._reader = asyncio.create_task(self._read_events())
        await self._ask(request="watch", id=mountpoint, pin=pin)
        event = await self.inbox.find(dict, lambda e: "jsep" in e or "error" in _data_of(e))
        if "error" in _data_of(event):
            raise PermissionError(_data_of(event)["error"])
        offer = RTCSessionDescription(sdp=event["jsep"]["sdp"], type="offer")
        await self.connection.setRemoteDescription(offer)
        await self.connection.setLocalDescription(await self.connection.createAnswer())
        answer = {"type": "answer", "sdp": self.connection.localDescription.sdp}
        await self._ask(answer, request="start")

    async def picture(self, condition: Any) -> npt.NDArray[np.uint8]:
        """Wait for decoded luma for which `condition` is true."""
        return await self.inbox.find(np.ndarray, lambda luma: bool(condition(luma)))

    async def ended(self) -> None:
        """Wait until Janus says that there is nothing to be watched any more."""
        await self.inbox.find(
            dict, lambda e: _data_of(e).get("result", {}).get("status") == "stopped"
        )

    async def close(self) -> None:
        """Leave."""
        if self._session:
            with contextlib.suppress(aiohttp.ClientError):
                await self._post(self._session, janus="destroy")
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.gather(self._reader, return_exceptions=True)
        await self.connection.close()

    async def _ask(self, jsep: dict[str, str] | None = None, **body: object) -> None:
        extra = {} if jsep is None else {"jsep": jsep}
        await self._post(self._handle, janus="message", body=body, **extra)

    async def _post(self, path: str, **message: object) -> dict[str, Any]:
        message |= {"apisecret": API_SECRET, "transaction": "of a test"}
        async with self._http.post(self._url + path, json=message) as response:
            answer: dict[str, Any] = await response.json(content_type=None)
        assert answer["janus"] in ("success", "ack"), answer
        return answer

    async def _read_events(self) -> None:
        while True:
            parameters = {"maxev": "1", "apisecret": API_SECRET}
            async with self._http.get(self._url + self._session, params=parameters) as response:
                self.inbox.put(await response.json(content_type=None))

    def _track_came(self, track: MediaStreamTrack) -> None:
        """Decode what comes as soon as a frame is whole, as a browser does.

        aiortc waits for the next frame, which does not come while a view rests.
        """
        receiver = next(r for r in self.connection.getReceivers() if r.track is track)
        decoder = av.CodecContext.create("h264", "r")
        parts: list[bytes] = []

        async def rtp_came(packet: RtpPacket, arrival_time_ms: int) -> None:
            del arrival_time_ms
            parts.append(h264_depayload(packet.payload))
            if packet.marker:
                unit = b"".join(parts)
                parts.clear()
                self.arrivals_s.append(time.perf_counter())
                self.inbox.put(unit)
                if not self._decodes:
                    return
                with contextlib.suppress(av.FFmpegError):  # begins in the middle
                    for frame in decoder.decode(av.Packet(unit)):
                        self.inbox.put(frame.to_ndarray(format="gray"))

        receiver._handle_rtp_packet = rtp_came  # type: ignore[method-assign]  # aiortc has no hook


@asynccontextmanager
async def janus_viewer(url: str, *, decodes: bool = True) -> AsyncIterator[JanusViewer]:
    """Make a viewer of the Janus at `url` for the length of the block."""
    timeout = aiohttp.ClientTimeout(total=2 * TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        viewer = JanusViewer(http, url, decodes=decodes)
        try:
            yield viewer
        finally:
            await viewer.close()


def _data_of(event: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = event.get("plugindata", {}).get("data", {})
    return data
