"""Wiggles: traces of a seismic section as curves, beside or instead of colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo

DISPLAYS: tuple[str, ...] = ("density", "wiggle", "wiggle+density")
"""What a section is drawn as: colours (variable density), curves (wiggle variable area), both."""

POLARITIES: tuple[str, ...] = ("normal", "reverse")
"""Which values deflect to the right and are filled: those above the level, or those below it."""

EXCURSION_MIN, EXCURSION_MAX = 0.1, 10.0

WIGGLE_MIN_PX = 6
"""Device pixels from one wiggle to the next, at least: closer ones make mud."""


def has_wiggles(state: ViewState, info: VolumeInfo) -> bool:
    """Whether a view of one pane shows wiggles.

    Only inlines and crosslines have traces, and labels no amplitude: time slices, oblique planes,
    fences and label channels are drawn as colours whatever `display` says.
    """
    return (
        state.display != "density"
        and info.kind == "seismic"
        and state.axis != 2
        and state.section is None
        and not info.channels[state.channel].is_label
    )


def wiggle_step(trace_px: float) -> int:
    """Say of how many traces one is drawn, where a trace is `trace_px` wide.

    Powers of two, so that the ones that are drawn stay while the view is zoomed.
    """
    return 1 << max(0, math.ceil(math.log2(WIGGLE_MIN_PX / trace_px)))
