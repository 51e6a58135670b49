"""Frames to one viewer over its socket or comm, paced by its acknowledgements."""

from __future__ import annotations

from blustream_widget.transport.channel import Channel
from blustream_widget.transport.fanout import Picture
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.pacing import AckPacer


class SocketSubscriber:
    """Sends while the viewer keeps up; otherwise drops all that depends on a missing frame.

    Parameters
    ----------
    channel : Channel
    picture : "h264" or "jpeg"
        What the viewer decodes.
    pacer : AckPacer, optional
    """

    def __init__(self, channel: Channel, picture: Picture, pacer: AckPacer | None = None) -> None:
        self._channel = channel
        self._picture: Picture = picture
        self.pacer = pacer or AckPacer()
        self._is_visible = True
        self._is_elsewhere = False
        self._waits_for_key = True
        self._pending_jpeg: EncodedFrame | None = None

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
        return self._waits_for_key and self.pacer.has_credit

    def set_path(self, *, is_visible: bool, is_elsewhere: bool) -> None:
        """Say whether the viewer looks at all, and whether its video goes another way."""
        before = self.video
        self._is_visible, self._is_elsewhere = is_visible, is_elsewhere
        if self.video != before:
            self.restart()

    def restart(self) -> None:
        """Forget what was sent: the viewer decodes again from the next keyframe on."""
        self._channel.drop_frames()
        self._pending_jpeg = None
        self.pacer.reset()
        self._waits_for_key = True

    def acknowledged(self, frame_no: int) -> None:
        """Take note of a shown frame, and send a JPEG that waited for this."""
        self.pacer.acknowledged(frame_no)
        if self._pending_jpeg is not None and self.pacer.has_credit:
            frame, self._pending_jpeg = self._pending_jpeg, None
            self._send(frame)

    def offer(self, frame: EncodedFrame) -> None:
        if frame.is_still:
            self._offer_still(frame)
        elif frame.is_jpeg:
            self._offer_jpeg(frame)
        else:
            self._offer_h264(frame)

    def _offer_still(self, frame: EncodedFrame) -> None:
        # A still is large: while anything older is on the way it would only delay what comes next.
        if self._is_elsewhere or self.pacer.has_credit:
            self._channel.drop_frames(stills_only=True)
            self._channel.send_frame(frame)

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
        elif self._waits_for_key:
            return
        if self.pacer.is_behind:
            self.pacer.unsent(self._drop_video())
            self._waits_for_key = True
            return
        self._channel.drop_frames(stills_only=True)
        self._send(frame)

    def _drop_video(self) -> int:
        self._channel.drop_frames(stills_only=True)
        return self._channel.drop_frames()

    def _send(self, frame: EncodedFrame) -> None:
        self._waits_for_key = False
        self._channel.send_frame(frame)
        self.pacer.sent(frame.frame_no)
