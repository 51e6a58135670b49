"""What one session's viewers get to see while the picture moves, and what is said of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from blustream_widget.core.motion import SCALE_WORDS, SCALES
from blustream_widget.core.panes import picture_size
from blustream_widget.core.protocol import FrameFlags, FrameHeader
from blustream_widget.core.state import ViewState
from blustream_widget.session.rendition import (
    Rendition,
    RenditionChooser,
    is_left_behind,
    rate_text,
)
from blustream_widget.session.viewer import Viewer

# A page that takes this much longer than at its best shows pictures late, until it is this little.
_BUSY_S, _IDLE_S = 0.06, 0.03
_BUSY = "The browser is busy: it shows pictures late"
# Every acknowledgement asks; with many viewers that is thousands of times a second.
_INTERVAL_S = 0.05


class Quality:
    """Asks the viewers' links what they carry, and tells when what they get changes.

    Parameters
    ----------
    on_change : callable
        `held_back` says something else now.
    clock : callable
        Seconds, monotonic.
    """

    def __init__(
        self, on_change: Callable[[], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_change = on_change
        self._clock = clock
        self._chooser = RenditionChooser(clock)
        self._next_s = float("-inf")
        self._told: tuple[object, ...] = ()
        self._busy: frozenset[int] = frozenset()
        self._slow = ""

    def choose(self, viewers: Sequence[Viewer], state: ViewState) -> Rendition:
        """Say what the encoder has to make now."""
        now_s = self._clock()
        if now_s < self._next_s:
            return self._chooser.now
        self._next_s = now_s + _INTERVAL_S
        needs = {viewer: need for viewer in viewers if (need := viewer.need) is not None}
        all_needs = tuple(needs.values())
        rendition = self._chooser.choose(all_needs, math.prod(picture_size(state)))
        for viewer, need in needs.items():
            viewer.settle(rendition, is_left_behind=is_left_behind(need, all_needs))
        self._busy = frozenset(viewer.peer for viewer in needs if self._is_busy(viewer))
        self._tell(tuple(viewer.peer for viewer in needs if viewer.is_left_behind))
        return rendition

    def _is_busy(self, viewer: Viewer) -> bool:
        return viewer.pacer.link.page_s > (_IDLE_S if viewer.peer in self._busy else _BUSY_S)

    def saw(self, header: FrameHeader, state: ViewState) -> None:
        """Take note of a picture: one smaller than was asked for was too slow to draw."""
        is_video = not header.flags & (FrameFlags.STILL | FrameFlags.JPEG)
        if not is_video or header.revision != state.revision & 0xFFFFFFFF:
            return
        asked_px, _ = picture_size(state, self._chooser.now.scale)
        slow = ""
        if header.width_px < asked_px:
            width_px, height_px = picture_size(state)
            share = header.width_px / width_px
            words = SCALE_WORDS.get(min(SCALES, key=lambda scale: abs(scale - share)), "Smaller")
            size = f"{width_px} x {height_px}"
            slow = f"{words} in motion: {size} pixels take too long to draw"
        if slow != self._slow:
            self._slow = slow
            self._on_change()

    def held_back(self, viewer: Viewer | None) -> str:
        """Why a viewer's pictures in motion are smaller or fewer; "" if they are not."""
        if viewer is not None and viewer.is_left_behind:
            link = viewer.pacer.link
            carried = rate_text(link.carries_bps or link.target_bps)
            return f"Single pictures: your link carries {carried}, the others' much more"
        reason = self._slow or self._chooser.now.reason
        return reason or (_BUSY if viewer is not None and viewer.peer in self._busy else "")

    def _tell(self, left_behind: tuple[int, ...]) -> None:
        told = (left_behind, self._chooser.now.reason, self._busy)
        if told != self._told:
            self._told = told
            self._on_change()
