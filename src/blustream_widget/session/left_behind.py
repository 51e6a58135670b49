"""What SFUs that did not answer at the end may still have of a view."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Hashable
from typing import TYPE_CHECKING

from blustream_widget.transport.tasks import TaskSet

if TYPE_CHECKING:
    from blustream_widget.sfu.publisher import Publisher

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Between tries to reach an SFU that is not there any more: each is twice as long."""
LEFT_FOR_S = 600.0
"""So long it is tried."""
MAX_PLACES = 16
"""So many are tried at a time; the oldest is given up for another one."""


class _Left:
    """A publisher whose end the SFU has not heard of, and the task that tries it."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.trying: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._is_gone = self._has_failed = False

    async def close(self) -> bool:
        async with self._lock:  # two who ask at once are one try after the other
            self._is_gone = self._is_gone or await self._try()
        return self._is_gone

    async def _try(self) -> bool:
        try:
            return await self.publisher.close()
        except Exception:  # it never should: one whose task dies of it would be left for good
            if not self._has_failed:
                logger.exception("%s cannot be taken away from an SFU", self.publisher.place)
            self._has_failed = True
            return False


class LeftBehind:
    """Ends what is left at SFUs when they answer again. Loop thread only.

    A place is whatever tells two mountpoints from each other: at most one is left at each.
    """

    def __init__(self) -> None:
        self._left: dict[Hashable, _Left] = {}
        self._tasks = TaskSet()

    def keep(self, place: Hashable, publisher: Publisher) -> None:
        """Try from now on to end what `publisher` left at `place`."""
        self._give_up(place)
        while len(self._left) >= MAX_PLACES:
            self._give_up(next(iter(self._left)))
        left = self._left[place] = _Left(publisher)
        left.trying = self._tasks.spawn(self._clear(place, left), name="clearing an SFU")

    async def clear(self, place: Hashable) -> bool:
        """Try it once more at once; False: something may still be there, and is tried on."""
        left = self._left.get(place)
        if left is None:
            return True
        if not await left.close():
            return False
        self._drop(place, left)
        return True

    async def close(self) -> None:
        """Try no more."""
        for place in tuple(self._left):
            self._give_up(place)
        await self._tasks.close()

    async def _clear(self, place: Hashable, left: _Left) -> None:
        loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
        end_s = loop.time() + LEFT_FOR_S
        while loop.time() < end_s:
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
            if await left.close():
                logger.info("What was left at an SFU is taken away: %s", left.publisher.place)
                self._drop(place, left)
                return
        self._give_up(place)

    def _give_up(self, place: Hashable) -> None:
        left = self._left.get(place)
        if left is not None:
            logger.warning("An SFU may still have %s", left.publisher.place)
            self._drop(place, left)

    def _drop(self, place: Hashable, left: _Left) -> None:
        if self._left.get(place) is left:
            del self._left[place]
        if left.trying is not None and left.trying is not asyncio.current_task():
            left.trying.cancel()
