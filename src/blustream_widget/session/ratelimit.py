"""A bound on how many messages a viewer may send."""

from __future__ import annotations

import time
from collections.abc import Callable


class TokenBucket:
    """Allows `rate_hz` events per second in the long run, `burst` at once.

    Parameters
    ----------
    rate_hz, burst : float
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self, rate_hz: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate_hz = rate_hz
        self._burst = burst
        self._clock = clock
        self._tokens = burst
        self._at_s = clock()

    def take(self, n: float = 1.0) -> bool:
        """Count `n` events; False, and nothing is counted, when they are too many."""
        now_s = self._clock()
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._rate_hz)
        self._at_s = now_s
        if self._tokens < n:
            return False
        self._tokens -= n
        return True
