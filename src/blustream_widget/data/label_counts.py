"""How much there is of each label, where, and what another volume has under it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.data.grid import Shape, lod_shape
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.new_labels import NewLabels
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import VolumeSource
from blustream_widget.data.voxels import Part, VoxelReader

Floats = npt.NDArray[np.float64]

# Read in the background beside what is looked at; from memory a voxel costs some 20 ns.
_MOST_READ = 64 << 20
_MOST_IN_MEMORY = 1 << 30
_TABLE = 1 << 16  # labels that are counted by a table; others by sorting
_FEW = 8  # labels in a brick that are looked for one after the other


@dataclass(slots=True)
class LabelSum:
    """What was found of one label.

    Parameters
    ----------
    count : int
        Voxels, at the level that was counted.
    places : ndarray, shape (3,), float64
        Sums of their indices at that level.
    n_values, total, squares : float
        Of the other volume's finite values under it, taken from `LabelCounter.reference`.
    """

    count: int
    places: Floats
    n_values: float = 0.0
    total: float = 0.0
    squares: float = 0.0


def level_to_count(source: VolumeSource) -> int:
    """Give the finest level of detail that can be counted in the background."""
    info: VolumeInfo = source.info
    if isinstance(source, NewLabels):
        return 0
    most = _MOST_IN_MEMORY if isinstance(source, MemorySource) else _MOST_READ
    for lod in range(info.n_lods - 1):
        if math.prod(lod_shape(info.shape, lod)) <= most:
            return lod
    return info.n_lods - 1


def changed_counts(
    changes: Iterable[tuple[Shape, Samples, Samples]], lod: int
) -> dict[int, LabelSum]:
    """Count what labels have won and, with a minus, lost; values under them are not known.

    Parameters
    ----------
    changes : iterable of (first voxel, before, after)
        Whole bricks of full resolution.
    lod : int
        Level that is counted.
    """
    sums: dict[int, LabelSum] = {}
    for lower, before, after in changes:
        old, new = (half_times(values, lod, is_label=True) for values in (before, after))
        corner = [v >> lod for v in lower]
        differs = old != new
        for label in _labels_in(old, new, differs):
            won = (new == label).astype(np.int8)
            won -= old == label
            count, places = _sum_of(won)
            one = sums.setdefault(label, LabelSum(0, np.zeros(3)))
            one.count += count
            one.places += places + count * np.array(corner)
    return sums


def _labels_in(old: Samples, new: Samples, differs: npt.NDArray[np.bool_]) -> set[int]:
    """Labels but 0 of voxels that differ, before or after."""
    found: set[int] = set()
    for values in (old, new):
        at = values[differs]
        # Sorting takes a hundred times as long as comparing with the first, which is mostly all.
        while at.size:
            first = at[0]
            found.add(int(first))
            if len(found) > _FEW:
                found.update(np.unique(at).tolist())
                break
            at = at[at != first]
    return {int(label) for label in found} - {0}


def _sum_of(weights: npt.NDArray[np.int8]) -> tuple[int, Floats]:
    """Sum of small weights, and of their indices: by products of matrices, a tenth of the time."""
    n0, n1, n2 = weights.shape
    ways = np.stack([np.ones(n2, np.float32), np.arange(n2, dtype=np.float32)], axis=1)
    # Whole numbers below 2**24 are exact; so are all sums of a brick's row.
    rows = (weights.reshape(-1, n2).astype(np.float32) @ ways).astype(np.float64)
    plane = rows[:, 0].reshape(n0, n1)
    places = [np.arange(n0) @ plane.sum(axis=1), np.arange(n1) @ plane.sum(axis=0)]
    return int(plane.sum()), np.array([*places, rows[:, 1].sum()])


def with_changes(found: dict[int, LabelSum], changed: dict[int, LabelSum]) -> dict[int, LabelSum]:
    """Add up sums of before an edit and what it has changed, without labels that are gone."""
    sums = {label: LabelSum(one.count, one.places) for label, one in found.items()}
    for label, one in changed.items():
        known = sums.get(label, LabelSum(0, np.zeros(3)))
        sums[label] = LabelSum(known.count + one.count, known.places + one.places)
    return {label: one for label, one in sums.items() if one.count > 0}


class LabelCounter:
    """Counts the labels of a channel; blocks its thread.

    Parameters
    ----------
    source : VolumeSource
    channel : int
    lod : int
    is_cancelled : callable
        Looked at while reading.
    """

    def __init__(
        self, source: VolumeSource, channel: int, lod: int, is_cancelled: Callable[[], bool]
    ) -> None:
        self._reader = VoxelReader(source, is_cancelled)
        self._is_cancelled = is_cancelled
        self._shape = lod_shape(source.info.shape, lod)
        self._channel = channel
        self._lod = lod
        self.reference = 0.0
        """Value that the other volume's are taken from, so that sums keep their digits."""

    def count(self, values: tuple[VolumeSource, int] | None = None) -> dict[int, LabelSum]:
        """Count all labels but 0.

        Parameters
        ----------
        values : (VolumeSource, int), optional
            A volume on the same grid, and its channel whose values under each label are summed up;
            at level 0 only.

        Raises
        ------
        ReadCancelledError, BrickReadError
        """
        found: dict[int, LabelSum] = {}
        beside = None
        if values is not None:
            channel = values[0].info.channel_of(values[1])
            self.reference = (channel.value_min + channel.value_max) / 2
            beside = VoxelReader(values[0], self._is_cancelled)
        for part in self._reader.parts(self._channel, (0, 0, 0), self._shape, lod=self._lod):
            if not part.values.any():
                continue
            block = None
            if beside is not None and values is not None:
                read = beside.block(values[1], part.lower, part.upper)
                block = read.astype(np.float64).ravel() - self.reference
            _add(found, part, block)
        found.pop(0, None)
        return found


def _add(found: dict[int, LabelSum], part: Part, block: Floats | None) -> None:
    labels, which = _distinct(part.values)
    n = len(labels)
    counts = np.bincount(which, minlength=n)
    places = np.empty((3, n))
    for axis in range(3):
        ranges = np.arange(part.lower[axis], part.upper[axis], dtype=np.float64)
        shape = [1, 1, 1]
        shape[axis] = len(ranges)
        spread = np.broadcast_to(ranges.reshape(shape), part.values.shape)
        places[axis] = np.bincount(which, weights=spread.ravel(), minlength=n)
    sums = None
    if block is not None:
        is_value = np.isfinite(block)
        at, known = which[is_value], block[is_value]
        sums = [np.bincount(at, weights=w, minlength=n) for w in (None, known, known * known)]
    for k in np.flatnonzero(counts):
        one = found.setdefault(int(labels[k]), LabelSum(0, np.zeros(3)))
        one.count += int(counts[k])
        one.places += places[:, k]
        if sums is not None:
            one.n_values += float(sums[0][k])
            one.total += float(sums[1][k])
            one.squares += float(sums[2][k])


def _distinct(
    values: npt.NDArray[np.generic],
) -> tuple[npt.NDArray[np.generic], npt.NDArray[np.intp]]:
    """Values that may occur, and for each voxel which of them it is."""
    low, high = int(values.min().item()), int(values.max().item())
    if high - low < _TABLE:
        return np.arange(low, high + 1), (values.ravel().astype(np.int64) - low).astype(np.intp)
    labels, which = np.unique(values, return_inverse=True)
    return labels, which.reshape(-1)
