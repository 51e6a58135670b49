"""Scaling of a part of a slice's colours onto a picture that has the rest already.

A stroke touches a few hundredths of a slice, which take a fraction of the time. swscale cannot draw
a part with the phases of the whole: this is drawn by the same filter, in floats, and is off by the
rounding of swscale's.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from blustream_widget.render.kept_colors import Box
from blustream_widget.render.resample import Taps, resample
from blustream_widget.render.scale import Place, Planes, places_of
from blustream_widget.render.span import Span


def draw_part(
    source: npt.NDArray[np.uint32],
    targets: Planes,
    byte_of: tuple[int, int, int],
    *,
    columns: Span,
    rows: Span,
    box: Box,
) -> Box:
    """Draw what shows some voxels, as `PackedScaler.draw` draws all, to within a few levels.

    Parameters
    ----------
    source : ndarray, shape (rows.count, columns.count), uint32
        All voxels, in screen orientation, any strides.
    targets : three ndarray, uint8
        Planes of the pane, the second and third of half its size.
    byte_of : three int
        Which byte of a voxel goes to which plane.
    columns, rows : Span
        Of the first plane.
    box : two slices
        Rows and columns of the voxels that are other than they were.

    Returns
    -------
    two slices
        Rows and columns of the first plane, around all pixels that were drawn.
    """
    drawn = slice(0, 0), slice(0, 0)
    luma, chroma, _ = places_of(columns, rows)
    for place, planes in ((luma, (0,)), (chroma, (1, 2))):
        down, across = (_Reach(source.shape[k], place, 1 - k, box[k]) for k in (0, 1))
        if not down.n_px or not across.n_px:
            continue
        voxels = np.ascontiguousarray(source[down.voxels, across.voxels])
        components = voxels.view(np.uint8).reshape(*voxels.shape, 4)
        for k in planes:
            found = resample(components[..., byte_of[k]], across.taps, down.taps)
            np.rint(found, out=found)
            targets[k][down.pixels, across.pixels] = found
        by = 1 if place is luma else 2  # pixels of the first plane for one of these
        drawn = _around(drawn, (_times(down.pixels, by), _times(across.pixels, by)))
    return drawn


def _around(one: Box, other: Box) -> Box:
    """Give the box around two, of which the first may be empty."""
    if not one[0].stop:
        return other
    rows, columns = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return rows, columns


def _times(side: slice, by: int) -> slice:
    return slice(side.start * by, side.stop * by)


class _Reach:
    """Along one axis: the pixels that show some voxels, and all the voxels that these show.

    Parameters
    ----------
    n : int
        Voxels of the whole.
    place : Place
    along : int
        Which of the two of `place`: 0 along x, 1 along y.
    changed : slice
        Voxels whose pixels are wanted.
    """

    def __init__(self, n: int, place: Place, along: int, changed: slice) -> None:
        n_scaled_px, begin = place.size[along], place.first[along]
        end = begin + place.high[along] - place.low[along]
        step = n / n_scaled_px
        radius = _radius(step)
        # Rounded outwards by up to a pixel: swscale rounds places.
        first = math.floor((changed.start + 0.5 - radius) / step - 0.5)
        last = math.ceil((changed.stop - 0.5 + radius) / step - 0.5) + 1
        first, last = max(first, begin), min(last, end)
        self.n_px = max(last - first, 0)
        if not self.n_px:
            return
        shift = place.low[along] - begin
        self.pixels = slice(first + shift, last + shift)
        inside, weights = _taps(n, n_scaled_px, max(end, n_scaled_px))
        inside = inside[:, first:last]
        low = int(inside[0, 0])
        self.voxels = slice(low, int(inside[-1, -1]) + 1)
        self.taps = Taps(tuple(inside - low), tuple(weights[:, first:last]))


def _radius(step: float) -> float:
    """Half the width of the filter, a triangle, in voxels; `step` of them are a pixel."""
    return max(step, 1.0)


@lru_cache(maxsize=32)
def _taps(n: int, n_px: int, end: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """Voxels that make each pixel up to `end`, and how much of each, shape (k, end).

    Beyond the last pixel of the scaled plane, that one stands in, as for the whole.
    """
    step = n / n_px
    radius = _radius(step)
    centres = (np.arange(end).clip(max=n_px - 1) + 0.5) * step - 0.5
    numbers = np.floor(centres - radius) + 1 + np.arange(math.ceil(2 * radius))[:, None]
    weights = np.maximum(radius - np.abs(numbers - centres), 0.0)
    weights /= weights.sum(axis=0)
    # The outermost voxel goes on beyond the edge.
    return numbers.astype(np.intp).clip(0, n - 1), weights.astype(np.float32)
