"""Which arrays can be shown, and what to do about those that cannot."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from blustream_widget.core.types import Samples
from blustream_widget.errors import VolumeFormatError

LONGEST_AXIS = 1 << 20
LARGEST_BYTES = 1 << 40
_CHUNK = 1 << 22
_MOST_IN_MEMORY_BYTES = 8 << 30


def largest_in_memory_bytes() -> int:
    """Up to here a file is read into memory: half of what the machine has, at most 8 GiB."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min(memory_bytes // 2, _MOST_IN_MEMORY_BYTES)


def check_array(array: Any, name: str = "The array", *, may_be_series: bool = False) -> Samples:
    """Return an array that can be shown, as a view of the same memory where possible.

    Parameters
    ----------
    array : array_like
        Anything that `numpy.asarray` takes: NumPy, xarray, a CPU tensor.
    name : str
        What errors call it: the file it comes from.
    may_be_series : bool
        Four axes are welcome, too.

    Returns
    -------
    ndarray, 3-D or 4-D, integers of 8 to 64 bits or floats of 16 to 64
        A view where `array` lies in this process's memory, so that later changes in place are seen.

    Raises
    ------
    VolumeFormatError
        Zero-size, not of so many axes, not real numbers, nothing but NaN, or of absurd size.
    """
    try:
        values = np.asarray(array)
    except (TypeError, ValueError, RuntimeError) as exc:  # RuntimeError: a tensor on a GPU
        raise VolumeFormatError(
            f"A {type(array).__name__} cannot be read as an array: {exc}.",
            hint="Give a NumPy array with three axes.",
        ) from exc
    check_shape(values.shape, name, may_be_series=may_be_series)
    values = _real(values, name)
    if values.nbytes > LARGEST_BYTES:
        raise VolumeFormatError(
            f"{name} has {values.nbytes / 1e12:.1f} TB.",
            hint="Write it to a VDS (blustream import) and show the file.",
        )
    if not has_numbers(values):
        raise VolumeFormatError(
            f"{name} has no finite value: all are NaN or infinite.",
            hint="Check the step that made it.",
        )
    return values


def check_shape(
    shape: tuple[int, ...], name: str = "The array", *, may_be_series: bool = False
) -> None:
    """Refuse shapes that are not a volume, nor a series of them where that may be.

    Raises
    ------
    VolumeFormatError
    """
    if len(shape) not in ((3, 4) if may_be_series else (3,)):
        advice = {
            1: "Reshape it to three axes.",
            2: "One picture is not a volume: array[None] makes it one of a single slice.",
            4: "Pick one of them, for example array[..., 0].",
            5: "Pick one of its series, for example array[..., 0].",
        }.get(len(shape), "Give three axes.")
        wanted = "3 or 4" if may_be_series else "3"
        raise VolumeFormatError(
            f"{name} has {len(shape)} axes (shape {shape}), not {wanted}.", hint=advice
        )
    if min(shape) < 1:
        raise VolumeFormatError(
            f"{name} has no voxels (shape {shape}).", hint="Check the selection that made it."
        )
    if max(shape) > LONGEST_AXIS:
        raise VolumeFormatError(
            f"{name} has an axis of {max(shape)} voxels; at most {LONGEST_AXIS} are shown.",
            hint="Reshape it, or take a part of it.",
        )


def steps_first(values: Samples, time_axis: int | None, name: str = "The array") -> Samples:
    """View of a series whose steps are counted along the first axis.

    Parameters
    ----------
    values : ndarray, 3-D or 4-D
    time_axis : int, optional
        Which axis counts the steps, from the end if negative; the first of four.
    name : str
        What errors call it.

    Raises
    ------
    VolumeFormatError
        Three axes alone, or no such axis.
    """
    if values.ndim == 3 and time_axis is not None:
        raise VolumeFormatError(
            f"{name} has three axes, so none of them is time.",
            hint="Leave out time_axis, or give an array with four axes.",
        )
    if values.ndim == 3:
        return values
    axis = 0 if time_axis is None else time_axis
    if not -4 <= axis < 4:
        raise VolumeFormatError(
            f"{name} has four axes, and no axis {axis}.", hint="time_axis is 0 to 3, or -4 to -1."
        )
    return np.moveaxis(values, axis, 0)


def has_numbers(values: Samples) -> bool:
    """At least one finite value; reads no further than the first."""
    if values.dtype.kind != "f":
        return True
    # The middle first: volumes with a blank rim are common.
    middle = values[tuple(slice(n // 4, n // 4 + max(1, min(n // 2, 64))) for n in values.shape)]
    if np.isfinite(middle).any():
        return True
    per_slab = max(1, _CHUNK // max(1, values[0].size))
    return any(
        bool(np.isfinite(values[i : i + per_slab]).any()) for i in range(0, len(values), per_slab)
    )


def _real(values: Samples, name: str) -> Samples:
    kind, itemsize = values.dtype.kind, values.dtype.itemsize
    if kind == "b":
        return values.view(np.uint8)
    if kind in "ui" or (kind == "f" and itemsize <= 8):
        return values
    advice = {
        "c": "Show its magnitude or phase: numpy.abs(array), numpy.angle(array).",
        "O": "Convert it: array.astype('float32').",
        "f": "Convert it: array.astype('float64').",
    }.get(kind, "Give integers or floats.")
    raise VolumeFormatError(f"{name} is of {values.dtype}, which cannot be shown.", hint=advice)
