"""A volume that lies in memory, or in a file mapped into it: slices are cut without bricks."""

from __future__ import annotations

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


class MemorySource:
    """Array-backed volume; changes of the array in place are seen by the next read.

    Parameters
    ----------
    info : VolumeInfo
        `info.channels[c].dtype` is what reads give; floats of 16 bits are widened to 32.
    channels : tuple of ndarray
        One array of `info.shape` for each channel, any real dtype and byte order.
    """

    def __init__(self, info: VolumeInfo, channels: tuple[Samples, ...]) -> None:
        self._info = info
        self._channels: tuple[Samples, ...] = channels

    @property
    def info(self) -> VolumeInfo:
        return self._info

    @property
    def channels(self) -> tuple[Samples, ...]:
        """The arrays themselves; none after `close`."""
        return self._channels

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        del prefetch  # memory has no queue
        check_key(self._info, key)
        if not self._channels:
            done(key, None)
            return DoneRequest()
        lower, upper = brick_bounds(self._info, key)
        block = self._channels[key.channel][
            tuple(slice(v << key.lod, u << key.lod) for v, u in zip(lower, upper, strict=True))
        ]
        is_label = self._info.channels[key.channel].is_label
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
        plane = self._native(self._channels[channel][index], channel)
        values = half_times(plane, lod, is_label=self._info.channels[channel].is_label)
        values.flags.writeable = False
        return values

    def read_box(
        self, axis: int, first: int, last: int, channel: int, region: Region, step: int
    ) -> Samples:
        along = slice(first, last + 1, step)
        a, b = slice(region.a0, region.a1, step), slice(region.b0, region.b1, step)
        index = ((along, a, b), (a, along, b), (a, b, along))[axis]
        return np.asarray(self._channels[channel][index], self._info.channels[channel].dtype)

    def read_voxels(self, channel: int, at: npt.NDArray[np.int64]) -> Samples:
        array = self._channels[channel]
        if array.flags.c_contiguous:
            found = array.reshape(-1).take(at)
        else:
            found = array[np.unravel_index(at, array.shape)]
        return found.astype(self._info.channels[channel].dtype, copy=False)

    def close(self) -> None:
        self._channels = ()

    def _native(self, values: Samples, channel: int) -> Samples:
        """Return a contiguous copy: what was read does not change when the array does."""
        return np.array(values, dtype=self._info.channels[channel].dtype, order="C")
