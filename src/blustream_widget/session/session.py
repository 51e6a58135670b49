"""One shown volume: its state, who looks at it, and the worker that draws it."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path
from typing import Any

from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.palettes import Palette, Palettes
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.errors import BlustreamError, VolumeNotFoundError, from_code
from blustream_widget.session.announcer import Announcer
from blustream_widget.session.audience import Audience
from blustream_widget.session.call_relay import make_relay
from blustream_widget.session.contents import Contents
from blustream_widget.session.drawing import Drawing
from blustream_widget.session.guests import Guest
from blustream_widget.session.idle import IdleTimer
from blustream_widget.session.kept_volume import KeptVolume, kept_volume
from blustream_widget.session.kernel_port import Kernel, KernelPort
from blustream_widget.session.kernel_process import KernelProcess
from blustream_widget.session.markup import Markup
from blustream_widget.session.outlets import Outlets
from blustream_widget.session.own_views import OwnViews
from blustream_widget.session.reports import Reports
from blustream_widget.session.rtc_path import rtc_turns
from blustream_widget.session.session_store import SessionStore
from blustream_widget.session.shared_memory import remove_shared_array
from blustream_widget.session.sharing import Sharing
from blustream_widget.session.shown_view import ShownView
from blustream_widget.session.telling import probe_of, value_of, welcome_to
from blustream_widget.session.ties import Ties
from blustream_widget.session.viewer import Viewer
from blustream_widget.session.workers import WorkerPool
from blustream_widget.transport.channel import Channel
from blustream_widget.transport.fanout import Subscriber
from blustream_widget.transport.ice_servers import IceServers

logger = logging.getLogger(__name__)


class Session:
    """A volume that is shown, with all that belongs to it. Loop thread only.

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

    Attributes
    ----------
    view : ShownView
        What all who follow see.
    audience : Audience
        Who looks.
    drawing : Drawing
        The worker and its pictures.
    markup : Markup
        What is drawn over the volume, and asked of it.
    outlets : Outlets
        Where pictures go beside those who look.
    sharing : Sharing
        Guests, chat and call.
    own_views : OwnViews
        Those who look around on their own.
    annotations, segmentations, recording, pictures, publishing
        Parts of `markup` and `outlets` that the kernel speaks with.
    """

    contents: Contents
    outlets: Outlets
    reports: Reports
    _process: KernelProcess | None = None  # the kernel's
    _error: BlustreamError | None = None

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
        self.id, self.config, self._kept, self._ref = session_id, config, kept, ref
        self.ice_servers, self.rtc_turns = ice_servers, rtc_turns()
        self.kernel = KernelPort(session_id)
        self._idle = IdleTimer(config.idle_s, self._idle_is_over)
        self.audience = Audience()
        self._store = SessionStore(kept, self._tell_error)
        self._announcer = Announcer(lambda: self.followers)
        self.sharing = Sharing(
            session_id,
            lambda: self.audience,
            self.kernel,
            store=self._store,
            on_pointers=lambda places, people: self.outlets.recording.saw_pointers(places, people),
            calls=config.calls,
            relay=make_relay(config, kept),
        )
        self.view = ShownView(
            session_id,
            kernel=self.kernel,
            store=self._store,
            ties=ties,
            check=lambda patch: self.contents.check_patch(patch),
            on_change=self._view_changed,
            tell_kernel=lambda: self.reports.tell_kernel(),
        )
        self.drawing = Drawing(pool, self, on_show=self._on_show, may_blink=self._may_blink)
        self.fanout = self.drawing.fanout
        self._supervisor, self._demand = self.drawing.supervisor, self.drawing.demand
        self.reports = Reports(self.audience, self._announcer, self.kernel, self.view, self.drawing)
        self.own_views = OwnViews(self, pool)
        self.markup = Markup(
            audience=self.audience,
            kernel=self.kernel,
            view=self.view,
            drawing=self.drawing,
            own_views=self.own_views,
            store=self._store,
            kept=kept,
            want_worker=self._want_worker,
            on_edits=lambda edits: self.outlets.recording.saw_edits(edits),
            on_drawn=self.sharing.annotated,
            on_layers=self._describe,
            on_error=self._tell_error,
        )
        self.annotations, self.segmentations = self.markup.annotations, self.markup.segmentations
        self.contents = Contents(ref, self.palettes, self.segmentations)
        self.outlets = Outlets(
            config=config,
            audience=self.audience,
            kernel=self.kernel,
            view=self.view,
            drawing=self.drawing,
            markup=self.markup,
            sharing=self.sharing,
            store=self._store,
            want_worker=self._want_worker,
        )
        self.recording, self.pictures = self.outlets.recording, self.outlets.pictures
        self.publishing = self.outlets.publishing

    # -------------------------------------------------- kernel

    def open(self, patch: dict[str, Any], state: ViewState | None) -> None:
        """Get a worker and open the volume; `state` is where a former session was."""
        self.view.begin(patch, state)
        self._supervisor.start()
        self._idle.start()

    def take_up(self, volume: KeptVolume) -> None:
        """Show what a former server left, before the kernel comes; it may be busy for long."""
        self._process = volume.kernel
        self.segmentations.restore(volume.layers)
        self.open({}, None)
        self.view.await_kernel()

    def attach(self, kernel: Kernel, process: KernelProcess | None = None) -> None:
        """Tell `kernel` everything from now on, beginning with how things are."""
        self.kernel.attach(kernel)
        self._process = process
        self._describe()
        self._store.tell_trouble()
        self._tell_opened()
        if self._error is not None:
            # A kernel that comes again wants another try, and hears what becomes of it.
            self._supervisor.start()
        self.reports.tell_kernel()
        self.annotations.attach_kernel()
        self.outlets.attach_kernel()
        self.sharing.attach_kernel()

    def _describe(self) -> None:
        volume = kept_volume(self._ref, self.segmentations.open_sources, self._process)
        self._store.describe(volume)

    def put_palette(self, palette: Palette) -> None:
        """Take colours of the user's, which states may name from now on."""
        idx = self._store.put_palette(palette)
        message = wp.SetPalette(palette=palette, idx=idx)
        self._supervisor.send(message, while_opening=True)
        self.own_views.tell(message, while_opening=True)
        self.audience.send(vm.SetPalette(palette=palette, idx=idx))
        self.recording.saw_palette(palette, idx)

    def refresh(self) -> None:
        """Have the shared array read again: it changed in place."""
        self._supervisor.send(wp.Refresh())
        self.own_views.tell(wp.Refresh())

    async def close(self, reason: str, *, keeps: bool = False) -> None:
        """End the session: viewers are told, the worker and the shared array go.

        `keeps`: it may be opened again, with what was edited in it.
        """
        for part in (self.reports, self._announcer, self.annotations):
            part.close()
        self.drawing.stop()
        self._idle.stop()
        await self.outlets.close()
        await self.audience.dismiss(reason)
        await self.own_views.close()
        await self.drawing.close()
        await asyncio.to_thread(remove_shared_array, self._ref)
        await self.markup.close(keeps=keeps)
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
        peer = self.audience.new_peer()
        viewer = Viewer(self, channel, hello, peer=peer, role=role, guest=guest)
        self.audience.add(viewer)
        self._idle.stop()
        self._greet(viewer)
        self.sharing.joined(viewer)
        viewer.ping()
        self.fanout.add(viewer.frames)
        # A viewer who comes back after an error wants another try.
        self._supervisor.start()
        self._demand.update()
        self.reports.tell()
        logger.info("Viewer %d joined as %s over %s", viewer.peer, role, channel.name)
        return viewer

    async def leave(self, viewer: Viewer) -> None:
        """Forget a viewer whose connection is gone."""
        self.fanout.remove(viewer.frames)
        self.own_views.leave(viewer)
        if self.audience.remove(viewer):
            logger.info("Viewer %d left", viewer.peer)
            self.markup.forget(viewer)
            self.outlets.replaying.forget(viewer)
            self.sharing.left(viewer)
            if self._announcer.mover is viewer:
                self._announcer.mover = None
            self._demand.update()
            self.reports.tell()
            if not self.audience:
                self._idle.start()
        await viewer.dispose()

    @property
    def state(self) -> ViewState:
        """What it shows."""
        return self.view.state

    @property
    def info(self) -> VolumeInfo | None:
        """Its volume; None until that is open."""
        return self.view.info

    @property
    def palettes(self) -> Palettes:
        """Colours of the user's own."""
        return self._store.palettes

    @property
    def is_seen(self) -> bool:
        """Whether somebody looks, or it is recorded or published."""
        return bool(self.audience) or self.outlets.are_on

    def patch_by(self, viewer: Viewer, patch: dict[str, Any]) -> None:
        self.sharing.drove(viewer)
        self._announcer.mover = viewer
        self.view.patch_by(viewer, patch)

    def probe(self, viewer: Viewer, message: vm.Probe) -> None:
        if self.info is not None:
            self._supervisor.send(probe_of(viewer.peer, message, self.info, self.state))

    def _want_worker(self) -> None:
        """Get a worker for the kernel, which goes again when nobody looks."""
        self._supervisor.start()
        if not self.audience:
            self._idle.start()

    def on_demand_changed(self) -> None:
        self._demand.update()

    def on_acknowledged(self, subscriber: Subscriber) -> None:
        self._demand.room_made(subscriber)

    def on_report(self, viewer: Viewer) -> None:
        self.audience.reported(viewer)
        self.sharing.touch()
        self.reports.tell_kernel()

    # -------------------------------------------------- followers, and who looks around (Shown)

    @property
    def followers(self) -> tuple[Viewer, ...]:
        """Those who see what the session shows."""
        return self.audience.followers

    def on_followers_changed(self) -> None:
        self._demand.update()
        self.reports.tell_viewers()

    # -------------------------------------------------- worker (Drawn)

    def opening(self) -> wp.Open:
        return self.contents.opening(self.view.first_state, self.view.pane)

    def on_worker_message(self, message: wp.FromWorker) -> None:
        match message:
            case wp.Opened():
                self._opened(message)
            case wp.Described(info=info):
                self.view.info = info
                self.audience.send(vm.Info(info=info))
                self._tell_opened()
            case wp.Progress() | wp.EncoderChanged():
                self.reports.tell()
            case wp.Loaded():
                self.reports.tell_viewers()
            case wp.ProbedValue(peer=peer):
                if (viewer := self.audience.by_peer.get(peer)) is not None:
                    viewer.send(value_of(message))
            case wp.Failed(code=code, message=text, hint=hint):
                self._tell_error(from_code(code, text, hint))
            case _:
                self.markup.heard(message)

    def on_worker_status(self) -> None:
        self.reports.tell()

    def on_worker_failed(self, error: BlustreamError) -> None:
        logger.warning("Session %.8s shows nothing: %s", self.id, error.code)
        self._error = error
        # An array's memory is given back with the worker: the kernel copies it and tries again.
        is_to_come = isinstance(error, VolumeNotFoundError) and self._ref.array is not None
        if not (is_to_come and self.kernel.is_attached):
            self.markup.measuring.fail(error)
            self.pictures.fail(error)
        self._tell_error(error, fatal=True)

    def _opened(self, message: wp.Opened) -> None:
        before = self.view.opened(message)
        self._error = None
        for viewer in self.followers:
            self._greet(viewer)
            if viewer.seq:
                # What it asked for while the volume was opening is in this state, or was refused.
                viewer.send(vm.State(seq=viewer.seq, state=self.state))
        self._tell_opened()
        self.segmentations.catch_up()
        self._demand.opened(self.state)
        self.markup.measuring.ask_again()
        self.reports.tell_kernel()
        self.view.lead_as_opened(before)

    # -------------------------------------------------- telling

    def _view_changed(self, has_moved: bool) -> None:
        state = self.state
        for viewer in self.followers if has_moved and self.fanout.has_still else ():
            viewer.frames.moved()
        self._demand.show(state)
        self.recording.saw_state(state)
        self._announcer.state(state)

    def _on_show(self, is_same_view: bool) -> None:
        if self.fanout.has_still:
            for viewer in self.followers:
                viewer.frames.drawn(is_same_view=is_same_view)
            self.fanout.has_still = is_same_view

    def _may_blink(self) -> bool:
        return not (self.pictures.is_busy or any(viewer.is_calm for viewer in self.followers))

    def _greet(self, viewer: Viewer) -> None:
        viewer.send(self.welcome_of(viewer))
        for palette, idx in self.palettes.all():
            viewer.send(vm.SetPalette(palette=palette, idx=idx))
        self.markup.welcome(viewer)
        self.outlets.welcome(viewer)

    def welcome_of(self, viewer: Viewer) -> p.Welcome:
        return welcome_to(self.id, viewer, self.state, self.info, self.config, self.ice_servers)

    def _tell_opened(self) -> None:
        if self.info is not None:
            self.kernel.tell_opened(self.info, self.state, self._supervisor.capabilities)

    def _tell_error(self, error: BlustreamError, *, fatal: bool = False) -> None:
        self.audience.send_error(error, fatal=fatal)
        self.kernel.tell_error(error, fatal=fatal)

    def _idle_is_over(self) -> bool:
        is_opening = self.info is None and self._error is None
        is_busy = self.markup.is_busy or self.outlets.are_busy
        if is_busy or (is_opening and self.kernel.is_attached):
            return False  # the kernel waits for an answer, or the volume
        self._supervisor.give_back()
        return True
