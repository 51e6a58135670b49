"""The boxes of a fragmented MP4 file (ISO/IEC 14496-12) with one video track."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

CLOCK_HZ = 90_000
"""Ticks a second of everything in a file."""
EVENT_SCHEME = b"urn:blustream:timeline"
"""Of the event messages that hold what happened, as lines of JSON."""
STILL_SCHEME = b"urn:blustream:still"
"""Of the event messages that hold a lossless picture at rest, as PNG."""
HEADER_SCHEME = b"urn:blustream:headers"
"""Of those that say what each picture behind them shows: the protocol's frame headers."""

VOICE_SCHEME = b"urn:blustream:voice"
"""Of those that hold what somebody said, as `voices.Spoken` packs it."""

KEY_FLAGS, DELTA_FLAGS = 0x02000000, 0x01010000
"""Sample flags: depends on no other picture; depends on others and is no random access point."""

_TRUN_FLAGS = 0x701  # data offset, and for each sample duration, size, flags
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def box(kind: bytes, *parts: bytes) -> bytes:
    """One box."""
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def _full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def file_type() -> bytes:
    """First box of a file."""
    return box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6", b"iso5", b"mp41")


def movie(width_px: int, height_px: int, avcc: bytes) -> bytes:
    """Box that describes the track; its durations are 0 until `movie_durations` is known."""
    header = struct.pack(">QQIQ", 0, 0, CLOCK_HZ, 0)
    mvhd = _full(
        b"mvhd", 1, 0, header, struct.pack(">IHH8x", 0x10000, 0x100, 0), _MATRIX, bytes(24), _u32(2)
    )
    tkhd = _full(
        b"tkhd",
        1,
        3,
        struct.pack(">QQIIQ8xhhhH", 0, 0, 1, 0, 0, 0, 0, 0, 0),
        _MATRIX,
        struct.pack(">II", width_px << 16, height_px << 16),
    )
    mdhd = _full(b"mdhd", 1, 0, header, struct.pack(">HH", 0x55C4, 0))
    hdlr = _full(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"blustream\0")
    dinf = box(b"dinf", _full(b"dref", 0, 0, _u32(1), _full(b"url ", 0, 1)))
    empty = [_full(kind, 0, 0, _u32(0)) for kind in (b"stts", b"stsc", b"stco")]
    stsz = _full(b"stsz", 0, 0, _u32(0), _u32(0))
    stsd = _full(b"stsd", 0, 0, _u32(1), _sample_entry(width_px, height_px, avcc))
    minf = box(
        b"minf",
        _full(b"vmhd", 0, 1, bytes(8)),
        dinf,
        box(b"stbl", stsd, *empty[:2], stsz, empty[2]),
    )
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    trex = _full(b"trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0))
    mehd = _full(b"mehd", 1, 0, struct.pack(">Q", 0))
    return box(b"moov", mvhd, trak, box(b"mvex", mehd, trex))


def _sample_entry(width_px: int, height_px: int, avcc: bytes) -> bytes:
    video = struct.pack(
        ">6xH16xHHIIIH32sHh", 1, width_px, height_px, 0x480000, 0x480000, 0, 1, b"", 24, -1
    )
    colour = box(b"colr", b"nclx", struct.pack(">HHHB", 1, 1, 1, 0))  # BT.709, limited range
    return box(b"avc1", video, box(b"avcC", avcc), colour)


def duration_places(moov: bytes) -> tuple[int, int, int]:
    """Where in a movie box the eight bytes of its durations lie: movie, track, fragments."""
    return (
        moov.index(b"mvhd") + 4 + 4 + 20,
        moov.index(b"tkhd") + 4 + 4 + 24,
        moov.index(b"mehd") + 4 + 4,
    )


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a fragment.

    Parameters
    ----------
    time_90k, duration_90k : int
    data : bytes
        As `avc.to_sample` makes it.
    is_keyframe : bool
    """

    time_90k: int
    duration_90k: int
    data: bytes
    is_keyframe: bool


def fragment(number: int, samples: Sequence[Sample]) -> tuple[bytes, int]:
    """Make a fragment, and say where in it the last picture's duration lies (four bytes)."""
    entries = b"".join(
        struct.pack(
            ">III", s.duration_90k, len(s.data), KEY_FLAGS if s.is_keyframe else DELTA_FLAGS
        )
        for s in samples
    )
    mfhd = _full(b"mfhd", 0, 0, _u32(number))
    tfhd = _full(b"tfhd", 0, 0x020000, _u32(1))
    tfdt = _full(b"tfdt", 1, 0, struct.pack(">Q", samples[0].time_90k))

    def moof(data_offset: int) -> bytes:
        head = struct.pack(">Ii", len(samples), data_offset)
        return box(
            b"moof", mfhd, box(b"traf", tfhd, tfdt, _full(b"trun", 0, _TRUN_FLAGS, head, entries))
        )

    header = moof(len(moof(0)) + 8)
    mdat = box(b"mdat", *(s.data for s in samples))
    return header + mdat, len(header) - 12


def event(number: int, time_90k: int, data: bytes, *, scheme: bytes = EVENT_SCHEME) -> bytes:
    """Make an event message (ISO/IEC 23009-1, 5.10.3.3); others skip it."""
    head = struct.pack(">IQII", CLOCK_HZ, time_90k, 0xFFFFFFFF, number)
    return _full(b"emsg", 1, 0, head, scheme + b"\0", b"1\0", data)


def headers(number: int, time_90k: int, packed: Sequence[bytes]) -> bytes:
    """Make the event message with the headers of the pictures that come behind it."""
    data = b"".join(struct.pack(">H", len(header)) + header for header in packed)
    return event(number, time_90k, data, scheme=HEADER_SCHEME)


def random_access(keyframes: Sequence[tuple[int, int]]) -> bytes:
    """Last box of a whole file: (time, offset of the fragment) of its keyframes."""
    entries = b"".join(struct.pack(">QQBBB", t, at, 1, 1, 1) for t, at in keyframes)
    tfra = _full(b"tfra", 1, 0, struct.pack(">III", 1, 0, len(keyframes)), entries)
    size = 8 + len(tfra) + 16
    return box(b"mfra", tfra, _full(b"mfro", 0, 0, _u32(size)))


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True)
class BoxAt:
    """A box of a file that is all there: kind, offset of its body and the body's length."""

    kind: bytes
    offset: int
    n_bytes: int


