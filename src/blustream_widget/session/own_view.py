"""A view of one person's own: the session's volume, a state and a worker for that person alone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import BlustreamError, from_code
from blustream_widget.session.drawing import Drawing
from blustream_widget.session.telling import layer_names, probe_of, value_of
from blustream_widget.transport.fanout import Subscriber
from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.contents import Contents
    from blustream_widget.session.viewer import Viewer
    from blustream_widget.session.workers import WorkerPool

logger = logging.getLogger(__name__)

STATUS_INTERVAL_S = 0.1


class OwnView:
    """State, stream and worker of a viewer who looks around. Loop thread only.

    Parameters
    ----------
    viewer : Viewer
    contents : Contents
    info : VolumeInfo
    state : ViewState
        What it begins with.
    pool : WorkerPool
    n_viewers : callable
        Viewers of the session that are connected.
    on_failed : callable
        There is no worker and will be none.

    Notes
    -----
    The worker is a process of its own, so nobody who looks around can slow down or break the
    pictures that all others see; what it reads, it keeps in a cache of its own.
    """

    def __init__(
        self,
        viewer: Viewer,
        *,
        contents: Contents,
        info: VolumeInfo,
        state: ViewState,
        pool: WorkerPool,
        n_viewers: Callable[[], int],
        on_failed: Callable[[BlustreamError], None],
    ) -> None:
        self.state = state
        self.viewer = viewer
        self._contents, self._info = contents, info
        self._on_failed = on_failed
        self._layers: set[str] = set()
        self._n_viewers = n_viewers
        self._status = Throttle(STATUS_INTERVAL_S, self._send_status)
        self._drawing = Drawing(
            pool,
            self,
            on_show=lambda is_same_view: viewer.frames.drawn(is_same_view=is_same_view),
            may_blink=lambda: not viewer.is_calm,
        )
        self._supervisor, self._demand = self._drawing.supervisor, self._drawing.demand
        self.fanout = self._drawing.fanout

    def start(self) -> None:
        """Get a worker and open the volume; the viewer looks here already."""
        self._supervisor.start()

    @property
    def is_over(self) -> bool:
        """Whether its viewer looks elsewhere: what the worker still says counts for nothing."""
        return self.viewer.own is not self

    async def close(self) -> None:
        """End the worker, and wait until its process is gone."""
        self._status.close()
        await self._drawing.close()

    # -------------------------------------------------- the viewer

    def patch_by(self, viewer: Viewer, patch: dict[str, Any]) -> None:
        """Change the state; raises `StateError`."""
        self._contents.check_patch(patch)
        state = self.state.with_patch(patch, self._info)
        if state is self.state:
            # Nothing changed, but the sender waits to hear that its message was taken.
            viewer.send(vm.State(seq=viewer.seq, state=state))
        else:
            self._set_state(state)

    def probe(self, viewer: Viewer, message: vm.Probe) -> None:
        """Ask the worker for a voxel's value; raises `StateError`."""
        self._supervisor.send(probe_of(viewer.peer, message, self._info, self.state))

    def on_demand_changed(self) -> None:
        """Take note: the viewer takes other pictures, or has room for more, or needs a keyframe."""
        self._demand.update()

    def on_acknowledged(self, subscriber: Subscriber) -> None:
        """Take note that a frame is there: this path may have room for another."""
        self._demand.room_made(subscriber)

    # -------------------------------------------------- the session

    def tell(self, message: wp.ToWorker, *, while_opening: bool = False) -> None:
        """Have the worker hear what the session's own hears about the data."""
        self._supervisor.send(message, while_opening=while_opening)

    def put_edited(self, edited: wp.BricksEdited) -> None:
        """Show labels as they are after an edit."""
        if edited.name in self._layers and edited.changes:
            bricks = tuple((change.brick, change.new) for change in edited.changes)
            self._supervisor.send(wp.PutBricks(edited.name, bricks))

    def follow_layers(self, before: ViewState, after: ViewState) -> None:
        """Take labels and overlays that came to the session's view; let go of those that left."""
        patch: dict[str, Any] = {}
        for field in ("segmentations", "overlays"):
            old = {look.name for look in getattr(before, field)}
            new = {look.name: look for look in getattr(after, field)}
            mine = getattr(self.state, field)
            kept = [look for look in mine if look.name in new or look.name not in old]
            known = {look.name for look in kept}
            came = [look for name, look in new.items() if name not in known | old]
            if came or len(kept) < len(mine):
                patch[field] = (*kept, *came)
        if not patch:
            return
        state = self.state.with_patch(patch, self._info)
        if self._supervisor.status == "ready":
            self._tell_layers(state)
        self._set_state(state)

    def welcomed(self, welcome: p.Welcome) -> p.Welcome:
        """Say the welcome of the session's as that of this view."""
        return msgspec.structs.replace(welcome, state=self.state, own=True)

    def _tell_layers(self, state: ViewState) -> None:
        names = set(layer_names(state))
        for name in self._layers - names:
            self._supervisor.send(wp.RemoveSegmentation(name))
        for name in names - self._layers:
            if (layer := self._contents.layer_of(name)) is not None:
                self._supervisor.send(layer)
                self._give_edits(name)
        self._layers = names

    def _give_edits(self, name: str) -> None:
        for bricks in self._contents.edits_for(name):
            self._supervisor.send(bricks)

    def _set_state(self, state: ViewState) -> None:
        viewer, has_moved = self.viewer, not state.looks_like(self.state)
        self.state = state
        if has_moved:
            viewer.frames.moved()
        self._demand.show(state)
        viewer.send(vm.State(seq=viewer.seq, state=state))

    def _send_status(self) -> None:
        if self.is_over:
            return
        status = self._drawing.status(n_viewers=self._n_viewers())
        held_back = self._drawing.quality.held_back(self.viewer)
        self.viewer.send(msgspec.structs.replace(status, held_back=held_back))

    # -------------------------------------------------- worker (Drawn)

    @property
    def followers(self) -> tuple[Viewer]:
        return (self.viewer,)

    def opening(self) -> wp.Open:
        message = self._contents.opening_for(self.state)
        self._layers = {layer.source.name for layer in message.segmentations}
        return message

    def on_worker_message(self, message: wp.FromWorker) -> None:
        if self.is_over:
            return
        match message:
            case wp.Opened():
                for name in self._layers:
                    self._give_edits(name)
                self._tell_layers(self.state)  # what came while it opened
                self._demand.opened(self.state)
            case wp.Progress() | wp.Loaded() | wp.EncoderChanged():
                self._status.call()
            case wp.ProbedValue():
                self.viewer.send(value_of(message))
            case wp.Failed(code=code, message=text, hint=hint):
                self.viewer.send_error(from_code(code, text, hint))

    def on_worker_status(self) -> None:
        self._status.call()

    def on_worker_failed(self, error: BlustreamError) -> None:
        if not self.is_over:
            self._on_failed(error)
