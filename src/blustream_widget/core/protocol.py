"""Messages between a viewer (browser) and the server: numbers, bounds, frame header.

Text messages are JSON objects with an integer `type`, the same over WebSocket, data channel and
comm relay. Binary messages are a frame header and its picture. `js/src/protocol.ts` is generated
from this module by `scripts/generate_protocol.py`.
"""

from __future__ import annotations

import struct
from enum import IntEnum, IntFlag
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from blustream_widget.core.ack_messages import AckPace
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    EditAnnotations,
    Measure,
    Measurement,
)
from blustream_widget.core.call_messages import (
    Call,
    CallLeft,
    CallMediaTold,
    CallMessage,
    CallSignalled,
)
from blustream_widget.core.horizon_messages import (
    GridOfHorizon,
    Snap,
    Snapped,
    Track,
    Tracking,
    WantGrid,
)
from blustream_widget.core.label_edit import CancelEdit, EditLabels, EditProgress, LabelsEdited
from blustream_widget.core.layouts import PANES_MAX, PaneState
from blustream_widget.core.overlay import MAX_OVERLAYS, OverlayLook
from blustream_widget.core.palettes import LabelStyle, OwnMap
from blustream_widget.core.publishing import PublishState
from blustream_widget.core.recording_messages import RecordingState, SetRecording
from blustream_widget.core.sections import Fence, Oblique
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    SegmentationInfo,
    SegmentationLook,
)
from blustream_widget.core.share_messages import (
    Chat,
    Join,
    Joined,
    LinkOpened,
    People,
    Pointers,
    SharingMessage,
    ViewLink,
    ViewMessage,
)
from blustream_widget.core.slab import SLAB_MAX
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import LoadedSlices, VolumeInfo
from blustream_widget.core.voice_messages import VoiceMessage
from blustream_widget.errors import ProtocolError

PROTOCOL_VERSION = 4
MAX_MESSAGE_BYTES = 64 * 1024
"""Largest text message a viewer may send."""

Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Real: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e30, le=1e30)]
Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
PanePx: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]
Sdp: TypeAlias = Annotated[str, msgspec.Meta(max_length=48 * 1024)]


class MessageType(IntEnum):
    """Numbers of all messages. 0x30 to 0x34 are those of the roadmap."""

    HELLO = 0x01
    WELCOME = 0x02
    ERROR = 0x03
    PING = 0x04
    PONG = 0x05
    ACK = 0x06
    KEYFRAME = 0x07
    REPORT = 0x08
    STATUS = 0x09
    ENDED = 0x0A
    STREAM = 0x0B
    RTC_OFFER = 0x10
    RTC_ANSWER = 0x11
    RTC_STATS = 0x12
    STATE = 0x20
    VIEW_SYNC = 0x21
    INFO = 0x22
    PALETTE = 0x23
    SEGMENTATIONS = 0x24
    CHANGE_SLICE = 0x30
    ZOOM_PAN = 0x31
    WINDOW_LEVEL = 0x32
    ANNOTATION = 0x33
    MEASUREMENT = 0x34
    PROBE = 0x40
    VALUE = 0x41
    EDIT_LABELS = 0x70
    LABELS_EDITED = 0x71
    CANCEL_EDIT = 0x78
    EDIT_PROGRESS = 0x79
    SNAP = 0x88
    TRACK = 0x89
    GRID = 0x8A
    RECORD = 0xA0
    RECORDING = 0xA1
    JOIN_CALL = 0xA2
    LEAVE_CALL = 0xA3
    CALL = 0xA4
    CALL_SIGNAL = 0xA5
    CALL_SOUND = 0xA6
    ACK_PACE = 0xA8
    PUBLISHED = 0xB4
    RECORD_VOICE = 0xB8
    VOICE = 0xB9
    CALL_MEDIA = 0xBA
    JOIN = 0x90
    JOINED = 0x91
    PEOPLE = 0x92
    OPEN_LINK = 0x93
    LINK_OPENED = 0x94
    STOP_SHARING = 0x95
    MANAGE = 0x96
    CONTROL = 0x97
    CHAT = 0x98
    POINTER = 0x99
    GUEST_PAGE = 0x9A
    LOOK_AROUND = 0x9B
    VIEW_LINK = 0x9C
    OPEN_VIEW = 0x9D
    EXPORTED = 0x9E


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


# ---------------------------------------------------------------- viewer to server


