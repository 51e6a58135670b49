"""What people draw over a session's volume, and ask of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blustream_widget.core import link_annotations as la
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation_messages import EditAnnotations, Measure, OrderedEdit
from blustream_widget.core.label_edit import CancelEdit, EditLabels
from blustream_widget.errors import BlustreamError
from blustream_widget.session import access
from blustream_widget.session.annotations import AnnotationBoard
from blustream_widget.session.grid_store import GridStore
from blustream_widget.session.horizons import FromKernel, Horizons
from blustream_widget.session.label_store import LabelStore
from blustream_widget.session.measuring import Measuring
from blustream_widget.session.segmentations import SegmentationBoard
from blustream_widget.session.telling import source_channel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blustream_widget.session.audience import Audience
    from blustream_widget.session.drawing import Drawing
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.own_views import OwnViews
    from blustream_widget.session.session_store import SessionStore
    from blustream_widget.session.shown_view import ShownView
    from blustream_widget.session.viewer import Viewer


class Markup:
    """Annotations, labels and overlays, measurements, horizons. Loop thread only.

    Parameters
    ----------
    audience : Audience
    kernel : KernelPort
    view : ShownView
    drawing : Drawing
    own_views : OwnViews
        Show the same labels.
    store : SessionStore
    kept : Path or None
        Folder of the session, for what another server takes up.
    want_worker : callable
        Has a worker got, if there is none.
    on_edits : callable
        Gets edits of annotations.
    on_drawn : callable
        Gets who drew on the volume, and what they did.
    on_layers : callable
        Hears that labels or overlays came or went.
    on_error : callable
        Hears that something cannot be kept.

    Attributes
    ----------
    annotations : AnnotationBoard
    segmentations : SegmentationBoard
    measuring : Measuring
    horizons : Horizons
    """

    def __init__(
        self,
        *,
        audience: Audience,
        kernel: KernelPort,
        view: ShownView,
        drawing: Drawing,
        own_views: OwnViews,
        store: SessionStore,
        kept: Path | None,
        want_worker: Callable[[], None],
        on_edits: Callable[[Sequence[OrderedEdit]], None],
        on_drawn: Callable[[Viewer, str], None],
        on_layers: Callable[[], None],
        on_error: Callable[[BlustreamError], None],
    ) -> None:
        self._view, self._own_views = view, own_views
        self._want_worker, self._on_drawn = want_worker, on_drawn
        self.annotations = AnnotationBoard(
            viewers=lambda: audience,
            kernel=kernel,
            shape=lambda: None if view.info is None else view.info.shape,
            on_edits=on_edits,
            store=store,
        )
        self.segmentations = SegmentationBoard(
            viewers=lambda: audience,
            kernel=kernel,
            supervisor=drawing.supervisor,
            want_worker=want_worker,
            show=self._show_layers,
            view=lambda: (view.state, view.info),
            frame_no=lambda: drawing.frame_no,
            store=None if kept is None else LabelStore(kept, on_error),
            tell_others=own_views.tell,
            on_layers=on_layers,
        )
        self.measuring = Measuring(drawing.supervisor, audience.by_peer, kernel)
        self.horizons = Horizons(
            measuring=self.measuring,
            annotations=self.annotations,
            viewers=audience.by_peer,
            kernel=kernel,
            channel=self._source_channel,
            grids=GridStore(None if kept is None else kept / "horizons"),
        )

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for an answer of the worker."""
        return self.measuring.is_busy or self.segmentations.is_busy

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer all that is drawn."""
        self.segmentations.welcome(viewer)
        self.segmentations.edits.welcome(viewer)
        self.annotations.welcome(viewer)

    def forget(self, viewer: Viewer) -> None:
        """Drop the questions of somebody who left."""
        self.measuring.forget(viewer)
        self.horizons.forget(viewer)

    async def close(self, *, keeps: bool) -> None:
        """Write what waits; `keeps`: another server is to find it."""
        await self.segmentations.close()
        await self.segmentations.edits.close(keeps=keeps)
        await self.horizons.close()

    # -------------------------------------------------- viewers and kernel

    def edit_annotations(self, viewer: Viewer, message: EditAnnotations) -> None:
        """Change annotations, or tell the viewer why not."""
        self.annotations.edit_by(viewer, message)
        if access.may(viewer.role, EditAnnotations):  # else it was refused
            self._on_drawn(viewer, "annotated")

    def edit_labels(self, viewer: Viewer, message: EditLabels | CancelEdit) -> None:
        """Edit labels, or give an edit up; never raises."""
        if isinstance(message, CancelEdit):
            self.segmentations.edits.cancel_by(viewer, message)
        else:
            self.segmentations.edits.edit_by(viewer, message)
            if access.may(viewer.role, EditLabels):
                self._on_drawn(viewer, "edited labels")

    def measure(self, viewer: Viewer, message: Measure) -> None:
        """Measure an annotation; raises `AnnotationError`."""
        item = self.annotations.find(message.id)
        channel = self._source_channel(message.channel, viewer)
        self.measuring.ask_by(viewer, message, item, channel)

    def measure_by_kernel(self, message: la.MeasureItem | FromKernel) -> None:
        """Measure an annotation for the kernel, with a worker got for it if there is none."""
        if isinstance(message, la.MeasureItem):
            self.measuring.ask_by_kernel(message, self._source_channel(message.channel))
        else:
            self.horizons.receive_of_kernel(message)
        self._want_worker()

    def _source_channel(self, channel: int | None = None, viewer: Viewer | None = None) -> int:
        """Give the number of a channel, or the one shown (to a viewer), at the step shown."""
        own = None if viewer is None else viewer.own
        state = self._view.state if own is None else own.state
        return source_channel(self._view.info, state, channel)

    # -------------------------------------------------- worker

    def opened(self) -> None:
        """Tell a worker that has the volume open what it does not know yet."""
        self.segmentations.catch_up()

    def heard(self, message: wp.FromWorker) -> None:
        """Hear the session's worker about labels, or what was asked of it."""
        match message:
            case wp.MeasuredVoxels() | wp.TrackedVoxels() | wp.SnappedVoxel():
                self.measuring.answer(message)
            case _:
                self.segmentations.heard(message)
                self._own_views.heard(message)

    def _show_layers(self, patch: dict[str, Any]) -> None:
        if self._view.info is not None:
            before = self._view.state
            self._view.change(patch)
            self._own_views.follow_layers(before, self._view.state)
