"""A session's pictures on their way into a recording."""

from __future__ import annotations

import time
from collections.abc import Callable

from blustream_widget.recording.file import TimedPicture
from blustream_widget.recording.writer import RecordingWriter, now_90k
from blustream_widget.transport.fanout import Fanout, Picture
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.keyframe_wait import KeyframeWait

KEYFRAME_S = 10.0
"""A player can begin at keyframes only. While pictures come there is one at least this often."""
_FOREIGN_CLOCK_90K = 10 * 90_000


class RecordingTap:
    """Gives a session's pictures to a recording, as one more subscriber of its fan-out.

    Parameters
    ----------
    writer : RecordingWriter
    fanout : Fanout
    on_first : callable
        The first picture that can be decoded alone has come.
    clock : callable
        Monotonic seconds.

    Notes
    -----
    While somebody looks, the pace is theirs: a recording has no room of its own to draw for, and
    takes what they get. When nobody does, the worker draws for the recording.
    """

    def __init__(
        self,
        writer: RecordingWriter,
        fanout: Fanout,
        on_first: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer = writer
        self._fanout = fanout
        self._on_first = on_first
        self._clock = clock
        self.keyframe = KeyframeWait()  # it is in the full stream, always
        self._waits = True
        self._keyframe_s = float("-inf")

    @property
    def video(self) -> Picture | None:
        return "h264"

    @property
    def stills(self) -> bool:
        return True

    @property
    def has_credit(self) -> bool:
        return not self._fanout.has_pace

    @property
    def needs_keyframe(self) -> bool:
        return self._waits and not self._writer.is_behind

    def offer(self, frame: EncodedFrame) -> None:
        if frame.is_still:
            if not self._writer.is_behind:
                self._writer.put_still(bytes(frame.picture), frame.packed_header)
            return
        if frame.is_keyframe:
            self._waits, self._keyframe_s = False, self._clock()
        elif self._waits and self._keyframe_s == float("-inf"):
            return
        if self._writer.is_behind:
            # What comes next depends on this picture.
            self._waits, self._keyframe_s = True, float("-inf")
            self._writer.put_event({"kind": "gap"})
            return
        header = frame.header
        self._writer.put_picture(
            TimedPicture(
                time_90k=_captured_90k(header.timestamp_90k),
                data=bytes(frame.picture),
                is_keyframe=frame.is_keyframe,
                width_px=header.width_px,
                height_px=header.height_px,
                header=frame.packed_header,
            )
        )
        if self._clock() - self._keyframe_s > KEYFRAME_S:
            self._waits = True
        on_first, self._on_first = self._on_first, lambda: None
        on_first()


def _captured_90k(timestamp_90k: int) -> int:
    """When a picture was made, by the server's clock; now, if the worker's is another one."""
    now = now_90k()
    ago = (now - timestamp_90k) & 0xFFFFFFFF
    return now - ago if ago < _FOREIGN_CLOCK_90K else now
