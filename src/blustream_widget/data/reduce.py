"""Halve the resolution of a block: mean for amounts, majority for labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from blustream_widget.core.types import Samples


def half(values: Samples, *, is_label: bool) -> Samples:
    """Reduce every axis by two, rounding sizes up; the dtype is kept, in native byte order.

    Parameters
    ----------
    values : ndarray, any number of axes and any real dtype
    is_label : bool
        True: the value most of the 2**ndim voxels have; on a tie the one that comes first in array
        order. False: their mean, leaving out NaN; NaN where all are.
    """
    if any(n % 2 for n in values.shape):
        # A repeated edge changes neither the mean nor the majority of the voxels that exist.
        values = np.pad(values, [(0, n % 2) for n in values.shape], "edge")
    return _majority(values) if is_label else _mean(values)


def half_times(values: Samples, times: int, *, is_label: bool) -> Samples:
    """`half`, repeated."""
    for _ in range(times):
        values = half(values, is_label=is_label)
    return values


def _mean(values: Samples) -> Samples:
    is_wide = values.dtype.itemsize > 4 or values.dtype.kind in "ui"
    kind = np.dtype(np.float64 if is_wide else np.float32)
    total: Any = values  # NumPy's types know no sum of "some real dtype"
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        for axis in range(values.ndim):
            even, odd = _pairs(total, axis)
            total = np.add(even, odd, dtype=kind)
        mean = total / kind.type(1 << values.ndim)
        if values.dtype.kind in "ui":
            mean = np.rint(mean)
        elif np.isnan(mean).any():
            mean = _mean_of_numbers(values)
    result: Samples = mean.astype(values.dtype, copy=False)
    return result


def _mean_of_numbers(values: Samples) -> Samples:
    corners: Any = np.stack(_corners(values), axis=-1)
    is_number = ~np.isnan(corners)
    count = is_number.sum(-1)
    total = np.where(is_number, corners, 0).sum(-1)
    mean: Samples = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _majority(values: Samples) -> Samples:
    corners = _corners(values)
    first = np.ascontiguousarray(corners[0])
    # One after the other: along an axis of four or eight it takes five times as long.
    mixed = corners[1] != first
    for other in corners[2:]:
        mixed |= other != first
    if mixed.any():
        some = np.stack([corner[mixed] for corner in corners], axis=-1)
        counts = (some[:, :, None] == some[:, None, :]).sum(-1)
        first[mixed] = np.take_along_axis(some, counts.argmax(-1)[:, None], -1)[:, 0]
    return first


def _pairs(values: Samples, axis: int) -> tuple[Samples, Samples]:
    before = (slice(None),) * axis
    return values[(*before, slice(0, None, 2))], values[(*before, slice(1, None, 2))]


def _corners(values: Samples) -> list[Samples]:
    """Give each of the 2**ndim voxels of every reduced one, in array order."""
    parts = [values]
    for axis in range(values.ndim):
        parts = [part for whole in parts for part in _pairs(whole, axis)]
    return parts
