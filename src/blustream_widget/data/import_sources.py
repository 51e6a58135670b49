"""One way to read blocks out of every format that can be imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from blustream_widget.core.types import Axis, Channel, Kind, Samples, VolumeRef
from blustream_widget.data.arrays import check_array
from blustream_widget.data.memory_info import array_info, describe_channel
from blustream_widget.data.nifti import open_nifti
from blustream_widget.data.numpy_files import open_numpy
from blustream_widget.data.openvds_source import OpenVdsSource
from blustream_widget.data.paths import suffix_of
from blustream_widget.data.segy import scanned_segy
from blustream_widget.data.survey import Survey
from blustream_widget.data.vds_check import check_vds_file
from blustream_widget.errors import VolumeFormatError

Block: TypeAlias = tuple[slice, slice, slice]
Progress: TypeAlias = Callable[[float, str], None]


@dataclass(frozen=True)
class ImportSource:
    """A volume whose blocks can be read one after the other.

    Parameters
    ----------
    axes, channels, kind, world_unit, affine, survey
        As `VdsWriter` takes them; channels have a rough value range.
    read : callable
        (channel, block of slices) to values, LOD0.
    is_first_axis_fastest : bool
        How the file lies on disk.
    """

    axes: tuple[Axis, Axis, Axis]
    channels: tuple[Channel, ...]
    kind: Kind
    read: Callable[[int, Block], Samples]
    world_unit: str = ""
    affine: tuple[float, ...] | None = None
    survey: Survey | None = None
    is_first_axis_fastest: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along the three axes."""
        return (self.axes[0].n, self.axes[1].n, self.axes[2].n)


@contextmanager
def open_import(path: Path, given: Path, target: Path, report: Progress) -> Iterator[ImportSource]:
    """Open a file by the suffix of the `given` path; temporary files go beside `target`.

    Raises
    ------
    VolumeError
    """
    suffix = suffix_of(given)
    if suffix in (".nii", ".nii.gz", ".img", ".hdr"):
        yield _from_nifti(path, target.absolute().parent)
    elif suffix in (".npy", ".npz"):
        yield _from_numpy(path, given)
    elif suffix == ".vds":
        check_vds_file(path)
        with _from_vds(path) as source:
            yield source
    else:
        with scanned_segy(path, target, report) as converted, _from_vds(converted) as source:
            yield source


def _from_nifti(path: Path, folder: Path) -> ImportSource:
    file = open_nifti(path)
    mapped = file.map_voxels(folder)
    if mapped.ndim == 4:
        raise _series_error(path, len(mapped))
    voxels = check_array(mapped, str(path))
    sample = describe_channel(
        voxels, name=file.channel_name, unit=file.unit, is_label=file.is_label
    )
    low, high = file.scaled(np.array([sample.value_min, sample.value_max]))
    channel = Channel(
        name=sample.name,
        unit=sample.unit,
        dtype=file.dtype.name,
        value_min=float(low),
        value_max=float(high),
        is_label=sample.is_label,
    )
    info = file.info(channel)
    return ImportSource(
        axes=info.axes,
        channels=info.channels,
        kind=info.kind,
        read=lambda _, block: file.scaled(voxels[block]),
        world_unit=info.world_unit,
        affine=info.affine,
        is_first_axis_fastest=True,
    )


def _from_numpy(path: Path, given: Path) -> ImportSource:
    values = check_array(open_numpy(path), str(given))
    channel = describe_channel(values, name=given.name.split(".")[0], unit="")
    info = array_info(values.shape, (channel,))
    return ImportSource(
        axes=info.axes,
        channels=info.channels,
        kind=info.kind,
        read=lambda _, block: values[block],
        is_first_axis_fastest=bool(values.flags.f_contiguous and not values.flags.c_contiguous),
    )


@contextmanager
def _from_vds(path: Path) -> Iterator[ImportSource]:
    source = OpenVdsSource(str(path), VolumeRef(url=str(path)))
    try:
        info = source.info
        if info.time is not None:
            raise _series_error(path, info.n_steps)
        yield ImportSource(
            axes=info.axes,
            channels=info.channels,
            kind=info.kind,
            read=source.read_block,
            world_unit=info.world_unit,
            affine=info.affine,
            survey=source.survey,
        )
    finally:
        source.close()


def _series_error(path: Path, n_steps: int) -> VolumeFormatError:
    return VolumeFormatError(
        f"{path.name} is a series of {n_steps} volumes, not one.",
        hint="Open it as it is: a viewer shows its steps.",
    )
