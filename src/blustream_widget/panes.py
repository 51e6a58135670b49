"""Panes of a viewer in Python: each an object with the traits of what it shows, two-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, overload

import traitlets as t

from blustream_widget._trait_lock import LockedTraits
from blustream_widget._user_words import patch_of
from blustream_widget.core.panes import view_of
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError
from blustream_widget.view_traits import AxisTrait, TraitStateError

PANE_TRAITS = (
    "axis",
    "slice_idx",
    "slice_no",
    "time_idx",
    "time",
    "channel",
    "window",
    "level",
    "colormap",
    "reverse",
    "zoom",
    "pan",
    "stretch",
    "interpolate",
    "rotation",
    "flip_x",
    "flip_y",
    "slab",
    "slab_mode",
    "display",
    "wiggle_excursion",
    "wiggle_fill",
    "wiggle_polarity",
    "section",
)

CheckPane = Callable[[int, str, Any], Any]
Current = Callable[[], tuple[ViewState, VolumeInfo]]


class Pane(LockedTraits):
    """One pane of a viewer; setting a trait changes the view, and the view changes the trait.

    Parameters
    ----------
    index : int
        Its number in `Viewer.panes`.
    check : callable
        Raises `StateError` for a value that cannot be; gives the value as the trait has it.
    post : callable
        Changes the view; told also of what is as it was known here, with `is_said`.
    """

    axis = AxisTrait("", help="Axis the slice is taken across, by name or number.")
    slice_idx = t.Int(0, help="0-based position of the slice along the axis.")
    slice_no = t.Float(0.0, help="Position of the slice as survey number.")
    time_idx = t.Int(0, help="Step in time, 0-based; 0 where there is no time axis.")
    time = t.Float(0.0, help="The same as a time, in the unit of the time axis.")
    channel = t.Int(0, help="Shown channel, 0-based.")
    window = t.Float(1.0, help="Full width of the display range, in the data's unit.")
    level = t.Float(0.5, help="Centre of the display range, in the data's unit.")
    colormap = t.Unicode("grey", help="Colour map, one of Viewer.colormaps.")
    reverse = t.Bool(False, help="Colour map from the other end.")
    zoom = t.Float(1.0, help="1 shows the whole slice; 0.1 to 256.")
    pan = t.Tuple(t.Float(), t.Float(), default_value=(0.5, 0.5), help="Point in the middle.")
    stretch = t.Float(1.0, help="Vertical exaggeration, 0.05 to 50.")
    interpolate = t.Bool(True, help="Linear between voxels; False shows blocks.")
    rotation = t.Int(0, help="Turned clockwise by 0, 90, 180 or 270 degrees.")
    flip_x = t.Bool(False, help="Mirrored left to right, after the rotation.")
    flip_y = t.Bool(False, help="Mirrored top to bottom, after the rotation.")
    slab = t.Int(1, help="Slices reduced to one picture, 1 (none) to 512; not of label channels.")
    slab_mode = t.Unicode("max", help="max, min, mean or rms of the slab.")
    display = t.Unicode("density", help="density, wiggle or wiggle+density: seismic sections.")
    wiggle_excursion = t.Float(1.0, help="Deflection of half the window, in wiggles; 0.1 to 10.")
    wiggle_fill = t.Bool(True, help="Fill what deflects to the right.")
    wiggle_polarity = t.Unicode("normal", help="normal, or reverse: low values to the right.")
    section = t.Any(None, help="Fence or Oblique in the place of the slice; None: the slice.")
    size = t.Tuple((0, 0), read_only=True, help="Size in device pixels; (0, 0): not on the page.")

    def __init__(self, index: int, *, check: CheckPane, post: PostPane) -> None:
        self.index = index
        self._check_value = check
        self._post_value = post
        self._is_following = True
        super().__init__()
        self._is_following = False

    def __repr__(self) -> str:
        return f"<Pane {self.index}: {self.axis} {self.slice_no:g}>"

    @t.validate(*PANE_TRAITS)
    def _checked(self, proposal: Any) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        if self._is_following:
            return value
        try:
            checked = self._check_value(self.index, name, value)
        except StateError as exc:
            raise TraitStateError(exc.message, hint=exc.hint) from None  # one error, not two
        if checked == getattr(self, name) and not self.is_held:
            self._post_value(self.index, name, value, is_said=True)  # nothing is notified
        return checked

    @t.observe(*PANE_TRAITS)
    def _changed(self, change: Any) -> None:
        name = change["name"]
        is_said = self._take_set_in_block(name)
        if not self._is_following:
            self._post_value(self.index, name, change["new"], is_said=is_said)

    def _said(self, name: str, value: Any) -> None:
        if name in PANE_TRAITS and not self._is_following:
            try:
                self._post_value(self.index, name, value, is_said=True)
            except StateError as exc:
                raise TraitStateError(exc.message, hint=exc.hint) from None

    def follow(self, values: dict[str, Any], size: tuple[int, int]) -> None:
        """Take what the view shows now; not for users."""
        before, self._is_following = self._is_following, True
        try:
            with self.hold_trait_notifications():
                for name, value in values.items():
                    self.set_trait(name, value)
                self.set_trait("size", size)
        finally:
            self._is_following = before


class PostPatch(Protocol):
    """Changes the view by a patch; `is_said`: also where it is known to be so already."""

    def __call__(self, patch: dict[str, Any], *, is_said: bool = False) -> None: ...


class PostPane(Protocol):
    """Sets a trait of a pane, by its number."""

    def __call__(self, index: int, name: str, value: Any, *, is_said: bool = False) -> None: ...


class Panes(Sequence[Pane]):
    """The panes of a viewer, as many as its layout has; the same objects as long as it lasts.

    Parameters
    ----------
    current : callable
        The view's state, and the volume.
    post : callable
        Changes the view by a patch.
    """

    def __init__(self, current: Current, post: PostPatch) -> None:
        self._current = current
        self._post = post
        self._panes: list[Pane] = []
        self._n = 0

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, at: int) -> Pane: ...
    @overload
    def __getitem__(self, at: slice) -> list[Pane]: ...
    def __getitem__(self, at: int | slice) -> Pane | list[Pane]:
        return self._panes[: self._n][at]

    def __iter__(self) -> Iterator[Pane]:
        return iter(self._panes[: self._n])

    def __repr__(self) -> str:
        return repr(list(self))

    def show(self, axis: str, viewer: Any) -> None:
        """Put the pane of a plane into use, or show the plane in the one in use; not for users."""
        state, info = self._current()
        names = [info.axes[pane.axis].name for pane in state.panes]
        if axis in names:
            viewer.active = names.index(axis)
        else:
            viewer.axis = axis

    def follow(self, state: ViewState, info: VolumeInfo) -> None:
        """Take over what the view shows now; not for users."""
        self._n = max(len(state.panes), 1)
        while len(self._panes) < self._n:
            self._panes.append(Pane(len(self._panes), check=self._check, post=self._set))
        for pane in self:
            view = view_of(state, pane.index)
            pane.follow(values_of(view, info), (view.width_px, view.height_px))

    def _check(self, index: int, name: str, value: Any) -> Any:
        state, info = self._current()
        new = state.with_patch(patch_of_pane(index, name, value, info, state), info)
        return values_of(view_of(new, index), info)[name]

    def _set(self, index: int, name: str, value: Any, *, is_said: bool = False) -> None:
        state, info = self._current()
        self._post(patch_of_pane(index, name, value, info, state), is_said=is_said)


def values_of(view: ViewState, info: VolumeInfo) -> dict[str, Any]:
    """Give the traits' values for a view of one pane."""
    axis, index = info.axes[view.axis], view.slice_idx[view.axis]
    in_our_words = {
        "axis": axis.name,
        "slice_idx": index,
        "slice_no": axis.first + axis.step * index,
        "time": 0.0 if info.time is None else info.time.at(view.time_idx),
    }
    others = (name for name in PANE_TRAITS if name not in in_our_words)
    return in_our_words | {name: getattr(view, name) for name in others}


def patch_of_pane(
    index: int, name: str, value: Any, info: VolumeInfo, state: ViewState
) -> dict[str, Any]:
    """Say as a patch of the state what setting a trait of a pane asks for.

    Raises
    ------
    StateError
        A value that the pane cannot have.
    """
    n = max(len(state.panes), 1)
    if index >= n:
        raise StateError(f"There is no pane {index}.", hint=f"The layout has {n}.")
    patch = patch_of(name, value, info, view_of(state, index))
    if index == state.active or not state.panes:
        return patch
    # Its alone: what the others show may be known here as it was a while ago.
    return {"panes": {str(index): patch}}
