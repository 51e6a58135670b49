"""Messages between a kernel and the server, over one WebSocket on the server's UNIX socket.

JSON text for everything but relayed pictures, which are binary: `struct <I` channel and the frame.
One link serves all viewers of a kernel; it authenticates with the header
`Authorization: Bearer <secret>`, the secret being in the server's runtime folder (mode 0600).
"""

from __future__ import annotations

import struct
from typing import Annotated, Any, TypeAlias

import msgspec

from blustream_widget.core.link_annotations import (
    AnnotationsToKernel,
    AnnotationsToServer,
    MeasureItem,
    TrackHorizon,
    WantHorizon,
)
from blustream_widget.core.link_labels import (
    CancelEdit,
    LabelsToKernel,
    LabelsToServer,
    RefreshSegmentation,
    RemoveSegmentation,
)
from blustream_widget.core.link_sharing import OfSharing, Shared
from blustream_widget.core.linking import LinkKind
from blustream_widget.core.palettes import LabelStyle, OwnMap
from blustream_widget.core.picture_messages import PictureTaken, TakePicture
from blustream_widget.core.publishing import PublishStatus, StartPublishing, StopPublishing
from blustream_widget.core.recording_messages import RecordingState
from blustream_widget.core.replay_messages import DriveReplay, ReplayState, Said, WantSaid
from blustream_widget.core.segmentation import SegmentationSource
from blustream_widget.core.sharing import Key
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Capabilities, VolumeInfo, VolumeRef

RELAY_PREFIX = struct.Struct("<I")
MAX_TIED = 64


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


# ---------------------------------------------------------------- kernel to server


class OpenSession(_Message, tag="open", frozen=True):
    """Start a session, or take it up again after the link broke (same id, `state` given).

    `session` is made by the kernel (32 hex digits). `patch` holds what the user asked for first.
    Answered by `SessionOpened` at once and `VolumeOpened` or `SessionError` later.
    """

    session: str
    ref: VolumeRef
    patch: dict[str, Any] = {}
    state: ViewState | None = None
    palettes: tuple[OwnMap | LabelStyle, ...] = ()
    segmentations: tuple[SegmentationSource, ...] = ()


class PutPalette(_Message, tag="palette", frozen=True):
    """A colour map or a style of labels, before the patch that names it."""

    session: str
    palette: OwnMap | LabelStyle


class PatchState(_Message, tag="patch", frozen=True):
    """Change fields of the view; an invalid one is answered by `SessionError` and changes nothing.

    `seq` grows with every patch of a session; `Mirror.seq` tells which ones it contains.
    """

    session: str
    patch: dict[str, Any]
    seq: int = 0


class StartRecording(_Message, tag="record", frozen=True):
    """Record what is seen to `path` (absolute; "" = a new file in the folder of recordings).

    Answered by `RecordingStatus` with the same `n`; while one runs it comes once a second.
    """

    session: str
    n: int
    path: str = ""
    overwrite: bool = False


class StopRecording(_Message, tag="stop-recording", frozen=True):
    """End the recording; answered as `StartRecording`, at last with phase "off"."""

    session: str
    n: int


class ReplayStatus(_Message, tag="replay", frozen=True):
    """Where a replay in this view is; with `about` for a server that does not know it yet."""

    session: str
    status: ReplayState


class ReplaySaid(_Message, tag="said", frozen=True):
    """Answer to `WishOfReplay`: what is said in a piece."""

    session: str
    said: Said


class RefreshVolume(_Message, tag="refresh", frozen=True):
    """The shared array changed in place."""

    session: str


class CloseSession(_Message, tag="close", frozen=True):
    """End the session: worker, peers and shared memory go. Answered by `SessionClosed`."""

    session: str


class RenewToken(_Message, tag="renew", frozen=True):
    """Ask for a fresh token (they expire); answered by `SessionToken`."""

    session: str


class OpenDesk(_Message, tag="desk", frozen=True):
    """Where JupyterHub's service for guests is, and the ticket to be reached through it.

    The server goes there while a view is shared; `RenewDesk` says that the ticket is not taken.
    """

    session: str
    address: Annotated[str, msgspec.Meta(max_length=1024, pattern=r"^https?://[^\s#?]+/$")]
    ticket: Annotated[str, msgspec.Meta(max_length=4096)]


class TieViews(_Message, tag="tie", frozen=True):
    """Have views follow each other in `what`; replaces the tie of the same name.

    `aligns`: the others take over at once what the first of `sessions` shows.
    """

    tie: str
    sessions: Annotated[tuple[str, ...], msgspec.Meta(max_length=MAX_TIED)]
    what: tuple[LinkKind, ...]
    aligns: bool = False


class UntieViews(_Message, tag="untie", frozen=True):
    """Let the views of a tie go their own ways."""

    tie: str


