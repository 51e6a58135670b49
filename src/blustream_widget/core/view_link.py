"""A view as text: what is shown, for others to open for themselves on the same data.

`blustream-view:1.` and URL-safe base64 of JSON. It holds what `ViewState` has but the sizes of a
page, and by what to know the volume: its shown name and its shape. No address, nothing secret.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Annotated, Any

import msgspec

from blustream_widget.core.layouts import PaneState
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.palettes import Palettes
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.share_messages import MAX_LINK_CHARS
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError, ViewLinkError

PREFIX = "blustream-view:"
_VERSION = "1"
_NAME_CHARS = 200
_FORM = re.compile(re.escape(PREFIX) + r"(\d{1,4})\.([A-Za-z0-9_-]+)")
_OF_THE_PAGE = frozenset({"revision", "width_px", "height_px", "pane_sizes", "label_style"})
_LAYERS = ("segmentations", "overlays")


class _Link(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    of: Annotated[str, msgspec.Meta(max_length=_NAME_CHARS)]
    shape: tuple[int, int, int]
    view: ViewState


def view_link(state: ViewState, info: VolumeInfo) -> str:
    """Write a view as text.

    Raises
    ------
    ViewLinkError
        It says more than fits: looks of thousands of labels.
    """
    usual, fields = msgspec.to_builtins(ViewState()), msgspec.to_builtins(state)
    view = {
        name: value
        for name, value in fields.items()
        if name not in _OF_THE_PAGE and value != usual[name]
    }
    link = {"of": info.name[:_NAME_CHARS], "shape": info.shape, "view": view}
    packed = base64.urlsafe_b64encode(msgspec.json.encode(link)).decode().rstrip("=")
    text = f"{PREFIX}{_VERSION}.{packed}"
    if len(text) > MAX_LINK_CHARS:
        raise ViewLinkError(
            "This view is too long to be copied.",
            hint="Reset the looks of labels: thousands are hidden, coloured or named by hand.",
        )
    return text


def patch_of_link(
    text: str, state: ViewState, info: VolumeInfo, palettes: Palettes
) -> dict[str, Any]:
    """Read a view: the patch that makes `state` show it.

    Labels, overlays and colours of a user's own that are not here are left as they are. Values are
    checked as those of any patch, by `ViewState.with_patch`.

    Raises
    ------
    ViewLinkError
        The text is no view, too long, of another version, or of another volume.
    """
    link = _read(text)
    if link.shape != info.shape:
        theirs, ours = (" x ".join(map(str, shape)) for shape in (link.shape, info.shape))
        raise ViewLinkError(
            f"This view is of another volume: {link.of!r} with {theirs} voxels.",
            hint=f"Here is {info.name!r} with {ours}.",
        )
    view = link.view
    patch = {
        name: getattr(view, name)
        for name in view.__struct_fields__
        if name not in _OF_THE_PAGE and name not in _LAYERS
    }
    patch["colormap"] = _known(view.colormap, state.colormap, palettes)
    patch["panes"] = tuple(_with_known_map(pane, state, palettes) for pane in view.panes)
    for field in _LAYERS:
        patch[field] = _looks(getattr(view, field), getattr(state, field), field, palettes)
    return patch


def _read(text: str) -> _Link:
    hint = "Copy it again, all of it."
    if len(text) > MAX_LINK_CHARS:
        raise ViewLinkError(f"A copied view has at most {MAX_LINK_CHARS} characters.", hint=hint)
    match = _FORM.fullmatch(text.strip())
    if match is None:
        raise ViewLinkError("This text is no copied view.", hint=f"It begins with {PREFIX!r}.")
    if match[1] != _VERSION:
        raise ViewLinkError(
            f"This view is written in version {match[1]}, which is not known here.",
            hint="Open it with the version of blustream_widget that wrote it.",
        )
    try:
        packed = base64.urlsafe_b64decode(match[2] + "=" * (-len(match[2]) % 4))
        return msgspec.json.decode(packed, type=_Link)
    except (binascii.Error, msgspec.MsgspecError, RecursionError, UnicodeError) as exc:
        raise ViewLinkError("This copied view is damaged.", hint=hint) from exc


def _known(colormap: str, otherwise: str, palettes: Palettes) -> str:
    try:
        palettes.check({"colormap": colormap})
    except StateError:
        return otherwise
    return colormap


def _with_known_map(pane: PaneState, state: ViewState, palettes: Palettes) -> PaneState:
    return msgspec.structs.replace(pane, colormap=_known(pane.colormap, state.colormap, palettes))


def _looks(
    theirs: tuple[SegmentationLook | OverlayLook, ...],
    ours: tuple[SegmentationLook | OverlayLook, ...],
    field: str,
    palettes: Palettes,
) -> tuple[SegmentationLook | OverlayLook, ...]:
    """Give our layers their looks, as far as we have what those name."""
    by_name = {look.name: look for look in theirs}
    looks = []
    for look in ours:
        wanted = by_name.get(look.name, look)
        try:
            palettes.check({field: (wanted,)})
        except StateError:
            wanted = look
        looks.append(wanted)
    return tuple(looks)
