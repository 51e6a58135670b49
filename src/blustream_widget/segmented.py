"""What a viewer can do with labels over its slices: a part of `Viewer`."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
    Style,
    checked_looks,
    checked_name,
)
from blustream_widget.errors import (
    BlustreamError,
    StateError,
    VolumeFormatError,
    WorkerError,
    from_code,
)
from blustream_widget.segmentations import Segmentation, Segmentations, unknown
from blustream_widget.source_arg import volume_ref
from blustream_widget.view_traits import ViewTraits

if TYPE_CHECKING:
    from blustream_widget.core.palettes import LabelStyle
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo, VolumeRef
    from blustream_widget.server_link import Link
    from blustream_widget.shared import SharedSegment


class _Answer:
    """What becomes of labels that were asked for."""

    def __init__(self) -> None:
        self.is_here = threading.Event()
        self.result: SegmentationInfo | BlustreamError | None = None

    def put(self, result: SegmentationInfo | BlustreamError) -> None:
        self.result = result
        self.is_here.set()


class Segmented(ViewTraits):
    """The part of `Viewer` that is about segmentations."""

    _link: Link
    # Here as well, because ipywidgets closes what was not even made completely.
    _label_segments: dict[str, SharedSegment] | None = None

    if TYPE_CHECKING:

        @property
        def info(self) -> VolumeInfo: ...
        def _current(self) -> ViewState: ...
        def _post(self, patch: dict[str, Any]) -> None: ...
        def _put(self, palette: LabelStyle) -> None: ...

    def _start_segmentations(self) -> None:
        self._segmentations = Segmentations()
        self._label_segments = {}
        self._answers: dict[str, _Answer] = {}
        # What is not answered yet: a server that takes another's place is asked again.
        self._asked: dict[str, lp.AddSegmentation | lp.CountLabels] = {}

    @property
    def segmentations(self) -> Segmentations:
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
        visible, opacity, style, colors, names, hidden
            As the traits of `Segmentation`.
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
        at = _channel_of(channel, info if source is None else None)
        name = checked_name(name or _default_name(source, info, at))
        if name in self._segmentations:
            raise StateError(
                f"There is a segmentation {name!r} already.",
                hint="Remove it first, or give another name.",
            )
        if len(self._segmentations) >= MAX_SEGMENTATIONS:
            raise StateError(
                f"There are {MAX_SEGMENTATIONS} segmentations; no more are shown.",
                hint="Remove one that is not needed any more.",
            )
        (look,) = checked_looks(
            [
                {
                    "name": name,
                    "visible": visible,
                    "opacity": opacity,
                    "style": style,
                    "hidden": tuple(hidden),
                }
            ]
        )
        ref, segment = _label_ref(source, info, connection)
        try:
            found = self._ask_for(SegmentationSource(name, ref, at), look, timeout_s)
            item = self._made(look, found)
            item.set_trait("colors", dict(colors or {}))
            item.set_trait("names", dict(names or {}))
        except BaseException:  # also Ctrl+C while they open: nothing is changed
            self._link.remove_segmentation(self._session, name)
            self._segmentations.drop(name)
            if segment is not None:
                segment.close()
            raise
        if segment is not None and self._label_segments is not None:
            self._label_segments[name] = segment
        return item

    def remove_segmentation(self, name: str) -> None:
        """Take labels away again.

        Raises
        ------
        StateError
            There are none of this name.
        """
        if name not in self._segmentations:
            raise unknown(name, self._segmentations)
        self._segmentations.drop(name)
        self._link.remove_segmentation(self._session, name)
        segment = (self._label_segments or {}).pop(name, None)
        if segment is not None:
            segment.close()

    def _ask_for(
        self, source: SegmentationSource, look: SegmentationLook, timeout_s: float
    ) -> SegmentationInfo:
        answer = self._answers[source.name] = _Answer()
        try:
            self._ask(
                source.name, lp.AddSegmentation(session=self._session, source=source, look=look)
            )
            answer.is_here.wait(timeout_s)
        finally:
            del self._answers[source.name]
            self._asked.pop(source.name, None)
        if isinstance(answer.result, SegmentationInfo):
            self._link.keep_segmentation(self._session, source)
            return answer.result
        raise answer.result or WorkerError(
            f"The labels {source.name!r} did not open within {timeout_s:g} s.",
            hint="Give a longer timeout_s, or see the log in the server's runtime folder.",
        )

    def _made(self, look: SegmentationLook, info: SegmentationInfo) -> Segmentation:
        item = Segmentation(
            look,
            info,
            post=lambda _look: self._post_looks(),
            put=self._put,
            count=lambda channel: self._count_labels(look.name, channel),
            refresh=lambda: self._refresh_labels(look.name),
        )
        self._segmentations.put(item)
        return item

    def _post_looks(self) -> None:
        # All of them: one that this kernel has added is in the state, though maybe not yet here.
        self._post({"segmentations": tuple(item.look for item in self._segmentations.values())})

    def _count_labels(self, name: str, channel: int) -> None:
        if not 0 <= channel < len(self.info.channels):
            raise StateError(f"There is no channel {channel}.")
        self._ask(name, lp.CountLabels(session=self._session, name=name, channel=channel))

    def _ask(self, name: str, question: lp.AddSegmentation | lp.CountLabels) -> None:
        self._asked[name] = question
        self._link.tell(question)

    def _refresh_labels(self, name: str) -> None:
        segment = (self._label_segments or {}).get(name)
        if segment is None:
            raise StateError(
                f"The segmentation {name!r} was not made from an array.",
                hint="refresh() is for arrays; add a file again after it has changed.",
            )
        segment.copy()
        self._link.tell(lp.RefreshSegmentation(session=self._session, name=name))

    def _follow_segmentations(self, state: ViewState) -> None:
        for look in state.segmentations:
            if look.name in self._segmentations:
                self._segmentations[look.name].follow(look)

    def _close_segmentations(self) -> None:
        for segment in (self._label_segments or {}).values():
            segment.close()

    # -------------------------------------------------- link thread

    def _hear_segmentations(self, message: lp.ToKernel) -> None:
        if isinstance(message, lp.SessionOpened):
            for question in tuple(self._asked.values()):
                self._link.tell(question)
        elif isinstance(message, lp.SegmentationOpened):
            asked = self._asked.get(message.info.name)
            if isinstance(asked, lp.CountLabels) and message.info.values_of == asked.channel:
                del self._asked[message.info.name]
            self._tell_labels(message.info.name, message.info)
        elif isinstance(message, lp.SegmentationFailed):
            error = from_code(message.code, message.message, message.hint)
            self._asked.pop(message.name, None)
            self._tell_labels(message.name, error)

    def _tell_labels(self, name: str, news: SegmentationInfo | BlustreamError) -> None:
        answer = self._answers.get(name)
        if answer is not None:
            answer.put(news)
        elif name in self._segmentations:
            self._segmentations[name].hear(news)


def _channel_of(channel: Any, shown: VolumeInfo | None) -> int:
    """Find a channel of the shown volume, or (None) of another one, which only has numbers."""
    if shown is None:
        if channel is None or (isinstance(channel, int) and channel >= 0):
            return int(channel or 0)
        raise StateError(f"channel = {channel!r} is not a number.", hint="For example channel=0.")
    names = [one.name for one in shown.channels]
    known = f"There are: {', '.join(names)}."
    if channel is None:
        raise StateError("No labels were given.", hint="Give an array, a file, or channel=….")
    if channel in names:
        return names.index(channel)
    is_number = isinstance(channel, int) and not isinstance(channel, bool)
    if not is_number or not 0 <= channel < len(names):
        raise StateError(f"{shown.name} has no channel {channel!r}.", hint=known)
    return int(channel)


def _default_name(source: Any, info: VolumeInfo, channel: int) -> str:
    if source is None:
        return info.channels[channel].name
    if isinstance(source, (str, os.PathLike)):
        return Path(os.fspath(source)).name.split(".")[0][:64] or "labels"
    return "labels"


def _label_ref(
    source: Any, info: VolumeInfo, connection: str
) -> tuple[VolumeRef | None, SharedSegment | None]:
    if source is None:
        return None, None
    if not isinstance(source, (str, os.PathLike)):
        try:
            source = np.asarray(source)
        except (TypeError, ValueError, RuntimeError) as exc:  # RuntimeError: a tensor on a GPU
            raise VolumeFormatError(
                f"A {type(source).__name__} cannot be read as an array: {exc}.",
                hint="Give a NumPy array of whole numbers.",
            ) from exc
        if source.dtype.kind not in "uib":
            raise VolumeFormatError(
                f"Labels are whole numbers; this array is of {source.dtype}.",
                hint="For example labels.astype('uint8').",
            )
        if source.shape != info.shape:
            raise StateError(
                f"The labels have the shape {source.shape}, {info.name} has {info.shape}.",
                hint="An array has one label for each voxel. Files may lie on another grid.",
            )
    return volume_ref(source, connection=connection)
