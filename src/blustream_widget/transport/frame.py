"""An encoded frame on its way from the worker to the viewers: header and picture, never copied."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import msgspec

from blustream_widget.core.protocol import HEADER_BYTES, FrameFlags, FrameHeader

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
    """

    header: FrameHeader
    data: bytes
    rendition: int = 0

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
    def frame_no(self) -> int:
        """Number within the session, modulo 2**31."""
        return self.header.frame_no

    @property
    def is_still(self) -> bool:
        """A lossless picture at rest; no other frame depends on it."""
        return bool(self.header.flags & _STILL)

    @property
    def is_jpeg(self) -> bool:
        """Decodes alone and is for viewers without H.264."""
        return bool(self.header.flags & _JPEG)

    @property
    def is_keyframe(self) -> bool:
        """Decoding can start here."""
        return bool(self.header.flags & _KEY)

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
