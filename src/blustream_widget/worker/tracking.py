"""Follows a horizon through an open volume: the samples around its seeds, on all or some traces."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.core.horizon_grid import packed, samples_of
from blustream_widget.core.horizon_messages import Snapped
from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.core.worker_protocol import SnapVoxel, TrackVoxels
from blustream_widget.data.regions import MAX_REGION_VOXELS
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.errors import ProcessingError
from blustream_widget.processing.horizon import Horizon, snap, track_volume

_READING = 0.7  # share of the progress; the rest is the following
_Traces: TypeAlias = tuple[slice, slice]


def track(
    reader: VoxelReader,
    info: VolumeInfo,
    question: TrackVoxels,
    on_progress: Callable[[float], None],
) -> TrackedGrid:
    """Read the block and follow the horizon in it.

    Raises
    ------
    ProcessingError
        A seed is outside or without an event, or the block is too large.
    BrickReadError, ReadCancelledError
    """
    n0, n1, n2 = info.shape
    traces = _traces(info, question.line)
    n_traces = len(range(*traces[0].indices(n0))) * len(range(*traces[1].indices(n1)))
    seeds = [
        seed
        for seed in (_trace_of(info, place) for place in question.seeds)
        if traces[0].start <= seed[0] < traces[0].stop
        and traces[1].start <= seed[1] < traces[1].stop
    ]
    if not seeds:
        raise ProcessingError("No pick lies in this section.", hint="Pick a place in it first.")
    first, last = _samples([sample for _, _, sample in seeds], n_traces, n2, question)
    lower = (traces[0].start, traces[1].start, first)
    upper = (traces[0].stop, traces[1].stop, last)
    block = _block(reader, info, question, (lower, upper), on_progress)

    def on_round(n_picked: int) -> None:
        reader.check()
        on_progress(_READING + (1 - _READING) * n_picked / n_traces)

    found = track_volume(
        block,
        [(i - lower[0], j - lower[1], sample - first) for i, j, sample in seeds],
        question.gate,
        on_round,
    )
    samples, likeness, amplitude = np.full((3, n0, n1), np.nan)
    samples[traces] = found.samples + first
    likeness[traces] = found.likeness
    amplitude[traces] = found.amplitude
    return _answer(question, Horizon(samples, likeness, amplitude))


def snapped(reader: VoxelReader, info: VolumeInfo, question: SnapVoxel) -> Snapped:
    """Where the event nearest to a place lies.

    Raises
    ------
    ProcessingError
        The place is outside.
    BrickReadError, ReadCancelledError
    """
    place = question.place
    if not all(-0.5 <= v <= n - 0.5 for v, n in zip(place, info.shape, strict=True)):
        raise ProcessingError(
            f"The pick {place} is outside the volume.", hint=f"It has {info.shape} voxels."
        )
    i, j, sample = _trace_of(info, place)
    # An event at the end of the reach has a neighbour on either side.
    room = math.ceil(question.gate.reach) + 3
    first = max(0, math.floor(sample) - room)
    last = min(info.shape[2], math.ceil(sample) + room + 1)
    trace = reader.block(question.channel, (i, j, first), (i + 1, j + 1, last))[0, 0]
    gate = question.gate
    found = snap(trace, sample - first, gate.event, reach=gate.reach)
    return Snapped(question.n, sample=found + first if math.isfinite(found) else None)


def _traces(info: VolumeInfo, line: tuple[int, int] | None) -> _Traces:
    """Inlines and crosslines of a section, or all.

    Raises
    ------
    ProcessingError
        There is no such section.
    """
    n0, n1, _ = info.shape
    if line is None:
        return slice(0, n0), slice(0, n1)
    axis, index = line
    if axis not in (0, 1) or not 0 <= index < info.shape[axis]:
        raise ProcessingError(f"There is no section {index} across axis {axis}.")
    only = slice(index, index + 1)
    return (only, slice(0, n1)) if axis == 0 else (slice(0, n0), only)


def _trace_of(info: VolumeInfo, place: tuple[float, float, float]) -> tuple[int, int, float]:
    """Trace and sample of a place; one on the volume's edge belongs to its last trace."""
    n0, n1, n2 = info.shape
    i, j, sample = place
    return (
        min(max(math.floor(i + 0.5), 0), n0 - 1),
        min(max(math.floor(j + 0.5), 0), n1 - 1),
        min(max(sample, 0.0), n2 - 1.0),
    )


def _samples(
    depths: list[float], n_traces: int, n_samples: int, question: TrackVoxels
) -> tuple[int, int]:
    """First and last sample (half open) that are read around the seeds."""
    least, most = math.floor(min(depths)), math.ceil(max(depths))
    room = MAX_REGION_VOXELS // n_traces - (most - least + 1)
    span = room // 2 if question.span is None else question.span
    if span < question.gate.window or 2 * span > room:
        raise ProcessingError(
            f"{span} samples around seeds from {least} to {most} on {n_traces:,} traces cannot be "
            "read at once.",
            hint=f"There is room for {max(0, room // 2)}; at least the window is needed.",
        )
    return max(0, least - span), min(n_samples, most + span + 1)


def _block(
    reader: VoxelReader,
    info: VolumeInfo,
    question: TrackVoxels,
    place: tuple[tuple[int, int, int], tuple[int, int, int]],
    on_progress: Callable[[float], None],
) -> Samples:
    lower, upper = place
    shape = [u - v for v, u in zip(lower, upper, strict=True)]
    block: Samples = np.empty(shape, info.channel_of(question.channel).dtype)
    for part in reader.parts(question.channel, lower, upper):
        within = tuple(
            slice(v - o, u - o) for v, u, o in zip(part.lower, part.upper, lower, strict=True)
        )
        block[within] = part.values
        on_progress(_READING * part.progress)
    return block


def _answer(question: TrackVoxels, found: Horizon) -> TrackedGrid:
    grid = None
    if question.packs:
        samples = found.samples
        if question.onto is not None:
            before = samples_of(question.onto)
            samples = np.where(np.isfinite(samples), samples, before)
        grid = packed(samples)
    n0, n1 = found.samples.shape
    plain = question.is_plain
    return TrackedGrid(
        question.n,
        progress=1.0,
        done=True,
        shape=(n0, n1),
        samples=_bytes(found.samples) if plain else b"",
        likeness=_bytes(found.likeness) if plain else b"",
        amplitude=_bytes(found.amplitude) if plain else b"",
        packed=grid,
    )


def _bytes(values: npt.NDArray[np.float64]) -> bytes:
    return values.astype("<f4").tobytes()
