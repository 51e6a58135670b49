"""Who gets which of a session's streams: one encode for all, and smaller ones only if need be.

The full stream goes to every viewer whose link carries a third of what the best one carries, or
what the full stream takes anyway. A smaller one is made only while somebody's link carries less: of
half the sides down to a ninth of the best, of a quarter below. So the slowest viewer neither slows
the others down nor makes their pictures smaller. Down at once; up after a while, with room to
spare: each change costs a keyframe, of one stream.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace

from blustream_widget.core.worker_protocol import N_RENDITIONS, SmallerOutput
from blustream_widget.session.rendition import (
    LEFT_BEHIND,
    Need,
    Rendition,
    RenditionChooser,
    is_left_behind,
    rate_limit,
)

LOW_FPS = 15
"""Of the smallest stream: whoever gets it is served better by fewer pictures."""

_ROOM = 1.2  # of what is sent, for a viewer that is to stay in the full stream
_STEP_UP = 1.5  # as much more than needed before a viewer goes back to a larger stream
_STAY_S = 4.0
_N_RECENT = 60
_LONGEST_GAP_S = 0.1


class SentRate:
    """Bit rate of a stream while it moves: what it takes, not what it may take."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._frames: deque[tuple[float, int]] = deque(maxlen=_N_RECENT)  # time since the last one
        self._last_s = float("-inf")

    def add(self, n_bytes: int) -> None:
        """Take note of a frame."""
        now_s = self._clock()
        self._frames.append((min(now_s - self._last_s, _LONGEST_GAP_S), n_bytes))
        self._last_s = now_s

    @property
    def bps(self) -> float:
        """Rate; infinite while nothing is known."""
        seconds = sum(gap_s for gap_s, _ in self._frames)
        if len(self._frames) < _N_RECENT // 4 or seconds <= 0:
            return float("inf")
        return 8 * sum(n_bytes for _, n_bytes in self._frames) / seconds


class Ladder:
    """Places viewers on the streams, and says what each stream is to be.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Attributes
    ----------
    sent : SentRate
        Of the full stream.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._choosers = tuple(RenditionChooser(clock) for _ in range(N_RENDITIONS))
        self._places: dict[int, tuple[int, float]] = {}  # stream, and since when
        self._left_behind: frozenset[int] = frozenset()
        self._now = Rendition()
        self.sent = SentRate(clock)

    @property
    def now(self) -> Rendition:
        """What was chosen last."""
        return self._now

    def place(self, peer: int) -> int:
        """Stream of a viewer; 0 is the full one."""
        return self._places.get(peer, (0, 0.0))[0]

    def is_left_behind(self, peer: int) -> bool:
        """Whether even the smallest stream is too much for a viewer's link."""
        return peer in self._left_behind

    def choose(self, needs: Mapping[int, Need], pixels: int) -> Rendition:
        """Say what to make for viewers with these links and a pane of so many pixels."""
        self._move(needs, pixels)
        members: list[list[Need]] = [[] for _ in range(N_RENDITIONS)]
        for peer, need in needs.items():
            members[self.place(peer)].append(need)
        full = self._choosers[0].choose(members[0], pixels)
        smaller = tuple(
            self._smaller(n, members[n], pixels, full) for n in range(1, N_RENDITIONS) if members[n]
        )
        self._left_behind = frozenset(
            peer
            for peer, need in needs.items()
            if self.place(peer) == N_RENDITIONS - 1 and is_left_behind(need, members[-1])
        )
        self._now = replace(full, smaller=smaller)
        return self._now

    def _smaller(self, n: int, needs: list[Need], pixels: int, full: Rendition) -> SmallerOutput:
        chosen = self._choosers[n].choose(needs, pixels)
        max_fps = min(chosen.max_fps, full.max_fps)
        return SmallerOutput(
            rendition=n,
            bit_rate_bps=chosen.bit_rate_bps,
            max_fps=min(max_fps, LOW_FPS) if n == N_RENDITIONS - 1 else max_fps,
            scale=min(chosen.scale / full.scale, 0.5**n),
        )

    def _move(self, needs: Mapping[int, Need], pixels: int) -> None:
        now_s, limit = self._clock(), rate_limit(pixels)
        targets = {peer: min(need.target_bps, limit) for peer, need in needs.items()}
        best = max(targets.values(), default=0.0)
        takes = _ROOM * self.sent.bps
        before, self._places = self._places, {}
        for peer, need in needs.items():
            place, since_s = before.get(peer, (0, float("-inf")))
            wanted = place
            if need.is_jpeg or not need.is_known:
                wanted = 0
            elif (fitting := _fitting(targets[peer], best, takes)) >= place:
                wanted = fitting
            elif now_s - since_s > _STAY_S:
                wanted = min(_fitting(targets[peer] / _STEP_UP, best, takes), place)
            self._places[peer] = (wanted, now_s if wanted != place else since_s)


def _fitting(target_bps: float, best_bps: float, takes_bps: float) -> int:
    """Stream for a link, beside the best one and what the full stream takes."""
    if target_bps >= min(LEFT_BEHIND * best_bps, takes_bps):
        return 0
    return 1 if target_bps >= LEFT_BEHIND**2 * best_bps else 2
