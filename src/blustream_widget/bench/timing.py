"""Time and processor time of something that is done over and over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from blustream_widget.bench.numbers import Record, summarize


@dataclass(slots=True)
class Timings:
    """Milliseconds of each call, by round.

    Parameters
    ----------
    cpu_ms, wall_ms : list of list of float
        Processor time of the whole process, all threads; and time.
    """

    cpu_ms: list[list[float]] = field(default_factory=list)
    wall_ms: list[list[float]] = field(default_factory=list)

    def record(self) -> Record:
        """Median, 95th percentile and noise of both."""
        return {**summarize(self.cpu_ms, "ms", "cpu"), **summarize(self.wall_ms, "ms", "wall")}


def measure(
    body: Callable[[int], object],
    before: Callable[[], object] = lambda: None,
    /,
    *,
    n: int,
    rounds: int,
    warm_up: int = 0,
) -> Timings:
    """Call `body(i)` for i below n, `rounds` times over, after calls that do not count.

    What is called `before` each does not count either.
    """
    for i in range(warm_up):
        before()
        body(i)
    timings = Timings()
    for _ in range(rounds):
        cpu_ms: list[float] = []
        wall_ms: list[float] = []
        for i in range(n):
            before()
            cpu_s, wall_s = time.process_time(), time.perf_counter()
            body(i)
            wall_ms.append(1000 * (time.perf_counter() - wall_s))
            cpu_ms.append(1000 * (time.process_time() - cpu_s))
        timings.cpu_ms.append(cpu_ms)
        timings.wall_ms.append(wall_ms)
    return timings
