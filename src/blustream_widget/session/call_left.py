"""A call's rooms that may be left at the SFU: remembered, and ended as soon as that answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TypeAlias

from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import SfuError, SfuRefusedError
from blustream_widget.session.call_kept import KeptRooms
from blustream_widget.sfu.videoroom import RoomName, end_rooms
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 10.0
"""Between tries to reach an SFU that does not answer: each is twice as long."""
LEFT_FOR_S = 600.0
"""So long it is tried; the next room and the next server try it again."""
MOST_LEFT = 20
"""Rooms that are remembered, of those that may be left at an SFU that does not answer."""

Sweep: TypeAlias = Callable[[CallSfu, Collection[RoomName]], Awaitable[None]]
"""Ends rooms that were left behind; raises `SfuError`."""


async def end_when_reached(
    settings: CallSfu,
    left: Callable[[], tuple[RoomName, ...]],
    gone: Callable[[tuple[RoomName, ...]], Awaitable[None]],
    *,
    sweep: Sweep = end_rooms,
) -> None:
    """Try to end what was left behind until that is done, for ten minutes at most.

    Parameters
    ----------
    settings : CallSfu
    left : callable
        Gives the rooms, anew for each try; none: there is nothing more to do.
    gone : callable
        Gets those that are there no more, which `left` gives no more then.
    sweep : callable, optional
    """
    loop, pause_s = asyncio.get_running_loop(), FIRST_PAUSE_S
    end_s = loop.time() + LEFT_FOR_S
    while names := left():
        try:
            await sweep(settings, names)
        except SfuError as exc:
            if isinstance(exc, SfuRefusedError) or loop.time() > end_s:
                logger.warning("%d rooms of former calls may be left: %s", len(names), exc)
                return
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
        else:
            logger.info("%d rooms of former calls are ended", len(names))
            await gone(names)


class CallRooms:
    """Which rooms of a session's calls are at the SFU, or may be. Loop thread only.

    Parameters
    ----------
    settings : CallSfu
    folder : Path or None
        Where they are kept for the next server; None: they are not.
    sweep : callable, optional
    """

    def __init__(self, settings: CallSfu, folder: Path | None, *, sweep: Sweep = end_rooms) -> None:
        self._settings, self._sweep = settings, sweep
        self._kept = KeptRooms(folder)
        self._names = self._kept.read()
        self._used: RoomName | None = None
        self._tasks = TaskSet()
        self._ending: asyncio.Task[None] | None = None

    @property
    def left(self) -> tuple[RoomName, ...]:
        """Those that nobody uses."""
        return tuple(name for name in self._names if name != self._used)

    async def use(self, name: RoomName) -> None:
        """Remember a room before it is made."""
        self._used = name
        self._names = [*self._names, name][-MOST_LEFT:]
        await self._kept.write(self._names)

    def leave(self, name: RoomName) -> None:
        """Take note that nobody uses it any more; it may be there."""
        if self._used == name:
            self._used = None

    async def forget(self, names: Collection[RoomName]) -> None:
        """Take note that these are there no more."""
        self._names = [name for name in self._names if name not in names]
        await self._kept.write(self._names)

    def end_left(self) -> None:
        """End what is left as soon as the SFU answers."""
        if self.left and (self._ending is None or self._ending.done()):
            ending = end_when_reached(
                self._settings, lambda: self.left, self.forget, sweep=self._sweep
            )
            self._ending = self._tasks.spawn(ending, name="end of former calls")

    async def close(self) -> None:
        """Try no more, and write nothing from now on."""
        await self._tasks.close()
        await self._kept.close()
