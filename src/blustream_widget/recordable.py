"""What a viewer can do with recordings: a part of `Viewer`."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import traitlets as t

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation_messages import Edit
from blustream_widget.core.annotation_set import OWNER, Author
from blustream_widget.core.recording_messages import RecordingState
from blustream_widget.core.replay_messages import ReplayState, Said
from blustream_widget.errors import BlustreamError, RecordingError, from_code
from blustream_widget.recordings import Recording

if TYPE_CHECKING:
    from blustream_widget.annotations.mirror import AnnotationMirror
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.replay import Replay
    from blustream_widget.server_link import Link

logger = logging.getLogger(__name__)

_START_TIMEOUT_S, _STOP_TIMEOUT_S = 20.0, 60.0


class Recordable(t.HasTraits):
    """The part of `Viewer` that is about recordings."""

    if TYPE_CHECKING:
        _link: Link
        _session: str
        _mirrored: AnnotationMirror

        @property
        def info(self) -> VolumeInfo: ...

    def _start_recordable(self) -> None:
        self._recording_n = 0
        self._recording_wish: lp.StartRecording | lp.StopRecording | None = None  # not answered
        self._recording_answer: lp.RecordingStatus | None = None
        self._is_reopened = False  # maybe by another server, which says next what it knows
        self._recording = lp.RecordingStatus("", 0, "", RecordingState())
        self._recording_told = threading.Condition()
        self._recording_turn = threading.Lock()  # of who asks: an answer is of one question
        self._last_recording: Path | None = None
        self._replay: Replay | None = None

    @property
    def recording(self) -> RecordingState:
        """How the recording is: `phase` "on" or "off", `name`, `duration_s`, `n_bytes`."""
        return self._recording.status

    @property
    def last_recording(self) -> Path | None:
        """File of the recording that runs or ran last, also where the page began it."""
        return self._last_recording

    def record(
        self, path: str | os.PathLike[str] | None = None, *, overwrite: bool = False
    ) -> Path:
        """Record what is seen, and what happens, to an MP4 file until `stop_recording`.

        Everybody who looks sees that. The pictures are written as they are sent, without a second
        encode, by the server: a busy kernel holds up nothing.

        Parameters
        ----------
        path : str or path, optional
            File to be made; default: a new one in the folder of recordings.
        overwrite : bool
            Take the place of a file that is there.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        RecordingExistsError, RecordingError
            The file is there already; it cannot be written; the view is recorded already; there
            is no H.264 encoder.
        """
        _ = self.info
        target = "" if path is None else os.fspath(Path(path).expanduser().absolute())
        wish = lp.StartRecording(session=self._session, n=0, path=target, overwrite=overwrite)
        told = self._wait_for(wish, _START_TIMEOUT_S)
        if told.status.code:
            raise from_code(told.status.code, told.status.message, told.status.hint)
        return Path(told.path)

    def stop_recording(self) -> Recording:
        """End the recording, wait until its file is whole, and open it.

        Raises
        ------
        RecordingError
            There is none, or it could not be finished.
        """
        if self.recording.phase == "off":
            raise RecordingError("Nothing is recorded.", hint="viewer.record() begins that.")
        wish = lp.StopRecording(session=self._session, n=0)
        told = self._wait_for(wish, _STOP_TIMEOUT_S)
        if told.status.code:
            raise from_code(told.status.code, told.status.message, told.status.hint)
        return Recording(told.path)

    def _begin_replay(self, replay: Replay) -> None:
        """One at a time: two would pull the view to and fro."""
        before, self._replay = self._replay, replay
        if before is not None:
            before.stop()

    def _tell_of_replay(self, told: ReplayState | Said) -> None:
        """Tell the server, and so the pages, of the replay; from any thread."""
        is_state = isinstance(told, ReplayState)
        message = lp.ReplayStatus if is_state else lp.ReplaySaid
        self._link.tell(message(self._session, told))  # type: ignore[arg-type]  # of its kind

    def _replay_edits(self, edits: Sequence[Edit]) -> None:
        """Take edits of a replay as one step of this notebook's history."""
        author = Author(OWNER, time.time() * 1000, self.info.shape)
        try:
            self._mirrored.try_out(edits, author)
        except BlustreamError as exc:
            logger.warning("Annotations of the replay are left out: %s", exc)
            return
        self._mirrored.post(edits, author, gesture=self._mirrored.next_gesture())

    def _wait_for(
        self, wish: lp.StartRecording | lp.StopRecording, timeout_s: float
    ) -> lp.RecordingStatus:
        """Ask for something, when no other thread waits, and wait for what becomes of it."""
        with self._recording_turn, self._recording_told:
            self._recording_n += 1
            self._recording_wish = msgspec.structs.replace(wish, n=self._recording_n)
            self._link.tell(self._recording_wish)
            try:
                self._recording_told.wait_for(lambda: self._recording_answer is not None, timeout_s)
            finally:  # also when the user interrupts
                self._recording_wish = None
                answer, self._recording_answer = self._recording_answer, None
            if answer is None:
                raise RecordingError(
                    f"The server did not answer within {timeout_s:.0f} s.",
                    hint="See the log in the server's runtime folder.",
                )
            return answer

    def _with_what_broke_off(self, message: lp.RecordingStatus) -> lp.RecordingStatus:
        """Say so where another server, which knows of no recording, took the place of one."""
        before = self._recording
        # One that has recorded anything counts it.
        knows_nothing = self._is_reopened and message.n == message.status.number == 0
        if before.status.phase == "off" or not knows_nothing:
            return message
        status = RecordingState(
            code=RecordingError.code,
            message="The server ended while it recorded.",
            hint="What was recorded until then can be opened: Recording(viewer.last_recording).",
        )
        return lp.RecordingStatus(message.session, self._recording_n, before.path, status)

    def _hear_recording(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.SessionOpened):
            self._is_reopened = True
            if self._replay is not None:
                self._replay._server_changed()
        elif isinstance(message, lp.WishOfReplay):
            if self._replay is not None:
                self._replay._hear(message.wish)
        elif isinstance(message, lp.RecordingStatus):
            with self._recording_told:
                self._recording = self._with_what_broke_off(message)
                wish = self._recording_wish
                if self._is_reopened and wish is not None and self._recording.n < wish.n:
                    self._link.tell(wish)
                self._is_reopened = False
                if message.status.phase == "on":
                    self._last_recording = Path(message.path)
                if wish is not None and _answers(wish, self._recording):
                    # What comes after it, perhaps at once, is no answer.
                    self._recording_wish, self._recording_answer = None, self._recording
                self._recording_told.notify_all()


def _answers(wish: lp.StartRecording | lp.StopRecording, told: lp.RecordingStatus) -> bool:
    phases = ("on", "off") if isinstance(wish, lp.StartRecording) else ("off",)
    return told.n >= wish.n and (told.status.phase in phases or bool(told.status.code))
