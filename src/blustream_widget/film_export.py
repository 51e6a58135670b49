"""A film that a recording's page asked for: written in a thread, beside the recording."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

from blustream_widget.encode.films import FORMATS
from blustream_widget.errors import (
    BlustreamError,
    RecordingCancelledError,
    RecordingError,
    RecordingExistsError,
)
from blustream_widget.recording.export import export
from blustream_widget.recording.index import RecordingIndex
from blustream_widget.runtime import start_thread

logger = logging.getLogger(__name__)

ENDINGS = tuple(FORMATS)
_MAX_NAMES = 1000
_being_written: set[Path] = set()
"""By all players of this process: a film has its name only when it is whole."""
_JOIN_S = 5.0


class FilmExport:
    """Writes one film after the other, in a thread, and says how far it is.

    Parameters
    ----------
    source : Path
        The recording; films lie beside it, as `talk-film.webm`, `talk-film-2.webm`.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._has_ended = threading.Event()
        self._has_ended.set()
        self._wants = threading.Event()
        self._name = ""
        self._share = 0.0
        self._error: BlustreamError | None = None
        self._phase = "none"

    def begin(self, index: RecordingIndex, ending: str) -> None:
        """Write a film of what is recorded until now.

        Raises
        ------
        RecordingError
            One is being written, or the ending says no format.
        """
        if self._phase == "on":
            raise RecordingError(f"{self._name} is being written.", hint="Cancel it, or wait.")
        if ending not in ENDINGS:
            raise RecordingError(f"A film cannot be {ending!r}.", hint=f"Known: {ENDINGS}.")
        self._has_ended.wait(_JOIN_S)
        target = self._free_name(ending)
        self._name, self._share, self._error, self._phase = target.name, 0.0, None, "on"
        self._wants.set()
        self._has_ended.clear()
        _being_written.add(target)
        start_thread(lambda: self._write(index, target), name="blustream-film")

    def cancel(self) -> None:
        """Give up the film that is being written; nothing of it is left."""
        self._wants.clear()

    def told(self) -> dict[str, Any]:
        """How it stands: `phase` is none, on, done, cancelled or failed; `share` 0 to 1."""
        error = self._error
        return {
            "phase": self._phase,
            "name": self._name,
            "folder": str(self._source.parent),
            "share": self._share,
            "message": "" if error is None else error.message,
            "hint": "" if error is None else error.hint,
        }

    def close(self) -> None:
        """Give up, and wait for the thread."""
        self.cancel()
        self._has_ended.wait(_JOIN_S)

    def _write(self, index: RecordingIndex, target: Path) -> None:
        try:
            export(self._source, index, target, on_progress=self._progress)
        except RecordingCancelledError:
            self._phase = "cancelled"
        except BlustreamError as exc:
            self._error, self._phase = exc, "failed"
        except OSError as exc:
            self._error = RecordingError(
                f"{target.name} cannot be written: {exc.strerror}.",
                hint="recording.export(path) writes it elsewhere.",
            )
            self._phase = "failed"
        except Exception as exc:
            logger.exception("A film failed")
            self._error = RecordingError(f"The film failed: {type(exc).__name__}.")
            self._phase = "failed"
        else:
            self._share, self._phase = 1.0, "done"
        finally:
            _being_written.discard(target)
            self._has_ended.set()

    def _progress(self, share: float) -> bool:
        self._share = share
        return self._wants.is_set()

    def _free_name(self, ending: str) -> Path:
        stem = f"{self._source.stem}-film"
        for n in range(1, _MAX_NAMES):
            name = f"{stem}{ending}" if n == 1 else f"{stem}-{n}{ending}"
            target = self._source.with_name(name)
            if not target.exists() and target not in _being_written:
                return target
        raise RecordingExistsError(
            f"There are {_MAX_NAMES - 1} films of {self._source.name} already.",
            hint="Remove some of them.",
        )
