"""Pictures of the view for Python: the worker's lossless one at rest, also while nobody looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from blustream_widget.core.picture_messages import PanePlace, PictureTaken, TakePicture
from blustream_widget.transport.fanout import Fanout, Picture
from blustream_widget.transport.keyframe_wait import KeyframeWait

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState
    from blustream_widget.errors import BlustreamError
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.transport.frame import EncodedFrame

_REVISIONS = 1 << 32


class PictureDesk:
    """Answers the kernel's wishes for a picture. Loop thread only.

    While one waits it is one more subscriber of the session's fan-out. While somebody looks, the
    pace is theirs; when nobody does, the worker draws for it.

    Parameters
    ----------
    fanout : Fanout
    kernel : KernelPort
    state : callable
        Gives the view as it is now: no picture of an older one is an answer.
    on_change : callable
        Other pictures are wanted than before.
    draw_again : callable
        Has the worker draw what it shows once more: a picture that rests was sent already.
    """

    def __init__(
        self,
        *,
        fanout: Fanout,
        kernel: KernelPort,
        state: Callable[[], ViewState],
        on_change: Callable[[], None],
        draw_again: Callable[[], None],
    ) -> None:
        self._fanout, self._kernel, self._state = fanout, kernel, state
        self._on_change, self._draw_again = on_change, draw_again
        self._waiting: dict[int, int] = {}  # revision of the view, by question
        self._session = ""
        self.keyframe = KeyframeWait()

    @property
    def is_busy(self) -> bool:
        """Whether the kernel waits for a picture."""
        return bool(self._waiting)

    def receive(self, message: TakePicture) -> None:
        """Take a wish, or call one off."""
        self._session = message.session
        if message.cancel:
            if self._waiting.pop(message.n, None) is not None:
                self._settle()
            return
        if not self._waiting:
            self._fanout.add(self, sets_pace=False)
        self._waiting[message.n] = self._state().revision
        self._on_change()
        self._draw_again()

    def fail(self, error: BlustreamError) -> None:
        """Say that there will be no picture."""
        waiting, self._waiting = self._waiting, {}
        for n in waiting:
            self._kernel.tell_picture(PictureTaken(self._session, n, error=str(error)))
        if waiting:
            self._settle()

    def _settle(self) -> None:
        if not self._waiting:
            self._fanout.remove(self)
            self._on_change()

    # -------------------------------------------------- as a subscriber

    @property
    def video(self) -> Picture | None:
        return "jpeg"  # needs no encoder of this machine, and nothing depends on it

    @property
    def stills(self) -> bool:
        return True

    @property
    def has_credit(self) -> bool:
        return not self._fanout.has_pace

    @property
    def needs_keyframe(self) -> bool:
        return False

    def offer(self, frame: EncodedFrame) -> None:
        if not frame.is_still:
            return
        header = frame.header
        for n, revision in list(self._waiting.items()):
            if (header.revision - revision) % _REVISIONS >= _REVISIONS // 2:
                continue  # of an earlier view
            del self._waiting[n]
            panes = tuple(
                PanePlace(pane.pane, pane.x_px, pane.y_px, pane.width_px, pane.height_px)
                for pane in header.panes
            )
            self._kernel.tell_picture(
                PictureTaken(self._session, n, bytes(frame.picture), self._state().layout, panes)
            )
        self._settle()
