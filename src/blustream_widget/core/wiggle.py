"""Wiggles: traces of a seismic section as curves, beside or instead of colours."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from blustream_widget.core.section_grid import is_upright

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

    Inlines, crosslines, fences and planes that stand upright have traces: of a fence, its columns.
    Labels have no amplitude: these, time slices and tilted planes are drawn as colours whatever
    `display` says.
    """
    if (
        state.display == "density"
        or info.kind != "seismic"
        or info.channels[state.channel].is_label
    ):
        return False
    return state.axis != 2 if state.section is None else is_upright(state.section, info)


def wiggle_step(trace_px: float) -> int:
    """Say of how many traces one is drawn, where a trace is `trace_px` wide.

    Powers of two, so that the ones that are drawn stay while the view is zoomed.
    """
    return 1 << max(0, math.ceil(math.log2(WIGGLE_MIN_PX / trace_px)))
