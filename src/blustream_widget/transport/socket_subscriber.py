"""Frames to one viewer over its socket or comm, paced by its acknowledgements."""

from __future__ import annotations

from blustream_widget.transport.channel import Channel
from blustream_widget.transport.fanout import Picture
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.keyframe_wait import KeyframeWait
from blustream_widget.transport.pacing import AckPacer
from blustream_widget.transport.still_delivery import StillDelivery
from blustream_widget.transport.tcp_info import TcpInfo


class SocketSubscriber:
    """Sends while the viewer keeps up; otherwise drops all that depends on a missing frame.

    Parameters
    ----------
    channel : Channel
    picture : "h264" or "jpeg"
        What the viewer decodes.
    pacer : AckPacer, optional

    Attributes
    ----------
    keyframe : KeyframeWait
    other_pacer : AckPacer or None
        Of the path that the video takes beside this one, over the same network.
    """

    def __init__(self, channel: Channel, picture: Picture, pacer: AckPacer | None = None) -> None:
        self._channel = channel
        self._picture: Picture = picture
        self.pacer = pacer or AckPacer()
        self.keyframe = KeyframeWait()
        self.other_pacer: AckPacer | None = None
        self._still = StillDelivery(
            channel,
            self.pacer,
            other_pacer=lambda: self.other_pacer,
            is_elsewhere=lambda: self._is_elsewhere,
        )
        self._is_visible = True
        self._is_elsewhere = False
        self._pending_jpeg: EncodedFrame | None = None
        self.pacer.link.ask = self._look_at_tcp

    @property
    def video(self) -> Picture | None:
        return None if self._is_elsewhere or not self._is_visible else self._picture

    @property
    def stills(self) -> bool:
        return self._is_visible

    @property
    def has_credit(self) -> bool:
        return self.pacer.has_credit

    @property
    def needs_keyframe(self) -> bool:
        return self.keyframe.may_ask and self.pacer.has_credit

    def set_path(self, *, is_visible: bool, is_elsewhere: bool) -> None:
        """Say whether the viewer looks at all, and whether its video goes another way."""
        before = self.video
        self._is_visible, self._is_elsewhere = is_visible, is_elsewhere
        if self.video != before:
            # Video that begins brings its own stills. Where it only went away, what it has shown
            # stays as it is, and so does the still of that.
            self._still.hold()
            self._restart_video()
            if self.video is None and self.stills:
                self._still.resume()

    def restart(self) -> None:
        """Forget what was sent: the viewer decodes again from the next keyframe on."""
        self._still.forget()
        self._restart_video()

    def close(self) -> None:
        """Send nothing more."""
        self._still.forget()

    def acknowledged(self, frame_no: int, there_s: float | None = None) -> None:
        """Take note of a shown frame, and send a picture that waited for this.

        `there_s` is when it was there by the page's clock, if the page tells.
        """
        if not self.pacer.acknowledged(frame_no, there_s):
            if (info := self._look_at_tcp()) is not None:
                self.pacer.link.told(info)
            self._still.acknowledged(frame_no)
        if self._pending_jpeg is not None and self.pacer.has_credit:
            frame, self._pending_jpeg = self._pending_jpeg, None
            self._send(frame)
        else:
            self._still.room_changed()

    def _look_at_tcp(self) -> TcpInfo | None:
        read = self._channel.read_tcp
        return None if read is None else read()

    def moved(self) -> None:
        """Take note that a newer state waits to be drawn: a still must not be in its way."""
        self._still.hold()

    def drawn(self, *, is_same_view: bool) -> None:
        """Take note that the newest state goes to the worker, which draws what it has not drawn."""
        if is_same_view:
            self._still.resume()
        else:
            self._still.forget()

    def offer(self, frame: EncodedFrame) -> None:
        if frame.is_still:
            self._still.offer(frame)
        elif frame.is_jpeg:
            self._offer_jpeg(frame)
        else:
            self._offer_h264(frame)

    def _restart_video(self) -> None:
        self._channel.drop_frames()
        self._pending_jpeg = None
        self.pacer.reset()
        self.keyframe.waits = True

    def _offer_jpeg(self, frame: EncodedFrame) -> None:
        if self.pacer.has_credit:
            self._pending_jpeg = None
            self._send(frame)
        else:
            self._pending_jpeg = frame

    def _offer_h264(self, frame: EncodedFrame) -> None:
        if frame.is_keyframe:
            # What has not left yet is older than this and needed by nobody any more.
            self.pacer.unsent(self._drop_video())
        elif self.keyframe.waits:
            return
        if self.pacer.is_behind:
            self.pacer.unsent(self._drop_video())
            self.keyframe.waits = True
            return
        self._send(frame)

    def _drop_video(self) -> int:
        self._still.forget()
        return self._channel.drop_frames()

    def _send(self, frame: EncodedFrame) -> None:
        self._still.forget()
        n_bytes, is_keyframe = len(frame.data), frame.is_keyframe
        link_s = 8 * n_bytes / self.pacer.link.target_bps if is_keyframe else 0.0
        self.keyframe.sent(is_keyframe=is_keyframe, link_s=link_s)
        self._channel.send_frame(frame)
        self.pacer.sent(frame.frame_no, n_bytes)
