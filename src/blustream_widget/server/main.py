"""The server process from its start to its end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import logging.handlers
import os
import queue
import secrets
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blustream_widget._version import __version__
from blustream_widget.config import Config
from blustream_widget.errors import TransportError
from blustream_widget.server.handover import Handover, listen_privately
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.runtime_files import (
    RuntimeFiles,
    answers,
    runtime_files,
    write_privately,
)
from blustream_widget.server.succession import Heir
from blustream_widget.server.tokens import new_key
from blustream_widget.session.audit import AUDIT_LOG
from blustream_widget.session.workers import WorkerPool, worker_command
from blustream_widget.transport.ice_servers import IceServers

if TYPE_CHECKING:
    from aiohttp import web

    from blustream_widget.server.app import Routes

logger = logging.getLogger(__name__)

LOCK_TIMEOUT_S = 8.0
MAX_LOG_BYTES = 1024 * 1024
_BACKLOG = 128
_GARBAGE_THRESHOLDS = (20_000, 20, 100)
"""With a hundred viewers every frame makes hundreds of small tuples, none of them in a cycle. With
Python's own thresholds the server spends an eighth of its time looking for some."""


def run(
    config: Config,
    *,
    ice_servers: IceServers = (),
    worker_module: str = "blustream_widget.worker",
) -> None:
    """Serve until nobody needs the server any more, or until SIGTERM.

    Returns at once if another server of this version serves the same folder.

    Parameters
    ----------
    config : Config
    ice_servers : tuple of mappings
        RTCIceServer objects, checked.
    worker_module : str
        Python module of the worker process.
    """
    files = runtime_files(config)
    with _single_instance(files) as is_single:
        if is_single:
            with _logging_to(files, config.log_level):
                asyncio.run(_serve(config, files, ice_servers, worker_module))


async def _serve(
    config: Config, files: RuntimeFiles, ice_servers: IceServers, worker_module: str
) -> None:
    lifetime = Lifetime(config.server_grace_s)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, lifetime.end)
    pool = WorkerPool(worker_command(worker_module), n_spare=config.spare_workers)
    if config.spare_workers:
        # Whoever starts a server is about to open a volume: the worker's start takes longer than
        # ours, so it begins before aiohttp is imported.
        pool.warm()
        await asyncio.sleep(0)
    from aiohttp import web

    from blustream_widget.server.app import Routes
    from blustream_widget.server.hub import Hub

    hub = Hub(
        config,
        ice_servers=ice_servers,
        pool=pool,
        lifetime=lifetime,
        kept=files.kept,
        key=_token_key(files),
    )
    secret = secrets.token_urlsafe(32)
    routes = Routes(hub, lifetime, secret)
    runner = web.AppRunner(routes.make_app(), access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await _listen(runner, routes, files)
    _announce(files, secret)
    _look_for_garbage_seldom()
    heir = Heir(worker_module)
    heir.start_after(config.standby_s)
    try:
        await lifetime.ended.wait()
    finally:
        await heir.dismiss()
        # Gone from the folder first: who looks for a server now must start the next one.
        _remove(files)
        await hub.close_all("the server ends")
        if routes.handover is not None:
            await routes.handover.close()
        await runner.cleanup()
        logger.info("Server ended")


async def _listen(runner: web.AppRunner, routes: Routes, files: RuntimeFiles) -> None:
    from aiohttp import web

    # Of a server that was killed: its secret with our socket would be a door that nobody opens.
    _remove(files)
    await web.SockSite(runner, listen_privately(files.socket), backlog=_BACKLOG).start()
    assert runner.server is not None
    routes.handover = Handover(runner.server)
    routes.handover.listen(listen_privately(files.handover))


def _look_for_garbage_seldom() -> None:
    gc.freeze()  # what was imported stays: collections need not look at it
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def _remove(files: RuntimeFiles) -> None:
    for path in (files.info, files.socket, files.handover):
        path.unlink(missing_ok=True)


@contextmanager
def _single_instance(files: RuntimeFiles) -> Iterator[bool]:
    """Hold the lock for the length of the block; False if another server serves already."""
    descriptor = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    never = threading.Event()
    end_s = time.monotonic() + LOCK_TIMEOUT_S
    try:
        while True:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield True
                return
            if answers(files.socket):
                yield False
                return
            if time.monotonic() > end_s:
                raise TransportError("Another server holds the lock and does not answer.")
            # It is about to end: its place is ours in a moment.
            never.wait(0.05)
    finally:
        os.close(descriptor)


def _token_key(files: RuntimeFiles) -> bytes:
    """Secret of the tokens: a former server's, where it left sessions, so that theirs stay good."""
    with contextlib.suppress(OSError):
        if any(files.kept.iterdir()) and (key := files.key.read_bytes()):
            return key
    key = new_key()
    write_privately(files.key, key)
    return key


def _announce(files: RuntimeFiles, secret: str) -> None:
    info = {
        "pid": os.getpid(),
        "socket": str(files.socket),
        "secret": secret,
        "version": __version__,
    }
    write_privately(files.info, json.dumps(info).encode())
    logger.info("Server %s listens, process %d", __version__, os.getpid())


@contextmanager
def _logging_to(files: RuntimeFiles, level: str) -> Iterator[None]:
    """Log to files of bounded size, from threads: the loop never waits for a disk."""
    root = logging.getLogger()
    root.setLevel(logging.WARNING)
    logging.getLogger("blustream_widget").setLevel(level.upper())
    log_format = "%(asctime)s %(levelname)s %(name)s %(message)s"
    with _written(root, files.log, log_format), _written(AUDIT_LOG, files.audit, "%(message)s"):
        yield


class _PrivateFileHandler(logging.handlers.RotatingFileHandler):
    """Makes files that nobody else can read, also should their folder be opened to others."""

    def _open(self) -> Any:  # Any: as open() gives for a mode that is not written out
        return open(
            self.baseFilename,
            self.mode,
            encoding="utf-8",
            opener=lambda path, flags: os.open(path, flags, 0o600),
        )


@contextmanager
def _written(log: logging.Logger, path: Path, line_format: str) -> Iterator[None]:
    handler = _PrivateFileHandler(path, maxBytes=MAX_LOG_BYTES, backupCount=1, delay=True)
    handler.setFormatter(logging.Formatter(line_format))
    records: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
    listener = logging.handlers.QueueListener(records, handler)
    log.addHandler(queue_handler := logging.handlers.QueueHandler(records))
    listener.start()
    try:
        yield
    finally:
        log.removeHandler(queue_handler)
        listener.stop()
        handler.close()
