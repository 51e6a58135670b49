"""A session's pictures on their way to an SFU."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from blustream_widget.transport.fanout import Fanout, Picture
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.keyframe_wait import KeyframeWait

if TYPE_CHECKING:
    from blustream_widget.sfu.publisher import Publisher

LOOK_S = 0.25
"""So often a keyframe is asked for until it comes."""
REST_S = 0.5
"""A view that has had no picture for so long rests."""


class PublishTap:
    """Gives a session's pictures to a publisher, as one more subscriber of its fan-out.

    While somebody looks, the pace is theirs; when nobody does, the worker draws for the SFU.

    **At rest** one more keyframe follows the last picture. Nobody would miss that if a packet of it
    was lost on the way to the SFU, nor a keyframe that came before the SFU was ready to pass it on
    (Janus 1.1 asks for one an instant before it takes a viewer in): what tells a viewer of a loss
    is the picture after it, and there is none.
    """

    def __init__(self, publisher: Publisher, fanout: Fanout) -> None:
        self._publisher, self._fanout = publisher, fanout
        self.keyframe = KeyframeWait()  # it is in the full stream, always
        self._waits = self._is_asked = True
        self._is_repeating = False
        self._look_timer: asyncio.TimerHandle | None = None
        self._rest_timer: asyncio.TimerHandle | None = None

    @property
    def video(self) -> Picture | None:
        return "h264"

    @property
    def stills(self) -> bool:
        return False

    @property
    def has_credit(self) -> bool:
        return not self._fanout.has_pace

    @property
    def needs_keyframe(self) -> bool:
        return (self._waits or self._is_asked) and not self._publisher.is_behind

    def want_keyframe(self) -> None:
        """Ask for a keyframe, for somebody at the SFU, also while the view rests."""
        self._is_repeating = False
        self._ask()

    def offer(self, frame: EncodedFrame) -> None:
        if self._waits and not frame.is_keyframe:
            return
        if self._publisher.is_behind or not self._publisher.send(frame):
            self._waits = True  # what comes next depends on this picture
            self._look_timer = _later(self._look_timer, LOOK_S, self._look)
            return
        if frame.is_keyframe:
            self._waits = self._is_asked = False
            if self._is_repeating:
                self._is_repeating = False
                return
        self._rest_timer = _later(self._rest_timer, REST_S, self._rested)

    def close(self) -> None:
        """Ask for nothing more."""
        for timer in (self._look_timer, self._rest_timer):
            if timer is not None:
                timer.cancel()

    def _ask(self) -> None:
        self._is_asked = True
        self._fanout.check_keyframes()

    def _rested(self) -> None:
        self._is_repeating = True
        self._ask()

    def _look(self) -> None:
        """Ask again: the view may rest by now, and nobody else ask."""
        if self._waits:
            self._fanout.check_keyframes()
            self._look_timer = _later(self._look_timer, LOOK_S, self._look)


def _later(
    timer: asyncio.TimerHandle | None, wait_s: float, call: Callable[[], None]
) -> asyncio.TimerHandle:
    """Call in a while from now, and not when that was to be before."""
    if timer is not None:
        timer.cancel()
    return asyncio.get_running_loop().call_later(wait_s, call)
