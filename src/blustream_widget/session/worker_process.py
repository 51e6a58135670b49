"""One worker process: started with its end of a socket pair, ended without remains."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Sequence

from blustream_widget.config import worker_environment
from blustream_widget.core import worker_protocol as wp
from blustream_widget.session.framing import WorkerListener, WorkerSocket

logger = logging.getLogger(__name__)

KILL_AFTER_S = 1.0


class WorkerProcess:
    """A worker, from its start to its end. What it says before somebody listens is kept.

    Use `spawn`.
    """

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._socket = WorkerSocket(self)
        self._listener: WorkerListener | None = None
        self._early: list[wp.FromWorker] = []
        self._has_ended = False

    @classmethod
    async def spawn(cls, command: Sequence[str]) -> WorkerProcess:
        """Start `command --fd N`, N being the descriptor of the worker's socket.

        Raises
        ------
        OSError
            If the process cannot be started.
        """
        ours, theirs = socket.socketpair()
        worker = cls()
        try:
            with theirs:
                # From the loop's own thread: a worker asks Linux to be killed with its parent
                # *thread*, and a pool thread may end.
                worker._process = await asyncio.create_subprocess_exec(
                    *command,
                    "--fd",
                    str(theirs.fileno()),
                    pass_fds=[theirs.fileno()],
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.DEVNULL,
                    env=worker_environment(),
                )
            await asyncio.get_running_loop().create_unix_connection(
                lambda: worker._socket, sock=ours
            )
        except BaseException:
            ours.close()
            await worker.close()
            raise
        logger.info("Worker %d started", worker.pid)
        return worker

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether its socket is open."""
        return not self._has_ended

    def listen(self, listener: WorkerListener) -> None:
        """Send everything to `listener` from now on, beginning with what came before."""
        self._listener = listener
        early, self._early = self._early, []
        for message in early:
            listener.on_message(message)
        if self._has_ended:
            listener.on_end()

    def send(self, message: wp.ToWorker) -> None:
        """Write a message; nothing happens when the worker is gone."""
        self._socket.send(message)

    async def close(self) -> None:
        """End the process: close its socket, and kill it if it is still there after a second."""
        self._listener = None
        self._socket.close()
        process = self._process
        if process is None:
            return
        try:
            async with asyncio.timeout(KILL_AFTER_S):
                await process.wait()
        except (TimeoutError, asyncio.CancelledError) as exc:
            logger.warning("Worker %d did not end by itself and is killed", process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            if isinstance(exc, asyncio.CancelledError):
                raise

    # -------------------------------------------------- WorkerListener

    def on_message(self, message: wp.FromWorker) -> None:
        if self._listener is not None:
            self._listener.on_message(message)
        elif not self._has_ended and len(self._early) < 16:
            self._early.append(message)

    def on_frame(self, data: bytes, rendition: int) -> None:
        if self._listener is not None:
            self._listener.on_frame(data, rendition)

    def on_end(self) -> None:
        self._has_ended = True
        if self._listener is not None:
            self._listener.on_end()
