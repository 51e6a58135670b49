"""Writes a VDS of any size from blocks: levels, statistics and metadata included, atomically."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import numpy as np

from blustream_widget.core.types import Axis, Channel, Kind, Samples, VolumeInfo
from blustream_widget.data.grid import Shape, n_lods_for
from blustream_widget.data.openvds_file import CODECS, VdsFile
from blustream_widget.data.openvds_layout import StoredInfo
from blustream_widget.data.partial import PartialFile
from blustream_widget.data.pyramid import Pyramid
from blustream_widget.data.statistics import RunningStatistics
from blustream_widget.data.survey import Survey
from blustream_widget.errors import ConfigError, VolumeFormatError

BRICK_SIZES = (32, 64, 128, 256)
_MAX_LODS = 13  # OpenVDS's LODLevels_12
# Levels add a seventh, partly filled bricks and page headers a little.
_OVERHEAD = 1.2


def stored_dtype(dtype: str) -> str:
    """Dtype in which a VDS holds such values exactly: it has no signed integers."""
    plain = np.dtype(dtype)
    if plain.kind == "u" and plain.itemsize <= 4:
        return plain.name
    if plain.kind == "i":
        return "float32" if plain.itemsize <= 2 else "float64"
    if plain.kind == "u" or plain.itemsize > 4:
        return "float64"
    return "float32"


class VdsWriter:
    """A VDS being written; appears under its name when `finish` returns.

    Parameters
    ----------
    path : Path
    axes : tuple of Axis
    channels : sequence of Channel
        Name, unit, dtype and is_label count, and a rough value range where it is known. Signed
        integers are stored as floats that hold them exactly.
    kind : Kind
    world_unit, affine
        As in `VolumeInfo`.
    survey : Survey, optional
    codec : {"none", "rle", "zip", "wavelet"}
        "wavelet" loses a little, and NaN: it refuses volumes that have some.
    brick_size : {32, 64, 128, 256}
    tolerance : float
        Of the wavelet codec, in 1/255 of the value range.

    Raises
    ------
    ConfigError
        An unknown codec or brick size.
    VolumeWriteError
        No room, no rights.

    Notes
    -----
    `write` may be called from several threads.
    """

    def __init__(
        self,
        path: Path,
        *,
        axes: tuple[Axis, Axis, Axis],
        channels: Sequence[Channel],
        kind: Kind = "generic",
        world_unit: str = "",
        affine: tuple[float, ...] | None = None,
        survey: Survey | None = None,
        codec: str = "none",
        brick_size: int = 64,
        tolerance: float = 0.01,
    ) -> None:
        _check_options(codec, brick_size)
        stored = tuple(msgspec.structs.replace(c, dtype=stored_dtype(c.dtype)) for c in channels)
        shape = (axes[0].n, axes[1].n, axes[2].n)
        self.info = VolumeInfo(
            name=path.name,
            kind=kind,
            axes=axes,
            channels=stored,
            n_lods=min(n_lods_for(shape, brick_size), _MAX_LODS),
            brick_size=brick_size,
            world_unit=world_unit,
            affine=affine,
            source="openvds",
        )
        self._refuses_nan = codec == "wavelet"
        raw_bytes = math.prod(shape) * sum(np.dtype(c.dtype).itemsize for c in stored)
        self._partial = PartialFile(path, int(raw_bytes * _OVERHEAD) if codec == "none" else 0)
        self._statistics = [RunningStatistics() for _ in stored]
        self._lock = threading.Lock()
        self._is_open = True
        try:
            self._file = VdsFile(
                str(self._partial.path), self.info, codec=codec, tolerance=tolerance, survey=survey
            )
        except BaseException:
            self._partial.discard()
            raise
        self._pyramid = Pyramid(self.info, self._file.write)

    @property
    def progress(self) -> float:
        """Share that was written, 0 to 1."""
        return self._pyramid.progress

    def write(self, channel: int, origin: Shape, values: Samples) -> None:
        """Write a block that begins at a brick's corner and ends at one, or at the volume's end.

        Parameters
        ----------
        channel : int
        origin : tuple of int
            First voxel; multiples of the brick size.
        values : ndarray, 3-D
            Any real dtype that the channel's holds exactly.

        Raises
        ------
        ValueError
            Not on brick corners, outside, or written before.
        VolumeFormatError
            NaN or infinity with the wavelet codec.
        VolumeWriteError
        """
        size = self.info.brick_size
        if any(corner % size for corner in origin):
            raise ValueError(f"{origin} is not a corner of a brick of {size}")
        converted = np.asarray(values, self.info.channels[channel].dtype)
        if self._refuses_nan and not np.isfinite(converted).all():
            raise VolumeFormatError(
                f"{self.info.name} has NaN or infinite values; the wavelet codec would drop them.",
                hint='Use codec "none" or "zip".',
            )
        self._partial.check_room()
        with self._lock:
            self._statistics[channel].add(converted)
        n0, n1, n2 = converted.shape
        for o0 in range(0, n0, size):
            for o1 in range(0, n1, size):
                for o2 in range(0, n2, size):
                    index = (
                        (origin[0] + o0) // size,
                        (origin[1] + o1) // size,
                        (origin[2] + o2) // size,
                    )
                    brick = converted[o0 : o0 + size, o1 : o1 + size, o2 : o2 + size]
                    self._pyramid.add(channel, index, brick)

    def finish(self) -> VolumeInfo:
        """Complete the file and give it its name; returns what was written, with statistics.

        Raises
        ------
        ValueError
            Some bricks were never written.
        VolumeWriteError
        """
        try:
            self._pyramid.finish()
            channels = tuple(
                gathered.describe(channel)
                for gathered, channel in zip(self._statistics, self.info.channels, strict=True)
            )
            self._file.finish(
                StoredInfo(
                    kind=self.info.kind,
                    axes=self.info.axes,
                    channels=channels,
                    world_unit=self.info.world_unit,
                    affine=self.info.affine,
                )
            )
            self._partial.commit()
        except BaseException:
            self.abort()
            raise
        self._is_open = False
        self.info = msgspec.structs.replace(self.info, channels=channels)
        return self.info

    def abort(self) -> None:
        """Give up: nothing is left. Harmless after `finish`, and twice."""
        if not self._is_open:
            return
        self._is_open = False
        try:
            self._file.close()
        finally:
            self._partial.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._is_open:
            self.finish()
        else:
            self.abort()


def _check_options(codec: str, brick_size: int) -> None:
    if codec not in CODECS:
        raise ConfigError(f"There is no codec {codec!r}.", hint=f"One of: {', '.join(CODECS)}.")
    if brick_size not in BRICK_SIZES:
        raise ConfigError(
            f"Bricks cannot have {brick_size} voxels per side.",
            hint=f"One of: {', '.join(map(str, BRICK_SIZES))}.",
        )
