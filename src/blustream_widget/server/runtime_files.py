"""Files by which kernels and Jupyter find the server. The version is in their names.

A kernel with another version of the package has a server of its own beside this one.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import socket
import time
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from blustream_widget._version import __version__
from blustream_widget.config import Config, runtime_dir

KEPT_S = 3 * 24 * 3600.0
"""For so long, at least, a session's edits wait for its kernel when their server was killed."""


class ServerAddress(NamedTuple):
    """Where the server listens, and what proves that somebody is its user."""

    socket_path: Path
    secret: str


class RuntimeFiles(NamedTuple):
    """Paths of one server's files, all in the runtime folder (mode 0700)."""

    socket: Path
    handover: Path
    info: Path
    lock: Path
    log: Path
    audit: Path
    kept: Path
    key: Path


def runtime_files(config: Config) -> RuntimeFiles:
    """Paths for this version of the package; the folder is made if need be.

    Raises
    ------
    ConfigError
        If the folder can be read by others.
    """
    folder = runtime_dir(config)
    stem = f"server-{__version__}"
    return RuntimeFiles(
        socket=folder / f"{stem}.sock",
        handover=folder / f"{stem}.hand",
        info=folder / f"{stem}.json",
        lock=folder / f"{stem}.lock",
        log=folder / f"{stem}.log",
        audit=folder / f"{stem}.audit",
        kept=folder / f"{stem}.kept",
        key=folder / f"{stem}.key",
    )


def read_address(files: RuntimeFiles) -> ServerAddress | None:
    """Read what the server wrote about itself; None if it has not (completely)."""
    try:
        info = json.loads(files.info.read_text())
        return ServerAddress(Path(info["socket"]), str(info["secret"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_privately(path: Path, data: bytes) -> None:
    """Write a file that nobody else may read; it appears when it is complete."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)


def answers(path: Path, *, timeout_s: float = 1.0) -> bool:
    """Whether a server answers HTTP on the UNIX socket `path`. Blocks for up to `timeout_s`."""
    request = b"GET / HTTP/1.1\r\nHost: blustream\r\nConnection: close\r\n\r\n"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(timeout_s)
            probe.connect(str(path))
            probe.sendall(request)
            return probe.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def is_locked(path: Path) -> bool:
    """Whether some server holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        # Shared: two that look at a time do not take each other for a server.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sweep(kept: Path, sessions: Collection[str]) -> None:
    """Remove what sessions left that nobody has opened again for days. Blocks."""
    oldest_s = time.time() - KEPT_S
    for folder in kept.iterdir() if kept.is_dir() else ():
        with contextlib.suppress(OSError):
            if folder.name not in sessions and _changed_s(folder) < oldest_s:
                shutil.rmtree(folder)


def _changed_s(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))
