from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from blustream_widget.data.reduce import half


def slow_half(values, pick):
    """One voxel at a time."""
    shape = tuple(-(-n // 2) for n in values.shape)
    result = np.empty(shape, values.dtype)
    for index in np.ndindex(shape):
        corners = [
            tuple(
                min(2 * i + d, n - 1) for i, d, n in zip(index, offset, values.shape, strict=True)
            )
            for offset in np.ndindex(*(2,) * values.ndim)
        ]
        result[index] = pick([values[corner] for corner in corners])
    return result


def mean_of_numbers(corners):
    numbers = [float(v) for v in corners if not np.isnan(v)]
    return np.mean(numbers) if numbers else np.nan


def majority(corners):
    counts = Counter(corners)
    return next(v for v in corners if counts[v] == max(counts.values()))


SHAPES = hnp.array_shapes(min_dims=2, max_dims=3, max_side=5)


@settings(deadline=None)
@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(-1000, 1000, width=16) | st.just(np.nan)))
def test_amounts_become_the_mean_of_the_voxels_that_are_numbers(values):
    np.testing.assert_allclose(
        half(values, is_label=False), slow_half(values, mean_of_numbers), rtol=1e-5, atol=1e-3
    )


@settings(deadline=None)
@given(hnp.arrays(np.uint8, SHAPES, elements=st.integers(0, 3)))
def test_labels_become_the_majority_and_the_first_on_a_tie(values):
    np.testing.assert_array_equal(half(values, is_label=True), slow_half(values, majority))


@pytest.mark.parametrize("dtype", ["u1", "i2", "u4", "i8", "f4", "f8"])
def test_the_dtype_is_kept(dtype):
    values = np.full((3, 4, 5), 7, dtype)
    for is_label in (False, True):
        result = half(values, is_label=is_label)
        assert result.dtype == values.dtype
        assert (result == 7).all()


def test_integers_are_rounded_not_cut():
    assert half(np.array([[[0, 1], [1, 1]]] * 2, np.int16), is_label=False)[0, 0, 0] == 1
    assert half(np.array([[[-3, -4], [-4, -4]]] * 2, np.int16), is_label=False)[0, 0, 0] == -4


def test_infinity_does_not_become_a_warning():
    values = np.array([[[np.inf, -np.inf], [1, 1]]] * 2, np.float32)
    assert np.isnan(half(values, is_label=False)).all()
