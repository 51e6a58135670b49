"""Values to table entries."""

from __future__ import annotations

import numpy as np
import pytest

from blustream_widget.core.colormaps import LABEL_PERIOD
from blustream_widget.render.colormaps import LEVELS
from blustream_widget.render.levels import label_entries, window_entries
from blustream_widget.render.scratch import Scratch


def entries(values, window=1.0, level=0.5):
    array = np.atleast_2d(np.asarray(values))
    return window_entries(array, window=window, level=level, scratch=Scratch())[0].tolist()


def test_window_spans_the_table_and_clips_outside() -> None:
    values = np.array([-5.0, 0.0, 0.5, 0.9999, 1.0, 7.0], np.float32)
    top = LEVELS - 1
    assert entries(values) == [0, 0, LEVELS // 2, top, top, top]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_is_no_data_and_infinities_are_the_ends(dtype) -> None:
    values = np.array([np.nan, -np.inf, np.inf], dtype)
    assert entries(values) == [-1, 0, LEVELS - 1]


def test_signed_16_bit_values_keep_their_sign() -> None:
    values = np.array([-1024, -400, 0, 3071], np.int16)
    found = entries(values, window=4096, level=1024)
    assert found == [0, (624 * LEVELS) // 4096, (1024 * LEVELS) // 4096, (4095 * LEVELS) // 4096]


def test_unsigned_values_below_the_window_do_not_wrap() -> None:
    assert entries(np.array([0, 255], np.uint8), window=10, level=200) == [0, LEVELS - 1]


def test_a_narrow_window_around_a_large_integer_is_exact() -> None:
    values = np.array([2**30, 2**30 + 1, 2**30 + 2], np.int32)
    found = entries(values, window=4, level=2**30 + 2)
    assert found == [0, LEVELS // 4, LEVELS // 2]


def test_overflow_of_the_scale_clips_without_a_warning() -> None:
    assert entries(np.array([-3e38, 3e38], np.float32), window=1e-30, level=0) == [0, LEVELS - 1]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_labels_are_entries_by_value(dtype) -> None:
    values = np.array([[0, 1, 2, 116]], dtype)
    assert label_entries(values, scratch=Scratch()).tolist() == [[0, 1, 2, 116]]


def test_large_and_negative_labels_never_take_the_background() -> None:
    values = np.array([[LABEL_PERIOD, LABEL_PERIOD + 1, 5 * LABEL_PERIOD, -1, -LABEL_PERIOD]])
    found = label_entries(values, scratch=Scratch())
    assert found.tolist() == [[LABEL_PERIOD, 1, LABEL_PERIOD, LABEL_PERIOD - 1, LABEL_PERIOD]]


def test_a_label_of_nan_is_no_data() -> None:
    values = np.array([[np.nan, 3.0, np.inf]], np.float32)
    assert label_entries(values, scratch=Scratch()).tolist() == [[-1, 3, -1]]
