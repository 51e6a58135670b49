"""NumPy's own files: .npy is mapped, .npz is read."""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np

from blustream_widget.core.types import Samples
from blustream_widget.data.arrays import check_shape, largest_in_memory_bytes
from blustream_widget.errors import VolumeFormatError

_COPY_AGAIN = "Copy or write it again: numpy.save(path, array)."
_DAMAGE = (
    ValueError,
    EOFError,
    OSError,
    OverflowError,
    MemoryError,
    NotImplementedError,  # a compression of the archive that Python does not know
    RuntimeError,  # an archive with a password
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


class _Header(NamedTuple):
    """What a .npy says before its values: sizes are Python's integers, which do not wrap around."""

    shape: tuple[int, ...]
    dtype: np.dtype[np.generic]
    start: int

    @property
    def values_bytes(self) -> int:
        return math.prod(self.shape) * self.dtype.itemsize


def open_numpy(path: Path) -> Samples:
    """Array of a .npy (mapped into memory, read only) or the one volume of a .npz.

    Raises
    ------
    VolumeFormatError
        Truncated, damaged, of Python objects, larger than memory, or an archive without exactly one
        3-D array.
    """
    try:
        if path.name.lower().endswith(".npz"):
            return _from_archive(path)
        with path.open("rb") as file:
            header = _read_header(file)
        _check_size(header, path.stat().st_size, str(path))
        # Pickles are refused: they run code of whoever wrote the file.
        values: Samples = np.load(path, mmap_mode="r", allow_pickle=False)
    except VolumeFormatError:  # a ValueError, too
        raise
    except _DAMAGE as exc:
        raise VolumeFormatError(
            f"{path} is not a readable NumPy file: truncated, damaged or of another format.",
            hint=_COPY_AGAIN,
        ) from exc
    return values


def _from_archive(path: Path) -> Samples:
    with zipfile.ZipFile(path) as archive:
        headers: dict[str, _Header] = {}
        for member in archive.infolist():
            if member.filename.endswith(".npy"):
                with archive.open(member) as file:
                    headers[member.filename] = _read_header(file)
        volumes = [name for name, header in headers.items() if len(header.shape) in (3, 4)]
        if len(volumes) != 1:
            names = ", ".join(name.removesuffix(".npy") for name in volumes) or "none"
            raise VolumeFormatError(
                f"{path} has {len(volumes)} arrays with three or four axes ({names}).",
                hint="Save the one to show alone: numpy.save(path, array).",
            )
        name = volumes[0]
        # NumPy takes the memory for all values before it reads the first.
        _check_size(headers[name], archive.getinfo(name).file_size, str(path))
        if headers[name].values_bytes > largest_in_memory_bytes():
            raise VolumeFormatError(
                f"{path} has {headers[name].values_bytes / 1e9:.1f} GB of values, "
                "more than is read into memory.",
                hint="A .npy is mapped instead: numpy.save(path, array).",
            )
        with archive.open(name) as file:
            values: Samples = np.lib.format.read_array(file, allow_pickle=False)
    return values


def _read_header(file: IO[bytes]) -> _Header:
    """Read the header of a .npy; a ValueError where there is none."""
    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    else:  # 3.0 is for names of record fields
        raise ValueError(f"a .npy of version {version}")
    return _Header(tuple(shape), dtype, file.tell())


def _check_size(header: _Header, size_bytes: int, name: str) -> None:
    """Refuse what cannot be a volume, and headers that promise more than the file holds."""
    if header.dtype.hasobject:
        raise VolumeFormatError(
            f"{name} holds Python objects, not numbers.",
            hint="Write it again with a numeric dtype: array.astype('float32').",
        )
    check_shape(header.shape, name, may_be_series=True)
    there_bytes = max(0, size_bytes - header.start)
    if header.values_bytes > there_bytes:
        raise VolumeFormatError(
            f"{name} is truncated or damaged: its header promises "
            f"{header.values_bytes} bytes of values, {there_bytes} are there.",
            hint=_COPY_AGAIN,
        )
