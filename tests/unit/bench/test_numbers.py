"""Order statistics do not depend on the order, and nothing has none."""

from __future__ import annotations

from blustream_widget.bench.numbers import median, percentile


def test_median_and_percentile_of_an_unsorted_sample() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert median(values) == 3.0
    assert percentile(values, 95) == 5.0
    assert percentile(values, 0) == 1.0


def test_nothing_has_no_percentile() -> None:
    assert median([]) is None
    assert percentile([], 95) is None
