"""The frames that were acknowledged lately, and what they say together."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

_PAGE_S, _MIN_PAGE = 1.0, 3
_MAX_FRAMES = 256


class RecentFrame(NamedTuple):
    """One acknowledged frame.

    `service_s` is the time that it kept the link (and the page) busy, exact where another frame was
    in front of it. `excess_s` is how much later it came than the quickest one. `page_s` is how much
    longer the page had it than the quickest one, where it tells.
    """

    at_s: float
    n_bytes: int
    service_s: float
    excess_s: float
    is_queued: bool
    page_s: float


class RecentFrames:
    """Keeps them, the newest ones of many."""

    def __init__(self) -> None:
        self._frames: deque[RecentFrame] = deque(maxlen=_MAX_FRAMES)

    def __bool__(self) -> bool:
        return bool(self._frames)

    def add(self, frame: RecentFrame) -> None:
        """Take note of a frame that was acknowledged now."""
        self._frames.append(frame)

    def newest(self, now_s: float, age_s: float) -> list[RecentFrame]:
        """Return those that are younger than `age_s`, oldest first."""
        found: list[RecentFrame] = []
        for frame in reversed(self._frames):
            if now_s - frame.at_s >= age_s:
                break
            found.append(frame)
        found.reverse()
        return found

    def page_s(self, now_s: float) -> float:
        """How much longer than at its best the page had frames in the last second; the median."""
        recent = self.newest(now_s, _PAGE_S)
        if len(recent) < _MIN_PAGE:
            return 0.0
        return sorted(frame.page_s for frame in recent)[len(recent) // 2]


def carried_bps(frames: Sequence[RecentFrame], *, fixed_s: float) -> float:
    """Rate of the link while it was busy with these frames.

    The median, each frame counting by its size: a frame that was held up by something else (a
    busy page, a segment that TCP had to send again) says nothing of the link.

    Parameters
    ----------
    fixed_s : float
        What a frame takes whatever its size.
    """
    rates = sorted(
        (8 * frame.n_bytes / max(frame.service_s - fixed_s, 2e-4), frame.n_bytes)
        for frame in frames
    )
    half = sum(n_bytes for _, n_bytes in rates) / 2
    for rate, n_bytes in rates:
        half -= n_bytes
        if half <= 0:
            return rate
    return float("inf")
