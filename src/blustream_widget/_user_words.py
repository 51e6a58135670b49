"""The view's state in its users' words: axes by name, slices by survey number."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from blustream_widget.core.state import ViewState, channel_view
from blustream_widget.core.types import Axis, Capabilities, VolumeInfo
from blustream_widget.errors import StateError


def patch_of(
    name: str,
    value: Any,
    info: VolumeInfo,
    state: ViewState,
    looks: Mapping[int, dict[str, Any]] = MappingProxyType({}),
) -> dict[str, Any]:
    """Say as a patch of the state what setting the trait `name` asks for.

    `looks` are window and colours of channels as they were left.

    Raises
    ------
    StateError
        If the volume has no such axis, or no such number on it.
    """
    if name == "axis":
        names = [axis.name for axis in info.axes]
        if value in names:
            return {"axis": names.index(value)}
        if value in range(len(names)):
            return {"axis": value}
        raise StateError(
            f"There is no axis {value!r} in {info.name}.",
            hint=f"Known: {', '.join(names)}, or 0 to {len(names) - 1}.",
        )
    if name == "slice_no":
        return {"slice_idx": _index_of(value, info.axes[state.axis], info.name)}
    if name == "time":
        return {"time_idx": _step_at(value, info)}
    if name == "crosshair_idx":
        return {"slice_idx": tuple(value)}
    if name == "view_layout":
        return {"layout": value}
    if name == "channel" and value != state.channel:
        # Another channel is another quantity: its own range and colours, not those of the last.
        return channel_view(info, value) | looks.get(value, {})
    return {name: value}


def _index_of(number: float, axis: Axis, volume: str) -> int:
    if not math.isfinite(number):
        raise StateError(
            f"slice_no = {number!r} is not a number.", hint=f"Give {axis.name} numbers."
        )
    index = round((number - axis.first) / axis.step) if axis.step else 0
    if not 0 <= index < axis.n:
        low, high = sorted((axis.first, axis.first + axis.step * (axis.n - 1)))
        raise StateError(
            f"{axis.name} {number:g} is outside {volume}.",
            hint=f"It goes from {low:g} to {high:g} {axis.unit}".rstrip() + ".",
        )
    return index


def _step_at(time: float, info: VolumeInfo) -> int:
    """Step nearest to a time; one within half a step of the first or last is that."""
    steps = info.time
    if not math.isfinite(time):
        raise StateError(f"time = {time!r} is not a number.", hint="Give a finite one.")
    if steps is None:
        if time != 0:
            raise StateError(
                f"time = {time:g}, and {info.name} has no time axis.",
                hint="A series is a file or array with four axes, or a list of volumes.",
            )
        return 0
    first, last = steps.at(0), steps.at(steps.n - 1)
    if not first - steps.step / 2 <= time <= last + steps.step / 2:
        raise StateError(
            f"{steps.name} {time:g} is outside {info.name}.",
            hint=f"It goes from {first:g} to {last:g} {steps.unit}".rstrip() + ".",
        )
    return steps.nearest(time)


def as_dict(capabilities: Capabilities) -> dict[str, Any]:
    """Capabilities as the trait shows them."""
    return {
        "encoder": capabilities.encoder,
        "codec": capabilities.codec,
        "encoders": {trial.name: trial.reason or "works" for trial in capabilities.encoders},
        "sources": list(capabilities.sources),
    }
