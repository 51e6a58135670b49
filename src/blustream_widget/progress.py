"""A progress bar for a terminal, and plain lines where there is none."""

from __future__ import annotations

import sys
import time
from typing import Self, TextIO

_WIDTH = 30
_LINE_EVERY_S = 5.0


class ProgressBar:
    """Show how far a long work is; one instance per work.

    Parameters
    ----------
    out : text stream
        A terminal gets one line that is drawn again, anything else a line every 5 s.
    """

    def __init__(self, out: TextIO = sys.stderr) -> None:
        self._out = out
        self._started_s = time.monotonic()
        self._last_s = float("-inf")
        self._drawn = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._drawn and self._out.isatty():
            print(file=self._out)

    def show(self, fraction: float, what: str = "") -> None:
        """Draw `fraction` (0 to 1) and what is being done."""
        now_s = time.monotonic()
        terminal = self._out.isatty()
        wait_s = 0.1 if terminal else _LINE_EVERY_S
        if fraction < 1.0 and now_s - self._last_s < wait_s:
            return
        self._last_s, self._drawn = now_s, True
        fraction = min(max(fraction, 0.0), 1.0)
        left_s = (now_s - self._started_s) * (1 / fraction - 1) if fraction > 0.02 else None
        left = f"{left_s:4.0f} s left" if left_s is not None and fraction < 1.0 else ""
        bar = "#" * round(fraction * _WIDTH)
        text = f"[{bar:<{_WIDTH}}] {fraction:4.0%} {what:<24.24} {left:<12}"
        print(
            f"\r{text}" if terminal else text.rstrip(), end="" if terminal else "\n", file=self._out
        )
        self._out.flush()
