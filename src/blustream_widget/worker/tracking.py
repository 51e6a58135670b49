"""Follows a horizon through an open volume: the samples around its seeds, on all traces."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.core.worker_protocol import TrackVoxels
from blustream_widget.data.regions import MAX_REGION_VOXELS
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.errors import ProcessingError
from blustream_widget.processing.horizon import track_volume


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
    first, last = _samples(info, question)
    n0, n1, n2 = info.shape
    block: Samples = np.empty((n0, n1, last - first), info.channels[question.channel].dtype)
    for part in reader.parts(question.channel, (0, 0, first), (n0, n1, last)):
        (a0, b0, c0), (a1, b1, c1) = part.lower, part.upper
        block[a0:a1, b0:b1, c0 - first : c1 - first] = part.values
        on_progress(part.progress)
    # A place on the volume's edge belongs to its last trace.
    seeds = [
        (
            min(math.floor(i + 0.5), n0 - 1),
            min(math.floor(j + 0.5), n1 - 1),
            min(max(sample, 0.0), n2 - 1.0) - first,
        )
        for i, j, sample in question.seeds
    ]
    found = track_volume(block, seeds, question.gate)
    return TrackedGrid(
        question.n,
        progress=1.0,
        done=True,
        shape=(n0, n1),
        samples=(found.samples + first).astype("<f4").tobytes(),
        likeness=found.likeness.astype("<f4").tobytes(),
    )


def _samples(info: VolumeInfo, question: TrackVoxels) -> tuple[int, int]:
    """First and last sample (half open) that are read around the seeds."""
    n0, n1, n2 = info.shape
    depths = [sample for _, _, sample in question.seeds]
    least, most = math.floor(min(depths)), math.ceil(max(depths))
    room = MAX_REGION_VOXELS // (n0 * n1) - (most - least + 1)
    span = room // 2 if question.span is None else question.span
    if span < question.gate.window or 2 * span > room:
        raise ProcessingError(
            f"{span} samples around seeds from {least} to {most} on {n0 * n1:,} traces cannot be "
            "read at once.",
            hint=f"There is room for {max(0, room // 2)}; at least the window is needed.",
        )
    return max(0, least - span), min(n2, most + span + 1)
