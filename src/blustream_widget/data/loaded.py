"""Which slices are in memory as sharp as the view wants them: counted from cached bricks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import plane_axes
from blustream_widget.data.source import AnyKey, Region, TileKey

Run = tuple[int, int]
"""First and last slice, 0-based, both included."""


def loaded_runs(keys: Collection[AnyKey], info: VolumeInfo, spec: SliceSpec) -> tuple[Run, ...]:
    """Slices of the stack that `spec` belongs to which need nothing to be read, in order.

    Parameters
    ----------
    keys : collection of BrickKey or TileKey
        What is in memory. The cost grows with these, not with the volume.
    info : VolumeInfo
    spec : SliceSpec
        Axis, channel, level of detail and region; its `slice_idx` does not matter.
    """
    axis, channel, lod = spec.axis, spec.channel, spec.lod
    along, a_at, b_at = 2 + axis, *(2 + plane_axis for plane_axis in plane_axes(axis))
    a_range, b_range = _parts(spec.lod_region, info.brick_size)
    a0, a1, b0, b1 = a_range.start, a_range.stop, b_range.start, b_range.stop
    # The cheapest test first: thousands of bricks may be in memory.
    layers = Counter(
        [
            key[along]
            for key in keys
            if key[1] == lod
            and a0 <= key[a_at] < a1
            and b0 <= key[b_at] < b1
            and key[0] == channel
            and not isinstance(key, TileKey)
        ]
    )
    tiles = Counter(
        [
            (key.slice_idx, key.size)
            for key in keys
            if isinstance(key, TileKey)
            and (lod, key.axis, key.channel) == (0, axis, channel)
            and _lies_in(key, spec.region)
        ]
    )
    n_slices = info.axes[axis].n
    depth = info.brick_size << lod
    n_bricks = len(a_range) * len(b_range)
    runs = [
        (layer * depth, min((layer + 1) * depth, n_slices) - 1)
        for layer, count in layers.items()
        if count == n_bricks
    ]
    runs += [(idx, idx) for (idx, size), n in tiles.items() if n == _n_parts(spec.region, size)]
    return _joined(sorted(runs))


def _parts(region: Region, size: int) -> tuple[range, range]:
    return (
        range(region.a0 // size, -(-region.a1 // size)),
        range(region.b0 // size, -(-region.b1 // size)),
    )


def _n_parts(region: Region, size: int) -> int:
    a_range, b_range = _parts(region, size)
    return len(a_range) * len(b_range)


def _lies_in(key: TileKey, region: Region) -> bool:
    a_range, b_range = _parts(region, key.size)
    return key.a in a_range and key.b in b_range


def _joined(runs: Iterable[Run]) -> tuple[Run, ...]:
    joined: list[Run] = []
    for first, last in runs:
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return tuple(joined)
