"""Tells the viewers which slices are in memory: seldom, and only news."""

from __future__ import annotations

from blustream_widget.core.types import LoadedSlices
from blustream_widget.core.worker_protocol import Loaded
from blustream_widget.data import Region, SliceReader
from blustream_widget.render.view import SliceView
from blustream_widget.worker.sink import Sink

INTERVAL_S = 0.25
"""A bar that fills need not be smoother, and the picture comes first."""


class LoadedMarks:
    """Looks at the cache while somebody looks at the picture; one thread.

    Parameters
    ----------
    sink : Sink
        Gets the slices.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._next_s = float("-inf")
        self._seen: tuple[object, ...] | None = None
        self._said: LoadedSlices | None = None

    def due_in_s(self, now: float, reader: SliceReader, view: SliceView) -> float | None:
        """Time until the cache is to be looked at; None: not before something changes."""
        if view.section is not None:
            return None  # no stack of slices
        if self._seen == _what(reader, view) and not reader.is_reading:
            return None
        return max(self._next_s - now, 0.0)

    def tell(self, now: float, reader: SliceReader, view: SliceView) -> None:
        """Say which slices of the view's stack are in memory, if that is due and news."""
        if self.due_in_s(now, reader, view) != 0:
            return
        self._next_s = now + INTERVAL_S
        what = _what(reader, view)
        if what == self._seen:
            return
        self._seen = what
        runs = reader.loaded(view.axis, view.source_channel, view.lod, Region(*view.region))
        slices = LoadedSlices(view.axis, view.channel, runs)
        if slices != self._said:
            self._said = slices
            self._sink.send(Loaded(slices))


def _what(reader: SliceReader, view: SliceView) -> tuple[object, ...]:
    """Everything that decides which slices are loaded."""
    return reader.n_changes, view.axis, view.source_channel, view.lod, view.region
