"""Writes the slice copy of a VDS file: `blustream optimize`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from blustream_widget.core.types import VolumeInfo, VolumeRef
from blustream_widget.data.grid import Shape, plane_axes
from blustream_widget.data.import_sources import Block
from blustream_widget.data.openvds_slices import TILE_SIZE, CopiedFile, SlicesWriter
from blustream_widget.data.openvds_source import OpenVdsSource
from blustream_widget.data.partial import PartialFile
from blustream_widget.data.paths import local_path, readable_file, scheme_of, suffix_of
from blustream_widget.data.slice_copy import open_slice_copy, slice_copy_path
from blustream_widget.data.vds_check import check_vds_file
from blustream_widget.errors import (
    BlustreamError,
    ConfigError,
    VolumeFormatError,
    VolumeWriteError,
)

Progress = Callable[[float, str], None]
_N_AXES = 3
_OVERHEAD = 1.01  # 1.0003 was seen
_DEPTH = 64


def slice_copy_bytes(info: VolumeInfo) -> int:
    """Size of the slice copy of a volume: every voxel once for each axis, not compressed."""
    voxel_bytes = sum(np.dtype(channel.dtype).itemsize for channel in info.channels)
    return int(math.prod(info.shape) * voxel_bytes * _N_AXES * _OVERHEAD)


def write_slice_copy(
    src: str | Path,
    *,
    overwrite: bool = False,
    announce: Callable[[int], None] | None = None,
    progress: Progress | None = None,
) -> Path:
    """Store all LOD0 slices of a VDS file once more, so that each can be read alone.

    Parameters
    ----------
    src : path
        A .vds file. "survey.vds" gets "survey.slices.vds" beside it, which appears when it is
        whole; a killed run leaves nothing under this name, and the next run removes what it left.
    overwrite : bool
        Write it anew even if there is one of the file as it is now.
    announce : callable, optional
        Gets the bytes that will be written, after the check that they fit on the disk.
    progress : callable, optional
        Gets the share done (0 to 1) and a line for people. It may raise, which ends the work.

    Returns
    -------
    Path
        Of the copy.

    Raises
    ------
    ConfigError
        Not a VDS file on a disk here.
    VolumeNotFoundError, VolumeAccessError, VolumeFormatError
        About `src`.
    VolumeWriteError
        No room, no rights, or `src` was changed meanwhile.
    """
    path = _checked(str(src))
    copied = CopiedFile.of(path)
    target = slice_copy_path(path)
    source = OpenVdsSource(str(path), VolumeRef(url=str(path)))
    try:
        if source.info.time is not None:
            raise VolumeFormatError(
                f"{path.name} is a series of {source.info.n_steps} volumes.",
                hint="Slices are copied of single volumes only.",
            )
        if not overwrite and _is_up_to_date(path, source.info):
            return target
        need_bytes = slice_copy_bytes(source.info)
        partial = PartialFile(target, need_bytes)
        if announce is not None:
            announce(need_bytes)
        try:
            _write(source, partial, copied, progress or _silent)
            if CopiedFile.of(path) != copied:
                raise VolumeWriteError(
                    f"{path.name} was changed while it was copied.", hint="Run it again."
                )
            partial.commit()
        finally:
            partial.discard()
    finally:
        source.close()
    return target


def _silent(share: float, line: str) -> None:
    del share, line


def _checked(src: str) -> Path:
    if scheme_of(src):
        raise ConfigError(
            "A volume in a cloud has no slice copy.", hint="Give a .vds file on a disk here."
        )
    given = local_path(src)
    path = readable_file(given)
    if suffix_of(given) != ".vds":
        raise ConfigError(
            f"{given} is not a .vds file: only those have a slice copy.",
            hint="NIfTI and NumPy are read from memory as they are; import SEG-Y first.",
        )
    check_vds_file(path)
    return path


def _is_up_to_date(path: Path, info: VolumeInfo) -> bool:
    try:
        open_slice_copy(path, info).close()
    except BlustreamError:
        return False
    return True


def _write(
    source: OpenVdsSource, partial: PartialFile, copied: CopiedFile, report: Progress
) -> None:
    info = source.info
    writer = SlicesWriter(partial.path, info, copied)
    n_blocks = sum(1 for axis in range(_N_AXES) for _ in _blocks(info.shape, axis))
    n_done = 0
    try:
        for axis in range(_N_AXES):
            for block in _blocks(info.shape, axis):
                partial.check_room()
                origin = (block[0].start, block[1].start, block[2].start)
                for channel in range(len(info.channels)):
                    writer.write(channel, axis, origin, source.read_block(channel, block))
                n_done += 1
                report(n_done / n_blocks, f"{info.axes[axis].name} slices")
        writer.finish()
    finally:
        writer.close()


def _blocks(shape: Shape, axis: int) -> Iterator[Block]:
    """Blocks of some slices across `axis` and one tile: 16 MB of float32."""
    a_axis, b_axis = plane_axes(axis)
    for depth in range(0, shape[axis], _DEPTH):
        for a in range(0, shape[a_axis], TILE_SIZE):
            for b in range(0, shape[b_axis], TILE_SIZE):
                block = [slice(0)] * _N_AXES
                block[axis] = slice(depth, min(depth + _DEPTH, shape[axis]))
                block[a_axis] = slice(a, min(a + TILE_SIZE, shape[a_axis]))
                block[b_axis] = slice(b, min(b + TILE_SIZE, shape[b_axis]))
                yield block[0], block[1], block[2]
