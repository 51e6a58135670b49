"""A link by formula with a clock of its own: one queue, a rate, a delay, losses; no network."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from blustream_widget.transport.pacing import AckPacer


@dataclass
class SimulatedLink:
    """Frames in, acknowledgements back, in simulated time.

    Parameters
    ----------
    rate_bps : callable
        Rate of the link at a time in seconds.
    rtt_s : float
    page_s : float
        The browser takes this long for each frame, one after the other.
    jitter_s : float
        Mean of what is added to each delay.
    stall_s : float
        Every fourth frame finds the browser busy with other things, for this long on average.
    """

    rate_bps: Callable[[float], float]
    rtt_s: float = 0.02
    page_s: float = 0.0
    jitter_s: float = 0.0
    stall_s: float = 0.0
    now_s: float = 0.0
    _free_s: float = 0.0
    _page_free_s: float = 0.0
    _random: random.Random = field(default_factory=lambda: random.Random(1))
    _due: list[tuple[float, int]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now_s

    def send(self, frame_no: int, n_bytes: int) -> None:
        start = max(self.now_s, self._free_s)
        self._free_s = start + 8 * n_bytes / self.rate_bps(start)
        jitter = self._random.expovariate(1 / self.jitter_s) if self.jitter_s else 0.0
        busy_s = self.page_s
        if self.stall_s and self._random.random() < 0.25:
            busy_s += self._random.expovariate(1 / self.stall_s)
        self._page_free_s = max(self._free_s + self.rtt_s / 2 + jitter, self._page_free_s) + busy_s
        heapq.heappush(self._due, (self._page_free_s + self.rtt_s / 2, frame_no))

    def arrived(self, until_s: float) -> list[tuple[float, int]]:
        """Acknowledgements up to a time, as (time, frame number)."""
        found = []
        while self._due and self._due[0][0] <= until_s:
            found.append(heapq.heappop(self._due))
        return found


@dataclass
class Ran:
    """What happened in a simulated scrub: for each acknowledgement its time, age and the target."""

    times_s: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    targets_bps: list[float] = field(default_factory=list)

    def between(self, start_s: float, end_s: float) -> Ran:
        """Return what happened in a span of time."""
        rows = zip(self.times_s, self.ages_s, self.targets_bps, strict=True)
        kept = [row for row in rows if start_s <= row[0] < end_s]
        return Ran(*(list(column) for column in zip(*kept, strict=True))) if kept else Ran()


def scrub(
    link: SimulatedLink,
    seconds: float,
    *,
    fps: int = 60,
    share: Callable[[float], float] = lambda _: 1.0,
) -> tuple[Ran, AckPacer]:
    """Send frames of the size that the target allows, whenever the pacer has credit.

    `share` says which share of the allowed size a frame at a time has: simple pictures take less.
    """
    pacer = AckPacer(link.clock)
    pacer.link.answered(link.rtt_s + link.page_s)
    ran, sent_s = Ran(), dict[int, float]()
    randomness = random.Random(2)
    n_frames = int(seconds * fps)
    for n in range(n_frames):
        at_s = n / fps
        for due_s, frame_no in link.arrived(at_s):
            link.now_s = due_s
            pacer.acknowledged(frame_no)
            ran.times_s.append(due_s)
            ran.ages_s.append(due_s - sent_s[frame_no])
            ran.targets_bps.append(pacer.link.target_bps)
        link.now_s = at_s
        if not pacer.has_credit:
            continue
        size = pacer.link.target_bps / 8 / fps * share(at_s) * randomness.uniform(0.7, 1.15)
        n_bytes = max(int(size), 200)
        sent_s[n] = at_s
        pacer.sent(n, n_bytes)
        link.send(n, n_bytes)
    return ran, pacer
