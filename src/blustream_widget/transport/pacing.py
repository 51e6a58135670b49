"""How many frames a viewer may have on the way: enough to fill its link, too few to queue."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

FRAME_MS = 16.0
IN_FLIGHT_MIN, IN_FLIGHT_MAX = 3, 30
# Frames that the worker draws without a new state (finer data arrived) pass the limit by this much.
OVERRUN = 4
# A viewer that lives but acknowledges nothing (its decoder was reset) is taken as empty after this.
STALLED_S = 2.0
_RTT_SAMPLES = 32


class AckPacer:
    """Counts frames that were sent and not acknowledged.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Notes
    -----
    The limit is 2 frames and one more per 16 ms of round trip. The round trip is the *least* of the
    recent delays of acknowledgements: queueing makes delays longer, never shorter, and must not
    raise the limit that causes it.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._in_flight: deque[tuple[int, float]] = deque()
        self._delays_ms: deque[float] = deque(maxlen=_RTT_SAMPLES)

    @property
    def rtt_ms(self) -> float:
        """Least of the recent delays from frame to acknowledgement; 0 before the first."""
        return min(self._delays_ms, default=0.0)

    @property
    def limit(self) -> int:
        """Frames that may be on the way."""
        return int(min(max(2 + self.rtt_ms / FRAME_MS, IN_FLIGHT_MIN), IN_FLIGHT_MAX))

    @property
    def in_flight(self) -> int:
        """Frames sent and not acknowledged."""
        return len(self._in_flight)

    @property
    def has_credit(self) -> bool:
        """Whether a new picture should be drawn for this viewer."""
        self._forget_stalled()
        return len(self._in_flight) < self.limit

    @property
    def is_behind(self) -> bool:
        """Whether one frame more would be queueing."""
        self._forget_stalled()
        return len(self._in_flight) >= self.limit + OVERRUN

    def sent(self, frame_no: int) -> None:
        """Count a frame."""
        self._in_flight.append((frame_no, self._clock()))

    def acknowledged(self, frame_no: int) -> None:
        """Take `frame_no` and all before it as arrived; unknown numbers are ignored."""
        if not any(sent == frame_no for sent, _ in self._in_flight):
            return
        while self._in_flight:
            sent, at_s = self._in_flight.popleft()
            if sent == frame_no:
                self._delays_ms.append((self._clock() - at_s) * 1000.0)
                return

    def unsent(self, n: int) -> None:
        """Take the newest `n` frames back: they were dropped before they left."""
        for _ in range(min(n, len(self._in_flight))):
            self._in_flight.pop()

    def reset(self) -> None:
        """Forget what is on the way: the viewer starts again at a keyframe."""
        self._in_flight.clear()

    def _forget_stalled(self) -> None:
        if self._in_flight and self._clock() - self._in_flight[-1][1] > STALLED_S:
            self._in_flight.clear()
