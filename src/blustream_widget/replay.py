"""Replay with data: what happened in a recording happens again in a viewer, at full quality."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core.annotation_messages import Edit, OrderedEdit, PutItem, RemoveItem
from blustream_widget.core.annotation_set import AnnotationSet
from blustream_widget.core.state import ViewState
from blustream_widget.errors import BlustreamError, RecordingError
from blustream_widget.runtime import start_thread

if TYPE_CHECKING:
    from blustream_widget.recordings import Recording
    from blustream_widget.viewer import Viewer

logger = logging.getLogger(__name__)

_TICK_S = 1 / 30
# What belongs to the page that looks now, and not to what was looked at.
_OF_THE_PAGE = frozenset({"revision", "width_px", "height_px", "pane_sizes"})
# Names of what lies over the slices: only what the viewer has as well.
_LAYERS = ("segmentations", "overlays")


class Replay:
    """A replay that runs; `Recording.replay` makes it.

    Parameters
    ----------
    recording : Recording
    viewer : Viewer
    speed : float
    annotations : bool
        Whether they are put into the viewer as well.
    clock : callable
        Monotonic seconds.

    Raises
    ------
    RecordingError
        The speed cannot be, or the recording has no states.
    """

    def __init__(
        self,
        recording: Recording,
        viewer: Viewer,
        *,
        speed: float = 1.0,
        annotations: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0.05 <= speed <= 100:
            raise RecordingError(f"speed={speed} cannot be.", hint="Give 0.05 to 100.")
        self._viewer = viewer
        self._speed = speed
        self._annotates = annotations
        self._clock = clock
        self._duration_s = recording.duration_s
        self._events = [e for e in recording.timeline if e["kind"] in ("state", "annotations")]
        if not any(event["kind"] == "state" for event in self._events):
            raise RecordingError("The recording says nothing of states.")
        self._fields: dict[str, Any] = {}  # Any: values that JSON knows
        self._items = AnnotationSet()
        self._t = 0.0
        self._refused: set[str] = set()
        self._ended = threading.Event()
        self._stopped = threading.Event()
        self._thread = start_thread(self._run, name="blustream-replay", on_error=self._died)

    @property
    def t(self) -> float:
        """Where it is, in seconds of the recording."""
        return self._t

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return not self._ended.is_set()

    @property
    def refused(self) -> frozenset[str]:
        """Fields of the view that the viewer's volume could not take, and that were left out."""
        return frozenset(self._refused)

    def stop(self) -> None:
        """End it where it is. May be called twice."""
        self._stopped.set()
        self._thread.join(10)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False if it did not come in time.

        In a notebook the cell that waits holds up the kernel, which takes part: rather do not.
        """
        return self._ended.wait(timeout_s)

    def _died(self, exc: BaseException) -> None:
        logger.error("A replay ended", exc_info=exc)
        self._ended.set()

    def _run(self) -> None:
        began_s, at = self._clock(), 0
        while not self._stopped.is_set() and not self._viewer._closed:
            self._t = min((self._clock() - began_s) * self._speed, self._duration_s)
            due = at
            while due < len(self._events) and self._events[due]["t"] <= self._t:
                due += 1
            if due > at:
                self._do(self._events[at:due])
                at = due
            if self._t >= self._duration_s and at >= len(self._events):
                break
            if self._t >= self._duration_s:
                self._do(self._events[at:])
                break
            self._stopped.wait(_TICK_S)
        self._ended.set()

    def _do(self, events: Sequence[dict[str, Any]]) -> None:
        """Do what is due; of states only the newest counts."""
        changed: set[str] = set()
        edits: list[Edit] = []
        for event in events:
            if event["kind"] == "state":
                self._fields |= event["set"]
                changed |= event["set"].keys()
            elif self._annotates:
                edits += self._edits_of(event)
        if changed:
            patch = self._patch(changed - _OF_THE_PAGE)
            self._viewer._kernel.call(lambda: self._post(patch))
        if edits:
            self._viewer._kernel.call(lambda: self._viewer._replay_edits(edits))

    def _patch(self, names: set[str]) -> dict[str, Any]:
        state = msgspec.convert(self._fields, ViewState)
        patch = {name: getattr(state, name) for name in names}
        for name in _LAYERS:
            if name in patch:
                known = {item.name for item in getattr(self._viewer._current(), name)}
                patch[name] = tuple(look for look in patch[name] if look.name in known)
        return patch

    def _post(self, patch: dict[str, Any]) -> None:
        try:
            self._viewer._post(patch)
        except BlustreamError:
            # Of another volume: what fits is shown, each field by itself.
            for name, value in patch.items():
                try:
                    self._viewer._post({name: value})
                except BlustreamError as exc:
                    logger.debug("A field of the replay is left out: %s", exc)
                    self._refused.add(name)

    def _edits_of(self, event: dict[str, Any]) -> list[Edit]:
        """Make edits that have the same effect wherever the viewer's annotations are."""
        if event.get("reset"):
            self._items = AnnotationSet()
        edits = msgspec.convert(event["edits"], tuple[OrderedEdit, ...])
        self._items.follow(edits)
        keys = dict.fromkeys(e.item.id if isinstance(e, PutItem) else e.id for e in edits)
        found = {key: self._items.get(key) for key in keys}
        return [RemoveItem(k) if item is None else PutItem(item) for k, item in found.items()]
