"""NumPy's own files: .npy is mapped, .npz is read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from blustream_widget.core.types import Samples
from blustream_widget.errors import VolumeFormatError

_COPY_AGAIN = "Copy or write it again: numpy.save(path, array)."


def open_numpy(path: Path) -> Samples:
    """Array of a .npy (mapped into memory, read only) or the one volume of a .npz.

    Raises
    ------
    VolumeFormatError
        Truncated, of Python objects, or an archive without exactly one 3-D array.
    """
    try:
        if path.name.lower().endswith(".npz"):
            return _from_archive(path)
        # Pickles are refused: they run code of whoever wrote the file.
        values: Samples = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as exc:
        if "allow_pickle" in str(exc) or "Python objects" in str(exc):
            raise VolumeFormatError(
                f"{path} holds Python objects, not numbers.",
                hint="Write it again with a numeric dtype: array.astype('float32').",
            ) from exc
        raise VolumeFormatError(
            f"{path} is not a readable NumPy file: truncated, damaged or of another format.",
            hint=_COPY_AGAIN,
        ) from exc
    return values


def _from_archive(path: Path) -> Samples:
    with np.load(path, allow_pickle=False) as archive:
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise VolumeFormatError(f"{path} is not an .npz archive.", hint=_COPY_AGAIN)
        volumes = {name: array for name in archive.files if (array := archive[name]).ndim == 3}
    if len(volumes) != 1:
        raise VolumeFormatError(
            f"{path} has {len(volumes)} arrays with three axes ({', '.join(volumes) or 'none'}).",
            hint="Save the one to show alone: numpy.save(path, array).",
        )
    values: Samples = next(iter(volumes.values()))
    return values
