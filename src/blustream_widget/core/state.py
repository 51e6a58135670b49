"""The one truth of what is shown: `ViewState`, changed only by `with_patch`."""

from __future__ import annotations

from typing import Any

import msgspec

from blustream_widget.core.geometry import turned_pan
from blustream_widget.core.layouts import PaneState
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.panes import (
    PANES_FIELDS,
    Views,
    change_panes,
    views_of,
)
from blustream_widget.core.sections import Section, followed
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state_checks import (
    CHECKS,
    MIN_VOXELS_SHOWN,
    PAN_MAX,
    PAN_MIN,
    PANE_MAX_PIXELS,
    PANE_MAX_PX,
    PANE_MIN_PX,
    STRETCH_MAX,
    STRETCH_MIN,
    WINDOW_MAX,
    WINDOW_MIN,
    ZOOM_MAX,
    ZOOM_MIN,
    check_channel,
    slice_positions,
)
from blustream_widget.core.time_axis import MAX_STEPS, TimeAxis
from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.errors import StateError

__all__ = [
    "MIN_VOXELS_SHOWN",
    "PANE_MAX_PIXELS",
    "PANE_MAX_PX",
    "PANE_MIN_PX",
    "PAN_MAX",
    "PAN_MIN",
    "STRETCH_MAX",
    "STRETCH_MIN",
    "WINDOW_MAX",
    "WINDOW_MIN",
    "ZOOM_MAX",
    "ZOOM_MIN",
    "ViewState",
    "auto_window",
    "channel_view",
    "check_fields",
    "first_state",
]


