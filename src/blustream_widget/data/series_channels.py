"""One description of a channel for all steps of a series, from those of the single steps."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.types import Channel
from blustream_widget.data.statistics import N_BINS


def joined(channels: Sequence[Channel]) -> Channel:
    """Describe a channel over all steps: the window and the histogram stay while time runs.

    Parameters
    ----------
    channels : sequence of Channel
        Of every step; those whose values stand for all have percentiles and a histogram.

    Returns
    -------
    Channel
        The first one with the range of all, the mean of their percentiles and their histograms
        laid together, where all of those that have some have the same number of them.
    """
    low = min(channel.value_min for channel in channels)
    high = max(channel.value_max for channel in channels)
    names = {value: name for channel in channels for value, name in channel.label_names.items()}
    return msgspec.structs.replace(
        channels[0],
        value_min=low,
        value_max=high,
        percentiles=_mean([channel.percentiles for channel in channels]),
        abs_percentiles=_mean([channel.abs_percentiles for channel in channels]),
        histogram=_histogram(channels, low, high),
        label_names=names,
    )


def _mean(percentiles: list[tuple[float, ...]]) -> tuple[float, ...]:
    known = [some for some in percentiles if some]
    if not known or len({len(some) for some in known}) > 1:
        return ()
    return tuple(float(value) for value in np.mean(known, axis=0))


def _histogram(channels: Sequence[Channel], low: float, high: float) -> tuple[int, ...]:
    known = [channel for channel in channels if len(channel.histogram) == N_BINS]
    if not known or high <= low:
        return known[0].histogram if known else ()
    edges = np.linspace(low, high, N_BINS + 1)
    below: npt.NDArray[np.float64] = np.zeros(N_BINS + 1)
    for channel in known:
        own = np.linspace(channel.value_min, channel.value_max, N_BINS + 1)
        counts = np.concatenate(([0], np.cumsum(channel.histogram)))
        # All values of a step that has but one lie in the bin above it.
        below += (
            np.interp(edges, own, counts) if own[-1] > own[0] else counts[-1] * (edges > own[0])
        )
    return tuple(int(count) for count in np.diff(np.round(below)))
