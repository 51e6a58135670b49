"""Answers questions about voxels beside the render thread, one by one; each can be called off."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeAlias

import msgspec

from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import Measurement
from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.core.horizon_messages import Snapped
from blustream_widget.core.measures import quantities_of, wants_of
from blustream_widget.core.spectrum import Spectrum
from blustream_widget.core.types import VolumeInfo
from blustream_widget.core.worker_protocol import (
    MeasuredVoxels,
    MeasureVoxels,
    SnappedVoxel,
    SnapVoxel,
    TrackedVoxels,
    TrackVoxels,
)
from blustream_widget.data import VolumeSource
from blustream_widget.data.region_statistics import line_profile, region_statistics, value_at
from blustream_widget.data.trace_spectrum import TraceWindow
from blustream_widget.data.voxels import ReadCancelledError, VoxelReader
from blustream_widget.errors import AnnotationError, BlustreamError, PeerClosedError
from blustream_widget.runtime import start_thread
from blustream_widget.worker.sink import Sink
from blustream_widget.worker.tracking import snapped, track

logger = logging.getLogger(__name__)

_PROGRESS_S = 0.2
_Key: TypeAlias = tuple[str, str]
Question: TypeAlias = MeasureVoxels | TrackVoxels | SnapVoxel
Answer: TypeAlias = Measurement | TrackedGrid | Snapped


class Measurer:
    """A queue of questions, newest of each annotation, and a thread while there are any.

    Parameters
    ----------
    source : VolumeSource
    sink : Sink
        Gets the answers, from the measuring thread.
    clock : callable
        Monotonic seconds: progress is told five times a second.
    """

    def __init__(
        self, source: VolumeSource, sink: Sink, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._sink = sink
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: dict[_Key, Question] = {}
        self._current: Question | None = None
        self._is_running = False
        self._is_closed = False

    def take(self, questions: Iterable[Question]) -> None:
        """Take questions, and those that call one off. Returns at once."""
        with self._lock:
            for question in questions:
                self._note(question)
            if not self._waiting or self._is_running or self._is_closed:
                return
            self._is_running = True
        start_thread(self._run, name="blustream-measure")

    def close(self) -> None:
        """Answer nothing more. May be called twice."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
            self._current = None

    def _note(self, question: Question) -> None:
        key = _key(question)
        current = self._current
        is_current = current is not None and key == _key(current)
        if not question.cancel:
            self._waiting[key] = question
            if is_current:
                self._current = None  # newer: the old one ends at its next look
            return
        waiting = self._waiting.get(key)
        if waiting is not None and waiting.n == question.n:
            del self._waiting[key]
        if is_current and current is not None and current.n == question.n:
            self._current = None

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._is_closed or not self._waiting:
                    self._is_running = False
                    return
                key = next(iter(self._waiting))
                question = self._current = self._waiting.pop(key)
            with contextlib.suppress(ReadCancelledError):
                self._answer(question)

    def _answer(self, question: Question) -> None:
        answer: Answer
        try:
            self._check_channel(question.channel)
            match question:
                case MeasureVoxels():
                    answer = self._measure(question)
                case TrackVoxels():
                    answer = self._track(question)
                case SnapVoxel():
                    answer = snapped(self._reader(question), self._source.info, question)
        except ReadCancelledError:
            raise
        except BlustreamError as exc:
            answer = _failure(question, str(exc))
        except Exception as exc:
            logger.exception("Measuring failed")
            answer = _failure(question, f"It cannot be measured: {type(exc).__name__}.")
        self._tell(question, answer)

    def _check_channel(self, channel: int) -> None:
        if not 0 <= channel < self._source.info.n_source_channels:
            raise AnnotationError(f"There is no channel {channel}.")

    def _track(self, question: TrackVoxels) -> TrackedGrid:
        on_progress = self._progress_teller(
            question, lambda share: TrackedGrid(question.n, progress=share)
        )
        return track(self._reader(question), self._source.info, question, on_progress)

    def _reader(self, question: Question) -> VoxelReader:
        return VoxelReader(self._source, lambda: self._current is not question)

    def _measure(self, question: MeasureVoxels) -> Measurement:
        item, info = question.item, self._source.info
        want = set(question.want or wants_of(item))
        quantities = quantities_of(item, info)
        first = Measurement(n=question.n, id=item.id, quantities=quantities)
        if not want - {"geometry"}:
            return msgspec.structs.replace(first, progress=1.0, done=True)
        self._tell(question, first)
        reader = self._reader(question)
        on_progress = self._progress_teller(
            question, lambda share: msgspec.structs.replace(first, progress=share)
        )
        channel = question.channel
        window, no_spectrum = _window(item, info, channel) if "spectrum" in want else (None, "")
        statistics = None
        if "statistics" in want:
            statistics = region_statistics(
                reader,
                info,
                item,
                channel=channel,
                bins=question.bins,
                on_progress=on_progress,
                on_part=None if window is None else window.take,
            )
        elif window is not None:
            for part in reader.parts(channel, window.lower, window.upper):
                window.take(part)
                on_progress(part.progress)
        spectrum, no_spectrum = _spectrum(window) if window is not None else (None, no_spectrum)
        return msgspec.structs.replace(
            first,
            progress=1.0,
            done=True,
            statistics=statistics,
            profile=line_profile(reader, info, item, channel=channel)
            if "profile" in want
            else None,
            value=value_at(reader, info, item, channel=channel) if "value" in want else None,
            spectrum=spectrum,
            no_spectrum=no_spectrum,
        )

    def _progress_teller(
        self, question: Question, message: Callable[[float], Answer]
    ) -> Callable[[float], None]:
        told_s = self._clock()

        def on_progress(share: float) -> None:
            nonlocal told_s
            if self._clock() - told_s > _PROGRESS_S:
                told_s = self._clock()
                self._tell(question, message(share))

        return on_progress

    def _tell(self, question: Question, answer: Answer) -> None:
        with self._lock:
            if self._current is not question:
                return
        message: MeasuredVoxels | TrackedVoxels | SnappedVoxel
        match answer:
            case Measurement():
                message = MeasuredVoxels(question.owner, answer)
            case TrackedGrid():
                message = TrackedVoxels(question.owner, answer)
            case Snapped():
                message = SnappedVoxel(question.owner, answer)
        with contextlib.suppress(PeerClosedError):  # the render thread notices and ends
            self._sink.send(message)


