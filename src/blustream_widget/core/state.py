"""The one truth of what is shown: `ViewState`, changed only by `with_patch`."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from blustream_widget.core.colormaps import COLORMAPS, unknown_colormap
from blustream_widget.core.types import Axis, Channel, VolumeInfo
from blustream_widget.errors import StateError

ZOOM_MIN, ZOOM_MAX = 0.1, 256.0
STRETCH_MIN, STRETCH_MAX = 0.05, 50.0
PAN_MIN, PAN_MAX = -1.0, 2.0
PANE_MIN_PX, PANE_MAX_PX = 16, 4096
PANE_MAX_PIXELS = 3840 * 2160
WINDOW_MAX = 1e30
# MIN_VOXELS_SHOWN keeps the scaled picture of a few voxels from growing without bound.
MIN_VOXELS_SHOWN = 4.0


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
    channel : int
    window, level : float
        Full width (positive) and centre of the display range, in the channel's unit.
    colormap : str
        One of `COLORMAPS`.
    reverse : bool
        Colour map from the other end.
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
    crosshair : bool
        Show where the two other slices cut the shown one. Drawn by each viewer over the picture.
    width_px, height_px : int
        Size of the picture in device pixels; even numbers (video planes are halved).
    """

    revision: int = 0
    axis: int = 0
    slice_idx: tuple[int, int, int] = (0, 0, 0)
    channel: int = 0
    window: float = 1.0
    level: float = 0.5
    colormap: str = "grey"
    reverse: bool = False
    zoom: float = 1.0
    pan: tuple[float, float] = (0.5, 0.5)
    stretch: float = 1.0
    interpolate: bool = True
    north_up: bool = False
    crosshair: bool = False
    width_px: int = 960
    height_px: int = 540

    def with_patch(self, patch: dict[str, Any], info: VolumeInfo) -> ViewState:
        """Return the state with `patch` applied and `revision` + 1, or itself if nothing changes.

        Parameters
        ----------
        patch : dict
            Field names and new values. `slice_idx` may be one int (for the axis after the patch) or
            three. `revision` may not be given.
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
            check = _CHECKS.get(name)
            if check is None:
                known = ", ".join(sorted(_CHECKS))
                raise StateError(f"There is no view setting {name!r}.", hint=f"Known: {known}.")
            values[name] = check(name, value, info)
        axis = values.get("axis", self.axis)
        if "slice_idx" in patch:
            values["slice_idx"] = _slice_positions(patch["slice_idx"], axis, self.slice_idx, info)
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
        return self._pictured() == other._pictured()

    def _pictured(self) -> ViewState:
        slice_idx = self.slice_idx[self.axis]
        return msgspec.structs.replace(
            self, revision=0, crosshair=False, slice_idx=(slice_idx, slice_idx, slice_idx)
        )


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise StateError(f"{name} = {value!r} is not a number.", hint=f"Give {low:g} to {high:g}.")
    number = float(value)
    if not math.isfinite(number) or not low <= number <= high:
        raise StateError(
            f"{name} = {value!r} is out of range.", hint=f"Allowed: {low:g} to {high:g}."
        )
    return number


def _integer(name: str, value: Any, low: int, high: int) -> int:
    number = _number(name, value, low, high)
    if number != int(number):
        raise StateError(
            f"{name} = {value!r} is not a whole number.", hint=f"Give {low} to {high}."
        )
    return int(number)


def _slice_positions(
    value: Any, axis: int, old: tuple[int, int, int], info: VolumeInfo
) -> tuple[int, int, int]:
    if isinstance(value, (list, tuple)):
        if len(value) != 3:
            raise StateError(f"slice_idx = {value!r} needs one number or three.")
        wanted = list(value)
    else:
        wanted = list(old)
        wanted[axis] = value
    for a, v in enumerate(wanted):
        wanted[a] = _integer(f"slice_idx of {info.axes[a].name}", v, 0, info.axes[a].n - 1)
    return (wanted[0], wanted[1], wanted[2])


def _check_axis(name: str, value: Any, _info: VolumeInfo) -> int:
    return _integer(name, value, 0, 2)


def _check_slice(_name: str, value: Any, _info: VolumeInfo) -> Any:
    return value  # checked with the axis that the patch ends up with


def _check_channel(name: str, value: Any, info: VolumeInfo) -> int:
    return _integer(name, value, 0, len(info.channels) - 1)


def _check_window(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, 1e-30, WINDOW_MAX)


def _check_level(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, -WINDOW_MAX, WINDOW_MAX)


def _check_colormap(_name: str, value: Any, _info: VolumeInfo) -> str:
    if value not in COLORMAPS:
        raise unknown_colormap(value)
    return str(value)


def _check_bool(name: str, value: Any, _info: VolumeInfo) -> bool:
    if not isinstance(value, bool):
        raise StateError(f"{name} = {value!r} is neither True nor False.")
    return value


def _check_zoom(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, ZOOM_MIN, ZOOM_MAX)


def _check_stretch(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, STRETCH_MIN, STRETCH_MAX)


def _check_pan(name: str, value: Any, _info: VolumeInfo) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise StateError(f"pan = {value!r} needs two numbers.", hint="(0.5, 0.5) is the middle.")
    x, y = (_number(name, v, PAN_MIN, PAN_MAX) for v in value)
    return (x, y)


def _check_pane(name: str, value: Any, _info: VolumeInfo) -> int:
    return _integer(name, value, PANE_MIN_PX, PANE_MAX_PX) // 2 * 2


_CHECKS = {
    "axis": _check_axis,
    "slice_idx": _check_slice,
    "channel": _check_channel,
    "window": _check_window,
    "level": _check_level,
    "colormap": _check_colormap,
    "reverse": _check_bool,
    "zoom": _check_zoom,
    "pan": _check_pan,
    "stretch": _check_stretch,
    "interpolate": _check_bool,
    "north_up": _check_bool,
    "crosshair": _check_bool,
    "width_px": _check_pane,
    "height_px": _check_pane,
}


def check_fields(patch: dict[str, Any]) -> None:
    """Check a patch as far as that is possible before a volume is open.

    Raises
    ------
    StateError
        As `ViewState.with_patch`, but positions and channels have no upper bound yet.
    """
    axis = Axis(name="axis", unit="", n=2**31, first=0.0, step=1.0, spacing=1.0)
    channel = Channel(name="", unit="", dtype="float32", value_min=0.0, value_max=1.0)
    unbounded = VolumeInfo(name="", kind="generic", axes=(axis,) * 3, channels=(channel,) * 4096)
    ViewState().with_patch(patch, unbounded)


def auto_window(channel: Channel, *, symmetric: bool) -> tuple[float, float]:
    """(window, level) that shows a channel well, from its percentiles.

    Symmetric: p98 of |value| around zero, the seismic custom. Otherwise 0.1 % off both ends.
    Always a positive window, also for constant data.
    """
    if channel.is_label:
        low, high = channel.value_min, channel.value_max
    elif symmetric and len(channel.abs_percentiles) == 6 and channel.abs_percentiles[2] > 0:
        low, high = -channel.abs_percentiles[2], channel.abs_percentiles[2]
    elif len(channel.percentiles) == 13:
        low, high = channel.percentiles[0], channel.percentiles[-1]
    else:
        low, high = channel.value_min, channel.value_max
    if high <= low:
        low, high = channel.value_min, channel.value_max
    window = high - low if high > low else 1.0
    return window, (low + high) / 2


def channel_view(info: VolumeInfo, index: int) -> dict[str, Any]:
    """Patch that shows channel `index` well: range, colour map and voxels as its values want them.

    Raises
    ------
    StateError
        If there is no such channel.
    """
    index = _check_channel("channel", index, info)
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
