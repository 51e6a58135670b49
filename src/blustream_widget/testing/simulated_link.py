"""A link by formula with a clock of its own: one queue, a rate, a delay, losses; no network."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from blustream_widget.transport.link_rate import PACKET_BYTES
from blustream_widget.transport.pacing import AckPacer
from blustream_widget.transport.tcp_info import TcpInfo

Teller: TypeAlias = Literal["nobody", "tcp", "nack"]
"""Who says which packets were lost: nobody, the system below a socket, or a WebRTC receiver."""


PAGE_CLOCK_S = 12_345.0
"""The browser's clock is that much ahead."""


@dataclass
class SimulatedLink:
    """Frames in, acknowledgements back, in simulated time.

    Parameters
    ----------
    rate_bps : callable
        Rate of the link at a time in seconds.
    rtt_s : float
    page_s : float or callable
        The browser takes this long for each frame, one after the other; at a time in seconds.
    tells_there : bool
        The browser tells when it had a frame, by a clock of its own.
    jitter_s : float
        Mean of what is added to each delay.
    stall_s : float
        Every fourth frame finds the browser busy with other things, for this long on average.
    loss : float
        Share of packets that are lost. Each is sent again a round trip later, and what comes after
        it waits, as over TCP and as pictures do that build on each other.
    seed : int
    """

    rate_bps: Callable[[float], float]
    rtt_s: float = 0.02
    page_s: float | Callable[[float], float] = 0.0
    tells_there: bool = False
    jitter_s: float = 0.0
    stall_s: float = 0.0
    loss: float = 0.0
    seed: int = 1
    now_s: float = 0.0
    there_s: dict[int, float] = field(default_factory=dict)
    _free_s: float = 0.0
    _page_free_s: float = 0.0
    _random: random.Random = field(init=False)
    _due: list[tuple[float, int]] = field(default_factory=list)
    _missed: list[tuple[float, int]] = field(default_factory=list)
    _whole_s: float = 0.0
    _n_sent: int = 0
    _n_lost: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def clock(self) -> float:
        return self.now_s

    def send(self, frame_no: int, n_bytes: int) -> None:
        start = max(self.now_s, self._free_s)
        self._free_s = start + 8 * n_bytes / self.rate_bps(start)
        self._whole_s = max(self._free_s + self._repaired_s(frame_no, n_bytes), self._whole_s)
        jitter = self._random.expovariate(1 / self.jitter_s) if self.jitter_s else 0.0
        busy_s = self.page_s(self.now_s) if callable(self.page_s) else self.page_s
        there_s = self._whole_s + self.rtt_s / 2 + jitter
        if self.tells_there:
            self.there_s[frame_no] = PAGE_CLOCK_S + there_s
        if self.stall_s and self._random.random() < 0.25:
            busy_s += self._random.expovariate(1 / self.stall_s)
        self._page_free_s = max(there_s, self._page_free_s) + busy_s
        heapq.heappush(self._due, (self._page_free_s + self.rtt_s / 2, frame_no))

    def missed(self, until_s: float) -> list[int]:
        """Frames of which the receiver says, by then, that it misses a packet."""
        found = []
        while self._missed and self._missed[0][0] <= until_s:
            found.append(heapq.heappop(self._missed)[1])
        return found

    @property
    def counts(self) -> tuple[int, int]:
        """Packets that were sent, and how many of them were lost."""
        return self._n_sent, self._n_lost

    def tcp_info(self) -> TcpInfo:
        """Tell what the system would know of a connection over this link."""
        queue_s = max(self._free_s - self.now_s, 0.0)
        return TcpInfo(self.rtt_s + queue_s, 0, self._n_sent, self._n_lost, self.rtt_s)

    def _repaired_s(self, frame_no: int, n_bytes: int) -> float:
        """Time until all packets of a frame are there that were lost."""
        n_packets, n_rounds = math.ceil(n_bytes / PACKET_BYTES), 0
        self._n_sent += n_packets
        while n_lost := sum(self._random.random() < self.loss for _ in range(n_packets)):
            n_rounds += 1
            self._n_lost += n_lost
            heapq.heappush(self._missed, (self._free_s + n_rounds * self.rtt_s, frame_no))
            n_packets = n_lost
        return n_rounds * self.rtt_s

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


class _Sender:
    """A pacer at one end of a link, and what it hears from the other."""

    def __init__(self, link: SimulatedLink, told_by: Teller) -> None:
        self._link = link
        self._told_by = told_by
        self.pacer = AckPacer(link.clock)
        self.pacer.link.answered(link.rtt_s + (0.0 if callable(link.page_s) else link.page_s))
        self.ran = Ran()
        self._sent_s: dict[int, float] = {}
        self._told = (0, 0)

    def send(self, frame_no: int, n_bytes: int) -> None:
        self._sent_s[frame_no] = self._link.now_s
        self.pacer.sent(frame_no, n_bytes)
        self._link.send(frame_no, n_bytes)

    def hear(self, until_s: float) -> None:
        """Take acknowledgements, and what else is told, up to a time."""
        link, pacer = self._link, self.pacer
        for due_s, frame_no in link.arrived(until_s):
            link.now_s = due_s
            if self._told_by == "tcp":
                pacer.link.told(link.tcp_info())
            elif self._told_by == "nack":
                self._hear_missed(due_s)
            pacer.acknowledged(frame_no, link.there_s.get(frame_no))
            self.ran.times_s.append(due_s)
            self.ran.ages_s.append(due_s - self._sent_s[frame_no])
            self.ran.targets_bps.append(pacer.link.target_bps)
        link.now_s = until_s

    def _hear_missed(self, until_s: float) -> None:
        for frame_no in self._link.missed(until_s):
            self.pacer.missed(frame_no)
        (n_sent, n_lost), before = self._link.counts, self._told
        self._told = (n_sent, n_lost)
        self.pacer.link.counted(n_sent - before[0], n_lost - before[1])


def scrub(
    link: SimulatedLink,
    seconds: float,
    *,
    fps: int = 60,
    share: Callable[[float], float] = lambda _: 1.0,
    told_by: Teller = "nobody",
) -> tuple[Ran, AckPacer]:
    """Send frames of the size that the target allows, whenever the pacer has credit.

    `share` says which share of the allowed size a frame at a time has: simple pictures take less.
    """
    sender = _Sender(link, told_by)
    randomness = random.Random(2)
    for n in range(int(seconds * fps)):
        at_s = n / fps
        sender.hear(at_s)
        if not sender.pacer.has_credit:
            continue
        size = sender.pacer.link.motion_bps / 8 / fps * share(at_s) * randomness.uniform(0.7, 1.15)
        sender.send(n, max(int(size), 200))
    return sender.ran, sender.pacer


def steps(
    link: SimulatedLink, n_steps: int, *, pause_s: float = 0.07, told_by: Teller = "nobody"
) -> tuple[Ran, AckPacer]:
    """Send one frame at a time, of the size that the target allows, each when the last was seen."""
    sender = _Sender(link, told_by)
    for n in range(n_steps):
        sender.send(n, int(sender.pacer.link.motion_bps / 8 / 60))
        while len(sender.ran.times_s) <= n:
            sender.hear(link.now_s + 0.001)
        link.now_s += pause_s
    return sender.ran, sender.pacer
