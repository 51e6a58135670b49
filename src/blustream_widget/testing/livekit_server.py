"""As much of a LiveKit server as one publishing participant needs, for tests with the real SDK.

Signals and their order are LiveKit's protocol (`livekit-protocol`); media is aiortc's. It is not
LiveKit: what this proves is that the SDK is used as its protocol wants it.
"""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCRtpReceiver,
    RTCSessionDescription,
)
from aiortc.codecs.h264 import h264_depayload
from aiortc.rtp import RtpPacket
from aiortc.sdp import candidate_from_sdp
from livekit.protocol import models, rtc

from blustream_widget.testing.clients import Inbox

API_KEY, API_SECRET = "a key", "an API secret that is of tests alone"


class LiveKitServer:
    """One room, at a port of 127.0.0.1. An async context manager; may be stopped and started.

    Attributes
    ----------
    url : str
    inbox : Inbox
        Access units that came, as bytes.
    identities : list of str
        Of those in the room.
    """

    def __init__(self) -> None:
        self.url = ""
        self.inbox = Inbox()
        self.identities: list[str] = []
        self._port = 0
        self._runner: web.AppRunner | None = None
        self._sockets: set[web.WebSocketResponse] = set()
        self._receiver: RTCRtpReceiver | None = None
        self._ssrc = 0

    async def start(self) -> None:
        """Listen, at the port of before."""
        app = web.Application()
        app.router.add_get("/rtc", self._signal)
        app.router.add_get("/rtc/validate", self._validate)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.url = f"ws://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Be gone, as after a crash."""
        for socket in tuple(self._sockets):
            await socket.close()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def remove_all(self, reason: models.DisconnectReason) -> None:
        """Show everybody out."""
        leave = rtc.LeaveRequest(reason=reason, action=rtc.LeaveRequest.DISCONNECT)
        for socket in tuple(self._sockets):
            await socket.send_bytes(rtc.SignalResponse(leave=leave).SerializeToString())

    async def ask_for_keyframe(self) -> None:
        """Ask as a subscriber who comes does."""
        assert self._receiver is not None
        await self._receiver._send_rtcp_pli(self._ssrc)

    async def __aenter__(self) -> LiveKitServer:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _claims(self, request: web.Request) -> dict[str, Any]:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        try:
            claims: dict[str, Any] = jwt.decode(
                token or request.query.get("access_token", ""),
                API_SECRET,
                algorithms=["HS256"],
                issuer=API_KEY,
                options={"require": ["exp", "nbf", "sub"]},
            )
        except jwt.InvalidTokenError as exc:
            raise web.HTTPUnauthorized(text="invalid token") from exc
        if not claims["video"].get("roomJoin"):
            raise web.HTTPUnauthorized(text="no permission to join")
        return claims

    async def _validate(self, request: web.Request) -> web.Response:
        self._claims(request)
        return web.Response(text="success")

    async def _signal(self, request: web.Request) -> web.WebSocketResponse:
        claims = self._claims(request)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        connection.on("track", lambda track: self._track_came(connection, track))
        self._sockets.add(socket)
        self.identities.append(claims["sub"])
        try:
            await socket.send_bytes(_join(claims).SerializeToString())
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    await self._take(rtc.SignalRequest.FromString(message.data), socket, connection)
        finally:
            self._sockets.discard(socket)
            self.identities.remove(claims["sub"])
            await connection.close()
        return socket

    async def _take(
        self, asked: Any, socket: web.WebSocketResponse, connection: RTCPeerConnection
    ) -> None:
        match asked.WhichOneof("message"):
            case "add_track":
                wish = asked.add_track
                track = models.TrackInfo(
                    sid="TR_1", name=wish.name, type=wish.type, source=wish.source
                )
                published = rtc.TrackPublishedResponse(cid=wish.cid, track=track)
                answer = rtc.SignalResponse(track_published=published)
            case "offer":
                answer = rtc.SignalResponse(answer=await _answer(asked.offer, connection))
            case "trickle":
                await _add_candidate(asked.trickle, connection)
                return
            case "ping_req":
                pong = rtc.Pong(last_ping_timestamp=asked.ping_req.timestamp)
                answer = rtc.SignalResponse(pong_resp=pong)
            case "leave":
                await socket.close()
                return
            case _:
                return
        await socket.send_bytes(answer.SerializeToString())

    def _track_came(self, connection: RTCPeerConnection, track: MediaStreamTrack) -> None:
        receiver = next(r for r in connection.getReceivers() if r.track is track)
        parts: list[bytes] = []

        async def rtp_came(packet: RtpPacket, arrival_time_ms: int) -> None:
            del arrival_time_ms
            if not packet.payload:  # probes of the link
                return
            self._ssrc = packet.ssrc
            parts.append(h264_depayload(packet.payload))
            if packet.marker:
                self.inbox.put(b"".join(parts))
                parts.clear()

        receiver._handle_rtp_packet = rtp_came  # type: ignore[method-assign]  # aiortc has no hook
        self._receiver = receiver


def _join(claims: dict[str, Any]) -> Any:
    room = models.Room(sid="RM_1", name=claims["video"]["room"])
    participant = models.ParticipantInfo(
        sid="PA_1", identity=claims["sub"], state=models.ParticipantInfo.ACTIVE
    )
    participant.permission.can_publish = claims["video"].get("canPublish", False)
    return rtc.SignalResponse(
        join=rtc.JoinResponse(
            room=room,
            participant=participant,
            server_version="1.8.0",
            server_info=models.ServerInfo(version="1.8.0", protocol=15),
            subscriber_primary=False,
            ping_interval=5,
            ping_timeout=15,
        )
    )


async def _answer(offer: Any, connection: RTCPeerConnection) -> Any:
    await connection.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
    await connection.setLocalDescription(await connection.createAnswer())
    sdp = connection.localDescription.sdp
    return rtc.SessionDescription(type="answer", sdp=sdp, id=offer.id)


async def _add_candidate(trickle: Any, connection: RTCPeerConnection) -> None:
    init = json.loads(trickle.candidateInit)
    text = init.get("candidate", "").removeprefix("candidate:")
    if not text or " tcp " in text.lower():
        return
    candidate = candidate_from_sdp(text)
    candidate.sdpMid, candidate.sdpMLineIndex = init.get("sdpMid"), init.get("sdpMLineIndex")
    await connection.addIceCandidate(candidate)
