"""A followed horizon as a grid of samples, packed so small that it goes to every page at once."""

from __future__ import annotations

import math
import zlib
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.errors import ProcessingError

MOST_NODES = 1_000_000
"""Of a packed grid: of a wider one every second, third, ... inline and crossline is kept."""

_NONE = 0xFFFF
_FINEST = 1 / 64  # of a sample
_Floats: TypeAlias = npt.NDArray[np.float64]


class HorizonGrid(msgspec.Struct, frozen=True):
    """Where a horizon lies on each trace, to half of `step`.

    Parameters
    ----------
    shape : (int, int)
        Inlines and crosslines of the volume.
    stride : int
        Every so many of both are kept.
    base, step : float
        The sample is base + step * code.
    n_picked : int
        Traces on which it lies, before any was left out.
    low, high : float
        Least and greatest sample.
    codes : bytes
        uint16, little-endian, row by row of inlines; 65535: not followed there. Each but the first
        as the difference to the one before it, modulo 65536, and all of it deflated (zlib).
    """

    shape: tuple[int, int]
    stride: int
    base: float
    step: float
    n_picked: int
    low: float
    high: float
    codes: bytes


def packed(samples: _Floats) -> HorizonGrid:
    """Pack the samples of a horizon.

    Parameters
    ----------
    samples : ndarray, shape (n_inline, n_crossline), 0-based sample index
        NaN where it was not followed.

    Raises
    ------
    ProcessingError
        It lies nowhere.
    """
    is_there = np.isfinite(samples)
    n_picked = int(is_there.sum())
    if not n_picked:
        raise ProcessingError("The horizon lies on no trace.", hint="Pick another seed.")
    low, high = float(samples[is_there].min()), float(samples[is_there].max())
    step = max(_FINEST, (high - low) / (_NONE - 1))
    stride = math.ceil(math.sqrt(samples.size / MOST_NODES))
    kept = samples[::stride, ::stride]
    codes = np.full(kept.size, _NONE, np.uint16)
    there = np.isfinite(kept).ravel()
    codes[there] = np.round((kept.ravel()[there] - low) / step).astype(np.uint16)
    differences = np.diff(codes, prepend=np.uint16(0))
    return HorizonGrid(
        shape=(samples.shape[0], samples.shape[1]),
        stride=stride,
        base=low,
        step=step,
        n_picked=n_picked,
        low=low,
        high=high,
        codes=zlib.compress(differences.astype("<u2").tobytes(), 4),
    )


def samples_of(grid: HorizonGrid) -> _Floats:
    """Unpack the samples, shape `grid.shape`; NaN where it lies not, or was not kept."""
    differences = np.frombuffer(zlib.decompress(grid.codes), "<u2")
    codes = np.cumsum(differences, dtype=np.uint16)
    samples = grid.base + grid.step * codes.astype(float)
    samples[codes == _NONE] = np.nan
    n0, n1 = (-(-n // grid.stride) for n in grid.shape)
    found = np.full(grid.shape, np.nan)
    found[:: grid.stride, :: grid.stride] = samples.reshape(n0, n1)
    return found
