"""One shown volume: its state, who looks at it, and the worker that draws it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation_messages import EditAnnotations, Measure
from blustream_widget.core.label_edit import CancelEdit, EditLabels
from blustream_widget.core.palettes import Palette, Palettes
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import LoadedSlices, VolumeInfo, VolumeRef
from blustream_widget.errors import (
    BlustreamError,
    SessionFullError,
    StateError,
    VolumeNotFoundError,
    from_code,
)
from blustream_widget.session import access
from blustream_widget.session.access import DRIVERS
from blustream_widget.session.annotations import AnnotationBoard
from blustream_widget.session.announcer import Announcer
from blustream_widget.session.call_relay import make_relay
from blustream_widget.session.demand import Demand
from blustream_widget.session.grid_store import GridStore
from blustream_widget.session.guests import Guest
from blustream_widget.session.horizons import FromKernel, Horizons
from blustream_widget.session.idle import IdleTimer
from blustream_widget.session.kept_volume import KeptVolume, kept_volume
from blustream_widget.session.kernel_port import Kernel, KernelPort
from blustream_widget.session.kernel_process import KernelProcess
from blustream_widget.session.label_store import LabelStore
from blustream_widget.session.measuring import Measuring
from blustream_widget.session.own_views import OwnViews
from blustream_widget.session.pictures import PictureDesk
from blustream_widget.session.publishing import PublishDesk
from blustream_widget.session.quality import Quality
from blustream_widget.session.recording import RecordingDesk
from blustream_widget.session.rendition import Rendition
from blustream_widget.session.rtc_path import rtc_turns
from blustream_widget.session.segmentations import SegmentationBoard
from blustream_widget.session.session_store import SessionStore
from blustream_widget.session.shared_memory import remove_shared_array
from blustream_widget.session.sharing import Sharing
from blustream_widget.session.supervisor import Supervisor
from blustream_widget.session.telling import (
    layer_names,
    probe_of,
    source_channel,
    status_of,
    value_of,
    welcome_to,
)
from blustream_widget.session.ties import Ties
from blustream_widget.session.viewer import Viewer
from blustream_widget.session.voices import VoiceDesk
from blustream_widget.session.wishes import EarlyWishes
from blustream_widget.session.workers import WorkerPool
from blustream_widget.transport.channel import Channel
from blustream_widget.transport.fanout import Fanout, Subscriber
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.ice_servers import IceServers
from blustream_widget.transport.throttle import Throttle

logger = logging.getLogger(__name__)

MAX_VIEWERS = 400
STATUS_INTERVAL_S = 0.1
MIRROR_INTERVAL_S = 0.2
_CLOSE_GOING_AWAY = 1001


class Session:
    """State, viewers and worker of one shown volume. Loop thread only.

    Parameters
    ----------
    session_id : str
    ref : VolumeRef
    config : Config
    ice_servers : tuple of mappings
        As the browser gets them.
    pool : WorkerPool
    ties : Ties
        Told when somebody changed the view, and when the volume has opened.
    kept : Path or None
        Folder of what another server takes up, if this one ends before the session does.
    """

    _process: KernelProcess | None = None  # the kernel's
    _left: ViewState | None = None  # by a former server, until the kernel has come

    def __init__(
        self,
        session_id: str,
        ref: VolumeRef,
        *,
        config: Config,
        ice_servers: IceServers,
        pool: WorkerPool,
        ties: Ties,
        kept: Path | None = None,
    ) -> None:
        self.id, self.config, self._kept = session_id, config, kept
        self._ties, self.ice_servers, self.rtc_turns = ties, ice_servers, rtc_turns()
        self._ref, self._state = ref, ViewState()
        self._info: VolumeInfo | None = None
        self._error: BlustreamError | None = None
        self._kernel = KernelPort(session_id)
        self._wishes = EarlyWishes(self.check_patch)
        self._has_first_state = False
        self._viewers: dict[int, Viewer] = {}
        self._store = SessionStore(kept, self._tell_error)
        self._palettes = self._store.palettes
        self.sharing = Sharing(
            session_id,
            lambda: self._viewers.values(),
            self._kernel,
            store=self._store,
            on_pointers=lambda places, people: self.recording.saw_pointers(places, people),
            calls=config.calls,
            relay=make_relay(config, kept),
        )
        self._last_peer = 0
        self._reporter: Viewer | None = None
        self._frame_no, self._first_frame_no = -1, 0
        self._progress, self._loaded = wp.Progress(0, 0.0, exact=False), LoadedSlices()
        self._idle = IdleTimer(config.idle_s, self._idle_is_over)
        # Since when it has no viewer, on the loop's clock; of no meaning while it has one.
        self.unseen_since_s = asyncio.get_running_loop().time()
        self._status, self._mirror = (
            Throttle(STATUS_INTERVAL_S, self._send_status),
            Throttle(MIRROR_INTERVAL_S, self._send_mirror),
        )
        self._announcer = Announcer(lambda: self._followers)
        self._supervisor, self.own_views = Supervisor(pool, self), OwnViews(self, pool)
        self.annotations = AnnotationBoard(
            viewers=lambda: self._viewers.values(),
            kernel=self._kernel,
            shape=lambda: None if self._info is None else self._info.shape,
            on_edits=lambda edits: self.recording.saw_edits(edits),
            store=self._store,
        )
        self.segmentations = SegmentationBoard(
            viewers=lambda: self._viewers.values(),
            kernel=self._kernel,
            supervisor=self._supervisor,
            want_worker=self._want_worker,
            show=self._show_segmentations,
            view=lambda: (self._state, self._info),
            frame_no=lambda: self._frame_no,
            store=None if kept is None else LabelStore(kept, self._tell_error),
            tell_others=self.own_views.tell,
            on_layers=self._describe,
        )
        self.measuring, self.horizons = self._make_questions()
        self._quality = Quality(on_change=self._tell_quality)
        self._demand = Demand(
            self._supervisor.send,
            self._rendition,
            self._on_show,
            may_blink=lambda: (
                not (self.pictures.is_busy or any(viewer.is_calm for viewer in self._followers))
            ),
        )
        self.fanout = Fanout(self._demand.request_keyframe)
        self._demand.watch(self.fanout)
        self.recording, self.voices = self._make_recording()
        self.pictures, self.publishing = self._make_outlets()

    def _make_recording(self) -> tuple[RecordingDesk, VoiceDesk]:
        desk = RecordingDesk(
            config=self.config,
            fanout=self.fanout,
            kernel=self._kernel,
            viewers=lambda: self._viewers.values(),
            view=lambda: (self._state, self._info),
            items=lambda: self.annotations.items,
            palettes=self._palettes.all,
            encoder=lambda: self._supervisor.capabilities.encoder,
            on_change=self._output_changed,
            in_turn=self._store.in_turn,
        )
        return desk, VoiceDesk(self.sharing.call, desk, self.sharing.noted)

    def _make_outlets(self) -> tuple[PictureDesk, PublishDesk]:
        pictures = PictureDesk(
            fanout=self.fanout,
            kernel=self._kernel,
            state=lambda: self._state,
            on_change=self._output_changed,
            draw_again=lambda: self._supervisor.send(wp.WantKeyframe(0)),
        )
        publishing = PublishDesk(
            config=self.config,
            fanout=self.fanout,
            kernel=self._kernel,
            session_id=self.id,
            viewers=lambda: self._viewers.values(),
            can_encode=lambda: self._info is None or bool(self._supervisor.capabilities.encoder),
            on_change=self._output_changed,
            note=lambda what: self.sharing.exported(None, what),
        )
        return pictures, publishing

    def _output_changed(self) -> None:
        self.voices.review()
        parts = (self.recording.takes_pictures, self.publishing.takes_pictures)
        if any(parts) or self.pictures.is_busy:
            self._want_worker()
        self._demand.update()

    def _make_questions(self) -> tuple[Measuring, Horizons]:
        measuring = Measuring(self._supervisor, self._viewers, self._kernel)
        horizons = Horizons(
            measuring=measuring,
            annotations=self.annotations,
            viewers=self._viewers,
            kernel=self._kernel,
            channel=self._source_channel,
            grids=GridStore(None if self._kept is None else self._kept / "horizons"),
        )
        return measuring, horizons

    # -------------------------------------------------- kernel

    def open(self, patch: dict[str, Any], state: ViewState | None) -> None:
        """Get a worker and open the volume; `state` is where a former session was."""
        state = self._store.newest(state)
        if state is not None:
            self._state = state
            self._has_first_state = True
        self._wishes.by_kernel(patch)
        self._supervisor.start()
        self._idle.start()

    def take_up(self, volume: KeptVolume) -> None:
        """Show what a former server left, before the kernel comes; it may be busy for long."""
        self._process = volume.kernel
        self.segmentations.restore(volume.layers)
        self.open({}, None)
        self._left = self._state

    def catch_up(self, state: ViewState | None) -> None:
        """Hear from a kernel that comes behind its pages what it saw last of the former server.

        That may be newer than what was written down, and counts as long as nobody has moved since.
        """
        left, self._left = self._left, None
        if state is None or left is None or left != self._state:
            return
        if state.revision > left.revision:
            self._set_state(state)

    def attach(self, kernel: Kernel, process: KernelProcess | None = None) -> None:
        """Tell `kernel` everything from now on, beginning with how things are."""
        self._kernel.attach(kernel)
        self._process = process
        self._describe()
        self._store.tell_trouble()
        if self._info is not None:
            self._tell_opened()
        if self._error is not None:
            # A kernel that comes again wants another try, and hears what becomes of it.
            self._supervisor.start()
        self._mirror.call()
        self.annotations.attach_kernel()
        self.recording.attach_kernel()
        self.publishing.attach_kernel()
        self.sharing.attach_kernel()

    def _describe(self) -> None:
        volume = kept_volume(self._ref, self.segmentations.open_sources, self._process)
        self._store.describe(volume)

    def tell_token(self, token: str) -> None:
        """Give the kernel a fresh token for its pages."""
        self._kernel.tell_token(token)

    def detach(self, kernel: Kernel) -> None:
        """Forget `kernel`, unless another one took its place."""
        self._kernel.detach(kernel)

    @property
    def has_kernel(self) -> bool:
        """Whether a kernel's link holds the session."""
        return self._kernel.is_attached

    def patch_by_kernel(self, patch: dict[str, Any], seq: int) -> None:
        """Change the state; what is wrong with the patch is told to the kernel."""
        self._kernel.wished_seq = max(self._kernel.wished_seq, seq)
        if self._info is None:
            # Not confirmed yet: what is mirrored until then is without it.
            self._wishes.by_kernel(patch)
            return
        self._kernel.seq = self._kernel.wished_seq
        try:
            self.check_patch(patch)
            self._lead(self._state.with_patch(patch, self._info))
        except StateError as exc:
            self._kernel.tell_error(exc)
            self._mirror.call()

    def follow(self, patch: dict[str, Any]) -> None:
        """Change because a linked view did; nobody follows it for that."""
        if self._info is None or not patch:
            return
        try:
            self._palettes.check(patch)
            state = self._state.with_patch(patch, self._info)
        except StateError as exc:
            logger.debug("Session %.8s cannot follow: %s", self.id, exc)
            return
        self._set_state(state)

    def put_palette(self, palette: Palette) -> None:
        """Take colours of the user's, which states may name from now on."""
        idx = self._store.put_palette(palette)
        message = wp.SetPalette(palette=palette, idx=idx)
        self._supervisor.send(message, while_opening=True)
        self.own_views.tell(message, while_opening=True)
        for viewer in self._viewers.values():
            viewer.send(p.SetPalette(palette=palette, idx=idx))
        self.recording.saw_palette(palette, idx)

    def refresh(self) -> None:
        """Have the shared array read again: it changed in place."""
        self._supervisor.send(wp.Refresh())
        self.own_views.tell(wp.Refresh())

    async def close(self, reason: str, *, keeps: bool = False) -> None:
        """End the session: viewers are told, the worker and the shared array go.

        `keeps`: it may be opened again, with what was edited in it.
        """
        for throttle in (self._status, self._mirror, self._announcer, self.annotations):
            throttle.close()
        self._demand.close()
        self._idle.stop()
        await self.recording.close()
        await self.publishing.close()
        viewers, self._viewers = list(self._viewers.values()), {}
        for viewer in viewers:
            viewer.end(reason, _CLOSE_GOING_AWAY)
        await asyncio.gather(*(viewer.dispose() for viewer in viewers))
        await self.own_views.close()
        await self._supervisor.close()
        await asyncio.to_thread(remove_shared_array, self._ref)
        await self.segmentations.close()
        await self.segmentations.edits.close(keeps=keeps)
        await self.horizons.close()
        await self.sharing.close()
        await self._store.close(keeps=keeps)
        if self._kept is not None and not keeps:
            await asyncio.to_thread(shutil.rmtree, self._kept, ignore_errors=True)
        logger.info("Session %.8s ended: %s", self.id, reason)

    # -------------------------------------------------- viewers

    def join(
        self, channel: Channel, hello: p.Hello, *, role: str, guest: Guest | None = None
    ) -> Viewer:
        """Let somebody in whose token was checked.

        Raises
        ------
        SessionFullError
        """
        if len(self._viewers) >= MAX_VIEWERS:
            raise SessionFullError(
                f"The session has {MAX_VIEWERS} viewers, and no more are allowed.",
                hint="Close one of the other pages.",
            )
        self._last_peer += 1
        viewer = Viewer(self, channel, hello, peer=self._last_peer, role=role, guest=guest)
        for other in self._viewers.values():
            if other.person == viewer.person and other.pacer.is_silent:
                # Most likely the same page, which dials past a connection that hangs.
                viewer.begin_like(other)
        self._viewers[viewer.peer] = viewer
        self._idle.stop()
        self._greet(viewer)
        self.sharing.joined(viewer)
        viewer.ping()
        self.fanout.add(viewer.frames)
        # A viewer who comes back after an error wants another try.
        self._supervisor.start()
        self._demand.update()
        self._status.call()
        self._mirror.call()
        logger.info("Viewer %d joined as %s over %s", viewer.peer, role, channel.name)
        return viewer

    async def leave(self, viewer: Viewer) -> None:
        """Forget a viewer whose connection is gone."""
        self.fanout.remove(viewer.frames)
        self.own_views.leave(viewer)
        if self._viewers.pop(viewer.peer, None) is not None:
            logger.info("Viewer %d left", viewer.peer)
            self.measuring.forget(viewer)
            self.horizons.forget(viewer)
            self.sharing.left(viewer)
            if self._reporter is viewer:
                self._reporter = None
            if self._announcer.mover is viewer:
                self._announcer.mover = None
            self._demand.update()
            self._status.call()
            self._mirror.call()
            self.unseen_since_s = asyncio.get_running_loop().time()
            if not self._viewers:
                self._idle.start()
        await viewer.dispose()

    @property
    def state(self) -> ViewState:
        """What it shows."""
        return self._state

    @property
    def info(self) -> VolumeInfo | None:
        """Its volume; None until that is open."""
        return self._info

    @property
    def palettes(self) -> Palettes:
        """Colours of the user's own."""
        return self._palettes

    @property
    def n_viewers(self) -> int:
        """Viewers that are connected."""
        return len(self._viewers)

    @property
    def is_seen(self) -> bool:
        """Whether somebody looks, or it is recorded or published."""
        return bool(self._viewers) or self.recording.is_on or self.publishing.is_on

    def patch_by(self, viewer: Viewer, patch: dict[str, Any]) -> None:
        self.sharing.drove(viewer)
        self._announcer.mover = viewer
        if self._info is None:
            self._wishes.by_page(patch)
            return
        self.check_patch(patch)
        state = self._state.with_patch(patch, self._info)
        if state is self._state:
            # Nothing changed, but the sender waits to hear that its message was taken.
            viewer.send(p.State(seq=viewer.seq, state=state))
        self._lead(state)

    def check_patch(self, patch: dict[str, Any]) -> None:
        self._palettes.check(patch)
        self.segmentations.check(patch)

    def probe(self, viewer: Viewer, message: p.Probe) -> None:
        if self._info is not None:
            self._supervisor.send(probe_of(viewer.peer, message, self._info, self._state))

    def _source_channel(self, channel: int | None = None, viewer: Viewer | None = None) -> int:
        """Give the number of a channel, or the one shown (to a viewer), at the step shown."""
        own = None if viewer is None else viewer.own
        return source_channel(self._info, self._state if own is None else own.state, channel)

    def edit_annotations(self, viewer: Viewer, message: EditAnnotations) -> None:
        self.annotations.edit_by(viewer, message)
        if access.may(viewer.role, EditAnnotations):  # else it was refused
            self.sharing.annotated(viewer)

    def edit_labels(self, viewer: Viewer, message: EditLabels | CancelEdit) -> None:
        if isinstance(message, CancelEdit):
            self.segmentations.edits.cancel_by(viewer, message)
        else:
            self.segmentations.edits.edit_by(viewer, message)
            if access.may(viewer.role, EditLabels):
                self.sharing.annotated(viewer, "edited labels")

    def measure(self, viewer: Viewer, message: Measure) -> None:
        item = self.annotations.find(message.id)
        channel = self._source_channel(message.channel, viewer)
        self.measuring.ask_by(viewer, message, item, channel)

    def measure_by_kernel(self, message: lp.MeasureItem | FromKernel) -> None:
        """Measure an annotation for the kernel, with a worker got for it if there is none."""
        if isinstance(message, lp.MeasureItem):
            self.measuring.ask_by_kernel(message, self._source_channel(message.channel))
        else:
            self.horizons.receive_of_kernel(message)
        self._want_worker()

    def _want_worker(self) -> None:
        """Get a worker for the kernel, which goes again when nobody looks."""
        self._supervisor.start()
        if not self._viewers:
            self._idle.start()

    def on_demand_changed(self) -> None:
        self._demand.update()

    def on_acknowledged(self, subscriber: Subscriber) -> None:
        self._demand.room_made(subscriber)

    def on_report(self, viewer: Viewer) -> None:
        if viewer.role in DRIVERS and viewer.own is None:
            self._reporter = viewer
        self.sharing.touch()
        self._mirror.call()

    # -------------------------------------------------- followers, and who looks around (Shown)

    @property
    def _followers(self) -> tuple[Viewer, ...]:
        """Those who see what the session shows."""
        return tuple([viewer for viewer in self._viewers.values() if viewer.own is None])

    def opening_for(self, state: ViewState) -> wp.Open:
        layers = (self.segmentations.layer_of(n) for n in layer_names(state))
        palettes = (wp.SetPalette(palette=q, idx=idx) for q, idx in self._palettes.all())
        return wp.Open(
            ref=self._ref,
            state=state,
            palettes=tuple(palettes),
            segmentations=tuple(filter(None, layers)),
        )

    def layer_of(self, name: str) -> wp.AddSegmentation | None:
        return self.segmentations.layer_of(name)

    def edits_for(self, name: str) -> Iterable[wp.PutBricks]:
        return self.segmentations.edits.puts_of(name)

    def on_followers_changed(self) -> None:
        self._demand.update()
        self._status.call()

    # -------------------------------------------------- worker (Supervised)

    def opening(self) -> wp.Open:
        self._first_frame_no = self._frame_no + 1
        self._loaded = LoadedSlices()
        for viewer in self._followers:
            viewer.frames.restart()
        known = self._state if self._has_first_state else None
        palettes = tuple(wp.SetPalette(palette=q, idx=idx) for q, idx in self._palettes.all())
        return wp.Open(
            ref=self._ref,
            state=known,
            pane=self._wishes.pane,
            palettes=palettes,
            segmentations=self.segmentations.opening(),
        )

    def on_worker_message(self, message: wp.FromWorker) -> None:
        match message:
            case wp.Opened():
                self._opened(message)
            case wp.Described(info=info):
                self._described(info)
            case wp.Progress():
                self._progress = message
                self._status.call()
                self._mirror.call()
            case wp.Loaded(slices=slices):
                self._loaded = slices
                self._status.call()
            case wp.ProbedValue(peer=peer):
                if (viewer := self._viewers.get(peer)) is not None:
                    viewer.send(value_of(message))
            case wp.MeasuredVoxels() | wp.TrackedVoxels() | wp.SnappedVoxel():
                self.measuring.answer(message)
            case wp.Failed(code=code, message=text, hint=hint):
                self._tell_error(from_code(code, text, hint))
            case wp.EncoderChanged():
                self._status.call()
                self._mirror.call()
            case _:
                self.segmentations.heard(message)
                self.own_views.heard(message)

    def on_worker_frame(self, data: bytes, rendition: int) -> None:
        first = self._first_frame_no
        frame = EncodedFrame.from_worker(data, first_frame_no=first, rendition=rendition)
        self._frame_no = frame.frame_no
        self._quality.saw(frame, self._state)
        self.fanout.publish(frame)

    def on_worker_status(self) -> None:
        self._status.call()
        self._mirror.call()

    def on_worker_failed(self, error: BlustreamError) -> None:
        logger.warning("Session %.8s shows nothing: %s", self.id, error.code)
        self._error = error
        # An array's memory is given back with the worker: the kernel copies it and tries again.
        is_to_come = isinstance(error, VolumeNotFoundError) and self._ref.array is not None
        if not (is_to_come and self.has_kernel):
            self.measuring.fail(error)
            self.pictures.fail(error)
        self._tell_error(error, fatal=True)

    def _opened(self, message: wp.Opened) -> None:
        is_same = self._info is not None and self._info.shape == message.info.shape
        self._info, self._error = message.info, None
        before = self._state if self._has_first_state else None
        if before is None or not is_same:
            if before is not None:  # the kernel may have known a newer one while it opened
                message = msgspec.structs.replace(message, state=before)
            self._state = self._wishes.apply(message, self._kernel.tell_error)
            self._kernel.seq = self._kernel.wished_seq
            self._has_first_state = True
            self._store.show(self._state)
        for viewer in self._followers:
            self._greet(viewer)
            if viewer.seq:
                # What it asked for while the volume was opening is in this state, or was refused.
                viewer.send(p.State(seq=viewer.seq, state=self._state))
        self._tell_opened()
        self.segmentations.catch_up()
        self._demand.opened(self._state)
        self.measuring.ask_again()
        self._mirror.call()
        if before is not None and self._state != before:
            self._ties.led(self, before)  # by what was asked for while it was opening again
        self._ties.opened(self)

    def _described(self, info: VolumeInfo) -> None:
        self._info = info
        for viewer in self._viewers.values():
            viewer.send(p.Info(info=info))
        self._tell_opened()

    # -------------------------------------------------- announcer

    def _lead(self, state: ViewState) -> None:
        """Take a state that somebody wished for, and let linked views follow."""
        before = self._state
        self._set_state(state)
        if state is not before:
            self._ties.led(self, before)

    def _set_state(self, state: ViewState) -> None:
        if state is self._state:
            self._mirror.call()
            return
        has_moved = not state.looks_like(self._state)
        self._state = state
        self._store.show(state)
        for viewer in self._followers if has_moved and self.fanout.has_still else ():
            viewer.frames.moved()
        self._demand.show(state)
        self.recording.saw_state(state)
        self._announcer.state(state)
        self._mirror.call()

    def _show_segmentations(self, patch: dict[str, Any]) -> None:
        if self._info is not None:
            before = self._state
            self._set_state(before.with_patch(patch, self._info))
            self.own_views.follow_layers(before, self._state)

    def _on_show(self, is_same_view: bool) -> None:
        if self.fanout.has_still:
            for viewer in self._followers:
                viewer.frames.drawn(is_same_view=is_same_view)
            self.fanout.has_still = is_same_view

    def _greet(self, viewer: Viewer) -> None:
        viewer.send(self.welcome_of(viewer))
        for palette, idx in self._palettes.all():
            viewer.send(p.SetPalette(palette=palette, idx=idx))
        self.segmentations.welcome(viewer)
        self.segmentations.edits.welcome(viewer)
        self.annotations.welcome(viewer)
        self.recording.welcome(viewer)
        self.publishing.welcome(viewer)

    def welcome_of(self, viewer: Viewer) -> p.Welcome:
        return welcome_to(self.id, viewer, self._state, self._info, self.config, self.ice_servers)

    def _send_status(self) -> None:
        message = status_of(
            self._supervisor, self._progress, self._loaded, n_viewers=len(self._viewers)
        )
        self._announcer.status(message, self._quality.held_back)

    def _send_mirror(self) -> None:
        self._kernel.tell_mirror(
            self._state,
            self._progress,
            self._supervisor,
            n_viewers=len(self._viewers),
            held_back=self._quality.held_back(self._reporter),
            reporter=self._reporter,
        )

    def _rendition(self) -> Rendition:
        return self._quality.choose(self._followers, self._state)

    def _tell_quality(self) -> None:
        self._status.call()
        self._mirror.call()

    def _tell_opened(self) -> None:
        if self._info is not None:
            self._kernel.tell_opened(self._info, self._state, self._supervisor.capabilities)

    def _tell_error(self, error: BlustreamError, *, fatal: bool = False) -> None:
        for viewer in self._viewers.values():
            viewer.send_error(error, fatal=fatal)
        self._kernel.tell_error(error, fatal=fatal)

    def _idle_is_over(self) -> bool:
        is_opening = self._info is None and self._error is None
        parts = (self.measuring, self.segmentations, self.pictures)
        is_kept = self.recording.is_on or self.publishing.is_on
        is_busy = is_kept or any(part.is_busy for part in parts)
        if is_busy or (is_opening and self.has_kernel):
            return False  # the kernel waits for an answer, or the volume
        self._supervisor.give_back()
        return True
