"""What a viewer can do with other values over its slices: a part of `Viewer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from blustream_widget.core import link_labels as ll
from blustream_widget.core.looks import checked_name
from blustream_widget.core.overlay import (
    MAX_OVERLAYS,
    Divider,
    Mode,
    OverlayLook,
    checked_overlays,
)
from blustream_widget.core.overlay_fit import fitted
from blustream_widget.core.segmentation import SegmentationInfo, SegmentationSource
from blustream_widget.layer_items import LayerItems
from blustream_widget.layered import Layered, channel_of, default_name, layer_ref
from blustream_widget.overlays import Overlay


class Overlaid(Layered):
    """The part of `Viewer` that is about overlays."""

    if TYPE_CHECKING:

        def _name_map(self, value: Any) -> tuple[str, bool]: ...

    @property
    def overlays(self) -> LayerItems[Overlay]:
        """Values over the slices by name; each has traits: ``["pet"].opacity = 0.3``."""
        return self._overlays

    def add_overlay(
        self,
        source: Any = None,
        name: str = "",
        *,
        channel: int | str | None = None,
        colormap: Any = None,
        reverse: bool = False,
        window: float | None = None,
        level: float | None = None,
        opacity: float | None = None,
        threshold: float | None = None,
        two_sided: bool = False,
        mode: Mode = "blend",
        tiles: int = 8,
        split: float = 0.5,
        divider: Divider = "vertical",
        period_s: float = 1.0,
        visible: bool = True,
        affine: Any = None,
        connection: str = "",
        timeout_s: float = 60.0,
    ) -> Overlay:
        """Lay other values over the slices; waits until they are open, not until they are read.

        Parameters
        ----------
        source : str, path or array, optional
            A volume as `Viewer` takes it, on the same grid or, where both say where they lie in the
            world, on another one with parallel axes; or an array of the volume's shape. None: a
            channel of the shown volume.
        name : str
            Key in `overlays`; default: that of the channel or the file, or "overlay".
        channel : int or str, optional
            Of the shown volume by name or number; of another volume by number, default 0.
        colormap : str, colours or map, optional
            As `Viewer.colormap` takes it. Default: one that suits the values.
        window, level : float, optional
            Full width and centre of the range of the colours, in the overlay's unit, both or none.
            Default: by the values' percentiles; around zero where they have both signs.
        opacity : float, optional
            Default: 0.5 of a blend, 1 in the other modes.
        reverse, threshold, two_sided, mode, tiles, split, divider, period_s, visible
            As the traits of `Overlay`.
        affine : array_like of shape (4, 4), optional
            Where the source lies, as for `Viewer`: an array of another grid, for example.
        connection : str
            OpenVDS connection string for remote volumes.
        timeout_s : float

        Raises
        ------
        StateError
            The grids do not fit or have no part in common, the name is taken, there are too many,
            a setting is out of range; nothing is changed.
        VolumeNotFoundError, VolumeAccessError, VolumeFormatError
            The volume cannot be read, or holds labels.
        """
        info = self.info
        at = channel_of(channel, info if source is None else None)
        name = checked_name(name or default_name(source, info, at, "overlay"))
        self._check_free(self._overlays, name, MAX_OVERLAYS, "overlay")
        fields: dict[str, Any] = {
            "name": name,
            "visible": visible,
            "opacity": (0.5 if mode == "blend" else 1.0) if opacity is None else opacity,
            "reverse": reverse,
            "threshold": threshold,
            "two_sided": two_sided,
            "mode": mode,
            "tiles": tiles,
            "split": split,
            "divider": divider,
            "period_s": period_s,
        }
        fit: tuple[Literal["range", "colormap"], ...] = ()
        if window is None and level is None:
            fit = ("range",)
        else:
            fields |= {"window": window, "level": level}
        if colormap is None:
            fit = (*fit, "colormap")
        else:
            fields["colormap"], is_reversed = self._name_map(colormap)
            fields["reverse"] = reverse or is_reversed
        (look,) = checked_overlays([fields])
        ref, segment = layer_ref(source, info, connection, affine, is_label=False)
        asked = SegmentationSource(name, ref, at, "values")
        with self._laying(name, segment):
            question = ll.AddOverlay(session=self._session, source=asked, look=look, fit=fit)
            found = self._ask_for(question, timeout_s)
            return self._overlay(fitted(look, found.channel, info.kind, fit), found)

    def remove_overlay(self, name: str) -> None:
        """Take an overlay away again.

        Raises
        ------
        StateError
            There is none of this name.
        """
        self._remove_layer(self._overlays, name)

    def _overlay(self, look: OverlayLook, info: SegmentationInfo) -> Overlay:
        item = Overlay(
            look,
            info,
            post=lambda _look: self._post_overlays(),
            refresh=lambda: self._refresh_layer(look.name),
            name_map=self._name_map,
        )
        self._overlays.put(item)
        return item

    def _post_overlays(self) -> None:
        # All of them: one that this kernel has added is in the state, though maybe not yet here.
        self._post({"overlays": tuple(item.look for item in self._overlays.values())})
