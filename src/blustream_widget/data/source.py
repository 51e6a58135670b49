"""What every volume source offers: bricks on request, never waiting."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NamedTuple, Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.errors import BlustreamError


class BrickKey(NamedTuple):
    """One brick: channel index, level of detail, and brick indices along the three array axes."""

    channel: int
    lod: int
    i0: int
    i1: int
    i2: int


class TileKey(NamedTuple):
    """A square part of one LOD0 slice, of a source that stores slices as such.

    Channel, axis across the slice, its index, tile indices along its two axes in ascending order,
    and voxels per side, which keep it apart from every `BrickKey`.
    """

    channel: int
    axis: int
    slice_idx: int
    a: int
    b: int
    size: int


AnyKey: TypeAlias = BrickKey | TileKey


class Region(NamedTuple):
    """Part of a slice in LOD0 voxels, half open, along its two axes in ascending order."""

    a0: int
    a1: int
    b0: int
    b1: int


BrickDone: TypeAlias = Callable[[BrickKey, "Samples | BlustreamError | None"], None]
"""Gets the brick, the error that prevented it, or None when it was cancelled. Any thread."""

TileDone: TypeAlias = Callable[[TileKey, "Samples | BlustreamError | None"], None]
"""The same for a tile, which has the shape (n_a, n_b)."""


class BrickRequest(Protocol):
    """A brick on its way."""

    def cancel(self) -> None:
        """Ask to forget the brick; `done` is still called once. May be called at any time."""


class VolumeSource(Protocol):
    """A volume that is open for reading.

    Notes
    -----
    `request_brick` is called from one or more threads and returns at once. `done` may be called
    from another thread, or before `request_brick` returns.
    """

    @property
    def info(self) -> VolumeInfo:
        """What the volume is; never changes while it is open."""

    def request_brick(
        self, key: BrickKey, done: BrickDone, *, prefetch: bool = False
    ) -> BrickRequest:
        """Ask for a brick, shape (n0, n1, n2) clipped at the volume's end, dtype of the channel.

        Parameters
        ----------
        key : BrickKey
        done : BrickDone
            Called exactly once. The array is the receiver's to keep; nobody writes to it.
        prefetch : bool
            The brick is wanted later: it must not delay bricks that are wanted now.

        Raises
        ------
        ValueError
            If there is no such brick.
        """

    def close(self) -> None:
        """Cancel what is on its way and free everything. May be called twice, from any thread."""


@runtime_checkable
class TiledSource(VolumeSource, Protocol):
    """A source that has its LOD0 slices stored in tiles too: one slice costs no brick layer."""

    @property
    def tile_size(self) -> int:
        """Voxels per side of a tile, a multiple of the brick size; 0 when there are none."""

    def request_tile(self, key: TileKey, done: TileDone, *, prefetch: bool = False) -> BrickRequest:
        """Ask for a tile, shape (n_a, n_b) clipped at the slice's end; else as `request_brick`."""


@runtime_checkable
class FarSource(VolumeSource, Protocol):
    """A source behind a network: more requests at once pay, and it can be out of reach."""

    @property
    def max_in_flight(self) -> int:
        """Requests that keep the way full."""

    @property
    def trouble(self) -> BlustreamError | None:
        """Why nothing comes at the moment, while what is asked for is tried again."""

    def on_trouble(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever `trouble` has changed; any thread, must return at once."""


@runtime_checkable
class DirectSource(VolumeSource, Protocol):
    """A source whose voxels lie in memory: a slice is cut at once, without bricks."""

    def read_slice(
        self, axis: int, slice_idx: int, channel: int, lod: int, region: Region
    ) -> Samples:
        """Cut a slice, reduced in its plane to LOD `lod`, region widened to whole LOD voxels."""

    def read_box(
        self, axis: int, first: int, last: int, channel: int, region: Region, step: int
    ) -> Samples:
        """Give every `step`-th voxel along each axis of slices `first` to `last`, in native order.

        A view of the volume where that is possible: to be read at once and not kept.
        """

    def read_voxels(self, channel: int, at: npt.NDArray[np.int64]) -> Samples:
        """Give single voxels, by their place in C order; native order, the caller's to keep."""


@runtime_checkable
class ChangingSource(VolumeSource, Protocol):
    """A source some of whose bricks can become other ones while it is open."""

    def patched(self, key: AnyKey, values: Samples) -> Samples:
        """Give a brick or tile as it is now; the same object where nothing is other."""


@runtime_checkable
class ChangingDirectSource(DirectSource, ChangingSource, Protocol):
    """Such a source whose voxels lie in memory."""

    def patched_slice(
        self,
        values: Samples,
        axis: int,
        slice_idx: int,
        channel: int,
        lod: int,
        region: Region,
        bricks: Collection[tuple[int, int, int]],
    ) -> Samples:
        """Give a slice as `read_slice` would now, from an older one before `bricks` changed.

        The same object where none of them lies in it.
        """


class DoneRequest:
    """The request of a brick that was already delivered."""

    def cancel(self) -> None:
        """Do nothing: there is nothing left to cancel."""
