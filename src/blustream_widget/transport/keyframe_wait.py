"""Whether one viewer waits for a keyframe, and how often it may ask for one."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE_S = 1.0
_LINK_TIMES = 3
"""A viewer that is left behind has its link free for two thirds of the time."""


class KeyframeWait:
    """A viewer's place in the stream: in it, or before its next keyframe.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    waits : bool
        Nothing but a keyframe can be decoded.
    is_left_behind : bool
        The session's pictures are too much for this viewer's link: it gets keyframes alone, and a
        keyframe, which all viewers get, is asked for its sake at most once a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.waits = True
        self.is_left_behind = False
        self._clock = clock
        self._next_s = float("-inf")

    @property
    def may_ask(self) -> bool:
        """Whether a keyframe may be asked for."""
        return self.waits and (not self.is_left_behind or self._clock() >= self._next_s)

    def sent(self, *, is_keyframe: bool, link_s: float) -> None:
        """Take note of a frame on its way, which keeps the link busy for `link_s`."""
        self.waits = self.is_left_behind
        if is_keyframe:
            self._next_s = self._clock() + max(_PAUSE_S, _LINK_TIMES * link_s)
