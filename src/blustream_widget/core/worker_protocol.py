"""Messages between server and worker over one socket pair.

Every message is `struct <IB` (payload length, kind) and a payload: kind 0 is the JSON of one of the
structs here, kind 1 a frame (`FrameHeader` bytes and the picture). Up to 64 MiB.
"""

from __future__ import annotations

import struct
from typing import TypeAlias

import msgspec

from blustream_widget.core.annotation import Annotation, Point, Points
from blustream_widget.core.annotation_messages import Measurement, Want
from blustream_widget.core.horizon import Gate, TrackedGrid
from blustream_widget.core.horizon_grid import HorizonGrid
from blustream_widget.core.horizon_messages import Snapped
from blustream_widget.core.label_edit import Brick, BrickChange, LabelEdit
from blustream_widget.core.palettes import LabelStyle, OwnMap
from blustream_widget.core.segmentation import SegmentationInfo, SegmentationSource
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import Capabilities, LoadedSlices, VolumeInfo, VolumeRef

KIND_JSON = 0
KIND_FRAME = 1
"""A frame of the full stream; those of smaller ones have the numbers after it."""
N_RENDITIONS = 3
PREFIX = struct.Struct("<IB")
MAX_PAYLOAD_BYTES = 64 * 1024 * 1024


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


# ---------------------------------------------------------------- server to worker


class SetPalette(_Message, tag="palette", frozen=True):
    """A map or a style of labels that a state will name; its pictures have the number `idx`."""

    palette: OwnMap | LabelStyle
    idx: int = 0


class AddSegmentation(_Message, tag="segment", frozen=True):
    """Open labels beside the volume; answered by `SegmentationOpened` or `SegmentationFailed`.

    States name it from then on. One of the same name is replaced.
    """

    source: SegmentationSource


class RemoveSegmentation(_Message, tag="unsegment", frozen=True):
    """Close the labels of this name; no state names them any more."""

    name: str


class RefreshSegmentation(_Message, tag="resegment", frozen=True):
    """The labels of this name changed in place: read and count them again."""

    name: str


class CountLabels(_Message, tag="count", frozen=True):
    """Count labels again, with mean and sd of the shown volume's channel under each.

    Answered by `SegmentationOpened` or `SegmentationFailed`, which take nothing away.
    """

    name: str
    channel: int


class EditBricks(_Message, tag="edit", frozen=True):
    """Edit the labels of this name; answered by `BricksEdited` or `EditFailed` of the same `n`."""

    name: str
    n: int
    edit: LabelEdit


class RevertBricks(_Message, tag="revert", frozen=True):
    """Give voxels that still are as an edit left them what they had before; answered likewise."""

    name: str
    n: int
    changes: tuple[BrickChange, ...]


class PutBricks(_Message, tag="put", frozen=True):
    """Bricks that were edited in another worker, packed; not answered."""

    name: str
    bricks: tuple[tuple[Brick, bytes], ...]
    n: int = 0


class CancelEdit(_Message, tag="cancel-edit", frozen=True):
    """Edit `n` is not wanted: answered by its `EditFailed`, or `BricksEdited` if it was quicker."""

    name: str
    n: int


class Open(_Message, tag="open", frozen=True):
    """Open this volume; answered by `Opened` or `Failed`. Given once in a worker's life.

    `state` is what to show first after a restart; None = `first_state` of the volume.
    `pane` is the picture's size where it is known already. `palettes` are those that states name,
    `segmentations` likewise.
    """

    ref: VolumeRef
    state: ViewState | None = None
    pane: tuple[int, int] | None = None
    palettes: tuple[SetPalette, ...] = ()
    segmentations: tuple[AddSegmentation, ...] = ()


class Show(_Message, tag="show", frozen=True):
    """The newest state. Replaces one that was not drawn yet."""

    state: ViewState


