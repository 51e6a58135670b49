"""Interpolation of voxel values, before they become colours."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples
from blustream_widget.render.span import Span

# float32, or float64 for values that do not fit.
_Floats: TypeAlias = npt.NDArray[Any]

# Infinite values would give NaN where they meet their neighbours; these give the window's ends.
_LARGEST = 1e37
# A picture element half of whose weight is "no data" is no data.
_LEAST_WEIGHT = 0.5
# Pixels between interpolated values, where not every pixel gets its own.
_GRIDS_PX = (2, 8)


@dataclass(frozen=True, slots=True)
class Taps:
    """Which voxels make each element of a grid along one axis, and how much of each.

    Parameters
    ----------
    voxels : tuple of ndarray, shape (n,), intp
    weights : tuple of ndarray, shape (n,), float32
        As many as `voxels`; those of an element sum to 1.
    """

    voxels: tuple[npt.NDArray[np.intp], ...]
    weights: tuple[npt.NDArray[np.float32], ...]


def grid_span(span: Span, grid_px: int) -> Span:
    """Give the run of elements, `grid_px` pixels each, that takes the place of the voxels."""
    n = -(-(span.high_px - span.low_px) // grid_px)
    return dataclasses.replace(
        span, start=0, count=n, is_flipped=False, first_px=float(span.low_px), step_px=grid_px
    )


def linear_taps(span: Span, grid_px: int) -> Taps:
    """Taps that interpolate linearly at the centre of each element of `grid_span`."""
    return taps_at(span, grid_span(span, grid_px))


def taps_at(span: Span, target: Span) -> Taps:
    """Taps that interpolate the voxels of a span linearly at the centres of those of another.

    Voxels smaller than an element are averaged: the triangle is as wide as the element. Beyond the
    centre of the outermost voxel its value goes on.
    """
    centres = target.centres_px
    position = np.clip((centres - span.first_px) / span.step_px - 0.5, 0, span.count - 1)
    radius = max(target.step_px / span.step_px, 1.0)
    if radius == 1.0:
        lower = np.minimum(np.floor(position).astype(np.intp), max(span.count - 2, 0))
        share = (position - lower).astype(np.float32)
        upper = np.minimum(lower + 1, span.count - 1)
        return Taps((lower, upper), (1 - share, share))
    first = np.ceil(position - radius).astype(np.intp)
    voxels = [first + k for k in range(math.floor(2 * radius) + 1)]
    weights = [np.clip(1 - np.abs(voxel - position) / radius, 0, None) for voxel in voxels]
    inside = [(voxel >= 0) & (voxel < span.count) for voxel in voxels]
    weights = [np.where(is_in, weight, 0) for is_in, weight in zip(inside, weights, strict=True)]
    total = np.sum(weights, axis=0)
    return Taps(
        tuple(voxel.clip(0, span.count - 1) for voxel in voxels),
        tuple((weight / total).astype(np.float32) for weight in weights),
    )


def interpolated(
    upright: Samples, columns: Span, rows: Span, largest_px: float
) -> tuple[Samples, Span, Span]:
    """Interpolate voxels that are larger than `largest_px` pixels, on grids as fine as that needs.

    Parameters
    ----------
    upright : ndarray, shape (rows.count, columns.count)
        As `resample` takes it.
    columns, rows : Span
    largest_px : float
        0: at every pixel. Otherwise at four places of each voxel, at least two and at most eight
        pixels apart.

    Returns
    -------
    values : ndarray
    columns, rows : Span
        Of the values.
    """
    axes = (columns, rows)
    grids_px = [_grid_px(span, largest_px) for span in axes]
    if not any(grids_px):
        return upright, columns, rows
    taps = [linear_taps(s, grid) if grid else None for s, grid in zip(axes, grids_px, strict=True)]
    spans = [grid_span(s, grid) if grid else s for s, grid in zip(axes, grids_px, strict=True)]
    return resample(upright, taps[0], taps[1]), spans[0], spans[1]


def _grid_px(span: Span, largest_px: float) -> int:
    """Pixels between the values that are interpolated; 0 where voxels are drawn as they are."""
    if largest_px == 0:
        return 1
    if span.step_px <= largest_px:
        return 0
    return min(max(int(span.step_px / 4), _GRIDS_PX[0]), _GRIDS_PX[1])


def resample(upright: Samples, columns: Taps | None, rows: Taps | None) -> _Floats:
    """Interpolate values at the elements of a grid.

    Parameters
    ----------
    upright : ndarray, shape (n_rows, n_columns), any real dtype, any strides
        In screen order. NaN is "no data": it takes no part, and an element most of which it would
        make is NaN.
    columns, rows : Taps or None
        None leaves an axis as it is.

    Returns
    -------
    ndarray, C order, float32 or (where that would lose digits) float64
    """
    kind = np.result_type(upright.dtype, np.float32)
    values: _Floats = upright.astype(kind, copy=False)
    if not (math.isfinite(values.min()) and math.isfinite(values.max())):
        missing = np.isnan(values)
        values = np.clip(values, -_LARGEST, _LARGEST)
        if missing.any():
            values[missing] = 0
            weights = _along_both((~missing).astype(kind), columns, rows)
            with np.errstate(invalid="ignore", divide="ignore"):
                found = _along_both(values, columns, rows) / weights
            found[weights < _LEAST_WEIGHT] = np.nan
            return found
    return _along_both(values, columns, rows)


def _along_both(values: _Floats, columns: Taps | None, rows: Taps | None) -> _Floats:
    if columns is not None:
        values = _along_rows(np.ascontiguousarray(values.T), columns).T
    values = np.ascontiguousarray(values)
    return values if rows is None else _along_rows(values, rows)


def _along_rows(values: _Floats, taps: Taps) -> _Floats:
    """Interpolate along axis 0, where each tap copies whole rows."""
    if len(taps.voxels) == 2:  # lower + share * (upper - lower): exact at the voxels
        lower = values.take(taps.voxels[0], axis=0)
        upper = values.take(taps.voxels[1], axis=0)
        upper -= lower
        upper *= taps.weights[1][:, None]
        lower += upper
        return lower
    found = np.zeros((len(taps.weights[0]), values.shape[1]), values.dtype)
    for voxels, weights in zip(taps.voxels, taps.weights, strict=True):
        part = values.take(voxels, axis=0)
        part *= weights[:, None]
        found += part
    return found
