"""Undo and redo of annotations, for each author their own."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import Edit, PutItem, RemoveItem
from blustream_widget.core.annotation_set import Change, Place

MAX_STEPS = 200
MAX_KEPT_POINTS = 1_000_000
"""Points of all steps of one author: about 100 MB at most."""


@dataclass(slots=True)
class _Step:
    """What one gesture did to each annotation that it touched."""

    gesture: tuple[str, int] | None
    old: dict[str, Place]
    new: dict[str, Place]
    n_points: int

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

    def add(self, author: str, change: Change, gesture: tuple[str, int] | None = None) -> None:
        """Remember a change; one of the same gesture as the last joins it."""
        if change.is_nothing:
            return
        line = self._lines.setdefault(author, _Line())
        line.undone.clear()
        if gesture is not None and line.done and line.done[-1].gesture == gesture:
            line.done[-1].take_up(change)
        else:
            places = [*change.old.values(), *change.new.values()]
            n_points = sum(_n_points(place) for place in places)
            line.done.append(_Step(gesture, dict(change.old), dict(change.new), n_points))
        while len(line.done) > 1 and sum(s.n_points for s in line.done) > MAX_KEPT_POINTS:
            line.done.popleft()

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
