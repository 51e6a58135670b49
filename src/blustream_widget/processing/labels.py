"""Labels that follow from labels: what is joined to a seed, smoothed, without islands, between."""

from __future__ import annotations

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.errors import ProcessingError

Brick: TypeAlias = tuple[int, int, int]
Mask: TypeAlias = npt.NDArray[np.bool_]
Pieces: TypeAlias = npt.NDArray[np.int32]


def joined_to_seed(
    seed: tuple[int, int, int],
    size: int,
    n_bricks: tuple[int, int, int],
    mask_of: Callable[[Brick], Mask],
    *,
    most: int,
) -> dict[Brick, Mask]:
    """Everything in a mask that is joined to a seed by faces, read brick by brick as it is reached.

    Parameters
    ----------
    seed : tuple of int
        A voxel.
    size : int
        Voxels per side of a brick; those at the volume's end may be shorter.
    n_bricks : tuple of int
        Along each axis.
    mask_of : callable
        Gives the mask of a brick; called once for each that is reached.
    most : int
        Voxels.

    Returns
    -------
    dict
        Masks by brick; the same as the seed's component of `scipy.ndimage.label` of the whole.

    Raises
    ------
    ProcessingError
        There are more than `most`.
    """
    first: Brick = (seed[0] // size, seed[1] // size, seed[2] // size)
    at = tuple(v - b * size for v, b in zip(seed, first, strict=True))
    pieces = _Pieces(mask_of)
    n_voxels = 0
    waiting = deque([(first, np.unique(pieces.of(first)[at]))])
    while waiting:
        brick, found = waiting.popleft()
        new = pieces.take(brick, found)
        n_voxels += pieces.n_voxels(brick, new)
        if n_voxels > most:
            raise ProcessingError(
                f"More than {most:,} voxels are joined to the seed.",
                hint="Fill in one slice, or give a narrower range of values.",
            )
        if new.size:
            waiting.extend(pieces.beside(brick, new, n_bricks))
    return pieces.taken_masks()


class _Pieces:
    """Pieces of a mask, joined by faces within each brick that is reached, and which are taken."""

    def __init__(self, mask_of: Callable[[Brick], Mask]) -> None:
        self._mask_of = mask_of
        self._pieces: dict[Brick, Pieces] = {}
        self._taken: dict[Brick, Mask] = {}
        self._sizes: dict[Brick, npt.NDArray[np.intp]] = {}

    def of(self, brick: Brick) -> Pieces:
        """Give each voxel of a brick the number of its piece; 0 outside of the mask."""
        if brick not in self._pieces:
            self._pieces[brick], n = _numbered(self._mask_of(brick))
            self._taken[brick] = np.zeros(n + 1, bool)
            self._sizes[brick] = np.bincount(self._pieces[brick].ravel(), minlength=n + 1)
        return self._pieces[brick]

    def take(self, brick: Brick, found: Pieces) -> Pieces:
        """Take pieces of a brick; gives those that were not taken before."""
        new = found[(found > 0) & ~self._taken[brick][found]]
        self._taken[brick][new] = True
        return new

    def n_voxels(self, brick: Brick, which: Pieces) -> int:
        return int(self._sizes[brick][which].sum())

    def beside(
        self, brick: Brick, which: Pieces, n_bricks: tuple[int, int, int]
    ) -> Iterator[tuple[Brick, Pieces]]:
        """Pieces of the six bricks around that touch these."""
        is_of = np.zeros(len(self._taken[brick]), bool)
        is_of[which] = True
        for axis in range(3):
            for step, side in ((-1, 0), (1, -1)):
                touches = is_of[self._pieces[brick].take(side, axis=axis)]
                place = list(brick)
                place[axis] += step
                if touches.any() and 0 <= place[axis] < n_bricks[axis]:
                    other = (place[0], place[1], place[2])
                    there: Pieces = np.asarray(self.of(other).take(-1 - side, axis=axis))
                    yield other, np.unique(there[touches])

    def taken_masks(self) -> dict[Brick, Mask]:
        found: dict[Brick, Mask] = {}
        for brick, which in self._taken.items():
            if which.any():
                found[brick] = which[self._pieces[brick]]
        return found


def _numbered(mask: Mask) -> tuple[Pieces, int]:
    """Give numbers to the pieces of a mask that are joined by faces, from 1 on."""
    from scipy import ndimage  # 0.1 s, when it is first needed

    pieces, n = ndimage.label(mask)
    return np.asarray(pieces), int(n)


def smoothed(mask: Mask, sigma: Sequence[float]) -> Mask:
    """Give a mask a smooth outline: where the blurred mask is at least a half.

    Parameters
    ----------
    mask : ndarray of bool
        What lies beyond its edges counts as what is at them.
    sigma : sequence of float
        Standard deviation of the blur along each axis, in voxels.
    """
    from scipy import ndimage

    blurred = ndimage.gaussian_filter(mask.astype(np.float32), sigma, mode="nearest")
    # A half less what rounding takes off a plane edge, which stays where it is.
    found: Mask = blurred >= 0.5 - 1e-5
    return found


def without_islands(mask: Mask, min_voxels: int = 0) -> Mask:
    """Keep the pieces of a mask with at least `min_voxels`; 0: the largest alone."""
    pieces, n = _numbered(mask)
    if not n:
        return mask
    sizes = np.bincount(pieces.ravel(), minlength=n + 1)
    sizes[0] = -1
    kept = sizes >= min_voxels if min_voxels else np.arange(n + 1) == sizes.argmax()
    kept[0] = False
    found: Mask = kept[pieces]
    return found


def interpolated(mask: Mask, axis: int, spacing: Sequence[float]) -> Mask:
    """Fill the empty slices between slices of a mask, from outline to outline.

    Parameters
    ----------
    mask : ndarray of bool, 3-D
    axis : int
        Across the slices.
    spacing : sequence of float
        Of the voxels along all three axes.

    Returns
    -------
    ndarray of bool
        The given slices as they are; between two of them, where the mean of their signed distances
        to the outline, weighted by how near each is, is inside.

    References
    ----------
    Raya and Udupa, Shape-based interpolation of multidimensional objects, IEEE TMI 9 (1990).
    """
    slices = np.moveaxis(mask, axis, 0)
    result = slices.copy()
    in_plane = [s for k, s in enumerate(spacing) if k != axis]
    there = np.flatnonzero(slices.any(axis=(1, 2)))
    for low, high in itertools.pairwise(there):
        if high - low < 2:
            continue
        below, above = (_signed_distance(slices[k], in_plane) for k in (low, high))
        for k in range(low + 1, high):
            share = (k - low) / (high - low)
            result[k] = below * (1 - share) + above * share > 0
    return np.moveaxis(result, 0, axis)


def _signed_distance(plane: Mask, spacing: Sequence[float]) -> npt.NDArray[np.float64]:
    """Distance to the outline, positive inside."""
    from scipy import ndimage

    padded = np.pad(plane, 1)  # a slice that is all inside has an outline too
    inside = ndimage.distance_transform_edt(padded, sampling=spacing)
    outside = ndimage.distance_transform_edt(~padded, sampling=spacing)
    half = math.fsum(spacing) / len(spacing) / 2  # from centre to centre of voxels; to the edge
    signed: npt.NDArray[np.float64] = np.where(padded, inside - half, half - outside)
    return signed[1:-1, 1:-1]
