"""What a session tells its kernel, while it has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation_messages import AnnotationEdits, Measurement
from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.core.label_edit import Brick
from blustream_widget.core.picture_messages import PictureTaken
from blustream_widget.core.publishing import PublishStatus
from blustream_widget.core.recording_messages import RecordingState
from blustream_widget.core.replay_messages import DriveReplay, WantSaid
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.core.sharing import AuditRecord, SharedPerson, ShareLinkInfo
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Capabilities, VolumeInfo
from blustream_widget.errors import BlustreamError
from blustream_widget.session.supervisor import Supervisor
from blustream_widget.session.viewer import Viewer


class Kernel(Protocol):
    """The kernel whose `Viewer` made the session, as long as its link lives."""

    def tell(self, message: lp.ToKernel) -> None:
        """Queue a message."""


class KernelPort:
    """Messages of one session to whichever kernel holds it, or to nobody.

    Parameters
    ----------
    session_id : str
    """

    def __init__(self, session_id: str) -> None:
        self._session_id = session_id
        self._kernel: Kernel | None = None
        # Of the newest patch that was applied or refused, and of the newest that came.
        self.seq = self.wished_seq = 0
        # What a kernel said that is not there any more, holds no longer.
        self.on_change: Callable[[], None] = lambda: None

    @property
    def is_attached(self) -> bool:
        """Whether a kernel's link holds the session."""
        return self._kernel is not None

    def attach(self, kernel: Kernel) -> None:
        """Tell `kernel` from now on."""
        if kernel is not self._kernel:
            self._kernel = kernel
            self.on_change()

    def detach(self, kernel: Kernel) -> None:
        """Forget `kernel`, unless another one took its place."""
        if self._kernel is kernel:
            self._kernel = None
            self.on_change()

    def tell_opened(self, info: VolumeInfo, state: ViewState, capabilities: Capabilities) -> None:
        """Tell that the volume is open."""
        self._tell(
            lp.VolumeOpened(
                session=self._session_id, info=info, state=state, capabilities=capabilities
            )
        )

    def tell_token(self, token: str) -> None:
        """Tell a fresh token."""
        self._tell(lp.SessionToken(session=self._session_id, token=token))

    def tell_error(self, error: BlustreamError, *, fatal: bool = False) -> None:
        """Tell that something failed."""
        self._tell(
            lp.SessionError(
                session=self._session_id,
                code=error.code,
                message=error.message,
                hint=error.hint,
                fatal=fatal,
            )
        )

    def tell_mirror(
        self,
        state: ViewState,
        progress: wp.Progress,
        supervisor: Supervisor,
        *,
        n_viewers: int,
        held_back: str,
        reporter: Viewer | None,
    ) -> None:
        """Tell how things are; `reporter` is the viewer whose measurements count."""
        report = None if reporter is None else reporter.report
        # A browser without a video decoder gets JPEG, whatever the encoder would make.
        is_jpeg = report is not None and report.decoder == "jpeg"
        self._tell(
            lp.Mirror(
                session=self._session_id,
                state=state,
                seq=self.seq,
                worker=supervisor.status,
                transport="" if reporter is None else reporter.transport,
                via="" if reporter is None else reporter.via,
                encoder=supervisor.capabilities.encoder,
                codec="jpeg" if is_jpeg else supervisor.capabilities.codec,
                displayed_fps=0.0 if report is None else report.displayed_fps,
                latency_ms=0.0 if report is None else report.latency_ms,
                viewers=n_viewers,
                lod=progress.lod,
                progress=progress.progress,
                exact=progress.exact,
                held_back=held_back,
            )
        )

    def tell_annotations(self, edits: AnnotationEdits) -> None:
        """Tell what changed of the annotations."""
        self._tell(la.Annotations(session=self._session_id, edits=edits))

    def tell_measurement(self, measurement: Measurement) -> None:
        """Tell what was measured."""
        self._tell(la.Measured(session=self._session_id, measurement=measurement))

    def tell_segmentation(self, info: SegmentationInfo) -> None:
        """Tell that labels are open, or counted."""
        self._tell(ll.SegmentationOpened(session=self._session_id, info=info))

    def tell_no_segmentation(self, failed: wp.SegmentationFailed) -> None:
        """Tell that labels cannot be opened, or not be counted."""
        self._tell(
            ll.SegmentationFailed(
                session=self._session_id,
                name=failed.name,
                code=failed.code,
                message=failed.message,
                hint=failed.hint,
                are_open=failed.are_open,
            )
        )

    def tell_labels_edited(self, name: str, n: int, n_voxels: int) -> None:
        """Tell that an edit of labels is done."""
        self._tell(ll.LabelsEdited(session=self._session_id, name=name, n=n, n_voxels=n_voxels))

    def tell_edit_progress(self, name: str, n: int, share: float | None) -> None:
        """Tell how far a long edit is."""
        self._tell(ll.EditProgress(session=self._session_id, name=name, n=n, share=share))

    def tell_edit_refused(self, name: str, n: int, error: BlustreamError) -> None:
        """Tell that an edit of labels cannot be."""
        self._tell(
            ll.EditRefused(
                session=self._session_id,
                name=name,
                n=n,
                code=error.code,
                message=error.message,
                hint=error.hint,
            )
        )

    def tell_bricks(
        self, name: str, n: int, bricks: tuple[tuple[Brick, bytes], ...], *, more: bool
    ) -> None:
        """Tell what was edited in labels."""
        self._tell(
            ll.EditedBricks(session=self._session_id, name=name, n=n, bricks=bricks, more=more)
        )

    def tell_horizon(self, grid: TrackedGrid) -> None:
        """Tell a horizon that was followed."""
        self._tell(la.Tracked(session=self._session_id, grid=grid))

    def tell_recording(self, path: str, n: int, status: RecordingState) -> None:
        """Tell how the recording is."""
        self._tell(lp.RecordingStatus(session=self._session_id, n=n, path=path, status=status))

    def tell_replay_wish(self, wish: DriveReplay | WantSaid) -> None:
        """Tell what somebody wants of its replay."""
        self._tell(lp.WishOfReplay(session=self._session_id, wish=wish))

    def tell_sharing(
        self,
        people: tuple[SharedPerson, ...],
        links: tuple[ShareLinkInfo, ...],
        page: str,
        audit: tuple[AuditRecord, ...],
    ) -> None:
        """Tell who is here, and what they did."""
        self._tell(
            ls.Shared(session=self._session_id, people=people, links=links, page=page, audit=audit)
        )

    def tell_picture(self, taken: PictureTaken) -> None:
        """Tell a picture of the view, or why there is none."""
        self._tell(taken)

    def tell_published(self, status: PublishStatus) -> None:
        """Tell whether the view is published."""
        self._tell(status)

    def _tell(self, message: lp.ToKernel) -> None:
        if self._kernel is not None:
            self._kernel.tell(message)
