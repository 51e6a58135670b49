"""What a page asks of a recording: each question is checked, and answered alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from blustream_widget.errors import BlustreamError, RecordingError
from blustream_widget.recording.boxes import CLOCK_HZ
from blustream_widget.recording.voices import Run, runs_between

if TYPE_CHECKING:
    from blustream_widget.recording.index import RecordingIndex
    from blustream_widget.recording.voices import Placed
    from blustream_widget.recordings import Recording

Answer: TypeAlias = tuple[dict[str, Any], list[bytes]]
"""Values that JSON knows, and bytes."""

MAX_PICTURE_BYTES = 64 * 1024 * 1024
MAX_HEARD_MS = 10_000
"""Of one answer about voices."""
_MAX_ID = 64
_LEAD_MS = 100
"""What a decoder needs in front of what is wanted, to be right there."""
_TICKS_A_MS = CLOCK_HZ // 1000


def answered(content: Any, answer: Callable[[dict[str, Any]], Answer]) -> Answer | None:
    """Answer a message of kind "recording"; None for whatever else a page says.

    An error of ours is an answer too.
    """
    if not isinstance(content, dict) or content.get("kind") != "recording":
        return None
    n = content.get("n")
    if not isinstance(n, str) or len(n) > _MAX_ID:
        return None
    head = {"kind": "recording", "n": n}
    try:
        told, buffers = answer(content)
    except BlustreamError as exc:
        return {**head, "error": {"code": exc.code, "message": exc.message, "hint": exc.hint}}, []
    return {**head, **told}, buffers


def whole(content: dict[str, Any], key: str) -> int:
    """Give a number that a page asks with, 0 or more.

    Raises
    ------
    RecordingError
        It is no such number.
    """
    value = content.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise RecordingError(f"The page asked with {key} that is no number.")
    return value


def read_part(path: Path, offset: int, n_bytes: int) -> bytes:
    """Read a part of a recording's file.

    Raises
    ------
    RecordingError
        It is too large, or not there any more.
    """
    if n_bytes > MAX_PICTURE_BYTES:
        raise RecordingError("A picture of the recording is too large to be sent.")
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(n_bytes)
    except OSError as exc:
        raise RecordingError(
            f"The recording {path.name} cannot be read: {exc.strerror}.",
            hint="Was it moved or removed? Open it again from where it is.",
        ) from exc
    if len(data) < n_bytes:
        raise RecordingError(
            f"The recording {path.name} is another one now.", hint="Run the cell again."
        )
    return data


class VoiceAnswers:
    """Gives pages what is said in a recording, from one time to another."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._known: tuple[RecordingIndex, list[Placed]] | None = None

    @property
    def speakers(self) -> list[list[str]]:
        """Id, name and colour of those who are heard."""
        speakers = self._recording.index.speakers.values()
        return [[who["id"], who["name"], who["color"]] for who in speakers]

    def answer(self, content: dict[str, Any]) -> Answer:
        """Give what is said `from` a time `until` another, in milliseconds, and just before.

        Raises
        ------
        RecordingError
            The times cannot be, or the file cannot be read.
        """
        from_ms, until_ms = whole(content, "from"), whole(content, "until")
        if not from_ms < until_ms <= from_ms + MAX_HEARD_MS:
            raise RecordingError(f"There is no sound from {from_ms} to {until_ms} ms.")
        runs = self.between(from_ms, until_ms)
        told = [
            {"who": run.who, "at": run.start_90k / CLOCK_HZ, "bytes": [*map(len, run.packets)]}
            for run in runs
        ]
        return {"runs": told}, [b"".join(packet for run in runs for packet in run.packets)]

    def between(self, from_ms: int, until_ms: int) -> list[Run]:
        """Give what is said between two times in milliseconds, and just before.

        Raises
        ------
        RecordingError
            The file cannot be read.
        """
        begin, end = (from_ms - _LEAD_MS) * _TICKS_A_MS, until_ms * _TICKS_A_MS
        path = self._recording.path
        return runs_between(
            self._placed(), begin, end, lambda at: read_part(path, at.offset, at.n_bytes)
        )

    def _placed(self) -> list[Placed]:
        """When what was said was said; the same list as long as the file is the same."""
        index = self._recording.index
        if self._known is None or self._known[0] is not index:
            self._known = index, index.placed_voices
        return self._known[1]
