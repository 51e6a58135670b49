"""A volume that lies in memory, or in a file mapped into it: slices are cut without bricks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.data.grid import brick_bounds, check_key
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import (
    BrickDone,
    BrickKey,
    BrickRequest,
    DoneRequest,
    Region,
)

BRICK_SIZE = 64


def scaler(slope: float, intercept: float) -> Callable[[Samples, str], Samples]:
    """Give what makes values of a dtype of stored numbers."""

    def scaled(numbers: Samples, dtype: str) -> Samples:
        if (slope, intercept) == (1.0, 0.0):
            return np.asarray(numbers, dtype)
        values: Samples = (numbers.astype(np.float64) * slope + intercept).astype(dtype)
        return values

    return scaled


class MemorySource:
    """Array-backed volume; changes of the array in place are seen by the next read.

    Parameters
    ----------
    info : VolumeInfo
        `info.channels[c].dtype` is what reads give; floats of 16 bits are widened to 32.
    channels : tuple of ndarray
        One array of `info.shape` for each channel, any real dtype and byte order; with the steps
        as a fourth axis before the others where `info` has a time axis.
    scaling : tuple of float
        Slope and intercept that lead from the arrays' numbers to values.
    """

    def __init__(
        self,
        info: VolumeInfo,
        channels: tuple[Samples, ...],
        *,
        scaling: tuple[float, float] = (1.0, 0.0),
    ) -> None:
        self._info = info
        self._channels: tuple[Samples, ...] = channels
        self._scaling = scaling

    @property
    def info(self) -> VolumeInfo:
        return self._info

    @property
    def channels(self) -> tuple[Samples, ...]:
        """The arrays themselves, not scaled; none after `close`."""
        return self._channels

    def scaled(self, numbers: Samples, dtype: str) -> Samples:
        """Turn numbers of the arrays into values; the same object if that changes nothing."""
        return scaler(*self._scaling)(numbers, dtype)

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        del prefetch  # memory has no queue
        check_key(self._info, key)
        if not self._channels:
            done(key, None)
            return DoneRequest()
        lower, upper = brick_bounds(self._info, key)
        block = self._array(key.channel)[
            tuple(slice(v << key.lod, u << key.lod) for v, u in zip(lower, upper, strict=True))
        ]
        is_label = self._info.channel_of(key.channel).is_label
        brick = half_times(self._native(block, key.channel), key.lod, is_label=is_label)
        brick.flags.writeable = False
        done(key, brick)
        return DoneRequest()

    def read_slice(
        self, axis: int, slice_idx: int, channel: int, lod: int, region: Region
    ) -> Samples:
        side = 1 << lod
        a = slice(region.a0 // side * side, -(-region.a1 // side) * side)
        b = slice(region.b0 // side * side, -(-region.b1 // side) * side)
        index = ((slice_idx, a, b), (a, slice_idx, b), (a, b, slice_idx))[axis]
        plane = self._native(self._array(channel)[index], channel)
        values = half_times(plane, lod, is_label=self._info.channel_of(channel).is_label)
        values.flags.writeable = False
        return values

    def read_box(
        self, axis: int, first: int, last: int, channel: int, region: Region, step: int
    ) -> Samples:
        along = slice(first, last + 1, step)
        a, b = slice(region.a0, region.a1, step), slice(region.b0, region.b1, step)
        index = ((along, a, b), (a, along, b), (a, b, along))[axis]
        return self.scaled(self._array(channel)[index], self._info.channel_of(channel).dtype)

    def read_voxels(self, channel: int, at: npt.NDArray[np.int64]) -> Samples:
        array = self._array(channel)
        if array.flags.c_contiguous:
            found = array.reshape(-1).take(at)
        else:
            found = array[np.unravel_index(at, array.shape)]
        return self.scaled(found, self._info.channel_of(channel).dtype)

    def close(self) -> None:
        self._channels = ()

    def _native(self, values: Samples, channel: int) -> Samples:
        """Return a contiguous copy: what was read does not change when the array does."""
        dtype = self._info.channel_of(channel).dtype
        if self._scaling != (1.0, 0.0):
            values = self.scaled(values, dtype)
        return np.array(values, dtype=dtype, order="C")

    def _array(self, channel: int) -> Samples:
        array = self._channels[self._info.own_channel(channel)]
        return array if self._info.time is None else array[channel // len(self._info.channels)]
