"""Seismic horizons: a pick that snaps to the event, and one that spreads over a volume by itself.

A horizon is followed from trace to trace. In each the same kind of event (peak, trough, zero
crossing) is looked for near where the neighbour has it, and taken if the traces look alike there.
At a fault, in salt or in noise they do not: there it stops, and nothing is guessed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.horizon import EVENTS, Event, Gate
from blustream_widget.core.types import Samples
from blustream_widget.errors import ProcessingError

__all__ = ["EVENTS", "Event", "Gate", "Horizon", "snap", "track_line", "track_volume"]

Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Horizon:
    """Where an event lies on each trace.

    Parameters
    ----------
    samples : ndarray, shape (n_inline, n_crossline), float64, 0-based sample index
        With the fraction; NaN where it was not followed.
    likeness : ndarray, the same shape
        Correlation with the trace that it was followed from, 1 at the seeds; NaN where there is
        none.
    amplitude : ndarray, the same shape
        Value of the volume there, between samples by a line; NaN where there is none.
    """

    samples: Floats
    likeness: Floats
    amplitude: Floats

    @property
    def n_picked(self) -> int:
        """Traces on which it lies."""
        return int(np.isfinite(self.samples).sum())


def snap(trace: Samples, sample: float, event: Event = "peak", *, reach: float = 3.0) -> float:
    """Find the event nearest to a pick.

    Parameters
    ----------
    trace : ndarray, shape (n_sample,)
        NaN is no data.
    sample : float
        0-based, with its fraction.
    event : Event
    reach : float
        Samples that it may be away.

    Returns
    -------
    float
        The vertex of the parabola through the three samples of a peak or trough; where the line
        between two samples is 0 for a zero crossing. NaN where there is none within reach.
    """
    traces = np.asarray(trace, float)[None, :]
    return float(_snap(traces, np.array([float(sample)]), Gate(event=event, reach=reach))[0])


def track_line(section: Samples, seed: tuple[int, float], gate: Gate | None = None) -> Horizon:
    """Follow an event along a section, to both sides of the seed.

    Parameters
    ----------
    section : ndarray, shape (n_trace, n_sample)
    seed : (int, float)
        Trace, and sample on it; it snaps first.
    gate : Gate, optional

    Returns
    -------
    Horizon
        Of shape (1, n_trace).

    Raises
    ------
    ProcessingError
        There is no event at the seed.
    """
    return track_volume(np.asarray(section)[None], [(0, seed[0], seed[1])], gate)


def track_volume(
    volume: Samples,
    seeds: Sequence[tuple[int, int, float]],
    gate: Gate | None = None,
    on_round: Callable[[int], None] | None = None,
) -> Horizon:
    """Follow an event from its seeds over a volume, as far as it can be followed.

    Parameters
    ----------
    volume : ndarray, shape (n_inline, n_crossline, n_sample)
        NaN is no data. Read only.
    seeds : sequence of (int, int, float)
        Inline and crossline index, and sample; each snaps first.
    gate : Gate, optional
    on_round : callable, optional
        Told after each round how many traces it lies on; what it raises ends the following.

    Returns
    -------
    Horizon
        Of shape (n_inline, n_crossline).

    Raises
    ------
    ProcessingError
        A seed is outside, or there is no event at it.

    Notes
    -----
    A wave: each round, all traces beside those of the last one are looked at together, and a trace
    that several reach takes the one that it resembles most.
    """
    gate = gate or Gate()
    if volume.ndim != 3:
        raise ProcessingError(f"A volume has three axes, not {volume.ndim}.")
    samples = np.full(volume.shape[:2], np.nan)
    likeness = np.full(volume.shape[:2], np.nan)
    for i, j, sample in seeds:
        samples[i, j], likeness[i, j] = _seed(volume, i, j, sample, gate), 1.0
    front = np.argwhere(np.isfinite(samples))
    n_picked = len(front)
    while len(front):
        front = _grow(volume, samples, likeness, front, gate)
        n_picked += len(front)
        if on_round is not None:
            on_round(n_picked)
    return Horizon(samples, likeness, _along(volume, samples))


def _along(volume: Samples, samples: Floats) -> Floats:
    """Read the value at each sample; inline by inline, or all traces would be there twice."""
    rows = [_at(traces.astype(float), at) for traces, at in zip(volume, samples, strict=True)]
    return np.array(rows).reshape(samples.shape)


def _seed(volume: Samples, i: int, j: int, sample: float, gate: Gate) -> float:
    n0, n1, n2 = volume.shape
    if not (0 <= i < n0 and 0 <= j < n1 and 0 <= sample <= n2 - 1):
        raise ProcessingError(
            f"The seed ({i}, {j}, {sample:g}) is outside the volume.",
            hint=f"It has {volume.shape} voxels.",
        )
    found = snap(volume[i, j], sample, gate.event, reach=gate.reach)
    if not math.isfinite(found):
        raise ProcessingError(
            f"There is no {gate.event} within {gate.reach:g} samples of ({i}, {j}, {sample:g}).",
            hint="Pick another place, or give a greater reach.",
        )
    return found


def _grow(
    volume: Samples,
    samples: Floats,
    likeness: Floats,
    front: npt.NDArray[np.intp],
    gate: Gate,
) -> npt.NDArray[np.intp]:
    """Follow the event to the neighbours of `front`; returns those where it went on."""
    steps = np.array([(0, 1), (0, -1), (1, 0), (-1, 0)])
    parents = np.repeat(front, len(steps), axis=0)
    children: npt.NDArray[np.intp] = parents + np.tile(steps, (len(front), 1))
    inside = np.all((children >= 0) & (children < samples.shape), axis=1)
    parents, children = parents[inside], children[inside]
    is_new = np.isnan(samples[children[:, 0], children[:, 1]])
    parents, children = parents[is_new], children[is_new]
    if not len(children):
        return children
    before = samples[parents[:, 0], parents[:, 1]]
    old = volume[parents[:, 0], parents[:, 1]].astype(float)
    new = volume[children[:, 0], children[:, 1]].astype(float)
    found = _snap(new, before, gate)
    alike = _likeness(old, before, new, found, gate.window)
    good = np.isfinite(found) & (alike >= gate.min_likeness)
    if gate.event in ("peak", "trough"):
        there, here = _at(old, before), _at(new, found)
        good &= np.abs(here) >= gate.min_amplitude * np.abs(there)
    children, found, alike = children[good], found[good], alike[good]
    # The best last: of several values for one place, NumPy keeps the last.
    order = np.argsort(alike, kind="stable")
    i, j = children[order].T
    samples[i, j], likeness[i, j] = found[order], alike[order]
    grown: npt.NDArray[np.intp] = np.unique(children, axis=0)
    return grown


def _snap(traces: Floats, near: Floats, gate: Gate) -> Floats:
    """Nearest event on each trace, shape (n,); NaN where there is none."""
    n = traces.shape[1]
    reach = math.ceil(gate.reach) + 1
    middle = np.round(near).astype(int)
    places = middle[:, None] + np.arange(-reach - 1, reach + 2)
    outside = (places < 0) | (places >= n)
    values = np.take_along_axis(traces, np.clip(places, 0, n - 1), axis=1)
    values[outside] = np.nan
    if gate.event in ("rising", "falling"):
        at = _crossings(values, gate.event)
    else:
        at = _extrema(values if gate.event == "peak" else -values)
    away = np.abs(at + places[:, 1:-1] - near[:, None])
    away[~(away <= gate.reach)] = np.inf  # also where there is no event
    best = np.argmin(away, axis=1)
    rows = np.arange(len(traces))
    found: Floats = at[rows, best] + places[rows, best + 1]
    found[np.isinf(away[rows, best])] = np.nan
    return found


def _extrema(values: Floats) -> Floats:
    """Fraction by which a positive peak lies off its sample, shape (n, width - 2); NaN: none."""
    above, here, below = values[:, :-2], values[:, 1:-1], values[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        off = 0.5 * (above - below) / (above - 2 * here + below)
    is_peak = (here > 0) & (here >= above) & (here > below)
    return np.where(is_peak, np.clip(off, -0.5, 0.5), np.nan)


def _crossings(values: Floats, event: Event) -> Floats:
    """Fraction from a sample to the crossing behind it, shape (n, width - 2); NaN: none."""
    here, below = values[:, 1:-1], values[:, 2:]
    if event == "falling":
        here, below = -here, -below
    with np.errstate(divide="ignore", invalid="ignore"):
        off = here / (here - below)
    return np.where((here <= 0) & (below > 0), off, np.nan)


def _likeness(old: Floats, before: Floats, new: Floats, found: Floats, window: int) -> Floats:
    """Correlation of the traces around their events, shape (n,); NaN where data are missing."""
    offsets = np.arange(-window, window + 1)
    a = _interpolated(old, before[:, None] + offsets)
    b = _interpolated(new, found[:, None] + offsets)
    is_here = np.isfinite(a) & np.isfinite(b)
    a, b = np.where(is_here, a, 0.0), np.where(is_here, b, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        alike: Floats = (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))
    alike[2 * is_here.sum(1) < len(offsets)] = np.nan
    return alike


def _at(traces: Floats, places: Floats) -> Floats:
    return _interpolated(traces, places[:, None])[:, 0]


def _interpolated(traces: Floats, places: Floats) -> Floats:
    """Values between samples, linear; NaN outside and where a neighbour is NaN."""
    n = traces.shape[1]
    low = np.floor(np.where(np.isfinite(places), places, -2.0)).astype(int)
    share = places - low
    first = np.take_along_axis(traces, np.clip(low, 0, n - 1), axis=1)
    second = np.take_along_axis(traces, np.clip(low + 1, 0, n - 1), axis=1)
    # On a sample itself its neighbour does not matter, not even at the trace's end.
    values = np.where(share == 0, first, first + (second - first) * share)
    last = np.where(share == 0, n - 1, n - 2)
    return np.where((low < 0) | (low > last), np.nan, values)
