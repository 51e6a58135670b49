"""Messages between a viewer (browser) and the server: those of the connection, and all in one.

Text messages are JSON objects with an integer `type`, the same over WebSocket, data channel and
comm relay. Binary messages are a frame header and its picture. `js/src/protocol.ts` is generated
from this module by `scripts/generate_protocol.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

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
from blustream_widget.core.message_types import MessageType
from blustream_widget.core.publishing import PublishState
from blustream_widget.core.recording_messages import RecordingState, SetRecording
from blustream_widget.core.replay_messages import DriveReplay, ReplayState, Said, WantSaid
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
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import LoadedSlices, VolumeInfo
from blustream_widget.core.view_messages import (
    ChangeSlice,
    Index,
    Info,
    Probe,
    Segmentations,
    Seq,
    SetPalette,
    State,
    Value,
    ViewSync,
    WindowLevel,
    ZoomPan,
)
from blustream_widget.core.voice_messages import VoiceMessage
from blustream_widget.errors import ProtocolError

PROTOCOL_VERSION = 4
MAX_MESSAGE_BYTES = 64 * 1024
"""Largest text message a viewer may send."""

Sdp: TypeAlias = Annotated[str, msgspec.Meta(max_length=48 * 1024)]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


# ---------------------------------------------------------------- viewer to server


class Hello(_Message, tag=int(MessageType.HELLO), frozen=True):
    """First message of a connection: who am I and what can I show.

    `pictures` lists what the viewer can decode, best first. `calm`: whoever looks there has asked
    for no motion, and sees blinking overlays all the time, as all others do then. `page`: the same
    in all connections of one page, of which the newest moves the view.
    """

    token: Annotated[str, msgspec.Meta(max_length=4096)]
    protocol: int = PROTOCOL_VERSION
    pictures: tuple[Literal["h264", "jpeg"], ...] = ("h264", "jpeg")
    transport: Literal["websocket", "comm"] = "websocket"
    calm: bool = False
    page: Annotated[str, msgspec.Meta(max_length=32)] = ""


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
    | DriveReplay
    | WantSaid
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
    | ReplayState
    | Said
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
