"""Order of a brick's voxels in memory, which decides how fast a slice is cut out of it."""

from __future__ import annotations

import numpy as np

from blustream_widget.core.types import Samples


def is_cut_slowly(brick: Samples, axis: int) -> bool:
    """Tell whether voxels that follow each other in memory lie on different slices across `axis`.

    Then every slice touches every cache line of the brick: 0.15 ms instead of 0.01 for 64 cubed.
    """
    return brick.strides[axis] == brick.itemsize and brick.shape[axis] > 1


def turned(brick: Samples, axis: int) -> Samples:
    """Return the brick with slices across `axis` in one piece; itself if it is fast already.

    Takes 0.6 ms for 64 cubed float32.
    """
    if not is_cut_slowly(brick, axis):
        return brick
    copy = np.moveaxis(np.ascontiguousarray(np.moveaxis(brick, axis, 0)), 0, axis)
    copy.flags.writeable = False
    return copy