class Lanes:
    """Two measurers: to follow a horizon takes seconds, and no pick may wait for that.

    Parameters
    ----------
    source : VolumeSource
    sink : Sink
        Gets the answers, from their threads.
    """

    def __init__(self, source: VolumeSource, sink: Sink) -> None:
        self._quick = Measurer(source, sink)
        self._slow = Measurer(source, sink)

    def take(self, questions: Iterable[Question]) -> None:
        """Take questions, and those that call one off. Returns at once."""
        for question in questions:
            lane = self._slow if isinstance(question, TrackVoxels) else self._quick
            lane.take((question,))

    def close(self) -> None:
        """Answer nothing more. May be called twice."""
        self._quick.close()
        self._slow.close()


def _window(item: Annotation, info: VolumeInfo, channel: int) -> tuple[TraceWindow | None, str]:
    """Give what collects the traces, or why there are none."""
    try:
        return TraceWindow(item, info, channel), ""
    except AnnotationError as exc:
        return None, str(exc)


def _spectrum(window: TraceWindow) -> tuple[Spectrum | None, str]:
    try:
        return window.spectrum(), ""
    except AnnotationError as exc:
        return None, str(exc)


def _key(question: Question) -> _Key:
    if isinstance(question, MeasureVoxels):
        return (question.owner, question.item.id)
    return (question.owner, f"{type(question).__name__} {question.n}")


def _failure(question: Question, text: str) -> Answer:
    if isinstance(question, TrackVoxels):
        return TrackedGrid(question.n, done=True, error=text)
    if isinstance(question, SnapVoxel):
        return Snapped(question.n, error=text)
    return Measurement(n=question.n, id=question.item.id, done=True, error=text)
