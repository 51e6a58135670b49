"""Gives the session's token to pages, by messages that no notebook file keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

_AGAIN_S = 0.5
_TIMES = 120


class TokenGiver:
    """Sends the token to the open pages of a widget.

    A page asks for it when it starts. A kernel that runs a cell cannot hear that, so the token is
    also sent unasked, from the link thread, until a page has joined. It is not a trait, because
    traits are saved in the notebook.

    Parameters
    ----------
    send : callable
        `Widget.send(content)`.
    """

    def __init__(self, send: Callable[[dict[str, str]], None]) -> None:
        self._send = send
        self._token = ""
        self._n_left = _TIMES

    def give(self, token: str) -> None:
        """Send a new token; on the link thread."""
        is_first = not self._token
        self._token = token
        self._say()
        if is_first:
            self._repeat()

    def stop(self) -> None:
        """Send it unasked no more: a page has it, or the widget is closed."""
        self._n_left = 0

    def _repeat(self) -> None:
        with contextlib.suppress(RuntimeError):  # without a loop there is nothing to wait in
            asyncio.get_running_loop().call_later(_AGAIN_S, self._again)

    def _again(self) -> None:
        if self._n_left > 0:
            self._n_left -= 1
            self._say()
            self._repeat()

    def _say(self) -> None:
        self._send({"kind": "token", "token": self._token})
