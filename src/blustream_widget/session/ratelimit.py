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

    @property
    def is_full(self) -> bool:
        """Whether it allows as much as a new one does."""
        return self._tokens + (self._clock() - self._at_s) * self._rate_hz >= self._burst

    def take(self, n: float = 1.0) -> bool:
        """Count `n` events; False, and nothing is counted, when they are too many."""
        now_s = self._clock()
        self._tokens = min(self._burst, self._tokens + (now_s - self._at_s) * self._rate_hz)
        self._at_s = now_s
        if self._tokens < n:
            return False
        self._tokens -= n
        return True


class TokenBuckets:
    """A bucket for each of many, however often they come and go.

    One that is full allows what a new one allows, so it is forgotten when another one is made: kept
    are those who used theirs lately, for at most `burst / rate_hz` seconds since.

    Parameters
    ----------
    rate_hz, burst : float
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self, rate_hz: float, burst: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate_hz, self._burst, self._clock = rate_hz, burst, clock
        self._buckets: dict[str, TokenBucket] = {}

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str) -> bool:
        """Count an event of somebody; False, and it is not counted, when it is one too many."""
        bucket = self._buckets.get(name)
        if bucket is None:
            self._buckets = {k: b for k, b in self._buckets.items() if not b.is_full}
            bucket = TokenBucket(self._rate_hz, self._burst, self._clock)
            self._buckets[name] = bucket
        return bucket.take()
