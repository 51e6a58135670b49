"""One person who looks: who they are, what they may do, and how pictures reach them."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Literal

from blustream_widget.core import protocol as p
from blustream_widget.core.sharing import OWNER_ID
from blustream_widget.errors import BlustreamError, ProtocolError
from blustream_widget.session.ack_spacing import SPACED_LOOK_S, AckSpacing
from blustream_widget.session.call import CallRate
from blustream_widget.session.inbox import Inbox
from blustream_widget.session.rendition import Need
from blustream_widget.session.room import Room, Shown
from blustream_widget.session.rtc_path import RtcPath
from blustream_widget.session.voices import VoiceRate
from blustream_widget.transport.channel import Channel
from blustream_widget.transport.ice_servers import ice_servers_for
from blustream_widget.transport.pacing import AckPacer
from blustream_widget.transport.socket_subscriber import SocketSubscriber

if TYPE_CHECKING:
    from blustream_widget.session.guests import Guest
    from blustream_widget.session.own_view import OwnView
    from blustream_widget.transport.webrtc import RtcPeer

logger = logging.getLogger(__name__)

PING_S, FIRST_PING_S, N_FIRST_PINGS = 2.0, 0.1, 4
SPACED_PING_S = 4.0
"""Of one of many whose link is calm: its least round trip is one of the last five seconds."""


class Viewer:
    """One joined connection.

    Parameters
    ----------
    room : Room
    channel : Channel
    hello : Hello
    peer : int
        Number of this viewer in its session.
    role : str
        From its token.
    guest : Guest, optional
        Who came by a link; then their role is the viewer's, and may change.
    """

    def __init__(
        self,
        room: Room,
        channel: Channel,
        hello: p.Hello,
        *,
        peer: int,
        role: str,
        guest: Guest | None = None,
    ) -> None:
        self.peer = peer
        self.guest = guest
        self._role = role
        self.is_expelled = False
        self.page = hello.page
        self.is_overtaken = False
        """Their page has a newer connection: what comes late by this one moves the view no more."""
        self.report: p.Report | None = None
        self.seq = 0
        self.annotation_seq = 0
        self._room = room
        self.own: OwnView | None = None
        """What they see while they look around; None: what the session shows."""
        self._channel = channel
        self.inbox = Inbox(self, room)
        self.receive = self.inbox.receive  # bound once: acknowledgements are hundreds a second
        """Take a text message, from the socket or the data channel. Never raises."""
        self.call_rate = CallRate()
        self.voice_rate = VoiceRate()
        self.is_calm = hello.calm
        self._stream = p.Stream(path="socket")
        picture = hello.pictures[0] if hello.pictures else "h264"
        self.frames = SocketSubscriber(channel, picture)
        self._pinged_s = float("-inf")
        self._pings = 0
        self._is_answered = False
        self._ack_spacing = AckSpacing(self.send)
        # Frames go both ways for a moment: acknowledgements say which one they speak of.
        self._is_by_rtc = False
        self._rtc = RtcPath(
            ice_servers=lambda: ice_servers_for("server", room.ice_servers, room.config),
            turns=room.rtc_turns,
            loopback=room.config.ice_loopback,
            relay_only=room.config.ice_relay_only,
            send_header=channel.send_header,
            on_text=self._receive_by_rtc,
            on_change=self._rtc_changed,
            on_keyframe_wanted=lambda: self.shown.on_demand_changed(),
        )

    @property
    def shown(self) -> Shown:
        """Where their pictures come from, and what they move."""
        return self._room if self.own is None else self.own

    def look_at(self, own: OwnView | None) -> None:
        """Get the pictures of an own view from now on, or those of the session.

        The WebRTC connection is made anew: its pictures build on those of the other view.
        """
        self._rtc.begin_anew()
        self.shown.fanout.remove(self.frames)
        self.own = own
        self.frames.restart()
        self.shown.fanout.add(self.frames)

    @property
    def role(self) -> str:
        """What they may do now; "" after they were shown out, or the session's end: nothing."""
        if self.is_expelled:
            return ""
        return self._role if self.guest is None else self.guest.role

    @property
    def person(self) -> str:
        """Who it is, whichever of their connections."""
        return OWNER_ID if self.guest is None else self.guest.id

    @property
    def name(self) -> str:
        """What others call them."""
        return self._room.sharing.owner_name if self.guest is None else self.guest.name

    @property
    def author(self) -> str:
        """Name that their annotations and edits bear; no two people have the same."""
        if self.guest is not None:
            return self.guest.name
        return OWNER_ID if self._role == "owner" else f"{self._role}-{self.peer}"

    @property
    def transport(self) -> str:
        """How its video comes now: "websocket", "comm" or "webrtc"."""
        if self._is_elsewhere:
            return "webrtc"
        return self._channel.name

    @property
    def via(self) -> Literal["direct", "proxy", "kernel"]:
        """What carries its messages: "direct", "proxy" or "kernel"."""
        return self._channel.via

    @property
    def pacer(self) -> AckPacer:
        """Of the way that its video comes by."""
        peer = self._rtc.peer
        return peer.pacer if peer is not None and self._is_elsewhere else self.frames.pacer

    @property
    def _paths(self) -> tuple[SocketSubscriber | RtcPeer, ...]:
        """All ways by which frames may go to it."""
        peer = self._rtc.peer
        return (self.frames,) if peer is None else (self.frames, peer)

    @property
    def round_trip_s(self) -> float:
        """Of its socket, as it was measured; 0 before that."""
        return self.frames.pacer.link.round_trip_s

    def begin_like(self, other: Viewer) -> None:
        """Begin with what is known of another viewer's network."""
        link = other.pacer.link
        self.frames.pacer.link.seed(link.target_bps, link.loss, link.carries_bps)

    @property
    def need(self) -> Need | None:
        """What its link carries; None while it takes no video."""
        if not self._stream.visible:
            return None
        link = self.pacer.link
        is_jpeg = self.frames.video == "jpeg"
        peer = self._rtc.peer
        is_repeated = peer is not None and self._is_elsewhere and link.is_loss_known
        copies = peer.copies if peer is not None and is_repeated else 1
        return Need.of(link, is_jpeg=is_jpeg, copies=copies)

    def settle(
        self,
        rendition: int,
        max_fps: int,
        *,
        is_left_behind: bool,
        look_s: float = 0.0,
        spare_above_bps: float | None = None,
        n_viewers: int = 1,
    ) -> None:
        """Take note of which of the session's streams is this viewer's, and how quick that is.

        `look_s`: how often its link is thought over, while all is well. `spare_above_bps`: what its
        stream takes, if not every frame need be acknowledged where the link carries much more.
        """
        self._ack_spacing.settle(self.pacer.link, sent_bps=spare_above_bps, n_viewers=n_viewers)
        allowance_s = self._ack_spacing.allowance_s
        for path in self._paths:
            path.keyframe.assign(rendition)
            path.keyframe.is_left_behind = is_left_behind
            path.pacer.pace(max_fps)
            path.pacer.acks_every_s = allowance_s
            path.pacer.link.look_s = look_s if not allowance_s else max(look_s, SPACED_LOOK_S)

    def ping(self) -> None:
        """Measure the round trip of its socket, at most every two seconds.

        At first more often: a page that is being built answers late, and one quick answer tells.
        """
        now_s = time.monotonic()
        is_early = self._is_answered and self._pings < N_FIRST_PINGS
        late_s = SPACED_PING_S if self._ack_spacing.is_spaced else PING_S
        if now_s - self._pinged_s > (FIRST_PING_S if is_early else late_s):
            self._pings += 1
            self._is_answered = False
            self._pinged_s = now_s
            self.send(p.Ping(n=self._pings))

    def send(self, message: p.ServerMessage) -> None:
        """Queue a message."""
        self._channel.send_text(p.encode(message))

    def send_encoded(self, data: bytes, *, may_wait: bool = False) -> None:
        """Queue a message that others get too, encoded once.

        `may_wait`: it goes with the next message or frame, or with `flush`, and the next one that
        may wait takes its place.
        """
        if may_wait:
            self._channel.hold_text(data)
        else:
            self._channel.send_text(data)

    def flush(self) -> None:
        """Send what waits."""
        self._channel.flush()

    def send_error(self, error: BlustreamError, *, fatal: bool = False) -> None:
        """Queue an error."""
        self.send(p.Error(code=error.code, message=error.message, hint=error.hint, fatal=fatal))

    def _receive_by_rtc(self, data: bytes) -> None:
        """Take a text message of the data channel, unless that was let go."""
        if self._rtc.peer is None:
            return
        self._is_by_rtc = True
        self.receive(data)
        self._is_by_rtc = False

    def role_changed(self) -> None:
        """Tell the page what else it may do now, or not any more."""
        self._room.outlets.recording.welcome(self)

    def end(self, reason: str, code: int) -> None:
        """Tell them that the session ends; what is on its way from them counts for nothing."""
        self.is_expelled = True
        self.send(p.Ended(reason=reason))
        self._channel.close(code, "session ended")

    def expel(self, error: BlustreamError, code: int) -> None:
        """Show them out, likewise."""
        self.is_expelled = True
        self.send_error(error, fatal=True)
        self._channel.close(code, error.code)

    async def dispose(self) -> None:
        """End its WebRTC connection, after it left the session."""
        self.frames.close()
        await self._rtc.close()

    # -------------------------------------------------- what they say (Inbox)

    def close(self, code: int, reason: str) -> None:
        """Close the connection of somebody who does not keep to the rules."""
        self._channel.close(code, reason)

    def restart(self) -> None:
        """Send a keyframe next, by whichever path: they cannot decode from here."""
        self.frames.restart()
        self._rtc.restart()
        self.shown.on_demand_changed()

    def ponged(self, n: int) -> None:
        """Take the answer to `ping`."""
        if n == self._pings and not self._is_answered:
            self._is_answered = True
            self.frames.pacer.link.answered(time.monotonic() - self._pinged_s)

    def patch(self, patch: dict[str, Any], seq: int) -> None:
        """Change what they see; raises `StateError`."""
        self.seq = max(self.seq, seq)
        self.shown.fanout.put_first(self._paths)  # whose hand it is sees most what comes late
        self.shown.patch_by(self, patch)

    def acknowledged(self, ack: p.Ack) -> None:
        """Take note that a frame is there, and those before it."""
        is_of_rtc = ack.of_rtc or self._is_by_rtc
        path = self._rtc.peer if is_of_rtc else self.frames
        if path is not None:
            path.acknowledged(ack.frame_no, ack.there_ms / 1000 or None)
            self._ack_spacing.acknowledged(path.pacer.link)
            self.shown.on_acknowledged(path)
        self.ping()

    def offer(self, offer: p.RtcOffer) -> None:
        """Make a WebRTC connection; raises `ProtocolError` where that is switched off."""
        if "webrtc" not in self._room.config.transports.split(","):
            raise ProtocolError("WebRTC is switched off on this server.")
        self._rtc.offer(
            offer, reply=lambda answer: self.send(p.RtcAnswer(sdp=answer)), refuse=self.send_error
        )

    def set_stream(self, message: p.Stream) -> None:
        """Take frames by another path, or none while nobody looks."""
        previous, self._stream = self._stream, message
        if message.path == "webrtc":
            self._rtc.taken_over()
        elif previous.path == "webrtc":
            self._rtc.drop()
        self._apply_stream()

    @property
    def _is_elsewhere(self) -> bool:
        return self._stream.path == "webrtc" and self._rtc.is_connected

    def _apply_stream(self) -> None:
        self.frames.set_path(is_visible=self._stream.visible, is_elsewhere=self._is_elsewhere)
        self._rtc.set_visible(self._stream.visible)
        self.shown.on_demand_changed()

    def _rtc_changed(self, old: RtcPeer | None, new: RtcPeer | None) -> None:
        if old is not None:
            self.shown.fanout.remove(old)
            old.socket_link = None
            self._stream = p.Stream(path="socket", visible=self._stream.visible)
        if new is not None:
            self.shown.fanout.add(new)
            known = self.frames.pacer.link
            new.socket_link = known
            known.is_same_machine = new.pacer.link.is_same_machine
            new.pacer.link.seed(known.target_bps, known.loss, known.carries_bps)
            if known.round_trip_s > 0:
                new.pacer.link.answered(known.round_trip_s)
            logger.info("Viewer %d is connected over WebRTC", self.peer)
        self.frames.other_pacer = None if new is None else new.pacer
        # Without its WebRTC connection the video is back on the socket at once.
        self._apply_stream()
