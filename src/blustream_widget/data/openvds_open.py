"""Opens a VDS: a cloud volume within a limit of time, trying again while its storage is busy."""

from __future__ import annotations

import queue
import random
import threading
from typing import Any

import openvds

from blustream_widget.data.openvds_errors import OPENVDS_ERRORS, translate, unanswered
from blustream_widget.data.paths import scheme_of
from blustream_widget.data.retry import backoff_s
from blustream_widget.errors import StorageUnreachableError
from blustream_widget.runtime import start_thread

# OpenVDS itself waits for ever for a storage that takes a connection and keeps silent.
_SILENT_S = 20.0
_ATTEMPTS = 3


def open_vds(url: str, connection: str, name: str, *, silent_s: float = _SILENT_S) -> Any:
    """Open an address or a file; returns an openvds.core.VDS, which has no types.

    Raises
    ------
    VolumeError, ConfigError
        By kind; the message shows `name`, nothing of the connection or the address.
    """
    if not scheme_of(url):
        try:
            return openvds.open(url, connection)
        except OPENVDS_ERRORS as exc:
            raise translate(exc, name) from exc
    never, attempt = threading.Event(), 0
    # Azure's SDK has made pauses of its own; the others' has tried five times without any.
    attempts = 1 if scheme_of(url) == "azure" else _ATTEMPTS
    while True:
        attempt += 1
        try:
            return _open_within(url, connection, name, silent_s)
        except _SilentError:
            raise unanswered(name) from None
        except StorageUnreachableError:
            if attempt == attempts:
                raise
            never.wait(backoff_s(attempt, random.random()))


class _SilentError(Exception):
    """The time is up."""


def _open_within(url: str, connection: str, name: str, limit_s: float) -> Any:
    answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
    is_late = threading.Event()

    def work() -> None:
        try:
            result = openvds.open(url, connection)
        except OPENVDS_ERRORS as exc:
            result = translate(exc, name)
        answer.put(result)
        # Taken by nobody any more: closed here.
        if is_late.is_set():
            try:
                late = answer.get_nowait()
            except queue.Empty:
                return
            if not isinstance(late, Exception):
                openvds.close(late)

    start_thread(work, name="blustream-vds-open")
    try:
        result = answer.get(timeout=limit_s)
    except queue.Empty:
        is_late.set()
        raise _SilentError from None
    if isinstance(result, Exception):
        # Without the cause: its text holds the address, which can be signed.
        raise result from None
    return result
