"""The fourth axis: what the steps of a series of volumes are called, and when they are."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

import msgspec

from blustream_widget.errors import ConfigError

MAX_STEPS = 1 << 20
MAX_LISTED = 1 << 16
"""Steps that may each have a time or a name of their own."""
MAX_NAME = 128

_REGULAR = 1e-6  # of a step: differences that small are the rounding of whoever wrote the times


class TimeAxis(msgspec.Struct, frozen=True):
    """The steps of a series: step i (0-based) is at `first + i * step`, or at `values[i]`.

    Parameters
    ----------
    n : int
        Number of steps, at least 1.
    first, step : float
        Time of step 0, and from one step to the next; positive.
    unit : str
        Of the times: "s", "ms", "Hz", or "" where they are no more than numbers.
    name : str
        "time", or what else the steps differ in: "offset", "frequency".
    values : tuple of float
        Times of a series that is not regular, rising; empty for one that is.
    names : tuple of str
        What each step is called: vintages, for example; empty where they have no names.
    """

    n: int
    first: float = 0.0
    step: float = 1.0
    unit: str = ""
    name: str = "time"
    values: tuple[float, ...] = ()
    names: tuple[str, ...] = ()

    def at(self, time_idx: int) -> float:
        """Time of a step, in `unit`."""
        return self.values[time_idx] if self.values else self.first + time_idx * self.step

    def nearest(self, time: float) -> int:
        """Step whose time is nearest; of two equally near, the earlier one."""
        if not self.values:
            return min(max(math.ceil((time - self.first) / self.step - 0.5), 0), self.n - 1)
        after = min(bisect_left(self.values, time), self.n - 1)
        before = max(after - 1, 0)
        return before if time - self.values[before] <= self.values[after] - time else after

    def text(self, time_idx: int) -> str:
        """Name of a step, or its time with its unit, or its number."""
        if self.names:
            return self.names[time_idx]
        return f"{self.at(time_idx):.6g} {self.unit}".rstrip()


def time_axis(n: int, times: Sequence[float] = (), unit: str = "", name: str = "time") -> TimeAxis:
    """Describe `n` steps at these times; without times they are numbered from 0.

    Raises
    ------
    ConfigError
        Times that are not as many as the steps, not finite, or not rising.
    """
    if not times:
        return TimeAxis(n, unit=unit, name=name)
    if len(times) != n:
        raise ConfigError(
            f"times has {len(times)} entries, and the series has {n} steps.",
            hint="Give one for each step, or none.",
        )
    values = tuple(float(time) for time in times)
    if not all(map(math.isfinite, values)):
        raise ConfigError("times has one that is NaN or infinite.", hint="Give finite numbers.")
    for idx, (before, after) in enumerate(pairwise(values), 1):
        if after <= before:
            raise ConfigError(
                f"times does not rise: step {idx} is at {after:g}, the one before at {before:g}.",
                hint="Sort the steps by time.",
            )
    if n == 1:
        return TimeAxis(n, first=values[0], unit=unit, name=name)
    step = (values[-1] - values[0]) / (n - 1)
    regular = TimeAxis(n, first=values[0], step=step, unit=unit, name=name)
    if all(abs(regular.at(idx) - time) <= _REGULAR * step for idx, time in enumerate(values)):
        return regular
    return msgspec.structs.replace(regular, values=values)


def step_in(one: TimeAxis, other: TimeAxis, time_idx: int) -> int | None:
    """Step of another series that belongs to a step of one; None where there is none.

    Steps with names in both series belong together by name; the others by time where both are in
    one unit, and by their number where the series are equally long.
    """
    if one.names and other.names:
        name = one.names[time_idx]
        return other.names.index(name) if name in other.names else None
    if not one.names and not other.names and one.unit == other.unit:
        return other.nearest(one.at(time_idx))
    return time_idx if one.n == other.n else None
