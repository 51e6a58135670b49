import numpy as np
import pytest

from blustream_widget.data import arrays
from blustream_widget.data.arrays import check_array
from blustream_widget.errors import VolumeFormatError

NAN = np.full((3, 4, 5), np.nan)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((0, 4, 5)), r"no voxels \(shape \(0, 4, 5\)\)"),
        (np.zeros(7), "1 axes.*Reshape it"),
        (np.zeros((7, 8)), r"2 axes.*array\[None\]"),
        (np.zeros((2, 3, 4, 5)), r"4 axes.*array\[\.\.\., 0\]"),
        (np.zeros((2, 2, 2), object), "object.*astype"),
        (np.zeros((2, 2, 2), complex), r"complex128.*numpy\.abs"),
        (np.zeros((2, 2, 2), "M8[s]"), "datetime"),
        (np.full((2, 2, 2), "a"), "<U1"),
        (np.zeros((2, 2, 2), np.longdouble), "float128.*float64"),
        (NAN, "no finite value"),
        (NAN * np.inf, "no finite value"),
        ([[[1, 2], [3]]], "list"),
        (np.broadcast_to(np.float32(0), (1, 1, 1 << 21)), "2097152 voxels"),
        (np.broadcast_to(np.float64(0), (1 << 19, 1 << 19, 2)), "TB.*blustream import"),
        (None, "NoneType|axes"),
    ],
)
def test_arrays_that_cannot_be_shown_say_why_and_what_to_do(array, words):
    with pytest.raises(VolumeFormatError, match=f"(?s){words}") as caught:
        check_array(array)
    assert caught.value.hint


@pytest.mark.parametrize(
    "dtype", ["u1", "i1", "u2", "i2", ">i2", "u4", "i4", "u8", "i8", "f2", "f4", ">f4", "f8"]
)
def test_real_arrays_are_taken_as_they_are(dtype):
    array = np.zeros((2, 3, 4), dtype)[:, ::-1]
    checked = check_array(array)
    assert checked.dtype == array.dtype
    assert np.shares_memory(checked, array)


def test_truth_values_are_seen_as_bytes_of_the_same_memory():
    array = np.zeros((2, 3, 4), bool)
    checked = check_array(array)
    array[1, 2, 3] = True
    assert checked.dtype == np.uint8
    assert checked[1, 2, 3] == 1


def test_one_number_among_nan_is_enough(monkeypatch):
    monkeypatch.setattr(arrays, "_CHUNK", 40)
    array = np.full((9, 4, 5), np.nan)
    array[8, 3, 4] = 1.0
    assert check_array(array) is array
