"""Wait for something that another process does and sends no event for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(
    condition: Callable[[], T | None],
    *,
    timeout_s: float,
    what: str | Callable[[], str],
    every_s: float = 0.05,
) -> T:
    """Return the first truthy value of `condition`, which is asked again and again.

    Raises
    ------
    TimeoutError
        Names `what` did not come about within `timeout_s`; a function is asked only then.
    """
    never = threading.Event()
    end = time.monotonic() + timeout_s
    while True:
        if value := condition():
            return value
        if time.monotonic() > end:
            missing = what() if callable(what) else what
            raise TimeoutError(f"Waited {timeout_s:g} s in vain: {missing}.")
        never.wait(every_s)
