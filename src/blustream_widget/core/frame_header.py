"""Head of every frame: what its picture shows, for whoever draws over it or asks about it."""

from __future__ import annotations

import struct
from enum import IntFlag
from typing import Any

import msgspec

from blustream_widget.errors import ProtocolError


class FrameFlags(IntFlag):
    """What a picture is."""

    KEY = 1
    """Decodes alone (an IDR with its parameter sets, or a still picture)."""
    JPEG = 2
    """The payload is a JPEG file, not H.264."""
    STILL = 4
    """The payload is a lossless PNG of the picture at rest; not part of the H.264 stream."""
    EXACT = 8
    """Drawn wholly from the level of detail that the pane can show: nothing is missing."""
    HEADER_ONLY = 16
    """The payload went another way (RTP): match by `timestamp_90k`."""
    PART = 32
    """A piece of a still: offset and length of the whole (two uint32) before the bytes."""


class PaneHeader(msgspec.Struct, frozen=True):
    """What one pane of a picture of several shows, behind the frame's header.

    Parameters
    ----------
    pane : int
        Number in `ViewState.panes`.
    is_exact : int
        1 if nothing of this pane is missing.
    content : int
        Counts what the pane has shown, modulo 2**16: as long as it stays, the pane is the same.
    x_px, y_px, width_px, height_px : int
        Where it lies in the picture; even.
    **others
        As in `FrameHeader`.
    """

    pane: int
    is_exact: int
    content: int
    x_px: int
    y_px: int
    width_px: int
    height_px: int
    axis: int
    lod: int
    channel: int
    slice_idx: int
    zoom: float
    pan_x: float
    pan_y: float
    stretch: float
    window: float
    level: float
    colormap_idx: int = 0
    is_reversed: int = 0
    is_north_up: int = 0
    turn: int = 0

    def pack(self) -> bytes:
        """Bytes behind the frame's header."""
        return _PANE.pack(*msgspec.structs.astuple(self))


class FrameHeader(msgspec.Struct, frozen=True):
    """What a frame shows, in front of every binary picture, little-endian, `HEADER_BYTES` long.

    A picture of several panes has a `PaneHeader` of each behind it; the view described here is that
    of the active pane then, the size is the whole picture's.

    Parameters
    ----------
    flags : FrameFlags
    axis, slice_idx, channel : int
        What is drawn.
    width_px, height_px : int
    lod : int
        Coarsest level of detail in the picture.
    frame_no : int
        Counts frames of the session, modulo 2**31.
    revision : int
        Of the `ViewState` that is shown, modulo 2**32.
    timestamp_90k : int
        RTP clock, modulo 2**32.
    zoom, pan_x, pan_y, stretch, window, level : float
        View it was drawn for, so that the browser can move the picture under a newer view.
    colormap_idx : int
        Colour map it was drawn with, as index of `COLORMAPS`, or the number of a user's map.
    is_reversed : int
        1 if that map was taken from its other end.
    is_north_up : int
        1 if time slices lie as a map.
    turn : int
        Quarter turns clockwise (0 to 3), plus 4 if mirrored left to right, 8 if top to bottom; plus
        16 if wiggles are drawn over it, whose ink is no colour of the map; plus 32 if it is of an
        oblique plane, 64 if it is of a fence.
    n_panes : int
        How many there are behind this header; 0: the picture is that of one pane alone.
    panes : tuple of PaneHeader
        Those.
    """

    flags: int
    axis: int
    lod: int
    channel: int
    width_px: int
    height_px: int
    frame_no: int
    revision: int
    timestamp_90k: int
    slice_idx: int
    zoom: float
    pan_x: float
    pan_y: float
    stretch: float
    window: float
    level: float
    colormap_idx: int = 0
    is_reversed: int = 0
    is_north_up: int = 0
    turn: int = 0
    n_panes: int = 0
    panes: tuple[PaneHeader, ...] = ()

    @property
    def n_bytes(self) -> int:
        """Length of the header with its panes: there the picture begins."""
        return HEADER_BYTES + self.n_panes * PANE_HEADER_BYTES

    def pack(self) -> bytes:
        """Header bytes, to be followed by the picture."""
        own = _HEADER.pack(
            self.flags,
            self.axis,
            self.lod,
            self.channel & 0xFF,
            self.width_px,
            self.height_px,
            self.frame_no & 0x7FFFFFFF,
            self.revision & 0xFFFFFFFF,
            self.timestamp_90k & 0xFFFFFFFF,
            self.slice_idx,
            self.zoom,
            self.pan_x,
            self.pan_y,
            self.stretch,
            self.window,
            self.level,
            self.colormap_idx,
            self.is_reversed,
            self.is_north_up,
            self.turn,
            len(self.panes),
        )
        return b"".join((own, *(pane.pack() for pane in self.panes))) if self.panes else own

    @classmethod
    def unpack(cls, data: bytes | memoryview) -> FrameHeader:
        """Read the header at the start of `data`.

        Raises
        ------
        ProtocolError
            If `data` is shorter than a header.
        """
        if len(data) < HEADER_BYTES:
            raise ProtocolError(f"A frame of {len(data)} bytes has no header.")
        own = _HEADER.unpack_from(data)
        n_panes = own[-1]
        if len(data) < HEADER_BYTES + n_panes * PANE_HEADER_BYTES:
            raise ProtocolError(f"A frame of {len(data)} bytes lacks its panes.")
        starts = (HEADER_BYTES + k * PANE_HEADER_BYTES for k in range(n_panes))
        panes = tuple(PaneHeader(*_PANE.unpack_from(data, start)) for start in starts)
        values: tuple[Any, ...] = (*own, panes)  # Any: as the layout says
        return cls(*values)


HEADER_LAYOUT = "<BBBBHHIIIi6fBBBBB"
_HEADER = struct.Struct(HEADER_LAYOUT)
HEADER_BYTES = _HEADER.size  # 53
PANE_HEADER_LAYOUT = "<BBHHHHHBBBi6fBBBB"
_PANE = struct.Struct(PANE_HEADER_LAYOUT)
PANE_HEADER_BYTES = _PANE.size  # 47
