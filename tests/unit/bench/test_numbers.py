"""Order statistics do not depend on the order, and nothing has none."""

from __future__ import annotations

from blustream_widget.bench.numbers import median, noise, percentile, summarize


def test_median_and_percentile_of_an_unsorted_sample() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert median(values) == 3.0
    assert percentile(values, 95) == 5.0
    assert percentile(values, 0) == 1.0


def test_nothing_has_no_percentile() -> None:
    assert median([]) is None
    assert percentile([], 95) is None


def test_a_summary_names_statistic_and_unit() -> None:
    assert summarize([[1.0, 3.0], [2.0, 2.0]], "ms", "cpu") == {
        "cpu_median_ms": 2.0,
        "cpu_p95_ms": 3.0,
        "cpu_noise_ms": 0.0 + noise([[1.0, 3.0], [2.0, 2.0]]),
        "n": 4,
    }
    assert summarize([[5.0], [6.0]], "bytes")["median_bytes"] == 5.5


def test_a_round_that_was_slow_as_a_whole_is_noise() -> None:
    calm = [[10.0, 10.1, 9.9]] * 3
    assert noise(calm) < 0.1
    assert noise([*calm[:2], [12.0, 12.1, 11.9]]) == 1.0


def test_scatter_within_rounds_is_noise_that_shrinks_with_their_length() -> None:
    values = [8.0, 9.0, 10.0, 11.0, 12.0]
    assert noise([values]) > 0.5
    assert noise([values * 100]) < noise([values]) / 9


def test_one_value_says_nothing_of_its_noise() -> None:
    assert noise([[1.0]]) is None
    assert summarize([[]], "ms") == {"median_ms": None, "p95_ms": None, "noise_ms": None, "n": 0}