OfOrder: TypeAlias = (
    MeasureItem
    | TrackHorizon
    | WantHorizon
    | TakePicture
    | RemoveSegmentation
    | RefreshSegmentation
    | RefreshVolume
    | CancelEdit
    | OfSharing
    | TieViews
    | UntieViews
)


class Order(_Message, tag="order", frozen=True):
    """Do something once; told again over another connection until it is confirmed.

    `n` grows with every order of a `kernel`: a server that has taken it passes it over.
    """

    kernel: Key
    n: Annotated[int, msgspec.Meta(gt=0)]
    what: OfOrder


class Confirm(_Message, tag="confirm", frozen=True):
    """Answered by `Confirmed` of the same `n`: all that came before it was taken."""

    n: int


class RelayOpen(_Message, tag="relay-open", frozen=True):
    """A browser without a connection speaks through the comm. `channel` is new in this link."""

    session: str
    channel: int


class RelayText(_Message, tag="relay", frozen=True):
    """A text message of `core.protocol`, either way."""

    channel: int
    text: str


class RelayClose(_Message, tag="relay-close", frozen=True):
    """The relayed browser is gone, or (from the server) must go."""

    channel: int


ToServer: TypeAlias = (
    OpenSession
    | PutPalette
    | PatchState
    | AnnotationsToServer
    | LabelsToServer
    | StartRecording
    | StopRecording
    | ReplayStatus
    | ReplaySaid
    | TakePicture
    | StartPublishing
    | StopPublishing
    | RefreshVolume
    | CloseSession
    | RenewToken
    | OfSharing
    | OpenDesk
    | TieViews
    | UntieViews
    | Order
    | Confirm
    | RelayOpen
    | RelayText
    | RelayClose
)

# ---------------------------------------------------------------- server to kernel


class SessionOpened(_Message, tag="opened", frozen=True):
    """The session exists; `token` lets the notebook's browser join as owner.

    `annotations_revision` 0: it has never had an annotation, or not all that a former server had;
    the kernel gives back what it knows.
    """

    session: str
    token: str
    annotations_revision: int = 0


class SessionToken(_Message, tag="token", frozen=True):
    """A fresh token."""

    session: str
    token: str


class VolumeOpened(_Message, tag="volume", frozen=True):
    """The volume is open in a worker (again, after a restart)."""

    session: str
    info: VolumeInfo
    state: ViewState
    capabilities: Capabilities


class Mirror(_Message, tag="mirror", frozen=True):
    """State and status for the kernel's traits: at most 5 a second, always the newest last.

    `seq` is that of the newest `PatchState` that was applied (or refused), so that the kernel never
    takes an older state over what its user has just set.
    """

    session: str
    state: ViewState
    seq: int = 0
    worker: str = ""
    transport: str = ""
    via: str = ""
    encoder: str = ""
    codec: str = ""
    displayed_fps: float = 0.0
    latency_ms: float = 0.0
    viewers: int = 0
    lod: int = 0
    progress: float = 1.0
    exact: bool = False
    held_back: str = ""


class RecordingStatus(_Message, tag="recording", frozen=True):
    """How the recording is; `n` is the kernel's newest wish that was heard."""

    session: str
    n: int
    path: str
    status: RecordingState


class WishOfReplay(_Message, tag="replay-wish", frozen=True):
    """What somebody who looks wants of a replay, and may."""

    session: str
    wish: DriveReplay | WantSaid


class RenewDesk(_Message, tag="renew-desk", frozen=True):
    """The ticket of `OpenDesk` is not good any more."""

    session: str


class SessionClosed(_Message, tag="closed", frozen=True):
    """A session that was to end has, or was not there."""

    session: str


class Confirmed(_Message, tag="confirmed", frozen=True):
    """All that came before `Confirm` was taken."""

    n: int


class SessionError(_Message, tag="error", frozen=True):
    """Something of this session failed; `fatal` means there is nothing to show."""

    session: str
    code: str
    message: str
    hint: str = ""
    fatal: bool = False


ToKernel: TypeAlias = (
    SessionOpened
    | SessionToken
    | VolumeOpened
    | Mirror
    | AnnotationsToKernel
    | LabelsToKernel
    | RecordingStatus
    | WishOfReplay
    | PictureTaken
    | PublishStatus
    | Shared
    | RenewDesk
    | SessionClosed
    | Confirmed
    | SessionError
    | RelayText
    | RelayClose
)

encoder = msgspec.json.Encoder()
to_server_decoder: msgspec.json.Decoder[ToServer] = msgspec.json.Decoder(ToServer)
to_kernel_decoder: msgspec.json.Decoder[ToKernel] = msgspec.json.Decoder(ToKernel)