class Hello(_Message, tag=int(MessageType.HELLO), frozen=True):
    """First message of a connection: who am I and what can I show.

    `pictures` lists what the viewer can decode, best first. `calm`: whoever looks there has asked
    for no motion, and sees blinking overlays all the time, as all others do then.
    """

    token: Annotated[str, msgspec.Meta(max_length=4096)]
    protocol: int = PROTOCOL_VERSION
    pictures: tuple[Literal["h264", "jpeg"], ...] = ("h264", "jpeg")
    transport: Literal["websocket", "comm"] = "websocket"
    calm: bool = False


class Ping(_Message, tag=int(MessageType.PING), frozen=True):
    """Round-trip probe, either way; answered at once with the same number."""

    n: Seq


class Pong(_Message, tag=int(MessageType.PONG), frozen=True):
    """Answer to `Ping`."""

    n: Seq


class Ack(_Message, tag=int(MessageType.ACK), frozen=True):
    """The frame, and those before it, were decoded: paces the worker, and tells how the link is.

    Over the data channel it may get lost. Parts of a still are acknowledged one by one, as they
    come. `of_rtc`: the frame came by WebRTC, though this comes by the socket. `there_ms`: when the
    frame's last byte was there, by any clock of the page that goes on; 0 = not known.
    """

    frame_no: Index
    of_rtc: bool = False
    there_ms: Annotated[float, msgspec.Meta(ge=0, le=1e15)] = 0.0


class Keyframe(_Message, tag=int(MessageType.KEYFRAME), frozen=True):
    """The viewer cannot decode from here: send an IDR."""


class Report(_Message, tag=int(MessageType.REPORT), frozen=True):
    """What the viewer measured in a second. `latency_ms`: input to picture, 0 if no input."""

    transport: Literal["websocket", "webrtc", "comm"]
    displayed_fps: Annotated[float, msgspec.Meta(ge=0, le=1000)]
    latency_ms: Annotated[float, msgspec.Meta(ge=0, le=1e6)]
    decoder: Annotated[str, msgspec.Meta(max_length=32)] = ""


class RtcStats(_Message, tag=int(MessageType.RTC_STATS), frozen=True):
    """What the browser counted of its WebRTC video since the last one, while pictures come.

    `loss` is the share of packets that did not come at all, `jitter_ms` the mean deviation of their
    times, `delay_ms` the playout delay in force.
    """

    loss: Annotated[float, msgspec.Meta(ge=0, le=1)]
    jitter_ms: Annotated[float, msgspec.Meta(ge=0, le=1e5)]
    delay_ms: Annotated[float, msgspec.Meta(ge=0, le=1e5)] = 0.0


class Stream(_Message, tag=int(MessageType.STREAM), frozen=True):
    """Where the viewer wants frames, and whether it looks at all (hidden tab: False)."""

    path: Literal["socket", "webrtc"]
    visible: bool = True


class RtcOffer(_Message, tag=int(MessageType.RTC_OFFER), frozen=True):
    """SDP offer of the browser, with all its candidates.

    `takes_encoded`: the viewer takes frames from the browser's receiver before they are decoded and
    decodes them itself. Then each frame has its header and its count (twice seven bits) behind it,
    none comes by the data channel, and what the browser's own decoder asks for (it sees no frame)
    is not answered.

    `headers_by_link`: the browser decodes, and each frame's header comes over the viewer's link
    with `FrameFlags.HEADER_ONLY`, not by the data channel. Of no meaning with `takes_encoded`.
    """

    sdp: Sdp
    takes_encoded: bool = False
    headers_by_link: bool = False


class ChangeSlice(_Message, tag=int(MessageType.CHANGE_SLICE), frozen=True):
    """Show this slice. `axis` None keeps the axis."""

    seq: Seq
    slice_idx: Index
    axis: Annotated[int, msgspec.Meta(ge=0, le=2)] | None = None


class ZoomPan(_Message, tag=int(MessageType.ZOOM_PAN), frozen=True):
    """Show this part of the slice."""

    seq: Seq
    zoom: Real
    pan: tuple[Real, Real]


class WindowLevel(_Message, tag=int(MessageType.WINDOW_LEVEL), frozen=True):
    """Show this range of values."""

    seq: Seq
    window: Real
    level: Real


