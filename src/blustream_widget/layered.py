"""How a viewer has labels and overlays opened over its slices: a part of `Viewer`."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.errors import (
    BlustreamError,
    ConfigError,
    StateError,
    VolumeFormatError,
    WorkerError,
    from_code,
)
from blustream_widget.label_desk import EditDesk
from blustream_widget.layer_items import LayerItem, LayerItems
from blustream_widget.overlays import Overlay
from blustream_widget.segmentations import Segmentation
from blustream_widget.source_arg import volume_ref
from blustream_widget.view_traits import ViewTraits

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo, VolumeRef
    from blustream_widget.server_link import Link
    from blustream_widget.shared import SharedSegment

_Question: TypeAlias = ll.AddSegmentation | ll.AddOverlay | ll.CountLabels


class _Answer:
    """What becomes of something that was asked for."""

    def __init__(self) -> None:
        self.is_here = threading.Event()
        self.result: SegmentationInfo | BlustreamError | None = None

    def put(self, result: SegmentationInfo | BlustreamError) -> None:
        self.result = result
        self.is_here.set()


class Layered(ViewTraits):
    """The part of `Viewer` that segmentations and overlays share."""

    _link: Link
    _ref: VolumeRef
    # Here as well, because ipywidgets closes what was not even made completely.
    _layer_segments: dict[str, SharedSegment] | None = None

    if TYPE_CHECKING:

        @property
        def info(self) -> VolumeInfo: ...
        def _current(self) -> ViewState: ...
        def _post(self, patch: dict[str, Any]) -> None: ...

    def _start_layers(self) -> None:
        self._segmentations: LayerItems[Segmentation] = LayerItems("segmentation")
        self._overlays: LayerItems[Overlay] = LayerItems("overlay")
        self._layer_segments = {}
        self._desk: EditDesk | None = None
        self._answers: dict[str, _Answer] = {}
        # What is not answered yet: a server that takes another's place is asked again.
        self._asked: dict[str, _Question] = {}

    def _check_free(self, items: LayerItems[Any], name: str, most: int, word: str) -> None:
        """Refuse a name that is taken, and more than there may be."""
        for kind, taken in (("segmentation", self._segmentations), ("overlay", self._overlays)):
            if name in taken:
                raise StateError(
                    f"There is {'an' if kind == 'overlay' else 'a'} {kind} {name!r} already.",
                    hint="Remove it first, or give another name.",
                )
        if len(items) >= most:
            raise StateError(
                f"There are {most} {word}s; no more are shown.",
                hint="Remove one that is not needed any more.",
            )

    def _remove_layer(self, items: LayerItems[Any], name: str) -> None:
        if name not in items:
            raise items.unknown(name)
        items.drop(name)
        self._link.remove_segmentation(self._session, name)
        segment = (self._layer_segments or {}).pop(name, None)
        if segment is not None:
            segment.close()

    def _ask_for(
        self, question: ll.AddSegmentation | ll.AddOverlay, timeout_s: float
    ) -> SegmentationInfo:
        """Ask for labels or values, and wait until they are open."""
        source = question.source
        answer = self._answers[source.name] = _Answer()
        try:
            self._ask(source.name, question)
            answer.is_here.wait(timeout_s)
        finally:
            del self._answers[source.name]
            self._asked.pop(source.name, None)
        if isinstance(answer.result, SegmentationInfo):
            self._link.keep_segmentation(self._session, source)
            return answer.result
        raise answer.result or WorkerError(
            f"The {source.kind} of {source.name!r} did not open within {timeout_s:g} s.",
            hint="Give a longer timeout_s, or see the log in the server's runtime folder.",
        )

    def _ask(self, name: str, question: _Question) -> None:
        self._asked[name] = question
        self._link.tell(question)

    def _refresh_layer(self, name: str) -> None:
        segment = (self._layer_segments or {}).get(name)
        if segment is None:
            raise StateError(
                f"{name!r} was not made from an array.",
                hint="refresh() is for arrays; add a file again after it has changed.",
            )
        segment.copy()
        self._link.order(ll.RefreshSegmentation(session=self._session, name=name))

    @contextlib.contextmanager
    def _laying(self, name: str, segment: SharedSegment | None) -> Iterator[None]:
        """Add something in the block; if that fails, nothing is changed."""
        try:
            yield
        except BaseException:  # also Ctrl+C while it opens
            self._give_up(name, segment)
            raise
        if segment is not None and self._layer_segments is not None:
            self._layer_segments[name] = segment

    def _give_up(self, name: str, segment: SharedSegment | None) -> None:
        """Undo what was begun for something that does not come."""
        self._link.remove_segmentation(self._session, name)
        self._segmentations.drop(name)
        self._overlays.drop(name)
        if segment is not None:
            segment.close()

    def _follow_layers(self, state: ViewState) -> None:
        for look in state.segmentations:
            if look.name in self._segmentations:
                self._segmentations[look.name].follow(look)
        for overlay in state.overlays:
            if overlay.name in self._overlays:
                self._overlays[overlay.name].follow(overlay)

    def _close_layers(self) -> None:
        for segment in (self._layer_segments or {}).values():
            segment.close()

    # -------------------------------------------------- link thread

    def _hear_layers(self, message: lp.ToKernel) -> None:
        if self._desk is not None:
            self._desk.hear(message)
        if isinstance(message, lp.SessionOpened):
            for question in tuple(self._asked.values()):
                self._link.tell(question)
        elif isinstance(message, ll.SegmentationOpened):
            info, asked = message.info, self._asked.get(message.info.name)
            is_answer = isinstance(asked, ll.CountLabels) and info.values_of == asked.channel
            if is_answer and info.is_counted:
                del self._asked[info.name]
            self._tell_layer(info.name, info)
        elif isinstance(message, ll.SegmentationFailed):
            error = from_code(message.code, message.message, message.hint)
            self._asked.pop(message.name, None)
            self._tell_layer(message.name, error)

    def _tell_layer(self, name: str, news: SegmentationInfo | BlustreamError) -> None:
        answer = self._answers.get(name)
        if answer is not None:
            answer.put(news)
            return
        for item in self._layers_of(name):
            item.hear(news)

    def _layers_of(self, name: str) -> Iterator[LayerItem[Any]]:
        if name in self._segmentations:
            yield self._segmentations[name]
        if name in self._overlays:
            yield self._overlays[name]


def channel_of(channel: Any, shown: VolumeInfo | None) -> int:
    """Find a channel of the shown volume, or (None) of another one, which only has numbers.

    A name may differ in upper and lower case, where just one channel is meant then.

    Raises
    ------
    StateError
    """
    if shown is None:
        is_number = isinstance(channel, int) and not isinstance(channel, bool)
        if channel is None or (is_number and 0 <= channel <= 4095):
            return int(channel or 0)
        raise StateError(f"channel = {channel!r} is not a number.", hint="For example channel=0.")
    names = [one.name for one in shown.channels]
    known = f"There are: {', '.join(names)}."
    if channel is None:
        raise StateError("Nothing was given.", hint="Give an array, a file, or channel=….")
    if isinstance(channel, str):
        same = [n for n, name in enumerate(names) if name == channel]
        alike = [n for n, name in enumerate(names) if name.casefold() == channel.casefold()]
        if same or len(alike) == 1:
            return (same or alike)[0]
        raise StateError(f"{shown.name} has no channel {channel!r}.", hint=known)
    is_number = isinstance(channel, int) and not isinstance(channel, bool)
    if not is_number or not 0 <= channel < len(names):
        raise StateError(f"{shown.name} has no channel {channel!r}.", hint=known)
    return int(channel)


def default_name(source: Any, info: VolumeInfo, channel: int, array_name: str) -> str:
    """Name of what was given: the channel's, the file's, or `array_name`."""
    if source is None:
        return info.channels[channel].name
    if isinstance(source, (str, os.PathLike)):
        return Path(os.fspath(source)).name.split(".")[0][:64] or array_name
    return array_name


def layer_ref(
    source: Any, info: VolumeInfo, connection: str, affine: Any, *, is_label: bool
) -> tuple[VolumeRef | None, SharedSegment | None]:
    """Check what lies over the volume `info`, and make it a reference that a worker can open.

    Raises
    ------
    StateError
        An array of another shape without an affine.
    VolumeFormatError
        An array of anything but real numbers; of labels, of anything but whole ones.
    VolumeNotFoundError, VolumeAccessError
    ConfigError
        An affine that is none, or of a channel.
    """
    if source is None:
        if affine is not None:
            raise ConfigError("A channel lies where its volume lies.", hint="Give no affine.")
        return None, None
    if not isinstance(source, (str, os.PathLike)):
        try:
            source = np.asarray(source)
        except (TypeError, ValueError, RuntimeError) as exc:  # RuntimeError: a tensor on a GPU
            raise VolumeFormatError(
                f"A {type(source).__name__} cannot be read as an array: {exc}.",
                hint="Give a NumPy array of numbers.",
            ) from exc
        if is_label and source.dtype.kind not in "uib":
            raise VolumeFormatError(
                f"Labels are whole numbers; this array is of {source.dtype}.",
                hint="For example labels.astype('uint8').",
            )
        if affine is None and source.shape[-3:] != info.shape:
            raise StateError(
                f"The array has the shape {source.shape}, {info.name} has {info.shape}.",
                hint="Give one value for each voxel, or say by affine= where the array lies.",
            )
    kind = None if affine is None else info.kind
    return volume_ref(source, connection=connection, affine=affine, kind=kind)
