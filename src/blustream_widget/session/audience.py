"""Who looks at a session."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from blustream_widget.core import protocol as p
from blustream_widget.errors import BlustreamError, SessionFullError
from blustream_widget.session.access import DRIVERS

if TYPE_CHECKING:
    from blustream_widget.session.viewer import Viewer

MAX_VIEWERS = 400
_CLOSE_GOING_AWAY = 1001


class Audience(Collection["Viewer"]):
    """Viewers who are connected, in the order in which they came. Loop thread only.

    Attributes
    ----------
    by_peer : dict
        Viewers by their number.
    reporter : Viewer or None
        Whose measurements count: of those who may drive and do not look around, who told last.
    unseen_since_s : float
        Since when nobody is here, on the loop's clock; of no meaning while somebody is.
    """

    def __init__(self) -> None:
        self.by_peer: dict[int, Viewer] = {}
        self.reporter: Viewer | None = None
        self.unseen_since_s = asyncio.get_running_loop().time()
        self._last_peer = 0

    def __len__(self) -> int:
        return len(self.by_peer)

    def __iter__(self) -> Iterator[Viewer]:
        return iter(self.by_peer.values())

    def __contains__(self, viewer: object) -> bool:
        return viewer in self.by_peer.values()

    @property
    def followers(self) -> tuple[Viewer, ...]:
        """Those who see what the session shows, and not a view of their own."""
        return tuple([viewer for viewer in self.by_peer.values() if viewer.own is None])

    def new_peer(self) -> int:
        """Give the number of one more viewer.

        Raises
        ------
        SessionFullError
        """
        if len(self.by_peer) >= MAX_VIEWERS:
            raise SessionFullError(
                f"The session has {MAX_VIEWERS} viewers, and no more are allowed.",
                hint="Close one of the other pages.",
            )
        self._last_peer += 1
        return self._last_peer

    def add(self, viewer: Viewer) -> None:
        """Take somebody in."""
        for other in self:
            if other.person == viewer.person and other.pacer.is_silent:
                # Most likely the same page, which dials past a connection that hangs.
                viewer.begin_like(other)
        self.by_peer[viewer.peer] = viewer
        self._mark_overtaken(viewer)

    def remove(self, viewer: Viewer) -> bool:
        """Forget somebody; False: they were not here any more."""
        if self.by_peer.pop(viewer.peer, None) is None:
            return False
        self._mark_overtaken(viewer)
        if self.reporter is viewer:
            self.reporter = None
        self.unseen_since_s = asyncio.get_running_loop().time()
        return True

    def _mark_overtaken(self, changed: Viewer) -> None:
        """Have the newest connection of a page be the one that counts, after one came or went.

        One that hung may deliver what its page said seconds ago, behind what came by the next.
        """
        if not changed.page:
            return
        of_page = [v for v in self if (v.page, v.person) == (changed.page, changed.person)]
        for viewer in of_page:
            viewer.is_overtaken = viewer is not of_page[-1]

    def reported(self, viewer: Viewer) -> None:
        """Take note that somebody told their measurements."""
        if viewer.role in DRIVERS and viewer.own is None:
            self.reporter = viewer

    def send(self, message: p.ServerMessage) -> None:
        """Tell everybody, each with an encoding of its own: for what is rare."""
        for viewer in self:
            viewer.send(message)

    def send_error(self, error: BlustreamError, *, fatal: bool = False) -> None:
        """Tell everybody that something failed."""
        for viewer in self:
            viewer.send_error(error, fatal=fatal)

    async def dismiss(self, reason: str) -> None:
        """Tell everybody that the session ends, and wait until their connections are closed."""
        viewers = list(self)
        self.by_peer.clear()
        for viewer in viewers:
            viewer.end(reason, _CLOSE_GOING_AWAY)
        await asyncio.gather(*(viewer.dispose() for viewer in viewers))
