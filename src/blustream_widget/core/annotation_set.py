"""The annotations of a session as an ordered map, changed by edits: all of a list or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from blustream_widget.core.annotation import (
    MAX_ANNOTATIONS,
    MAX_TOTAL_POINTS,
    Annotation,
    check_annotation,
)
from blustream_widget.core.annotation_messages import (
    DragPoint,
    Edit,
    MoveItem,
    OrderedEdit,
    PutItem,
    RemoveItem,
    SetItem,
)
from blustream_widget.errors import AnnotationError, NotDriverError

OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Author:
    """Who edits, when, and in which volume.

    Parameters
    ----------
    name : str
        `OWNER` may change everything, others what is theirs.
    now_ms : float
        Milliseconds since the epoch.
    shape : tuple of int, optional
        Of the volume; None while it is not open.
    is_undoing : bool
        Takes back what was allowed: locks do not matter, and who made an annotation, and when,
        stays as it is given.
    """

    name: str
    now_ms: float
    shape: tuple[int, int, int] | None = None
    is_undoing: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """An annotation and, where its place matters, the one that it stands in front of.

    `item` None: there is none of this id.
    """

    item: Annotation | None
    before: str | None = None

    def is_as(self, item: Annotation | None) -> bool:
        """Whether `item` is the same, but for the moment of its last change."""
        return self.item is item or (self.item is not None and self.item.looks_like(item))


@dataclass(frozen=True, slots=True)
class Change:
    """What a list of edits did.

    Parameters
    ----------
    edits : tuple of OrderedEdit
        The same as others are to apply it: with whole items, times and authors.
    old, new : dict
        Each touched annotation by its id, before and afterwards.
    """

    edits: tuple[OrderedEdit, ...]
    old: dict[str, Place]
    new: dict[str, Place]

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it was."""
        return all(place.is_as(self.new[key].item) for key, place in self.old.items())


_Items: TypeAlias = dict[str, Annotation]


@dataclass(slots=True)
class _Draft:
    """What the edits of one list have made so far."""

    items: _Items
    author: Author
    edits: list[OrderedEdit] = field(default_factory=list)
    old: dict[str, Place] = field(default_factory=dict)
    before: dict[str, str] = field(default_factory=dict)
    order: list[str] = field(default_factory=list)  # made by the first of several removals
    places: dict[str, int] = field(default_factory=dict)
    fronts: dict[str, list[str]] = field(default_factory=dict)  # put in front of one, not moved yet

    def touch(self, key: str) -> Annotation | None:
        """Note how an annotation was, the first time that it is touched; return it as it is."""
        item = self.items.get(key)
        self.old.setdefault(key, Place(item))
        return item

    def remove(self, key: str) -> None:
        """Take an annotation out, and note where it stood."""
        self.arrange()
        old = self.old[key].item
        if old is not None:
            self.old[key] = Place(old, self._behind(key))
        del self.items[key]
        self.before.pop(key, None)

    def _behind(self, key: str) -> str | None:
        """Return the one that an annotation stands in front of."""
        if key not in self.places:
            self.order = list(self.items)
            self.places = {other: place for place, other in enumerate(self.order)}
        following = range(self.places[key] + 1, len(self.order))
        return next((self.order[n] for n in following if self.order[n] in self.items), None)

    def put_before(self, key: str, before: str) -> None:
        """Have an annotation that was put last stand in front of another one."""
        self.fronts.setdefault(before, []).append(key)
        self.before[key] = before
        self.places.clear()

    def arrange(self) -> None:
        """Bring everything to its place: once for all that were put, not for each of thousands."""
        if not self.fronts:
            return
        moved = {key for keys in self.fronts.values() for key in keys}
        ordered: _Items = {}
        for key in [key for key in self.items if key not in moved]:
            waiting = [key]
            while waiting:
                if fronts := self.fronts.pop(waiting[-1], None):
                    waiting += reversed(fronts)
                else:
                    last = waiting.pop()
                    ordered[last] = self.items[last]
        self.items = ordered

    def find(self, key: str, *, unlocks: bool = False) -> Annotation:
        """Return an annotation that this author may change."""
        item = self.touch(key)
        if item is None:
            raise AnnotationError(
                f"There is no annotation {key}.", hint="It was removed, perhaps by somebody else."
            )
        self.check_allowed(item, unlocks=unlocks)
        return item

    def check_allowed(self, item: Annotation, *, unlocks: bool = False) -> None:
        if self.author.is_undoing:
            return
        if self.author.name not in (OWNER, item.author):
            raise NotDriverError(
                f"The annotation {item.label or item.id} is somebody else's.",
                hint="Only who made it and the owner may change it.",
            )
        if item.locked and not unlocks:
            raise AnnotationError(
                f"The annotation {item.label or item.id} is locked.", hint="Unlock it first."
            )

    def keep(self, item: Annotation) -> None:
        check_annotation(item, self.author.shape)
        self.items[item.id] = item


