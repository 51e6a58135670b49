"""Order statistics of small samples."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def median(values: Sequence[float]) -> float | None:
    """Median, or None of nothing."""
    return statistics.median(values) if values else None


def percentile(values: Sequence[float], percent: float) -> float | None:
    """Percentile by nearest rank, or None of nothing."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, round(percent / 100 * (len(values) - 1)))]
