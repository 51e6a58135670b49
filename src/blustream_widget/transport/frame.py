"""An encoded frame on its way from the worker to the viewers: header and picture, never copied."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import msgspec

from blustream_widget.core.frame_header import HEADER_BYTES, FrameFlags, FrameHeader

_FLAGS_AT_0 = struct.Struct("<B")
# As plain numbers: every viewer asks, and an IntFlag takes ten times as long.
_KEY, _STILL, _JPEG = int(FrameFlags.KEY), int(FrameFlags.STILL), int(FrameFlags.JPEG)


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One H.264 access unit, JPEG or still, as the worker sent it.

    Parameters
    ----------
    header : FrameHeader
    data : bytes
        Header bytes and picture, as a socket viewer gets them.
    rendition : int
        H.264 stream that it is of; 0 is the full one.

    Attributes
    ----------
    frame_no : int
        Number within the session, modulo 2**31.
    is_still : bool
        A lossless picture at rest; no other frame depends on it.
    is_jpeg : bool
        Decodes alone and is for viewers without H.264.
    is_keyframe : bool
        Decoding can start here.
    """

    header: FrameHeader
    data: bytes
    rendition: int = 0
    # Read once: each of a hundred viewers asks.
    frame_no: int = field(init=False, repr=False, compare=False)
    is_still: bool = field(init=False, repr=False, compare=False)
    is_jpeg: bool = field(init=False, repr=False, compare=False)
    is_keyframe: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        flags = self.header.flags
        for name, value in (
            ("frame_no", self.header.frame_no),
            ("is_still", bool(flags & _STILL)),
            ("is_jpeg", bool(flags & _JPEG)),
            ("is_keyframe", bool(flags & _KEY)),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def from_worker(cls, data: bytes, *, first_frame_no: int, rendition: int = 0) -> EncodedFrame:
        """Read a worker's frame and number it within the session.

        A worker counts from 0; `first_frame_no` is what the session had reached before it started,
        so that acknowledgements stay unambiguous after a restart.

        Raises
        ------
        ProtocolError
            If `data` is shorter than a header.
        """
        header = FrameHeader.unpack(data)
        if first_frame_no:
            frame_no = (header.frame_no + first_frame_no) & 0x7FFFFFFF
            header = msgspec.structs.replace(header, frame_no=frame_no)
            data = header.pack() + data[header.n_bytes :]
        return cls(header, data, rendition)

    @property
    def picture(self) -> memoryview:
        """The bytes after the header."""
        return memoryview(self.data)[self.header.n_bytes :]

    @property
    def packed_header(self) -> bytes:
        """The bytes before the picture: the header, and those of the panes."""
        return self.data[: self.header.n_bytes]

    @property
    def with_trailer(self) -> bytes:
        """The picture, and behind it the panes and the header, which is found from the end."""
        n_bytes = self.header.n_bytes
        panes = self.data[HEADER_BYTES:n_bytes]
        return self.data[n_bytes:] + panes + self.data[:HEADER_BYTES]

    def header_only(self) -> bytes:
        """Header for a viewer that gets the picture another way (RTP)."""
        return (
            _FLAGS_AT_0.pack(self.header.flags | FrameFlags.HEADER_ONLY)
            + self.data[1 : self.header.n_bytes]
        )
