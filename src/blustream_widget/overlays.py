"""Values over a viewer's slices in Python: each an object with traits of how it looks, two-way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import traitlets as t

from blustream_widget.core.overlay import OverlayLook, checked_overlays
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.core.types import Channel
from blustream_widget.layer_items import LayerItem

_LOOK = (
    "visible",
    "opacity",
    "colormap",
    "reverse",
    "window",
    "level",
    "threshold",
    "two_sided",
    "mode",
    "tiles",
    "split",
    "divider",
    "period_s",
)


class _MapTrait(t.Unicode[str, Any]):
    """A map's name; of anything else that `Viewer.add_colormap` takes, the name it gives."""

    def validate(self, obj: Any, value: Any) -> str:
        return str(super().validate(obj, obj._named(value)))


class Overlay(LayerItem[OverlayLook]):
    """Values over the slices; setting a trait changes the view, and the view changes the trait.

    Parameters
    ----------
    look : OverlayLook
    info : SegmentationInfo
    post : callable
        Has the view take a new look of this overlay.
    refresh : callable
        Has its values read again.
    name_map : callable
        Brings a colour map; gives its name, and whether it is to be reversed.
    """

    LOOK: ClassVar[tuple[str, ...]] = _LOOK

    colormap = _MapTrait("viridis", help='As Viewer.colormap, with "_r" for reversed.')
    reverse = t.Bool(False, help="Colour map from the other end.")
    window = t.Float(1.0, help="Full width of the range of the colours, in its unit.")
    level = t.Float(0.5, help="Centre of that range.")
    threshold = t.Float(None, allow_none=True, help="Clear below this value; None: nowhere.")
    two_sided = t.Bool(False, help="Clear where the magnitude is below the threshold.")
    mode = t.Unicode("blend", help='"blend", "checkerboard", "swipe" or "blink".')
    tiles = t.Int(8, help="Of a checkerboard, along the pane's shorter side, 2 to 64.")
    split = t.Float(0.5, help="Place of the divider of a swipe, 0 to 1 of the pane.")
    divider = t.Unicode("vertical", help='"vertical" or "horizontal".')
    period_s = t.Float(1.0, help="Of blinking, 0.4 to 60 seconds.")

    def __init__(
        self,
        look: OverlayLook,
        info: SegmentationInfo,
        *,
        post: Callable[[OverlayLook], None],
        refresh: Callable[[], None],
        name_map: Callable[[Any], tuple[str, bool]],
    ) -> None:
        self._name_map = name_map
        super().__init__(look, info, post=post, refresh=refresh)

    def __repr__(self) -> str:
        shown = f"{self.mode}, {self.opacity:g}" if self.visible else "hidden"
        return f"<Overlay {self.name!r}: {shown}>"

    @property
    def channel(self) -> Channel:
        """Name, unit, range and percentiles of its values."""
        return self._info.channel

    def _named(self, value: Any) -> Any:
        if self._is_following:
            return value
        name, is_reversed = self._name_map(value)
        if is_reversed:
            self.reverse = True
        return name

    def _check_look(self, fields: dict[str, Any]) -> OverlayLook:
        (look,) = checked_overlays([fields])
        return look

    @t.validate(*_LOOK)
    def _checked(self, proposal: Any) -> Any:
        return self._checked_field(proposal["trait"].name, proposal["value"])

    @t.observe(*_LOOK)
    def _on_look(self, change: Any) -> None:
        self._change_field(change["name"], change["new"])
