"""Arithmetic of bricks and levels of detail."""

from __future__ import annotations

from collections.abc import Iterator

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.source import BrickKey, Region, TileKey

Shape = tuple[int, int, int]


def lod_size(n: int, lod: int) -> int:
    """Voxels of an axis of `n` LOD0 voxels at `lod`: rounded up, so that none is lost."""
    return -(-n // (1 << lod))


def lod_shape(shape: Shape, lod: int) -> Shape:
    """Shape of the whole volume at `lod`."""
    return (lod_size(shape[0], lod), lod_size(shape[1], lod), lod_size(shape[2], lod))


def brick_counts(info: VolumeInfo, lod: int) -> Shape:
    """Bricks along each axis at `lod`."""
    n0, n1, n2 = lod_shape(info.shape, lod)
    return (-(-n0 // info.brick_size), -(-n1 // info.brick_size), -(-n2 // info.brick_size))


def n_lods_for(shape: Shape, brick_size: int) -> int:
    """Levels until the coarsest one is a single brick."""
    lod = 0
    while max(lod_shape(shape, lod)) > brick_size:
        lod += 1
    return lod + 1


def check_key(info: VolumeInfo, key: BrickKey) -> None:
    """Refuse a brick that does not exist: OpenVDS ends the process for some of these.

    Raises
    ------
    ValueError
    """
    if not 0 <= key.channel < info.n_source_channels or not 0 <= key.lod < info.n_lods:
        raise ValueError(
            f"{key} is not in {info.name}: {len(info.channels)} channels, {info.n_lods} LODs"
        )
    for index, count in zip(key[2:], brick_counts(info, key.lod), strict=True):
        if not 0 <= index < count:
            raise ValueError(f"{key} is not in {info.name}: {brick_counts(info, key.lod)} bricks")


def check_tile(info: VolumeInfo, key: TileKey, size: int) -> None:
    """Refuse a tile that does not exist.

    Raises
    ------
    ValueError
    """
    exists = (
        0 <= key.channel < info.n_source_channels
        and key.size == size
        and key.axis in (0, 1, 2)
        and 0 <= key.slice_idx < info.shape[key.axis]
        and all(
            0 <= tile * size < info.shape[axis]
            for tile, axis in zip((key.a, key.b), plane_axes(key.axis), strict=True)
        )
    )
    if not exists:
        raise ValueError(f"{key} is not in {info.name}: {info.shape} voxels, tiles of {size}")


def brick_bounds(info: VolumeInfo, key: BrickKey) -> tuple[Shape, Shape]:
    """First and one-past-last voxel of a brick, in voxels of its own LOD."""
    size = info.brick_size
    shape = lod_shape(info.shape, key.lod)
    lower = (key.i0 * size, key.i1 * size, key.i2 * size)
    upper = (
        min(lower[0] + size, shape[0]),
        min(lower[1] + size, shape[1]),
        min(lower[2] + size, shape[2]),
    )
    return lower, upper


def plane_axes(axis: int) -> tuple[int, int]:
    """Return the two axes of a slice across `axis`, ascending."""
    return ((1, 2), (0, 2), (0, 1))[axis]


def key_on_plane(axis: int, channel: int, lod: int, layer: int, a: int, b: int) -> BrickKey:
    """Brick (a, b) of the brick layer `layer` across `axis`."""
    i0, i1, i2 = ((layer, a, b), (a, layer, b), (a, b, layer))[axis]
    return BrickKey(channel, lod, i0, i1, i2)


def clip_region(info: VolumeInfo, axis: int, region: Region | None) -> Region:
    """Region inside the slice with at least one voxel; the whole slice for None."""
    n_a, n_b = (info.axes[i].n for i in plane_axes(axis))
    if region is None:
        return Region(0, n_a, 0, n_b)
    a0, b0 = min(max(region.a0, 0), n_a - 1), min(max(region.b0, 0), n_b - 1)
    return Region(a0, min(max(region.a1, a0 + 1), n_a), b0, min(max(region.b1, b0 + 1), n_b))


def column_order(n0: int, n1: int) -> Iterator[tuple[int, int]]:
    """All (i0, i1) with i0 < n0, i1 < n1 in Z order: neighbours stay together at every scale.

    Written in this order, the coarser levels of a pyramid fill up soon, so few of their bricks
    have to be held open at once.
    """
    side = 1
    while side < max(n0, n1):
        side *= 2
    stack = [(0, 0, side)]
    while stack:
        i0, i1, size = stack.pop()
        if i0 >= n0 or i1 >= n1:
            continue
        if size == 1:
            yield i0, i1
            continue
        half = size // 2
        stack += [
            (i0 + half, i1 + half, half),
            (i0 + half, i1, half),
            (i0, i1 + half, half),
            (i0, i1, half),
        ]
