"""Somebody in a large call, in Python: a tone of their own goes up, everybody else's comes down."""

from __future__ import annotations

import asyncio
import contextlib
import fractions
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import av
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.rtp import RtpPacket

from blustream_widget.core import call_messages as cm
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.server.runtime_files import ServerAddress
from blustream_widget.testing.clients import ViewerClient, connect_viewer

RATE_HZ, PACKET_SAMPLES = 48_000, 960
_KEPT_PACKETS = 40
"""Of each voice: 0.8 s."""


class Tone(MediaStreamTrack):
    """A sine, in packets of 20 ms."""

    kind = "audio"

    def __init__(self, hz: float) -> None:
        super().__init__()
        self._hz, self._n = hz, 0
        self._began_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        loop = asyncio.get_running_loop()
        self._began_s = loop.time() if self._began_s is None else self._began_s
        await asyncio.sleep(self._began_s + self._n / RATE_HZ - loop.time())
        t_s = (self._n + np.arange(PACKET_SAMPLES)) / RATE_HZ
        samples = (8000 * np.sin(2 * np.pi * self._hz * t_s)).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate, frame.pts = RATE_HZ, self._n
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        self._n += PACKET_SAMPLES
        return frame


class Caller:
    """A guest who talks through the SFU, and not from browser to browser. Use `caller`.

    Parameters
    ----------
    viewer : ViewerClient
        Their connection with the server.
    hz : float
        Of their tone.

    Attributes
    ----------
    seat : str
        Theirs; "" while they are out.
    called : Call or None
        What they were told last.
    refusal : str
        Why they were not let in, or are out; "" while they were.
    packets : dict of str to deque of bytes
        The newest packets (Opus) of each voice that comes, by seat.
    offered : str
        SDP that was offered to the SFU last.
    answers : list of int
        How long each answer to an offer of the SFU was, in characters.
    pictures : frozenset of str
        Seats whose cameras were in the last offer.
    is_deaf : bool
        They do nothing with the SFU by themselves.
    """

    def __init__(self, viewer: ViewerClient, hz: float) -> None:
        self.viewer, self.hz = viewer, hz
        self.called: cm.Call | None = None
        self.refusal = self.offered = ""
        self.is_deaf = False
        self.packets: dict[str, deque[bytes]] = {}
        self.answers: list[int] = []
        self.pictures: frozenset[str] = frozenset()
        self._seats: dict[str, str] = {}  # by line
        self._n_taken = self._attempt = self._room = 0
        self._up: RTCPeerConnection | None = None
        self._down: RTCPeerConnection | None = None
        self._changed = asyncio.Event()

    @property
    def seat(self) -> str:
        return "" if self.called is None else self.called.seat

    async def join(self) -> None:
        """Press Talk."""
        await self.viewer.send(cm.JoinCall())

    async def leave(self) -> None:
        """Press Leave."""
        await self.viewer.send(cm.LeaveCall())
        await self._let_go()
        self.called, self._room = None, 0

    async def show(self, *, camera: bool) -> None:
        """Switch the camera on or off; it shows nothing."""
        await self.viewer.send(cm.CallSound(muted=False, camera=camera))

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is true, looked at whenever something comes."""
        async with asyncio.timeout(30):
            while not condition():
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await self._changed.wait()
        del what

    def hears(self, seat: str) -> float | None:
        """Frequency of the tone that comes from somebody, Hz; None: too little has come."""
        packets = self.packets.get(seat, ())
        if len(packets) < _KEPT_PACKETS:
            return None
        decoder = av.CodecContext.create("libopus", "r")
        decoder.extradata = b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00"
        parts = [
            frame.to_ndarray()[0]
            for packet in packets
            for frame in decoder.decode(av.Packet(packet))
        ]
        samples = np.concatenate(parts).astype(np.float64)
        stride = 2 if len(samples) > _KEPT_PACKETS * PACKET_SAMPLES else 1  # interleaved stereo
        spectrum = np.abs(np.fft.rfft(samples[::stride] * np.hanning(len(samples[::stride]))))
        return float(np.argmax(spectrum) * RATE_HZ / len(samples[::stride]))

    async def run(self) -> None:
        """Take what the server says, until that ends."""
        while True:
            message = await self.viewer.inbox.until(self._next, "the end")
            await self._take(message)
            self._changed.set()

    async def close(self) -> None:
        """End the connections."""
        await self._let_go()

    def _next(self) -> object | None:
        items = self.viewer.inbox.items
        if self._n_taken >= len(items):
            return None
        self._n_taken += 1
        taken: object = items[self._n_taken - 1]
        return taken

    async def _take(self, message: object) -> None:
        match message:
            case cm.Call():
                self.called = message
                if message.sfu != self._room:
                    await self._go_over(message.sfu)
            case cm.CallMediaTold(n=n) if n == self._attempt and not self.is_deaf:
                await self._hear_sfu(message)
            case cm.CallLeft(message=why):
                await self._let_go()
                self.called, self.refusal = None, why
            case p.Error(code="call", message=why):
                self.refusal = why

    async def _go_over(self, room: int) -> None:
        self._room = room
        await self._let_go()
        if room and not self.is_deaf:
            await self._begin()

    async def _begin(self) -> None:
        self._attempt += 1
        up = self._up = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        up.addTrack(Tone(self.hz))
        up.addTransceiver("video", direction="sendonly")
        await up.setLocalDescription(await up.createOffer())
        self.offered = up.localDescription.sdp
        await self._tell("up", "offer", self.offered)

    async def _hear_sfu(self, message: cm.CallMediaTold) -> None:
        signal = message.signal
        if isinstance(signal, cm.MediaEnded):
            await self._let_go()
            await self._begin()
        elif isinstance(signal, cm.Description):
            if message.way == "up" and self._up is not None:
                answer = RTCSessionDescription(signal.sdp, "answer")
                await self._up.setRemoteDescription(answer)
            elif message.way == "down":
                await self._take_offer(signal.sdp, message.tracks)

    async def _take_offer(self, sdp: str, tracks: tuple[cm.CallTrack, ...]) -> None:
        if self._down is None:
            self._down = RTCPeerConnection(RTCConfiguration(iceServers=[]))
            self._down.on("track", self._track_came)
        self._seats = {track.mid: track.seat for track in tracks if track.kind == "audio"}
        self.pictures = frozenset(track.seat for track in tracks if track.kind == "video")
        self.packets = {
            seat: packets for seat, packets in self.packets.items() if seat in self._seats.values()
        }
        await self._down.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await self._down.setLocalDescription(await self._down.createAnswer())
        answer = self._down.localDescription.sdp
        self.answers.append(len(answer))
        await self._tell("down", "answer", answer)

    async def _tell(self, way: cm.Way, kind: str, sdp: str) -> None:
        signal = cm.Description(kind="offer" if kind == "offer" else "answer", sdp=sdp)
        await self.viewer.send(cm.CallMedia(n=self._attempt, way=way, signal=signal))

    def _track_came(self, track: MediaStreamTrack) -> None:
        """Keep packets and decode none: there may be many voices."""
        assert self._down is not None
        line = next(t for t in self._down.getTransceivers() if t.receiver.track is track)
        receiver = line.receiver

        async def rtp_came(packet: RtpPacket, arrival_time_ms: int) -> None:
            del arrival_time_ms
            seat = self._seats.get(line.mid or "")
            if seat is not None:
                kept = self.packets.setdefault(seat, deque(maxlen=_KEPT_PACKETS))
                kept.append(packet.payload)

        receiver._handle_rtp_packet = rtp_came  # type: ignore[method-assign]  # aiortc has no hook

    async def _let_go(self) -> None:
        connections, self._up, self._down = (self._up, self._down), None, None
        self.packets, self._seats = {}, {}
        for connection in connections:
            if connection is not None:
                await connection.close()


@asynccontextmanager
async def caller(address: ServerAddress, code: str, name: str, hz: float) -> AsyncIterator[Caller]:
    """Let a guest in by a link, who may join the call, for the length of the block."""
    async with connect_viewer(address, None) as door:
        await door.send(sm.Join(code=code, name=name, protocol=p.PROTOCOL_VERSION))
        joined = await door.message(sm.Joined)
    async with connect_viewer(address, joined.token, pictures=()) as viewer:
        await viewer.message(p.Welcome)
        made = Caller(viewer, hz)
        running = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await made.close()