class ViewSync(_Message, tag=int(MessageType.VIEW_SYNC), frozen=True):
    """Any other change of the view: only the fields given are changed.

    None is not given, but of `section`, where it is the slice.
    """

    seq: Seq
    axis: Annotated[int, msgspec.Meta(ge=0, le=2)] | None = None
    slice_idx: tuple[Index, Index, Index] | None = None
    time_idx: Index | None = None
    channel: Annotated[int, msgspec.Meta(ge=0, le=4095)] | None = None
    window: Real | None = None
    level: Real | None = None
    colormap: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    reverse: bool | None = None
    below_color: Annotated[str, msgspec.Meta(max_length=7)] | None = None
    above_color: Annotated[str, msgspec.Meta(max_length=7)] | None = None
    no_value_color: Annotated[str, msgspec.Meta(max_length=7)] | None = None
    zoom: Real | None = None
    pan: tuple[Real, Real] | None = None
    stretch: Real | None = None
    interpolate: bool | None = None
    north_up: bool | None = None
    rotation: Annotated[int, msgspec.Meta(ge=0, le=270)] | None = None
    flip_x: bool | None = None
    flip_y: bool | None = None
    slab: Annotated[int, msgspec.Meta(ge=1, le=SLAB_MAX)] | None = None
    slab_mode: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    display: Annotated[str, msgspec.Meta(max_length=16)] | None = None
    wiggle_excursion: Real | None = None
    wiggle_fill: bool | None = None
    wiggle_polarity: Annotated[str, msgspec.Meta(max_length=8)] | None = None
    section: Fence | Oblique | msgspec.UnsetType | None = msgspec.UNSET
    crosshair: bool | None = None
    segmentations: (
        Annotated[tuple[SegmentationLook, ...], msgspec.Meta(max_length=MAX_SEGMENTATIONS)] | None
    ) = None
    show_segmentations: bool | None = None
    overlays: Annotated[tuple[OverlayLook, ...], msgspec.Meta(max_length=MAX_OVERLAYS)] | None = (
        None
    )
    show_overlays: bool | None = None
    width_px: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    height_px: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    layout: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    panes: Annotated[tuple[PaneState, ...], msgspec.Meta(max_length=PANES_MAX)] | None = None
    pane_sizes: (
        Annotated[tuple[tuple[PanePx, PanePx], ...], msgspec.Meta(max_length=PANES_MAX)] | None
    ) = None
    active: Annotated[int, msgspec.Meta(ge=0, lt=PANES_MAX)] | None = None
    linked: bool | None = None
    maximised: bool | None = None
    columns: Annotated[tuple[Real, ...], msgspec.Meta(max_length=PANES_MAX)] | None = None
    rows: Annotated[tuple[Real, ...], msgspec.Meta(max_length=PANES_MAX)] | None = None


class Probe(_Message, tag=int(MessageType.PROBE), frozen=True):
    """Ask for the full-resolution value of one voxel of the shown channel. Newest wins."""

    n: Seq
    voxel: tuple[Index, Index, Index]


ViewerMessage: TypeAlias = (
    Hello
    | Ping
    | Pong
    | Ack
    | Keyframe
    | Report
    | RtcStats
    | Stream
    | RtcOffer
    | ChangeSlice
    | ZoomPan
    | WindowLevel
    | ViewSync
    | EditAnnotations
    | Measure
    | EditLabels
    | CancelEdit
    | Probe
    | Snap
    | Track
    | WantGrid
    | SetRecording
    | Join
    | SharingMessage
    | ViewMessage
    | CallMessage
    | VoiceMessage
)

# ---------------------------------------------------------------- server to viewer


class Welcome(_Message, tag=int(MessageType.WELCOME), frozen=True):
    """Accepted. `info` is None while the volume opens (then a second WELCOME comes).

    `ice_servers` are passed to RTCPeerConnection as they are, `ice_relay_only` means their relays
    alone; `webrtc` is False where the server cannot. `via` is who carries the messages of this
    connection: nobody, a proxy, the kernel.
    `own`: state and pictures are from here on those of the receiver's own view (`LookAround`).
    """

    session: str
    peer: int
    role: str
    state: ViewState
    info: VolumeInfo | None = None
    webrtc: bool = True
    ice_servers: tuple[dict[str, str | list[str]], ...] = ()
    ice_loopback: bool = False
    ice_relay_only: bool = False
    protocol: int = PROTOCOL_VERSION
    via: Literal["direct", "proxy", "kernel"] = "proxy"
    own: bool = False


