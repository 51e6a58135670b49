"""Which pictures an encoder makes: bit rate, size and frame rate, and why.

One encode serves all viewers of a stream (`session.ladder` says who is in which). **The rule:** the
rate is that of the slowest viewer whose link carries at least a third of what the best one in the
stream carries. A viewer of the smallest stream with less than that gets keyframes alone, at most
one a second.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from blustream_widget.core.motion import MIN_PIXELS, SCALE_WORDS
from blustream_widget.core.worker_protocol import SmallerOutput
from blustream_widget.transport.link_rate import LinkRate

LEFT_BEHIND = 1 / 3
"""A viewer whose link carries less than this share of the best one's does not count."""

MAX_BPS_720P = 20_000_000
_PIXELS_720P = 1280 * 720

FLOOR_BITS_PER_PIXEL = 0.1
"""With fewer bits a section falls into blocks: then there are fewer pixels, or fewer pictures."""

_NARROW_LARGE_BITS_PER_PIXEL, _NARROW_BITS_PER_PIXEL = 0.22, 0.075
"""On a link that was full. A picture of more than half the sides must be worth the time that it is
longer on its way, drawn and decoded; a smaller one is no sooner there."""

_NARROW_MOST_BITS_PER_PIXEL = 0.25
"""More makes a picture late that is good enough: the exact one comes at rest."""

JPEG_BITS_PER_PIXEL = 1.4
"""JPEG has no choice: so many it takes."""

MAX_REPEATED_BPS = {2: 5_000_000, 3: 1_300_000}
"""Of pictures that are sent so often. More is paid for by server, network and browser with each
copy, and of few packets less often one is late that all that come after it wait for."""

_LARGE_SCALE = 0.5

_STEP_UP = 1.25  # as much more than needed before the picture grows again
_STAY_S = 2.0
_RATE_STEP = 1.12  # hardware encoders answer each change of their rate with a keyframe

_Rungs: TypeAlias = tuple[tuple[float, int], ...]

_RUNGS: _Rungs = (
    (1.0, 60),
    (0.75, 60),
    (0.5, 60),
    (0.5, 30),
    (0.375, 30),
    (0.25, 30),
    (0.25, 15),
    (0.25, 8),
)
# A network that loses packets delivers in bursts: fewer pictures, which can be looked at.
_LOSSY_RUNGS: _Rungs = (
    (1.0, 60),
    (0.75, 60),
    (0.75, 30),
    (0.5, 30),
    (0.5, 15),
    (0.375, 15),
    (0.25, 15),
    (0.25, 8),
)
_LOSSY_BITS_PER_PIXEL = 0.15


