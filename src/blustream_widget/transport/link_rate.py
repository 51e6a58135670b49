"""How much one viewer's link carries, learned from what its frames and acknowledgements tell.

Fast down, careful up, and never more than the link was seen to carry. The model is one queue with a
fixed rate: a frame of `n` bytes leaves it `n / rate` after the frame before it, or after it came,
whichever is later. A slow browser is not taken for a slow network: where the page tells when a
frame was there, what it does with it afterwards does not count; elsewhere what does not depend on
the frame's size is learned apart. Nor is a network that loses packets: what waits until a lost
packet was sent again says nothing of what the link carries.

Long, because each decision here needs all that is told: frames, round trips, losses, TCP.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from blustream_widget.transport.contradiction import Contradiction
from blustream_widget.transport.loss_share import LossShare
from blustream_widget.transport.recent_frames import RecentFrame, RecentFrames, carried_bps
from blustream_widget.transport.service_time import ServiceTime
from blustream_widget.transport.tcp_info import TcpInfo
from blustream_widget.transport.tcp_witness import NEAR_S, TcpWitness
from blustream_widget.transport.windowed_min import WindowedMin

START_BPS = 8_000_000.0
"""Before anything is known: a first keyframe of 30 kB, which tells a lot."""

MIN_BPS = 150_000.0
MAX_BPS = 40_000_000.0

OVERUSE_MS = 35.0
"""A queue of this much is felt: the rate goes down."""

CALM_MS = 15.0
"""With less than this the rate may go up."""

_MOTION_SHARE = 0.65
"""Of a link that was seen to be full, for pictures in motion: the next one finds it empty. With all
of it they stood in a queue of 20 to 40 ms."""

_CUT = 0.85  # of what was carried, so that the queue empties
_STEP_DOWN = 0.7  # at most, when frames are too small to say what the link carries
_PROBE = 0.95  # of the rate that was too much: up to here quickly, beyond it slowly
_UP_PER_S, _PROBE_UP_PER_S = 0.25, 0.03
_WIDE_ENOUGH = 1.3  # by what large pictures take longer than small ones
_LARGEST_CUT = 0.35
_HOLD_S = 1.0
_CUT_AGAIN_S = 0.15
_HEAVY_LOSS, _LIGHT_LOSS = 0.10, 0.02
_LITTLE_LOSS = 0.005
PACKET_BYTES = 1200
FELT_S = 0.06
"""What takes this much longer is felt."""
_REPAIRS_AT_ONCE = 0.7  # half of the time none is under way
_LEAST_UNBROKEN_BPS = 500_000.0
_RECENT_S, _TRIED_S = 0.5, 1.0
_JUDGED_S, _MIN_JUDGED = 0.15, 3
# A frame that finds the link empty makes no queue: only if each one is late, the link is slow.
_MIN_JUDGED_ALONE = 6
_ALONE_OVERUSE_MS, _ALONE_CALM_MS = 25.0, 8.0  # so long the link is busy with one picture
_OWN_SHARE = 0.5  # a TCP connection with less of the round trip ends at somebody in between
_ANSWER_S = 0.005  # a page needs this long to answer even when nothing else runs
_MIN_ANSWERS = 3  # the first ones come from a page that is still being built
_FIRST_OVERUSE_MS = 250.0  # a decoder that has just been opened is slow by itself
_LEARN_S = 4.0
_TAKEN_BACK_S = 1.5  # a report comes within that time
_MAX_CUTS = 16  # in that time there are ten at most
_DECODE_S = 0.006  # a picture takes this much longer than an answer, at least on a slow machine
_BASE_S, _ROUND_TRIP_S = 10.0, 5.0
_TRAIN_BYTES = 20_000
"""So many bytes in recent frames say something about the link."""


class _Cut(NamedTuple):
    """What was believed before the rate was lowered because frames were late by `late_s`."""

    at_s: float
    late_s: float
    target_bps: float
    too_much_bps: float


class LinkRate:
    """The bit rate that one link carries without a queue.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.
    max_bps : float
        Never more than this.

    Attributes
    ----------
    frame_s : float
        Interval of the pictures, by which it is judged whether a rate is used at all.
    look_s : float
        While no queue is seen, the rate is thought over at most so often.
    ask : callable or None
        Tells of the TCP connection that the frames go by; asked where it may make a difference.
    is_late : bool
        Whether the frame that was acknowledged last stood in a queue of the link's.
    is_same_machine : bool
        There is no link: whatever is late, or lost, waited for a processor.

    Notes
    -----
    `acknowledged` costs some 40 microseconds, a quarter of that where it need not think; loop
    thread.
    """

    ask: Callable[[], TcpInfo | None] | None = None

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, max_bps: float = MAX_BPS
    ) -> None:
        self.frame_s = 1 / 60
        self.look_s = 0.0
        self.is_late = self.is_same_machine = False
        self._next_look_s = float("-inf")
        self._clock = clock
        self._max_bps = max_bps
        self._target_bps = min(START_BPS, max_bps)
        self._samples = RecentFrames()
        self._base = WindowedMin(_BASE_S)
        self._round_trip = WindowedMin(_ROUND_TRIP_S)
        self._least_answer_s = float("inf")
        self._n_answers = 0
        self._page_lead = WindowedMin(_BASE_S)
        self._service = ServiceTime()
        self._contradiction = Contradiction()
        self._cuts: deque[_Cut] = deque(maxlen=_MAX_CUTS)
        self._tells_there = False
        self._last_came_s = float("-inf")
        self._cut_s = self._hold_until_s = self._cut_again_s = float("-inf")
        self._grown_s = clock()
        self._too_much_bps = float("inf")
        self._losses = LossShare()
        self._tcp = TcpWitness()
        self._estimate_bps = float("inf")

    @property
    def target_bps(self) -> float:
        """What may be sent, in the long run."""
        return self._target_bps

    @property
    def motion_bps(self) -> float:
        """What pictures in motion may take.

        All that is carried while the link was never full. Afterwards so much less that a picture is
        there soon and does not wait for the one before it.
        """
        if not self.is_measured:
            return self._target_bps
        return max(_MOTION_SHARE * self._target_bps, min(self._target_bps, MIN_BPS))

    @property
    def base_s(self) -> float:
        """Least time from a frame to its acknowledgement; 0 before the first."""
        return self._base.value

    @property
    def round_trip_s(self) -> float:
        """The network's own round trip; 0 where nothing told it."""
        return self._round_trip.value

    @property
    def page_s(self) -> float:
        """How much longer than at its best the page had frames in the last second; the median."""
        return self._samples.page_s(self._clock())

    @property
    def loss(self) -> float:
        """Share of packets that were lost lately, 0 to 1; 0 where nothing tells."""
        return self._losses.value

    @property
    def is_loss_known(self) -> bool:
        """Whether enough packets were sent to tell how many get lost."""
        return self._losses.is_known

    def unbroken_bps(self, loss: float) -> float:
        """Rate at which no packet is being waited for during half of the time.

        Each lost packet holds up all that comes after it for a round trip, however much the link
        carries. What a round trip does not make late is not bounded.

        Parameters
        ----------
        loss : float
            Share of packets that are missed: `loss`, or less if each is sent twice.
        """
        round_trip_s = self.round_trip_s
        if round_trip_s < FELT_S or loss <= 0:
            return self._max_bps
        packets_a_s = _REPAIRS_AT_ONCE / (loss * round_trip_s)
        return min(max(8 * PACKET_BYTES * packets_a_s, _LEAST_UNBROKEN_BPS), self._max_bps)

    @property
    def is_known(self) -> bool:
        """Whether anything was acknowledged yet."""
        return bool(self._samples)

    @property
    def carries_bps(self) -> float | None:
        """What the link was seen to carry and no more; None where it was never full."""
        return self._too_much_bps if self._too_much_bps < self._max_bps else None

    @property
    def is_measured(self) -> bool:
        """Whether the link was full once, and a page tells when pictures are there.

        Then what it carries is known well even while pictures take only a part of it.
        """
        return self._tells_there and self.carries_bps is not None

    @property
    def is_narrow(self) -> bool:
        """Whether something large on its way would hold up what comes after it."""
        return self.carries_bps is not None or self.loss > _LITTLE_LOSS

    def window_bytes(self, queue_s: float) -> float:
        """Bytes that fill the link and add a queue of `queue_s`."""
        return self._target_bps / 8 * (self.base_s + queue_s)

    def acknowledged(self, *, n_bytes: int, sent_s: float, there_s: float | None = None) -> None:
        """Take note that `n_bytes` sent at `sent_s` are known to have arrived now.

        Parameters
        ----------
        n_bytes : int
        sent_s : float
        there_s : float, optional
            When the page had them, by its own clock. What it did with them since, and what held up
            its message, is no queue of the link's.
        """
        now = self._clock()
        may_judge = now >= self._next_look_s
        if may_judge:
            self._ask_tcp()
        self._tells_there |= there_s is not None
        page_s = 0.0 if there_s is None else self._page_time(there_s, now)
        came_s = max(now - page_s, sent_s)
        self._base.add(came_s - sent_s, now)
        base_s = self._base.value
        is_queued = sent_s + base_s < self._last_came_s
        # Alone on the link: what is not the network's own round trip is the frame's.
        alone_s = came_s - sent_s - self._round_trip.value
        service_s = came_s - self._last_came_s if is_queued else alone_s
        self._last_came_s = came_s
        if self._contradiction.came(sent_s, came_s):
            self._take_back(now)
        excess_s = came_s - sent_s - base_s
        self._samples.add(
            RecentFrame(now, n_bytes, max(service_s, 0.0), excess_s, is_queued, page_s)
        )
        self.is_late = False
        if may_judge or 1000 * excess_s > OVERUSE_MS:
            if not may_judge:
                self._ask_tcp()
            self.is_late = 1000 * self._queue_s(excess_s, now) > OVERUSE_MS
            self._next_look_s = now + self.look_s
            self._learn(now)
            self._adapt(now)

    def _ask_tcp(self) -> None:
        if self.ask is not None and (info := self.ask()) is not None:
            self.told(info)

    def held_up(self) -> None:
        """Take note of a frame that arrived late because a packet had to be sent again."""
        self._last_came_s = self._grown_s = self._clock()

    def answered(self, round_trip_s: float) -> None:
        """Take note of a round trip of something tiny, which no queue held up."""
        self._n_answers += 1
        self._least_answer_s = min(round_trip_s, self._least_answer_s)
        self._took(round_trip_s)

    def echoed(self, round_trip_s: float, sent_s: float) -> None:
        """Take note of a report that left at `sent_s` among the frames, and of its round trip.

        If a frame that left before it was back later, no queue held it up for the time between: a
        cut for its sake is taken back, and for a while so much of what is late counts for nothing.
        """
        self.answered(round_trip_s)
        if self._contradiction.answered(sent_s, sent_s + round_trip_s):
            self._take_back(self._clock())

    def counted(self, n_sent: float, n_lost: float) -> None:
        """Take note that of `n_sent` packets more `n_lost` did not arrive."""
        if self.is_same_machine:
            return
        self._losses.add(n_sent, n_lost)
        share = self._losses.take_fresh()
        if share is not None and share > _HEAVY_LOSS and self._clock() >= self._cut_again_s:
            self._reduce(self._target_bps * (1 - 0.5 * share))
            self._cuts.clear()  # whatever a queue's cut is worth, this one stays

    def told(self, info: TcpInfo) -> None:
        """Take note of what the system knows of the connection that the frames go by."""
        if self._ends_at_proxy(info):
            return  # which knows the rest of the way
        now = self._clock()
        heard = self._tcp.heard(info, now)
        if self._n_answers >= _MIN_ANSWERS:
            self._took(heard.round_trip_s)
        if heard.n_sent > 0:
            self.counted(heard.n_sent, heard.n_lost)
        self._tcp.look_for_queue(info, self._target_bps, now)

    def capped(self, bps: float) -> None:
        """Take note of the receiver's own estimate (REMB).

        It grows with what is sent and says nothing while that is less. So it counts only below
        that, and when something else says too that the link is full: loss, or a queue.
        """
        self._estimate_bps = bps

    def seed(self, bps: float, loss: float = 0.0, carries_bps: float | None = None) -> None:
        """Begin with what another path to the same viewer is known to carry, and to lose.

        `carries_bps`: what that was seen to carry and no more.
        """
        if self.is_same_machine:
            bps, loss, carries_bps = max(bps, self._target_bps), 0.0, None
        if not self._samples:
            self._target_bps = min(max(bps, MIN_BPS), self._max_bps)
            self._too_much_bps = carries_bps or self._too_much_bps
            self._losses.assume(loss)

    def forget(self) -> None:
        """Begin the queue anew: what was on the way is gone."""
        self._last_came_s = float("-inf")

    # -------------------------------------------------- the model

    def _took(self, round_trip_s: float) -> None:
        now = self._clock()
        self._round_trip.add(round_trip_s, now)
        self._base.add(round_trip_s + _DECODE_S, now)

    def _queue_s(self, late_s: float, now: float) -> float:
        """How much of the time that a frame was late is a queue, by what TCP said lately."""
        return min(self._queue_of(late_s, now), self._tcp.queue_s(now))

    def _queue_of(self, late_s: float, now: float) -> float:
        """How much of the time that a frame was late may be a queue, by what overtook frames."""
        if self.is_same_machine:
            return 0.0
        no_queue_s = self._contradiction.late_s(now)
        if no_queue_s == 0:
            return late_s
        waited_s = self._contradiction.round_trip_s(now) - self._least_answer_s
        return max(min(late_s - no_queue_s, waited_s), 0.0)

    def _take_back(self, now: float) -> None:
        """Undo the last cuts, up to one that a queue was the reason of."""
        while self._cuts and now - self._cuts[-1].at_s < _TAKEN_BACK_S:
            cut = self._cuts.pop()
            if 1000 * self._queue_of(cut.late_s, now) > self._overuse_ms:
                break
            self._target_bps, self._too_much_bps = cut.target_bps, cut.too_much_bps
        self._cuts.clear()

    def _page_time(self, there_s: float, now: float) -> float:
        """How much longer than the quickest frame one was in the page, and its message under way.

        The two clocks have nothing in common, so the least difference stands for that frame.
        """
        lead_s = now - there_s
        self._page_lead.add(lead_s, now)
        return lead_s - self._page_lead.value

    def _ends_at_proxy(self, info: TcpInfo) -> bool:
        """Whether a connection is not the page's own: its round trip is much shorter."""
        if self._n_answers < _MIN_ANSWERS:
            return False
        # A queue makes both grow; near by, a receiver that is busy makes TCP's own grow alone.
        is_near = info.least_round_trip_s < NEAR_S
        tcp_s = info.least_round_trip_s if is_near else info.round_trip_s
        return tcp_s < _OWN_SHARE * (self._least_answer_s - _ANSWER_S)

    def _learn(self, now: float) -> None:
        if not self._service.came():
            return
        # The link was another one before the rate was cut.
        age_s = min(_LEARN_S, now - self._cut_s) if self._tells_there else _LEARN_S
        self._service.learn(self._samples.newest(now, age_s))

    def _adapt(self, now: float) -> None:
        recent = self._samples.newest(now, _RECENT_S)
        # In a queue every frame is late; one that is not says that the late ones had other reasons.
        judged = self._samples.newest(now, _JUDGED_S)
        is_alone = len(judged) < _MIN_JUDGED
        if is_alone:
            judged = self._samples.newest(now, _LEARN_S)[-_MIN_JUDGED_ALONE:]
            if any(s.is_queued for s in judged[-_MIN_JUDGED:]):
                judged = judged[-_MIN_JUDGED:]
        recent = recent if len(recent) >= _MIN_JUDGED else judged
        queue_ms = 1000 * min(s.excess_s for s in judged)
        if not self._tells_there:
            # A queue of the page, not of the link: as many wait as are served in that time.
            queue_ms -= 1000 * self._service.fixed_s * min(len(recent), 2)
        if not (is_alone and self._tells_of_single_pictures):
            queue_ms = min(queue_ms, 1000 * self._tcp.queue_s(now))
        late_s, queue_ms = queue_ms / 1000, 1000 * self._queue_of(queue_ms / 1000, now)
        overuse_ms, calm_ms = (
            (_ALONE_OVERUSE_MS, _ALONE_CALM_MS) if is_alone else (self._overuse_ms, CALM_MS)
        )
        if queue_ms > (overuse_ms if len(judged) >= _MIN_JUDGED else _FIRST_OVERUSE_MS):
            self._overused(now, recent, late_s)
        elif queue_ms < calm_ms:
            self._calm(now, recent)
        else:
            self._grown_s = now

    @property
    def _overuse_ms(self) -> float:
        """Queue that is too much: where little of a link is used, one that would be none."""
        if not self.is_measured:
            return OVERUSE_MS
        return min(CALM_MS + 1000 * _MOTION_SHARE * self.frame_s, OVERUSE_MS)

    def _overused(self, now: float, recent: list[RecentFrame], late_s: float) -> None:
        self._grown_s = now
        queued = [s for s in recent if s.is_queued]
        carried = carried_bps(queued or recent, fixed_s=self._service.fixed_s)
        carried = min(carried, self._cap_bps(now))
        if now < self._cut_again_s or _CUT * carried > self._target_bps:
            return
        is_used = self._is_used(recent)
        self._cuts.append(_Cut(now, late_s, self._target_bps, self._too_much_bps))
        if is_used:
            self._too_much_bps = carried
        # Frames far below the target are slow too: go down, but not at once to what they say.
        step = _LARGEST_CUT if is_used else _STEP_DOWN
        self._reduce(max(_CUT * carried, step * self._target_bps))

    def _calm(self, now: float, recent: list[RecentFrame]) -> None:
        elapsed_s, self._grown_s = now - self._grown_s, now
        if now < self._hold_until_s or self.loss > _HEAVY_LOSS:
            return
        # Here the mean, stalls and all: frames that were held up come in a burst that says nothing.
        n_bytes = sum(s.n_bytes for s in recent)
        room = 0.7 * 8 * n_bytes / max(sum(s.service_s for s in recent), 1e-3)
        if n_bytes >= _TRAIN_BYTES and room > self._target_bps:
            # Frames that went through show that there is room: no need to feel for it.
            self._too_much_bps = max(self._too_much_bps, room)
            self._raise(min(room, 2 * self._target_bps))
        else:
            growth = self._growth_per_s(is_used=self._is_used(recent))
            bps = self._target_bps * (1 + growth * min(elapsed_s, 0.2))
            if bps > self._target_bps:
                self._raise(bps)
            else:
                self._target_bps = max(bps, MIN_BPS)

    def _growth_per_s(self, *, is_used: bool) -> float:
        """How quickly the rate may grow: up to what was too much, or as the sizes tell."""
        least_bps, most_bps = self._service.link_bps
        if self._tells_there and least_bps > _WIDE_ENOUGH * self._target_bps:
            self._too_much_bps = max(self._too_much_bps, self._target_bps)
            return _UP_PER_S
        if self.is_measured and most_bps < self._target_bps:
            return -_UP_PER_S
        if not is_used:  # what is not used is not tried either
            return 0.0
        is_probing = self._target_bps > _PROBE * self._too_much_bps
        return _PROBE_UP_PER_S if is_probing else _UP_PER_S

    @property
    def _tells_of_single_pictures(self) -> bool:
        """Whether single pictures that are late say that the link is slow, whatever TCP says.

        TCP sees no queue where each picture finds the link empty, however long it is on its way.
        Where hardly anything is lost, several in a row are not late because of losses; near by they
        are because somebody waits for the processor.
        """
        return self.loss <= _LIGHT_LOSS and not self._tcp.is_near

    def _cap_bps(self, now: float) -> float:
        """Return what the receiver believes the link to carry, if more than that was tried."""
        tried_bps = (
            8 * sum(sample.n_bytes for sample in self._samples.newest(now, _TRIED_S)) / _TRIED_S
        )
        return self._estimate_bps if self._estimate_bps < tried_bps else float("inf")

    def _is_used(self, recent: list[RecentFrame]) -> bool:
        """Whether frames are about as large as they may be."""
        mean_bytes = sum(s.n_bytes for s in recent) / max(len(recent), 1)
        return mean_bytes > 0.5 * self.motion_bps / 8 * self.frame_s

    def _raise(self, bps: float) -> None:
        if self.loss > _LIGHT_LOSS:
            bps = min(bps, max(self._cap_bps(self._clock()), self._target_bps))
        self._target_bps = min(max(bps, self._target_bps), self._max_bps)

    def _reduce(self, bps: float) -> None:
        now = self._clock()
        self._target_bps = min(max(bps, MIN_BPS), self._target_bps)
        self._cut_s, self._hold_until_s = now, now + _HOLD_S
        # What is on the way was sent at the old rate and says nothing of the new one.
        self._cut_again_s = now + _CUT_AGAIN_S + self.base_s
