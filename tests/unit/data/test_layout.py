import numpy as np
import pytest

from blustream_widget.data.layout import is_cut_slowly, turned
from blustream_widget.testing.volumes import ramp_volume


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("order", ["C", "F"])
def test_turning_changes_the_memory_not_the_voxels(axis, order):
    brick = np.asarray(ramp_volume((8, 9, 10)), order=order)
    result = turned(brick, axis)
    assert not is_cut_slowly(result, axis)
    np.testing.assert_array_equal(result, brick)


def test_a_brick_that_is_fast_already_is_not_copied():
    brick = ramp_volume((8, 9, 10))
    assert turned(brick, 0) is brick
    assert turned(brick, 1) is brick
    assert turned(brick, 2) is not brick
