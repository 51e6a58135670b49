"""The one place that starts threads: each has a name, and a death that somebody hears of."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import sys
import threading
from collections.abc import Callable

logger = logging.getLogger(__name__)

_M_ARENA_MAX = -8  # <malloc.h>


def start_thread(
    body: Callable[[], None],
    *,
    name: str,
    on_error: Callable[[BaseException], None] | None = None,
) -> threading.Thread:
    """Run `body` in a daemon thread called `name`.

    Parameters
    ----------
    body : callable
        Returns when the thread should end.
    name : str
        Seen in debuggers and in tests that look for leftovers; begins with "blustream-".
    on_error : callable, optional
        Called in the dying thread with what ended it. Without it the error is logged.
    """

    def run() -> None:
        try:
            body()
        except Exception as exc:
            if on_error is None:
                logger.exception("The thread %s died", name)
            else:
                on_error(exc)

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread


def use_one_heap() -> None:
    """Have all threads of this process share one heap; before it starts any.

    The C library gives each thread a heap of its own. Bricks are made by some threads and freed by
    others, and the holes that they leave in each heap were a third of the cache's budget.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError):  # not the GNU library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
