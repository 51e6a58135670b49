"""What one session's viewers get to see while the picture moves, and what is said of it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.core.motion import SCALE_WORDS, SCALES
from blustream_widget.core.panes import picture_size
from blustream_widget.core.state import ViewState
from blustream_widget.session.ladder import Ladder
from blustream_widget.session.rendition import Rendition, rate_text
from blustream_widget.session.viewer import Viewer
from blustream_widget.transport.frame import EncodedFrame

# A page that takes this much longer than at its best shows pictures late, until it is this little.
_BUSY_S, _IDLE_S = 0.06, 0.03
_BUSY = "The browser is busy: it shows pictures late"
# Every acknowledgement asks; with many viewers that is thousands of times a second.
_INTERVAL_S = 0.05
_INTERVAL_A_VIEWER_S = 0.002
_FEW_VIEWERS, _LOOK_S = 8, 0.15
"""With more viewers than these few, each link is thought over only so often, and where it has room
to spare, not every frame is acknowledged."""


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
        self._ladder = Ladder(clock)
        self._next_s = float("-inf")
        self._told: tuple[object, ...] = ()
        self._busy: frozenset[int] = frozenset()
        self._slow = ""

    def choose(self, viewers: Sequence[Viewer], state: ViewState) -> Rendition:
        """Say what the encoder has to make now."""
        now_s = self._clock()
        if now_s < self._next_s:
            return self._ladder.now
        self._next_s = now_s + max(_INTERVAL_S, _INTERVAL_A_VIEWER_S * len(viewers))
        looking = {viewer: need for viewer in viewers if (need := viewer.need) is not None}
        needs = {viewer.peer: need for viewer, need in looking.items()}
        rendition = self._ladder.choose(needs, math.prod(picture_size(state)))
        max_fps = {0: rendition.max_fps} | {s.rendition: s.max_fps for s in rendition.smaller}
        are_many = len(looking) > _FEW_VIEWERS
        sent_bps = self._ladder.sent.bps if are_many else None
        for viewer, need in looking.items():
            place = self._ladder.place(viewer.peer)
            viewer.settle(
                place,
                max_fps[place],
                is_left_behind=self._ladder.is_left_behind(viewer.peer),
                look_s=_LOOK_S if are_many else 0.0,
                spare_above_bps=None if place or need.is_jpeg else sent_bps,
                n_viewers=len(looking),
            )
        self._busy = frozenset(viewer.peer for viewer in looking if self._is_busy(viewer))
        self._tell(tuple((peer, self._held_back_alone(peer)) for peer in needs))
        return rendition

    def _is_busy(self, viewer: Viewer) -> bool:
        return viewer.pacer.link.page_s > (_IDLE_S if viewer.peer in self._busy else _BUSY_S)

    def saw(self, frame: EncodedFrame, state: ViewState) -> None:
        """Take note of a picture: one smaller than was asked for was too slow to draw."""
        header = frame.header
        is_video = not header.flags & (FrameFlags.STILL | FrameFlags.JPEG) and not frame.rendition
        if is_video:
            self._ladder.sent.add(len(frame.data))
        if not is_video or header.revision != state.revision & 0xFFFFFFFF:
            return
        asked_px, _ = picture_size(state, self._ladder.now.scale)
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
        if viewer is not None and (what := self._held_back_alone(viewer.peer)):
            link = viewer.pacer.link
            carried = rate_text(link.carries_bps or link.target_bps)
            return f"{what}: your link carries {carried}, the others' much more"
        reason = self._slow or self._ladder.now.reason
        return reason or (_BUSY if viewer is not None and viewer.peer in self._busy else "")

    def _held_back_alone(self, peer: int) -> str:
        """Say what one viewer gets of which others get more; "" if they do not."""
        if self._ladder.is_left_behind(peer):
            return "Single pictures"
        place = self._ladder.place(peer)
        for smaller in self._ladder.now.smaller:
            if smaller.rendition == place:
                share = self._ladder.now.scale * smaller.scale
                return SCALE_WORDS[min(SCALE_WORDS, key=lambda scale: abs(scale - share))]
        return ""

    def _tell(self, alone: tuple[tuple[int, str], ...]) -> None:
        told = (alone, self._ladder.now.reason, self._busy)
        if told != self._told:
            self._told = told
            self._on_change()
