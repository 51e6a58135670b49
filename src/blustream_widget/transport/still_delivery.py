"""The lossless picture of the view as it is now, until one viewer has it whole."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, TypeAlias

from blustream_widget.transport.channel import Channel
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.link_rate import LinkRate
from blustream_widget.transport.pacing import AckPacer
from blustream_widget.transport.still_parts import StillParts

SEEN_S = 0.15
"""On a narrow link the lossless picture waits until the last one was seen for so long: a hand that
goes on when it sees the picture must not find the link busy."""

_LOOK_AGAIN_S = 0.25
"""A viewer that acknowledges nothing is taken as empty after a while, which nothing tells of."""

_Stage: TypeAlias = Literal["none", "held", "waiting", "sent"]


class StillDelivery:
    """Sends the newest still when there is room for it, and again if it was dropped on the way.

    Parameters
    ----------
    channel : Channel
    pacer : AckPacer
        Of the video on this channel.
    other_pacer : callable
        Of the video that goes another way over the same network; None if it does not.
    is_elsewhere : callable
        The viewer takes its video by that other way: then there need be no room here.

    Notes
    -----
    The worker makes one still of a view. Who drops one that is true yet has to send it again, since
    nobody else will. So it is kept until the viewer has it, or until another view is drawn.
    """

    def __init__(
        self,
        channel: Channel,
        pacer: AckPacer,
        *,
        other_pacer: Callable[[], AckPacer | None],
        is_elsewhere: Callable[[], bool],
    ) -> None:
        self._channel = channel
        self._pacer = pacer
        self._other_pacer = other_pacer
        self._is_elsewhere = is_elsewhere
        self._parts = StillParts(channel.send_frame, pacer.link, shared=self._shared_link)
        self._timer: asyncio.TimerHandle | None = None
        self._frame: EncodedFrame | None = None
        self._stage: _Stage = "none"

    def offer(self, frame: EncodedFrame) -> None:
        """Send this still; it replaces an older one."""
        self._stop()
        self._frame, self._stage = frame, "waiting"
        self._send()

    def acknowledged(self, frame_no: int) -> None:
        """Take note that a still, or a part of it, has arrived."""
        self._parts.acknowledged(frame_no)
        is_it = self._frame is not None and self._frame.frame_no == frame_no
        if is_it and self._stage == "sent" and not self._parts.is_busy:
            self._frame, self._stage = None, "none"

    def room_changed(self) -> None:
        """Look again whether a still that waits can go."""
        if self._stage == "waiting":
            self._send()

    def hold(self) -> None:
        """Stop it on its way: the view may be about to change."""
        if self._frame is not None:
            self._stop()
            self._stage = "held"

    def resume(self) -> None:
        """Send what was held, from its beginning: the view is the one that it shows."""
        if self._stage == "held":
            self._stage = "waiting"
            self._send()

    def forget(self) -> None:
        """Stop it for good: another picture is on its way, and its still will follow."""
        if self._frame is None:
            return
        self._stop()
        self._frame, self._stage = None, "none"

    def _send(self) -> None:
        """Send the still, unless it would only delay what comes next: it is large."""
        self._stop_timer()
        wait_s = self._wait_s()
        if wait_s > 0:
            self._timer = asyncio.get_running_loop().call_later(wait_s, self._send)
        elif self._frame is not None:
            self._stage = "sent"
            self._parts.offer(self._frame)

    def _wait_s(self) -> float:
        video = self._other_pacer() or self._pacer
        if video.link.is_narrow and (wait_s := video.seen_in_s(SEEN_S)) > 0:
            return wait_s
        has_room = self._is_elsewhere() or self._pacer.has_credit
        return 0.0 if has_room else _LOOK_AGAIN_S

    def _stop(self) -> None:
        self._stop_timer()
        self._parts.drop(self._channel.drop_frames(stills_only=True))

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _shared_link(self) -> LinkRate | None:
        other = self._other_pacer()
        return None if other is None else other.link