class Error(_Message, tag=int(MessageType.ERROR), frozen=True):
    """Something failed. `fatal`: the session shows nothing until it is fixed."""

    code: str
    message: str
    hint: str = ""
    fatal: bool = False


class State(_Message, tag=int(MessageType.STATE), frozen=True):
    """The state changed. `seq` is the newest message of this very viewer that it contains."""

    seq: Seq
    state: ViewState


class Info(_Message, tag=int(MessageType.INFO), frozen=True):
    """The volume's values changed in place: what is said of them is other now."""

    info: VolumeInfo


class SetPalette(_Message, tag=int(MessageType.PALETTE), frozen=True):
    """A map or a style of labels that the user brought; pictures name the map by `idx`."""

    palette: OwnMap | LabelStyle
    idx: int = 0


class Segmentations(_Message, tag=int(MessageType.SEGMENTATIONS), frozen=True):
    """What is known of all labels and overlays that are open; the state says how they look."""

    segmentations: tuple[SegmentationInfo, ...]


class Status(_Message, tag=int(MessageType.STATUS), frozen=True):
    """What the worker is doing. Sent on change, at most ten times a second.

    `held_back` says why pictures in motion are smaller or fewer than they could be, if they are.
    `trouble` says in a sentence why no more detail comes at the moment; "" while it does.
    """

    worker: Literal["starting", "opening", "ready", "restarting", "failed", "idle"]
    lod: int = 0
    progress: float = 1.0
    exact: bool = False
    encoder: str = ""
    codec: str = ""
    viewers: int = 0
    held_back: str = ""
    loaded: LoadedSlices = LoadedSlices()
    trouble: str = ""


class Ended(_Message, tag=int(MessageType.ENDED), frozen=True):
    """The session is over; the viewer does not come back."""

    reason: str


class RtcAnswer(_Message, tag=int(MessageType.RTC_ANSWER), frozen=True):
    """SDP answer, with all candidates."""

    sdp: Sdp


class Value(_Message, tag=int(MessageType.VALUE), frozen=True):
    """Value of a probed voxel; None where there is no data (NaN).

    `labels` are those that are drawn over it: (segmentation, label); `overlays` likewise: (overlay,
    value there), at the level of detail that is drawn.
    """

    n: Seq
    voxel: tuple[int, int, int]
    value: float | None
    labels: tuple[tuple[str, int], ...] = ()
    overlays: tuple[tuple[str, float | None], ...] = ()


ServerMessage: TypeAlias = (
    Welcome
    | Error
    | AckPace
    | Ping
    | Pong
    | State
    | Info
    | Status
    | Ended
    | RtcAnswer
    | AnnotationEdits
    | Measurement
    | SetPalette
    | Segmentations
    | LabelsEdited
    | EditProgress
    | Value
    | Snapped
    | Tracking
    | GridOfHorizon
    | RecordingState
    | PublishState
    | Joined
    | People
    | LinkOpened
    | Chat
    | Pointers
    | ViewLink
    | Call
    | CallSignalled
    | CallMediaTold
    | CallLeft
)

_encoder = msgspec.json.Encoder()
_viewer_decoder: msgspec.json.Decoder[ViewerMessage] = msgspec.json.Decoder(ViewerMessage)
_server_decoder: msgspec.json.Decoder[ServerMessage] = msgspec.json.Decoder(ServerMessage)


def encode(message: ViewerMessage | ServerMessage) -> bytes:
    """JSON bytes of a message."""
    return _encoder.encode(message)


def decode_viewer(data: bytes | str) -> ViewerMessage:
    """Decode and check what a viewer sent.

    Raises
    ------
    ProtocolError
        Too large, not JSON, unknown type or field, or a value out of bounds.
    """
    if len(data) > MAX_MESSAGE_BYTES:
        raise ProtocolError(
            f"A message of {len(data)} bytes is too large.", hint=f"At most {MAX_MESSAGE_BYTES}."
        )
    try:
        return _viewer_decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as exc:
        raise ProtocolError(f"The message is not valid: {exc}") from exc


def decode_server(data: bytes | str) -> ServerMessage:
    """Decode what the server sent (tests, Python viewers)."""
    try:
        return _server_decoder.decode(data)
    except msgspec.MsgspecError as exc:
        raise ProtocolError(f"The message is not valid: {exc}") from exc


# ---------------------------------------------------------------- frames


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
