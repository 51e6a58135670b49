"""Labels over a viewer's slices in Python: each an object with traits of how it looks, two-way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec
import traitlets as t

from blustream_widget._colors import check_label, styled_labels
from blustream_widget.core.palettes import LabelStyle
from blustream_widget.core.segmentation import (
    SegmentationInfo,
    SegmentationLook,
    checked_looks,
)
from blustream_widget.core.types import Channel
from blustream_widget.errors import BlustreamError, ProcessingError, StateError
from blustream_widget.label_desk import EditDesk, LabelStore
from blustream_widget.label_editing import LabelEditing
from blustream_widget.layer_items import LayerItem
from blustream_widget.view_traits import TraitStateError

_LOOK = ("visible", "opacity", "style", "hidden", "opacities", "first_color")
_OWN = ("colors", "names")


class _LabelsTrait(t.Tuple):
    """Label values, in whatever a user keeps them; kept as a tuple in their order."""

    def validate(self, obj: Any, value: Any) -> Any:
        return super().validate(
            obj, tuple(value) if isinstance(value, (list, set, range)) else value
        )


class _FactorsTrait(t.Dict):
    """Numbers by label value; a copy, for the one that was given stays the user's."""

    def validate(self, obj: Any, value: Any) -> Any:
        return dict(super().validate(obj, value) or {})


class Segmentation(LabelEditing, LayerItem[SegmentationLook]):
    """Labels over the slices; setting a trait changes the view, and the view changes the trait.

    Parameters
    ----------
    look : SegmentationLook
    info : SegmentationInfo
    post : callable
        Has the view take a new look of this segmentation.
    refresh : callable
        Has the labels read again.
    put : callable
        Brings colours and names of labels.
    count : callable
        Asks for the values of a channel under the labels.
    desk : EditDesk
    store : LabelStore
    """

    LOOK: ClassVar[tuple[str, ...]] = _LOOK

    style = t.Unicode("fill", help='"fill", "outline" or "both".')
    hidden = _LabelsTrait((), help="Labels that are not drawn.")
    opacities = _FactorsTrait(
        {},
        help="Opacity of single labels, {3: 0.2}: 0 to 1, a factor on what they would have "
        "otherwise, as in 3D Slicer and OHIF. The others have 1, and 1 is not kept.",
    )
    first_color = t.Int(
        0,
        help="0 to 1022: label v has the usual colour of label v + first_color. Each segmentation "
        "that is added begins with another colour; with 0 label 1 is green.",
    )
    colors = t.Dict({}, help='Colours of labels, {3: "#ff8800"}; the others keep theirs.')
    names = t.Dict({}, help='Names of labels, {3: "salt"}, beside those of the file.')

    def __init__(
        self,
        look: SegmentationLook,
        info: SegmentationInfo,
        *,
        post: Callable[[SegmentationLook], None],
        refresh: Callable[[], None],
        put: Callable[[LabelStyle], None],
        count: Callable[[int], None],
        desk: EditDesk,
        store: LabelStore,
    ) -> None:
        self._put = put
        self._count = count
        self._desk = desk
        self._store = store
        self._failure: BlustreamError | None = None
        super().__init__(look, info, post=post, refresh=refresh)

    def __repr__(self) -> str:
        shown = f"{self.style}, {self.opacity:g}" if self.visible else "hidden"
        return f"<Segmentation {self.name!r}: {shown}>"

    @property
    def _channel(self) -> Channel:
        return self._info.channel

    @property
    def _names(self) -> dict[int, str]:
        return {int(label): str(name) for label, name in self.names.items()}

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
        super().refresh()

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
            if name in ("hidden", "opacities"):
                for label in value:
                    check_label(label, [self._info.channel])
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None  # one error, not two
        return self._checked_field(name, value)

    @t.observe(*_LOOK)
    def _on_look(self, change: Any) -> None:
        self._change_field(change["name"], change["new"])

    @t.observe(*_OWN)
    def _on_own(self, _change: Any) -> None:
        style = self._styled()
        is_empty = not (style.colors or style.names)
        if not is_empty:
            self._put(style)
        self._change(self._changed("label_style", "" if is_empty else style.name))

    def _check_look(self, fields: dict[str, Any]) -> SegmentationLook:
        (look,) = checked_looks([fields])
        return look

    def _styled(self, **change: Any) -> LabelStyle:
        given = {"colors": self.colors, "names": self.names} | change
        return styled_labels(given["colors"], given["names"], [self._info.channel])

    # -------------------------------------------------- what the view says; not for users

    def hear(self, news: SegmentationInfo | BlustreamError) -> None:
        """Take what was counted, or why it was not; from any thread, not for users."""
        with self._news:
            if isinstance(news, BlustreamError):
                self._failure = news
        super().hear(news)

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
