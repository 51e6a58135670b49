"""Overlays that blink: which of them are off now, and when that changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.state import ViewState


class Blink:
    """Follows a clock: an overlay that blinks is shown in the first half of each period.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._is_allowed = True
        self._off: frozenset[str] = frozenset()

    def allow(self, is_allowed: bool) -> None:
        """Say whether those who look bear it; otherwise all is shown all the time."""
        self._is_allowed = is_allowed

    def is_on(self, state: ViewState) -> bool:
        """Whether anything blinks."""
        return any(True for _ in self._blinking(state))

    @property
    def off(self) -> frozenset[str]:
        """Names of those that are not shown, since `look`."""
        return self._off

    def look(self, state: ViewState) -> None:
        """Look at the clock: a picture of `state` is drawn now."""
        self._off = self._off_now(state)

    def is_due(self, state: ViewState) -> bool:
        """Whether others are off now than when it was looked at last."""
        return self._off_now(state) != self._off

    def due_in_s(self, state: ViewState | None) -> float | None:
        """Time until others are off; None where nothing blinks."""
        if state is None:
            return None
        if self.is_due(state):
            return 0.0
        now = self._clock()
        halves = [look.period_s / 2 for look in self._blinking(state)]
        return min(((math.floor(now / half) + 1) * half - now for half in halves), default=None)

    def _off_now(self, state: ViewState) -> frozenset[str]:
        now = self._clock()
        return frozenset(
            look.name for look in self._blinking(state) if math.floor(now / (look.period_s / 2)) % 2
        )

    def _blinking(self, state: ViewState) -> Iterator[OverlayLook]:
        if self._is_allowed and state.show_overlays:
            yield from (one for one in state.overlays if one.mode == "blink" and one.is_drawn)