class AnnotationSet(Mapping[str, Annotation]):
    """Annotations by id, in their order. `apply` is the only way it changes."""

    def __init__(self) -> None:
        self._items: _Items = {}
        self._n_points = 0

    def __getitem__(self, key: str) -> Annotation:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def copy(self) -> AnnotationSet:
        """Return a set of its own with the same annotations."""
        other = AnnotationSet()
        other._items, other._n_points = dict(self._items), self._n_points
        return other

    def apply(self, edits: Sequence[Edit], author: Author) -> Change:
        """Apply all edits, in order, or none of them.

        Raises
        ------
        AnnotationError
            An edit is not valid, concerns a locked annotation or one that does not exist, or there
            would be too many of them.
        NotDriverError
            It is somebody else's.
        """
        draft = _Draft(dict(self._items), author)
        for edit in edits:
            _apply(edit, draft)
        draft.arrange()
        new = {key: Place(draft.items.get(key), draft.before.get(key)) for key in draft.old}
        n_points = self._n_points + sum(
            _n_points(place.item) - _n_points(draft.old[key].item) for key, place in new.items()
        )
        if len(draft.items) > MAX_ANNOTATIONS or n_points > MAX_TOTAL_POINTS:
            raise AnnotationError(
                f"{len(draft.items)} annotations with {n_points} points are too many.",
                hint=f"At most {MAX_ANNOTATIONS}, and {MAX_TOTAL_POINTS} points in all.",
            )
        self._items, self._n_points = draft.items, n_points
        return Change(tuple(draft.edits), draft.old, new)

    def check_may_change(self, key: str, author: Author) -> None:
        """Refuse to change an annotation that is locked, another's, or gone.

        Raises
        ------
        AnnotationError, NotDriverError
        """
        _Draft(dict(self._items), author).find(key)

    def follow(self, edits: Sequence[OrderedEdit]) -> None:
        """Apply what the server says, as it says it: it has checked it.

        Raises
        ------
        AnnotationError
            If it speaks of an annotation that is not here: something was lost.
        """
        self.apply(edits, Author(OWNER, 0.0, is_undoing=True))


def _apply(edit: Edit, draft: _Draft) -> None:
    match edit:
        case PutItem():
            _put(edit, draft)
        case SetItem():
            _set(edit, draft)
        case DragPoint():
            _drag(edit, draft)
        case MoveItem():
            _move(edit, draft)
        case RemoveItem(id=key):
            item = draft.touch(key)
            if item is not None:
                draft.check_allowed(item)
                draft.remove(key)
                draft.edits.append(edit)


def _put(edit: PutItem, draft: _Draft) -> None:
    item, author = edit.item, draft.author
    old = draft.touch(item.id)
    if old is not None:
        draft.check_allowed(old, unlocks=not item.locked)
        if old.kind != item.kind:
            raise AnnotationError(
                f"A {old.kind} cannot become a {item.kind}.", hint="Remove it and add another one."
            )
    if not author.is_undoing:
        item = msgspec.structs.replace(
            item,
            author=author.name if old is None else old.author,
            created_ms=author.now_ms if old is None else old.created_ms,
            modified_ms=author.now_ms,
        )
    if old is None and draft.places:
        draft.places[item.id] = len(draft.order)
        draft.order.append(item.id)
    before = edit.before if old is None and edit.before in draft.items else None
    draft.keep(item)
    if before is not None:
        draft.put_before(item.id, before)
    draft.edits.append(PutItem(item, before))


def _set(edit: SetItem, draft: _Draft) -> None:
    item = draft.find(edit.id, unlocks=edit.locked is False)
    given = {
        name: value
        for name in SetItem.__struct_fields__
        if name != "id" and (value := getattr(edit, name)) is not None
    }
    item = msgspec.structs.replace(item, **given, modified_ms=draft.author.now_ms)
    draft.keep(item)
    draft.edits.append(PutItem(item))


def _drag(edit: DragPoint, draft: _Draft) -> None:
    item = draft.find(edit.id)
    points = list(item.points)
    if not 0 <= edit.at < len(points):
        raise AnnotationError(f"The {item.kind} has no point {edit.at}: it has {len(points)}.")
    points[edit.at] = edit.point
    draft.keep(_moved(item, tuple(points), draft.author))
    draft.edits.append(edit)


def _move(edit: MoveItem, draft: _Draft) -> None:
    item = draft.find(edit.id)
    by = [to - was for to, was in zip(edit.to, item.points[0], strict=True)]
    others = tuple((a + by[0], b + by[1], c + by[2]) for a, b, c in item.points[1:])
    draft.keep(_moved(item, (edit.to, *others), draft.author))
    draft.edits.append(edit)


def _moved(
    item: Annotation, points: tuple[tuple[float, float, float], ...], author: Author
) -> Annotation:
    # Followers of the server cannot know when it was: they keep the time that they were told.
    modified_ms = item.modified_ms if author.is_undoing else author.now_ms
    return msgspec.structs.replace(item, points=points, modified_ms=modified_ms)


def _n_points(item: Annotation | None) -> int:
    return 0 if item is None else len(item.points)
