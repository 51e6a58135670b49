"""Series that a user may give to `Viewer(...)`: a list of volumes, and the times of its steps."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from blustream_widget.core.time_axis import MAX_LISTED, MAX_NAME, time_axis
from blustream_widget.core.types import Samples
from blustream_widget.errors import ConfigError, VolumeFormatError

MAX_VOLUMES = 4096


class Times(NamedTuple):
    """What the user says of the steps: their times, or their names, and the unit of the times."""

    times: tuple[float, ...] = ()
    names: tuple[str, ...] = ()
    unit: str = ""


def is_series(volume: Any) -> bool:
    """Whether what was given is a list of volumes: addresses, or arrays of three axes."""
    if not isinstance(volume, (list, tuple)):
        return False
    if not volume or isinstance(volume[0], (str, os.PathLike)):
        return True
    return len(getattr(volume[0], "shape", ())) == 3


def checked_paths(volumes: Sequence[Any]) -> bool:
    """Whether a list is one of addresses; otherwise it is one of arrays.

    Raises
    ------
    ConfigError
        It is empty, too long, or of both.
    """
    if not volumes:
        raise ConfigError("The list of volumes is empty.", hint="Give one volume for each step.")
    if len(volumes) > MAX_VOLUMES:
        raise ConfigError(
            f"A list of {len(volumes)} volumes is too long.",
            hint=f"At most {MAX_VOLUMES}; a file with a fourth axis may have more steps.",
        )
    are_paths = [isinstance(volume, (str, os.PathLike)) for volume in volumes]
    if any(are_paths) != all(are_paths):
        raise ConfigError(
            f"Step {are_paths.index(not are_paths[0])} of the list is not like the first.",
            hint="Give addresses alone, or arrays alone.",
        )
    return all(are_paths)


def stacked(arrays: Sequence[Samples]) -> tuple[Samples, ...]:
    """Arrays of one shape, with values of one kind; views where they have it already.

    Raises
    ------
    VolumeFormatError
        Names the step that has another shape.
    """
    for step, array in enumerate(arrays):
        if array.shape != arrays[0].shape:
            raise VolumeFormatError(
                f"The steps of a series must share one grid: array {step} has the shape "
                f"{array.shape}, array 0 {arrays[0].shape}.",
                hint="Show them in viewers of their own and link those: link(a, b).",
            )
    dtype = np.result_type(*arrays)
    return tuple(array.astype(dtype, copy=False) for array in arrays)


def checked_times(times: Any, unit: Any, n_steps: int | None = None) -> Times:
    """Check times or names of steps, and their unit.

    Parameters
    ----------
    times : sequence of float or of str, optional
    unit : str
    n_steps : int, optional
        Where it is known by now.

    Raises
    ------
    ConfigError
    """
    if not isinstance(unit, str) or len(unit) > 32:
        raise ConfigError(f"time_unit = {unit!r:.100} is not a unit.", hint="For example 's'.")
    if times is None:
        return Times(unit=unit)
    given = list(times) if isinstance(times, (list, tuple, np.ndarray, range)) else []
    if not given or len(given) > MAX_LISTED:
        raise ConfigError(
            f"times = {times!r:.100} is no list of times or names.",
            hint=f"Give one for each step, {MAX_LISTED} at most.",
        )
    if all(isinstance(one, str) for one in given):
        return _checked_names(given, unit, n_steps)
    try:
        numbers = tuple(float(one) for one in given)
    except (TypeError, ValueError, OverflowError):
        numbers = (math.nan,)
    time_axis(len(given) if n_steps is None else n_steps, numbers, unit)
    return Times(times=numbers, unit=unit)


def _checked_names(names: list[str], unit: str, n_steps: int | None) -> Times:
    if not all(0 < len(name) <= MAX_NAME for name in names) or len(set(names)) != len(names):
        raise ConfigError(
            "times has names that are empty, too long or the same.",
            hint=f"Give each step a name of its own, {MAX_NAME} characters at most.",
        )
    if n_steps is not None and len(names) != n_steps:
        raise ConfigError(
            f"times has {len(names)} entries, and the series has {n_steps} steps.",
            hint="Give one for each step, or none.",
        )
    return Times(names=tuple(names), unit=unit)
