import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blustream_widget.core.types import ABS_PERCENTILES, PERCENTILES, Channel
from blustream_widget.data.statistics import N_BINS, RunningStatistics, with_statistics


def channel(dtype="float32"):
    return Channel("c", "", dtype, 0.0, 0.0)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 32000.0, 1e25])
def test_percentiles_of_signed_data_agree_with_numpy(scale):
    values = (np.random.default_rng(0).laplace(size=200_000) * scale).astype(np.float32)
    result = with_statistics(channel(), values)
    close = 2e-3 * np.abs(values).max()
    assert (result.value_min, result.value_max) == (values.min(), values.max())
    np.testing.assert_allclose(
        result.percentiles, np.percentile(values, PERCENTILES), rtol=5e-3, atol=close * 1e-2
    )
    np.testing.assert_allclose(
        result.abs_percentiles, np.percentile(np.abs(values), ABS_PERCENTILES), rtol=5e-3
    )


def test_percentiles_of_zeros_are_zero():
    values = np.zeros((20, 20, 20), np.float32)
    values[3, 3, 3], values[4, 4, 4] = 1, -1
    result = with_statistics(channel(), values)
    assert result.percentiles == (0.0,) * 13
    assert result.abs_percentiles[:5] == (0.0,) * 5
    assert (result.value_min, result.value_max) == (-1, 1)


def test_the_histogram_agrees_with_numpy():
    values = np.random.default_rng(1).normal(size=300_000).astype(np.float32)
    result = with_statistics(channel(), values)
    counts, _ = np.histogram(values, N_BINS)
    assert sum(result.histogram) == values.size
    np.testing.assert_allclose(result.histogram, counts, atol=0.05 * counts.max())


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", "uint32", "int64"])
def test_integers_are_counted_as_the_integers_they_are(dtype):
    values = np.random.default_rng(2).integers(0, 200, 50_000).astype(dtype)
    result = with_statistics(channel(dtype), values)
    np.testing.assert_allclose(result.percentiles, np.percentile(values, PERCENTILES), atol=1.01)
    assert (result.value_min, result.value_max) == (values.min(), values.max())


def test_a_constant_volume_has_one_value():
    result = with_statistics(channel("uint8"), np.full((4, 4, 4), 7, np.uint8))
    assert set(result.percentiles) == {7.0}
    assert (result.value_min, result.value_max) == (7.0, 7.0)


def test_nan_and_infinity_are_left_out():
    values = np.array([np.nan, np.inf, -np.inf, 1.0, 2.0, 3.0], np.float32)
    result = with_statistics(channel(), values)
    assert (result.value_min, result.value_max) == (1.0, 3.0)
    assert sum(result.histogram) == 3


def test_nothing_but_nan_has_no_percentiles():
    result = with_statistics(channel(), np.full(5, np.nan, np.float32))
    assert result.percentiles == ()
    assert result.histogram == ()


def test_a_range_known_otherwise_widens_what_was_seen():
    result = with_statistics(channel(), np.arange(5, dtype=np.float32), span=(-10.0, 3.0))
    assert (result.value_min, result.value_max) == (-10.0, 4.0)


@settings(deadline=None)  # a machine that does something else is no failure
@given(
    hnp.arrays(np.float32, st.integers(1, 200), elements=st.floats(-1e6, 1e6, width=32)),
    st.integers(1, 199),
)
def test_blocks_give_what_the_whole_gives(values, cut):
    whole, parts = RunningStatistics(), RunningStatistics()
    whole.add(values)
    parts.add(values[:cut])
    parts.add(values[cut:])
    assert parts.describe(channel()) == whole.describe(channel())


@settings(deadline=None)  # a machine that does something else is no failure
@given(hnp.arrays(np.float32, st.integers(1, 60), elements=st.floats(-1e3, 1e3, width=32)))
def test_percentiles_rise_and_stay_in_the_range(values):
    result = with_statistics(channel(), values)
    assert list(result.percentiles) == sorted(result.percentiles)
    assert result.value_min <= result.percentiles[0]
    assert result.percentiles[-1] <= result.value_max
    assert sum(result.histogram) == values.size
