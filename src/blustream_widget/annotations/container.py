"""`viewer.annotations`: an ordered collection that Python and the browser share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import msgspec

from blustream_widget.annotations import geojson, table
from blustream_widget.annotations.item import Item
from blustream_widget.annotations.mirror import AnnotationMirror
from blustream_widget.core.annotation import Annotation, annotation, typed
from blustream_widget.core.annotation_messages import Edit, PutItem, RemoveItem
from blustream_widget.core.annotation_set import OWNER, Author
from blustream_widget.core.sharing import Export
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import AnnotationError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AnnotationsChange:
    """What changed at once.

    Parameters
    ----------
    added, changed : tuple of Annotation
        As they are now.
    removed : tuple of Annotation
        As they were.
    is_remote : bool
        It came from a browser, or was undone; False: this process did it.
    """

    added: tuple[Annotation, ...]
    changed: tuple[Annotation, ...]
    removed: tuple[Annotation, ...]
    is_remote: bool


Observer: TypeAlias = Callable[[AnnotationsChange], None]


class Annotations(Sequence[Item]):
    """The annotations of a viewer, in their order.

    Get one by its place or its id. Items are live: `item.label = "Top"` changes it for everybody.

    Parameters
    ----------
    mirror : AnnotationMirror
    info : callable
        Gives the volume; waits until it is open.
    measure : callable
        `Viewer.measure`.
    on_change : callable
        Called once for each change, after the observers.
    on_export : callable, optional
        Called when annotations are written as a file's text or a table.

    Notes
    -----
    One thread, the kernel's. What is not valid is an `AnnotationError` and changes nothing.
    """

    def __init__(
        self,
        mirror: AnnotationMirror,
        *,
        info: Callable[[], VolumeInfo],
        measure: Callable[..., Any],
        on_change: Observer,
        on_export: Callable[[Export], None] = lambda _what: None,
    ) -> None:
        self._on_export = on_export
        self._mirror = mirror
        self._info = info
        self._measure = measure
        self._observers: list[Observer] = []
        self._on_change = on_change
        self._known: dict[str, Annotation] = {}
        self._batch: list[Edit] | None = None
        self._batch_ms = 0.0

    # -------------------------------------------------- reading

    def __len__(self) -> int:
        return len(self._mirror.items)

    def __getitem__(self, key: Any) -> Any:  # Any: Item for a place or an id, list for a slice
        if isinstance(key, str):
            if key not in self._mirror.items:
                raise KeyError(key)
            return Item(self, key)
        found = list(self._mirror.items)[key]
        return [Item(self, one) for one in found] if isinstance(found, list) else Item(self, found)

    def __iter__(self) -> Iterator[Item]:
        return iter([Item(self, key) for key in self._mirror.items])

    def __contains__(self, key: object) -> bool:
        return (key.id if isinstance(key, (Item, Annotation)) else key) in self._mirror.items

    def __repr__(self) -> str:
        return f"Annotations({[item.value for item in self]})"

    @property
    def values(self) -> tuple[Annotation, ...]:
        """All of them as plain values, which do not change."""
        return tuple(self._mirror.items.values())

    @property
    def info(self) -> VolumeInfo:
        """The volume that they lie in."""
        return self._info()

    def value_of(self, key: str) -> Annotation:
        """Return the plain value of one.

        Raises
        ------
        AnnotationError
            If it was removed.
        """
        item = self._mirror.items.get(key)
        if item is None:
            raise AnnotationError(f"The annotation {key} was removed.")
        return item

    # -------------------------------------------------- editing

    def add(self, kind: str, points: Any, **fields: Any) -> Item:
        """Draw something.

        Parameters
        ----------
        kind : str
            "point", "distance", "polygon", …: see the documentation.
        points : sequence of (i, j, k)
            Voxel coordinates along the array's axes, as `crosshair_idx`.
        **fields
            axis, label, text, color, width, visible, locked, closed, group, id.
        """
        return self.append(annotation(kind, points, **fields))

    def append(self, item: Annotation | Item) -> Item:
        """Put an annotation last."""
        return self._put([item])[0]

    def extend(self, items: Iterable[Annotation | Item]) -> list[Item]:
        """Put several last, as one step of undo."""
        return self._put(list(items))

    def insert(self, index: int, item: Annotation | Item) -> Item:
        """Put an annotation in front of the one at `index`."""
        keys = list(self._mirror.items)
        behind = keys[index] if -len(keys) <= index < len(keys) else None
        return self._put([item], before=behind)[0]

    def _put(self, items: Sequence[Annotation | Item], before: str | None = None) -> list[Item]:
        values = [_checked(item) for item in items]
        present = [value.id for value in values if value.id in self._mirror.items]
        if present or len({value.id for value in values}) < len(values):
            raise AnnotationError(
                f"There is an annotation {(present or ['of the same id'])[0]} already.",
                hint="Change it, or add one with another id.",
            )
        self.edit([PutItem(value, before) for value in values])
        return [Item(self, value.id) for value in values]

    def remove(self, item: Annotation | Item | str) -> None:
        """Remove one, by itself or by its id."""
        key = item if isinstance(item, str) else item.id
        self.value_of(key)
        self.edit([RemoveItem(key)])

    def __delitem__(self, key: Any) -> None:
        found = self[key]
        some = found if isinstance(found, list) else [found]
        self.edit([RemoveItem(item.id) for item in some])

    def clear(self) -> None:
        """Remove all of them, as one step of undo."""
        self.edit([RemoveItem(key) for key in self._mirror.items])

    def replace(self, items: Iterable[Annotation | Item]) -> None:
        """Have these and no others, as one step of undo."""
        values = [_checked(item) for item in items]
        removals: list[Edit] = [RemoveItem(key) for key in self._mirror.items]
        self.edit([*removals, *(PutItem(value) for value in values)])

    def edit(self, edits: Sequence[Edit]) -> None:
        """Apply edits, all of them or none."""
        if not edits:
            return
        now_ms = time.time() * 1000 if self._batch is None else self._batch_ms
        author = Author(OWNER, now_ms, self._info().shape)
        self._mirror.try_out(edits, author)
        if self._batch is not None:
            self._batch.extend(edits)
            return
        self._post(edits, author)

    def _post(self, edits: Sequence[Edit], author: Author) -> None:
        change = self._take_change(is_remote=False)
        # Before observers hear of it: what they edit comes after it for everybody.
        self._mirror.post(edits, author, gesture=self._mirror.next_gesture())
        self._call_observers(change)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Join all edits inside to one: one step of undo, one call of each observer.

        An error inside takes all of them back.
        """
        if self._batch is not None:  # the outer one joins
            yield
            return
        edits = self._batch = []
        self._batch_ms = time.time() * 1000  # one moment for all of them
        try:
            yield
        except BaseException:
            self._batch = None
            self._mirror.roll_back()
            raise
        self._batch = None
        self._post(edits, Author(OWNER, self._batch_ms))

    # -------------------------------------------------- files

    def to_csv(self) -> str:
        """CSV text with one row for each annotation; `from_csv` reads it without a loss."""
        self._on_export("exported CSV")
        return table.to_csv(self.values)

    def from_csv(self, text: str) -> list[Item]:
        """Add the annotations of a CSV text, all or none; each as one new or replaced by its id."""
        return self._merge(table.from_csv(text))

    def to_frame(self) -> Any:  # Any: pandas.DataFrame
        """Return a pandas frame with one row for each annotation, by its id."""
        self._on_export("exported a table")
        return table.to_frame(self.values)

    def from_frame(self, frame: Any) -> list[Item]:
        """Add the annotations of a frame, as `from_csv` does."""
        return self._merge(table.from_frame(frame))

    def to_geojson(self, axis: int, slice_idx: int) -> str:
        """GeoJSON of the annotations in one section, in numbers of its axes."""
        self._on_export("exported GeoJSON")
        return geojson.to_geojson(self.values, self._info(), axis=axis, slice_idx=slice_idx)

    def from_geojson(
        self, text: str, *, axis: int | None = None, slice_idx: int | None = None
    ) -> list[Item]:
        """Add the annotations of a FeatureCollection; the section is its own, or the one given."""
        return self._merge(geojson.from_geojson(text, self._info(), axis=axis, slice_idx=slice_idx))

    def _merge(self, values: Sequence[Annotation]) -> list[Item]:
        self.edit([PutItem(value) for value in values])
        return [Item(self, value.id) for value in values]

    # -------------------------------------------------- measuring

    def measure(self, item: Annotation | Item, **options: Any) -> Any:  # Any: Measurement
        """Measure one: see `Viewer.measure`."""
        return self._measure(item, **options)

    # -------------------------------------------------- observing

    def observe(self, observer: Observer) -> None:
        """Call `observer` once for each change from now on, on the kernel's thread."""
        if observer not in self._observers:
            self._observers.append(observer)

    def unobserve(self, observer: Observer) -> None:
        """Call it no more."""
        self._observers.remove(observer)

    def tell(self, *, is_remote: bool) -> None:
        """Tell observers what is other than when they were told last; not for users."""
        if self._batch is None:
            self._call_observers(self._take_change(is_remote=is_remote))

    def _take_change(self, *, is_remote: bool) -> AnnotationsChange:
        """Compare with what was told last, and count it as told."""
        old, new = self._known, dict(self._mirror.items)
        self._known = new
        return AnnotationsChange(
            added=tuple(item for key, item in new.items() if key not in old),
            changed=tuple(
                item for key, item in new.items() if key in old and not item.looks_like(old[key])
            ),
            removed=tuple(item for key, item in old.items() if key not in new),
            is_remote=is_remote,
        )

    def _call_observers(self, change: AnnotationsChange) -> None:
        if not (change.added or change.changed or change.removed):
            return
        for observer in [*self._observers, self._on_change]:
            try:
                observer(change)
            except Exception:  # the user's, as in an observer of a trait that the browser set
                logger.exception("An observer of annotations failed")


def _checked(item: Annotation | Item) -> Annotation:
    value = item.value if isinstance(item, Item) else item
    if not isinstance(value, Annotation):
        raise AnnotationError(
            f"{type(item).__name__} is not an annotation.",
            hint='Use add("line", points), or annotation("line", points).',
        )
    fields = msgspec.structs.asdict(value)
    try:
        return typed(fields)
    except TypeError as exc:
        raise AnnotationError("The points are not sequences of three numbers.") from exc
