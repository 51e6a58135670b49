"""Arrays of the kernel, put where a worker can map them: one copy, no socket."""

from __future__ import annotations

import contextlib
import fcntl
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
        remove_abandoned()
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
        # Held until `close`: a file whose lock is free has lost its kernel.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._descriptor: int | None = descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            # Reserving the pages now turns "no room" into an error here, not a SIGBUS at the copy.
            os.posix_fallocate(descriptor, 0, array.nbytes)
        except OSError as exc:
            self.close()
            raise VolumeFormatError(
                f"The array needs {array.nbytes / 1e9:.1f} GB of shared memory: {exc.strerror}.",
                hint="Write it to a file and show that: blustream import array.npy volume.vds.",
            ) from exc
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
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def remove_abandoned() -> None:
    """Remove segments whose kernel was killed before the server knew of them."""
    for path in shared_folder().glob(f"{PREFIX}[0-9]*-*"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    n0, n1, n2 = shape
    return n0, n1, n2
