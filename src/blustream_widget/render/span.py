"""One screen axis of a slice: which voxels go to which pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Samples


def _nearest(value: float) -> int:
    return math.floor(value + 0.5)


@dataclass(frozen=True, slots=True)
class Span:
    """A run of voxels along one screen axis, in screen order (left to right, top to bottom).

    Parameters
    ----------
    start, count : int
        Voxels of the data (before flipping) that are shown: `start <= index < start + count`.
    is_flipped : bool
        The last of them is the first on the screen.
    first_px : float
        Where the first voxel on the screen begins.
    step_px : float
        Size of a voxel, positive.
    begin_px, end_px : float
        What is drawn: inside the pane and inside the slice.
    """

    start: int
    count: int
    is_flipped: bool
    first_px: float
    step_px: float
    begin_px: float
    end_px: float

    @property
    def low_px(self) -> int:
        """First pixel that is drawn."""
        return _nearest(self.begin_px)

    @property
    def high_px(self) -> int:
        """End (exclusive) of the pixels that are drawn."""
        return _nearest(self.end_px)

    @property
    def whole_px(self) -> tuple[int, int]:
        """Pixels of all the voxels, drawn or not, rounded: begin and end."""
        begin = _nearest(self.first_px)
        return begin, max(_nearest(self.first_px + self.count * self.step_px), begin + 1)

    @property
    def centres_px(self) -> npt.NDArray[np.float64]:
        """Middles of the voxels, drawn or not, in screen order."""
        found = np.arange(0.5, self.count)
        found *= self.step_px
        found += self.first_px
        return found

    def halved(self) -> Span:
        """Give the same run on a plane of half the size (chroma)."""
        return Span(
            self.start,
            self.count,
            self.is_flipped,
            self.first_px / 2,
            self.step_px / 2,
            self.begin_px / 2,
            self.end_px / 2,
        )

    def nearest_voxels(self) -> npt.NDArray[np.intp]:
        """For each drawn pixel the voxel (in screen order) that its centre lies in."""
        centres = np.arange(self.low_px, self.high_px) + 0.5
        voxels: npt.NDArray[np.intp] = np.floor((centres - self.first_px) / self.step_px).astype(
            np.intp
        )
        return voxels.clip(0, self.count - 1)


def find_span(
    *,
    pane_px: int,
    slice_begin_px: float,
    slice_px: float,
    n_voxels: int,
    is_flipped: bool,
    lod: int,
    origin: int,
    n_data: int,
) -> Span | None:
    """Place data of a slice on one axis of the pane, keeping only voxels that can be seen.

    Parameters
    ----------
    pane_px : int
        Size of the pane.
    slice_begin_px, slice_px : float
        Where the whole slice is drawn, as in `Placement`.
    n_voxels : int
        LOD0 voxels of the whole slice.
    is_flipped : bool
    lod, origin, n_data : int
        Of the data: level of detail, first voxel of that level, number of voxels.

    Returns
    -------
    Span or None
        None when nothing of the data lies in the pane.
    """
    step_px = slice_px / n_voxels * (1 << lod)
    slice_end_px = slice_begin_px + slice_px
    if is_flipped:
        first_px = slice_end_px - (origin + n_data) * step_px
    else:
        first_px = slice_begin_px + origin * step_px
    begin_px = max(0.0, slice_begin_px, first_px)
    end_px = min(float(pane_px), slice_end_px, first_px + n_data * step_px)
    if _nearest(end_px) <= _nearest(begin_px):
        return None
    # One voxel more on each side: interpolation at the pane's edge looks at it.
    skipped = min(max(math.floor((begin_px - first_px) / step_px) - 1, 0), n_data - 1)
    last = min(max(math.ceil((end_px - first_px) / step_px) + 1, skipped + 1), n_data)
    count = last - skipped
    return Span(
        start=n_data - last if is_flipped else skipped,
        count=count,
        is_flipped=is_flipped,
        first_px=first_px + skipped * step_px,
        step_px=step_px,
        begin_px=begin_px,
        end_px=end_px,
    )


def upright(values: Samples, columns: Span, rows: Span) -> Samples:
    """Values that are shown, as they lie on the screen; no copy.

    Parameters
    ----------
    values : ndarray, 2-D
        Its first axis runs along the screen's y.
    columns, rows : Span
    """
    shown = values[rows.start : rows.start + rows.count, columns.start :][:, : columns.count]
    shown = shown[::-1] if rows.is_flipped else shown
    return shown[:, ::-1] if columns.is_flipped else shown
