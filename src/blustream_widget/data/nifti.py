"""NIfTI files (nibabel): voxels in their real unit, patient axes, millimetres."""

from __future__ import annotations

import errno
import gzip
import math
import shutil
import struct
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import Channel, Samples, VolumeInfo
from blustream_widget.data.arrays import check_shape, largest_in_memory_bytes
from blustream_widget.data.memory_info import array_info
from blustream_widget.data.patient import patient_axes
from blustream_widget.errors import VolumeFormatError, VolumeWriteError

_COPY_AGAIN = "Copy it again; `gzip -t` tells whether a .gz is whole."
_TIME_UNITS = {"sec": "s", "msec": "ms", "usec": "µs", "hz": "Hz", "ppm": "ppm", "rads": "rad/s"}
_SERIES_NAMES = {"Hz": "frequency", "ppm": "shift", "rad/s": "frequency"}
_MM = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
# What a header of nonsense leads to, beside the errors of nibabel.
_DAMAGE = (OSError, EOFError, ValueError, OverflowError, MemoryError, struct.error, zlib.error)


@dataclass(frozen=True)
class NiftiFile:
    """An open NIfTI file.

    Parameters
    ----------
    path : Path
    shape : tuple of int
        Three axes as in the file, first index fastest there.
    affine : tuple of 16 float
        Row-major, voxel index to patient RAS+ in mm.
    time : TimeAxis or None
        Of a series: the file's fourth axis.
    """

    path: Path
    shape: tuple[int, int, int]
    affine: tuple[float, ...]
    image: Any  # nibabel images are not typed
    unit: str = ""
    time: TimeAxis | None = None

    @property
    def channel_name(self) -> str:
        """Name of the file without its suffix."""
        return self.path.name.split(".nii")[0]

    @property
    def is_label(self) -> bool:
        """The file says that its values are labels."""
        return bool(self.image.header.get_intent()[0] == "label")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """Dtype of scaled values, native byte order: as stored if the file does not scale them."""
        stored: np.dtype[np.generic] = np.dtype(self.image.dataobj.dtype).newbyteorder("=")
        if stored.kind in "ui" and self.scaling == (1.0, 0.0):
            return stored
        return np.dtype(np.float64) if stored == np.float64 else np.dtype(np.float32)

    @property
    def scaling(self) -> tuple[float, float]:
        return float(self.image.dataobj.slope), float(self.image.dataobj.inter)

    def scaled(self, stored: Samples) -> Samples:
        """Turn stored numbers into values of `dtype`."""
        slope, intercept = self.scaling
        if (slope, intercept) == (1.0, 0.0):
            return stored.astype(self.dtype)
        values: Samples = (stored.astype(np.float64) * slope + intercept).astype(self.dtype)
        return values

    def load(self) -> Samples:
        """Read all values into memory.

        Raises
        ------
        VolumeFormatError
            Truncated or damaged, or too large to be held in memory.
        """
        size_bytes = math.prod(self.shape) * self.dtype.itemsize
        if size_bytes > largest_in_memory_bytes():
            raise VolumeFormatError(
                f"{self.path} has {size_bytes / 1e9:.1f} GB of voxels.",
                hint=f"Import it once: blustream import {self.path.name} {self.channel_name}.vds",
            )
        return self.scaled(self.map_voxels(Path(tempfile.gettempdir())))

    def map_voxels(self, folder: Path) -> Samples:
        """Map the stored numbers, not scaled; a .gz is unpacked to a nameless file first.

        Parameters
        ----------
        folder : Path
            Where the unpacked file lies until the array is gone; a killed process leaves nothing.

        Returns
        -------
        ndarray, axes as in `shape`; of a series the steps come first

        Raises
        ------
        VolumeFormatError
            Truncated or damaged.
        """
        voxels = self.path.with_suffix(".img") if self.path.suffix.lower() == ".hdr" else self.path
        try:
            if self.path.name.lower().endswith(".gz"):
                with tempfile.TemporaryFile(dir=folder) as unpacked, gzip.open(voxels) as packed:
                    shutil.copyfileobj(packed, unpacked, 1 << 20)
                    unpacked.flush()
                    return self._map(unpacked)
            with voxels.open("rb") as file:
                return self._map(file)
        except _DAMAGE as exc:
            if isinstance(exc, OSError) and exc.errno == errno.ENOSPC:
                raise VolumeWriteError(
                    f"There is no room in {folder} to unpack {self.path}.", hint="Free some space."
                ) from exc
            raise VolumeFormatError(
                f"{self.path} is truncated or damaged: {exc}.", hint=_COPY_AGAIN
            ) from exc

    def _map(self, file: IO[bytes]) -> Samples:
        proxy = self.image.dataobj
        shape = self.shape if self.time is None else (*self.shape, self.time.n)
        found = np.memmap(
            file, dtype=proxy.dtype, mode="r", offset=proxy.offset, shape=shape, order="F"
        )
        return found if self.time is None else np.moveaxis(found, 3, 0)

    def info(self, *channels: Channel) -> VolumeInfo:
        """Axes named by anatomy, in mm."""
        return array_info(
            self.shape,
            channels,
            name=self.path.name,
            kind="medical",
            axes=patient_axes(self.shape, self.affine),
            world_unit="mm",
            affine=self.affine,
            source="nifti",
            time=self.time,
        )


