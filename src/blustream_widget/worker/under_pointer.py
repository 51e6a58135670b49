"""What is drawn over one voxel of the shown volume: labels and values, from the slices read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from blustream_widget.core.overlay import OverlayLook
from blustream_widget.render.layers import Overlay
from blustream_widget.render.section_layers import point_of
from blustream_widget.render.values import is_in_slice, value_at


class UnderPointer(NamedTuple):
    """Labels, as (segmentation, label), and values, as (overlay, value), over a voxel."""

    labels: tuple[tuple[str, int], ...] = ()
    overlays: tuple[tuple[str, float | None], ...] = ()


def under_pointer(drawn: Iterable[Overlay], voxel: tuple[int, int, int]) -> UnderPointer:
    """Find what is drawn at a voxel of the shown volume, in any pane."""
    labels: dict[str, int] = {}
    values: dict[str, float | None] = {}
    for overlay in drawn:
        look = overlay.look
        if isinstance(look, OverlayLook):
            if is_in_slice(overlay.view, voxel):
                values[look.name] = value_at(overlay, voxel)
            continue
        label = _label_at(overlay, voxel)
        if label and label not in look.hidden:
            labels[look.name] = label
    return UnderPointer(tuple(labels.items()), tuple(values.items()))


def _label_at(overlay: Overlay, voxel: tuple[int, int, int]) -> int:
    """Label of the slice that was read at a voxel of the shown volume; 0 where it has none."""
    view = overlay.view
    if view.section is not None:
        return int(point_of(view, overlay.data, voxel) or 0)
    there = [0, 0, 0]
    for axis in range(3):
        place = math.floor(view.alignment.there(axis, voxel[axis]) + 0.5)
        there[view.alignment.axes[axis]] = place
    if there[view.axis] != view.slice_idx:
        return 0
    data = overlay.data
    a, b = (
        (there[axis] >> data.lod) - origin
        for axis, origin in zip((k for k in range(3) if k != view.axis), data.origin, strict=True)
    )
    if not (0 <= a < data.values.shape[0] and 0 <= b < data.values.shape[1]):
        return 0
    return int(data.values[a, b].item())
