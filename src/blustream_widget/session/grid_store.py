"""Grids of followed horizons, in memory and on disk: another server takes them up from there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from blustream_widget.core.horizon_grid import HorizonGrid
from blustream_widget.errors import EditsDamagedError
from blustream_widget.session.journal import read_journal, write_journal
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

MOST_GRID_BYTES = 64 * 1024 * 1024
"""Of all grids of a session; the oldest go first."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(HorizonGrid)


class GridStore:
    """Grids by name. Loop thread only.

    Parameters
    ----------
    folder : Path or None
        Of their files; None: they are in memory alone.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._grids: dict[str, HorizonGrid] = {}
        self._tasks = TaskSet()
        # In the order of the calls: what was dropped is not written after that.
        self._disk = asyncio.Lock()
        self._waiting: list[Callable[[], None]] | None = None

    def recover(self) -> None:
        """Read what a former server kept, in the background."""
        if self._folder is not None and self._folder.is_dir():
            self._waiting = []
            self._tasks.spawn(self._recover(self._folder), name="horizons of a former server")

    def when_read(self, call: Callable[[], None]) -> None:
        """Call when what a former server kept is here: now, as a rule."""
        if self._waiting is None:
            call()
        else:
            self._waiting.append(call)

    def get(self, name: str) -> HorizonGrid | None:
        """Give a grid, or None if it is not kept any more."""
        return self._grids.get(name)

    def put(self, name: str, grid: HorizonGrid) -> None:
        """Keep a grid; the oldest go when there are too many."""
        self._grids[name] = grid
        if self._folder is not None:
            path = self._folder / name
            self._tasks.spawn(self._in_turn(lambda: _write(path, grid)), name="horizon")
        while sum(len(kept.codes) for kept in self._grids.values()) > MOST_GRID_BYTES:
            self.drop(next(iter(self._grids)))

    def drop(self, name: str) -> None:
        """Forget a grid."""
        del self._grids[name]
        if self._folder is not None:
            path = self._folder / name
            self._tasks.spawn(self._in_turn(lambda: _remove(path)), name="horizon's end")

    async def close(self) -> None:
        """Write what waits."""
        await self._tasks.wait()

    async def _in_turn(self, act: Callable[[], None]) -> None:
        async with self._disk:
            await asyncio.to_thread(act)

    async def _recover(self, folder: Path) -> None:
        grids = await asyncio.to_thread(_read_all, folder)
        self._grids = grids | self._grids
        waiting, self._waiting = self._waiting or [], None
        for call in waiting:
            call()


def _read_all(folder: Path) -> dict[str, HorizonGrid]:
    """Read the grids of a folder, the oldest first; one that is damaged is left out."""
    grids: dict[str, HorizonGrid] = {}
    paths = [path for path in folder.iterdir() if not path.suffix]
    for path in sorted(paths, key=lambda one: one.stat().st_mtime_ns):
        try:
            (record,) = read_journal(path)
            grids[path.name] = _decoder.decode(record)
        except (EditsDamagedError, msgspec.MsgspecError, ValueError, OSError) as exc:
            logger.warning("The horizon %s is damaged, and to be followed again: %s", path, exc)
    return grids


def _write(path: Path, grid: HorizonGrid) -> None:
    try:
        write_journal(path, [_encoder.encode(grid)])
    except OSError as exc:
        logger.warning("A horizon is kept in memory alone: %s", exc)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
