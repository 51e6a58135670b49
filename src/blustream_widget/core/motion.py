"""Sizes that a picture may have while it moves: fewer pixels than the pane, where it must be."""

from __future__ import annotations

import math

SCALES = (1.0, 0.75, 0.5, 0.375, 0.25)
"""Shares of the pane's sides. Few, because each change costs a keyframe."""

SCALE_WORDS = {
    0.75: "Three-quarter size",
    0.5: "Half size",
    0.375: "Three-eighths size",
    0.25: "Quarter size",
}

MIN_PIXELS = 320 * 180
"""With fewer nobody recognises anything."""


def motion_size(width_px: int, height_px: int, scale: float) -> tuple[int, int]:
    """Even size of a picture in motion.

    Parameters
    ----------
    width_px, height_px : int
        Of the pane.
    scale : float
        0 to 1.
    """
    used = max(scale, math.sqrt(MIN_PIXELS / (width_px * height_px)))
    if used >= 1.0:
        return width_px, height_px
    return max(round(width_px * used / 2) * 2, 16), max(round(height_px * used / 2) * 2, 16)
