"""Who may change traits now: a user sets them on one thread, they follow the server on another."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

import traitlets as t

_WAIT_S = 0.1


class TraitLock:
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
        self._at_block_end: deque[Callable[[], None]] = deque()

    def take(self, timeout_s: float = _WAIT_S) -> bool:
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

    def at_block_end(self, call: Callable[[], None]) -> None:
        """Call once when some block of `hold_trait_notifications` has ended, on its thread."""
        self._at_block_end.append(call)

    def block_ended(self) -> None:
        """Call what waits for the end of a block."""
        for _ in range(len(self._at_block_end)):
            with contextlib.suppress(IndexError):  # another thread's block ended, too
                self._at_block_end.popleft()()


TRAIT_LOCK = TraitLock()
"""Of this kernel. The link's thread never waits for it: whoever has it may wait for the link."""


class LockedTraits(t.HasTraits):
    """Traits that a user sets on one thread while they follow the server on another.

    Between the lines of a block of `hold_trait_notifications` the lock is free: it may take
    minutes, or wait for what runs on the same thread. Whoever follows looks at `is_held`.
    """

    # What a user set in the block that runs or ends, by name. Who observes it, and posts what is
    # set, takes its name away; what is left was set to what it was.
    _set_in_block: dict[str, Any] | None = None

    @property
    def is_held(self) -> bool:
        """Whether a block holds notifications: what is set in it is not told to anybody yet."""
        return bool(self._cross_validation_lock)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or not self.has_trait(name):
            super().__setattr__(name, value)
            return
        with TRAIT_LOCK:
            super().__setattr__(name, value)
            if self.is_held and self._set_in_block is not None:
                self._set_in_block[name] = getattr(self, name)

    def set_trait(self, name: str, value: Any) -> None:
        with TRAIT_LOCK:
            super().set_trait(name, value)

    def hold_trait_notifications(self) -> Any:  # Any: as traitlets has it
        return _Block(self, super().hold_trait_notifications())

    def _take_set_in_block(self, name: str) -> bool:
        """Whether a user set it in the block that ends; True once."""
        there = self._set_in_block
        return there is not None and there.pop(name, there) is not there

    def _said(self, name: str, value: Any) -> None:
        """Take note that a user set a trait in a block to what it was."""


class _Block(contextlib.AbstractContextManager[None]):
    """A block of `hold_trait_notifications`, whose begin and end are in the lock."""

    def __init__(self, traits: LockedTraits, held: Any) -> None:
        self._traits, self._held = traits, held
        self._is_outer = False
        self._of_outer: dict[str, Any] | None = None

    def __enter__(self) -> None:
        with TRAIT_LOCK:
            self._is_outer = not self._traits.is_held
            self._held.__enter__()
            if self._is_outer:
                # While another block ends, what follows has blocks of its own.
                self._of_outer, self._traits._set_in_block = self._traits._set_in_block, {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        try:
            with TRAIT_LOCK:
                is_handled: bool | None = self._held.__exit__(kind, error, traceback)
                if self._is_outer and kind is None:
                    for name, value in dict(self._traits._set_in_block or {}).items():
                        self._traits._said(name, value)
        finally:
            if self._is_outer:
                self._traits._set_in_block = self._of_outer
            TRAIT_LOCK.block_ended()
        return is_handled
