"""Rooms of calls that a killed server left at the SFU: its successor ends them, kernels or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from blustream_widget.config import Config
from blustream_widget.errors import ConfigError
from blustream_widget.session.call_kept import KeptRooms
from blustream_widget.session.call_left import Sweep, end_when_reached
from blustream_widget.session.call_relay import call_sfu_of
from blustream_widget.sfu.videoroom import RoomName, end_rooms
from blustream_widget.transport.tasks import TaskSet


class LeftCalls:
    """Ends them as soon as the SFU answers, in ten minutes at most. Loop thread only.

    A session that is opened again sees to its own, and a room that two end is ended once.

    Parameters
    ----------
    config : Config
    kept : Path or None
        Folder with a folder of each session that a former server left; None: none did.
    is_open : callable
        Whether a session is open again.
    sweep : callable, optional
        For tests.
    """

    def __init__(
        self,
        config: Config,
        kept: Path | None,
        is_open: Callable[[str], bool],
        *,
        sweep: Sweep = end_rooms,
    ) -> None:
        self._config, self._folder, self._is_open, self._sweep = config, kept, is_open, sweep
        self._left: dict[str, tuple[KeptRooms, list[RoomName]]] = {}
        self._tasks = TaskSet()

    def begin(self) -> None:
        """Begin in the background, if there may be something."""
        if self._config.call_sfu and self._folder is not None:
            self._tasks.spawn(self._end_all(self._folder), name="end of calls left behind")

    async def close(self) -> None:
        """Try no more."""
        await self._tasks.close()

    async def _end_all(self, folder: Path) -> None:
        try:
            settings = call_sfu_of(self._config)
        except ConfigError:
            return  # each session says so
        if settings is not None:
            self._left = await asyncio.to_thread(_read, folder)
            await end_when_reached(settings, self._names, self._gone, sweep=self._sweep)

    def _names(self) -> tuple[RoomName, ...]:
        self._left = {name: one for name, one in self._left.items() if not self._is_open(name)}
        return tuple(room for _kept, rooms in self._left.values() for room in rooms)

    async def _gone(self, names: tuple[RoomName, ...]) -> None:
        del names  # all of those who are still to be asked for
        self._names()
        for kept, _rooms in self._left.values():
            kept.discard()
        self._left = {}


def _read(folder: Path) -> dict[str, tuple[KeptRooms, list[RoomName]]]:
    found: dict[str, tuple[KeptRooms, list[RoomName]]] = {}
    for session in folder.iterdir() if folder.is_dir() else ():
        kept = KeptRooms(session)
        if rooms := kept.read():
            found[session.name] = kept, rooms
    return found
