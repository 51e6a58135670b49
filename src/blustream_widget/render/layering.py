"""Draws what lies over a slice: on its voxels where that shows the same, else pixel by pixel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from blustream_widget.core.geometry import Placement
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.render.kept_colors import Box
from blustream_widget.render.layers import Overlay, layer_spans
from blustream_widget.render.overlay import LabelPainter
from blustream_widget.render.scale import Planes
from blustream_widget.render.scratch import Scratch
from blustream_widget.render.span import Span
from blustream_widget.render.tables import ColorSpace
from blustream_widget.render.values import ValuePainter
from blustream_widget.render.voxel_layers import Landing, VoxelLayer, can_lie_on


@dataclass(frozen=True, slots=True)
class Layering:
    """What is drawn how.

    Parameters
    ----------
    on_voxels : tuple of VoxelLayer
        The lowest, blended into the slice's colours before they are scaled.
    above : tuple of Overlay
        The others, blended into the picture.
    is_filled : bool
        Of the first one above, the labels are on the voxels: outlines are left to draw.
    is_alike : bool
        And those are its own voxels, so that outlines change where these do.
    """

    on_voxels: tuple[VoxelLayer, ...]
    above: tuple[Overlay, ...]
    is_filled: bool = False
    is_alike: bool = False

    @property
    def is_kept(self) -> bool:
        """What is drawn by it can be drawn by parts, the next time."""
        return not self.above or self.outlined is not None

    @property
    def outlined(self) -> SegmentationLook | None:
        """Look of the only one above, if its outlines can be drawn by parts."""
        if len(self.above) != 1 or not (self.is_filled and self.is_alike):
            return None
        look = self.above[0].look
        return look if isinstance(look, SegmentationLook) else None


class LayerPainter:
    """Draws overlays; one thread.

    Parameters
    ----------
    scratch : Scratch
    """

    def __init__(self, scratch: Scratch) -> None:
        self._labels = LabelPainter(scratch)
        self._values = ValuePainter(scratch)

    def plan(
        self,
        overlays: Sequence[Overlay],
        placement: Placement,
        state: ViewState,
        space: ColorSpace,
        under: tuple[Span, Span],
    ) -> Layering:
        """Put on the voxels of the slice, whose columns and rows are `under`, what can lie there.

        For video only: what is on the voxels is scaled with the slice's colours.
        """
        on_voxels: list[VoxelLayer] = []
        for n, overlay in enumerate(overlays):
            look, (columns, rows) = overlay.look, layer_spans(overlay, placement, state)
            if columns is None or rows is None:
                continue
            fits = can_lie_on(columns, under[0]) and can_lie_on(rows, under[1])
            if not fits or not _is_everywhere(look):
                return Layering(tuple(on_voxels), tuple(overlays[n:]))
            landing = Landing(columns, rows, *under)
            if isinstance(look, OverlayLook):
                layer = self._values.on_voxels(overlay, look, placement, state, space, landing)
            else:
                layer = self._labels.on_voxels(overlay, look, placement, space, landing)
            on_voxels.append(layer)
            if isinstance(look, SegmentationLook) and look.style == "both":
                above = tuple(overlays[n:])
                return Layering(tuple(on_voxels), above, is_filled=True, is_alike=landing.is_same)
        return Layering(tuple(on_voxels), ())

    def paint(
        self,
        layering: Layering,
        placement: Placement,
        state: ViewState,
        planes: Planes,
        space: ColorSpace,
        parts: Sequence[Box] | None = None,
    ) -> None:
        """Draw what is not on the voxels, over what is there; of outlines, maybe in `parts` only.

        Parts are rows and columns of the first plane, as `draw_part` gives them.
        """
        for n, overlay in enumerate(layering.above):
            look = overlay.look
            if parts is not None and isinstance(look, SegmentationLook):
                if parts:
                    self._labels.outline(overlay, look, placement, state, planes, space, parts)
                continue
            if isinstance(look, OverlayLook):
                self._values.paint(overlay, look, placement, state, planes, space)
                continue
            is_filled = layering.is_filled and n == 0
            self._labels.paint(overlay, look, placement, state, planes, space, is_filled=is_filled)


def _is_everywhere(look: OverlayLook | SegmentationLook) -> bool:
    """Whether a look has colours wherever there are voxels, not at some pixels alone."""
    if isinstance(look, OverlayLook):
        return look.mode in ("blend", "blink")
    return look.style != "outline"
