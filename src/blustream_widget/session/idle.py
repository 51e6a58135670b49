"""When a session's worker goes, because nobody looks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class IdleTimer:
    """Calls something when nobody has looked for so long. Loop thread only.

    Parameters
    ----------
    after_s : float
    is_over : callable
        Called then; False: something still goes on, and the time begins anew.
    """

    def __init__(self, after_s: float, is_over: Callable[[], bool]) -> None:
        self._after_s = after_s
        self._is_over = is_over
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin the time, anew if it was running."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self._after_s, self._ring)

    def stop(self) -> None:
        """Somebody looks, or all ends."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        if not self._is_over():
            self.start()