def open_nifti(path: Path) -> NiftiFile:
    """Read the header of a .nii or .nii.gz.

    Raises
    ------
    VolumeFormatError
        Not NIfTI, damaged, without three or four axes, or with colours instead of values.
    """
    try:
        image: Any = nibabel.load(path)  # nibabel's class of it does not know of shapes
        shape = image.shape
        dtype = np.dtype(image.get_data_dtype())
    except (ImageFileError, HeaderDataError, *_DAMAGE) as exc:
        raise VolumeFormatError(
            f"{path} is not a readable NIfTI file: truncated, damaged or of another format.",
            hint=_COPY_AGAIN,
        ) from exc
    if dtype.kind not in "uif":
        raise VolumeFormatError(
            f"{path} has voxels of {dtype}, not one real number each.",
            hint="Convert it to a scalar image first.",
        )
    extra = [n for n in shape[4:] if n != 1]
    if len(shape) < 3 or extra:
        raise VolumeFormatError(
            f"{path} is no volume and no series of them: its shape is {shape}.",
            hint="Three axes are shown, and time as the fourth."
            + (" Extract one series of it first, with nibabel's slicer." if extra else ""),
        )
    n_steps = int(shape[3]) if len(shape) > 3 else 1
    check_shape((*shape[:3], n_steps), str(path), may_be_series=True)
    time = _time_of(image.header, n_steps) if n_steps > 1 else None
    return NiftiFile(path, shape[:3], _affine_mm(image), image, time=time)


def _time_of(header: Any, n_steps: int) -> TimeAxis:
    """Fourth axis as the header has it; numbered steps where it does not say how long they are."""
    unit = _TIME_UNITS.get(header.get_xyzt_units()[1], "")
    step, first = float(header.get_zooms()[3]), float(header["toffset"])
    if not math.isfinite(step) or step <= 0:
        return TimeAxis(n_steps)
    if not math.isfinite(first):
        first = 0.0
    name = _SERIES_NAMES.get(unit, "time")
    return TimeAxis(n_steps, first=first, step=step, unit=unit, name=name)


def _affine_mm(image: Any) -> tuple[float, ...]:
    affine = np.array(image.affine, float)
    affine[:3] *= _MM.get(image.header.get_xyzt_units()[0], 1.0)
    if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
        affine = np.diag([*(abs(float(z)) or 1.0 for z in image.header.get_zooms()[:3]), 1.0])
    return tuple(float(v) for v in affine.ravel())
