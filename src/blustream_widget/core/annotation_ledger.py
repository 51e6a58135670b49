"""The annotations of a session with their history, changed by records alone.

Whoever takes the same records in the same order has the same annotations, the same steps to take
back, and has heard the same of the kernel: a server that takes a killed one's place reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_history import AnnotationHistory, Gesture, Step
from blustream_widget.core.annotation_messages import Edit, PutItem
from blustream_widget.core.annotation_set import AnnotationSet, Author, Change

MAX_WRITTEN_POINTS = 400_000
"""Points of steps in a snapshot, those of all authors: about 12 MB."""
_RECORD_POINTS = 4000  # a quarter of a megabyte of JSON


class Edited(msgspec.Struct, frozen=True, array_like=True, tag="edit"):
    """Edits of one author that were allowed, or what a step of their history came to.

    `shape` is the volume's, None while it was not open; `kernel_seq` the kernel's number of what it
    sent, 0 for others.
    """

    author: str
    now_ms: float
    edits: tuple[Edit, ...] = ()
    history: Literal["", "undo", "redo"] = ""
    gesture: Gesture | None = None
    shape: tuple[int, int, int] | None = None
    kernel_seq: int = 0


class Had(msgspec.Struct, frozen=True, array_like=True, tag="had"):
    """Annotations as they were, behind those before; with them, what was counted until then."""

    items: tuple[Annotation, ...]
    revision: int
    kernel_seq: int


LedgerRecord: TypeAlias = Edited | Had | Step


class AnnotationLedger:
    """Annotations, steps of each author, and how far the kernel's edits are in them.

    Attributes
    ----------
    items : AnnotationSet
    history : AnnotationHistory
    revision : int
        Grows by one with every change.
    kernel_seq : int
        Of the newest message of the kernel that is contained, or was refused.
    """

    def __init__(self) -> None:
        self.items = AnnotationSet()
        self.history = AnnotationHistory()
        self.revision = 0
        self.kernel_seq = 0

    def edit(self, edited: Edited) -> tuple[Change, Edited]:
        """Apply edits, or take a step back or forth, which is asked for without edits.

        Returns
        -------
        Change
        Edited
            To be written down: a step with what it came to, whoever still has that step.

        Raises
        ------
        BlustreamError
            They are not allowed; nothing has changed but `kernel_seq`.
        """
        self.kernel_seq = max(self.kernel_seq, edited.kernel_seq)
        author, is_step = edited.author, bool(edited.history)
        by = Author(author, edited.now_ms, edited.shape, is_undoing=is_step)
        if is_step:
            take = self.history.undo if edited.history == "undo" else self.history.redo
            taken = tuple(take(author, self.items))
            edited = msgspec.structs.replace(edited, edits=edited.edits or taken)
        change = self.items.apply(edited.edits, by)
        if not is_step:
            self.history.add(author, change, edited.gesture)
        if not change.is_nothing:
            self.revision += 1
        return change, edited

    def apply(self, record: LedgerRecord) -> None:
        """Take a record of a former server.

        Raises
        ------
        BlustreamError
            It does not fit what was before it.
        """
        match record:
            case Edited():
                self.edit(record)
            case Had(items=items):
                self.items.follow([PutItem(item) for item in items])
                self.revision, self.kernel_seq = record.revision, record.kernel_seq
            case Step():
                self.history.take(record)

    def snapshot(self) -> Iterator[LedgerRecord]:
        """Make records that give the same to a ledger that is empty."""
        for items in chunks(tuple(self.items.values())) or [()]:
            yield Had(items, self.revision, self.kernel_seq)
        yield from self.history.snapshot(MAX_WRITTEN_POINTS)


def chunks(items: tuple[Annotation, ...]) -> list[tuple[Annotation, ...]]:
    """Cut into pieces of some thousand points and at most a thousand annotations."""
    pieces: list[tuple[Annotation, ...]] = []
    piece: list[Annotation] = []
    n_points = 0
    for item in items:
        if piece and (n_points + len(item.points) > _RECORD_POINTS or len(piece) >= 1000):
            pieces.append(tuple(piece))
            piece, n_points = [], 0
        piece.append(item)
        n_points += len(item.points)
    if piece:
        pieces.append(tuple(piece))
    return pieces
