"""Finds frames that were late though the network was not: what left after them was back before."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

_CERTAIN_S = 0.025
"""So much earlier: clocks and processors are late by less."""

_KEPT_FRAMES, _KEPT_REPORTS = 60, 4

_TRUE_S = 2.5
"""Reports come about once a second."""


class _OnTheWay(NamedTuple):
    sent_s: float
    back_s: float

    def overtakes(self, frame: _OnTheWay) -> bool:
        return frame.sent_s < self.sent_s and self.back_s + _CERTAIN_S < frame.back_s


class Contradiction:
    """Compares frames with the tiny reports that leave between them, over the same way.

    A report that leaves while a frame is on its way stands behind it in each queue. If its answer
    is back before the frame's could be, the frame was not in a queue: its browser had no processor
    for it, or a lost packet was waited for.
    """

    def __init__(self) -> None:
        self._frames: deque[_OnTheWay] = deque(maxlen=_KEPT_FRAMES)
        self._reports: deque[_OnTheWay] = deque(maxlen=_KEPT_REPORTS)
        self._until_s = float("-inf")

    def came(self, sent_s: float, back_s: float) -> bool:
        """Take note of a frame; whether a report contradicts its lateness.

        `back_s` is when an answer at once would have been back.
        """
        frame = _OnTheWay(sent_s, back_s)
        self._frames.append(frame)
        if not self._reports:  # there are none over a socket
            return False
        return self._note(any(report.overtakes(frame) for report in self._reports), back_s)

    def answered(self, sent_s: float, back_s: float) -> bool:
        """Take note of a report; whether it contradicts a frame's lateness."""
        report = _OnTheWay(sent_s, back_s)
        self._reports.append(report)
        return self._note(any(report.overtakes(frame) for frame in self._frames), back_s)

    def holds(self, now_s: float) -> bool:
        """Whether what is late now is probably late for the same reason."""
        return now_s < self._until_s

    def _note(self, is_found: bool, now_s: float) -> bool:
        if is_found:
            self._until_s = now_s + _TRUE_S
        return is_found
