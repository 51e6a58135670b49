"""Messages of a kernel's link about labels and overlays, part of `core.link_protocol`'s unions."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from blustream_widget.core.label_edit import Brick, History, LabelEdit
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import (
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
)


class _Message(msgspec.Struct, frozen=True, tag_field="t", forbid_unknown_fields=True):
    pass


# ---------------------------------------------------------------- kernel to server


class AddSegmentation(_Message, tag="segment", frozen=True):
    """Open labels over the volume; answered by `SegmentationOpened` or `SegmentationFailed`.

    The view has them from when they are open, and looks at them as `look` says.
    """

    session: str
    source: SegmentationSource
    look: SegmentationLook


class AddOverlay(_Message, tag="overlay", frozen=True):
    """Open values over the volume; answered, removed and refreshed as segmentations are.

    `fit`: what of the look is chosen by the values, once they are open.
    """

    session: str
    source: SegmentationSource
    look: OverlayLook
    fit: tuple[Literal["range", "colormap"], ...] = ()


class RemoveSegmentation(_Message, tag="unsegment", frozen=True):
    """Take labels away."""

    session: str
    name: str


class RefreshSegmentation(_Message, tag="resegment", frozen=True):
    """The array that these labels were made from changed in place."""

    session: str
    name: str


class CountLabels(_Message, tag="count", frozen=True):
    """Count labels with the values of a channel under them; answered as `AddSegmentation`."""

    session: str
    name: str
    channel: int


class EditLabels(_Message, tag="edit-labels", frozen=True):
    """Edit labels, or take the newest edit back; answered by `LabelsEdited` or `EditRefused`.

    One of the same `n` that waits or is done is not done again.
    """

    session: str
    name: str
    n: int
    edit: LabelEdit | None = None
    history: History = ""


class CancelEdit(_Message, tag="cancel-edit", frozen=True):
    """Edit `n` is not wanted any more: answered by its own `EditRefused`, unless it is done."""

    session: str
    n: int


class FetchBricks(_Message, tag="fetch-bricks", frozen=True):
    """Ask for everything that was edited in labels; answered by `EditedBricks`."""

    session: str
    name: str
    n: int


# ---------------------------------------------------------------- server to kernel


class SegmentationOpened(_Message, tag="segmentation", frozen=True):
    """Labels are open; said again when they were counted."""

    session: str
    info: SegmentationInfo


class SegmentationFailed(_Message, tag="no-segmentation", frozen=True):
    """Labels could not be opened, or not be counted where they `are_open`; nothing was changed."""

    session: str
    name: str
    code: str
    message: str
    hint: str = ""
    are_open: bool = False


class LabelsEdited(_Message, tag="labels-edited", frozen=True):
    """An edit of labels is done."""

    session: str
    name: str
    n: int
    n_voxels: int


class EditProgress(_Message, tag="editing", frozen=True):
    """How far a long edit is; None where nobody can know it."""

    session: str
    name: str
    n: int
    share: float | None


class EditRefused(_Message, tag="no-edit", frozen=True):
    """An edit of labels cannot be; nothing was changed."""

    session: str
    name: str
    n: int
    code: str
    message: str
    hint: str = ""


class EditedBricks(_Message, tag="bricks", frozen=True):
    """Edited bricks of labels, packed; `more`: the rest of them follows."""

    session: str
    name: str
    n: int
    bricks: tuple[tuple[Brick, bytes], ...]
    more: bool = False


LabelsToServer: TypeAlias = (
    AddSegmentation
    | AddOverlay
    | RemoveSegmentation
    | RefreshSegmentation
    | CountLabels
    | EditLabels
    | CancelEdit
    | FetchBricks
)
LabelsToKernel: TypeAlias = (
    SegmentationOpened
    | SegmentationFailed
    | LabelsEdited
    | EditProgress
    | EditRefused
    | EditedBricks
)
