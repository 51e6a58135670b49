"""From a reference to an open source: which reader reads what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from blustream_widget.config import Config
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.data.arrays import check_array, check_shape, steps_first
from blustream_widget.data.memory import MemorySource, scaler
from blustream_widget.data.memory_info import array_info, describe_channel
from blustream_widget.data.paths import (
    local_path,
    readable_file,
    scheme_of,
    shown_name,
    suffix_of,
)
from blustream_widget.data.source import VolumeSource
from blustream_widget.data.vds_check import check_vds_file
from blustream_widget.data.words import with_user_words
from blustream_widget.errors import VolumeAccessError, VolumeFormatError, VolumeNotFoundError
from blustream_widget.shared_files import is_shared_array

if TYPE_CHECKING:
    from blustream_widget.data.nifti import NiftiFile


def open_source(ref: VolumeRef, config: Config) -> VolumeSource:
    """Open what a reference names. Blocks while the header and the value range are read.

    Raises
    ------
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
        Name the volume and say what to do.
    """
    if sum(map(bool, (ref.array, ref.url, ref.series))) != 1:
        is_none = ref.array is None and not ref.series
        raise VolumeNotFoundError(
            "No volume was given." if is_none else "More than one volume was given.",
            hint="Give one: a path, an address, an array or a list of them.",
        )
    if ref.series:
        return _open_series(ref, config)
    if ref.array is not None:
        return _open_shared(ref.array, ref)
    if scheme_of(ref.url):
        return _open_remote(ref)
    given = local_path(ref.url)
    path = readable_file(given, config.volume_roots)
    source = _READERS[suffix_of(given)](path, ref)
    return _with_slices(source, path, config) if suffix_of(given) == ".vds" else source


def _open_series(ref: VolumeRef, config: Config) -> VolumeSource:
    from blustream_widget.data.series import SeriesSource

    openers = [partial(open_source, step, config) for step in ref.series]
    source = SeriesSource(openers, [shown_name(step.url) for step in ref.series])
    return source.described(with_user_words(source.info, ref))


def _open_shared(shared: SharedArray, ref: VolumeRef) -> VolumeSource:
    check_shape(shared.shape, may_be_series=True)
    # Not a way around the folders that volumes may be opened from.
    if Path(shared.path).exists() and not is_shared_array(Path(shared.path)):
        raise VolumeAccessError("The shared array is not a file that a viewer has made.")
    try:
        values = np.memmap(shared.path, dtype=shared.dtype, mode="r", shape=shared.shape)
    except (OSError, ValueError, TypeError) as exc:
        raise VolumeNotFoundError(
            "The array is no longer in shared memory.", hint="Run the cell that shows it again."
        ) from exc
    channel = describe_channel(values, name=ref.name or "value", unit=ref.unit)
    info = array_info(shared.shape, (channel,), kind=ref.kind or "generic")
    return MemorySource(with_user_words(info, ref), (values,))


def _open_vds(url: str, ref: VolumeRef) -> VolumeSource:
    from blustream_widget.data.openvds_source import OpenVdsSource  # loads OpenVDS, 0.2 s

    return OpenVdsSource(url, ref)


def _open_remote(ref: VolumeRef) -> VolumeSource:
    from blustream_widget.data.cloud import open_cloud
    from blustream_widget.data.remote import RemoteSource

    return RemoteSource(lambda: open_cloud(ref, _open_vds))


def _open_vds_file(path: Path, ref: VolumeRef) -> VolumeSource:
    check_vds_file(path)
    return _open_vds(str(path), ref)


def _with_slices(source: VolumeSource, path: Path, config: Config) -> VolumeSource:
    from blustream_widget.data.openvds_source import OpenVdsSource
    from blustream_widget.data.slice_copy import with_slice_copy

    assert isinstance(source, OpenVdsSource)
    return with_slice_copy(source, path, config.volume_roots)


def _open_nifti(path: Path, ref: VolumeRef) -> VolumeSource:
    from blustream_widget.data.nifti import open_nifti  # loads nibabel

    file = open_nifti(path)
    if file.time is not None:
        return _open_nifti_series(file, ref)
    values = check_array(file.load(), str(path))
    info = file.info(describe_channel(values, name=file.channel_name, unit=file.unit))
    return MemorySource(with_user_words(info, ref), (values,))


def _open_nifti_series(file: NiftiFile, ref: VolumeRef) -> VolumeSource:
    """Map a series, as long as it may be: its values are made when they are read."""
    mapped = file.map_voxels(Path(tempfile.gettempdir()))
    numbers = check_array(mapped, str(file.path), may_be_series=True)
    channel = describe_channel(
        numbers,
        name=file.channel_name,
        unit=file.unit,
        scaled=scaler(*file.scaling),
        dtype=file.dtype.name,
    )
    info = with_user_words(file.info(channel), ref)
    return MemorySource(info, (numbers,), scaling=file.scaling)


def _open_numpy(path: Path, ref: VolumeRef) -> VolumeSource:
    from blustream_widget.data.numpy_files import open_numpy

    values = check_array(open_numpy(path), str(path), may_be_series=True)
    values = steps_first(values, ref.time_axis, path.name)
    channel = describe_channel(values, name=path.name.split(".")[0], unit=ref.unit)
    info = array_info(
        values.shape, (channel,), name=path.name, kind=ref.kind or "generic", source="numpy"
    )
    return MemorySource(with_user_words(info, ref), (values,))


def _refuse_segy(path: Path, ref: VolumeRef) -> VolumeSource:
    del ref
    target = path.with_suffix(".vds").name
    raise VolumeFormatError(
        f"{path} is SEG-Y: stored by trace, it cannot be sliced fast in every direction.",
        hint=f"Import it once: blustream import {path.name} {target}",
    )


_READERS: dict[str, Callable[[Path, VolumeRef], VolumeSource]] = {
    ".vds": _open_vds_file,
    ".nii": _open_nifti,
    ".nii.gz": _open_nifti,
    ".img": _open_nifti,
    ".hdr": _open_nifti,
    ".npy": _open_numpy,
    ".npz": _open_numpy,
    ".sgy": _refuse_segy,
    ".segy": _refuse_segy,
}
