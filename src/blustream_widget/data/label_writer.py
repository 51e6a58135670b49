"""Writes labels of any source as a VDS, brick by brick."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import msgspec

from blustream_widget.core.types import Channel, VolumeInfo
from blustream_widget.data.grid import brick_counts, column_order
from blustream_widget.data.memory import BRICK_SIZE
from blustream_widget.data.source import VolumeSource
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.data.writer import BRICK_SIZES, VdsWriter


def write_labels(
    source: VolumeSource,
    channel: int,
    path: Path,
    *,
    described: Channel,
    grid: VolumeInfo,
    codec: str,
    progress: Callable[[float, str], None] | None,
) -> VolumeInfo:
    """Write a channel of labels.

    Parameters
    ----------
    source : VolumeSource
    channel : int
    path : Path
    described : Channel
        Name, dtype and names of the labels.
    grid : VolumeInfo
        Where they lie.
    codec : str
    progress : callable, optional
        Gets the share done and a line for people.

    Raises
    ------
    VolumeWriteError, BrickReadError, ConfigError
    """
    info = source.info
    is_stored = info.brick_size in BRICK_SIZES
    size = info.brick_size if is_stored else BRICK_SIZE
    reader = VoxelReader(source, lambda: False)
    n0, n1, n2 = brick_counts(msgspec.structs.replace(info, brick_size=size), 0)
    with VdsWriter(
        path,
        axes=grid.axes,
        channels=(described,),
        kind=grid.kind,
        world_unit=grid.world_unit,
        affine=grid.affine,
        codec=codec,
        brick_size=size,
    ) as writer:
        for (i0, i1), i2 in itertools.product(column_order(n0, n1), range(n2)):
            lower = (i0 * size, i1 * size, i2 * size)
            upper = tuple(min(v + size, n) for v, n in zip(lower, info.shape, strict=True))
            block = reader.block(channel, lower, (upper[0], upper[1], upper[2]))
            writer.write(0, lower, block)
            if progress is not None:
                progress(writer.progress, f"writing {path.name}")
        return writer.finish()
