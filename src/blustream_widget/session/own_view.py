"""A view of one person's own: the session's volume, a state and a worker for that person alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import LoadedSlices, VolumeInfo
from blustream_widget.errors import BlustreamError, from_code
from blustream_widget.session.demand import Demand
from blustream_widget.session.quality import Quality
from blustream_widget.session.rendition import Rendition
from blustream_widget.session.supervisor import Supervisor
from blustream_widget.session.telling import layer_names, probe_of, status_of, value_of
from blustream_widget.transport.fanout import Fanout, Subscriber
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.viewer import Viewer
    from blustream_widget.session.workers import WorkerPool

logger = logging.getLogger(__name__)

STATUS_INTERVAL_S = 0.1


class Data(Protocol):
    """What a session and its people's own views have in common: the volume, and what is on it."""

    @property
    def n_viewers(self) -> int:
        """Viewers that are connected."""

    def opening_for(self, state: ViewState) -> wp.Open:
        """Tell what a worker has to open to show `state`."""

    def layer_of(self, name: str) -> wp.AddSegmentation | None:
        """Say what labels or an overlay are made of."""

    def edits_for(self, name: str) -> Iterable[wp.PutBricks]:
        """Give what was edited in labels."""

    def check_patch(self, patch: dict[str, Any]) -> None:
        """Refuse names that nobody knows; raises `StateError`."""


class OwnView:
    """State, stream and worker of a viewer who looks around. Loop thread only.

    Parameters
    ----------
    viewer : Viewer
    data : Data
    info : VolumeInfo
    state : ViewState
        What it begins with.
    pool : WorkerPool
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
        data: Data,
        info: VolumeInfo,
        state: ViewState,
        pool: WorkerPool,
        on_failed: Callable[[BlustreamError], None],
    ) -> None:
        self.state = state
        self.viewer = viewer
        self._data, self._info = data, info
        self._on_failed = on_failed
        self._layers: set[str] = set()
        self._frame_no, self._first_frame_no = -1, 0
        self._progress = wp.Progress(lod=0, progress=0.0, exact=False)
        self._loaded = LoadedSlices()
        self._status = Throttle(STATUS_INTERVAL_S, self._send_status)
        self._supervisor = Supervisor(pool, self)
        self._quality = Quality(on_change=self._status.call)
        self._demand = Demand(
            self._supervisor.send,
            self._rendition,
            lambda is_same_view: viewer.frames.drawn(is_same_view=is_same_view),
            may_blink=lambda: not viewer.is_calm,
        )
        self.fanout = Fanout(self._demand.request_keyframe)
        self._demand.watch(self.fanout)

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
        self._demand.close()
        await self._supervisor.close()

    # -------------------------------------------------- the viewer

    def patch_by(self, viewer: Viewer, patch: dict[str, Any]) -> None:
        """Change the state; raises `StateError`."""
        self._data.check_patch(patch)
        state = self.state.with_patch(patch, self._info)
        if state is self.state:
            # Nothing changed, but the sender waits to hear that its message was taken.
            viewer.send(p.State(seq=viewer.seq, state=state))
        else:
            self._set_state(state)

    def probe(self, viewer: Viewer, message: p.Probe) -> None:
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
            if (layer := self._data.layer_of(name)) is not None:
                self._supervisor.send(layer)
                self._give_edits(name)
        self._layers = names

    def _give_edits(self, name: str) -> None:
        for bricks in self._data.edits_for(name):
            self._supervisor.send(bricks)

    def _set_state(self, state: ViewState) -> None:
        viewer, has_moved = self.viewer, not state.looks_like(self.state)
        self.state = state
        if has_moved:
            viewer.frames.moved()
        self._demand.show(state)
        viewer.send(p.State(seq=viewer.seq, state=state))

    def _rendition(self) -> Rendition:
        return self._quality.choose((self.viewer,), self.state)

    def _send_status(self) -> None:
        if self.is_over:
            return
        status = status_of(
            self._supervisor, self._progress, self._loaded, n_viewers=self._data.n_viewers
        )
        held_back = self._quality.held_back(self.viewer)
        self.viewer.send(msgspec.structs.replace(status, held_back=held_back))

    # -------------------------------------------------- worker (Supervised)

    def opening(self) -> wp.Open:
        self._first_frame_no = self._frame_no + 1
        self._loaded = LoadedSlices()
        self.viewer.frames.restart()
        message = self._data.opening_for(self.state)
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
            case wp.Progress():
                self._progress = message
                self._status.call()
            case wp.Loaded(slices=slices):
                self._loaded = slices
                self._status.call()
            case wp.ProbedValue():
                self.viewer.send(value_of(message))
            case wp.Failed(code=code, message=text, hint=hint):
                self.viewer.send_error(from_code(code, text, hint))
            case wp.EncoderChanged():
                self._status.call()

    def on_worker_frame(self, data: bytes, rendition: int) -> None:
        first = self._first_frame_no
        frame = EncodedFrame.from_worker(data, first_frame_no=first, rendition=rendition)
        self._frame_no = frame.frame_no
        self._quality.saw(frame, self.state)
        self.fanout.publish(frame)

    def on_worker_status(self) -> None:
        self._status.call()

    def on_worker_failed(self, error: BlustreamError) -> None:
        if not self.is_over:
            self._on_failed(error)
