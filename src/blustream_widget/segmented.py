"""What a viewer can do with labels over its slices: a part of `Viewer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from blustream_widget._colors import check_label
from blustream_widget.core import link_labels as ll
from blustream_widget.core.looks import checked_name
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    NewDtype,
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
    Style,
    checked_looks,
    checked_new_labels,
    free_first_color,
)
from blustream_widget.errors import StateError
from blustream_widget.label_desk import EditDesk, LabelStore
from blustream_widget.layer_items import LayerItems
from blustream_widget.layered import Layered, channel_of, default_name, layer_ref
from blustream_widget.segmentations import Segmentation

if TYPE_CHECKING:
    from blustream_widget.core.palettes import LabelStyle
    from blustream_widget.shared import SharedSegment


class Segmented(Layered):
    """The part of `Viewer` that is about segmentations."""

    if TYPE_CHECKING:

        def _put(self, palette: LabelStyle) -> None: ...

    @property
    def segmentations(self) -> LayerItems[Segmentation]:
        """Labels over the slices by name; each has traits: ``["salt"].visible = False``."""
        return self._segmentations

    def add_segmentation(
        self,
        source: Any = None,
        name: str = "",
        *,
        channel: int | str | None = None,
        visible: bool = True,
        opacity: float = 0.5,
        style: Style = "fill",
        colors: dict[int, Any] | None = None,
        names: dict[int, str] | None = None,
        hidden: tuple[int, ...] = (),
        opacities: dict[int, float] | None = None,
        affine: Any = None,
        connection: str = "",
        timeout_s: float = 60.0,
    ) -> Segmentation:
        """Lay labels over the slices; waits until they are open, not until they are read.

        Parameters
        ----------
        source : str, path or array, optional
            A label volume as `Viewer` takes it: a VDS whose channel is marked as labels, NIfTI,
            .npy, or an array of whole numbers of the volume's shape. None: a channel of the shown
            volume. 0 is the background.
        name : str
            Key in `segmentations`; default: that of the channel or the file, or "labels".
        channel : int or str, optional
            Of the shown volume by name or number; of another volume by number, default 0.
        visible, opacity, style, colors, names, hidden, opacities
            As the traits of `Segmentation`.
        affine : array_like of shape (4, 4), optional
            Where the source lies, as for `Viewer`: an array of another grid, for example.
        connection : str
            OpenVDS connection string for remote volumes.
        timeout_s : float

        Raises
        ------
        StateError
            The grids do not fit, the name is taken, there are too many, or a label is unknown;
            nothing is changed.
        VolumeNotFoundError, VolumeAccessError, VolumeFormatError
            The labels cannot be read, or are none.
        """
        info = self.info
        at = channel_of(channel, info if source is None else None)
        name = checked_name(name or default_name(source, info, at, "labels"))
        self._check_free(self._segmentations, name, MAX_SEGMENTATIONS, "segmentation")
        (look,) = checked_looks(
            [
                {
                    "name": name,
                    "visible": visible,
                    "opacity": opacity,
                    "style": style,
                    "hidden": tuple(hidden),
                    "opacities": opacities or {},
                    "first_color": self._first_color(),
                }
            ]
        )
        ref, segment = layer_ref(source, info, connection, affine, is_label=True)
        asked = SegmentationSource(name, ref, at)
        return self._add(asked, look, colors, names, segment, timeout_s)

    def new_segmentation(
        self,
        name: str,
        names: dict[int, str] | None = None,
        *,
        dtype: NewDtype = "uint8",
        visible: bool = True,
        opacity: float = 0.5,
        style: Style = "fill",
        colors: dict[int, Any] | None = None,
        timeout_s: float = 60.0,
    ) -> Segmentation:
        """Lay labels over the slices that nobody has painted yet; they take no memory until then.

        Parameters
        ----------
        name : str
            Key in `segmentations`.
        names : dict, optional
            Labels to paint with: {1: "salt", 2: "shale"}. Without: 1, then the next number.
        dtype : {"uint8", "uint16"}
        visible, opacity, style, colors
            As the traits of `Segmentation`.
        timeout_s : float

        Raises
        ------
        StateError
            The name is taken, there are too many, or a label does not fit the dtype.
        """
        self._check_free(self._segmentations, checked_name(name), MAX_SEGMENTATIONS, "segmentation")
        labels = checked_new_labels(names or {}, dtype)
        (look,) = checked_looks(
            [
                {
                    "name": name,
                    "visible": visible,
                    "opacity": opacity,
                    "style": style,
                    "first_color": self._first_color(),
                }
            ]
        )
        source = SegmentationSource(name, new=dtype, names=labels)
        return self._add(source, look, colors, None, None, timeout_s)

    def _add(
        self,
        source: SegmentationSource,
        look: SegmentationLook,
        colors: dict[int, Any] | None,
        names: dict[int, str] | None,
        segment: SharedSegment | None,
        timeout_s: float,
    ) -> Segmentation:
        with self._laying(source.name, segment):
            question = ll.AddSegmentation(session=self._session, source=source, look=look)
            info = self._ask_for(question, timeout_s)
            for label in (*look.hidden, *look.opacities):
                check_label(label, [info.channel])
            item = self._made(look, info, source)
            item.set_trait("colors", dict(colors or {}))
            item.set_trait("names", dict(names or {}))
        return item

    def _first_color(self) -> int:
        """Two segmentations must not have the same colour for label 1."""
        return free_first_color(item.look for item in self._segmentations.values())

    def remove_segmentation(self, name: str) -> None:
        """Take labels away again.

        Raises
        ------
        StateError
            There are none of this name.
        """
        self._remove_layer(self._segmentations, name)

    def _made(
        self, look: SegmentationLook, info: SegmentationInfo, source: SegmentationSource
    ) -> Segmentation:
        if self._desk is None:
            self._desk = EditDesk(self._session, self._link.tell, self._link.order)
        item = Segmentation(
            look,
            info,
            post=lambda _look: self._post_looks(),
            put=self._put,
            count=lambda channel: self._count_labels(look.name, channel),
            refresh=lambda: self._refresh_layer(look.name),
            desk=self._desk,
            store=LabelStore(source, lambda: self.info, self._ref),
        )
        self._segmentations.put(item)
        return item

    def _post_looks(self) -> None:
        # All of them: one that this kernel has added is in the state, though maybe not yet here.
        self._post({"segmentations": tuple(item.look for item in self._segmentations.values())})

    def _count_labels(self, name: str, channel: int) -> None:
        if not 0 <= channel < len(self.info.channels):
            raise StateError(f"There is no channel {channel}.")
        self._ask(name, ll.CountLabels(session=self._session, name=name, channel=channel))
