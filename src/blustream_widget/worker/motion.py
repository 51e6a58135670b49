"""How large a picture in motion is: what the link carries, and what is drawn in time."""

from __future__ import annotations

from blustream_widget.core.motion import SCALES, motion_size
from blustream_widget.core.state import ViewState

_BUDGET_S = 0.02
"""Drawing and encoding that take longer cost pictures a second."""

_ALWAYS_PIXELS = 1280 * 720
"""A pane of this size is always drawn whole: below it there is little to gain."""

_WEIGHT = 0.05  # of one picture: some that were held up by others must not change the size
_STEP_UP = 0.7  # of the budget, before the picture grows again


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

    def fit(self, state: ViewState, scale: float) -> tuple[int, int]:
        """Return the size for `state` that is neither larger than `scale` nor too slow."""
        pixels = state.width_px * state.height_px
        self._scale = self._affordable(pixels)
        return motion_size(state.width_px, state.height_px, min(scale, self._scale))

    def _affordable(self, pixels: int) -> float:
        for scale in SCALES:
            shown = pixels * scale**2
            budget_s = _BUDGET_S * (_STEP_UP if scale > self._scale else 1.0)
            if shown <= _ALWAYS_PIXELS or shown * self._s_per_pixel <= budget_s:
                return scale
        return SCALES[-1]
