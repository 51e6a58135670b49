"""The newest question for the value of one voxel, until a brick with it has come."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from blustream_widget.core.types import Samples
from blustream_widget.data.source import BrickKey
from blustream_widget.errors import BlustreamError

ValueDone: TypeAlias = Callable[[float | None], None]


@dataclass(frozen=True, slots=True)
class VoxelQuestion:
    """Which voxel of which brick, and who is told.

    Parameters
    ----------
    key : BrickKey
    offset : tuple of 3 int
        Of the voxel in its brick.
    done : callable
        Gets the value: a float, or None for NaN or if it cannot be read.
    """

    key: BrickKey
    offset: tuple[int, int, int]
    done: ValueDone

    def answered_by(
        self, key: BrickKey, result: Samples | BlustreamError | None
    ) -> tuple[ValueDone, float | None] | None:
        """Give whom to tell what, if this is the brick that was waited for."""
        if result is None or self.key != key:
            return None
        if isinstance(result, BlustreamError):
            return self.done, None
        return self.done, plain(result[self.offset])


def plain(number: np.generic) -> float | None:
    """Give a voxel's value as Python's; None for NaN."""
    value = float(number.item())
    return None if math.isnan(value) else value
