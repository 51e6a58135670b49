"""Who of a session looks around on their own, and how they come back."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Protocol

from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.share_messages import LookAround
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import BlustreamError, OwnViewsFullError, StateError
from blustream_widget.session.own_view import OwnView
from blustream_widget.transport.tasks import TaskSet

if TYPE_CHECKING:
    from blustream_widget.config import Config
    from blustream_widget.session.audience import Audience
    from blustream_widget.session.contents import Contents
    from blustream_widget.session.sharing import Sharing
    from blustream_widget.session.viewer import Viewer
    from blustream_widget.session.workers import WorkerPool

logger = logging.getLogger(__name__)

MAX_LEFT = 64
"""Views whose person's connection broke, kept for when they come again."""


class Shown(Protocol):
    """The session, as it is followed."""

    audience: Audience
    config: Config
    contents: Contents
    sharing: Sharing

    @property
    def state(self) -> ViewState:
        """What it shows."""

    @property
    def info(self) -> VolumeInfo | None:
        """Its volume; None until that is open."""

    def welcome_of(self, viewer: Viewer) -> p.Welcome:
        """Say what a viewer who follows has to know."""

    def on_followers_changed(self) -> None:
        """Take note: somebody left the shown view, or came back to it."""


class OwnViews:
    """Own views of a session's viewers. Loop thread only.

    Parameters
    ----------
    session : Shown
    pool : WorkerPool
    """

    def __init__(self, session: Shown, pool: WorkerPool) -> None:
        self._session, self._pool = session, pool
        self._views: dict[int, OwnView] = {}
        self._left: OrderedDict[str, ViewState] = OrderedDict()
        self._tasks = TaskSet()
        self._n_ending = 0  # their workers are still there

    def receive(self, viewer: Viewer, message: LookAround) -> None:
        """Let a viewer leave the shown view, or come back to it.

        Raises
        ------
        OwnViewsFullError
        StateError
            The volume is not open yet.
        """
        if not message.on:
            self._come_back(viewer)
        elif viewer.own is None:
            self._set_out(viewer, resumes=message.resumes)

    def leave(self, viewer: Viewer) -> None:
        """End the view of somebody whose connection is gone; they find it again where it was."""
        own = self._views.pop(viewer.peer, None)
        if own is not None:
            self._left[viewer.person] = own.state
            while len(self._left) > MAX_LEFT:
                self._left.popitem(last=False)
            self._end(own)

    async def close(self) -> None:
        """End all views, and wait."""
        views, self._views = self._views, {}
        for own in views.values():
            self._end(own)
        await self._tasks.wait()

    # -------------------------------------------------- what the session's worker hears

    def tell(self, message: wp.ToWorker, *, while_opening: bool = False) -> None:
        """Have all workers hear something about the data."""
        for own in self:
            own.tell(message, while_opening=while_opening)

    def heard(self, message: wp.FromWorker) -> None:
        """Hear the session's worker: labels that were edited are so everywhere."""
        if isinstance(message, wp.BricksEdited):
            for own in self:
                own.put_edited(message)

    def follow_layers(self, before: ViewState, after: ViewState) -> None:
        """Take labels and overlays that came or went."""
        for own in self:
            own.follow_layers(before, after)

    def __iter__(self) -> Iterator[OwnView]:
        return iter(tuple(self._views.values()))

    # -------------------------------------------------- leaving and coming back

    def _set_out(self, viewer: Viewer, *, resumes: bool) -> None:
        info = self._session.info
        if info is None:
            raise StateError("The volume is still opening.", hint="Try again in a moment.")
        state = self._resumed(viewer) if resumes else None
        most = self._session.config.own_views
        if len(self._views) >= most or len(self._views) + self._n_ending >= 2 * most:
            raise _full(self._session.config.own_views)
        own = OwnView(
            viewer,
            contents=self._session.contents,
            info=info,
            state=self._session.state if state is None else state,
            pool=self._pool,
            n_viewers=lambda: len(self._session.audience),
            on_failed=partial(self._failed, viewer),
        )
        self._views[viewer.peer] = own
        viewer.look_at(own)
        viewer.send(own.welcomed(self._session.welcome_of(viewer)))
        own.start()
        logger.info("Viewer %d looks around", viewer.peer)
        self._session.sharing.looked_around(viewer)
        self._session.on_followers_changed()

    def _resumed(self, viewer: Viewer) -> ViewState | None:
        """Where a person was whose connection broke, also one of whom the server has not heard."""
        for own in self:
            if own.viewer.person != viewer.person:
                continue
            if own.viewer.pacer.is_silent:
                self.leave(own.viewer)
                own.viewer.look_at(None)
            elif own.viewer.transport == "comm":
                return own.state  # the page goes over to a socket, and the relay ends in a moment
        return self._left.pop(viewer.person, None)

    def _come_back(self, viewer: Viewer) -> None:
        own = self._views.pop(viewer.peer, None)
        if own is None:
            return
        self._left.pop(viewer.person, None)
        viewer.look_at(None)
        viewer.send(self._session.welcome_of(viewer))
        self._end(own)
        logger.info("Viewer %d follows again", viewer.peer)
        self._session.sharing.touch()
        self._session.on_followers_changed()

    def _failed(self, viewer: Viewer, error: BlustreamError) -> None:
        viewer.send_error(error)
        self._come_back(viewer)

    def _end(self, own: OwnView) -> None:
        self._n_ending += 1
        self._tasks.spawn(self._close(own), name="own view end")

    async def _close(self, own: OwnView) -> None:
        try:
            await own.close()
        finally:
            self._n_ending -= 1


def _full(most: int) -> OwnViewsFullError:
    if most < 1:
        return OwnViewsFullError("Looking around on one's own is switched off on this server.")
    people = "One person looks" if most == 1 else f"{most} people look"
    return OwnViewsFullError(
        f"{people} around already, and no more can.",
        hint="Try again when somebody follows again.",
    )
