"""A viewer over WebRTC: encoded frames as RTP, messages on a data channel.

The browser makes the offer, with the data channel "input" in it (unordered, no resend); the answer
goes back over the viewer's socket. A frame's `FrameHeader` goes one of three ways:

- **Behind the frame**, in its last packet and with a count, to a viewer that takes encoded frames
  (an "encoded transform") and cuts the header off. Its browser's own decoder sees no frame and asks
  for keyframes (PLI) all the time: they are not answered, the viewer asks by `Keyframe` itself.
- **On the data channel**, with `FrameFlags.HEADER_ONLY`, just before the RTP packets leave, where
  the browser decodes. The RTP time stamp of a frame equals `timestamp_90k` of its header. A browser
  tells it as `rtpTimestamp` in the metadata of `requestVideoFrameCallback`.
- **Over the viewer's link**, likewise, if it asks for that: where nothing gets lost, nothing holds
  it up, and it costs a twentieth of what SCTP in Python takes.

This module and its parts (`aiortc_hooks`, `rtc_feedback`, `rtp_stream`, `srtp_output`) are the only
ones that know aiortc. Importing them takes 0.3 s: they are imported when the first offer comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Literal, NoReturn

from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCDataChannel,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpSender,
    RTCSessionDescription,
)
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcconfiguration import RTCIceTransportPolicy

from blustream_widget.errors import IceFailedError, SignallingError
from blustream_widget.transport import aiortc_hooks
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.ice_servers import IceServers, relay_addresses
from blustream_widget.transport.keyframe_wait import KeyframeWait
from blustream_widget.transport.link_rate import LinkRate
from blustream_widget.transport.pacing import AckPacer
from blustream_widget.transport.repeats import REPEAT_AFTER_S, Repeats
from blustream_widget.transport.rtc_feedback import Echo, watch_feedback
from blustream_widget.transport.rtp_stream import RtpStream
from blustream_widget.transport.same_machine import is_same_machine
from blustream_widget.transport.turn_probe import first_relay_obstacle

logger = logging.getLogger(__name__)

ANSWER_TIMEOUT_S = 5.0
MAX_CANDIDATES = 40
MAX_ANSWERED_AT_REST = 2
# Headers have 51 bytes; a data channel that holds more than this is not being emptied.
MAX_BUFFERED_BYTES = 16 * 1024
# No acknowledgement for this long, and what was sent is lost: there is no queue that holds it.
STALLED_S = 0.6


class _VideoTrack(MediaStreamTrack):
    """Names the video in the answer; frames are sent by `RtpStream`, not pulled from here."""

    kind = "video"

    async def recv(self) -> NoReturn:
        raise MediaStreamError


class RtcPeer:
    """One viewer's peer connection, and its frames (a `Subscriber` of the fan-out).

    Parameters
    ----------
    ice_servers : IceServers
        RTCIceServer objects as the browser gets them; empty = none is asked.
    loopback : bool
        Offer 127.0.0.1 only.
    relay_only : bool
        Offer relays of TURN servers only.
    on_text : callable
        A text message came on the data channel.
    on_state : callable
        "connected" once, or "closed" once: failed, closed by the browser, or never connected.
    on_keyframe_wanted : callable
        What the peer needs or can take has changed: a keyframe, or frames again.
    takes_encoded : bool
        The viewer decodes by itself and finds each header behind its frame.
    send_header : callable, optional
        Sends a frame's header to a viewer whose browser decodes; None: by the data channel.

    Attributes
    ----------
    keyframe : KeyframeWait
    pacer : AckPacer
    socket_link : LinkRate or None
        Of the same viewer's socket. Whose datagrams do not leave this machine is on it with that
        too: it is told whenever another path is found.
    """

    def __init__(
        self,
        *,
        ice_servers: IceServers = (),
        loopback: bool = False,
        relay_only: bool = False,
        on_text: Callable[[bytes], None],
        on_state: Callable[[Literal["connected", "closed"]], None],
        on_keyframe_wanted: Callable[[], None],
        takes_encoded: bool = False,
        send_header: Callable[[EncodedFrame], None] | None = None,
    ) -> None:
        self._takes_encoded = takes_encoded
        self._header_sender = send_header or self._send_header_by_channel
        self._may_lose_headers = send_header is None
        self._ice_servers = ice_servers
        servers = [RTCIceServer(**server) for server in ice_servers]  # type: ignore[arg-type]  # checked in config
        self._relay_only = relay_only
        self._lacks_relay = False
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self._connection = RTCPeerConnection(
            RTCConfiguration(iceServers=servers, iceTransportPolicy=policy)
        )
        self._loopback = loopback
        self._on_text = on_text
        self._on_state = on_state
        self._on_keyframe_wanted = on_keyframe_wanted
        self._input: RTCDataChannel | None = None
        self._is_live = False
        self._is_closed = False
        self._is_visible = True
        self.keyframe = KeyframeWait()
        self.pacer = AckPacer(stalled_s=STALLED_S)
        self.socket_link: LinkRate | None = None
        self._n_lost = 0
        self._n_packets = self._n_missed = 0
        self._repeats = Repeats()
        self._n_answered = 0  # requests for a keyframe since the last other frame
        self._track = _VideoTrack()
        self._stream: RtpStream | None = None
        self._sender: RTCRtpSender | None = None
        self._connection.on("connectionstatechange", self._state_changed)
        self._connection.on("datachannel", self._channel_opened)

    # -------------------------------------------------- Subscriber

    @property
    def video(self) -> Literal["h264"] | None:
        return "h264" if self._is_live and self._is_visible else None

    @property
    def stills(self) -> bool:
        return False

    @property
    def has_credit(self) -> bool:
        # Until a viewer acknowledges, nothing is known of its link.
        has_room = self._stream is not None and self._stream.has_room
        return has_room and (not self.pacer.is_answered or self.pacer.has_credit)

    @property
    def needs_keyframe(self) -> bool:
        return self.keyframe.may_ask and self._is_live and self.has_credit

    def set_visible(self, is_visible: bool) -> None:
        """Pause while the viewer does not look; the video goes on at a keyframe."""
        if is_visible != self._is_visible:
            self._is_visible = is_visible
            self.restart()

    def acknowledged(self, frame_no: int, there_s: float | None = None) -> None:
        """Take note that the browser has decoded a frame, which it had since `there_s`."""
        self.pacer.acknowledged(frame_no, there_s)

    def offer(self, frame: EncodedFrame) -> None:
        stream, pacer = self._stream, self.pacer
        is_behind = pacer.is_answered and pacer.is_behind
        if pacer.n_lost > self._n_lost + 1:  # one acknowledgement may get lost by itself
            self.keyframe.waits = True
        self._n_lost = pacer.n_lost
        if stream is None or not self._is_live:
            return
        if self.keyframe.waits and not frame.is_keyframe:
            return
        if is_behind or stream.is_behind:
            stream.forget_waiting()
            self.keyframe.waits = True
            return
        n_bytes = len(frame.data)
        link_s = 8 * n_bytes / pacer.link.target_bps
        self.keyframe.sent(is_keyframe=frame.is_keyframe, link_s=link_s)
        pacer.sent(frame.frame_no, n_bytes)
        if not frame.is_keyframe:
            self._n_answered = 0
        stream.send(frame)
        for n in range(1, self._repeats.of(n_bytes, pacer.link)):
            loop = asyncio.get_running_loop()
            loop.call_later(n * REPEAT_AFTER_S, self._repeat, frame)

    def _repeat(self, frame: EncodedFrame) -> None:
        if self._is_live and self._stream is not None:
            if self._may_lose_headers:
                self._send_header(frame)
            self._stream.repeat(frame)

    @property
    def copies(self) -> int:
        """How often each packet is sent."""
        return self._repeats.copies

    def restart(self) -> None:
        """Send nothing before the next keyframe."""
        self.pacer.reset()
        self.keyframe.waits = True

    # -------------------------------------------------- signalling

    async def answer(self, offer_sdp: str) -> str:
        """Accept the browser's offer and return our answer with all our candidates.

        Raises
        ------
        SignallingError
            If the offer is not SDP, has no video, or the browser does not take H.264.
        IceFailedError
            If this machine has no address to offer.
        """
        if self._loopback:
            aiortc_hooks.use_loopback_only()
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                answer_sdp = await self._negotiate(_usable_offer(offer_sdp))
        except TimeoutError as exc:
            raise IceFailedError("Gathering network addresses took too long.") from exc
        except SignallingError:
            raise
        except Exception as exc:  # aiortc's SDP parser raises what it happens to meet
            raise SignallingError(f"The offer cannot be used: {type(exc).__name__}.") from exc
        has_relay = " typ relay" in answer_sdp
        if self._relay_only and not has_relay:
            raise IceFailedError(
                f"No relay for the server: {await self._relay_trouble()}.",
                hint="blustream doctor asks each TURN server of the settings.",
            )
        self._lacks_relay = not has_relay and any(map(relay_addresses, self._ice_servers))
        if "a=candidate" not in answer_sdp:
            raise IceFailedError("The server has no network address for WebRTC.")
        return answer_sdp

    async def warn_of_relay(self) -> None:
        """Log why this server has no relay, if it has none and may do without."""
        if self._lacks_relay:
            trouble = await self._relay_trouble()
            logger.warning("WebRTC goes on without a relay for the server: %s", trouble)

    async def _relay_trouble(self) -> str:
        """Ask the TURN server again, because aiortc keeps to itself what it said."""
        obstacle = await first_relay_obstacle(self._ice_servers)
        return f"the TURN server {obstacle or 'gave none in time'}"

    async def _negotiate(self, offer_sdp: str) -> str:
        connection = self._connection
        sender = connection.addTrack(self._track)
        # After setRemoteDescription it would have no effect, and VP8 would be chosen.
        capabilities = RTCRtpSender.getCapabilities("video").codecs
        h264 = [c for c in capabilities if c.mimeType in ("video/H264", "video/rtx")]
        connection.getTransceivers()[0].setCodecPreferences(h264)
        self._stream = RtpStream(
            sender,
            on_ready=self._stream_ready,
            on_frame=self._send_header,
            on_room=self._on_keyframe_wanted,
            has_trailers=self._takes_encoded,
            on_missed=lambda frame: self.pacer.missed(frame.frame_no),
        )
        self._sender = sender
        watch_feedback(sender, on_report=self._reported, on_estimate=self.pacer.link.capped)
        sender._send_keyframe = self._keyframe_wanted  # type: ignore[method-assign]  # PLI ends in it
        await connection.setRemoteDescription(RTCSessionDescription(sdp=offer_sdp, type="offer"))
        answer = await connection.createAnswer()
        if not _first_video_codec_is_h264(answer.sdp):
            raise SignallingError("The browser offers no H.264 over WebRTC.")
        await connection.setLocalDescription(answer)
        return connection.localDescription.sdp

    async def close(self) -> None:
        """End the connection; may be called twice."""
        self._is_live = False
        self._is_closed = True
        self._track.stop()
        with contextlib.suppress(ConnectionError):
            await self._connection.close()

    # -------------------------------------------------- events of aiortc

    def _state_changed(self) -> None:
        state = self._connection.connectionState
        if state in ("failed", "closed") and not self._is_closed:
            self._is_live = False
            self._is_closed = True
            self._on_state("closed")

    def _stream_ready(self) -> None:
        # aiortc starts its senders when the connection is up, and not before.
        if not self._is_live and not self._is_closed:
            self._is_live = True
            self._look_at_path()
            self._on_state("connected")

    def _channel_opened(self, channel: RTCDataChannel) -> None:
        if channel.label == "input" and self._input is None:
            self._input = channel
            channel.on("message", self._message_came)

    def _message_came(self, message: str | bytes) -> None:
        self._on_text(message.encode() if isinstance(message, str) else message)

    def _keyframe_wanted(self) -> None:
        # A browser that gets nothing for three seconds asks for a keyframe, for ever. The picture
        # at rest is there, the lossless one too: a request may get lost once, then it is silence.
        if self._takes_encoded or self._n_answered >= MAX_ANSWERED_AT_REST:
            return
        self._n_answered += 1
        self.keyframe.waits = True
        self._on_keyframe_wanted()

    def _look_at_path(self) -> None:
        """ICE may choose another pair of addresses at any time."""
        if self._sender is not None:
            nominated = self._sender.transport.transport._connection._nominated
            is_same = is_same_machine(
                nominated.get(1),
                may_be_relay=any(map(relay_addresses, self._ice_servers)),
                round_trip_s=self.pacer.link.round_trip_s,
            )
            for link in (self.pacer.link, self.socket_link):
                if link is not None:
                    link.is_same_machine = is_same

    def _reported(self, loss: float, echo: Echo | None) -> None:
        self._look_at_path()
        if (stream := self._stream) is not None:
            n_sent = stream.n_packets - self._n_packets
            n_missed = stream.n_missed - self._n_missed
            self._n_packets, self._n_missed = stream.n_packets, stream.n_missed
            # What was sent twice and came once is not lost to the report, but it was asked for.
            self.pacer.link.counted(n_sent, max(n_missed, loss * n_sent))
        if echo is not None and echo.round_trip_s > 0:
            self.pacer.link.echoed(*echo)

    def _send_header(self, frame: EncodedFrame) -> None:
        if not self._takes_encoded:
            self._header_sender(frame)

    def _send_header_by_channel(self, frame: EncodedFrame) -> None:
        channel = self._input
        if (
            channel is not None
            and channel.readyState == "open"
            and channel.bufferedAmount < MAX_BUFFERED_BYTES
        ):
            channel.send(frame.header_only())


def _usable_offer(sdp: str) -> str:
    """Drop candidates that cost time: mDNS names (1 s each to resolve) and masses.

    The list never ends with these: where a browser comes from is seen when it calls. aiortc gathers
    no address of its own for a browser that has ended a list with nothing left in it (Firefox).
    """
    lines, n_candidates = [], 0
    for line in sdp.splitlines():
        if line == "a=end-of-candidates":
            continue
        if line.startswith("a=candidate"):
            n_candidates += 1
            if ".local " in line or n_candidates > MAX_CANDIDATES:
                continue
        lines.append(line)
    return "\r\n".join(lines) + "\r\n"


def _first_video_codec_is_h264(sdp: str) -> bool:
    """Whether what will be sent (the first payload type of the video section) is H.264."""
    payload_type = ""
    for line in sdp.splitlines():
        if line.startswith("m="):
            payload_type = line.split()[3] if line.startswith("m=video ") else ""
        elif payload_type and line.startswith(f"a=rtpmap:{payload_type} "):
            return line.upper().split()[1].startswith("H264/")
    return False
