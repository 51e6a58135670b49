"""Messages about what is shown: changes that a viewer makes, and what the server tells of it."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from blustream_widget.core.layouts import PANES_MAX, PaneState
from blustream_widget.core.message_types import MessageType
from blustream_widget.core.overlay import MAX_OVERLAYS, OverlayLook
from blustream_widget.core.palettes import LabelStyle, OwnMap
from blustream_widget.core.sections import Fence, Oblique
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    SegmentationInfo,
    SegmentationLook,
)
from blustream_widget.core.slab import SLAB_MAX
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo

Seq: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Real: TypeAlias = Annotated[float, msgspec.Meta(ge=-1e30, le=1e30)]
Index: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
PanePx: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


# ---------------------------------------------------------------- viewer to server


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


# ---------------------------------------------------------------- server to viewer


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
