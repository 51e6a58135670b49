"""Axes of a volume that lies in a patient."""

from __future__ import annotations

import math

from blustream_widget.core.geometry import anatomical_axes
from blustream_widget.core.types import Axis

_PLANES = ("sagittal", "coronal", "axial")
# A direction that deviates by more, as a share of a step, is not along the body.
_OBLIQUE = 1e-3


def patient_axes(shape: tuple[int, int, int], affine: tuple[float, ...]) -> tuple[Axis, Axis, Axis]:
    """Axes named after the plane of their slices; numbered in mm where the grid is not oblique."""
    axes = []
    for axis, (world, _) in enumerate(anatomical_axes(affine)):
        column = [affine[4 * row + axis] for row in range(3)]
        spacing = math.hypot(*column) or 1.0
        off_axis = max(abs(v) for row, v in enumerate(column) if row != world)
        is_straight = off_axis <= _OBLIQUE * spacing
        axes.append(
            Axis(
                name=_PLANES[world],
                unit="mm" if is_straight else "",
                n=shape[axis],
                first=affine[4 * world + 3] if is_straight else 0.0,
                step=column[world] if is_straight else 1.0,
                spacing=spacing,
            )
        )
    return axes[0], axes[1], axes[2]
