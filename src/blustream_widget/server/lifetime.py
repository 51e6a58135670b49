"""When the server ends by itself: some seconds after the last that used it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

# Whoever started the server waits for it at most this long, however short the grace is.
FIRST_USER_S = 10.0


class Lifetime:
    """Counts users: kernels' links, viewers' connections, sessions.

    Parameters
    ----------
    grace_s : float
        From the last user's leaving to the end. The first user has `FIRST_USER_S` to come.
    """

    def __init__(self, grace_s: float) -> None:
        self._grace_s = grace_s
        self._n_users = 0
        self._timer: asyncio.TimerHandle | None = None
        self.ended = asyncio.Event()
        self._arm(max(grace_s, FIRST_USER_S))

    def enter(self) -> None:
        """Count one user more."""
        self._n_users += 1
        self.close()

    def leave(self) -> None:
        """Count one user less."""
        self._n_users -= 1
        if self._n_users == 0:
            self._arm(self._grace_s)

    @contextmanager
    def user(self) -> Iterator[None]:
        """Count a user for the length of a `with` block."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def close(self) -> None:
        """Stop counting down."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def end(self) -> None:
        """End now."""
        self.ended.set()

    def _arm(self, wait_s: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(wait_s, self.ended.set)
