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
OnStep: TypeAlias = Callable[[float], None]
"""Hears the share that is done, after each part; may raise, which ends the work."""

_SLAB_VOXELS = 8 << 20
"""Worked on at once: some tenths of a second, and 32 MB as float32."""
_BLUR_REACH = 4.0  # standard deviations


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


def _ignore(_share: float) -> None:
    pass


def _slabs(shape: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and one-past-last plane across axis 0 of parts of bounded size."""
    thick = max(1, _SLAB_VOXELS // max(1, math.prod(shape[1:])))
    for first in range(0, shape[0], thick):
        yield first, min(first + thick, shape[0])


def smoothed(mask: Mask, sigma: Sequence[float], on_step: OnStep = _ignore) -> Mask:
    """Give a mask a smooth outline: where the blurred mask is at least a half.

    Parameters
    ----------
    mask : ndarray of bool
        What lies beyond its edges counts as what is at them.
    sigma : sequence of float
        Standard deviation of the blur along each axis, in voxels.
    on_step : callable

    Notes
    -----
    Part by part, each with as much around it as the blur reaches: the same as of the whole.
    """
    from scipy import ndimage

    reach = int(_BLUR_REACH * sigma[0] + 0.5)
    found = np.empty(mask.shape, bool)
    for first, last in _slabs(mask.shape):
        low, high = max(0, first - reach), min(len(mask), last + reach)
        blurred = ndimage.gaussian_filter(
            mask[low:high].astype(np.float32), sigma, mode="nearest", truncate=_BLUR_REACH
        )
        # A half less what rounding takes off a plane edge, which stays where it is.
        found[first:last] = blurred[first - low : last - low] >= 0.5 - 1e-5
        on_step(last / len(mask))
    return found


def without_islands(mask: Mask, min_voxels: int = 0, on_step: OnStep = _ignore) -> Mask:
    """Keep the pieces of a mask with at least `min_voxels`; 0: the largest alone."""
    pieces = np.empty(mask.shape, np.int32)
    n = 0
    touching: list[Pieces] = []
    for first, last in _slabs(mask.shape):
        part, n_here = _numbered(mask[first:last])
        pieces[first:last] = np.where(part > 0, part + n, 0)
        n += n_here
        if first:
            below, above = pieces[first - 1], pieces[first]
            both = (below > 0) & (above > 0)
            touching.append(np.unique(np.stack([below[both], above[both]]), axis=1))
        on_step(0.8 * last / len(mask))
    if not n:
        return mask
    whole = _joined(n, touching)
    sizes = np.bincount(whole, weights=np.bincount(pieces.ravel(), minlength=n + 1))
    sizes[whole[0]] = -1
    kept = sizes >= min_voxels if min_voxels else np.arange(len(sizes)) == sizes.argmax()
    kept[whole[0]] = False
    on_step(0.9)
    found: Mask = kept[whole][pieces]
    return found


def _joined(n: int, touching: Sequence[Pieces]) -> npt.NDArray[np.int32]:
    """Give pieces 0 to `n` the number of what they belong to, by the pairs that touch."""
    from scipy import sparse

    pairs = np.concatenate([np.empty((2, 0), np.int32), *touching], axis=1)
    links = sparse.coo_matrix((np.ones(pairs.shape[1], bool), pairs), shape=(n + 1, n + 1))
    _, whole = sparse.csgraph.connected_components(links, directed=False)
    return np.asarray(whole)


def interpolated(
    mask: Mask, axis: int, spacing: Sequence[float], on_step: OnStep = _ignore
) -> Mask:
    """Fill the empty slices between slices of a mask, from outline to outline.

    Parameters
    ----------
    mask : ndarray of bool, 3-D
    axis : int
        Across the slices.
    spacing : sequence of float
        Of the voxels along all three axes.
    on_step : callable

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
            on_step((k + 1) / len(slices))
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
