"""Processes of which nothing runs for a while: a closed laptop's browser, a kernel in a call."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil


@contextmanager
def stopped(processes: Sequence[psutil.Process]) -> Iterator[None]:
    """Stop processes for the length of the block."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def kernels() -> list[psutil.Process]:
    """Kernels of notebooks that a Jupyter below this process has started."""
    below = psutil.Process().children(recursive=True)
    return [one for one in below if any("ipykernel" in word for word in _command(one))]


def browsers(pid: int) -> list[psutil.Process]:
    """All processes of a browser."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.NoSuchProcess):
        return list(process.cmdline())
    return []
