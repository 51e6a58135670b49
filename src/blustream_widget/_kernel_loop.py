"""Where observers run: on the kernel's own thread when it is free, never beside a running cell."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable

from blustream_widget._trait_lock import TRAIT_LOCK

logger = logging.getLogger(__name__)

_AGAIN_S, _AGAIN_MOST_S = 0.005, 0.1
_WAIT_S = 0.1


class KernelLoop:
    """The event loop of the thread that made it, or none (a plain script: calls run at once)."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._draining = threading.Lock()
        self._again_s, self._is_to_look = _AGAIN_S, False
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
            self._waiting.append(body)
            self._run_waiting()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(body)

    def _run_waiting(self) -> None:
        """Run what waits, in order: here, and now unless a user's thread sets something."""
        try:
            loop: asyncio.AbstractEventLoop | None = asyncio.get_running_loop()
        except RuntimeError:
            loop = None
        is_taken = TRAIT_LOCK.take(0.0 if loop is not None else _WAIT_S)
        if not is_taken and loop is not None:
            self._look_again(loop)
            return
        self._again_s = _AGAIN_S
        try:
            self._drain()
        finally:
            if is_taken:
                TRAIT_LOCK.give()

    def _drain(self) -> None:
        """Run all that waits; who finds another thread at it leaves it to that."""
        while self._waiting and self._draining.acquire(blocking=False):
            try:
                while self._waiting:
                    body = self._waiting.popleft()
                    try:
                        body()
                    except Exception:
                        logger.exception("An observer of a viewer failed")
            finally:
                self._draining.release()

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        """Soon, and less and less often: an observer may compute for minutes."""
        if self._is_to_look:
            return
        self._is_to_look = True

        def look() -> None:
            self._is_to_look = False
            self._run_waiting()

        loop.call_later(self._again_s, look)
        self._again_s = min(2 * self._again_s, _AGAIN_MOST_S)
