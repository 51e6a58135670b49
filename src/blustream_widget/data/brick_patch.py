"""A brick of labels that is other in a box: its slices are there at once, the whole when asked."""

from __future__ import annotations

from functools import cached_property
from typing import TypeAlias

import numpy as np

from blustream_widget.core.types import Samples

Box3: TypeAlias = tuple[slice, ...]


class BrickPatch:
    """A brick with a box of voxels laid over it; nobody writes to either. Any thread.

    A disc of a brush changes one plane of 64: copying a brick for it, which is a quarter of a
    megabyte, takes ten times as long as the plane, and a stroke touches some dozens.

    Parameters
    ----------
    base : ndarray, shape (n0, n1, n2)
    box : three slices
        With begin and end, inside the brick.
    inside : ndarray
        Of the box.
    """

    def __init__(self, base: Samples, box: Box3, inside: Samples) -> None:
        self._base, self._box, self._inside = base, box, inside

    @property
    def nbytes(self) -> int:
        """What the whole brick takes."""
        return self._base.size * self._base.itemsize

    @cached_property
    def whole(self) -> Samples:
        """The brick."""
        whole = self._base.copy()
        whole[self._box] = self._inside
        return whole

    def plane(self, axis: int, at: int) -> Samples:
        """Give a slice of the brick: the base's own where nothing of it is other."""
        plane: Samples = self._base[(slice(None),) * axis + (at,)]
        across = self._box[axis]
        if not across.start <= at < across.stop:
            return plane
        plane = plane.copy()
        box = self._box[:axis] + self._box[axis + 1 :]
        plane[box] = self._inside[(slice(None),) * axis + (at - across.start,)]
        return plane


def whole_of(brick: Samples | BrickPatch) -> Samples:
    """Give the voxels of either."""
    return brick if isinstance(brick, np.ndarray) else brick.whole
