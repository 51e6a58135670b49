"""Where observers run: on the kernel's own thread when it is free, never beside a running cell."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import traitlets as t

logger = logging.getLogger(__name__)

_AGAIN_S, _AGAIN_MOST_S = 0.005, 0.1
_TURN_S = 0.1


class Turn:
    """Held while traits change: what one thread sets must not go under in what another takes over.

    One for all viewers, because an observer of one may set another. Observers run in it, and may
    wait for a thread that sets a trait: so nobody waits for it longer than a moment.
    """

    def __init__(self) -> None:
        self.renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        """Be free: the thread that has it stayed in the process that was forked."""
        self._lock = threading.RLock()
        self._of_thread = threading.local()

    def take(self, timeout_s: float = _TURN_S) -> bool:
        """Wait for it, so long at most; False: another thread has it still."""
        return self._lock.acquire(timeout=timeout_s)

    def give(self) -> None:
        """Let others have it, if it was taken as often as it is given."""
        self._lock.release()

    def __enter__(self) -> None:
        taken = self._of_thread.__dict__.setdefault("taken", [])
        taken.append(self.take())

    def __exit__(self, *_: object) -> None:
        if self._of_thread.taken.pop():
            self.give()


TURN = Turn()
"""Of this kernel. The link's thread never waits for it: whoever has it may wait for the link."""


class InTurn(t.HasTraits):
    """Traits that a user sets on one thread while they follow the server on another."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or not self.has_trait(name):
            super().__setattr__(name, value)
            return
        with TURN:
            super().__setattr__(name, value)


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
        is_taken = TURN.take(0.0 if loop is not None else _TURN_S)
        if not is_taken and loop is not None:
            self._look_again(loop)
            return
        self._again_s = _AGAIN_S
        try:
            self._drain()
        finally:
            if is_taken:
                TURN.give()

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
