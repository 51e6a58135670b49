"""Edits labels beside the render thread, one after the other; what comes of each is told."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from blustream_widget.core.label_edit import Brick, BrickChange
from blustream_widget.core.worker_protocol import (
    BricksEdited,
    EditBricks,
    EditFailed,
    EditProgress,
    OfEdits,
    PutBricks,
    RevertBricks,
)
from blustream_widget.data.brick_patch import whole_of
from blustream_widget.data.edited_labels import pack_brick
from blustream_widget.data.label_counts import LabelSum, changed_counts
from blustream_widget.data.voxels import ReadCancelledError
from blustream_widget.errors import BlustreamError, EditCancelledError, ProcessingError
from blustream_widget.runtime import start_thread
from blustream_widget.worker.label_tools import Changes, Editable, LabelTools

logger = logging.getLogger(__name__)

_MAX_HELD_BYTES = 1 << 30
_MESSAGE_BYTES = 8 << 20
_PROGRESS_APART_S = 0.2
# So long what is counted and packed of an edit waits for the picture of it, which is wanted sooner.
_PICTURE_S = 0.05


@dataclass(frozen=True, slots=True)
class Laid:
    """Bricks that an edit has changed: for the next picture, before they are counted and packed.

    Parameters
    ----------
    target : Editable
    n : int
        Of the edit; 0 of one that was done in another worker.
    bricks : tuple of Brick
    """

    target: Editable
    n: int
    bricks: tuple[Brick, ...]


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of an edit.

    Parameters
    ----------
    target : Editable
    n_edits : int
        Of the labels, after it; 0 where nothing changed.
    counts : dict or None
        What that changes of the labels' counts; None: they are to be counted anew.
    answers : tuple
        To be sent.
    """

    target: Editable
    n_edits: int
    counts: dict[int, LabelSum] | None
    answers: tuple[BricksEdited | EditFailed, ...]


