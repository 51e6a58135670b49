"""Value types that travel between stages and processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.time_axis import MAX_LISTED, MAX_NAME, TimeAxis

Samples: TypeAlias = npt.NDArray[np.generic]
"""Voxel values, shape (n0, n1) or (n0, n1, n2), any real dtype, in the channel's unit."""

Kind: TypeAlias = Literal["seismic", "medical", "generic"]
"""What a volume is, judged from its metadata: decides orientation, names, tools and presets."""


class Axis(msgspec.Struct, frozen=True):
    """One axis of a volume: index i (0-based) has the survey number first + i * step.

    Parameters
    ----------
    name : str
        As the user says it: "inline", "crossline", "sample"; "sagittal", "coronal", "axial"; "axis
        0"…
    unit : str
        Of the numbers: "ms", "m", "mm", or "" where numbers have none (line numbers, indices).
    n : int
        Number of voxels along the axis, at least 1.
    first, step : float
        Survey number of index 0, and the difference from one index to the next (may be negative).
    spacing : float
        World distance between neighbouring voxels, in `VolumeInfo.world_unit`; always positive.
        For a time axis it is what makes a section look right at zoom 1, not a length.
    """

    name: str
    unit: str
    n: int
    first: float
    step: float
    spacing: float


class Channel(msgspec.Struct, frozen=True):
    """One value per voxel: an amplitude, a density, a label.

    Parameters
    ----------
    name, unit : str
    dtype : str
        NumPy dtype string of the values above `data/`, for example "float32", "uint8", "int16".
    value_min, value_max : float
        Finite range of the data (exact or, for a volume of somebody else, as its header says).
    is_label : bool
        Values are names, not amounts: shown by nearest neighbour, reduced by majority.
    percentiles : tuple of float
        Values at 0.1, 1, 2, 5, 10, 25, 50, 75, 90, 95, 98, 99, 99.9 percent of the finite voxels.
    abs_percentiles : tuple of float
        Of |value| at 90, 95, 98, 99, 99.5, 100, 99.9 percent: symmetric windows of signed data.
    histogram : tuple of int
        Counts in 256 equal bins from value_min to value_max; empty if not known.
    label_names : dict
        Name by label value, where known.
    """

    name: str
    unit: str
    dtype: str
    value_min: float
    value_max: float
    is_label: bool = False
    percentiles: tuple[float, ...] = ()
    abs_percentiles: tuple[float, ...] = ()
    histogram: tuple[int, ...] = ()
    label_names: dict[int, str] = {}


PERCENTILES = (0.1, 1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.9)
ABS_PERCENTILES = (90.0, 95.0, 98.0, 99.0, 99.5, 100.0, 99.9)
"""The last one came later: volumes that were imported before it have six."""


class VolumeInfo(msgspec.Struct, frozen=True):
    """What a viewer must know of a volume before it has seen one voxel.

    Parameters
    ----------
    name : str
        Short, for people: the file's name without its folder, or "array".
    kind : Kind
    axes : tuple of Axis
        Three; array shape is (axes[0].n, axes[1].n, axes[2].n), for seismic (inline, crossline,
        sample).
    channels : tuple of Channel
        At least one. Trace headers and the like are left out.
    n_lods : int
        Levels of detail that exist, at least 1; LOD n has ceil(n / 2**n) voxels per axis.
    brick_size : int
        Voxels per side of one stored brick, the same at every LOD.
    world_unit : str
        Of `Axis.spacing` and `affine`: "m", "mm" or "".
    affine : tuple of 16 float or None
        Row-major 4x4: (index0, index1, index2, 1) to world. Medical: patient RAS+ in mm.
        None where orientation and position are not known: then no letters are shown.
    source : str
        "openvds", "memory", "nifti", …
    time : TimeAxis or None
        Of a series of volumes on one grid. Each step has all channels: a source counts the
        channels of every step one after the other, those of step 0 first (`at_time`).
    """

    name: str
    kind: Kind
    axes: tuple[Axis, Axis, Axis]
    channels: tuple[Channel, ...]
    n_lods: int = 1
    brick_size: int = 64
    world_unit: str = ""
    affine: tuple[float, ...] | None = None
    source: str = ""
    time: TimeAxis | None = None

    @property
    def n_steps(self) -> int:
        """Steps in time, 1 of a volume that has no such axis."""
        return 1 if self.time is None else self.time.n

    @property
    def n_source_channels(self) -> int:
        """Channels of all steps: what a source counts."""
        return len(self.channels) * self.n_steps

    def at_time(self, channel: int, time_idx: int) -> int:
        """Give the number of a channel at a step, as its source counts them."""
        return time_idx * len(self.channels) + channel

    def own_channel(self, source_channel: int) -> int:
        """Channel, whatever the step, that a source counts as `source_channel`."""
        return source_channel % len(self.channels)

    def channel_of(self, source_channel: int) -> Channel:
        """Describe the channel that a source counts as `source_channel`."""
        return self.channels[self.own_channel(source_channel)]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along the three axes."""
        return (self.axes[0].n, self.axes[1].n, self.axes[2].n)


class LoadedSlices(msgspec.Struct, frozen=True):
    """Slices that are in memory as sharp as the view wants them: they come without any reading.

    Parameters
    ----------
    axis, channel : int
        Of these slices.
    runs : tuple of (int, int)
        First and last of each run, 0-based, both included, in order.
    """

    axis: int = 0
    channel: int = 0
    runs: tuple[tuple[int, int], ...] = ()


class SharedArray(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a kernel's array lies in shared memory.

    Parameters
    ----------
    path : str
        A file in a memory file system, made by the kernel, mode 0600. C-contiguous array data from
        byte 0.
    shape : tuple of int
        Three axes, or four: those of a series, its steps first.
    dtype : str
        NumPy dtype string, native byte order.
    """

    path: Annotated[str, msgspec.Meta(max_length=4096)]
    shape: Annotated[tuple[int, ...], msgspec.Meta(min_length=3, max_length=4)]
    dtype: Annotated[str, msgspec.Meta(max_length=16)]


