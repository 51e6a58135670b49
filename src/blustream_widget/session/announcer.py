"""What all viewers of a session are told alike: encoded once, and for many sent together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection

import msgspec

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.state import ViewState
from blustream_widget.session.viewer import Viewer

FEW_VIEWERS = 8
HELD_S = 0.05
"""With more viewers than these few, a state goes with the next frame, or after so long."""


class Announcer:
    """States and status to everybody. Loop thread only.

    Parameters
    ----------
    viewers : callable
        Who is there.

    Attributes
    ----------
    mover : Viewer or None
        Who moved the view last: hears of it at once, however many there are.
    """

    def __init__(self, viewers: Callable[[], Collection[Viewer]]) -> None:
        self._viewers = viewers
        self.mover: Viewer | None = None
        self._flushing: asyncio.TimerHandle | None = None

    def state(self, state: ViewState) -> None:
        """Tell a new state; to many, one that is soon followed by another need not go out."""
        viewers = self._viewers()
        are_many = len(viewers) > FEW_VIEWERS
        encoded: dict[int, bytes] = {}  # by `seq`: nearly all are the same
        for viewer in viewers:
            if (seq := viewer.seq) not in encoded:
                encoded[seq] = p.encode(vm.State(seq=seq, state=state))
            viewer.send_encoded(encoded[seq], may_wait=are_many and viewer is not self.mover)
        if are_many and self._flushing is None:
            self._flushing = asyncio.get_running_loop().call_later(HELD_S, self._flush)

    def status(self, status: p.Status, held_back: Callable[[Viewer], str]) -> None:
        """Tell the status, with each viewer's own reason for smaller pictures."""
        encoded: dict[str, bytes] = {}
        for viewer in self._viewers():
            if (why := held_back(viewer)) not in encoded:
                encoded[why] = p.encode(msgspec.structs.replace(status, held_back=why))
            viewer.send_encoded(encoded[why])

    def close(self) -> None:
        """Send nothing more by itself."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None

    def _flush(self) -> None:
        self._flushing = None
        for viewer in self._viewers():
            viewer.flush()
