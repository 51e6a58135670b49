"""From a reference to an open source: which reader reads what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from blustream_widget.config import Config
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.data.arrays import check_array, check_shape
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import array_info, describe_channel
from blustream_widget.data.paths import (
    local_path,
    readable_file,
    scheme_of,
    suffix_of,
)
from blustream_widget.data.source import VolumeSource
from blustream_widget.data.vds_check import check_vds_file
from blustream_widget.data.words import with_user_words
from blustream_widget.errors import VolumeAccessError, VolumeFormatError, VolumeNotFoundError
from blustream_widget.shared_files import is_shared_array


def open_source(ref: VolumeRef, config: Config) -> VolumeSource:
    """Open what a reference names. Blocks while the header and the value range are read.

    Raises
    ------
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
        Name the volume and say what to do.
    """
    if (ref.array is None) == (not ref.url):
        raise VolumeNotFoundError(
            "No volume was given." if ref.array is None else "An array and a path were given.",
            hint="Give one: a path, an address or an array.",
        )
    if ref.array is not None:
        return _open_shared(ref.array, ref)
    if scheme_of(ref.url):
        return _open_remote(ref)
    given = local_path(ref.url)
    path = readable_file(given, config.volume_roots)
    source = _READERS[suffix_of(given)](path, ref)
    return _with_slices(source, path, config) if suffix_of(given) == ".vds" else source


def _open_shared(shared: SharedArray, ref: VolumeRef) -> VolumeSource:
    check_shape(shared.shape)
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
    values = check_array(file.load(), str(path))
    info = file.info(describe_channel(values, name=file.channel_name, unit=file.unit))
    return MemorySource(with_user_words(info, ref), (values,))


def _open_numpy(path: Path, ref: VolumeRef) -> VolumeSource:
    from blustream_widget.data.numpy_files import open_numpy

    values = check_array(open_numpy(path), str(path))
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
