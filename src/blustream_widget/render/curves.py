"""Rasterises curves that run along one axis of a picture: lines, and the areas under them.

Knows nothing of volumes: a curve is its distance from a straight baseline at every row of pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.render.span import Span

Floats: TypeAlias = npt.NDArray[np.float32]
Coverage: TypeAlias = npt.NDArray[np.int16]
"""Shares of pixels that are covered, in 256ths."""

ONE = 256
# Slopes in 32nds times places in 8ths are coverage in 256ths: numbers of 16 bits as far as they
# hold a curve's reach, which takes a third of the time of float32.
_SLOPE, _PLACE = 32, 8
_REACH_OF_INT16_PX = 50


@dataclass(frozen=True, slots=True)
class Curves:
    """How far curves are from their baselines, by row of pixels; each shape (curves, rows).

    Parameters
    ----------
    middle : ndarray, float32
        Between the least and the greatest distance within the row, px; NaN: no curve there.
    slope : ndarray, float32
        From the row's beginning to its end, px, without its sign.
    extra : ndarray, float32
        Half of what the curve goes back and forth beyond that, px.
    """

    middle: Floats
    slope: Floats
    extra: Floats


def trace_curves(distances: Floats, along: Span, *, is_smooth: bool) -> Curves:
    """Follow curves from sample to sample through the rows of pixels.

    Parameters
    ----------
    distances : ndarray, shape (curves, along.count), float32
        At the centres of the samples, px. NaN is "no value": no curve comes near it.
    along : Span
        Samples to rows.
    is_smooth : bool
        Straight from one sample to the next; otherwise each row has the sample at its centre.
    """
    if not is_smooth:
        return _steps(distances[:, along.nearest_voxels()])
    edges = np.arange(along.low_px, along.high_px + 1)
    position = np.clip((edges - along.first_px) / along.step_px - 0.5, 0, along.count - 1)
    lower = np.minimum(position.astype(np.intp), max(along.count - 2, 0))
    upper = np.minimum(lower + 1, along.count - 1)
    share = (position - lower).astype(np.float32)
    at_edges = distances.take(lower, axis=1)
    at_edges += share * (distances.take(upper, axis=1) - at_edges)
    first, last = at_edges[:, :-1], at_edges[:, 1:]
    low, high = np.minimum(first, last), np.maximum(first, last)
    _take_in_samples(low, high, distances, along)
    slope = np.abs(last - first)
    return Curves((low + high) / 2, slope, (high - low - slope) / 2)


def _steps(rows: Floats) -> Curves:
    """Rows of one distance each, joined where it changes."""
    before = np.concatenate([rows[:, :1], rows[:, :-1]], axis=1)
    before = np.where(np.isnan(before), rows, before)
    low, high = np.minimum(before, rows), np.maximum(before, rows)
    return Curves((low + high) / 2, np.zeros_like(rows), (high - low) / 2)


def _take_in_samples(low: Floats, high: Floats, distances: Floats, along: Span) -> None:
    """Widen the rows' ranges by the samples that lie inside them."""
    centres = along.first_px + (np.arange(along.count) + 0.5) * along.step_px
    rows = np.floor(centres).astype(np.intp) - along.low_px
    samples = np.flatnonzero((rows >= 0) & (rows < low.shape[1]))
    rows = rows[samples]
    while len(rows):
        # Of several samples in a row one at a time.
        is_first = np.concatenate([[True], rows[1:] != rows[:-1]])
        row, found = rows[is_first], distances[:, samples[is_first]]
        low[:, row] = np.minimum(low[:, row], found)
        high[:, row] = np.maximum(high[:, row], found)
        rows, samples = rows[~is_first], samples[~is_first]


def cover(
    target: Coverage,
    curves: Curves,
    base_px: npt.NDArray[np.float64],
    *,
    line_px: float,
    fill: float,
    reach_px: float,
) -> None:
    """Draw curves into `target`, where they cover more than what is there.

    Parameters
    ----------
    target : ndarray, shape (pixels across, rows), int16
        Curves run along its second axis.
    curves : Curves
    base_px : ndarray, shape (curves,), float64
        Baselines, in pixels of the first axis.
    line_px : float
        Width of the lines.
    fill : float
        Share that is covered between the baseline and a curve that lies beyond it, 0 to 1.
    reach_px : float
        No curve is further from its baseline.

    Notes
    -----
    A pixel is covered by ``(line_px / 2 + 1/2) - d`` at most 1 and at least 0, where ``d`` is its
    centre's distance from the curve, at a right angle. On slopes between 0 and 32 this is the
    covered area to a sixth, and to the digits of the numbers where the curve is straight.
    """
    reach = math.ceil(reach_px + line_px / 2 + 1)
    n = 2 * reach + 1
    kind: Any = np.int16 if reach <= _REACH_OF_INT16_PX else np.float32
    left, right, slope = _bounds(curves, line_px, reach, kind)
    first = np.floor(base_px).astype(np.intp) - reach
    across = first[:, None] + np.arange(n) + 0.5 - base_px[:, None]
    places = _rounded(across * _PLACE, kind)[:, :, None]
    fills = _rounded(np.clip(across + 0.5, 0, 1) * (fill * ONE), kind)[:, :, None]
    lines, ends = (np.empty((n, target.shape[1]), kind) for _ in range(2))
    for k, begin in enumerate(first.tolist()):
        skipped, end = max(-begin, 0), min(target.shape[0] - begin, n)
        if skipped >= end:
            continue
        line, until = lines[skipped:end], ends[skipped:end]
        np.multiply(places[k, skipped:end], slope[k], out=line)
        np.subtract(right[k], line, out=until)
        np.add(left[k], line, out=line)
        if fill:
            beyond = max(reach - skipped, 0)  # the half that the fill can be in
            np.maximum(line[beyond:], fills[k, skipped + beyond : end], out=line[beyond:])
        np.minimum(line, until, out=line)
        part = target[begin + skipped : begin + end]
        np.maximum(part, line, out=part, casting="unsafe")
    np.minimum(target, ONE, out=target)


def _bounds(
    curves: Curves, line_px: float, reach: int, kind: Any
) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]:
    """Coverage at the baselines by what lies left and right, and what a place adds to it."""
    slope = np.maximum(np.rint(_SLOPE / np.sqrt(curves.slope**2 + 1)), 1)
    by_slope = slope * _PLACE
    width = (line_px + 1) / 2 * ONE + curves.extra * by_slope
    offset = curves.middle * by_slope
    is_missing = np.isnan(offset)
    if is_missing.any():
        offset[is_missing], slope[is_missing] = 0, 1
        width[is_missing] = -(reach + 1) * ONE
    return (
        _rounded(width - offset, kind),
        _rounded(width + offset, kind),
        _rounded(slope, kind),
    )


def _rounded(values: npt.NDArray[Any], kind: Any) -> npt.NDArray[Any]:
    found: npt.NDArray[Any] = np.rint(values).astype(kind)
    return found