class LabelEditor:
    """A queue of edits, and a thread while there are any.

    Parameters
    ----------
    wake : callable
        Called from that thread when `finished` has something.
    tell : callable
        Hears from that thread how far a long edit is, at most five times a second.
    """

    def __init__(
        self, wake: Callable[[], None], tell: Callable[[EditProgress], None] = lambda _: None
    ) -> None:
        self._wake = wake
        self._tell = tell
        self._lock = threading.Lock()
        self._cancelled: set[int] = set()  # of those that wait or are being done
        self._waiting: list[tuple[Editable, OfEdits]] = []
        self._done: queue.SimpleQueue[Laid | Edited] = queue.SimpleQueue()
        self._is_running = False
        self._is_closed = False
        self._is_drawn = threading.Event()
        self._is_laid = False  # and the next picture has it

    @property
    def is_busy(self) -> bool:
        """Whether its thread works."""
        with self._lock:
            return self._is_running

    def take(self, target: Editable, message: OfEdits) -> None:
        """Edit labels when what came before is done. Returns at once."""
        with self._lock:
            self._waiting.append((target, message))
            if self._is_running or self._is_closed:
                return
            self._is_running = True
        start_thread(self._run, name="blustream-edit")

    def cancel(self, n: int) -> None:
        """Have an edit fail that is not done yet. Returns at once."""
        with self._lock:
            self._cancelled.add(n)

    def draw(self) -> None:
        """Take note that a picture was drawn with what `finished` has given by now."""
        if self._is_laid:
            self._is_laid = False
            self._is_drawn.set()

    def finished(self) -> Iterator[Laid | Edited]:
        """Give what was done since this was last asked: what an edit laid, then what came of it."""
        while True:
            try:
                done = self._done.get_nowait()
            except queue.Empty:
                return
            self._is_laid = self._is_laid or isinstance(done, Laid)
            yield done

    def close(self) -> None:
        """Do nothing more. May be called twice."""
        with self._lock:
            self._is_closed = True
            self._waiting.clear()
        self._is_drawn.set()

    def _run(self) -> None:
        while True:
            with self._lock:
                if self._is_closed or not self._waiting:
                    self._is_running = False
                    return
                target, message = self._waiting.pop(0)
            with contextlib.suppress(ReadCancelledError):
                self._tell_done(self._do(target, message))
            with self._lock:
                self._cancelled.discard(message.n)
                if not self._waiting:
                    self._cancelled.clear()  # also what came too late

    def _tell_done(self, done: Laid | Edited) -> None:
        self._done.put(done)
        self._wake()

    def _is_cancelled(self, n: int) -> bool:
        return self._is_closed or n in self._cancelled

    def _progress(self, target: Editable, n: int) -> Callable[[float | None], None]:
        next_s = time.monotonic() + _PROGRESS_APART_S  # what is quick is not worth a word

        def tell(share: float | None) -> None:
            nonlocal next_s
            now_s = time.monotonic()
            if now_s >= next_s:
                next_s = now_s + _PROGRESS_APART_S
                self._tell(EditProgress(target.name, n, share))

        return tell

    def _do(self, target: Editable, message: OfEdits) -> Edited:
        n = message.n
        tools = LabelTools(target, lambda: self._is_cancelled(n), self._progress(target, n))
        try:
            changes = _changes(tools, message)
            _check_room(target, changes)
            tools.check()
        except ReadCancelledError:
            if self._is_closed:
                raise
            error = EditCancelledError("The edit was cancelled; nothing was changed.")
            return _failure(target, message, error)
        except BlustreamError as exc:
            return _failure(target, message, exc)
        except Exception as exc:
            logger.exception("Editing labels failed")
            failure = ProcessingError(f"The labels cannot be edited: {type(exc).__name__}.")
            return _failure(target, message, failure)
        n_edits = 0
        if changes:
            n_edits = target.labels.lay({brick: new for brick, (_, new) in changes.items()})
            self._is_drawn.clear()
            self._tell_done(Laid(target, n, tuple(changes)))
            self._is_drawn.wait(_PICTURE_S)
            target.labels.settle(changes)
        if isinstance(message, PutBricks):
            return Edited(target, n_edits, None, ())
        size = target.labels.info.brick_size
        counts = changed_counts(
            (
                ((brick[0] * size, brick[1] * size, brick[2] * size), old, whole_of(new))
                for brick, (old, new) in changes.items()
            ),
            target.count_lod,
        )
        answers = tuple(_answers(target.name, message.n, changes))
        return Edited(target, n_edits, counts, answers)


def _changes(tools: LabelTools, message: OfEdits) -> Changes:
    match message:
        case EditBricks(edit=edit):
            return tools.edited(edit)
        case RevertBricks(changes=changes):
            return tools.reverted(changes)
        case PutBricks(bricks=bricks):
            whole = ((brick, tools.unpacked(brick, data)) for brick, data in bricks)
            return {brick: (values, values) for brick, values in whole}


def _check_room(target: Editable, changes: Changes) -> None:
    n_held = target.labels.n_bytes + sum(new.nbytes for _, new in changes.values())
    if n_held > _MAX_HELD_BYTES:
        raise ProcessingError(
            f"The edits of {target.name!r} take more than {_MAX_HELD_BYTES >> 20} MB.",
            hint="Save the labels, and add them again from the file.",
        )


def _failure(target: Editable, message: OfEdits, exc: BlustreamError) -> Edited:
    failed = EditFailed(target.name, message.n, exc.code, exc.message, exc.hint)
    return Edited(target, 0, {}, (failed,))


def _answers(name: str, n: int, changes: Changes) -> Iterator[BricksEdited]:
    """Pack what changed in messages of bounded size; the last one is not `more`."""
    packed: list[BrickChange] = []
    n_bytes = n_voxels = 0
    for brick, (old, after) in changes.items():
        new = whole_of(after)
        one = BrickChange(brick, pack_brick(old), pack_brick(new))
        if n_bytes > _MESSAGE_BYTES:
            yield BricksEdited(name, n, n_voxels, tuple(packed), more=True)
            packed, n_bytes, n_voxels = [], 0, 0
        packed.append(one)
        n_bytes += len(one.old) + len(one.new)
        n_voxels += int(np.count_nonzero(old != new))
    yield BricksEdited(name, n, n_voxels, tuple(packed))
