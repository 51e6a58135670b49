"""Whose cameras are seen where there are more than a page has room for: who spoke last."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection

STAYS_S = 2.0
"""Between two changes: each is an offer to every page."""


class Stage:
    """A few places, each of a camera. A picture stays until somebody else speaks, for 2 s at least.

    Parameters
    ----------
    n_places : int
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, n_places: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._n_places, self._clock = n_places, clock
        self._changed_s = -math.inf
        self._cameras: dict[str, int] = {}  # by seat, with the turn they spoke last in; 0: never
        self._on: list[str] = []
        self._turn = 0

    @property
    def seats(self) -> frozenset[str]:
        """Whose cameras are seen."""
        return frozenset(self._on)

    def set_cameras(self, seats: Collection[str]) -> None:
        """Say whose cameras are on, in the order that they came."""
        self._cameras = {seat: self._cameras.get(seat, 0) for seat in seats}
        self._on = [seat for seat in self._on if seat in self._cameras]
        waiting = [seat for seat in self._cameras if seat not in self._on]
        waiting.sort(key=lambda seat: -self._cameras[seat])
        self._on += waiting[: self._n_places - len(self._on)]

    def spoke(self, seat: str) -> bool:
        """Take note that somebody speaks; True: other cameras are seen than before."""
        if seat not in self._cameras:
            return False
        self._turn += 1
        self._cameras[seat] = self._turn
        return self.review()

    def review(self) -> bool:
        """See who spoke, as soon as that may be; True: other cameras are seen than before."""
        swap = self._wished()
        if swap is None or self.wait_s:
            return False
        silent, speaks = swap
        self._on[self._on.index(silent)] = speaks
        self._changed_s = self._clock()
        return True

    @property
    def wait_s(self) -> float:
        """So long until somebody who spoke is seen; 0: nobody waits for that."""
        if self._wished() is None:
            return 0.0
        return max(0.0, self._changed_s + STAYS_S - self._clock())

    def _wished(self) -> tuple[str, str] | None:
        """Give who has been silent for longest, and who is not seen and spoke after that."""
        waiting = [seat for seat in self._cameras if seat not in self._on]
        if not waiting or not self._on:
            return None
        silent = min(self._on, key=self._cameras.__getitem__)
        speaks = max(waiting, key=self._cameras.__getitem__)
        return (silent, speaks) if self._cameras[speaks] > self._cameras[silent] else None