class VolumeRef(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to open: an address, a shared array or a series, plus what the user says of it.

    `url` is a path, file:, s3:, azure:, gs: or http(s): address; `connection` is OpenVDS's
    connection string and is never logged. Exactly one of `url`, `array` and `series` is given.
    `environment` holds the kernel's variables by which a worker finds credentials of cloud storage.
    `series` are volumes on one grid, a step each. `time_axis` is which axis of a .npy file with
    four counts the steps; `times`, `time_names` and `time_unit` say of them what the file does not.
    """

    url: Annotated[str, msgspec.Meta(max_length=8192)] = ""
    connection: Annotated[str, msgspec.Meta(max_length=8192)] = ""
    array: SharedArray | None = None
    name: Annotated[str, msgspec.Meta(max_length=256)] = ""
    kind: Kind | None = None
    spacing: tuple[float, float, float] | None = None
    affine: Annotated[tuple[float, ...], msgspec.Meta(min_length=16, max_length=16)] | None = None
    axis_names: tuple[str, str, str] | None = None
    unit: Annotated[str, msgspec.Meta(max_length=32)] = ""
    environment: Annotated[
        dict[
            Annotated[str, msgspec.Meta(max_length=64)],
            Annotated[str, msgspec.Meta(max_length=4096)],
        ],
        msgspec.Meta(max_length=32),
    ] = {}
    series: Annotated[tuple[VolumeRef, ...], msgspec.Meta(max_length=4096)] = ()
    time_axis: int | None = None
    times: Annotated[tuple[float, ...], msgspec.Meta(max_length=MAX_LISTED)] = ()
    time_names: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=MAX_NAME)], ...],
        msgspec.Meta(max_length=MAX_LISTED),
    ] = ()
    time_unit: Annotated[str, msgspec.Meta(max_length=32)] = ""

    def __repr__(self) -> str:
        # Connection and address can hold credentials.
        return f"VolumeRef(name={self.name!r})"


@dataclass(frozen=True, slots=True)
class SliceData:
    """Part of a slice, as far as it is here now.

    Parameters
    ----------
    values : ndarray, 2-D, dtype of the channel
        Indexed by the two axes other than `axis`, in ascending order, at LOD `lod`. Read only. NaN
        is "no data".
    axis, slice_idx, channel : int
        Which slice; `slice_idx` in LOD0 voxels.
    lod : int
        Resolution of `values`: element (a, b) covers LOD0 voxels [a << lod, (a + 1) << lod).
    origin : tuple of int
        LOD voxel of `values[0, 0]` along the two axes.
    coarsest_lod : int
        Coarsest level that some part of `values` was filled from (== lod when complete).
    progress : float
        Share of the wanted bricks that are here, 0 to 1; 1 = complete.
    """

    values: Samples
    axis: int
    slice_idx: int
    channel: int
    lod: int
    origin: tuple[int, int]
    coarsest_lod: int
    progress: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn picture on its way to an encoder.

    Parameters
    ----------
    pixels : ndarray, uint8, C order
        "yuv420p": BT.709 limited range, shape (height * 3 // 2, width), planes Y, U, V one after
        the other, U and V as (height // 2, width // 2) each. "yuvj420p": the same with BT.601 full
        range, as JPEG wants it. "rgb24": sRGB, shape (height, width, 3).
    pixel_format : str
    width_px, height_px : int
        Even.
    """

    pixels: npt.NDArray[np.uint8]
    pixel_format: Literal["yuv420p", "yuvj420p", "rgb24"]
    width_px: int
    height_px: int


class EncoderTrial(msgspec.Struct, frozen=True):
    """One encoder that was tried on this machine, and why it was refused ("" if it works)."""

    name: str
    reason: str


class Capabilities(msgspec.Struct, frozen=True):
    """What probing found in the worker."""

    encoder: str = ""
    codec: str = ""
    encoders: tuple[EncoderTrial, ...] = ()
    sources: tuple[str, ...] = ()
