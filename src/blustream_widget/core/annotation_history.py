"""Undo and redo of annotations, for each author their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import Edit, PutItem, RemoveItem
from blustream_widget.core.annotation_set import Change, Place

MAX_STEPS = 200
MAX_KEPT_POINTS = 1_000_000
"""Points of all steps of one author: about 100 MB at most."""

Gesture: TypeAlias = tuple[str, int]
"""Whose, and which of theirs."""


class Step(msgspec.Struct, frozen=True, array_like=True, tag="step"):
    """What one gesture did to each annotation that it touched, as it is written down."""

    author: str
    is_undone: bool
    gesture: Gesture | None
    old: dict[str, Place]
    new: dict[str, Place]


@dataclass(slots=True)
class _Step:
    """What one gesture did to each annotation that it touched."""

    gesture: Gesture | None
    old: dict[str, Place]
    new: dict[str, Place]
    n_points: int = field(init=False)

    def __post_init__(self) -> None:
        self.n_points = sum(map(_n_points, (*self.old.values(), *self.new.values())))

    def take_up(self, change: Change) -> None:
        """Join a later change of the same gesture."""
        for key, place in change.old.items():
            first = self.old.get(key)
            if first is None:
                self.old[key] = place
                self.n_points += _n_points(place)
            elif first.item is not None and place.before is not None:
                self.old[key] = Place(first.item, place.before)
        for key, place in change.new.items():
            last = self.new.get(key)
            self.n_points += _n_points(place) - (_n_points(last) if last is not None else 0)
            before = place.before or (last.before if last is not None else None)
            self.new[key] = Place(place.item, before)


@dataclass(slots=True)
class _Line:
    """Steps of one author: those that can be taken back, and those that were."""

    done: deque[_Step] = field(default_factory=lambda: deque(maxlen=MAX_STEPS))
    undone: list[_Step] = field(default_factory=list)


class AnnotationHistory:
    """Steps that can be taken back. Times of annotations do not count as changes."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def can(self, author: str) -> tuple[bool, bool]:
        """Whether there is something to undo, and to redo."""
        line = self._lines.get(author)
        return (bool(line.done), bool(line.undone)) if line else (False, False)

    def add(self, author: str, change: Change, gesture: Gesture | None = None) -> None:
        """Remember a change; one of the same gesture as the last joins it."""
        if change.is_nothing:
            return
        line = self._lines.setdefault(author, _Line())
        line.undone.clear()
        if gesture is not None and line.done and line.done[-1].gesture == gesture:
            line.done[-1].take_up(change)
        else:
            line.done.append(_Step(gesture, dict(change.old), dict(change.new)))
        while len(line.done) > 1 and sum(s.n_points for s in line.done) > MAX_KEPT_POINTS:
            line.done.popleft()

    def snapshot(self, most_points: int) -> Iterator[Step]:
        """Give steps as `take` takes them: of each author the newest, so many points in all."""
        for author, line in self._lines.items():
            room = most_points // len(self._lines)
            kept: list[Step] = []
            for is_undone, steps in ((True, line.undone), (False, line.done)):
                for step in reversed(steps):
                    room -= step.n_points
                    if room < 0:
                        break
                    old, new = dict(step.old), dict(step.new)
                    kept.append(Step(author, is_undone, step.gesture, old, new))
            yield from reversed(kept)

    def take(self, step: Step) -> None:
        """Put a step behind those that its author has."""
        line = self._lines.setdefault(step.author, _Line())
        steps = line.undone if step.is_undone else line.done
        steps.append(_Step(step.gesture, dict(step.old), dict(step.new)))

    def end_gestures(self) -> None:
        """Join nothing more to the steps that there are: who goes on may be somebody else."""
        for line in self._lines.values():
            for step in line.done:
                step.gesture = None

    def undo(self, author: str, now: Mapping[str, Annotation]) -> list[Edit]:
        """Edits that take back the author's newest step; what others changed since stays.

        Empty when there is nothing to take back.
        """
        line = self._lines.get(author)
        while line is not None and line.done:
            step = line.done.pop()
            keys = [key for key, place in step.new.items() if place.is_as(now.get(key))]
            if keys:
                line.undone.append(step)
                # Back to front: a neighbour that an annotation stood in front of is there again.
                return [_back(key, step.old[key]) for key in reversed(keys)]
        return []

    def redo(self, author: str, now: Mapping[str, Annotation]) -> list[Edit]:
        """Edits that do again what was taken back last."""
        line = self._lines.get(author)
        while line is not None and line.undone:
            step = line.undone.pop()
            keys = [key for key, place in step.old.items() if place.is_as(now.get(key))]
            if keys:
                line.done.append(step)
                return [_back(key, step.new[key]) for key in keys]
        return []


def _back(key: str, place: Place) -> Edit:
    return RemoveItem(key) if place.item is None else PutItem(place.item, place.before)


def _n_points(place: Place) -> int:
    return 0 if place.item is None else len(place.item.points)