def walk(file: BinaryIO, end: int) -> Iterator[BoxAt]:
    """Go over the top boxes of a file, up to the first that was not written to its end."""
    at = 0
    while at + 8 <= end:
        file.seek(at)
        size, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8))
            head = 16
        if size < head or at + size > end:
            return
        yield BoxAt(kind, at + head, size - head)
        at += size


def find(body: bytes, *path: bytes) -> bytes | None:
    """Body of a box within a box, by the kinds on the way; None if it is not there."""
    for kind in path:
        at, found = 0, None
        while at + 8 <= len(body) and found is None:
            size, name = struct.unpack_from(">I4s", body, at)
            if size < 8:
                return None
            if name == kind:
                found = body[at + 8 : at + size]
            at += size
        if found is None:
            return None
        body = found
    return body


@dataclass(frozen=True, slots=True)
class SampleAt:
    """Where a picture lies: `offset` in the file, `n_bytes`, and when it is shown."""

    time_90k: int
    duration_90k: int
    offset: int
    n_bytes: int
    is_keyframe: bool


def read_fragment(moof: bytes, moof_at: int) -> list[SampleAt]:
    """Read a fragment's header, as `fragment` makes it; `moof_at` is where the box begins."""
    tfdt, trun = find(moof, b"traf", b"tfdt"), find(moof, b"traf", b"trun")
    if tfdt is None or trun is None or len(tfdt) < 12 or len(trun) < 12:
        return []
    (time_90k,) = struct.unpack_from(">Q", tfdt, 4)
    flags, n_samples, data_offset = struct.unpack_from(">IIi", trun)
    if flags & 0xFFFFFF != _TRUN_FLAGS or len(trun) < 12 + 12 * n_samples:
        return []
    found, offset = [], moof_at + data_offset
    for duration, size, sample_flags in struct.iter_unpack(">III", trun[12 : 12 + 12 * n_samples]):
        found.append(SampleAt(time_90k, duration, offset, size, sample_flags == KEY_FLAGS))
        time_90k += duration
        offset += size
    return found


def read_event(body: bytes) -> tuple[bytes, int, bytes] | None:
    """Scheme, time and data of an event message; None if it is not as `event` makes it."""
    if len(body) < 24 or body[0] != 1:
        return None
    (time_90k,) = struct.unpack_from(">Q", body, 8)
    parts = body[24:].split(b"\0", 2)
    return (parts[0], time_90k, parts[2]) if len(parts) == 3 else None


def split_headers(data: bytes) -> list[bytes]:
    """Give the headers that `headers` has put together, up to the first that is not whole."""
    found, at = [], 0
    while at + 2 <= len(data):
        (n_bytes,) = struct.unpack_from(">H", data, at)
        if at + 2 + n_bytes > len(data):
            break
        found.append(data[at + 2 : at + 2 + n_bytes])
        at += 2 + n_bytes
    return found


def _u32(value: int) -> bytes:
    return struct.pack(">I", value)
