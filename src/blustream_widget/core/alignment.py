"""How the voxels of one volume lie in the grid of another: by index, or by world coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError

# A direction that deviates by more, as a share of a step, is another direction.
_PARALLEL = 1e-3
# Grids that differ by less than this share of a voxel, over the whole volume, are the same one.
_SAME = 1e-3


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where voxel coordinates of the shown volume lie in another one with parallel axes.

    Parameters
    ----------
    axes : tuple of int
        For each axis of the shown volume, the other's axis along it.
    scale, offset : tuple of float
        By axis of the shown volume: index there * scale + offset = index of the other.
    """

    axes: tuple[int, int, int] = (0, 1, 2)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @property
    def is_same_grid(self) -> bool:
        """The voxels of both are the same ones."""
        return self == SAME_GRID

    def there(self, axis: int, index: float) -> float:
        """Index on `axes[axis]` of the other volume of an index on `axis` of the shown one."""
        return index * self.scale[axis] + self.offset[axis]

    def here(self, axis: int, index: float) -> float:
        """Index on `axis` of the shown volume of an index on `axes[axis]` of the other one."""
        return (index - self.offset[axis]) / self.scale[axis]


SAME_GRID = Alignment()


def align(shown: VolumeInfo, other: VolumeInfo) -> Alignment:
    """Find how `other` lies in the grid of `shown`.

    Where both have world coordinates (patient coordinates in mm; a survey's map and samples) these
    decide. Otherwise both must have the same shape, and are the same grid.

    Raises
    ------
    StateError
        The grids are turned against each other, or have nothing in common.
    """
    here, there = _world_of(shown), _world_of(other)
    if here is None or there is None or (shown.kind == "seismic") != (other.kind == "seismic"):
        if shown.shape == other.shape:
            return SAME_GRID
        raise StateError(
            f"{other.name} has {_text(other.shape)} voxels, {shown.name} {_text(shown.shape)}, "
            "and not both have world coordinates.",
            hint="Give one of the same shape, or two files that say where they lie.",
        )
    matrix = np.linalg.solve(there, here)
    axes = tuple(int(np.abs(matrix[:3, axis]).argmax()) for axis in range(3))
    lengths = [abs(float(matrix[axes[axis], axis])) for axis in range(3)]
    for axis in range(3):
        across = np.delete(matrix[:3, axis], axes[axis])
        if len(set(axes)) != 3 or np.abs(across).max() > _PARALLEL * lengths[axis]:
            raise StateError(
                f"The grids of {shown.name} and {other.name} are turned against each other.",
                hint="Resample it on the grid of the shown volume first.",
            )
    scale = tuple(float(matrix[axes[axis], axis]) for axis in range(3))
    offset = tuple(float(matrix[axes[axis], 3]) for axis in range(3))
    found = Alignment(
        (axes[0], axes[1], axes[2]),
        (scale[0], scale[1], scale[2]),
        (offset[0], offset[1], offset[2]),
    )
    if shown.shape == other.shape and axes == (0, 1, 2) and _is_same(found, shown):
        return SAME_GRID
    if not _meet(found, shown, other):
        raise StateError(
            f"{other.name} lies nowhere in {shown.name}, by their world coordinates.",
            hint="Check that both say where they lie in the same coordinates.",
        )
    return found


def _meet(found: Alignment, shown: VolumeInfo, other: VolumeInfo) -> bool:
    """Whether the volumes have a part in common, whole voxels counted."""
    for axis in range(3):
        ends = [found.there(axis, end) for end in (-0.5, shown.shape[axis] - 0.5)]
        if max(ends) <= -0.5 or min(ends) >= other.shape[found.axes[axis]] - 0.5:
            return False
    return True


def _is_same(found: Alignment, shown: VolumeInfo) -> bool:
    """Whether no voxel lies elsewhere: rounding in a header is no shift."""
    ends = ((axis, end) for axis in range(3) for end in (0, shown.shape[axis] - 1))
    return all(abs(found.there(axis, end) - end) < _SAME for axis, end in ends)


def _world_of(info: VolumeInfo) -> npt.NDArray[np.float64] | None:
    """Voxel index to world, 4 x 4; None where that is not known.

    Of a survey: place on the map, and the sample's own number (time or depth).
    """
    if info.affine is None:
        return None
    world = np.reshape(np.asarray(info.affine, float), (4, 4)).copy()
    if info.kind == "seismic":
        vertical = info.axes[2]
        world[:2, 2] = 0.0
        world[2] = (0.0, 0.0, vertical.step, vertical.first)
    return world if abs(np.linalg.det(world[:3, :3])) > 0 else None


def _text(shape: tuple[int, int, int]) -> str:
    return " x ".join(str(n) for n in shape)
