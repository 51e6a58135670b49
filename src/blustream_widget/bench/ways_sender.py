"""The sending process of `blustream bench ways`: `python -m … WAY FOLDER`."""

from __future__ import annotations

import asyncio
import contextvars
import fractions
import sys
import time
from collections.abc import Callable
from typing import Any

from aiohttp import WSMsgType, web

from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.server.handover import Handover, listen_privately
from blustream_widget.server.runtime_files import runtime_files
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.socket_subscriber import SocketSubscriber
from blustream_widget.transport.tasks import TaskSet
from blustream_widget.transport.websocket import (
    WebSocketChannel,
    bound_queues,
    make_socket,
)

FPS = 60
FRAME_BYTES = 12_500  # 6 Mbit/s at 60 frames a second
# Two slices, as the encoder makes them; no zeros, so no start code inside.
_SLICE = bytes(1 + i % 255 for i in range(FRAME_BYTES // 2))
_PICTURES = {
    key: b"\0\0\0\1" + bytes([first]) + _SLICE + b"\0\0\0\1" + bytes([first]) + _SLICE
    for key, first in ((True, 0x65), (False, 0x41))
}


def make_frame(number: int) -> EncodedFrame:
    """Frame whose RTP time stamp is the monotonic clock, which all processes share."""
    header = FrameHeader(
        flags=int(FrameFlags.KEY) if number == 0 else 0,
        axis=0,
        lod=0,
        channel=0,
        width_px=1280,
        height_px=720,
        frame_no=number,
        revision=number,
        timestamp_90k=int(time.monotonic() * 90_000) & 0xFFFFFFFF,
        slice_idx=number,
        zoom=1.0,
        pan_x=0.0,
        pan_y=0.0,
        stretch=1.0,
        window=1.0,
        level=0.0,
    )
    return EncodedFrame(header, header.pack() + _PICTURES[number == 0])


class Engine:
    """Routes of one way, and what is done with a frame."""

    def __init__(self, way: str) -> None:
        self.handover: Handover | None = None
        self._way = way
        self._number = -1
        self._fanout = Fanout(lambda _stream: None)
        self._plain: list[web.WebSocketResponse] = []
        self._peers: list[Any] = []  # of aiortc, which is imported only where it is used
        self._tracks: list[Callable[[EncodedFrame], None]] = []

    def make_app(self) -> web.Application:
        """Application with all routes."""
        app = web.Application()
        app.router.add_get("/ws", self.websocket)
        app.router.add_post("/offer", self.offer)
        app.router.add_post("/send", self.send)
        return app

    async def websocket(self, request: web.Request) -> web.WebSocketResponse:
        """Serve a viewer as the server does, or as plainly as aiohttp can."""
        assert self.handover is not None
        with self.handover.claim(request.transport):
            return await self._websocket(request)

    async def _websocket(self, request: web.Request) -> web.WebSocketResponse:
        socket = make_socket()
        bound_queues(request.transport)
        await socket.prepare(request)
        if self._way == "websocket-plain":
            self._plain.append(socket)
            async for _ in socket:
                pass
            return socket
        channel = WebSocketChannel(socket)
        subscriber = SocketSubscriber(channel, "h264")
        writing = TaskSet()
        writing.spawn(channel.run(), name="writer")
        self._fanout.add(subscriber)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                acknowledged = p.decode_viewer(message.data)
                assert isinstance(acknowledged, p.Ack)
                subscriber.acknowledged(acknowledged.frame_no)
        self._fanout.remove(subscriber)
        await writing.close()
        return socket

    async def offer(self, request: web.Request) -> web.Response:
        """Answer a WebRTC offer."""
        sdp = (await request.json())["sdp"]
        stock = self._way == "webrtc-aiortc"
        answer = await (self._answer_stock(sdp) if stock else self._answer(sdp))
        return web.json_response({"sdp": answer})

    async def _answer(self, sdp: str) -> str:
        from blustream_widget.transport.webrtc import RtcPeer

        peer = RtcPeer(
            loopback=True,
            on_text=lambda _data: None,
            on_state=lambda _state: None,
            on_keyframe_wanted=lambda: None,
        )
        if self._way == "webrtc-bare":
            peer._connection.remove_all_listeners("datachannel")
        self._fanout.add(peer)
        return await peer.answer(sdp)

    async def _answer_stock(self, sdp: str) -> str:
        from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

        from blustream_widget.transport import aiortc_hooks

        aiortc_hooks.use_loopback_only()
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._peers.append(connection)
        track, push = _make_stock_track()
        sender = connection.addTrack(track)
        _without_origin(sender)
        codecs = RTCRtpSender.getCapabilities("video").codecs
        connection.getTransceivers()[0].setCodecPreferences(
            [codec for codec in codecs if codec.mimeType in ("video/H264", "video/rtx")]
        )
        await connection.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        self._tracks.append(push)
        return str(connection.localDescription.sdp)

    async def send(self, request: web.Request) -> web.Response:
        """Send frames at their rate, and tell the processor time of this process."""
        n = int((await request.json())["n"])
        loop = asyncio.get_running_loop()
        before_s, due_s = time.process_time(), loop.time()
        for _ in range(n):
            due_s += 1 / FPS
            await asyncio.sleep(due_s - loop.time())
            self._number += 1
            frame = make_frame(self._number)
            self._fanout.publish(frame)
            for push in self._tracks:
                push(frame)
            for socket in self._plain:
                await socket.send_bytes(frame.data)
        return web.json_response({"cpu_s": time.process_time() - before_s})


def _make_stock_track() -> tuple[Any, Callable[[EncodedFrame], None]]:
    import av
    from aiortc import MediaStreamTrack

    class Track(MediaStreamTrack):
        kind = "video"

        def __init__(self) -> None:
            super().__init__()
            self.slot: asyncio.Queue[Any] = asyncio.Queue(2)

        async def recv(self) -> Any:
            return await self.slot.get()

    track = Track()

    def push(frame: EncodedFrame) -> None:
        packet: Any = av.Packet(bytes(frame.picture))
        packet.pts, packet.time_base = frame.header.timestamp_90k, fractions.Fraction(1, 90_000)
        if not track.slot.full():
            track.slot.put_nowait(packet)

    return track, push


_is_run: contextvars.ContextVar[bool] = contextvars.ContextVar("run", default=False)


def _without_origin(sender: Any) -> None:
    """Have aiortc's loop send time stamps as they are: they are what is measured by."""
    import aiortc.rtcrtpsender as module

    run_rtp, random32 = sender._run_rtp, module.random32  # type: ignore[attr-defined]

    async def run(codec: Any) -> None:
        _is_run.set(True)
        await run_rtp(codec)

    sender._run_rtp = run
    if not hasattr(module, "_of_bench"):
        module._of_bench = True  # type: ignore[attr-defined]
        module.random32 = lambda: 0 if _is_run.get() else random32()  # type: ignore[attr-defined]


async def main(way: str, folder: str) -> None:
    """Serve in `folder`, as the server does, until the process is ended."""
    files = runtime_files(Config(runtime_dir=folder))
    engine = Engine(way)
    runner = web.AppRunner(engine.make_app(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.UnixSite(runner, str(files.socket)).start()
    assert runner.server is not None
    engine.handover = Handover(runner.server)
    engine.handover.listen(listen_privately(files.handover))
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
