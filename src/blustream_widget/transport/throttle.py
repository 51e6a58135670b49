"""Run an action at most once per interval, at once when it may, and never lose the last call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Throttle:
    """Joins calls that come too close together: the first runs now, the rest as one at the end.

    Parameters
    ----------
    interval_s : float
        Least time between two runs; may be set to another at any time.
    action : callable
        Reads the newest values itself when it runs. On the loop, quick. False = there was nothing
        to do, and the next call need not wait.
    """

    def __init__(self, interval_s: float, action: Callable[[], bool | None]) -> None:
        self.interval_s = interval_s
        self._action = action
        self._next_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def call(self) -> None:
        """Run the action now, or as soon as the interval is over."""
        if self._timer is not None:
            return
        loop = asyncio.get_running_loop()
        wait_s = self._next_s - loop.time()
        if wait_s <= 0:
            self._run()
        else:
            self._timer = loop.call_later(wait_s, self._run)

    def defer(self) -> None:
        """Run the action when one interval is over, not now."""
        self.close()
        self._timer = asyncio.get_running_loop().call_later(self.interval_s, self._run)

    def close(self) -> None:
        """Forget a call that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        self._timer = None
        if self._action() is not False:
            self._next_s = asyncio.get_running_loop().time() + self.interval_s
