"""Find the user's server, or start it. Imported by kernels: standard library only."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec

from blustream_widget.config import Config, server_environment
from blustream_widget.errors import TransportError
from blustream_widget.server.runtime_files import (
    RuntimeFiles,
    ServerAddress,
    answers,
    is_locked,
    read_address,
    runtime_files,
)

__all__ = ["ServerAddress", "find_or_start", "find_server"]

START_TIMEOUT_S = 10.0
MAX_LOG_BYTES = 1024 * 1024
_STEP_S = 0.02


def find_server(config: Config) -> ServerAddress | None:
    """Address of the running server, or None. Blocks for milliseconds."""
    files = runtime_files(config)
    address = read_address(files)
    if address is None or not answers(address.socket_path):
        return None
    # Whoever answered may be the successor of the server whose secret we read.
    return address if read_address(files) == address else None


def find_or_start(config: Config, *, worker_module: str = "") -> ServerAddress:
    """Address of the running server; starts one if there is none. Blocks, at most 10 s.

    Parameters
    ----------
    config : Config
        A server that is started here gets these settings; one that runs keeps its own.
    worker_module : str
        Python module of its workers; "" = the real one (tests have a fake).

    Raises
    ------
    TransportError
        With the end of the server's log, if it does not answer in time.
    """
    if (address := find_server(config)) is not None:
        return address
    files = runtime_files(config)
    has_started = False
    never = threading.Event()
    end_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < end_s:
        # Whoever holds the lock is about to serve, in a killed one's place, or about to end.
        if not has_started and not is_locked(files.lock):
            _start(config, files, worker_module)
            has_started = True
        if (address := find_server(config)) is not None:
            return address
        never.wait(_STEP_S)
    raise TransportError(
        f"The server did not start within {START_TIMEOUT_S:g} s. {_log_tail(files.log)}",
        hint=f"Look into {files.log}.",
    )


def _start(config: Config, files: RuntimeFiles, worker_module: str) -> None:
    command = [sys.executable, "-P", "-m", "blustream_widget.server", "--detach"]
    if worker_module:
        command += ["--worker", worker_module]
    is_long = files.log.exists() and files.log.stat().st_size > MAX_LOG_BYTES
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | (os.O_TRUNC if is_long else 0)
    with os.fdopen(os.open(files.log, flags, 0o600), "wb") as log:
        # It forks and returns at once; nobody has to wait for the server itself.
        result = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=_environment(config),
            timeout=START_TIMEOUT_S,
            check=False,
        )
    if result.returncode != 0:
        raise TransportError(
            f"The server cannot be started. {_log_tail(files.log)}", hint=f"Look into {files.log}."
        )


def _environment(config: Config) -> dict[str, str]:
    env = server_environment()
    for field in msgspec.structs.fields(Config):
        value = getattr(config, field.name)
        if value != field.default:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            env[f"BLUSTREAM_{field.name.upper()}"] = text
    return env


def _log_tail(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return "Its log ends: " + " | ".join(lines[-3:]) if lines else ""
