"""A progress bar for a terminal, and plain lines where there is none; one for a notebook's cell."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Self, TextIO

_WIDTH = 30
_LINE_EVERY_S = 5.0
_CELL_EVERY_S = 0.1


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


@contextlib.contextmanager
def seen_progress(what: str) -> Iterator[Callable[[float], None]]:
    """Show how far a long work is to whoever waits: in the cell's output, or in the terminal.

    Parameters
    ----------
    what : str
        What is being done, in a few words.

    Yields
    ------
    callable
        Takes the share that is done, 0 to 1. Where nobody sees it, nothing is shown.
    """
    if _is_notebook():
        with _cell_bar(what) as show:
            yield show
    elif sys.stderr.isatty():
        with ProgressBar() as bar:
            yield lambda share: bar.show(share, what)
    else:
        yield lambda _share: None


@contextlib.contextmanager
def _cell_bar(what: str) -> Iterator[Callable[[float], None]]:
    """Show a bar below the cell, which goes when the work has ended."""
    import ipywidgets
    from IPython.display import display

    bar = ipywidgets.FloatProgress(
        0.0, min=0.0, max=1.0, description="0 %", layout={"width": "20em"}
    )
    box = ipywidgets.HBox([bar, ipywidgets.Label(what)])
    display(box)  # type: ignore[no-untyped-call]
    last_s = float("-inf")

    def show(share: float) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= _CELL_EVERY_S:
            last_s = now_s
            bar.value, bar.description = share, f"{share:.0%}"

    try:
        yield show
    finally:
        for part in (box, *box.children):
            part.close()


def _is_notebook() -> bool:
    """Whether cells of a notebook run here."""
    shell = sys.modules.get("IPython")
    found = None if shell is None else shell.get_ipython()
    return getattr(found, "kernel", None) is not None
