"""Where observers run: on the kernel's own thread when it is free, never beside a running cell."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


class KernelLoop:
    """The event loop of the thread that made it, or none (a plain script: calls run at once)."""

    def __init__(self) -> None:
        try:
            self._loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None

    @property
    def is_here(self) -> bool:
        """Whether the caller is the kernel's thread: a running cell, or what runs between cells."""
        try:
            return asyncio.get_running_loop() is self._loop
        except RuntimeError:
            return False

    def call(self, body: Callable[[], None]) -> None:
        """Run `body` on the kernel's thread when it is next idle; from any thread.

        What an observer raises there is logged: the caller is not to blame.
        """
        if self._loop is None:
            try:
                body()
            except Exception:
                logger.exception("An observer of a viewer failed")
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(body)
