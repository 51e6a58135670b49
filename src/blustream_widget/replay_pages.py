"""What pages hear of a replay, what they ask of it, and what they want it to do.

All of it goes through the server, which knows who looks and what they may: so guests, and pages
whose kernel is busy, are served as the notebook's own.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core.replay_messages import (
    MAX_CHAPTERS,
    MAX_SAID_BYTES,
    PIECE_MS,
    ReplayAbout,
    ReplayState,
    Said,
    SaidRun,
)
from blustream_widget.errors import BlustreamError, RecordingError
from blustream_widget.page_questions import VoiceAnswers
from blustream_widget.recording.boxes import CLOCK_HZ

if TYPE_CHECKING:
    from collections.abc import Callable

    from blustream_widget.recordings import Recording

logger = logging.getLogger(__name__)

TELL_S = 0.5
"""Pages hear where it is so often, and at once when something else changed."""
_MOST_ASKED = 64
"""Questions that wait; the server asks once for all pages."""


class ReplayPages:
    """Tells where a replay is, and answers who plays its voices.

    Parameters
    ----------
    recording : Recording
    with_voices : bool
        Whether they are heard.
    tell : callable
        Sends a message to the server; from any thread.
    """

    def __init__(
        self, recording: Recording, *, with_voices: bool, tell: Callable[[ReplayState | Said], None]
    ) -> None:
        self._voices = VoiceAnswers(recording)
        self._tell = tell
        speakers = self._voices.speakers if with_voices else []
        self._about = ReplayAbout(
            name=recording.path.name,
            duration_s=recording.duration_s,
            chapters=tuple((c.t, c.title) for c in recording.chapters[:MAX_CHAPTERS]),
            speakers=tuple((key, name, color) for key, name, color in speakers),
        )
        self._told: ReplayState | None = None
        self._told_s = float("-inf")
        self._is_known = False
        self._asked: deque[Said] = deque(maxlen=_MOST_ASKED)

    def begin_anew(self) -> None:
        """Tell all again: a server is there that may know nothing. Any thread."""
        self._is_known = False

    def tell(self, state: ReplayState, now_s: float) -> None:
        """Tell where it is, if that is due. The replay's thread."""
        told, is_known = self._told, self._is_known
        is_same = told is not None and msgspec.structs.replace(told, t=state.t) == state
        # One that stands still tells nothing: a page would take its time for one that is late.
        stands = told is not None and told.t == state.t
        if is_known and is_same and (stands or now_s - self._told_s < TELL_S):
            return
        self._told, self._told_s, self._is_known = state, now_s, True
        self._tell(state if is_known else msgspec.structs.replace(state, about=self._about))

    def ask(self, n: int, piece: int) -> None:
        """Take a question about what is said. Any thread."""
        self._asked.append(Said(n=n, piece=piece))

    def answer(self) -> None:
        """Answer what was asked since the last time. The replay's thread: it reads the file."""
        while self._asked:
            asked = self._asked.popleft()
            try:
                runs = self._runs(asked.piece)
            except BlustreamError as exc:
                logger.warning("Voices of the replay are left out: %s", exc)
                self._tell(msgspec.structs.replace(asked, refused=exc.message))
            else:
                self._tell(msgspec.structs.replace(asked, runs=runs))

    def _runs(self, piece: int) -> tuple[SaidRun, ...]:
        if not self._about.speakers:
            raise RecordingError("No voices are heard in this replay.")
        runs = self._voices.between(piece * PIECE_MS, (piece + 1) * PIECE_MS)
        if sum(len(packet) for run in runs for packet in run.packets) > MAX_SAID_BYTES:
            raise RecordingError("There is more sound in the recording than can be sent.")
        return tuple(SaidRun(r.who, r.start_90k / CLOCK_HZ, tuple(r.packets)) for r in runs)
