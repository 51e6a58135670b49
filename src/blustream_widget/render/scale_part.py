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
    margin_px: int = 0,
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
    margin_px : int
        Pixels of the first plane around them that are drawn too.

    Returns
    -------
    two slices
        Rows and columns of the first plane, all of which were drawn, beginning and ending with
        whole pixels of the others; empty where none was.
    """
    luma, chroma, _ = places_of(columns, rows)
    n_rows, n_columns = source.shape
    drawn = (
        _pixels_of(n_rows, (luma, chroma), 1, box[0], margin_px),
        _pixels_of(n_columns, (luma, chroma), 0, box[1], margin_px),
    )
    for place, planes, by in ((luma, (0,), 1), (chroma, (1, 2), 2)):
        down, across = (
            _Part(source.shape[k], place, 1 - k, slice(side.start // by, side.stop // by))
            for k, side in enumerate(drawn)
        )
        if not down.n_px or not across.n_px:
            continue
        voxels = np.ascontiguousarray(source[down.voxels, across.voxels])
        components = voxels.view(np.uint8).reshape(*voxels.shape, 4)
        for k in planes:
            found = resample(components[..., byte_of[k]], across.taps, down.taps)
            np.rint(found, out=found)
            targets[k][down.pixels, across.pixels] = found
    return drawn


def _pixels_of(
    n: int, places: tuple[Place, Place], along: int, changed: slice, margin_px: int
) -> slice:
    """Pixels of the first plane that show some voxels, there or in the planes of half its size.

    Parameters
    ----------
    n : int
        Voxels of the whole.
    places : two Place
        In the first plane, and in the others.
    along : int
        Which of the two of a place: 0 along x, 1 along y.
    changed : slice
        The voxels.
    margin_px : int
    """
    begins, ends = [], []
    for place, by in zip(places, (1, 2), strict=True):
        step = n / place.size[along]
        radius = _radius(step)
        shift = place.low[along] - place.first[along]
        # Rounded outwards by up to a pixel: swscale rounds places.
        first = math.floor((changed.start + 0.5 - radius) / step - 0.5) + shift
        last = math.ceil((changed.stop - 0.5 + radius) / step - 0.5) + 1 + shift
        first, last = max(first, place.low[along]), min(last, place.high[along])
        if first < last:
            begins.append(first * by)
            ends.append(last * by)
    if not begins:
        return slice(0, 0)
    begin, end = max(min(begins) - margin_px, 0), max(ends) + margin_px
    return slice(begin // 2 * 2, -(-end // 2) * 2)


class _Part:
    """Along one axis: pixels of a plane, as far as something is drawn there, and their voxels.

    Parameters
    ----------
    n : int
        Voxels of the whole.
    place : Place
    along : int
        Which of the two of `place`: 0 along x, 1 along y.
    wanted : slice
        Pixels of the pane's plane.
    """

    def __init__(self, n: int, place: Place, along: int, wanted: slice) -> None:
        begin, end = max(wanted.start, place.low[along]), min(wanted.stop, place.high[along])
        self.n_px = max(end - begin, 0)
        if not self.n_px:
            return
        self.pixels = slice(begin, end)
        n_scaled_px, shift = place.size[along], place.low[along] - place.first[along]
        high = place.high[along] - shift
        inside, weights = _taps(n, n_scaled_px, max(high, n_scaled_px))
        part = slice(begin - shift, end - shift)
        inside = inside[:, part]
        low = int(inside[0, 0])
        self.voxels = slice(low, int(inside[-1, -1]) + 1)
        self.taps = Taps(tuple(inside - low), tuple(weights[:, part]))


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
