"""How large a picture in motion is: what the link carries, and what is drawn in time."""

from __future__ import annotations

import msgspec

from blustream_widget.core.motion import SCALES, motion_size
from blustream_widget.core.state import ViewState

_BUDGET_S = 0.02
"""Drawing and encoding that take longer cost pictures a second."""

_ALWAYS_PIXELS = 1280 * 720
"""A pane of this size is always drawn whole: below it there is little to gain."""

_WEIGHT = 0.05  # of one picture: some that were held up by others must not change the size
_STEP_UP = 0.7  # of the budget, before the picture grows again


def sized(state: ViewState, scale: float) -> ViewState:
    """Return a pane's state with the size of a picture in motion; a still has the pane's own."""
    width_px, height_px = motion_size(state.width_px, state.height_px, scale)
    if (width_px, height_px) == (state.width_px, state.height_px):
        return state
    return msgspec.structs.replace(state, width_px=width_px, height_px=height_px)


class MotionSize:
    """Learns what a pixel costs, and keeps a picture in motion within its budget. One thread."""

    def __init__(self) -> None:
        self._s_per_pixel = 0.0
        self._scale = 1.0

    def add(self, seconds: float, pixels: int) -> None:
        """Take note of what a drawn and encoded picture took."""
        cost = seconds / pixels
        if self._s_per_pixel:
            self._s_per_pixel += _WEIGHT * (cost - self._s_per_pixel)
        else:
            self._s_per_pixel = cost

    @property
    def s_per_pixel(self) -> float:
        """What drawing and encoding a pixel takes; 0 while that is not known."""
        return self._s_per_pixel

    def fit(self, state: ViewState, scale: float) -> tuple[int, int]:
        """Return the size for `state` that is neither larger than `scale` nor too slow."""
        fitting = self.scale_for(state.width_px * state.height_px, scale)
        return motion_size(state.width_px, state.height_px, fitting)

    def scale_for(self, pixels: int, scale: float) -> float:
        """Return the largest share of the sides, at most `scale`, that is not too slow."""
        self._scale = self._affordable(pixels)
        return min(scale, self._scale)

    def _affordable(self, pixels: int) -> float:
        for scale in SCALES:
            shown = pixels * scale**2
            budget_s = _BUDGET_S * (_STEP_UP if scale > self._scale else 1.0)
            if shown <= _ALWAYS_PIXELS or shown * self._s_per_pixel <= budget_s:
                return scale
        return SCALES[-1]
