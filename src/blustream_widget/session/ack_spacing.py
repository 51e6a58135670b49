"""Has a viewer among many acknowledge some of its frames, while its network has room to spare."""

from __future__ import annotations

import time
from collections.abc import Callable

from blustream_widget.core.ack_messages import AckPace
from blustream_widget.transport.link_rate import LinkRate

SPACED_S = 0.12
"""Of four frames one, at 30 a second: the fourth one comes after 133 ms."""

MANY_VIEWERS, SPACED_FOR_MANY_S = 50, 0.19
"""With more viewers than these, of six frames one."""

SPACED_LOOK_S = 0.5
"""A link of which some frames are acknowledged is thought over so often, as long as none is late:
what that takes (40 µs, and a call of the system) was half of what an acknowledgement cost."""

_ROOM = 1.5  # of what is sent
_AGAIN_S = 2.0
_ON_THE_WAY_S = 1.0  # until a page that was told has heard it, at the latest


class AckSpacing:
    """How often one viewer acknowledges: each frame, as its link is learned by, or fewer.

    Parameters
    ----------
    tell : callable
        Send a message to the viewer.
    clock : callable
        Seconds, monotonic.

    Notes
    -----
    With a hundred viewers acknowledgements are most of what the server has to do. A link that
    carries much more than is sent tells nothing new with each of them; the first one that is late
    ends it, and every frame is acknowledged for a while.
    """

    def __init__(
        self, tell: Callable[[AckPace], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._every_s = 0.0
        self._ended_s = self._late_s = float("-inf")

    @property
    def is_spaced(self) -> bool:
        """Whether the viewer need not acknowledge each frame now."""
        return self._every_s > 0

    @property
    def allowance_s(self) -> float:
        """Time between two acknowledgements that has to be reckoned with."""
        is_heard = self._clock() - self._ended_s > _ON_THE_WAY_S
        return 0.0 if not self._every_s and is_heard else max(self._every_s, SPACED_S)

    def settle(self, link: LinkRate, *, sent_bps: float | None, n_viewers: int) -> None:
        """Look whether the link has room to spare.

        `sent_bps` is what the viewer gets, in bits a second; None: each acknowledgement counts.
        """
        every_s = SPACED_S if n_viewers <= MANY_VIEWERS else SPACED_FOR_MANY_S
        is_calm = self._clock() - self._late_s > _AGAIN_S
        is_wide = sent_bps is not None and link.target_bps > _ROOM * sent_bps
        self._set(every_s if is_wide and is_calm and link.is_known else 0.0)

    def acknowledged(self, link: LinkRate) -> None:
        """Take note of an acknowledgement."""
        if self._every_s and link.is_late:
            self._late_s = self._clock()
            self._set(0.0)

    def _set(self, every_s: float) -> None:
        if every_s != self._every_s:
            self._every_s = every_s
            if not every_s:
                self._ended_s = self._clock()
            self._tell(AckPace(every_ms=round(1000 * every_s)))
