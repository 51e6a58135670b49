"""Finds frames that were late though the network was not: what left after them was back before."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

_CERTAIN_S = 0.025
"""So much earlier: clocks and processors are late by less."""

_KEPT_FRAMES, _KEPT_REPORTS = 60, 4

_TRUE_S = 2.5
"""Reports come about once a second."""


class _Frame(NamedTuple):
    sent_s: float
    back_s: float


@dataclass
class _Report:
    """One report, and how much later than it the frames were that it overtook."""

    sent_s: float
    back_s: float
    found_s: float = float("-inf")
    _least_s: float = 0.0
    _last_s: float = 0.0
    _last_sent_s: float = float("-inf")

    def overtakes(self, frame: _Frame) -> bool:
        """Take note of a frame; whether it was overtaken."""
        lead_s = frame.back_s - self.back_s
        if frame.sent_s >= self.sent_s or lead_s <= _CERTAIN_S:
            return False
        self.found_s = max(self.back_s, frame.back_s, self.found_s)
        self._least_s = max(lead_s, self._least_s)
        if frame.sent_s > self._last_sent_s:
            self._last_sent_s = frame.sent_s
            self._last_s = lead_s + self.sent_s - frame.sent_s
        return True

    @property
    def late_s(self) -> float:
        """What was no queue: at least the lead, and by what the frame just before took longer.

        That one found about the same queue, so the difference of the two round trips is not it.
        """
        return max(self._least_s, self._last_s)


class Contradiction:
    """Compares frames with the tiny reports that leave between them, over the same way.

    A report that leaves while a frame is on its way stands behind it in each queue. If its answer
    is back before the frame's could be, no queue held the frame up for the time between: its
    browser had no processor for it, or a lost packet was waited for. What both waited may be one.
    """

    def __init__(self) -> None:
        self._frames: deque[_Frame] = deque(maxlen=_KEPT_FRAMES)
        self._reports: deque[_Report] = deque(maxlen=_KEPT_REPORTS)

    def came(self, sent_s: float, back_s: float) -> bool:
        """Take note of a frame; whether a report contradicts its lateness.

        `back_s` is when an answer at once would have been back.
        """
        frame = _Frame(sent_s, back_s)
        self._frames.append(frame)
        # Each keeps what it finds. There are none over a socket.
        found = [report.overtakes(frame) for report in self._reports]
        return any(found)

    def answered(self, sent_s: float, back_s: float) -> bool:
        """Take note of a report; whether it contradicts a frame's lateness."""
        report = _Report(sent_s, back_s)
        self._reports.append(report)
        found = [report.overtakes(frame) for frame in self._frames]
        return any(found)

    def late_s(self, now_s: float) -> float:
        """How much of what is late now is probably late for the same reason, and no queue."""
        found = (r.late_s for r in self._reports if now_s - r.found_s < _TRUE_S)
        return max(found, default=0.0)

    def round_trip_s(self, now_s: float) -> float:
        """Return the longest of the reports of that time: what stands in a queue is no later."""
        lately = (r.back_s - r.sent_s for r in self._reports if now_s - r.back_s < _TRUE_S)
        return max(lately, default=float("inf"))
