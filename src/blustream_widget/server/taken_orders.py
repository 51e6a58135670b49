"""Which orders of which kernels were taken: one that comes again is not done again."""

from __future__ import annotations

MAX_KERNELS = 256
"""So many are remembered; the one that ordered longest ago is forgotten for another."""


class TakenOrders:
    """Remembers the newest order of each kernel. Loop thread only."""

    def __init__(self) -> None:
        self._newest: dict[str, int] = {}

    def take(self, kernel: str, n: int) -> bool:
        """Take order `n`; False: it was taken already, over a connection that broke since."""
        newest = self._newest.pop(kernel, 0)
        self._newest[kernel] = max(newest, n)
        if len(self._newest) > MAX_KERNELS:
            del self._newest[next(iter(self._newest))]
        return n > newest