class SmallerOutput(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more encode of the same pictures, for viewers whose links carry less.

    Parameters
    ----------
    rendition : int
        1 to `N_RENDITIONS` - 1: what its frames are marked with.
    bit_rate_bps, max_fps : int
    scale : float
        Share of the sides of the full stream's pictures in motion.
    """

    rendition: int
    bit_rate_bps: int
    max_fps: int
    scale: float


class Output(_Message, tag="output", frozen=True):
    """What to produce from now on. With nothing to produce the worker draws nothing.

    So it is until the first of these messages: the session has to see the volume, and to say what
    to show of it, before there is a picture.

    `scale` is the size of pictures in motion, as a share of the pane's sides; stills have the
    pane's own pixels. The worker takes less where drawing and encoding would not keep up. `blink`:
    overlays that alternate with the volume may do so; otherwise they are shown all the time.
    `smaller` are encodes beside the full one that somebody needs.
    """

    h264: bool = True
    jpeg: bool = False
    still: bool = True
    bit_rate_bps: int = 20_000_000
    max_fps: int = 60
    scale: float = 1.0
    blink: bool = True
    smaller: tuple[SmallerOutput, ...] = ()


NO_OUTPUT = Output(h264=False, jpeg=False, still=False)


class WantKeyframe(_Message, tag="keyframe", frozen=True):
    """The next H.264 frame of a stream is an IDR; drawn at once if nothing else is."""

    rendition: int = 0


class Refresh(_Message, tag="refresh", frozen=True):
    """The array's values changed in place: forget cached bricks, draw again."""


class ProbeVoxel(_Message, tag="probe", frozen=True):
    """Answered by `ProbedValue`; a newer probe of the same peer replaces it."""

    peer: int
    n: int
    channel: int
    voxel: tuple[int, int, int]


class MeasureVoxels(_Message, tag="measure", frozen=True):
    """Measure an annotation; answered by `MeasuredVoxels`, more than once while it takes time.

    A newer question of the same `owner` about the same annotation replaces an older one. `cancel`:
    question `n` needs no answer.
    """

    owner: str
    n: int
    item: Annotation
    channel: int
    want: tuple[Want, ...] = ()
    bins: int = 64
    cancel: bool = False


class TrackVoxels(_Message, tag="track", frozen=True):
    """Follow a horizon over the volume; answered by `TrackedVoxels`.

    `span`: samples above and below the seeds; None: as many as may be. `line`: axis and index of
    the section that it is followed in; None: everywhere. `onto`: what it is added to. `packs`: it
    is wanted as a packed grid, `is_plain`: as plain samples.
    """

    owner: str
    n: int
    seeds: Points
    channel: int
    gate: Gate = Gate()
    span: int | None = None
    line: tuple[int, int] | None = None
    onto: HorizonGrid | None = None
    packs: bool = False
    is_plain: bool = True
    cancel: bool = False


class SnapVoxel(_Message, tag="snap", frozen=True):
    """Say where the event nearest to a place lies; answered by `SnappedVoxel`."""

    owner: str
    n: int
    place: Point
    channel: int
    gate: Gate = Gate()
    cancel: bool = False


OfEdits: TypeAlias = EditBricks | RevertBricks | PutBricks
OfSegmentations: TypeAlias = (
    AddSegmentation | RemoveSegmentation | RefreshSegmentation | CountLabels | OfEdits | CancelEdit
)

ToWorker: TypeAlias = (
    SetPalette
    | Open
    | AddSegmentation
    | RemoveSegmentation
    | RefreshSegmentation
    | CountLabels
    | OfEdits
    | CancelEdit
    | Show
    | Output
    | WantKeyframe
    | Refresh
    | ProbeVoxel
    | MeasureVoxels
    | TrackVoxels
    | SnapVoxel
)

# ---------------------------------------------------------------- worker to server


class Ready(_Message, tag="ready", frozen=True):
    """The process is up and has probed its encoders; it waits for `Open`."""

    pid: int
    capabilities: Capabilities


class Opened(_Message, tag="opened", frozen=True):
    """The volume is open; `state` is the first one (or the given one)."""

    info: VolumeInfo
    state: ViewState


class Described(_Message, tag="described", frozen=True):
    """The open volume's values changed in place: their ranges are other ones now."""

    info: VolumeInfo


class SegmentationOpened(_Message, tag="segmentation", frozen=True):
    """The labels are open; said again when they were counted."""

    info: SegmentationInfo


class SegmentationFailed(_Message, tag="no-segmentation", frozen=True):
    """The labels of this name cannot be opened, or not be counted where they `are_open`."""

    name: str
    code: str
    message: str
    hint: str = ""
    are_open: bool = False


class BricksEdited(_Message, tag="edited", frozen=True):
    """An edit is done, and pictures after the first such message show it; `more`: more follow.

    The first one says no more than that: what changed is packed while the picture is drawn.
    """

    name: str
    n: int
    n_voxels: int
    changes: tuple[BrickChange, ...]
    more: bool = False


class EditFailed(_Message, tag="no-edit", frozen=True):
    """An edit cannot be; nothing was changed."""

    name: str
    n: int
    code: str
    message: str
    hint: str = ""


class EditProgress(_Message, tag="editing", frozen=True):
    """How far a long edit is; None where nobody can know it. At most five times a second."""

    name: str
    n: int
    share: float | None


class Failed(_Message, tag="failed", frozen=True):
    """An error, as code, message and hint. `fatal`: the volume is not open."""

    code: str
    message: str
    hint: str = ""
    fatal: bool = False


class Progress(_Message, tag="progress", frozen=True):
    """Level of detail on screen and share of the wanted one that is there. On change only.

    `trouble` says in a sentence why nothing more comes at the moment; "" while it does.
    """

    lod: int
    progress: float
    exact: bool
    trouble: str = ""


class Loaded(_Message, tag="loaded", frozen=True):
    """Slices that are in memory. On change only, at most four times a second, while drawing."""

    slices: LoadedSlices


class ProbedValue(_Message, tag="value", frozen=True):
    """Full-resolution value; None for NaN. `labels`, `overlays`: as in `protocol.Value`."""

    peer: int
    n: int
    voxel: tuple[int, int, int]
    value: float | None
    labels: tuple[tuple[str, int], ...] = ()
    overlays: tuple[tuple[str, float | None], ...] = ()


class MeasuredVoxels(_Message, tag="measured", frozen=True):
    """Answer to `MeasureVoxels`."""

    owner: str
    measurement: Measurement


class TrackedVoxels(_Message, tag="tracked", frozen=True):
    """Answer to `TrackVoxels`."""

    owner: str
    grid: TrackedGrid


class SnappedVoxel(_Message, tag="snapped", frozen=True):
    """Answer to `SnapVoxel`."""

    owner: str
    answer: Snapped


class EncoderChanged(_Message, tag="encoder", frozen=True):
    """The encoder in use changed (fallback); `reason` is for people."""

    capabilities: Capabilities
    reason: str = ""


class Stats(_Message, tag="stats", frozen=True):
    """Once a second while frames are drawn: sums since the last one."""

    frames: int
    draw_ms: float
    encode_ms: float
    cpu_ms: float
    bytes: int


FromWorker: TypeAlias = (
    Ready
    | Opened
    | Described
    | SegmentationOpened
    | SegmentationFailed
    | BricksEdited
    | EditFailed
    | EditProgress
    | Failed
    | Progress
    | Loaded
    | ProbedValue
    | MeasuredVoxels
    | TrackedVoxels
    | SnappedVoxel
    | EncoderChanged
    | Stats
)

_encoder = msgspec.json.Encoder()
to_worker_decoder: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)
from_worker_decoder: msgspec.json.Decoder[FromWorker] = msgspec.json.Decoder(FromWorker)


def frame_message(
    header: bytes, picture: bytes | memoryview, rendition: int = 0
) -> tuple[bytes, bytes | memoryview]:
    """(prefix and header, picture): two buffers to write one after the other, without a copy."""
    kind = KIND_FRAME + rendition
    return PREFIX.pack(len(header) + len(picture), kind) + header, picture


def json_message(message: ToWorker | FromWorker) -> bytes:
    """One framed JSON message."""
    payload = _encoder.encode(message)
    return PREFIX.pack(len(payload), KIND_JSON) + payload
