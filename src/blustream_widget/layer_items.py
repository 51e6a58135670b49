"""What lies over a viewer's slices, in Python: objects with traits of how they look, by name."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
import traitlets as t

from blustream_widget._trait_lock import LockedTraits
from blustream_widget.core.looks import Look
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.errors import BlustreamError, StateError
from blustream_widget.view_traits import TraitStateError

L = TypeVar("L", bound=Look)


class LayerItem(LockedTraits, Generic[L]):
    """Something over the slices; a trait that is set changes the view, and the view the trait.

    Parameters
    ----------
    look : Look
    info : SegmentationInfo
    post : callable
        Has the view take a new look of it.
    refresh : callable
        Has its values read again.

    Notes
    -----
    A kind of them names its traits in `LOOK` and passes what traitlets say of these to
    `_checked_field` and `_change_field`.
    """

    LOOK: ClassVar[tuple[str, ...]] = ("visible", "opacity")

    visible = t.Bool(True, help="Drawn at all.")
    opacity = t.Float(0.5, help="0 to 1.")

    def __init__(
        self,
        look: L,
        info: SegmentationInfo,
        *,
        post: Callable[[L], None],
        refresh: Callable[[], None],
    ) -> None:
        self._look = look
        self._info = info
        self._post = post
        self._refresh = refresh
        self._news = threading.Condition()
        self._is_following = True
        super().__init__(**{name: getattr(look, name) for name in self.LOOK})
        self._is_following = False

    @property
    def name(self) -> str:
        """Its key in the viewer."""
        return self._look.name

    @property
    def look(self) -> L:
        """How it is drawn, as the view's state has it."""
        return self._look

    def refresh(self) -> None:
        """Show what was changed in place in the array that this was made from.

        Raises
        ------
        StateError
            It was made from a file, or from a channel.
        """
        self._refresh()

    def follow(self, look: L) -> None:
        """Take how it looks now; not for users."""
        self._look = look
        before, self._is_following = self._is_following, True
        try:
            with self.hold_trait_notifications():
                for name in self.LOOK:
                    self.set_trait(name, getattr(look, name))
        finally:
            self._is_following = before

    def hear(self, news: SegmentationInfo | BlustreamError) -> None:
        """Take what is known of it, or why it is not; from any thread, not for users."""
        with self._news:
            if isinstance(news, SegmentationInfo):
                self._info = news
            self._news.notify_all()

    def _check_look(self, fields: dict[str, Any]) -> L:
        """Give a look of its kind; raises StateError where it cannot be."""
        raise NotImplementedError

    def _checked_field(self, name: str, value: Any) -> Any:
        """Check a trait that is a field of the look."""
        if self._is_following:
            return value
        try:
            return getattr(self._changed(name, value), name)
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None  # one error, not two

    def _change_field(self, name: str, value: Any) -> None:
        if not self._is_following:
            self._change(self._changed(name, value))

    def _changed(self, name: str, value: Any) -> L:
        return self._check_look(msgspec.structs.asdict(self._look) | {name: value})

    def _change(self, look: L) -> None:
        if look != self._look:
            self._look = look
            self._post(look)


Item = TypeVar("Item", bound=LayerItem[Any])


class LayerItems(Mapping[str, Item]):
    """Such objects of a viewer by name, the lowest first.

    Parameters
    ----------
    word : str
        What one is called, for errors.
    """

    def __init__(self, word: str) -> None:
        self._word = word
        self._items: dict[str, Item] = {}

    def __getitem__(self, name: str) -> Item:
        try:
            return self._items[name]
        except KeyError:
            raise self.unknown(name) from None

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __repr__(self) -> str:
        return repr(list(self._items.values()))

    def unknown(self, name: str) -> UnknownLayerError:
        """Say that there is none of that name, and which there are; not for users."""
        return UnknownLayerError(
            f"There is no {self._word} {name!r}.",
            hint=f"There are: {', '.join(self._items) or 'none'}.",
        )

    def put(self, item: Item) -> None:
        """Add one; not for users."""
        self._items[item.name] = item

    def drop(self, name: str) -> None:
        """Take one away; not for users."""
        self._items.pop(name, None)


class UnknownLayerError(StateError, KeyError):
    """There is nothing of that name: ours, and what users of mappings expect."""

    code = "no-layer"
    __str__ = BlustreamError.__str__  # KeyError shows the repr
