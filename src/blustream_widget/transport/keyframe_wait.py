"""Which of a session's streams one viewer is in, and whether it waits for a keyframe of it."""

from __future__ import annotations

import time
from collections.abc import Callable

_PAUSE_S = 1.0
_LINK_TIMES = 3
"""A viewer that is left behind has its link free for two thirds of the time."""


class KeyframeWait:
    """A viewer's place in the streams: in one, before its next keyframe, or on the way to another.

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
        keyframe, which all viewers of its stream get, is asked for its sake at most once a second.
    rendition : int
        Stream that its frames are of; 0 is the full one, the larger numbers are smaller.
    wanted : int
        Stream that it goes over to with the next keyframe.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.waits = True
        self.is_left_behind = False
        self.rendition = self.wanted = 0
        self._clock = clock
        self._next_s = float("-inf")

    @property
    def may_ask(self) -> bool:
        """Whether a keyframe may be asked for."""
        is_wanted = self.waits or self.wanted != self.rendition
        return is_wanted and (not self.is_left_behind or self._clock() >= self._next_s)

    def assign(self, rendition: int) -> None:
        """Go over to another stream: to a larger one while this one goes on, to a smaller at once.

        What was too much for the link is not sent any more while the smaller one's keyframe comes.
        """
        self.wanted = rendition
        if rendition > self.rendition:
            self.rendition = rendition
            self.waits = True

    def takes(self, rendition: int, *, is_keyframe: bool) -> bool:
        """Whether a frame of a stream is for this viewer, which may go over to it with that."""
        if is_keyframe and rendition == self.wanted:
            self.rendition = rendition
        return rendition == self.rendition

    def sent(self, *, is_keyframe: bool, link_s: float) -> None:
        """Take note of a frame on its way, which keeps the link busy for `link_s`."""
        self.waits = self.is_left_behind
        if is_keyframe:
            self._next_s = self._clock() + max(_PAUSE_S, _LINK_TIMES * link_s)
