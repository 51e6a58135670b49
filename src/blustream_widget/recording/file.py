"""A recording while it is written: whatever ends it, it opens up to what was written last."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from blustream_widget.errors import RecordingError, RecordingExistsError
from blustream_widget.recording import boxes
from blustream_widget.recording.avc import decoder_config, to_sample
from blustream_widget.recording.boxes import CLOCK_HZ, Sample
from blustream_widget.recording.voices import Spoken

_MAX_DURATION_90K = 2**32 - 1


@dataclass(frozen=True, slots=True)
class TimedPicture:
    """An access unit with start codes and when it was made, in ticks of any one clock.

    `header` is the protocol's, packed: what the picture shows.
    """

    time_90k: int
    data: bytes
    is_keyframe: bool
    width_px: int
    height_px: int
    header: bytes = b""


class RecordingFile:
    """Pictures and events into a fragmented MP4 file.

    Parameters
    ----------
    path : Path
    overwrite : bool

    Raises
    ------
    RecordingExistsError, RecordingError
        The file is there already; it cannot be made.

    Notes
    -----
    One thread. Nothing is on disk before `flush`; after it the file is whole in itself. How long
    the last picture is shown is not known then: `flush` writes that number anew, in its place, as
    long as no other picture comes. So a pause takes no room, and a file cut off lacks at most what
    happened since the last `flush`.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._pending: list[Sample] = []
        self._headers: list[bytes] = []  # of those
        self._events: list[dict[str, object]] = []
        self._stills: list[tuple[int, bytes, bytes]] = []
        self._voices: list[Spoken] = []
        self._keyframes: list[tuple[int, int]] = []
        self._n_fragments = 0
        self._first_90k: int | None = None
        self._still_90k = -1
        self._written_last: tuple[int, int] | None = None
        self._duration_places: tuple[int, ...] = ()
        self._end = 0
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        flags |= os.O_TRUNC if overwrite else os.O_EXCL
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as exc:
            raise _not_made(path, exc) from exc
        try:
            self._descriptor = os.open(path, flags, 0o600)
        except FileExistsError as exc:
            raise RecordingExistsError(
                f"There is a file {path} already.",
                hint="Give another path, or overwrite=True.",
            ) from exc
        except OSError as exc:
            raise _not_made(path, exc) from exc
        self._write(boxes.file_type())

    @property
    def n_bytes(self) -> int:
        """What is on disk, and what waits."""
        return (
            self._end
            + sum(len(s.data) for s in self._pending)
            + sum(len(png) for _, png, _ in self._stills)
            + sum(len(packet) for spoken in self._voices for packet in spoken.packets)
        )

    @property
    def has_pictures(self) -> bool:
        """Whether there is a picture."""
        return self._first_90k is not None

    def since_first_90k(self, time_90k: int) -> int:
        """Ticks since the first picture; 0 before it."""
        return 0 if self._first_90k is None else max(0, time_90k - self._first_90k)

    def add_picture(self, picture: TimedPicture) -> None:
        """Take a picture; those in front of the first keyframe cannot be shown and are left out.

        Raises
        ------
        RecordingError
            If the first keyframe cannot be used, or a fragment cannot be written.
        """
        if self._first_90k is None:
            if not picture.is_keyframe:
                return
            self._begin(picture)
        # A picture was made before it came, a still counts from when it came.
        time_90k = max(self.since_first_90k(picture.time_90k), self._still_90k + 1)
        if self._pending:
            time_90k = max(time_90k, self._pending[-1].time_90k + 1)
            self._pending[-1] = self._lasting_until(time_90k)
        elif self._written_last is not None:
            time_90k = max(time_90k, self._written_last[0] + 1)
            self._patch_last(time_90k)
        if picture.is_keyframe and self._pending:
            # A fragment that begins with a keyframe is where a player can begin.
            self._write_fragment()
        data = to_sample(picture.data)
        self._pending.append(Sample(time_90k, 1, data, picture.is_keyframe))
        self._headers.append(picture.header)

    def add_event(self, time_90k: int, event: dict[str, object]) -> None:
        """Take something that happened: values that JSON knows. `t` is added to it, in seconds."""
        t = round(self.since_first_90k(time_90k) / CLOCK_HZ, 4)
        self._events.append({"t": t, **event})

    def add_still(self, time_90k: int, png: bytes, header: bytes = b"") -> None:
        """Take the lossless picture of a view at rest, with its packed header."""
        if self.has_pictures:
            self._still_90k = max(self._still_90k, self.since_first_90k(time_90k))
            self._stills.append((self._still_90k, png, header))

    def add_voice(self, spoken: Spoken) -> None:
        """Take what somebody said; its offset is to the clock that pictures are stamped with."""
        if self._first_90k is None:
            return
        spoken = replace(spoken, offset_90k=spoken.offset_90k - self._first_90k)
        # A person's messages of one second become one, so that a reader finds few.
        for i in range(len(self._voices) - 1, -1, -1):
            if self._voices[i].who == spoken.who:
                both = self._voices[i].with_next(spoken)
                if both is not None:
                    self._voices[i] = both
                    return
                break
        self._voices.append(spoken)

    def flush(self, now_90k: int) -> None:
        """Write all that there is, so that a reader finds it; the last picture lasts till now.

        Raises
        ------
        RecordingError
            The disk is full, or gone. What was written before stays readable.
        """
        if self._first_90k is None:
            return
        until = self.since_first_90k(now_90k)
        if self._pending:
            self._pending[-1] = self._lasting_until(until)
        self._write_fragment()
        if self._written_last is not None:
            self._patch_last(until)

    def sync(self) -> None:
        """Have the disk hold what was written, also should the machine lose power."""
        try:
            os.fsync(self._descriptor)
        except OSError as exc:
            raise _write_error(self.path, exc) from exc

    def finish(self, now_90k: int) -> None:
        """Write what is left, the durations and an index for players, and close.

        Raises
        ------
        RecordingError
            The disk is full: the file is closed, and lacks what could not be written.
        """
        try:
            self.flush(now_90k)
            if self._written_last is not None:
                total = struct.pack(">Q", self.since_first_90k(now_90k))
                for at in self._duration_places:
                    self._overwrite(at, total)
                self._write(boxes.random_access(self._keyframes))
            self.sync()
        finally:
            self.close()

    def close(self) -> None:
        """Close the file as it is. May be called twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    # -------------------------------------------------- bytes

    def _begin(self, picture: TimedPicture) -> None:
        moov = boxes.movie(picture.width_px, picture.height_px, decoder_config(picture.data))
        self._duration_places = tuple(self._end + at for at in boxes.duration_places(moov))
        self._write(moov)
        self._first_90k = picture.time_90k

    def _lasting_until(self, time_90k: int) -> Sample:
        last = self._pending[-1]
        lasts = min(max(1, time_90k - last.time_90k), _MAX_DURATION_90K)
        return Sample(last.time_90k, lasts, last.data, last.is_keyframe)

    def _write_fragment(self) -> None:
        data = b""
        if self._events:
            lines = b"\n".join(msgspec.json.encode(event) for event in self._events)
            data += boxes.event(self._n_fragments, self._last_90k(), lines)
        for time_90k, png, header in self._stills:
            data += boxes.headers(self._n_fragments, time_90k, [header])
            data += boxes.event(self._n_fragments, time_90k, png, scheme=boxes.STILL_SCHEME)
        for spoken in self._voices:
            at_90k = max(0, spoken.page_90k + spoken.offset_90k)
            data += boxes.event(self._n_fragments, at_90k, spoken.pack(), scheme=boxes.VOICE_SCHEME)
        if not self._pending:
            if data:
                self._write(data)
                self._events, self._stills, self._voices = [], [], []
            return
        self._n_fragments += 1
        moof, place = boxes.fragment(self._n_fragments, self._pending)
        data += boxes.headers(self._n_fragments, self._pending[0].time_90k, self._headers)
        at = self._end + len(data)
        self._write(data + moof)
        if self._pending[0].is_keyframe:
            self._keyframes.append((self._pending[0].time_90k, at))
        self._written_last = (self._pending[-1].time_90k, at + place)
        self._events, self._stills, self._voices = [], [], []
        self._pending, self._headers = [], []

    def _last_90k(self) -> int:
        if self._pending:
            return self._pending[0].time_90k
        return 0 if self._written_last is None else self._written_last[0]

    def _patch_last(self, time_90k: int) -> None:
        assert self._written_last is not None
        began, at = self._written_last
        lasts = min(max(1, time_90k - began), _MAX_DURATION_90K)
        self._overwrite(at, struct.pack(">I", lasts))

    def _write(self, data: bytes) -> None:
        view, at = memoryview(data), self._end
        try:
            while view:
                n = os.pwrite(self._descriptor, view, at)
                view, at = view[n:], at + n
        except OSError as exc:
            # Half a fragment is of no use, and behind it nothing would be found any more.
            os.ftruncate(self._descriptor, self._end)
            raise _write_error(self.path, exc) from exc
        self._end = at

    def _overwrite(self, at: int, data: bytes) -> None:
        try:
            os.pwrite(self._descriptor, data, at)
        except OSError as exc:
            raise _write_error(self.path, exc) from exc


def _not_made(path: Path, exc: OSError) -> RecordingError:
    return RecordingError(
        f"The recording {path} cannot be made: {exc.strerror}.",
        hint="Choose a folder that you may write to.",
    )


def _write_error(path: Path, exc: OSError) -> RecordingError:
    return RecordingError(
        f"The recording {path.name} was stopped: {exc.strerror}.",
        hint="What was recorded until then can be opened. Free some space, and record again.",
    )
