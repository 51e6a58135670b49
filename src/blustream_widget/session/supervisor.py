"""Keeps one session supplied with a worker: starts, replaces, gives back."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Literal, Protocol, TypeAlias

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.types import Capabilities
from blustream_widget.errors import BlustreamError, WorkerError, from_code
from blustream_widget.session.worker_process import WorkerProcess
from blustream_widget.session.workers import WorkerPool
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

WorkerStatus: TypeAlias = Literal["starting", "opening", "ready", "restarting", "failed", "idle"]

MAX_CRASHES, CRASH_WINDOW_S = 3, 10.0


class Supervised(Protocol):
    """The session, as its supervisor sees it. Loop thread."""

    def opening(self) -> wp.Open:
        """Tell what a new worker has to open."""

    def on_worker_message(self, message: wp.FromWorker) -> None:
        """Hear a message of the worker, other than `Ready` and a fatal `Failed`."""

    def on_worker_frame(self, data: bytes, rendition: int) -> None:
        """Hear a frame of the worker."""

    def on_worker_status(self) -> None:
        """Hear that `Supervisor.status` changed."""

    def on_worker_failed(self, error: BlustreamError) -> None:
        """Hear that there is no worker and will be none until `start` is called again."""


class Supervisor:
    """The worker of one session, whichever process it is at the moment.

    Parameters
    ----------
    pool : WorkerPool
    session : Supervised
    """

    def __init__(self, pool: WorkerPool, session: Supervised) -> None:
        self._pool = pool
        self._session = session
        self._worker: WorkerProcess | None = None
        self._crashes_s: deque[float] = deque(maxlen=MAX_CRASHES)
        self._tasks = TaskSet()
        self._is_closed = False
        self.status: WorkerStatus = "idle"
        self.capabilities = Capabilities()

    def start(self) -> None:
        """Get a worker and open the volume in it, in the background.

        No-op if there is one, and after `close`: nobody would end it.
        """
        if self.status in ("idle", "failed") and not self._is_closed:
            self._crashes_s.clear()
            self._set_status("starting")
            self._tasks.spawn(self._supply(), name="worker start")

    def send(self, message: wp.ToWorker, *, while_opening: bool = False) -> None:
        """Send to the worker, if it has the volume open, or at least was told to open it."""
        if self._worker is not None and (while_opening or self.status == "ready"):
            self._worker.send(message)

    def give_back(self) -> None:
        """End the worker in the background; `start` gets another one."""
        if self.status not in ("idle", "failed"):
            self._let_go("idle")

    async def close(self) -> None:
        """End the worker for good, and wait until its process is gone."""
        self._is_closed = True
        worker, self._worker = self._worker, None
        self.status = "idle"
        await self._tasks.close()
        if worker is not None:
            await worker.close()

    async def _supply(self) -> None:
        try:
            worker = await self._pool.take()
        except OSError as exc:
            self._fail(WorkerError(f"No worker process can be started: {exc.strerror}."))
            return
        if self.status not in ("starting", "restarting"):
            await worker.close()
            return
        self._worker = worker
        if self.status == "starting":
            self._set_status("opening")
        worker.send(self._session.opening())
        worker.listen(_Ear(self, worker))

    def heard(self, worker: WorkerProcess, message: wp.FromWorker) -> None:
        """Take a message of `worker`, which may be one that was let go."""
        if worker is not self._worker:
            return
        if isinstance(message, wp.Ready):
            self.capabilities = message.capabilities
            return
        if isinstance(message, wp.Failed) and message.fatal:
            self._fail(from_code(message.code, message.message, message.hint))
            return
        if isinstance(message, wp.EncoderChanged):
            self.capabilities = message.capabilities
        if isinstance(message, wp.Opened):
            self._set_status("ready")
        self._session.on_worker_message(message)

    def saw_frame(self, worker: WorkerProcess, data: bytes, rendition: int) -> None:
        """Take a frame of `worker`."""
        if worker is self._worker:
            self._session.on_worker_frame(data, rendition)

    def lost(self, worker: WorkerProcess) -> None:
        """Replace `worker`, which died; give up when its successors die as quickly."""
        if worker is not self._worker:
            return
        logger.warning("Worker %d died", worker.pid)
        self._crashes_s.append(time.monotonic())
        crashes = self._crashes_s
        if len(crashes) == MAX_CRASHES and crashes[-1] - crashes[0] < CRASH_WINDOW_S:
            hint = "Open another volume, or look into the server's log for the reason."
            self._fail(WorkerError("The worker process keeps dying.", hint=hint))
            return
        self._let_go("restarting")
        self._tasks.spawn(self._supply(), name="worker restart")

    def _fail(self, error: BlustreamError) -> None:
        self._let_go("failed")
        self._session.on_worker_failed(error)

    def _let_go(self, status: WorkerStatus) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            self._tasks.spawn(worker.close(), name="worker end")
        self._set_status(status)

    def _set_status(self, status: WorkerStatus) -> None:
        self.status = status
        self._session.on_worker_status()


class _Ear:
    """Listener that knows which worker speaks."""

    def __init__(self, supervisor: Supervisor, worker: WorkerProcess) -> None:
        self._supervisor = supervisor
        self._worker = worker

    def on_message(self, message: wp.FromWorker) -> None:
        self._supervisor.heard(self._worker, message)

    def on_frame(self, data: bytes, rendition: int) -> None:
        self._supervisor.saw_frame(self._worker, data, rendition)

    def on_end(self) -> None:
        self._supervisor.lost(self._worker)
