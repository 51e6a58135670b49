"""Where a session goes, other than to those who look: recordings and back, publishing, Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from blustream_widget.core import worker_protocol as wp
from blustream_widget.session.pictures import PictureDesk
from blustream_widget.session.publishing import PublishDesk
from blustream_widget.session.recording import RecordingDesk
from blustream_widget.session.replaying import ReplayDesk
from blustream_widget.session.voices import VoiceDesk

if TYPE_CHECKING:
    from blustream_widget.config import Config
    from blustream_widget.session.audience import Audience
    from blustream_widget.session.drawing import Drawing
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.markup import Markup
    from blustream_widget.session.session_store import SessionStore
    from blustream_widget.session.sharing import Sharing
    from blustream_widget.session.shown_view import ShownView
    from blustream_widget.session.viewer import Viewer


class Outlets:
    """Recording with voices and its replay, publishing, single pictures. Loop thread only.

    Parameters
    ----------
    config : Config
    audience : Audience
    kernel : KernelPort
    view : ShownView
    drawing : Drawing
    markup : Markup
        A recording holds what is drawn, too.
    sharing : Sharing
        Its call may be heard in a recording; who drives drives a replay, too.
    store : SessionStore
    want_worker : callable
        Has a worker got, if there is none.

    Attributes
    ----------
    recording : RecordingDesk
    voices : VoiceDesk
    replaying : ReplayDesk
    pictures : PictureDesk
    publishing : PublishDesk
    """

    def __init__(
        self,
        *,
        config: Config,
        audience: Audience,
        kernel: KernelPort,
        view: ShownView,
        drawing: Drawing,
        markup: Markup,
        sharing: Sharing,
        store: SessionStore,
        want_worker: Callable[[], None],
    ) -> None:
        self._drawing, self._want_worker = drawing, want_worker
        self.recording = RecordingDesk(
            config=config,
            fanout=drawing.fanout,
            kernel=kernel,
            viewers=lambda: audience,
            view=lambda: (view.state, view.info),
            items=lambda: markup.annotations.items,
            palettes=store.palettes.all,
            encoder=lambda: drawing.supervisor.capabilities.encoder,
            on_change=self._changed,
            in_turn=store.in_turn,
        )
        self.voices = VoiceDesk(sharing.call, self.recording, sharing.noted)
        self.replaying = ReplayDesk(kernel, lambda: audience, sharing.drove)
        self.pictures = PictureDesk(
            fanout=drawing.fanout,
            kernel=kernel,
            state=lambda: view.state,
            on_change=self._changed,
            draw_again=lambda: drawing.supervisor.send(wp.WantKeyframe(0)),
        )
        self.publishing = PublishDesk(
            config=config,
            fanout=drawing.fanout,
            kernel=kernel,
            session_id=view.id,
            viewers=lambda: audience,
            can_encode=lambda: view.info is None or bool(drawing.supervisor.capabilities.encoder),
            on_change=self._changed,
            note=sharing.owner_did,
        )

    @property
    def are_on(self) -> bool:
        """Whether the session is recorded or published."""
        return self.recording.is_on or self.publishing.is_on

    @property
    def are_busy(self) -> bool:
        """Whether the worker is needed for it, though nobody looks."""
        return self.are_on or self.pictures.is_busy

    def _changed(self) -> None:
        self.voices.review()
        parts = (self.recording.takes_pictures, self.publishing.takes_pictures)
        if any(parts) or self.pictures.is_busy:
            self._want_worker()
        self._drawing.demand.update()

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer whether the session is recorded or published, or something is replayed."""
        self.recording.welcome(viewer)
        self.publishing.welcome(viewer)
        self.replaying.welcome(viewer)

    def attach_kernel(self) -> None:
        """Tell the kernel likewise."""
        self.recording.attach_kernel()
        self.publishing.attach_kernel()

    async def close(self) -> None:
        """End recording and publishing, and wait."""
        await self.recording.close()
        await self.publishing.close()
