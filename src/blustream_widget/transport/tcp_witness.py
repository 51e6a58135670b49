"""What TCP itself says of a link: whether there is a queue in front of it, and what it lost."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from blustream_widget.transport.tcp_info import TcpInfo
from blustream_widget.transport.windowed_min import WindowedMin

NEAR_S = 0.002
"""Nearer than this no link is narrow."""

_ROUND_TRIP_S = 5.0
_OVERFLOW_S = 0.1  # longer than queues on the way stand that drop nothing
_TOLD_S = 0.5  # what TCP said is true for so long
# A receiver that is busy acknowledges late to TCP too.
_DELAYED_ACK_S = 0.04
# A new connection has found its network empty once, at its handshake; later it may be another one.
_YOUNG_S = 20.0


class Heard(NamedTuple):
    """What is new since the last time: `n_lost` of `n_sent` segments say that packets get lost."""

    round_trip_s: float
    n_sent: int
    n_lost: int


class TcpWitness:
    """Hears what the system knows of one connection, time and again.

    Attributes
    ----------
    is_near : bool
        Whether the connection ends near by.
    """

    def __init__(self) -> None:
        self.is_near = False
        self._round_trip = WindowedMin(_ROUND_TRIP_S)
        self._unsent_bytes: deque[int] = deque([0], maxlen=3)
        self._queue_s = 0.0
        self._told_at_s = float("-inf")
        self._first_told_s: float | None = None
        self._n_segments = self._n_lost = 0

    def heard(self, info: TcpInfo, now_s: float) -> Heard:
        """Take note of what the system says, of the network and of losses."""
        if self._first_told_s is None:
            self._first_told_s = now_s
        round_trip_s = info.round_trip_s
        if now_s - self._first_told_s < _YOUNG_S:
            # The first pictures may stand in a queue from the first one on, and all answers too.
            round_trip_s = min(round_trip_s, info.least_round_trip_s)
        self._round_trip.add(round_trip_s, now_s)
        n_sent, n_lost = info.n_segments - self._n_segments, info.n_lost - self._n_lost
        if n_sent <= 0:
            return Heard(round_trip_s, 0, 0)
        self._n_segments, self._n_lost = info.n_segments, info.n_lost
        # What a standing queue drops is the link's bound, which the queue tells of anyway.
        is_overflow = info.round_trip_s - self._round_trip.value > _OVERFLOW_S
        return Heard(round_trip_s, n_sent, 0 if is_overflow else max(n_lost, 0))

    def look_for_queue(self, info: TcpInfo, link_bps: float, now_s: float) -> None:
        """Take note of how long what is sent now waits, on a link of so many bits a second."""
        # What has just been written always waits for a moment.
        self._unsent_bytes.append(info.unsent_bytes)
        unsent_s = 8 * min(self._unsent_bytes) / link_bps
        risen_s = info.round_trip_s - self._round_trip.value
        self.is_near = info.least_round_trip_s < NEAR_S
        if self.is_near:
            risen_s = max(risen_s - _DELAYED_ACK_S, 0.0)
        self._queue_s = risen_s + unsent_s
        self._told_at_s = now_s

    def queue_s(self, now_s: float) -> float:
        """Queue of which was heard lately; infinite where nothing was."""
        return self._queue_s if now_s - self._told_at_s < _TOLD_S else float("inf")
