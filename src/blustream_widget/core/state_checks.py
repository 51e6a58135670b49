"""Checks of the single fields of a view: type, bounds, and what the volume has."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import msgspec

from blustream_widget.core.layouts import PANE_FIELDS, PANES_MAX, PaneState
from blustream_widget.core.overlay import OverlayLook, checked_overlays
from blustream_widget.core.palettes import HEX_COLOR, LABEL_STYLE, checked_colormap
from blustream_widget.core.panes import checked_layout, checked_shares
from blustream_widget.core.sections import Section, checked_section
from blustream_widget.core.segmentation import SegmentationLook, checked_looks
from blustream_widget.core.slab import SLAB_MAX, SLAB_MODES
from blustream_widget.core.types import VolumeInfo
from blustream_widget.core.wiggle import DISPLAYS, EXCURSION_MAX, EXCURSION_MIN, POLARITIES
from blustream_widget.errors import StateError

ZOOM_MIN, ZOOM_MAX = 0.1, 256.0
STRETCH_MIN, STRETCH_MAX = 0.05, 50.0
PAN_MIN, PAN_MAX = -1.0, 2.0
PANE_MIN_PX, PANE_MAX_PX = 16, 4096
PANE_MAX_PIXELS = 3840 * 2160
WINDOW_MIN, WINDOW_MAX = 1e-30, 1e30
# MIN_VOXELS_SHOWN keeps the scaled picture of a few voxels from growing without bound.
MIN_VOXELS_SHOWN = 4.0


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


def slice_positions(
    value: Any, axis: int, old: tuple[int, int, int], info: VolumeInfo
) -> tuple[int, int, int]:
    """Check a position along `axis`, or one on each axis."""
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


def check_channel(name: str, value: Any, info: VolumeInfo) -> int:
    """Check the number of a channel."""
    return _integer(name, value, 0, len(info.channels) - 1)


def _check_time(name: str, value: Any, info: VolumeInfo) -> int:
    if info.n_steps == 1 and value != 0:
        raise StateError(
            f"{name} = {value!r}, and {info.name} has one step in time alone.",
            hint="A series is a file or array with four axes, or a list of volumes.",
        )
    return _integer(name, value, 0, info.n_steps - 1)


def _check_window(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, WINDOW_MIN, WINDOW_MAX)


def _check_level(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, -WINDOW_MAX, WINDOW_MAX)


def _check_colormap(_name: str, value: Any, _info: VolumeInfo) -> str:
    return checked_colormap(value)


def _check_color(name: str, value: Any, _info: VolumeInfo) -> str:
    if value == "" or (isinstance(value, str) and HEX_COLOR.fullmatch(value)):
        return str(value)
    raise StateError(f"{name} = {value!r} is not a colour.", hint='Give "#ff8800", or "" for none.')


def _check_label_style(name: str, value: Any, _info: VolumeInfo) -> str:
    if value == "" or (isinstance(value, str) and LABEL_STYLE.fullmatch(value)):
        return str(value)
    raise StateError(f"{name} = {value!r} names no style of labels.")


def _check_bool(name: str, value: Any, _info: VolumeInfo) -> bool:
    if not isinstance(value, bool):
        raise StateError(f"{name} = {value!r} is neither True nor False.")
    return value


def _check_zoom(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, ZOOM_MIN, ZOOM_MAX)


def _check_stretch(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, STRETCH_MIN, STRETCH_MAX)


def _check_rotation(name: str, value: Any, _info: VolumeInfo) -> int:
    degrees = _integer(name, value, 0, 270)
    if degrees % 90:
        raise StateError(f"{name} = {value!r} is no quarter turn.", hint="Give 0, 90, 180 or 270.")
    return degrees


def _check_slab(name: str, value: Any, _info: VolumeInfo) -> int:
    return _integer(name, value, 1, SLAB_MAX)


def _check_choice(
    choices: tuple[str, ...],
) -> Callable[[str, Any, VolumeInfo], str]:
    def check(name: str, value: Any, _info: VolumeInfo) -> str:
        if isinstance(value, str) and value in choices:
            return value
        raise StateError(f"There is no {name} {value!r}.", hint=f"Known: {', '.join(choices)}.")

    return check


def _check_excursion(name: str, value: Any, _info: VolumeInfo) -> float:
    return _number(name, value, EXCURSION_MIN, EXCURSION_MAX)


def _check_section(_name: str, value: Any, info: VolumeInfo) -> Section | None:
    return checked_section(value, info)


def _check_pan(name: str, value: Any, _info: VolumeInfo) -> tuple[float, float]:
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise StateError(f"pan = {value!r} needs two numbers.", hint="(0.5, 0.5) is the middle.")
    x, y = (_number(name, v, PAN_MIN, PAN_MAX) for v in value)
    return (x, y)


def _check_pane(name: str, value: Any, _info: VolumeInfo) -> int:
    return _integer(name, value, PANE_MIN_PX, PANE_MAX_PX) // 2 * 2


def _check_layout(_name: str, value: Any, _info: VolumeInfo) -> str:
    return checked_layout(value)


def _check_active(name: str, value: Any, _info: VolumeInfo) -> int:
    return _integer(name, value, 0, PANES_MAX - 1)


def _check_shares(name: str, value: Any, _info: VolumeInfo) -> tuple[float, ...]:
    return checked_shares(name, value)


def _check_pane_sizes(name: str, value: Any, _info: VolumeInfo) -> tuple[tuple[int, int], ...]:
    if not isinstance(value, (list, tuple)) or len(value) > PANES_MAX:
        raise StateError(f"{name} = {value!r} is not a list of sizes.")
    sizes = []
    for size in value:
        if not isinstance(size, (list, tuple)) or len(size) != 2:
            raise StateError(f"{name} has {size!r}, which is not a width and a height.")
        is_hidden = size[0] == 0 and size[1] == 0
        width, height = (0, 0) if is_hidden else (_check_pane(name, px, _info) for px in size)
        sizes.append((width, height))
    return tuple(sizes)


def _check_segmentations(_name: str, value: Any, _info: VolumeInfo) -> tuple[SegmentationLook, ...]:
    return checked_looks(value)


def _check_overlays(_name: str, value: Any, _info: VolumeInfo) -> tuple[OverlayLook, ...]:
    return checked_overlays(value)


def _check_panes(
    name: str, value: Any, info: VolumeInfo
) -> tuple[PaneState, ...] | dict[int, dict[str, Any]]:
    """Check panes; each may leave out fields, which then have their usual values.

    By number ("0" to "8"), they are changes of some panes, checked when they are applied.
    """
    if isinstance(value, dict):
        return {_pane_number(name, key): _pane_fields(key, one) for key, one in value.items()}
    if not isinstance(value, (list, tuple)) or len(value) > PANES_MAX:
        raise StateError(f"{name} is not a list of panes.", hint=f"At most {PANES_MAX}.")
    return tuple(_checked_pane(number, pane, info) for number, pane in enumerate(value))


def _pane_number(name: str, key: Any) -> int:
    if key not in map(str, range(PANES_MAX)):
        raise StateError(f"{name} has no pane {key!r}.", hint=f'"0" to "{PANES_MAX - 1}".')
    return int(key)


def _pane_fields(number: Any, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not value.keys() <= set(PANE_FIELDS):
        raise StateError(
            f"Pane {number} is {value!r}.", hint=f"Its fields: {', '.join(PANE_FIELDS)}."
        )
    return value


def _checked_pane(number: int, value: Any, info: VolumeInfo) -> PaneState:
    if isinstance(value, PaneState):
        value = msgspec.structs.asdict(value)
    value = _pane_fields(number, value)
    fields = {name: CHECKS[name](name, given, info) for name, given in value.items()}
    pane = PaneState(**{name: given for name, given in fields.items() if name != "slice_idx"})
    at = fields.get("slice_idx", (0, 0, 0))
    return msgspec.structs.replace(pane, slice_idx=slice_positions(at, pane.axis, (0, 0, 0), info))


CHECKS: dict[str, Callable[[str, Any, VolumeInfo], Any]] = {
    "axis": _check_axis,
    "slice_idx": _check_slice,
    "time_idx": _check_time,
    "channel": check_channel,
    "window": _check_window,
    "level": _check_level,
    "colormap": _check_colormap,
    "reverse": _check_bool,
    "below_color": _check_color,
    "above_color": _check_color,
    "no_value_color": _check_color,
    "label_style": _check_label_style,
    "zoom": _check_zoom,
    "pan": _check_pan,
    "stretch": _check_stretch,
    "interpolate": _check_bool,
    "north_up": _check_bool,
    "rotation": _check_rotation,
    "flip_x": _check_bool,
    "flip_y": _check_bool,
    "slab": _check_slab,
    "slab_mode": _check_choice(SLAB_MODES),
    "display": _check_choice(DISPLAYS),
    "wiggle_excursion": _check_excursion,
    "wiggle_fill": _check_bool,
    "wiggle_polarity": _check_choice(POLARITIES),
    "section": _check_section,
    "crosshair": _check_bool,
    "segmentations": _check_segmentations,
    "show_segmentations": _check_bool,
    "overlays": _check_overlays,
    "show_overlays": _check_bool,
    "width_px": _check_pane,
    "height_px": _check_pane,
    "layout": _check_layout,
    "panes": _check_panes,
    "pane_sizes": _check_pane_sizes,
    "active": _check_active,
    "linked": _check_bool,
    "maximised": _check_bool,
    "columns": _check_shares,
    "rows": _check_shares,
}
