"""What counts as the same seismic event on the next trace: `Gate`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from blustream_widget.core.horizon_grid import HorizonGrid
from blustream_widget.errors import ProcessingError

Event: TypeAlias = Literal["peak", "trough", "rising", "falling"]
"""Largest and smallest amplitude, and zero crossings towards greater samples."""

EVENTS: tuple[Event, ...] = get_args(Event)


class Gate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts as the same event on the next trace.

    Parameters
    ----------
    event : Event
    reach : float
        Samples by which it may be higher or lower than on the trace before.
    window : int
        Samples above and below that are compared.
    min_likeness : float
        Least correlation of the two, -1 to 1.
    min_amplitude : float
        Least |amplitude| of a peak or trough, as a share of the one on the trace before.
    """

    event: Event = "peak"
    reach: Annotated[float, msgspec.Meta(gt=0, le=100)] = 3.0
    window: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 6
    min_likeness: Annotated[float, msgspec.Meta(ge=-1, le=1)] = 0.7
    min_amplitude: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.2

    def __post_init__(self) -> None:
        if self.event not in EVENTS:
            raise ProcessingError(
                f"There is no event {self.event!r}.", hint=f"Known: {', '.join(EVENTS)}."
            )
        if not (0 < self.reach <= 100 and 1 <= self.window <= 1000):
            raise ProcessingError(
                f"reach = {self.reach}, window = {self.window} cannot work.",
                hint="reach 0 to 100, window 1 to 1000 samples.",
            )


class TrackedGrid(msgspec.Struct, frozen=True):
    """A horizon on its way between processes.

    Parameters
    ----------
    n : int
        Number of the question.
    progress : float
    done : bool
    shape : tuple of int
        Inlines and crosslines.
    samples, likeness, amplitude : bytes
        float32, little-endian; NaN where it was not followed.
    packed : HorizonGrid, optional
        The same for pages, where it was asked for.
    error : str
        A sentence, "" if there is none.
    """

    n: int
    progress: float = 0.0
    done: bool = False
    shape: tuple[int, int] = (0, 0)
    samples: bytes = b""
    likeness: bytes = b""
    amplitude: bytes = b""
    packed: HorizonGrid | None = None
    error: str = ""
