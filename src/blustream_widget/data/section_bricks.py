"""Which bricks the slab of a section has points in: of a plane, or of each piece of a fence."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.section_grid import SectionGrid
from blustream_widget.core.section_shift import voxels_across
from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import brick_counts
from blustream_widget.data.source import BrickKey, Region

Floats = npt.NDArray[np.float64]

# Points are rounded to 65536ths of a voxel: one next to a brick may have a share of it.
_ROUNDED, _EXACT = 1 / 32768, -1e-6
_OCTANTS = np.array(list(product((0, 1), repeat=3)))


class _Pieces(NamedTuple):
    """A slab cut where its section bends: points ``start + steps @ (column, row, across)``.

    Arrays of shape (n, 3), (n, 3, 3), and (n, 3, 2): the first and the last, both included.
    """

    start: Floats
    steps: Floats
    spans: Floats

    @property
    def boxes(self) -> tuple[Floats, Floats]:
        """Least and largest index of each along each axis, shape (n, 3)."""
        corners = np.stack([self.spans[:, k, _OCTANTS[:, k]] for k in range(3)], axis=2)
        places = self.start[:, None] + corners @ self.steps.transpose(0, 2, 1)
        return places.min(axis=1), places.max(axis=1)


def slab_bricks(info: VolumeInfo, spec: SliceSpec, lod: int) -> tuple[BrickKey, ...]:
    """Give all bricks of a level that a slab has points in, nearest its middle first.

    A few at its edges may only touch it.

    Parameters
    ----------
    info : VolumeInfo
    spec : SliceSpec
        With a section and a slab.
    lod : int
    """
    assert spec.section is not None
    assert spec.slab is not None
    # Without what knows of values, which cannot be hashed and plays no part.
    geometry = msgspec.structs.replace(info, channels=())
    first, last, _ = spec.slab
    found = _found(geometry, spec.section.grid, spec.region, (first, last), lod)
    return tuple(BrickKey(spec.channel, lod, i, j, k) for i, j, k in found)


@lru_cache(maxsize=32)  # a slab asks with every read, and its levels in turn where room is scarce
def _found(
    info: VolumeInfo, grid: SectionGrid, region: Region, planes: tuple[int, int], lod: int
) -> tuple[tuple[int, int, int], ...]:
    pieces = _pieces(info, grid, region, planes, lod)
    low, high = pieces.boxes
    found = _bricks_of(info, pieces, lod)
    middle = (found + 0.5) * (info.brick_size << lod) - (low.min(axis=0) + high.max(axis=0)) / 2
    nearest = np.argsort((middle**2).sum(axis=1), kind="stable")
    return tuple((i, j, k) for i, j, k in found[nearest].tolist())


def _pieces(
    info: VolumeInfo, grid: SectionGrid, region: Region, planes: tuple[int, int], lod: int
) -> _Pieces:
    """Cut the shown part of a section where it bends, whole points of a level at its ends."""
    side = 1 << lod
    a0, a1, b0, b1 = region
    c0, c1 = a0 // side * side, -(-a1 // side) * side - 1
    rows = (b0 // side * side, -(-b1 // side) * side - 1)
    across = voxels_across(grid, info)
    at, down = np.array(grid.columns).T, np.array(grid.rows).T
    if grid.nodes:
        nodes = np.array(grid.nodes)
        # Without the last bits of a sum of lengths: a line along an axis touches no other bricks.
        along = np.round(np.diff(at, axis=0) / np.diff(nodes)[:, None], 12)
        start = np.round(at[:-1] - nodes[:-1, None] * along, 9)
        # Beyond its ends the line goes on.
        first = np.concatenate([[c0], nodes[1:-1].clip(min=c0)])
        last = np.concatenate([nodes[1:-1].clip(max=c1), [c1]])
    else:
        start, along = at[:1], at[1:]
        first, last = np.array([c0], float), np.array([c1], float)
    steps = np.stack([along, np.broadcast_to(down[1], along.shape), across], axis=2)
    columns = np.stack([first, last], axis=1)
    others = np.broadcast_to(np.array([rows, planes], float), (len(along), 2, 2))
    spans = np.concatenate([columns[:, None], others], axis=1)
    is_shown = first <= last
    return _Pieces(start[is_shown] + down[0], steps[is_shown], spans[is_shown])


def _bricks_of(info: VolumeInfo, pieces: _Pieces, lod: int) -> npt.NDArray[np.int64]:
    """Halve the volume again and again where a piece goes through: bricks, shape (n, 3)."""
    start, steps, spans = pieces
    low, high = pieces.boxes
    is_whole = (steps % 1 == 0).all(axis=2) & (start % 1 == 0)
    back = np.linalg.inv(steps)
    found, of = np.zeros((len(start), 3), np.int64), np.arange(len(start))
    top = lod
    while max(brick_counts(info, top)) > 1:
        top += 1
    for level in range(top, lod - 1, -1):
        if level < top:
            found = (found[:, None] * 2 + _OCTANTS).reshape(-1, 3)
            of = np.repeat(of, len(_OCTANTS))
        voxel = 1 << level
        # In LOD0 voxels, with what lies between a brick's voxels and those before and after it.
        middle = (found + 0.5) * (info.brick_size * voxel) - 0.5
        half = (info.brick_size + 1) * voxel / 2 + np.where(is_whole, _EXACT, _ROUNDED) * voxel
        at = np.einsum("mij,mj->mi", back[of], middle - start[of])
        reach = np.einsum("nij,nj->ni", np.abs(back), half)[of]
        meets = (found < brick_counts(info, level)).all(axis=1)
        meets &= ((middle - half[of] <= high[of]) & (middle + half[of] >= low[of])).all(axis=1)
        meets &= ((at - reach <= spans[of, :, 1]) & (at + reach >= spans[of, :, 0])).all(axis=1)
        found, of = found[meets], of[meets]
    return found if len(start) == 1 else np.unique(found, axis=0)
