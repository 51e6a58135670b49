"""How many frames a viewer may have on the way: enough to fill its link, too few to queue."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

import msgspec

from blustream_widget.transport.link_rate import LinkRate

FRAME_MS = 16.0
IN_FLIGHT_MIN, IN_FLIGHT_MAX = 3, 30
# Frames that the worker draws without a new state (finer data arrived) pass the limit by this much.
OVERRUN = 4
# A viewer that lives but acknowledges nothing (its decoder was reset) is taken as empty after this.
STALLED_S = 2.0
_SILENT_S, _LOOK_AGAIN_S = 0.3, 0.05
QUEUE_S = 0.045
"""So much may wait in front of the link. One frame always may."""
NARROW_QUEUE_S = 0.02
"""The same where the link was seen to be full: there a queue is the rule, not a moment's burst."""
_RTT_SAMPLES = 32


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """One of thousands a second: made in a tenth of a named tuple's time, and in no cycle."""

    frame_no: int
    at_s: float
    n_bytes: int


class AckPacer:
    """Counts frames that were sent and not acknowledged.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.
    link : LinkRate, optional
        Learns from the acknowledgements.
    stalled_s : float
        Without an acknowledgement for this long, and what the link needs for what is on the way, it
        is taken as lost.

    Attributes
    ----------
    link : LinkRate
    n_lost : int
        Frames that were never acknowledged.
    acks_every_s : float
        The viewer acknowledges at most so often; 0: each frame.

    Notes
    -----
    The limit is 2 frames and one more per 16 ms of round trip, and no more bytes than the link
    carries in its round trip and `QUEUE_S` (`NARROW_QUEUE_S` where what it carries was measured);
    both with what comes between two acknowledgements. The round trip is the *least* of the recent
    delays of acknowledgements: queueing makes delays longer, never shorter, and must not raise the
    limit that causes it.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        link: LinkRate | None = None,
        stalled_s: float = STALLED_S,
    ) -> None:
        self._clock = clock
        self._stalled_s = stalled_s
        self._in_flight: deque[_Sent] = deque()
        # Taken as lost; what comes after all says that the link is slow, not broken.
        self._late: deque[_Sent] = deque(maxlen=IN_FLIGHT_MAX)
        self._bytes = 0
        # Numbers of the frames that were on the way when a packet was missed.
        self._held_up = range(0)
        self._delays_ms: deque[float] = deque(maxlen=_RTT_SAMPLES)
        self._rtt_ms = 0.0
        self._frame_ms = FRAME_MS
        self._acknowledged_s = float("-inf")
        self.n_lost = 0
        self.acks_every_s = 0.0
        self.link = link or LinkRate(clock)

    @property
    def rtt_ms(self) -> float:
        """Least of the recent delays from frame to acknowledgement; 0 before the first."""
        return self._rtt_ms

    @property
    def is_answered(self) -> bool:
        """Whether any frame was acknowledged yet."""
        return bool(self._delays_ms)

    def seen_in_s(self, rest_s: float) -> float:
        """Time until the newest frame is acknowledged since `rest_s`; a guess while it is not."""
        self._forget_stalled()
        if self._in_flight:
            return _LOOK_AGAIN_S
        return max(self._acknowledged_s + rest_s - self._clock(), 0.0)

    @property
    def is_silent(self) -> bool:
        """Whether something was sent that should have been acknowledged long ago."""
        is_late = _SILENT_S + self.rtt_ms / 1000
        return bool(self._in_flight) and self._clock() - self._in_flight[0].at_s > is_late

    @property
    def limit(self) -> int:
        """Frames that may be on the way."""
        on_the_way_ms = self.rtt_ms + 1000 * self.acks_every_s
        return int(min(max(2 + on_the_way_ms / self._frame_ms, IN_FLIGHT_MIN), IN_FLIGHT_MAX))

    @property
    def in_flight(self) -> int:
        """Frames sent and not acknowledged."""
        return len(self._in_flight)

    @property
    def has_credit(self) -> bool:
        """Whether a new picture should be drawn for this viewer."""
        self._forget_stalled()
        return len(self._in_flight) < self.limit and self._has_room(1)

    @property
    def is_behind(self) -> bool:
        """Whether one frame more would be queueing."""
        if not self._in_flight:
            return False
        self._forget_stalled()
        n = len(self._in_flight)
        is_few = n < IN_FLIGHT_MIN + OVERRUN  # of every viewer and frame: the limit takes its time
        return (not is_few and n >= self.limit + OVERRUN) or not self._has_room(3)

    def pace(self, fps: int) -> None:
        """Expect so many frames a second: fewer fill the link's round trip."""
        self._frame_ms = max(FRAME_MS, 1000 / fps)
        self.link.frame_s = 1 / fps

    def sent(self, frame_no: int, n_bytes: int = 0) -> None:
        """Count a frame."""
        self._in_flight.append(_Sent(frame_no, self._clock(), n_bytes))
        self._bytes += n_bytes

    def acknowledged(self, frame_no: int, there_s: float | None = None) -> bool:
        """Take `frame_no` and all before it as arrived; False for a number that is not known.

        `there_s` is when it was there by the page's clock, if the page tells.
        """
        in_flight = self._in_flight
        if frame_no not in [sent.frame_no for sent in in_flight]:
            return self._acknowledged_late(frame_no, there_s)
        n_bytes, self._acknowledged_s = 0, self._clock()
        while True:
            sent = in_flight.popleft()
            n_bytes += sent.n_bytes
            if sent.frame_no == frame_no:
                break
        self._bytes -= n_bytes
        self._arrived(sent, n_bytes, there_s)
        return True

    def missed(self, frame_no: int) -> None:
        """Take note that a packet of `frame_no` is sent again: it and what follows come late."""
        on_the_way = [s.frame_no for s in self._in_flight if s.frame_no >= frame_no]
        if on_the_way:
            first = min(frame_no, self._held_up.start) if self._held_up else frame_no
            self._held_up = range(first, on_the_way[-1] + 1)

    def unsent(self, n: int) -> None:
        """Take the newest `n` frames back: they were dropped before they left."""
        for _ in range(min(n, len(self._in_flight))):
            self._bytes -= self._in_flight.pop().n_bytes

    def reset(self) -> None:
        """Forget what is on the way: the viewer starts again at a keyframe."""
        self._in_flight.clear()
        self._bytes = 0
        self.link.forget()

    def _arrived(self, sent: _Sent, n_bytes: int, there_s: float | None) -> None:
        if sent.frame_no >= self._held_up.stop:
            self._held_up = range(0)
        if sent.frame_no in self._held_up:
            self.link.held_up()
            return
        self._delays_ms.append((self._clock() - sent.at_s) * 1000.0)
        self._rtt_ms = min(self._delays_ms)
        if self.acks_every_s:
            n_bytes = sent.n_bytes  # those before it were there long ago
        self.link.acknowledged(n_bytes=n_bytes, sent_s=sent.at_s, there_s=there_s)

    def _acknowledged_late(self, frame_no: int, there_s: float | None) -> bool:
        for sent in self._late:
            if sent.frame_no == frame_no:
                self.link.acknowledged(n_bytes=sent.n_bytes, sent_s=sent.at_s, there_s=there_s)
                return True
        return False

    def _has_room(self, times: int) -> bool:
        if not self._in_flight:
            return True
        link = self.link
        if times == 1 and not link.is_known:
            return self._bytes < 1  # the first frame tells what the link carries: it goes alone
        queue_s = NARROW_QUEUE_S if link.is_measured else QUEUE_S
        return self._bytes < link.window_bytes(queue_s * times + self.acks_every_s)

    def _forget_stalled(self) -> None:
        waited_s = self._clock() - self._in_flight[-1].at_s if self._in_flight else 0.0
        if waited_s <= self._stalled_s:
            return
        # A slow or long link is given the time that it needs.
        link_s = min(8 * self._bytes / self.link.target_bps, 1.0) + min(self.rtt_ms / 500, 1.0)
        if waited_s > self._stalled_s + link_s:
            self.n_lost += len(self._in_flight)
            self._late.extend(self._in_flight)
            self.reset()
