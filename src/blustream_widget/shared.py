"""Arrays of the kernel, put where a worker can map them: one copy, no socket."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from pathlib import Path

import numpy as np

from blustream_widget.core.types import Samples, SharedArray
from blustream_widget.errors import VolumeFormatError

PREFIX = "blustream-"


def shared_folder() -> Path:
    """Memory file system for shared arrays; the temporary folder where there is none."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


class SharedSegment:
    """A copy of an array in shared memory, kept until `close`.

    Parameters
    ----------
    array : ndarray, 3-D
        Checked already (`data.arrays.check_array`).

    Raises
    ------
    VolumeFormatError
        If the memory file system has no room for it.
    """

    def __init__(self, array: Samples) -> None:
        self._array = array
        dtype = array.dtype.newbyteorder("=")
        folder = shared_folder()
        room_bytes = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        if array.nbytes > room_bytes:
            raise VolumeFormatError(
                f"The array needs {array.nbytes / 1e9:.1f} GB of shared memory; {folder} has "
                f"{room_bytes / 1e9:.1f} GB free.",
                hint="Write it to a file and show that: blustream import array.npy volume.vds.",
            )
        self._path = folder / f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex}"
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            # Reserving the pages now turns "no room" into an error here, not a SIGBUS at the copy.
            os.posix_fallocate(descriptor, 0, array.nbytes)
        except OSError as exc:
            self._path.unlink()
            raise VolumeFormatError(
                f"The array needs {array.nbytes / 1e9:.1f} GB of shared memory: {exc.strerror}.",
                hint="Write it to a file and show that: blustream import array.npy volume.vds.",
            ) from exc
        finally:
            os.close(descriptor)
        self._view = np.memmap(self._path, dtype=dtype, mode="r+", shape=array.shape)
        self.ref = SharedArray(path=str(self._path), shape=_three(array.shape), dtype=dtype.str)
        self.copy()

    def copy(self) -> None:
        """Copy the user's array again, after it was changed in place."""
        self._view[...] = self._array

    def close(self) -> None:
        """Give the memory back; the worker's own mapping stays valid until it ends."""
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    n0, n1, n2 = shape
    return n0, n1, n2
