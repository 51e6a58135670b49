"""What the worker should do now: which pictures, of which state, and when a keyframe."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial

from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.session.rendition import Rendition
from blustream_widget.transport.fanout import Fanout, Subscriber
from blustream_widget.transport.throttle import Throttle

# A browser that cannot decode asks once per frame (600 times in 10 s were seen).
KEYFRAME_INTERVAL_S = 0.25

LOOK_INTERVAL_S, LOOK_A_VIEWER_S, MAX_LOOK_INTERVAL_S = 0.05, 0.002, 0.2
"""An acknowledgement has everybody looked at again at most so often: with a hundred viewers there
are hundreds a second."""

LITTLE_WAIT_S = 0.005
"""To be busy for less is no reason to wait."""


class Demand:
    """Turns the viewers' wishes into messages to the worker, and holds the newest state back.

    Parameters
    ----------
    send : callable
        To the worker, if there is one that has the volume open.
    rendition : callable
        What the viewers' links carry now.
    on_show : callable
        A state goes to the worker; whether it gives the same picture as the one before it.
    may_blink : callable
        Whether all who look bear an overlay that blinks.
    clock : callable
        Seconds, monotonic.

    Notes
    -----
    A state goes to the worker only while a viewer can take its picture: what waits here is the
    newest state, and no picture of an older one is ever drawn late. Nor is one drawn while this
    server is busy with sending the one before it: with hundreds of viewers, or a processor that
    others need too, there are fewer pictures, and none of them waits behind others. A new worker is
    asked for pictures only when it knows what they are of.
    """

    def __init__(
        self,
        send: Callable[[wp.ToWorker], None],
        rendition: Callable[[], Rendition] = Rendition,
        on_show: Callable[[bool], None] = lambda _is_same_view: None,
        may_blink: Callable[[], bool] = lambda: True,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._rendition = rendition
        self._on_show = on_show
        self._may_blink = may_blink
        self._clock = clock
        self._looked_s = float("-inf")
        self._fanout: Fanout | None = None
        self._output: wp.Output | None = None
        self._waiting: ViewState | None = None
        self._shown: ViewState | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._keyframes = tuple(
            Throttle(KEYFRAME_INTERVAL_S, partial(self._send_keyframe, stream))
            for stream in range(wp.N_RENDITIONS)
        )

    def watch(self, fanout: Fanout) -> None:
        """Take the wishes of the viewers in `fanout`."""
        self._fanout = fanout

    def show(self, state: ViewState) -> None:
        """Draw `state` as soon as somebody can take it."""
        self._waiting = state
        if self._output is None:
            self.update()
        else:
            self._show_waiting()

    def room_made(self, subscriber: Subscriber) -> None:
        """Take note that one viewer acknowledged a frame: it may have room for another."""
        if self._fanout is None or subscriber.video is None:
            return
        if self._waiting is not None and subscriber.has_credit:
            self._show_waiting()
        for_all_s = min(LOOK_A_VIEWER_S * self._fanout.n_subscribers, MAX_LOOK_INTERVAL_S)
        if self._clock() - self._looked_s >= max(LOOK_INTERVAL_S, for_all_s):
            self.update()
        elif subscriber.needs_keyframe:
            is_h264 = subscriber.video == "h264"
            self.request_keyframe(subscriber.keyframe.wanted if is_h264 else 0)

    def update(self) -> None:
        """Look at the viewers again: their wishes or their room changed."""
        fanout = self._fanout
        if fanout is None:
            return
        self._show_waiting()
        # After the state: a worker that may draw again would begin with the one it has.
        if self._shown is None:
            return
        self._looked_s = self._clock()
        rendition, streams = self._rendition(), fanout.streams
        output = wp.Output(
            h264=fanout.wants("h264"),
            jpeg=fanout.wants("jpeg"),
            still=fanout.wants_stills,
            bit_rate_bps=rendition.bit_rate_bps,
            max_fps=rendition.max_fps,
            scale=rendition.scale,
            blink=self._may_blink(),
            smaller=tuple(s for s in rendition.smaller if s.rendition in streams),
        )
        if output != self._output:
            self._output = output
            self._send(output)
        fanout.check_keyframes()

    def request_keyframe(self, stream: int) -> None:
        """Have the worker send an IDR of a stream, at most every 250 ms."""
        self._keyframes[stream].call()

    def opened(self, state: ViewState) -> None:
        """Tell a new worker, which knows nothing yet, everything."""
        self._output = self._shown = None
        self._looked_s = float("-inf")
        # Its first frame is a keyframe anyway: one is asked for only if that does not come.
        self._keyframes[0].defer()
        self._waiting = state
        self.update()

    def close(self) -> None:
        """Send nothing more."""
        self._fanout = None
        if self._timer is not None:
            self._timer.cancel()
        for throttle in self._keyframes:
            throttle.close()

    def _show_waiting(self) -> None:
        if self._waiting is None or self._fanout is None or not self._fanout.has_credit:
            return
        wait_s = self._fanout.busy_s
        if wait_s > LITTLE_WAIT_S and self._shown is not None:
            if self._timer is None:
                self._timer = asyncio.get_running_loop().call_later(wait_s, self._rested)
            return
        state, self._waiting = self._waiting, None
        before, self._shown = self._shown, state
        self._send(wp.Show(state=state))
        self._on_show(before is not None and state.looks_like(before))

    def _rested(self) -> None:
        self._timer = None
        self._show_waiting()

    def _send_keyframe(self, stream: int) -> bool:
        # Asked again, because a request that had to wait may have been met meanwhile.
        if self._fanout is None or stream not in self._fanout.needs_keyframes:
            return False
        self._send(wp.WantKeyframe(stream))
        return True
