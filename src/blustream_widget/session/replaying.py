"""A recording that happens again in a session: who is told where it is, who drives and hears it."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core.replay_messages import (
    PIECE_MS,
    DriveReplay,
    ReplayState,
    Said,
    WantSaid,
)
from blustream_widget.session.ratelimit import TokenBucket

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.viewer import Viewer

PIECES_HZ, PIECES_BURST = 5.0, 20.0
"""What one page may ask for: at twice the speed it hears one piece a second."""
NEAR_S = 10.0
"""Of the recording: who looks hears what is said where the replay is, and nothing else of it."""
_FASTEST, _SILENT_S = 2.0, 2.0
"""Nobody is heard at a higher speed; a kernel that plays says twice a second where it is."""
_MOST_KEPT = 8
"""Pieces: every page asks for the same ones at about the same time."""
_NOT_NOW = "This piece of the recording is not replayed now."


class ReplayDesk:
    """Passes a replay of the kernel's on to those who look, and their wishes back.

    The kernel plays it and has its state; what is kept here is what it told last, and goes with
    it. Loop thread only.

    Parameters
    ----------
    kernel : KernelPort
    viewers : callable
        Gives those who look now.
    drove : callable
        Takes note of who drove.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        kernel: KernelPort,
        viewers: Callable[[], Iterable[Viewer]],
        drove: Callable[[Viewer], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kernel, self._viewers, self._drove, self._clock = kernel, viewers, drove, clock
        self._state: ReplayState | None = None  # with `about`; None: nothing is replayed
        self._told_s = 0.0
        self._last_n = 0
        self._pieces: OrderedDict[int, bytes] = OrderedDict()  # as pages get them
        self._asked: dict[int, set[Viewer]] = {}  # who waits for a piece
        self._rates: dict[Viewer, TokenBucket] = {}
        kernel.on_change = self._kernel_changed

    # -------------------------------------------------- the kernel

    def receive_of_kernel(self, message: lp.ReplayStatus | lp.ReplaySaid) -> None:
        """Hear where it is, or what is said."""
        if isinstance(message, lp.ReplaySaid):
            self._heard(message.said)
            return
        told = message.status
        # The last word of a replay may come behind the first one of the next.
        if told.n < self._last_n:
            return
        self._last_n = told.n
        if told.over:
            self._end()
            return
        before = self._state
        is_next = before is None or before.n != told.n
        about = told.about or (None if is_next or before is None else before.about)
        if about is None:
            return  # it began at another server: the kernel tells this one all, too
        if is_next:
            self._forget_pieces()
        self._state = msgspec.structs.replace(told, about=about)
        self._told_s = self._clock()
        self._tell(self._state if told.about else told)

    def _kernel_changed(self) -> None:
        """End what was replayed by a kernel that is gone; one that comes (again) tells all anew."""
        self._last_n = 0
        self._end()

    def _end(self) -> None:
        state, self._state = self._state, None
        self._forget_pieces()
        if state is not None:
            self._tell(msgspec.structs.replace(state, over=True, playing=False, about=None))

    # -------------------------------------------------- those who look

    def welcome(self, viewer: Viewer) -> None:
        """Tell somebody who comes what is replayed; their page knows of nothing."""
        if self._state is not None:
            viewer.send(self._state)

    def receive(self, viewer: Viewer, message: DriveReplay | WantSaid) -> None:
        """Take a message of somebody whose role allows it."""
        if isinstance(message, WantSaid):
            self._want(viewer, message)
        elif self._is_of(message.n):
            self._drove(viewer)
            self._kernel.tell_replay_wish(message)

    def forget(self, viewer: Viewer) -> None:
        """Take note that somebody left."""
        self._rates.pop(viewer, None)
        for waiting in self._asked.values():
            waiting.discard(viewer)

    def _is_of(self, n: int) -> bool:
        return self._state is not None and self._state.n == n

    def _want(self, viewer: Viewer, message: WantSaid) -> None:
        is_heard = self._is_of(message.n) and self._is_near(message.piece)
        if viewer not in self._rates:
            self._rates[viewer] = TokenBucket(PIECES_HZ, PIECES_BURST)
        if not (is_heard and self._rates[viewer].take()):
            viewer.send(Said(n=message.n, piece=message.piece, refused=_NOT_NOW))
        elif (known := self._pieces.get(message.piece)) is not None:
            self._pieces.move_to_end(message.piece)
            viewer.send_encoded(known)
        elif message.piece in self._asked:
            self._asked[message.piece].add(viewer)
        else:
            self._asked[message.piece] = {viewer}
            self._kernel.tell_replay_wish(message)

    def _is_near(self, piece: int) -> bool:
        state = self._state
        if state is None or state.about is None or not state.about.speakers:
            return False
        gone_s = 0.0
        if state.playing and not state.waits:
            silent_s = self._clock() - self._told_s
            gone_s = min(silent_s, _SILENT_S) * min(state.speed, _FASTEST)
        begin_s = piece * PIECE_MS / 1000
        return state.t - NEAR_S <= begin_s <= state.t + gone_s + NEAR_S

    def _heard(self, said: Said) -> None:
        if not self._is_of(said.n):
            return
        data = p.encode(said)
        if not said.refused:
            self._pieces[said.piece] = data
            while len(self._pieces) > _MOST_KEPT:
                self._pieces.popitem(last=False)
        for viewer in self._asked.pop(said.piece, ()):
            viewer.send_encoded(data)

    def _forget_pieces(self) -> None:
        self._pieces.clear()
        self._asked.clear()  # pages that wait hear that it is over, or of the next one

    def _tell(self, state: ReplayState) -> None:
        data = p.encode(state)
        for viewer in self._viewers():
            viewer.send_encoded(data)
