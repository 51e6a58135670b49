"""The least of recent values."""

from __future__ import annotations


class WindowedMin:
    """Least value of the last one to two windows.

    Parameters
    ----------
    window_s : float

    Attributes
    ----------
    value : float
        0 before the first.
    """

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._old = self._new = float("inf")
        self._since_s = float("-inf")
        self.value = 0.0

    def add(self, value: float, now_s: float) -> None:
        """Take note of a value."""
        if now_s - self._since_s > self._window_s:
            self._old, self._new, self._since_s = self._new, value, now_s
        else:
            self._new = min(self._new, value)
        self.value = min(self._old, self._new)
