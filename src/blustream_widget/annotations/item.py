"""One annotation of a viewer, live: reading gives what is now, setting changes it for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from blustream_widget.core.annotation import Annotation, points_of, typed
from blustream_widget.core.annotation_messages import PutItem, RemoveItem, SetItem
from blustream_widget.core.measures import quantities_of
from blustream_widget.errors import AnnotationError

if TYPE_CHECKING:
    from blustream_widget.annotations.container import Annotations

_SETTABLE = frozenset(
    {"axis", "label", "text", "color", "width", "visible", "locked", "closed", "group", "points"}
)


class Item:
    """An annotation by its id.

    Parameters
    ----------
    owner : Annotations
    key : str

    Notes
    -----
    Has the fields of `Annotation`; all but id, kind, author and the times can be set.
    """

    __slots__ = ("_key", "_owner")
    _key: str
    _owner: Annotations

    def __init__(self, owner: Annotations, key: str) -> None:
        object.__setattr__(self, "_owner", owner)
        object.__setattr__(self, "_key", key)

    @property
    def id(self) -> str:
        """Its id, also after it was removed."""
        return self._key

    @property
    def value(self) -> Annotation:
        """What it is now, as a value that does not change."""
        return self._owner.value_of(self._key)

    def __getattr__(self, name: str) -> Any:
        if name in Annotation.__struct_fields__:
            return getattr(self.value, name)
        raise AttributeError(f"An annotation has no {name!r}.")

    def __setattr__(self, name: str, value: Any) -> None:
        self.update(**{name: value})

    def update(self, **fields: Any) -> None:
        """Change several fields at once.

        Raises
        ------
        AnnotationError
            A field is not valid, or not to be set; nothing is changed.
        """
        for name in fields:
            if name not in _SETTABLE:
                raise AnnotationError(
                    f"{name!r} of an annotation cannot be set.",
                    hint=f"These can: {', '.join(sorted(_SETTABLE))}.",
                )
        if "points" in fields:
            fields["points"] = points_of(fields["points"])
        item = typed(msgspec.structs.asdict(self.value) | fields)
        # Only what is set: what somebody else changes at this moment stays theirs.
        given = {name: getattr(item, name) for name in fields}
        self._owner.edit([PutItem(item) if "axis" in given else SetItem(self._key, **given)])

    def remove(self) -> None:
        """Remove it."""
        self._owner.edit([RemoveItem(self.value.id)])

    @property
    def quantities(self) -> dict[str, tuple[float, str]]:
        """Number and unit by name: {"distance": (38.2, "mm")}."""
        found = quantities_of(self.value, self._owner.info)
        return {quantity.name: (quantity.value, quantity.unit) for quantity in found}

    def measure(self, **options: Any) -> Any:  # Any: Measurement, as `Viewer.measure` says
        """Measure it with the voxels inside: see `Viewer.measure`."""
        return self._owner.measure(self, **options)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Item) and other._key == self._key and other._owner is self._owner

    def __hash__(self) -> int:
        return hash(self._key)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *Annotation.__struct_fields__]

    def __repr__(self) -> str:
        return repr(self.value) if self in self._owner else f"Item({self._key!r}, removed)"
