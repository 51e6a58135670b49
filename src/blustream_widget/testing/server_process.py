"""A server process for tests, with workers that need no volume, and nothing left of it after."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from blustream_widget.config import Config
from blustream_widget.server.discovery import find_or_start
from blustream_widget.server.runtime_files import ServerAddress, runtime_files
from blustream_widget.testing.waiting import wait_until

FAKE_WORKER = "blustream_widget.testing.fake_worker"


class ServerProcess:
    """A running server, seen from outside.

    Attributes
    ----------
    address : ServerAddress
    process : psutil.Process
    """

    def __init__(self, config: Config, worker_module: str) -> None:
        self.config = config
        self.files = runtime_files(config)
        self.address: ServerAddress = find_or_start(config, worker_module=worker_module)
        self.process = psutil.Process(json.loads(self.files.info.read_text())["pid"])

    @property
    def log(self) -> str:
        """Everything it logged."""
        return self.files.log.read_text()

    @property
    def is_running(self) -> bool:
        """Whether the process does anything; one that only waits to be reaped does not."""
        try:
            return bool(self.process.status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False

    def workers(self) -> list[psutil.Process]:
        """Its worker processes, the warm ones as well, oldest first; its heir is none."""
        children = [child for child in self.process.children() if not _is_heir(child)]
        return sorted(children, key=lambda child: (child.create_time(), child.pid))

    def wait_until_ended(self, *, timeout_s: float = 10.0) -> None:
        """Wait until the process is gone."""
        wait_until(lambda: not self.is_running, timeout_s=timeout_s, what="server's end")


def _is_heir(process: psutil.Process) -> bool:
    """Whether it waits to be the server; who has just ended does not."""
    try:
        return "--heir" in process.cmdline()
    except psutil.Error:
        return False


@contextmanager
def running_server(
    folder: Path, *, worker: str = FAKE_WORKER, **settings: object
) -> Iterator[ServerProcess]:
    """Run a server in `folder` (a short path, mode 0700) for the length of the block."""
    folder.chmod(0o700)
    config = Config(runtime_dir=str(folder), **settings)  # type: ignore[arg-type]  # a test's own
    server = ServerProcess(config, worker)
    try:
        yield server
    finally:
        if server.is_running:
            os.kill(server.process.pid, signal.SIGTERM)
            server.wait_until_ended()
