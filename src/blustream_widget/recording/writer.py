"""One recording's thread: what the server saw goes to the disk, and the server never waits."""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from blustream_widget.config import Config
from blustream_widget.core.state import ViewState
from blustream_widget.errors import BlustreamError, RecordingError
from blustream_widget.recording import places
from blustream_widget.recording.boxes import CLOCK_HZ
from blustream_widget.recording.file import RecordingFile, TimedPicture
from blustream_widget.recording.voices import Spoken
from blustream_widget.runtime import start_thread

logger = logging.getLogger(__name__)

FLUSH_S = 1.0
"""What a recording that is cut off lacks at most."""
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Of pictures and voices that a slow disk has not taken: more are left out, up to a keyframe."""
_FREE_INTERVAL_S = 5.0


def now_90k() -> int:
    """Read the server's monotonic clock in ticks, as workers stamp their pictures with it."""
    return time.monotonic_ns() * 9 // 100_000


@dataclass(frozen=True, slots=True)
class Told:
    """How a recording is: `phase` "off" is its end, with an error if that was not wished for."""

    phase: str
    duration_s: float = 0.0
    n_bytes: int = 0
    error: BlustreamError | None = None


@dataclass(frozen=True, slots=True)
class _Event:
    time_90k: int
    event: dict[str, Any]  # Any: values that JSON knows


@dataclass(frozen=True, slots=True)
class _State:
    time_90k: int
    state: ViewState


@dataclass(frozen=True, slots=True)
class _Still:
    time_90k: int
    png: bytes
    header: bytes


_Item: TypeAlias = TimedPicture | _Event | _State | _Still | Spoken | None


class RecordingWriter:
    """Writes a recording in a thread of its own; methods may be called from any thread.

    Parameters
    ----------
    path : Path
    config : Config
        Limits of a recording, and which old ones are removed when this one begins.
    tell : callable
        Called in the thread: when it has begun, once a second, and when it has ended.
    overwrite : bool
    clock : callable
        Ticks of the clock that pictures are stamped with.
    """

    def __init__(
        self,
        path: Path,
        config: Config,
        tell: Callable[[Told], None],
        *,
        overwrite: bool = False,
        clock: Callable[[], int] = now_90k,
    ) -> None:
        self.path = path
        self._config = config
        self._tell = tell
        self._overwrite = overwrite
        self._clock = clock
        self._items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        self._put_bytes = self._taken_bytes = 0
        self._state: dict[str, Any] = {}
        self._began_90k = clock()
        self._free_checked_s = float("-inf")
        self._error: BlustreamError | None = None
        self._thread = start_thread(self._run, name="blustream-recording")

    @property
    def is_behind(self) -> bool:
        """Whether the disk takes less than comes."""
        return self._put_bytes - self._taken_bytes > MAX_WAITING_BYTES

    def put_picture(self, picture: TimedPicture) -> None:
        """Take a picture."""
        self._put_bytes += len(picture.data)
        self._items.put(picture)

    def put_still(self, png: bytes, header: bytes = b"") -> None:
        """Take the lossless picture of a view at rest, with its packed header."""
        self._put_bytes += len(png)
        self._items.put(_Still(self._clock(), png, header))

    def put_voice(self, spoken: Spoken) -> None:
        """Take what somebody said; its offset is to this recording's `clock`."""
        self._put_bytes += spoken.n_bytes
        self._items.put(spoken)

    def put_state(self, state: ViewState) -> None:
        """Take what is shown from now on."""
        self._items.put(_State(self._clock(), state))

    def put_event(self, event: dict[str, Any]) -> None:
        """Take something that happened now: values that JSON knows, with a `kind`."""
        self._items.put(_Event(self._clock(), event))

    def stop(self) -> None:
        """Have the file finished; `tell` hears of it. May be called twice."""
        self._items.put(None)

    def join(self, timeout_s: float) -> bool:
        """Wait until the file is finished."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    # -------------------------------------------------- the thread

    def _run(self) -> None:
        try:
            file = RecordingFile(self.path, overwrite=self._overwrite)
        except BlustreamError as exc:
            self._tell(Told("off", error=exc))
            return
        try:
            places.prune(self._config, keep=self.path)
            self._check_limits(file)
            self._tell(Told("on"))
            self._take_all(file)
            file.finish(self._clock())
        except BlustreamError as exc:
            self._error = exc
        except Exception as exc:
            logger.exception("A recording failed")
            self._error = RecordingError(f"The recording failed: {type(exc).__name__}.")
        finally:
            file.close()
        self._tell(Told("off", self._duration_s(file), file.n_bytes, self._error))

    def _take_all(self, file: RecordingFile) -> None:
        next_s = time.monotonic() + FLUSH_S
        while self._error is None:
            try:
                item = self._items.get(timeout=max(0.0, next_s - time.monotonic()))
            except queue.Empty:
                item = None
            else:
                if item is None:
                    return
                self._take(file, item)
            if time.monotonic() >= next_s:
                file.flush(self._clock())
                file.sync()
                self._tell(Told("on", self._duration_s(file), file.n_bytes))
                self._error = self._limit_reached(file)
                next_s = time.monotonic() + FLUSH_S

    def _take(self, file: RecordingFile, item: _Item) -> None:
        match item:
            case TimedPicture():
                self._taken_bytes += len(item.data)
                file.add_picture(item)
            case Spoken():
                self._taken_bytes += item.n_bytes
                file.add_voice(item)
            case _State(time_90k, state):
                values = msgspec.to_builtins(state)
                changed = {k: v for k, v in values.items() if self._state.get(k, ...) != v}
                self._state = values
                file.add_event(time_90k, {"kind": "state", "set": changed})
            case _Event(time_90k, event):
                file.add_event(time_90k, event)
            case _Still(time_90k, png, header):
                self._taken_bytes += len(png)
                file.add_still(time_90k, png, header)

    def _duration_s(self, file: RecordingFile) -> float:
        return round(file.since_first_90k(self._clock()) / CLOCK_HZ, 2)

    def _check_limits(self, file: RecordingFile) -> None:
        error = self._limit_reached(file)
        if error is not None:
            file.close()
            self.path.unlink(missing_ok=True)
            raise error

    def _limit_reached(self, file: RecordingFile) -> RecordingError | None:
        config, now_s = self._config, time.monotonic()
        if now_s - self._free_checked_s > _FREE_INTERVAL_S:
            self._free_checked_s = now_s
            free = places.free_bytes(self.path.parent)
            if free < config.recording_min_free_bytes:
                return RecordingError(
                    f"The recording ended: its disk has {free / 1e9:.1f} GB left.",
                    hint="Free some space, or set BLUSTREAM_RECORDING_MIN_FREE_BYTES.",
                )
        if file.n_bytes > config.recording_max_bytes:
            return RecordingError(
                f"The recording ended: it has {config.recording_max_bytes / 1e9:.1f} GB, "
                "and no more are allowed.",
                hint="Begin another one, or set BLUSTREAM_RECORDING_MAX_BYTES.",
            )
        if (self._clock() - self._began_90k) / CLOCK_HZ > config.recording_max_s:
            return RecordingError(
                f"The recording ended after {config.recording_max_s / 60:.0f} minutes, "
                "the longest that is allowed.",
                hint="Begin another one, or set BLUSTREAM_RECORDING_MAX_S.",
            )
        return None
