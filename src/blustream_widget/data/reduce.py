"""Halve the resolution of a block: mean for amounts, majority for labels."""

from __future__ import annotations

import warnings

import numpy as np

from blustream_widget.core.types import Samples


def half(values: Samples, *, is_label: bool) -> Samples:
    """Reduce every axis by two, rounding sizes up; dtype is kept.

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
    kind = np.float64 if values.dtype.itemsize > 4 or values.dtype.kind in "ui" else np.float32
    total: Samples = values
    for axis in range(values.ndim):
        even, odd = _pairs(total, axis)
        total = np.add(even, odd, dtype=kind)
    scale = 1.0 / (1 << values.ndim)
    if values.dtype.kind in "ui":
        return np.rint(total * scale).astype(values.dtype)
    mean = np.multiply(total, scale, dtype=kind)
    return (_mean_of_numbers(values) if np.isnan(mean).any() else mean).astype(
        values.dtype, copy=False
    )


def _mean_of_numbers(values: Samples) -> Samples:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # "mean of empty slice": NaN is the answer
        mean: Samples = np.nanmean(_corners(values), axis=-1)
    return mean


def _majority(values: Samples) -> Samples:
    corners = _corners(values)
    first = np.ascontiguousarray(corners[..., 0])
    mixed = (corners != first[..., None]).any(-1)
    if mixed.any():
        some = corners[mixed]
        counts = (some[:, :, None] == some[:, None, :]).sum(-1)
        first[mixed] = np.take_along_axis(some, counts.argmax(-1)[:, None], -1)[:, 0]
    return first


def _pairs(values: Samples, axis: int) -> tuple[Samples, Samples]:
    before = (slice(None),) * axis
    return values[(*before, slice(0, None, 2))], values[(*before, slice(1, None, 2))]


def _corners(values: Samples) -> Samples:
    """The 2**ndim voxels of every reduced one along a new last axis, in array order."""
    parts = [values]
    for axis in range(values.ndim):
        parts = [part for whole in parts for part in _pairs(whole, axis)]
    return np.stack(parts, axis=-1)
