"""Labels over a viewer's slices in Python: each an object with traits of how it looks, two-way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
import traitlets as t

from blustream_widget._colors import check_label, styled_labels
from blustream_widget.core.palettes import LabelStyle
from blustream_widget.core.segmentation import (
    SegmentationInfo,
    SegmentationLook,
    checked_looks,
)
from blustream_widget.errors import BlustreamError, ProcessingError, StateError
from blustream_widget.view_traits import TraitStateError

_LOOK = ("visible", "opacity", "style", "hidden")
_OWN = ("colors", "names")


class _LabelsTrait(t.Tuple):
    """Label values, in whatever a user keeps them; kept as a tuple in their order."""

    def validate(self, obj: Any, value: Any) -> Any:
        return super().validate(
            obj, tuple(value) if isinstance(value, (list, set, range)) else value
        )


class Segmentation(t.HasTraits):
    """Labels over the slices; setting a trait changes the view, and the view changes the trait.

    Parameters
    ----------
    look : SegmentationLook
    info : SegmentationInfo
    post : callable
        Has the view take a new look of this segmentation.
    put : callable
        Brings colours and names of labels.
    count : callable
        Asks for the values of a channel under the labels.
    refresh : callable
        Has the labels read again.
    """

    visible = t.Bool(True, help="Drawn at all.")
    opacity = t.Float(0.5, help="Of the fill, or of an outline alone; 0 to 1.")
    style = t.Unicode("fill", help='"fill", "outline" or "both".')
    hidden = _LabelsTrait((), help="Labels that are not drawn.")
    colors = t.Dict({}, help='Colours of labels, {3: "#ff8800"}; the others keep theirs.')
    names = t.Dict({}, help='Names of labels, {3: "salt"}, beside those of the file.')

    def __init__(
        self,
        look: SegmentationLook,
        info: SegmentationInfo,
        *,
        post: Callable[[SegmentationLook], None],
        put: Callable[[LabelStyle], None],
        count: Callable[[int], None],
        refresh: Callable[[], None],
    ) -> None:
        self._look = look
        self._info = info
        self._post = post
        self._put = put
        self._count = count
        self._refresh = refresh
        self._news = threading.Condition()
        self._failure: BlustreamError | None = None
        self._is_following = True
        super().__init__(**{name: getattr(look, name) for name in _LOOK})
        self._is_following = False

    def __repr__(self) -> str:
        shown = f"{self.style}, {self.opacity:g}" if self.visible else "hidden"
        return f"<Segmentation {self.name!r}: {shown}>"

    @property
    def name(self) -> str:
        """Its key in `Viewer.segmentations`."""
        return self._look.name

    @property
    def look(self) -> SegmentationLook:
        """How it is drawn, as the view's state has it."""
        return self._look

    @property
    def labels(self) -> dict[int, str]:
        """Labels that occur, with their names ("" where they have none); waits for the count.

        Raises
        ------
        ProcessingError
            They were not counted within a minute.
        """
        info = self._counted(lambda info: info.is_counted, 60.0)
        names = info.channel.label_names | self.names
        return {one.value: names.get(one.value, "") for one in info.labels}

    def statistics(
        self, channel: int | None = None, *, timeout_s: float = 300.0
    ) -> list[dict[str, Any]]:
        """Count and volume of each label, and what the shown volume has under it.

        Parameters
        ----------
        channel : int, optional
            Of the shown volume, for mean and standard deviation of the values under each label;
            needs labels on the volume's own grid. Default: counts and volumes alone.
        timeout_s : float

        Returns
        -------
        list of dict
            For each label that occurs, in order: label, name, count (voxels), volume, unit,
            centre (voxel coordinates of the shown volume), mean, sd. `pandas.DataFrame` takes it.

        Raises
        ------
        StateError
            The labels lie on another grid, or there are too many.
        ProcessingError
            They were not counted in time.

        Notes
        -----
        Of label volumes of more than 64 million voxels that are read from a file, a coarser level
        is counted: count and volume are estimates there, and `lod` says so.
        """
        if channel is None:
            info = self._counted(lambda info: info.is_counted, timeout_s)
        else:
            self._failure = None
            self._count(channel)
            info = self._counted(
                lambda info: info.is_counted and info.values_of == channel, timeout_s
            )
        names = info.channel.label_names | self.names
        return [
            {
                "label": one.value,
                "name": names.get(one.value, ""),
                "count": one.count * 8**info.lod,
                "volume": one.count * info.voxel_volume,
                "unit": info.volume_unit,
                "centre": one.centre,
                "mean": one.mean,
                "sd": one.sd,
                "lod": info.lod,
            }
            for one in info.labels
        ]

    def refresh(self) -> None:
        """Show and count what was changed in place in the array that this was made from.

        Raises
        ------
        StateError
            It was made from a file, or from a channel.
        """
        with self._news:
            self._info = msgspec.structs.replace(self._info, is_counted=False)
        self._refresh()

    # -------------------------------------------------- traits: check, then post

    @t.validate(*_LOOK, *_OWN)
    def _checked(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if self._is_following:
            return value
        try:
            if name in _OWN:
                self._styled(**{name: value})
                return value
            if name == "hidden":
                for label in value:
                    check_label(label, [self._info.channel])
            return getattr(self._changed(name, value), name)
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None  # one error, not two

    @t.observe(*_LOOK)
    def _on_look(self, change: Any) -> None:
        if not self._is_following:
            self._change(self._changed(change["name"], change["new"]))

    @t.observe(*_OWN)
    def _on_own(self, _change: Any) -> None:
        style = self._styled()
        is_empty = not (style.colors or style.names)
        if not is_empty:
            self._put(style)
        self._change(self._changed("label_style", "" if is_empty else style.name))

    def _changed(self, name: str, value: Any) -> SegmentationLook:
        fields = msgspec.structs.asdict(self._look) | {name: value}
        (look,) = checked_looks([fields])
        return look

    def _change(self, look: SegmentationLook) -> None:
        if look != self._look:
            self._look = look
            self._post(look)

    def _styled(self, **change: Any) -> LabelStyle:
        given = {"colors": self.colors, "names": self.names} | change
        return styled_labels(given["colors"], given["names"], [self._info.channel])

    # -------------------------------------------------- what the view says; not for users

    def follow(self, look: SegmentationLook) -> None:
        """Take how it looks now; not for users."""
        self._look = look
        before, self._is_following = self._is_following, True
        try:
            with self.hold_trait_notifications():
                for name in _LOOK:
                    self.set_trait(name, getattr(look, name))
        finally:
            self._is_following = before

    def hear(self, news: SegmentationInfo | BlustreamError) -> None:
        """Take what was counted, or why it was not; from any thread, not for users."""
        with self._news:
            if isinstance(news, BlustreamError):
                self._failure = news
            else:
                self._info = news
            self._news.notify_all()

    def _counted(
        self, is_wanted: Callable[[SegmentationInfo], bool], timeout_s: float
    ) -> SegmentationInfo:
        with self._news:
            self._news.wait_for(
                lambda: self._failure is not None or is_wanted(self._info), timeout_s
            )
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            if not is_wanted(self._info):
                raise ProcessingError(
                    f"The labels of {self.name!r} were not counted within {timeout_s:g} s.",
                    hint="Ask again: they are counted in the background.",
                )
            return self._info


class Segmentations(Mapping[str, Segmentation]):
    """The segmentations of a viewer by name, the lowest first."""

    def __init__(self) -> None:
        self._items: dict[str, Segmentation] = {}

    def __getitem__(self, name: str) -> Segmentation:
        try:
            return self._items[name]
        except KeyError:
            raise unknown(name, self._items) from None

    def __iter__(self) -> Iterator[str]:
        return iter(tuple(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __repr__(self) -> str:
        return repr(list(self._items.values()))

    def put(self, item: Segmentation) -> None:
        """Add one; not for users."""
        self._items[item.name] = item

    def drop(self, name: str) -> None:
        """Take one away; not for users."""
        self._items.pop(name, None)


class UnknownSegmentationError(StateError, KeyError):
    """There is no segmentation of that name: ours, and what users of mappings expect."""

    code = "no-segmentation"
    __str__ = BlustreamError.__str__  # KeyError shows the repr


def unknown(name: str, known: Mapping[str, Segmentation]) -> UnknownSegmentationError:
    """Say that there is no such segmentation, and which there are."""
    return UnknownSegmentationError(
        f"There is no segmentation {name!r}.", hint=f"There are: {', '.join(known) or 'none'}."
    )
