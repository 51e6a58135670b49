"""Labels and values over the shown volume: their sources, slices beside its own, labels' counts.

A source is opened and counted in a thread of its own: the picture never waits for it, and shows it
from when it is there.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import msgspec

from blustream_widget.config import Config
from blustream_widget.core.label_edit import ValueRange
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    SegmentationLook,
    SegmentationSource,
)
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import SliceData
from blustream_widget.core.worker_protocol import (
    AddSegmentation,
    BricksEdited,
    CancelEdit,
    CountLabels,
    EditBricks,
    EditFailed,
    EditProgress,
    OfEdits,
    OfSegmentations,
    PutBricks,
    RefreshSegmentation,
    RemoveSegmentation,
    RevertBricks,
    SegmentationFailed,
    SegmentationOpened,
)
from blustream_widget.data import Region, SliceReader, VolumeSource
from blustream_widget.data.edited_labels import touched_keys
from blustream_widget.data.label_counts import level_to_count
from blustream_widget.data.source import DirectSource
from blustream_widget.errors import BlustreamError, PeerClosedError, StateError, VolumeFormatError
from blustream_widget.render.layers import LayerView, Overlay, plan_labels, plan_values
from blustream_widget.render.section_layers import plan_on_section
from blustream_widget.render.view import SliceView
from blustream_widget.runtime import start_thread
from blustream_widget.worker.label_counting import LabelCounting
from blustream_widget.worker.label_editing import Edited, LabelEditor, Laid
from blustream_widget.worker.layer_sources import Layer, OpenVolume, open_layer
from blustream_widget.worker.sink import Sink
from blustream_widget.worker.under_pointer import UnderPointer, under_pointer

logger = logging.getLogger(__name__)

# Of the budget of decoded bricks, for each other volume that is read by bricks.
_SHARE = 16
# Seats of the shown volume's reader from which on its channels sit: behind every pane's.
_FIRST_SEAT = 100
# Seats of another volume's reader for the second of two slices that the shown one lies between.
_BEYOND_SEAT = 1000


# What is edited or counted is seen when that is done.
_SEEN_AT_ONCE = (AddSegmentation, RemoveSegmentation, RefreshSegmentation)


class Segmentations:
    """All labels and overlays of a pipeline.

    Parameters
    ----------
    config : Config
    sink : Sink
        Hears what was opened and counted, from any thread.
    open_volume : callable
        Opens what a reference names.
    wake : callable
        Has the render thread look again; called from any thread.

    Notes
    -----
    One thread, the render thread, calls everything.
    """

    def __init__(
        self, config: Config, sink: Sink, open_volume: OpenVolume, wake: Callable[[], None]
    ) -> None:
        self._config = config
        self._sink = sink
        self._open_volume = open_volume
        self._wake = wake
        self._source: VolumeSource | None = None
        self._reader: SliceReader | None = None
        self._budget_bytes = 0
        self._wanted: dict[str, SegmentationSource] = {}
        # Channels to be counted under labels that are not open yet.
        self._to_count: dict[str, int] = {}
        self._open: dict[str, Layer] = {}
        self._arrived: queue.SimpleQueue[tuple[SegmentationSource, Layer]] = queue.SimpleQueue()
        # Edits of labels that are not open yet.
        self._to_edit: dict[str, list[OfEdits]] = {}
        self._editor = LabelEditor(wake, self._tell)
        self._counter = LabelCounting(sink)
        self._drawn: dict[int, tuple[Overlay, ...]] = {}
        self._is_closed = threading.Event()

    def start(self, source: VolumeSource, reader: SliceReader, budget_bytes: int) -> None:
        """Say what the labels lie over, and the memory that all bricks together may take."""
        self._source, self._reader, self._budget_bytes = source, reader, budget_bytes

    def take(self, messages: Iterable[OfSegmentations]) -> bool:
        """Do what the server wants of labels; say whether the picture is another one at once."""
        is_seen = False
        for message in messages:
            is_seen = is_seen or isinstance(message, _SEEN_AT_ONCE)
            match message:
                case AddSegmentation(source=source):
                    self._add(source)
                case RemoveSegmentation(name=name):
                    self._wanted.pop(name, None)
                    self._to_count.pop(name, None)
                    self._to_edit.pop(name, None)
                    self._drop(name)
                case RefreshSegmentation(name=name):
                    self._refresh(name)
                case CountLabels(name=name, channel=channel):
                    self._count_again(name, channel)
                case EditBricks() | RevertBricks() | PutBricks():
                    self._edit(message)
                case CancelEdit(n=n):
                    self._editor.cancel(n)
        return is_seen

    def settle_edits(self) -> int | None:
        """Take over what was edited meanwhile.

        Returns
        -------
        int or None
            How many bricks of a pane's slice are others, at most; None where nothing was edited.
        """
        n_bricks: int | None = None
        for done in self._editor.finished():
            if isinstance(done, Laid):
                self._take_laid(done)
                n_bricks = (n_bricks or 0) + self._n_shown(done)
            else:
                self._take_edited(done)
        return n_bricks

    def settle(self) -> bool:
        """Take over what was opened meanwhile; say whether something was."""
        is_news = False
        while True:
            try:
                asked, labels = self._arrived.get_nowait()
            except queue.Empty:
                return is_news
            if self._wanted.get(asked.name) is not asked:
                labels.close()  # replaced or removed before it was open
                continue
            self._drop(asked.name)
            labels.reader = self._reader_of(labels)
            self._open[asked.name] = labels
            self._share_budget()
            if labels.is_label:
                self._count(labels, None)
            if asked.name in self._to_count:
                self._count_again(asked.name, self._to_count.pop(asked.name))
            for message in self._to_edit.pop(asked.name, ()):
                self._edit(message)
            is_news = True

    def seat(self, panes: Sequence[int], state: ViewState) -> tuple[int, ...]:
        """Say which panes are looked at; gives the seats of the shown volume's reader for channels.

        A seat stays while what has it is hidden, so that it comes back without being read.
        """
        seats: list[int] = []
        self._drawn = {index: drawn for index, drawn in self._drawn.items() if index in panes}
        for place, look in _looks(state):
            layer = self._open.get(look.name)
            if layer is None or layer.reader is None or self._source is None:
                continue
            layer.follow(self._source.info, state.time_idx)
            if layer.is_shared:
                seats.extend(_seat(place, index) for index in panes)
            elif layer.is_label or layer.alignment.is_same_grid:
                layer.reader.seat(panes)
            else:
                layer.reader.seat((*panes, *(_BEYOND_SEAT + index for index in panes)))
        return tuple(seats)

    def read(
        self, index: int, state: ViewState, view: SliceView, off: Collection[str] = ()
    ) -> tuple[tuple[Overlay, ...], bool]:
        """Read what lies over a pane's slice as far as it is in memory, and ask for the rest.

        Parameters
        ----------
        index : int
            Of the pane.
        state : ViewState
            Of that pane alone.
        view : SliceView
            What of the shown volume is read for it.
        off : collection of str
            Names of overlays that are read, but not shown now: they blink.

        Returns
        -------
        overlays : tuple of Overlay
            The lowest first.
        is_complete : bool
            All that is open is here, as fine as `view` is.
        """
        overlays, is_complete = [], True
        for place, look in _looks(state):
            layer = self._open.get(look.name)
            if layer is None or layer.reader is None or not _is_wanted(state, look):
                continue
            planned = _plan(layer, view, is_smooth=state.interpolate)
            if planned is None:
                continue
            seat = _seat(place, index) if layer.is_shared else index
            found = _read_layer(layer.reader, planned, look, seat)
            if look.name not in off and _is_begun(found, layer.source.info.n_lods):
                overlays.append(found)
            is_complete = is_complete and _is_whole(found)
        self._drawn[index] = tuple(overlays)
        return self._drawn[index], is_complete

    def draw(self) -> None:
        """Take note that a picture was drawn of what was read."""
        self._editor.draw()

    def under_pointer(self, voxel: tuple[int, int, int]) -> UnderPointer:
        """Find what is drawn over a voxel of the shown volume."""
        return under_pointer((one for drawn in self._drawn.values() for one in drawn), voxel)

    def refresh_channels(self) -> None:
        """Count labels that are channels of the shown volume again: it has changed."""
        for labels in self._open.values():
            if labels.opened is None and labels.is_label:
                self._count(labels, None)

    def close(self) -> None:
        """Close everything. May be called twice."""
        self._is_closed.set()
        self._editor.close()
        self._wanted.clear()
        for name in list(self._open):
            self._drop(name)
        self.settle()

    # ------------------------------------------------------------ opening and closing

    def _add(self, asked: SegmentationSource) -> None:
        self._wanted[asked.name] = asked
        start_thread(lambda: self._open_beside(asked), name="blustream-labels")

    def _open_beside(self, asked: SegmentationSource) -> None:
        """Open labels; a thread of its own."""
        assert self._source is not None
        try:
            labels = open_layer(asked, self._source, self._open_volume, self._config)
        except BlustreamError as exc:
            self._fail(asked.name, exc)
            return
        except Exception as exc:
            # A reader that fails in a way nobody foresaw must not look like labels that never come.
            logger.exception("Opening labels failed")
            name = type(exc).__name__
            what = f"The {asked.kind} of {asked.name!r} cannot be opened: {name}."
            self._fail(asked.name, VolumeFormatError(what))
            return
        # Told before the render thread has them: what it counts must not be told of earlier.
        with contextlib.suppress(PeerClosedError):  # the render thread notices and ends
            self._sink.send(SegmentationOpened(labels.info))
        self._arrived.put((asked, labels))
        if self._is_closed.is_set():
            labels.close()
            return
        self._wake()

    def _reader_of(self, labels: Layer) -> SliceReader:
        if labels.is_shared:
            assert self._reader is not None
            return self._reader
        return SliceReader(
            labels.edited, budget_bytes=self._budget_bytes // _SHARE, on_data=self._wake
        )

    def _share_budget(self) -> None:
        """Leave the shown volume what the label volumes do not need; arrays need nothing."""
        assert self._reader is not None
        n = sum(
            not labels.is_shared and not isinstance(labels.source, DirectSource)
            for labels in self._open.values()
        )
        self._reader.limit(self._budget_bytes - n * (self._budget_bytes // _SHARE))

    def _drop(self, name: str) -> None:
        labels = self._open.pop(name, None)
        if labels is not None:
            labels.counts.cancelled.set()
            labels.close()
            if not self._is_closed.is_set():
                self._share_budget()

    def _refresh(self, name: str) -> None:
        labels = self._open.get(name)
        if labels is None or labels.opened is None or labels.reader is None:
            return
        labels.reader.refresh()
        if labels.is_label:
            self._count(labels, labels.info.values_of)

    def _fail(self, name: str, exc: BlustreamError, *, are_open: bool = False) -> None:
        with contextlib.suppress(PeerClosedError):
            self._sink.send(
                SegmentationFailed(name, exc.code, exc.message, exc.hint, are_open=are_open)
            )

    # ------------------------------------------------------------ counting

    def _count_again(self, name: str, channel: int) -> None:
        labels = self._open.get(name)
        shown = self._source
        if labels is None and name in self._wanted:
            self._to_count[name] = channel
        elif labels is None or shown is None:
            self._fail(name, StateError(f"There is no segmentation {name!r}."), are_open=True)
        elif not labels.alignment.is_same_grid or level_to_count(labels.source) > 0:
            error = StateError(
                f"Values under the labels of {name!r} are not known: "
                + (
                    "they lie on another grid."
                    if not labels.alignment.is_same_grid
                    else "there are too many voxels."
                ),
                hint="statistics(channel=None) gives counts and volumes.",
            )
            self._fail(name, error, are_open=True)
        else:
            self._count(labels, channel)

    def _count(self, labels: Layer, channel: int | None) -> None:
        assert self._source is not None
        self._counter.count(labels, self._source, channel)

    # ------------------------------------------------------------ editing

    def _edit(self, message: OfEdits) -> None:
        labels = self._open.get(message.name)
        if labels is not None and labels.editable is not None:
            self._editor.take(labels.editable, self._at_shown_time(message, labels))
        elif labels is None and message.name in self._wanted:
            self._to_edit.setdefault(message.name, []).append(message)
        else:
            error = StateError(f"There is no segmentation {message.name!r}.")
            if labels is not None:
                error = StateError(
                    f"The labels of {message.name!r} are a series, which cannot be edited.",
                    hint="Edit labels of one step: a volume with three axes.",
                )
            self._tell(EditFailed(message.name, message.n, error.code, error.message, error.hint))

    def _tell(self, answer: BricksEdited | EditFailed | EditProgress) -> None:
        with contextlib.suppress(PeerClosedError):
            self._sink.send(answer)

    def _at_shown_time(self, message: OfEdits, labels: Layer) -> OfEdits:
        """Have an edit that looks at values look at those of the shown step."""
        within: ValueRange | None = getattr(getattr(message, "edit", None), "within", None)
        if not isinstance(message, EditBricks) or within is None or self._source is None:
            return message
        info = self._source.info
        if within.channel >= len(info.channels):
            return message
        channel = info.at_time(within.channel, labels.shown_time_idx)
        edit = msgspec.structs.replace(
            message.edit, within=msgspec.structs.replace(within, channel=channel)
        )
        return msgspec.structs.replace(message, edit=edit)

    def _take_laid(self, done: Laid) -> None:
        """Have what was edited read for the next picture, and say that pictures show it now."""
        labels = self._open.get(done.target.name)
        if labels is not None and labels.editable is done.target:
            if labels.is_shared:
                # The shown volume stays as it is: these labels are read apart from now on.
                labels.is_shared = False
                labels.reader = self._reader_of(labels)
                self._share_budget()
            assert labels.reader is not None
            info = labels.source.info
            # Slices of what lies in memory are cut without coarser bricks.
            n_lods = 1 if isinstance(labels.edited, DirectSource) else info.n_lods
            keys = touched_keys(labels.channel, done.bricks, n_lods=n_lods)
            labels.reader.change(keys)
        if done.n:
            self._tell(BricksEdited(done.target.name, done.n, 0, (), more=True))

    def _n_shown(self, done: Laid) -> int:
        """How many of the bricks a slice goes through, of the pane with the most."""
        size = done.target.labels.info.brick_size
        most = 0
        for over in (one for drawn in self._drawn.values() for one in drawn):
            view = over.view
            if over.look.name != done.target.name:
                continue
            if view.section is not None:
                return len(done.bricks)
            layer = view.slice_idx // size
            most = max(most, sum(brick[view.axis] == layer for brick in done.bricks))
        return most

    def _take_edited(self, done: Edited) -> None:
        """Count what was edited, and answer."""
        labels = self._open.get(done.target.name)
        if labels is not None and labels.editable is done.target and done.n_edits:
            assert self._source is not None
            self._counter.take_edited(labels, self._source, done)
        for answer in done.answers:
            self._tell(answer)


def _looks(state: ViewState) -> Iterator[tuple[int, OverlayLook | SegmentationLook]]:
    """Everything over the slices, the lowest first, each with a place of its own."""
    yield from enumerate(state.overlays, start=MAX_SEGMENTATIONS)
    yield from enumerate(state.segmentations)


def _is_wanted(state: ViewState, look: OverlayLook | SegmentationLook) -> bool:
    if isinstance(look, OverlayLook):
        return state.show_overlays and look.is_drawn
    return state.show_segmentations and look.visible


def _plan(layer: Layer, view: SliceView, *, is_smooth: bool) -> LayerView | None:
    of = (view, layer.alignment, layer.source.info, layer.source_channel)
    if view.section is not None:
        return plan_on_section(*of, is_smooth=is_smooth and not layer.is_label)
    return plan_labels(*of) if layer.is_label else plan_values(*of)


def _read_layer(
    reader: SliceReader, view: LayerView, look: OverlayLook | SegmentationLook, seat: int
) -> Overlay:
    def read(slice_idx: int, seat: int) -> SliceData:
        region = Region(*view.region)
        return reader.read(
            view.axis, slice_idx, view.channel, view.lod, region, seat=seat, section=view.section
        )

    data = read(view.slice_idx, seat)
    if view.beyond_idx is None:
        return Overlay(view, data, look)
    return Overlay(view, data, look, read(view.beyond_idx, _BEYOND_SEAT + seat))


def _is_begun(overlay: Overlay, n_lods: int) -> bool:
    """Whether something of values is here: until then they are no zeros. Labels may be."""
    slices = (overlay.data, overlay.beyond)
    return isinstance(overlay.look, SegmentationLook) or all(
        one is None or one.progress > 0 or one.coarsest_lod < n_lods for one in slices
    )


def _is_whole(overlay: Overlay) -> bool:
    return all(
        one is None or (one.progress >= 1 and one.coarsest_lod <= overlay.view.lod)
        for one in (overlay.data, overlay.beyond)
    )


def _seat(place: int, index: int) -> int:
    return _FIRST_SEAT * (place + 1) + index