class ViewState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one view of a volume shows.

    Parameters
    ----------
    revision : int
        Grows by one with every change.
    axis : int
        0, 1, 2: the axis the slice is taken across.
    slice_idx : tuple of int
        0-based position on each of the three axes; the one of `axis` is shown. The three slices
        meet in this voxel: it is where the crosshair lies.
    time_idx : int
        0-based step of a series; 0 where the volume has no time axis.
    channel : int
    window, level : float
        Full width (positive) and centre of the display range, in the channel's unit.
    colormap : str
        One of `COLORMAPS`, or the name of a user's map (`core.palettes`).
    reverse : bool
        Colour map from the other end.
    below_color, above_color : str
        "#rrggbb" of values below and above the window; "" = the colour of the map's end.
    no_value_color : str
        "#rrggbb" where there is no value; "" = that of the surround.
    label_style : str
        Name of the user's colours and names of labels (`core.palettes`); "" = none.
    zoom : float
        1 = the whole slice fits; ZOOM_MIN to ZOOM_MAX.
    pan : tuple of float
        Point of the slice in the pane's centre, as screen-oriented fractions; (0.5, 0.5) = middle.
    stretch : float
        Vertical exaggeration; 1 = as it is.
    interpolate : bool
        Linear between voxels (amplitudes); False shows voxels as blocks. Labels are never
        interpolated.
    north_up : bool
        Lay time slices of a survey with known coordinates as a map, to the nearest quarter turn.
    rotation : int
        Degrees that the slice is turned by on the screen, clockwise: 0, 90, 180, 270.
    flip_x, flip_y : bool
        Mirror it left to right, top to bottom; after the rotation.
    slab : int
        Slices around the shown one that are reduced to one picture, 1 (none) to SLAB_MAX.
    slab_mode : str
        One of `SLAB_MODES`.
    display : str
        One of `DISPLAYS`: what sections of a survey are drawn as. Time slices and labels are always
        colours.
    wiggle_excursion : float
        Deflection of half a window, in distances between the drawn wiggles.
    wiggle_fill : bool
        Fill what deflects to the right.
    wiggle_polarity : str
        One of `POLARITIES`.
    section : Fence, Oblique or None
        Shown in the place of the slice. An oblique plane goes where `slice_idx` goes; another
        `axis` ends it.
    crosshair : bool
        Show where the two other slices cut the shown one. Drawn by each viewer over the picture.
    segmentations : tuple of SegmentationLook
        Labels over the slices of all panes, the lowest first.
    show_segmentations : bool
        False hides them all, whatever each of them says.
    overlays : tuple of OverlayLook
        Other values over the slices of all panes, the lowest first; all below the segmentations.
    show_overlays : bool
        False hides them all, whatever each of them says.
    width_px, height_px : int
        Size of the picture in device pixels; even numbers (video planes are halved).
    layout : str
        One of `LAYOUTS`, or a grid of rows x columns: "2x3". All fields above are those of the
        active pane.
    panes : tuple of PaneState
        All panes, the active one too; empty while there is one alone.
    pane_sizes : tuple of (int, int)
        Size of each pane in device pixels; (0, 0) for one that has no place on the page.
    active : int
        Number of the pane in use.
    linked : bool
        Panes share the place and the colours; otherwise each has its own.
    maximised : bool
        Only the active pane is shown.
    columns, rows : tuple of float
        Shares of the columns' widths and the rows' heights; empty: equal.
    """

    revision: int = 0
    axis: int = 0
    slice_idx: tuple[int, int, int] = (0, 0, 0)
    time_idx: int = 0
    channel: int = 0
    window: float = 1.0
    level: float = 0.5
    colormap: str = "grey"
    reverse: bool = False
    below_color: str = ""
    above_color: str = ""
    no_value_color: str = ""
    label_style: str = ""
    zoom: float = 1.0
    pan: tuple[float, float] = (0.5, 0.5)
    stretch: float = 1.0
    interpolate: bool = True
    north_up: bool = False
    rotation: int = 0
    flip_x: bool = False
    flip_y: bool = False
    slab: int = 1
    slab_mode: str = "max"
    display: str = "density"
    wiggle_excursion: float = 1.0
    wiggle_fill: bool = True
    wiggle_polarity: str = "normal"
    section: Section | None = None
    crosshair: bool = False
    segmentations: tuple[SegmentationLook, ...] = ()
    show_segmentations: bool = True
    overlays: tuple[OverlayLook, ...] = ()
    show_overlays: bool = True
    width_px: int = 960
    height_px: int = 540
    layout: str = "single"
    panes: tuple[PaneState, ...] = ()
    pane_sizes: tuple[tuple[int, int], ...] = ()
    active: int = 0
    linked: bool = True
    maximised: bool = False
    columns: tuple[float, ...] = ()
    rows: tuple[float, ...] = ()

    def with_patch(self, patch: dict[str, Any], info: VolumeInfo) -> ViewState:
        """Return the state with `patch` applied and `revision` + 1, or itself if nothing changes.

        Parameters
        ----------
        patch : dict
            Field names and new values. `slice_idx` may be one int (for the axis after the patch) or
            three. `revision` may not be given. What lies in the middle of the pane stays there
            when the slice is turned without a `pan`.
        info : VolumeInfo
            The volume that bounds axis, slice and channel.

        Raises
        ------
        StateError
            Names the field and the allowed range; nothing is changed.
        """
        if not patch:
            return self
        values: dict[str, Any] = {}
        for name, value in patch.items():
            check = CHECKS.get(name)
            if check is None:
                known = ", ".join(sorted(CHECKS))
                raise StateError(f"There is no view setting {name!r}.", hint=f"Known: {known}.")
            values[name] = check(name, value, info)
        if "slice_idx" in patch:
            values["slice_idx"] = _slice_of_patch(self, values, info)
        if _SECTIONS.isdisjoint(values):
            values |= _section_after(self, values)
        if not _TURNS.isdisjoint(values) and _CAMERAS.isdisjoint(values):
            values["pan"] = _turned_pan(self, values)
        if self.panes or not PANES_FIELDS.isdisjoint(values):
            new = change_panes(self, values, info)
        else:
            new = msgspec.structs.replace(self, **values)
        if new.width_px * new.height_px > PANE_MAX_PIXELS:
            raise StateError(
                f"A picture of {new.width_px} x {new.height_px} pixels is too large.",
                hint=f"At most {PANE_MAX_PIXELS} pixels, for example 3840 x 2160.",
            )
        if new == self:
            return self
        return msgspec.structs.replace(new, revision=self.revision + 1)

    def looks_like(self, other: ViewState) -> bool:
        """Whether both give the same picture: they differ in revision and crosshair at most."""
        if self.panes or other.panes:
            return _pictured(views_of(self)) == _pictured(views_of(other))
        return self._pictured() == other._pictured()

    def _pictured(self) -> ViewState:
        slice_idx = self.slice_idx[self.axis]
        return msgspec.structs.replace(
            self, revision=0, crosshair=False, slice_idx=(slice_idx, slice_idx, slice_idx)
        )


_TURNS = frozenset(("rotation", "flip_x", "flip_y"))
_CAMERAS = frozenset(("pan", "panes", "active", "layout"))
"""Fields that say themselves which point lies in the middle."""
_SECTIONS = frozenset(("section", "panes", "active", "layout"))
"""Fields that say themselves which section is shown."""


def _turned_pan(state: ViewState, values: dict[str, Any]) -> tuple[float, float]:
    before = (state.rotation, state.flip_x, state.flip_y)
    after = (
        values.get("rotation", state.rotation),
        values.get("flip_x", state.flip_x),
        values.get("flip_y", state.flip_y),
    )
    return turned_pan(state.pan, before, after)


def _section_after(state: ViewState, values: dict[str, Any]) -> dict[str, Any]:
    if "axis" in values:
        return {"section": None}
    now = values.get("slice_idx", state.slice_idx)
    return {"section": followed(state.section, state.slice_idx, now)}


def _pictured(views: Views) -> tuple[tuple[int, ViewState], ...]:
    return tuple((index, view._pictured()) for index, view in views)


def _slice_of_patch(
    state: ViewState, values: dict[str, Any], info: VolumeInfo
) -> tuple[int, int, int]:
    """Positions that a patch asks for, of the pane that is the active one after it."""
    axis, at = state.axis, state.slice_idx
    active = values.get("active", state.active)
    if active != state.active and active < len(state.panes):
        axis, at = state.panes[active].axis, state.panes[active].slice_idx
    return slice_positions(values["slice_idx"], values.get("axis", axis), at, info)


def check_fields(patch: dict[str, Any]) -> None:
    """Check a patch as far as that is possible before a volume is open.

    Raises
    ------
    StateError
        As `ViewState.with_patch`, but positions and channels have no upper bound yet.
    """
    axis = Axis(name="axis", unit="", n=2**31, first=0.0, step=1.0, spacing=1.0)
    channel = Channel(name="", unit="", dtype="float32", value_min=0.0, value_max=1.0)
    unbounded = VolumeInfo(
        name="",
        kind="generic",
        axes=(axis,) * 3,
        channels=(channel,) * 4096,
        time=TimeAxis(MAX_STEPS),
    )
    ViewState().with_patch(patch, unbounded)


def auto_window(channel: Channel, *, symmetric: bool) -> tuple[float, float]:
    """(window, level) that shows a channel well, from its percentiles.

    Symmetric: p98 of |value| around zero, the seismic custom. Otherwise 0.1 % off both ends.
    Always a window and a level that a state may have, also for constant data.
    """
    if channel.is_label:
        low, high = channel.value_min, channel.value_max
    elif symmetric and len(channel.abs_percentiles) >= 6 and channel.abs_percentiles[2] > 0:
        low, high = -channel.abs_percentiles[2], channel.abs_percentiles[2]
    elif len(channel.percentiles) == 13:
        low, high = channel.percentiles[0], channel.percentiles[-1]
    else:
        low, high = channel.value_min, channel.value_max
    if high - low < WINDOW_MIN:
        low, high = channel.value_min, channel.value_max
    window = high - low if high > low else 1.0
    level = (low + high) / 2
    return (
        min(max(window, WINDOW_MIN), WINDOW_MAX),
        min(max(level, -WINDOW_MAX), WINDOW_MAX),
    )


def channel_view(info: VolumeInfo, index: int) -> dict[str, Any]:
    """Patch that shows channel `index` well: range, colour map and voxels as its values want them.

    Raises
    ------
    StateError
        If there is no such channel.
    """
    index = check_channel("channel", index, info)
    channel = info.channels[index]
    window, level = auto_window(channel, symmetric=info.kind == "seismic")
    signed = channel.value_min < 0 < channel.value_max
    colormap = "seismic" if info.kind == "seismic" and signed else "grey"
    return {
        "channel": index,
        "window": window,
        "level": level,
        "colormap": "labels" if channel.is_label else colormap,
        "interpolate": not channel.is_label,
    }


def first_state(info: VolumeInfo) -> ViewState:
    """State in which a volume opens: middle of its first plane, automatic window, fitting map."""
    n0, n1, n2 = info.shape
    axis = 2 if info.kind == "medical" else 0
    return ViewState(axis=axis, slice_idx=(n0 // 2, n1 // 2, n2 // 2), **channel_view(info, 0))
