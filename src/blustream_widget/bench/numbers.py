"""Order statistics of small samples, and how far they can be trusted."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any, TypeAlias

Record: TypeAlias = dict[str, Any]  # as it goes to JSON
"""One measured case, flat. Its words say which case it is, its numbers were measured.

A number is named `<what>_<statistic>_<unit>`: `cpu_median_ms`, `median_ms`, `size_p95_bytes`. A
setting is a word, also where it is a number: `{"size": "1280x720", "threads": "2"}`.
"""

# The standard error of a median of n normal values is 1.25 sigma / sqrt(n), and sigma is 1.48 times
# the median distance from the median.
_MEDIAN_ERROR = 1.2533 * 1.4826


def median(values: Sequence[float]) -> float | None:
    """Median, or None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Percentile by nearest rank, or None of nothing."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, round(percent / 100 * (len(values) - 1)))]


def summarize(rounds: Sequence[Sequence[float]], unit: str, what: str = "") -> Record:
    """Median, 95th percentile and noise of what was measured in several rounds.

    Parameters
    ----------
    rounds : sequence of sequence of float
        The values of each round. Values measured once a round are `[[a], [b], [c]]`.
    unit : str
        "ms", "bytes", "fps", "db", …
    what : str
        Put before, if a record has several: "cpu".

    Returns
    -------
    dict
        `<what>_median_<unit>`, `<what>_p95_<unit>`, `<what>_noise_<unit>` and `n`, the number of
        all values. None where too little was measured. See `noise`.
    """
    values = [value for values in rounds for value in values]
    start = f"{what}_" if what else ""
    return {
        f"{start}median_{unit}": median(values),
        f"{start}p95_{unit}": percentile(values, 95),
        f"{start}noise_{unit}": noise(rounds),
        "n": len(values),
    }


def noise(rounds: Sequence[Sequence[float]]) -> float | None:
    """How far the median may be off, as one standard error or so; None of less than two values.

    Half the distance between the lowest and the highest median of a round: what a neighbour, the
    clock rate or the state of the caches did to a whole round counts. Never less than what the
    scatter within the rounds makes of the median.
    """
    values = [value for values in rounds for value in values]
    if len(values) < 2:
        return None
    middle = statistics.median(values)
    scatter = statistics.median(abs(value - middle) for value in values)
    within = _MEDIAN_ERROR * scatter / math.sqrt(len(values))
    medians = [statistics.median(values) for values in rounds if values]
    return max(within, (max(medians) - min(medians)) / 2)
