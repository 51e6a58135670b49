"""Arrays of the kernel, put where a worker can map them: one copy, no socket."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import threading
import uuid
import weakref
from pathlib import Path

import numpy as np

from blustream_widget.core.types import Samples, SharedArray
from blustream_widget.errors import VolumeFormatError
from blustream_widget.shared_files import PREFIX


def shared_folder() -> Path:
    """Memory file system for shared arrays; the temporary folder where there is none."""
    memory = Path("/dev/shm")
    return memory if os.access(memory, os.W_OK) else Path(tempfile.gettempdir())


class SharedSegment:
    """A copy of an array in shared memory, from any thread.

    Parameters
    ----------
    array : ndarray, 3-D or 4-D, or tuple of ndarray
        Checked already (`data.arrays.check_array`); several of one shape and dtype are the steps
        of a series. Kept until `close`.

    Raises
    ------
    VolumeFormatError
        If the memory file system has no room for it.
    """

    def __init__(self, array: Samples | tuple[Samples, ...]) -> None:
        remove_abandoned()
        self._array: Samples | tuple[Samples, ...] | None = array
        self._view: Samples | None = None
        self._descriptor: int | None = None
        self._lock = threading.Lock()  # guards the copy: made, released and made again
        first = array[0] if isinstance(array, tuple) else array
        n_steps = (len(array),) if isinstance(array, tuple) else ()
        dtype = first.dtype.newbyteorder("=")
        self._n_bytes = sum(one.nbytes for one in array) if n_steps else first.nbytes
        self._path = shared_folder() / f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex}"
        self.ref = SharedArray(
            path=str(self._path), shape=(*n_steps, *first.shape), dtype=dtype.str
        )
        self.restore()
        _segments.add(self)

    @property
    def is_there(self) -> bool:
        """Whether there is a copy, or never will be one again."""
        with self._lock:
            return self._array is None or (self._view is not None and self._path.exists())

    def copy(self) -> None:
        """Copy the user's array again, after it was changed in place; no-op while released."""
        with self._lock:
            if self._view is not None and self._array is not None:
                _copy(self._array, self._view)

    def restore(self) -> bool:
        """Make the copy, if there is none; returns whether there was none.

        Raises
        ------
        VolumeFormatError
            If the memory file system has no room for it.
        """
        with self._lock:
            if self._array is None or (self._view is not None and self._path.exists()):
                return False
            self._drop()
            self._make(self._array)
            return True

    def release(self) -> None:
        """Give the memory back until `restore`; who has mapped it keeps it for that long."""
        with self._lock:
            self._drop()

    def close(self) -> None:
        """Give memory and array back for good; who has mapped it keeps it for that long."""
        with self._lock:
            self._array = None
            self._drop()

    def forget_parent(self) -> None:
        """In a forked child: memory and file are the parent's."""
        self._lock = threading.Lock()
        self._array = self._view = None
        self._close_descriptor()

    def _make(self, array: Samples | tuple[Samples, ...]) -> None:
        folder = self._path.parent
        room_bytes = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        if self._n_bytes > room_bytes:
            raise VolumeFormatError(
                f"The array needs {self._n_bytes / 1e9:.1f} GB of shared memory; {folder} has "
                f"{room_bytes / 1e9:.1f} GB free.",
                hint="Write it to a file and show that: blustream import array.npy volume.vds.",
            )
        # Held until `release`: a file whose lock is free has lost its kernel.
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._descriptor = descriptor
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            # Reserving the pages now turns "no room" into an error here, not a SIGBUS at the copy.
            os.posix_fallocate(descriptor, 0, self._n_bytes)
        except OSError as exc:
            self._drop()
            raise VolumeFormatError(
                f"The array needs {self._n_bytes / 1e9:.1f} GB of shared memory: {exc.strerror}.",
                hint="Write it to a file and show that: blustream import array.npy volume.vds.",
            ) from exc
        self._view = np.memmap(self._path, dtype=self.ref.dtype, mode="r+", shape=self.ref.shape)
        _copy(array, self._view)

    def _drop(self) -> None:
        self._view = None  # the only reference: this ends our mapping
        if self._descriptor is not None:
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
        self._close_descriptor()

    def _close_descriptor(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def remove_abandoned() -> None:
    """Remove segments whose kernel was killed before the server knew of them."""
    for path in shared_folder().glob(f"{PREFIX}[0-9]*-*"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _copy(array: Samples | tuple[Samples, ...], view: Samples) -> None:
    """Fill the shared memory, step by step: stacking them first would take as much again."""
    if isinstance(array, tuple):
        for step, one in zip(view, array, strict=True):
            step[...] = one
    else:
        view[...] = array


_segments: weakref.WeakSet[SharedSegment] = weakref.WeakSet()


def _after_fork() -> None:
    # The lock belongs to the open file, which a child shares: were it kept there, the file of a
    # killed kernel would look alive.
    for segment in list(_segments):
        segment.forget_parent()


os.register_at_fork(after_in_child=_after_fork)
