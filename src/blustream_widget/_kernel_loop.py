"""Where observers run: on the kernel's own thread when it is free, never beside a running cell."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import traitlets as t

logger = logging.getLogger(__name__)

_AGAIN_S = 0.005

TURN = threading.RLock()
"""Held while traits change: what a thread sets must not go under in what another one takes over.
One for all viewers, because an observer of one may set another. The link's thread never waits for
it: whoever has it may wait for the link."""


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
        if not TURN.acquire(blocking=loop is None):
            assert loop is not None
            loop.call_later(_AGAIN_S, self._run_waiting)
            return
        try:
            while self._waiting:
                body = self._waiting.popleft()
                try:
                    body()
                except Exception:
                    logger.exception("An observer of a viewer failed")
        finally:
            TURN.release()
