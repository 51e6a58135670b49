"""What is in a recording's file: where its pictures lie, and what happened when."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from blustream_widget.errors import RecordingError
from blustream_widget.recording import boxes
from blustream_widget.recording.boxes import CLOCK_HZ, SampleAt
from blustream_widget.recording.voices import Placed, VoiceAt, placed, read_head


@dataclass(frozen=True, slots=True)
class FragmentAt:
    """Where a fragment lies, when it begins, and whether a player can begin there."""

    offset: int
    n_bytes: int
    time_90k: int
    is_keyframe: bool


@dataclass(frozen=True, slots=True)
class StillAt:
    """A lossless picture at rest: when it came, where its PNG lies, its packed header."""

    time_90k: int
    offset: int
    n_bytes: int
    header: bytes = b""


@dataclass(frozen=True, slots=True)
class HeadersAt:
    """Where the headers of a fragment's pictures lie, and which of all pictures those are."""

    first: int
    n_pictures: int
    offset: int
    n_bytes: int


@dataclass(slots=True)
class RecordingIndex:
    """Everything but the pictures themselves.

    Attributes
    ----------
    head_bytes : int
        Length of what a player needs in front of the first fragment.
    samples, fragments, stills, headers, voices : list
        In their order.
    events : list of dict
        As they were recorded: `t` in seconds, `kind`, and what belongs to it.
    is_finished : bool
        Whether the recording was ended, and not cut off.
    """

    head_bytes: int = 0
    avcc: bytes = b""
    samples: list[SampleAt] = field(default_factory=list)
    fragments: list[FragmentAt] = field(default_factory=list)
    stills: list[StillAt] = field(default_factory=list)
    headers: list[HeadersAt] = field(default_factory=list)
    voices: list[VoiceAt] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)  # Any: values that JSON knows
    is_finished: bool = False

    @property
    def duration_s(self) -> float:
        """Up to when the last picture is shown."""
        if not self.samples:
            return 0.0
        last = self.samples[-1]
        return (last.time_90k + last.duration_90k) / CLOCK_HZ

    @property
    def placed_voices(self) -> list[Placed]:
        """When what was said was said, by the recording's clock, in that order."""
        return placed(self.voices)

    @property
    def speakers(self) -> dict[str, dict[str, Any]]:
        """Those whose voices are in it, by their ids: `id`, `name`, `color`."""
        named = {
            str(who["id"]): who
            for event in self.events
            if event["kind"] == "people"
            for who in event["people"]
        }
        spoke = dict.fromkeys(voice.who for voice in self.voices)
        return {who: named.get(who, {"id": who, "name": who, "color": ""}) for who in spoke}

    @property
    def codec(self) -> str:
        """RFC 6381 name of the pictures: "avc1.42C01F"."""
        return f"avc1.{self.avcc[1:4].hex().upper()}"


def read_index(path: Path) -> RecordingIndex:
    """Read a recording, also one that was cut off or is still being written.

    Raises
    ------
    RecordingError
        It cannot be read, or is no recording of ours, or has no picture.
    """
    try:
        with path.open("rb") as file:
            index = _read(file, path.stat().st_size)
    except OSError as exc:
        raise RecordingError(
            f"The recording {path} cannot be read: {exc.strerror}.", hint="Check the path."
        ) from exc
    except (struct.error, msgspec.DecodeError) as exc:
        raise RecordingError(f"The recording {path} is damaged: {exc}.") from exc
    if not index.samples:
        raise RecordingError(
            f"{path} has no pictures.",
            hint="It is no recording of this package, or was cut off before the first one.",
        )
    return index


def _read(file: BinaryIO, n_bytes: int) -> RecordingIndex:
    index = RecordingIndex()
    fragment_at, samples = 0, list[SampleAt]()
    headers: tuple[int, int] | None = None  # offset and length of those that were met last
    for found in boxes.walk(file, n_bytes):
        begin = found.offset - 8
        if found.kind == b"mdat":
            if headers is not None and samples:
                index.headers.append(HeadersAt(len(index.samples), len(samples), *headers))
            headers = None
            index.samples += samples
            if samples:
                length = found.offset + found.n_bytes - fragment_at
                first = samples[0]
                index.fragments.append(
                    FragmentAt(fragment_at, length, first.time_90k, first.is_keyframe)
                )
            samples = []
            continue
        if found.kind not in (b"moov", b"moof", b"emsg", b"mfra"):
            continue
        file.seek(found.offset)
        if found.kind == b"emsg":
            headers = _take_event(index, file, found, headers)
        elif found.kind == b"moof":
            fragment_at = begin
            samples = boxes.read_fragment(file.read(found.n_bytes), begin)
        elif found.kind == b"moov":
            _take_movie(index, file, found)
        else:
            index.is_finished = True
    return index


def _take_movie(index: RecordingIndex, file: BinaryIO, found: boxes.BoxAt) -> None:
    index.head_bytes = found.offset + found.n_bytes
    stsd = boxes.find(file.read(found.n_bytes), b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    at = -1 if stsd is None else stsd.find(b"avcC")
    if stsd is not None and at >= 4:
        (size,) = struct.unpack_from(">I", stsd, at - 4)
        index.avcc = stsd[at + 4 : at - 4 + size]


def _take_event(
    index: RecordingIndex, file: BinaryIO, found: boxes.BoxAt, headers: tuple[int, int] | None
) -> tuple[int, int] | None:
    """Take an event message; gives back where the headers lie that are of what comes next."""
    head = file.read(min(found.n_bytes, 256))
    event = boxes.read_event(head)
    if event is None:
        return headers
    scheme, time_90k, data = event
    at = found.offset + len(head) - len(data)
    n_bytes = found.offset + found.n_bytes - at
    if scheme == boxes.HEADER_SCHEME:
        return at, n_bytes
    if scheme == boxes.STILL_SCHEME:
        header = b""
        if headers is not None:
            file.seek(headers[0])
            header = next(iter(boxes.split_headers(file.read(headers[1]))), b"")
        index.stills.append(StillAt(time_90k, at, n_bytes, header))
        return None
    if scheme == boxes.VOICE_SCHEME:
        voice = read_head(data, at, n_bytes)
        if voice is not None:
            index.voices.append(voice)
    if scheme == boxes.EVENT_SCHEME:
        file.seek(at)
        for line in file.read(n_bytes).split(b"\n"):
            index.events.append(msgspec.json.decode(line))
    return headers
