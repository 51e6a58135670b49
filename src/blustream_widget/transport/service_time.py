"""What a frame takes because of its size, and what anyway: a line through recent frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

_EVERY, _MIN_FRAMES = 8, 16
_SPREAD = 0.1
"""Of the mean size. Frames that differ less cannot tell the two apart."""

_UNKNOWN = (0.0, math.inf)
_LATE_S = 0.06
"""Frames that take longer on average say nothing of room."""


class Served(Protocol):
    """One frame: its bytes, and for how long it kept the link, and the page, busy."""

    @property
    def n_bytes(self) -> int: ...
    @property
    def service_s(self) -> float: ...


class ServiceTime:
    """Learns from frames of different sizes (least squares).

    Attributes
    ----------
    fixed_s : float
        What does not depend on the size.
    link_bps : (float, float)
        Rate at which larger ones take longer: at least and at most, by twice the standard error.
        (0, infinite) where the frames cannot tell.
    """

    def __init__(self) -> None:
        self.fixed_s = 0.0
        self.link_bps = _UNKNOWN
        self._n_unlearned = 0

    def came(self) -> bool:
        """Count a frame; whether so many came since the last time that it is worth learning."""
        self._n_unlearned += 1
        return self._n_unlearned >= _EVERY

    def learn(self, frames: Sequence[Served]) -> None:
        """Fit the line to these frames; `fixed_s` stays as it was where they cannot tell."""
        self._n_unlearned = 0
        self.link_bps = _UNKNOWN
        n = len(frames)
        if n < _MIN_FRAMES:
            return
        mean_bytes = sum(f.n_bytes for f in frames) / n
        mean_s = sum(f.service_s for f in frames) / n
        size_spread = time_spread = both = 0.0
        for frame in frames:
            size, service_s = frame.n_bytes - mean_bytes, frame.service_s - mean_s
            size_spread += size * size
            time_spread += service_s * service_s
            both += size * service_s
        if size_spread < n * (_SPREAD * mean_bytes) ** 2:
            return
        slope = both / size_spread
        if mean_s < _LATE_S:
            rest = max(time_spread - slope * both, 0.0)
            error = 2 * math.sqrt(rest / (n - 2) / size_spread)
            self.link_bps = (_rate(slope + error), _rate(slope - error))
        self.fixed_s = min(max(mean_s - max(slope, 0.0) * mean_bytes, 0.0), mean_s)


def _rate(slope_s: float) -> float:
    """Bits a second of so many seconds a byte."""
    return 8 / slope_s if slope_s > 0 else math.inf
