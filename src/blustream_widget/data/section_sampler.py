"""What a section asks of those that know which of its values come from which brick."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples


class SectionSampler(Protocol):
    """The values of a section, NaN until they are taken from bricks.

    Attributes
    ----------
    bricks : ndarray of int, shape (n, 3)
        Those of the section's own level with voxels that have a weight, each once.
    """

    bricks: npt.NDArray[Any]

    def take(self, place: int, brick: Samples) -> None:
        """Take the values of `bricks[place]`, exactly."""

    def preview(
        self, place: int, brick: Samples, *, shift: int, first: tuple[int, int, int]
    ) -> None:
        """Take the nearest voxels, in the place of `bricks[place]`, of one `shift` levels coarser.

        `first` are the indices of its first voxel.
        """

    def values(self, *, is_final: bool) -> npt.NDArray[np.floating[Any]]:
        """Give all values as they are now, shape (n_columns, n_rows).

        A copy, but once and for all if nothing is taken any more.
        """
