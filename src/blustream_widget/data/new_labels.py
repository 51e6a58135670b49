"""A label volume that nobody has painted on yet: its voxels are 0, and take no memory."""

from __future__ import annotations

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.segmentation import NewDtype
from blustream_widget.core.types import Channel, Samples, VolumeInfo
from blustream_widget.data.grid import brick_bounds, check_key, lod_size, n_lods_for
from blustream_widget.data.memory import BRICK_SIZE
from blustream_widget.data.source import (
    BrickDone,
    BrickKey,
    BrickRequest,
    DoneRequest,
    Region,
)


class NewLabels:
    """Labels on the grid of another volume, all of them 0.

    Parameters
    ----------
    shown : VolumeInfo
    name : str
    dtype : {"uint8", "uint16"}
    names : dict
        By label.
    """

    def __init__(
        self, shown: VolumeInfo, name: str, dtype: NewDtype, names: dict[int, str]
    ) -> None:
        channel = Channel(
            name=name,
            unit="",
            dtype=dtype,
            value_min=0.0,
            value_max=0.0,
            is_label=True,
            label_names=names,
        )
        self._info = msgspec.structs.replace(
            shown,
            name=name,
            channels=(channel,),
            n_lods=n_lods_for(shown.shape, BRICK_SIZE),
            brick_size=BRICK_SIZE,
            source="new",
            time=None,
        )

    @property
    def info(self) -> VolumeInfo:
        return self._info

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        del prefetch
        check_key(self._info, key)
        lower, upper = brick_bounds(self._info, key)
        done(key, self._zeros(*(u - v for v, u in zip(lower, upper, strict=True))))
        return DoneRequest()

    def read_slice(
        self, axis: int, slice_idx: int, channel: int, lod: int, region: Region
    ) -> Samples:
        del axis, slice_idx, channel
        n_a = lod_size(region.a1, lod) - (region.a0 >> lod)
        n_b = lod_size(region.b1, lod) - (region.b0 >> lod)
        return self._zeros(n_a, n_b)

    def read_box(
        self, axis: int, first: int, last: int, channel: int, region: Region, step: int
    ) -> Samples:
        del channel
        n_a = -(-(region.a1 - region.a0) // step)
        n_b = -(-(region.b1 - region.b0) // step)
        shape = [n_a, n_b]
        shape.insert(axis, -(-(last + 1 - first) // step))
        return self._zeros(*shape)

    def read_voxels(self, channel: int, at: npt.NDArray[np.int64]) -> Samples:
        del channel
        return np.zeros(at.shape, self._info.channels[0].dtype)

    def close(self) -> None:
        """Do nothing: there is nothing to free."""

    def _zeros(self, *shape: int) -> Samples:
        return np.broadcast_to(np.zeros((), self._info.channels[0].dtype), shape)
