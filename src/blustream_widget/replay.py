"""Replay with data: what happened in a recording happens again in a viewer, at full quality."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core.annotation_messages import Edit, OrderedEdit, PutItem, RemoveItem
from blustream_widget.core.annotation_set import AnnotationSet
from blustream_widget.core.replay_messages import (
    REPLAY_SPEED_MAX,
    REPLAY_SPEED_MIN,
    DriveReplay,
    ReplayState,
    WantSaid,
)
from blustream_widget.core.state import ViewState
from blustream_widget.errors import BlustreamError, RecordingError
from blustream_widget.replay_pages import ReplayPages
from blustream_widget.runtime import start_thread

if TYPE_CHECKING:
    from blustream_widget.recordings import Recording
    from blustream_widget.viewer import Viewer

logger = logging.getLogger(__name__)

_TICK_S = 1 / 30
_LOOK_S = 0.1
_MOST_S = 0.25
"""So much of the clock counts at a time: a kernel that ran a cell does not catch up."""
_BUSY_S = 1.0
"""A kernel that has taken no step for so long runs a cell: who looks is told what it waits for."""
# What belongs to the page that looks now, and not to what was looked at.
_OF_THE_PAGE = frozenset({"revision", "width_px", "height_px", "pane_sizes"})
# Names of what lies over the slices: only what the viewer has as well.
_LAYERS = ("segmentations", "overlays")
_numbers = itertools.count(1)


class Replay:
    """A replay that runs; `Recording.replay` makes it. One that runs in the viewer already ends.

    Parameters
    ----------
    recording : Recording
    viewer : Viewer
    speed : float
    annotations : bool
        Whether they are put into the viewer as well.
    voices : bool
        Whether those in the recording are heard by who looks.
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
        voices: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speed = _checked_speed(speed)
        self._viewer = viewer
        self._annotates = annotations
        self._clock = clock
        self._duration_s = recording.duration_s
        self._events = [e for e in recording.timeline if e["kind"] in ("state", "annotations")]
        if not any(event["kind"] == "state" for event in self._events):
            raise RecordingError("The recording says nothing of states.")
        self._pages = ReplayPages(recording, with_voices=voices, tell=viewer._tell_of_replay)
        self._n = next(_numbers)
        self._fields: dict[str, Any] = {}  # Any: values that JSON knows
        self._items = AnnotationSet()
        self._t = 0.0
        self._sought: float | None = None
        self._seeking = threading.Lock()  # a time that is set while another one is gone to counts
        self._n_jumps = 0
        self._at = 0  # of the events, the first that has not happened yet
        self._is_paused = False
        self._refused: set[str] = set()
        self._taken = threading.Event()  # the step that the kernel was asked for last
        self._ended = threading.Event()
        self._stopped = threading.Event()
        self._now_s = clock()
        viewer._begin_replay(self)
        self._thread = start_thread(self._run, name="blustream-replay", on_error=self._died)

    # -------------------------------------------------- what its user sees and does

    @property
    def t(self) -> float:
        """Where it is, in seconds of the recording."""
        with self._seeking:
            return self._t if self._sought is None else self._sought

    @property
    def is_running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._ended.is_set()

    @property
    def refused(self) -> frozenset[str]:
        """Fields of the view that the viewer's volume could not take, and that were left out."""
        return frozenset(self._refused)

    @property
    def speed(self) -> float:
        """How many times as fast as the recording it is, 0.05 to 100; may be set.

        Voices are heard at 0.5 to 2.
        """
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._speed = _checked_speed(speed)

    @property
    def is_paused(self) -> bool:
        """Whether it stands still until `resume`."""
        return self._is_paused

    def pause(self) -> None:
        """Stand still, as long as nobody resumes it."""
        self._is_paused = True

    def resume(self) -> None:
        """Go on."""
        self._is_paused = False

    def seek(self, t: float) -> None:
        """Go to a time in seconds: view, annotations and voices as they were then.

        Raises
        ------
        RecordingError
            It has ended, or the recording has no such time.
        """
        if not self.is_running:
            raise RecordingError(
                "The replay has ended.", hint="recording.replay(viewer) begins another."
            )
        if not 0 <= t <= self._duration_s:
            raise RecordingError(
                f"t={t} s cannot be.", hint=f"The recording lasts {self._duration_s:.1f} s."
            )
        with self._seeking:
            self._sought = float(t)
            self._n_jumps += 1

    def stop(self) -> None:
        """End it where it is. May be called twice."""
        self._stopped.set()
        self._taken.set()
        self._thread.join(10)

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait for its end; False if it did not come in time. It goes on meanwhile."""
        if not self._viewer._kernel.is_here:
            return self._ended.wait(timeout_s)
        until_s = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        while not self._ended.wait(_TICK_S) and time.monotonic() < until_s:
            self._step()
        return self._ended.is_set()

    # -------------------------------------------------- who looks, by way of the server

    def _hear(self, wish: DriveReplay | WantSaid) -> None:
        """Hear what somebody wants who may; on the link's thread, which must not wait."""
        if wish.n != self._n or not self._goes_on:
            return
        if isinstance(wish, WantSaid):
            self._pages.ask(wish.n, wish.piece)
        elif wish.end:
            self._stopped.set()
            self._taken.set()
        else:
            self._obey(wish)

    def _obey(self, wish: DriveReplay) -> None:
        if wish.t is not None:
            self.seek(min(wish.t, self._duration_s))
        if wish.speed is not None:
            self.speed = wish.speed
        if wish.playing is not None:
            self._is_paused = not wish.playing

    def _server_changed(self) -> None:
        """Tell all again: a server is there that may know nothing."""
        self._pages.begin_anew()

    def _attend(self, *, over: bool = False) -> None:
        """Tell pages where it is, and answer them; also while the kernel is busy."""
        now_s = self._clock()
        n_jumps = self._n_jumps  # before the time: an old time is never told as that of a new jump
        is_due = not self._is_paused or self._sought is not None
        told = ReplayState(
            n=self._n,
            t=self.t,
            speed=self._speed,
            playing=not (over or self._is_paused),
            jumps=n_jumps,
            waits=not over and is_due and now_s - self._now_s > _BUSY_S,
            over=over,
        )
        self._pages.tell(told, now_s)
        self._pages.answer()

    # -------------------------------------------------- life

    def _died(self, exc: BaseException) -> None:
        logger.error("A replay ended", exc_info=exc)
        self._end()

    def _end(self) -> None:
        self._ended.set()
        if not self._viewer._closed:
            self._attend(over=True)

    @property
    def _goes_on(self) -> bool:
        return not (self._stopped.is_set() or self._ended.is_set() or self._viewer._closed)

    def _run(self) -> None:
        """Have the kernel take a step when it is free, and the next one only then."""
        while self._goes_on:
            self._taken.clear()
            self._viewer._kernel.call(self._take_step)
            while not self._taken.wait(_LOOK_S) and self._goes_on:
                self._attend()
            if self._goes_on:
                self._attend()
            self._stopped.wait(_TICK_S)
        self._end()

    def _take_step(self) -> None:
        is_well = False
        try:
            self._step()
            is_well = True
        finally:  # whoever called logs what went wrong
            if not is_well:
                self._stopped.set()
            self._taken.set()

    def _step(self) -> None:
        """Go on by as much as the clock has."""
        if not self._goes_on:
            return
        now_s = self._clock()
        gone_s, self._now_s = min(now_s - self._now_s, _MOST_S), now_s
        with self._seeking:
            sought, self._sought = self._sought, None
            self._t = self._t if sought is None else sought
        if sought is not None:
            self._show_time()
        elif not self._is_paused:
            self._t = min(self._t + gone_s * self._speed, self._duration_s)
        is_end = self._t >= self._duration_s and not self._is_paused
        due = len(self._events) if is_end else self._due(self._at)
        events, self._at = self._events[self._at : due], due
        self._do(events)
        if is_end:
            self._ended.set()

    def _due(self, at: int) -> int:
        while at < len(self._events) and self._events[at]["t"] <= self._t:
            at += 1
        return at

    # -------------------------------------------------- what happens

    def _show_time(self) -> None:
        """Have everything as it was at a time that was sought."""
        self._at = self._due(0)
        past = self._events[: self._at]
        states = [event for event in past if event["kind"] == "state"]
        if not states:  # just before the first one
            states = [next(event for event in self._events if event["kind"] == "state")]
        self._fields = {}
        for event in states:
            self._fields |= event["set"]
        self._show(set(self._fields))
        if self._annotates:
            before, self._items = self._items, AnnotationSet()
            for event in past:
                if event["kind"] == "annotations":
                    self._follow(event)
            self._edit(_edits_between(before, self._items))

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
        self._show(changed)
        self._edit(edits)

    def _show(self, names: set[str]) -> None:
        if names:
            self._post(self._patch(names - _OF_THE_PAGE))

    def _edit(self, edits: Sequence[Edit]) -> None:
        if edits:
            self._viewer._replay_edits(edits)

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

    def _follow(self, event: dict[str, Any]) -> tuple[OrderedEdit, ...]:
        if event.get("reset"):
            self._items = AnnotationSet()
        edits = msgspec.convert(event["edits"], tuple[OrderedEdit, ...])
        self._items.follow(edits)
        return edits

    def _edits_of(self, event: dict[str, Any]) -> list[Edit]:
        """Make edits that have the same effect wherever the viewer's annotations are."""
        edits = self._follow(event)
        keys = dict.fromkeys(e.item.id if isinstance(e, PutItem) else e.id for e in edits)
        found = {key: self._items.get(key) for key in keys}
        return [RemoveItem(k) if item is None else PutItem(item) for k, item in found.items()]


def _checked_speed(speed: float) -> float:
    if not REPLAY_SPEED_MIN <= speed <= REPLAY_SPEED_MAX:
        raise RecordingError(f"speed={speed} cannot be.", hint="Give 0.05 to 100.")
    return speed


def _edits_between(before: AnnotationSet, after: AnnotationSet) -> list[Edit]:
    """Make the edits by which the one becomes the other."""
    gone: list[Edit] = [RemoveItem(key) for key in before if key not in after]
    put = [PutItem(item) for key, item in after.items() if before.get(key) != item]
    return gone + put
