"""Warm workers, ready for the next volume or for the place of one that died."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Sequence

from blustream_widget.session.worker_process import WorkerProcess
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

# A new spare starts only when the volume that took the last one has had time to show something:
# both would want the same processor cores.
REPLENISH_AFTER_S = 1.0


def worker_command(module: str = "blustream_widget.worker") -> tuple[str, ...]:
    """Command line of a worker. `-P`: a file `av.py` in the folder must not be imported."""
    return (sys.executable, "-P", "-m", module)


class WorkerPool:
    """Starts workers, some of them before they are needed.

    Parameters
    ----------
    command : sequence of str
        Of a worker; `--fd N` is appended.
    n_spare : int
        Workers kept warm.
    """

    def __init__(self, command: Sequence[str], *, n_spare: int) -> None:
        self._command = tuple(command)
        self._n_spare = n_spare
        self._spares: list[WorkerProcess] = []
        self._tasks = TaskSet()
        self._filling = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def warm(self) -> None:
        """Start the spare workers that are missing, in the background."""
        self._timer = None
        if not self._is_closed:
            self._tasks.spawn(self._fill(), name="spare workers")

    async def take(self) -> WorkerProcess:
        """Hand out a worker for good: a warm one if there is one.

        Raises
        ------
        OSError
            If no process can be started.
        """
        # One that is being started is nearer than one that is not.
        async with self._filling:
            for dead in self._take_dead():
                self._tasks.spawn(dead.close(), name="spare worker end")
            worker = self._spares.pop() if self._spares else await self._spawn()
        if self._timer is None and not self._is_closed:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(REPLENISH_AFTER_S, self.warm)
        return worker

    async def close(self) -> None:
        """End the spare workers; those that were taken are their takers'."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await self._tasks.close()
        spares, self._spares = self._spares, []
        await asyncio.gather(*(spare.close() for spare in spares))

    async def _fill(self) -> None:
        async with self._filling:
            await asyncio.gather(*(spare.close() for spare in self._take_dead()))
            while len(self._spares) < self._n_spare and not self._is_closed:
                try:
                    self._spares.append(await self._spawn())
                except OSError as exc:
                    logger.warning("No spare worker: %s", exc)
                    return

    def _take_dead(self) -> list[WorkerProcess]:
        dead = [spare for spare in self._spares if not spare.is_alive]
        self._spares = [spare for spare in self._spares if spare.is_alive]
        return dead

    async def _spawn(self) -> WorkerProcess:
        return await WorkerProcess.spawn(self._command)
