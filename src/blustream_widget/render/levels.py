"""Window and level: from voxel values to entries of a colour table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from blustream_widget.core.colormaps import LABEL_PERIOD
from blustream_widget.core.types import Samples
from blustream_widget.render.colormaps import LEVELS
from blustream_widget.render.scratch import Scratch

Entries = npt.NDArray[np.intp]
"""Indices into `ColorTable.packed`; -1 is "no data". `numpy.take` is fastest with `intp`."""


BELOW, ABOVE = LEVELS, LEVELS + 1
FIRST_LABEL = LEVELS + 2
"""Entries behind those of the map: outside the window, and the first of the user's labels."""


def window_steps(
    values: Samples, *, window: float, level: float, scratch: Scratch
) -> npt.NDArray[np.int16]:
    """Map values to entries of the map as `window_entries`, in 16 bits; of `scratch`."""
    # 32-bit integers and doubles do not fit into float32.
    kind = np.result_type(values.dtype, np.float32).type
    work = scratch.array("levels", values.shape, kind)
    steps = scratch.array("steps", values.shape, np.int16)
    # A value of 1e38 in a window of 1e-30 overflows to infinity, which clips as it should.
    with np.errstate(over="ignore", invalid="ignore"):
        np.subtract(values, kind(level - window / 2), out=work)
        np.multiply(work, kind(LEVELS / window), out=work)
        np.clip(work, 0, LEVELS - 1, out=work)
    # Looking for NaN takes a tenth of replacing it, and most slices have none.
    if values.dtype.kind == "f" and np.isnan(work.min()):
        np.fmax(work, kind(-1), out=work)  # of NaN and -1 it returns -1
    np.copyto(steps, work, casting="unsafe")
    return steps


def window_entries(
    values: Samples, *, window: float, level: float, scratch: Scratch, has_ends: bool = False
) -> Entries:
    """Map values to table entries, linearly, clipping outside the window.

    Parameters
    ----------
    values : ndarray, shape (a, b), any real dtype
        In the unit of `window`. NaN is "no data".
    window, level : float
        Full width (positive) and centre of the range that the table spans.
    scratch : Scratch
    has_ends : bool
        Values outside the window are BELOW and ABOVE, not the map's first and last entry.

    Returns
    -------
    ndarray, shape (a, b), intp
        floor((value - low) / window * LEVELS), clipped to 0 … LEVELS - 1; -1 for NaN. Padded, of
        `scratch`.

    References
    ----------
    DICOM PS3.3 C.11.2.1.3.2, LINEAR_EXACT.
    """
    entries = scratch.padded("entries", (values.shape[0], values.shape[1]), np.intp)
    # By way of 16 bits: twice as fast as from float to 64 bits at once.
    np.copyto(entries, window_steps(values, window=window, level=level, scratch=scratch))
    if has_ends:
        entries[np.less(values, level - window / 2)] = BELOW
        entries[np.greater(values, level + window / 2)] = ABOVE
    return entries


def label_entries(values: Samples, *, scratch: Scratch, own: tuple[int, ...] = ()) -> Entries:
    """Map label values to entries of the label table: 0 to 0, the others in turn; NaN to -1.

    Parameters
    ----------
    values : ndarray, shape (a, b), any real dtype
        Rounded to whole numbers.
    scratch : Scratch
    own : tuple of int
        Label values that have a colour of the user's: the n-th is entry FIRST_LABEL + n.

    Returns
    -------
    ndarray, shape (a, b), intp
        Padded, of `scratch`.
    """
    entries = scratch.padded("entries", (values.shape[0], values.shape[1]), np.intp)
    missing: npt.NDArray[np.bool_] | None = None
    if values.dtype.kind == "f":
        rounded = np.nan_to_num(np.rint(values), nan=0.0, posinf=0.0, neginf=0.0)
        missing = ~np.isfinite(values)
        values = np.clip(rounded, -(2.0**53), 2.0**53)
    np.copyto(entries, values, casting="unsafe")
    marked = _marked(entries, own) if own else None
    if values.dtype != np.uint8:  # whose values are entries as they are
        background = entries == 0
        np.subtract(entries, 1, out=entries)
        np.remainder(entries, LABEL_PERIOD, out=entries)
        np.add(entries, 1, out=entries)
        entries[background] = 0
    if marked is not None:
        place, n = marked
        entries[place] = FIRST_LABEL + n
    if missing is not None:
        entries[missing] = -1
    return entries


def _marked(
    entries: Entries, own: tuple[int, ...]
) -> tuple[tuple[npt.NDArray[np.intp], ...], npt.NDArray[np.intp]]:
    """Where values are among `own`, and which of them each is."""
    order = np.argsort(own)
    keys = np.array(own, np.intp)[order]
    at = np.searchsorted(keys, entries).clip(max=len(keys) - 1)
    place = np.nonzero(keys[at] == entries)
    return place, order[at[place]]