@dataclass(frozen=True, slots=True)
class Rendition:
    """What the encoder makes while the picture moves.

    Parameters
    ----------
    bit_rate_bps : int
    max_fps : int
    scale : float
        Of both sides of the pane.
    reason : str
        For people; "" while nothing is held back.
    smaller : tuple of SmallerOutput
        What is encoded beside it, for viewers whose links carry much less.
    """

    bit_rate_bps: int = MAX_BPS_720P
    max_fps: int = 60
    scale: float = 1.0
    reason: str = ""
    smaller: tuple[SmallerOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What one viewer's link says.

    Parameters
    ----------
    target_bps : float
        What may be sent to it.
    carries_bps : float or None
        What its link was seen to carry and no more.
    is_jpeg : bool
    loss : float
        Share of packets that its network loses, where that and not the link bounds the rate.
    is_known : bool
        Whether anything came over the link yet that tells of it.
    is_measured : bool
        Whether the link was full once, and pictures leave it empty since.
    """

    target_bps: float
    carries_bps: float | None = None
    is_jpeg: bool = False
    loss: float = 0.0
    is_known: bool = True
    is_measured: bool = False

    @classmethod
    def of(cls, link: LinkRate, *, is_jpeg: bool = False, copies: int = 1) -> Need:
        """Say what a link needs on which so many `copies` of each packet are sent.

        Over a long network that loses packets, the rate that it carries is not the one at which
        pictures come in time: a picture of few packets comes whole more often, and the fewer there
        are a second, the longer none is waited for.
        """
        may_send_bps = link.target_bps if is_jpeg else link.motion_bps
        may_send_bps /= copies
        loss_bps = link.unbroken_bps(link.loss**copies)
        if copies in MAX_REPEATED_BPS:
            loss_bps = min(loss_bps, MAX_REPEATED_BPS[copies])
        is_broken = loss_bps < may_send_bps
        return cls(
            min(may_send_bps, loss_bps),
            link.carries_bps,
            is_jpeg=is_jpeg,
            loss=link.loss if is_broken else 0.0,
            is_known=link.is_known,
            is_measured=link.is_measured,
        )


def rate_limit(pixels: int) -> float:
    """Bits a second that pictures of so many pixels may have, whatever the link carries."""
    return min(MAX_BPS_720P * max(1.0, pixels / _PIXELS_720P), 2 * MAX_BPS_720P)


def session_need(needs: Sequence[Need]) -> Need | None:
    """Choose the viewer whose link counts: see the rule above."""
    if not needs:
        return None
    best = max(need.target_bps for need in needs)
    counted = [need for need in needs if need.target_bps >= LEFT_BEHIND * best]
    return min(counted, key=lambda need: need.target_bps)


def is_left_behind(need: Need, needs: Sequence[Need]) -> bool:
    """Whether the session's rate takes no notice of this viewer."""
    return need.target_bps < LEFT_BEHIND * max(other.target_bps for other in needs)


class RenditionChooser:
    """Turns the rate of the links into a picture that survives it.

    Parameters
    ----------
    clock : callable
        Seconds, monotonic.

    Notes
    -----
    Down at once, up after a while and with room to spare: each change of the size costs a keyframe.
    While the link was never seen to be full, nor to lose packets, up at once too.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rung = 0
        self._rungs = _RUNGS
        self._lossy_until_s = float("-inf")
        self._changed_s = float("-inf")
        self._now = Rendition()

    @property
    def now(self) -> Rendition:
        """What was chosen last."""
        return self._now

    def choose(self, needs: Sequence[Need], pixels: int) -> Rendition:
        """Say what to make for viewers with these links and a pane of so many pixels."""
        need = session_need(needs)
        if need is None:
            return self._now
        rate_bps = min(need.target_bps, rate_limit(pixels))
        self._move(replace(need, target_bps=rate_bps), pixels)
        scale, fps = self._rungs[self._rung]
        if need.is_measured and not need.is_jpeg:
            shown = _shown_pixels(pixels, scale)
            rate_bps = min(rate_bps, _NARROW_MOST_BITS_PER_PIXEL * shown * fps)
        carries_bps = need.carries_bps or need.target_bps
        cause = lossy_text(need.loss) if need.loss else f"the link carries {rate_text(carries_bps)}"
        self._now = Rendition(
            bit_rate_bps=_quantised(rate_bps),
            max_fps=fps,
            scale=scale,
            reason=self._reason(scale, fps, cause),
        )
        return self._now

    def _move(self, need: Need, pixels: int) -> None:
        now, rate_bps = self._clock(), need.target_bps
        if need.loss:
            self._lossy_until_s = now + _STAY_S
        is_lossy = now < self._lossy_until_s
        self._rungs = _LOSSY_RUNGS if is_lossy else _RUNGS
        per_pixel = large_per_pixel = _LOSSY_BITS_PER_PIXEL if is_lossy else FLOOR_BITS_PER_PIXEL
        if need.is_jpeg:
            per_pixel = large_per_pixel = JPEG_BITS_PER_PIXEL
        elif need.is_measured:
            large_per_pixel = _NARROW_LARGE_BITS_PER_PIXEL
            per_pixel = per_pixel if is_lossy else _NARROW_BITS_PER_PIXEL
        wanted = _rung_for(self._rungs, rate_bps, pixels, per_pixel, large_per_pixel)
        if wanted < self._rung and (need.carries_bps is not None or is_lossy):
            may_grow = now - self._changed_s > _STAY_S
            roomy = _rung_for(self._rungs, rate_bps / _STEP_UP, pixels, per_pixel, large_per_pixel)
            wanted = min(roomy, self._rung) if may_grow else self._rung
        if wanted != self._rung:
            self._rung, self._changed_s = wanted, now

    @staticmethod
    def _reason(scale: float, fps: int, cause: str) -> str:
        held = [SCALE_WORDS.get(scale, ""), f"{fps} pictures a second" if fps < 60 else ""]
        words = ", ".join(filter(None, held))
        return f"{words}: {cause}" if words else ""


def rate_text(bps: float) -> str:
    """Rate for people: "2 Mbit/s", "0.7 Mbit/s"."""
    mbps = bps / 1e6
    return f"{mbps:.0f} Mbit/s" if mbps >= 1.95 else f"{mbps:.1f} Mbit/s"


def lossy_text(loss: float) -> str:
    """Losses for people: "the network loses 5 % of the packets"."""
    return f"the network loses {max(100 * loss, 1):.0f} % of the packets"


def _shown_pixels(pixels: int, scale: float) -> float:
    return min(max(pixels * scale**2, MIN_PIXELS), pixels)


def _rung_for(
    rungs: _Rungs, rate_bps: float, pixels: int, per_pixel: float, large_per_pixel: float
) -> int:
    for number, (scale, fps) in enumerate(rungs):
        bits = large_per_pixel if scale > _LARGE_SCALE else per_pixel
        if bits * _shown_pixels(pixels, scale) * fps <= rate_bps:
            return number
    return len(rungs) - 1


def _quantised(bps: float) -> int:
    return int(_RATE_STEP ** math.floor(math.log(bps) / math.log(_RATE_STEP)))
