"""A lossless picture over a slow link: in pieces, each when the one before has arrived.

What has been given to a socket cannot be taken back, and everything after it waits: a picture of
1 MB holds a link of 2 Mbit/s for four seconds. So only as much is given as the link carries in a
moment; when a newer state comes, the rest is dropped.
"""

from __future__ import annotations

import struct
import time
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.link_rate import LinkRate

PART_PREFIX = struct.Struct("<II")
"""Offset of this part, and bytes of the whole picture."""

QUEUE_S, NARROW_QUEUE_S = 0.05, 0.02
"""A newer picture waits for at most about this much of an older still: for less where the link was
seen to be full, as there it does wait."""

_MIN_PART_BYTES = 4096
_STALLED_S = 5.0


class StillParts:
    """The still that is on its way to one viewer, if any.

    Parameters
    ----------
    send : callable
        Gives a frame to the channel.
    link : LinkRate
        Of the channel; learns from the acknowledged parts.
    shared : callable
        Another path over the same link, whose pictures must not wait either; or None.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self,
        send: Callable[[EncodedFrame], None],
        link: LinkRate,
        clock: Callable[[], float] = time.monotonic,
        *,
        shared: Callable[[], LinkRate | None] = lambda: None,
    ) -> None:
        self._send = send
        self._link = link
        self._shared = shared
        self._clock = clock
        self._frame_no = -1
        self._parts: Iterator[EncodedFrame] = iter(())
        self._next: EncodedFrame | None = None
        self._in_flight: deque[tuple[int, float]] = deque()
        self._bytes = 0
        # Parts of the still with this number that are answered yet, though they were dropped here.
        self._old_no, self._n_old = -1, 0

    @property
    def is_busy(self) -> bool:
        """Whether parts of a still are on the way."""
        return bool(self._in_flight)

    def offer(self, frame: EncodedFrame) -> None:
        """Send a still, whole if the link carries it in a moment; it replaces an older one."""
        is_stalled = self.is_busy and self._clock() - self._in_flight[-1][1] > _STALLED_S
        is_busy = self.is_busy and not is_stalled
        self.drop()
        window = self._window()
        if len(frame.data) <= window and not is_busy:
            self._send(frame)
            return
        self._frame_no = frame.frame_no
        self._parts = _split(frame, max(int(window / 2), _MIN_PART_BYTES))
        self._next = next(self._parts, None)
        self._fill()

    def acknowledged(self, frame_no: int) -> None:
        """Take note that the oldest part on the way has arrived, and send the next one."""
        if frame_no == self._old_no and self._n_old > 0:
            self._n_old -= 1
            return
        if frame_no != self._frame_no or not self._in_flight:
            return
        n_bytes, at_s = self._in_flight.popleft()
        self._bytes -= n_bytes
        self._link.acknowledged(n_bytes=n_bytes, sent_s=at_s)
        self._fill()

    def drop(self, n_unsent: int = 0) -> None:
        """Send no more of it: there is something newer, or it begins again.

        Parameters
        ----------
        n_unsent : int
            Newest parts that the channel had not sent and has taken back.
        """
        n_left = max(len(self._in_flight) - n_unsent, 0)
        if n_left:
            # If this very still begins again, their answers are not those of its new parts.
            before = self._n_old if self._old_no == self._frame_no else 0
            self._old_no, self._n_old = self._frame_no, before + n_left
        self._parts, self._next, self._frame_no = iter(()), None, -1
        self._in_flight.clear()
        self._bytes = 0

    def _window(self) -> float:
        links = [link for link in (self._link, self._shared()) if link is not None]
        is_narrow = any(link.is_measured for link in links)
        queue_s = NARROW_QUEUE_S if is_narrow else QUEUE_S
        return min(link.window_bytes(queue_s) for link in links)

    def _fill(self) -> None:
        window = self._window()
        while (part := self._next) is not None:
            if self._in_flight and self._bytes + len(part.data) > window:
                return
            self._in_flight.append((len(part.data), self._clock()))
            self._bytes += len(part.data)
            self._send(part)
            self._next = next(self._parts, None)


def _split(frame: EncodedFrame, part_bytes: int) -> Iterator[EncodedFrame]:
    """Cut a still; each part is a frame with the still's header."""
    header = msgspec.structs.replace(frame.header, flags=frame.header.flags | FrameFlags.PART)
    packed, picture = header.pack(), frame.picture
    for offset in range(0, len(picture), part_bytes):
        prefix = PART_PREFIX.pack(offset, len(picture))
        data = b"".join((packed, prefix, picture[offset : offset + part_bytes]))
        yield EncodedFrame(header, data)
