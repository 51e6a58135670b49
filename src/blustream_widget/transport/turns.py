"""Lets only a few things be begun at the same time, in the order in which they were asked for."""

from __future__ import annotations

import asyncio


class Turn:
    """A place among the few; ends once, by itself if nobody ends it."""

    def __init__(self, free: asyncio.Semaphore, longest_s: float) -> None:
        self._free = free
        self._timer = asyncio.get_running_loop().call_later(longest_s, self.end)
        self._has_ended = False

    def end(self) -> None:
        """Let the next one begin; may be called again."""
        if not self._has_ended:
            self._has_ended = True
            self._timer.cancel()
            self._free.release()


class Turns:
    """Gives turns.

    Parameters
    ----------
    at_once : int
        So many may be under way.
    longest_s : float
        After this the next one begins, even if a turn has not ended: whoever waits for something
        far away does not hold up all others.
    """

    def __init__(self, at_once: int, longest_s: float) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._longest_s = longest_s

    async def take(self) -> Turn:
        """Wait for a turn; it begins now."""
        await self._free.acquire()
        return Turn(self._free, self._longest_s)
