"""A second process with everything loaded, which takes the server's place when that is killed.

Starting a server takes half a second of loading modules, on a quiet machine. Who has loaded them
already listens a few hundredths of a second after the death, also while the kernel, which would
start another server, is busy.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import socket
import sys

from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

KILL_AFTER_S = 1.0
_NOT_NEEDED = b"."


class Heir:
    """The waiting process, as the server sees it. Loop thread only.

    Parameters
    ----------
    worker_module : str
        Python module of its workers.
    """

    def __init__(self, worker_module: str) -> None:
        self._worker_module = worker_module
        self._process: asyncio.subprocess.Process | None = None
        self._ours: socket.socket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = TaskSet()

    def start_after(self, seconds: float) -> None:
        """Start it in the background, when others have had the processor; 0 = never."""
        if seconds <= 0:
            return
        self._timer = asyncio.get_running_loop().call_later(
            seconds, lambda: self._tasks.spawn(self._start(), name="heir")
        )

    async def dismiss(self) -> None:
        """Have it end, and wait for that: this server ends by itself."""
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.wait()
        process, ours = self._process, self._ours
        if ours is not None:
            with ours, contextlib.suppress(OSError):
                ours.send(_NOT_NEEDED)
        if process is None:
            return
        try:
            async with asyncio.timeout(KILL_AFTER_S):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _start(self) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            command = (sys.executable, "-P", "-m", "blustream_widget.server")
            options = ("--heir", str(theirs.fileno()), "--worker", self._worker_module)
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *command,
                    *options,
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                )
            except OSError as exc:
                logger.warning("Nobody waits to take this server's place: %s", exc.strerror)


def is_needed(descriptor: int) -> bool:
    """Load a server's modules, and block until the server at the other end is gone.

    False if it ended by itself and wants no successor.
    """
    for name in ("app", "hub", "main"):
        importlib.import_module(f"blustream_widget.server.{name}")
    said = os.read(descriptor, len(_NOT_NEEDED))
    os.close(descriptor)
    return said != _NOT_NEEDED
