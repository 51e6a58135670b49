"""The volumes that `blustream bench read` reads, and the same numbers in other formats."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from blustream_widget.config import Config
from blustream_widget.core.types import Samples, VolumeRef
from blustream_widget.data import VolumeSource, open_source
from blustream_widget.data.grid import Shape
from blustream_widget.testing.formula_source import FormulaSource

CODECS = ("none", "slices", "wavelet", "zip")
"""Codecs of OpenVDS; "slices" is "none" with the slice copy of `blustream optimize`."""

REFERENCES = ("memmap", "zarr")
FORMULA = "formula"
_SLAB = 64
_LARGEST_MADE = 512
_BRICK = 64


class BenchVolume:
    """One volume in one format.

    Parameters
    ----------
    folder : Path
        Where the files are made, or lie already.
    shape : tuple of int
    codec : str
        One of `CODECS`, or "formula": without a file.
    """

    def __init__(self, folder: Path, shape: Shape, codec: str) -> None:
        self.shape, self.codec = shape, codec
        self.name = "x".join(map(str, shape))
        self._folder = folder

    @property
    def path(self) -> Path:
        """Of its VDS file."""
        return self._folder / f"{self.name}-{self.codec}.vds"

    @property
    def file_mb(self) -> int | None:
        """Size of all of its files."""
        if self.codec == FORMULA:
            return None
        copies = self._folder.glob(f"{self.name}-{self.codec}.slices.vds")
        return round(sum(path.stat().st_size for path in (self.path, *copies)) / 1e6)

    def make(self) -> None:
        """Write its file, if it is not there."""
        if self.codec == FORMULA or self.path.exists():
            return
        from blustream_widget.data.importer import import_volume
        from blustream_widget.data.optimize import write_slice_copy

        codec = "none" if self.codec == "slices" else self.codec
        import_volume(make_numbers(self._folder, self.shape), self.path, codec=codec)
        if self.codec == "slices":
            write_slice_copy(self.path)

    def open(self) -> VolumeSource:
        """Open it as the viewer does."""
        if self.codec == FORMULA:
            return FormulaSource(self.shape)
        return open_source(VolumeRef(url=str(self.path)), Config())

    def drop(self) -> None:
        """Drop its files from the memory of the operating system."""
        if self.codec != FORMULA:
            for path in self._folder.glob(f"{self.name}-{self.codec}.*"):
                drop_from_memory(path)


def make_numbers(folder: Path, shape: Shape) -> Path:
    """Write the amplitudes of the demo volume as a plain .npy file, if it is not there.

    What is longer than 512 voxels repeats itself: to make more of it would take minutes.
    """
    from blustream_widget.data.synthetic import Synthetic

    path = folder / f"{'x'.join(map(str, shape))}.npy"
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    n0, n1, n2 = (min(n, _LARGEST_MADE) for n in shape)
    made = Synthetic((n0, n1, n2))
    numbers = np.lib.format.open_memmap(partial, "w+", np.float32, shape)
    repeats = (1, -(-shape[1] // n1), -(-shape[2] // n2))
    for first in range(0, n0, _SLAB):
        inlines = slice(first, min(first + _SLAB, n0))
        slab = np.tile(made.sample(inlines, slice(0, n1))[0], repeats)[:, : shape[1], : shape[2]]
        for copy in range(first, shape[0], n0):
            numbers[copy : copy + len(slab)] = slab[: shape[0] - copy]
    numbers.flush()
    del numbers
    return partial.replace(path)


class Reference:
    """The same numbers in a memory map, or in a Zarr group of uncompressed bricks."""

    def __init__(self, folder: Path, shape: Shape, kind: str) -> None:
        self.kind = kind
        self._array: Any = None  # numpy.memmap or zarr.Array
        numbers = make_numbers(folder, shape)
        self._path = numbers if kind == "memmap" else numbers.with_suffix(".zarr")
        if kind == "zarr" and not self._path.exists():
            _write_zarr(numbers, self._path)

    def read(self, axis: int, slice_idx: int) -> Samples:
        """Read one slice."""
        if self._array is None:
            self._array = self._open()
        at = (slice(None),) * axis + (slice_idx,)
        return np.array(self._array[at])

    def drop(self) -> None:
        """Drop it from the memory of the operating system."""
        self._array = None
        drop_from_memory(self._path)

    def _open(self) -> Any:
        if self.kind == "memmap":
            return np.load(self._path, mmap_mode="r")
        import zarr

        return zarr.open_array(self._path, mode="r")


def _write_zarr(numbers: Path, path: Path) -> None:
    import zarr

    partial = path.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    array = np.load(numbers, mmap_mode="r")
    bricks = zarr.create_array(
        partial, shape=array.shape, chunks=(_BRICK,) * 3, dtype=array.dtype, compressors=None
    )
    for first in range(0, array.shape[0], _BRICK):
        bricks[first : first + _BRICK] = array[first : first + _BRICK]
    partial.replace(path)


def drop_from_memory(path: Path) -> None:
    """Ask the operating system to forget what it keeps of a file, or of all files of a folder."""
    for file in path.rglob("*") if path.is_dir() else (path,):
        if file.is_file():
            descriptor = os.open(file, os.O_RDONLY)
            try:
                os.fsync(descriptor)
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)
