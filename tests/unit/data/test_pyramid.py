import random

import numpy as np
import pytest

from blustream_widget.data.grid import brick_bounds, brick_counts, column_order, n_lods_for
from blustream_widget.data.pyramid import Pyramid
from blustream_widget.data.reduce import half_times
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.volumes import label_volume, ramp_volume

SHAPE = (35, 20, 51)
BRICK = 8


def all_lod0(info):
    return [tuple(int(i) for i in index) for index in np.ndindex(brick_counts(info, 0))]


def part_of(array, info, key):
    lower, upper = brick_bounds(info, key)
    return array[tuple(slice(v, u) for v, u in zip(lower, upper, strict=True))]


@pytest.mark.parametrize("is_label", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_level_equals_the_reduced_volume_whatever_the_order(is_label, seed):
    array = label_volume(SHAPE) if is_label else ramp_volume(SHAPE)
    info = volume_info(SHAPE, n_lods=4, brick_size=BRICK, is_label=is_label, dtype=array.dtype.name)
    levels = {}
    pyramid = Pyramid(info, lambda key, values: levels.__setitem__(key, values.copy()))
    indices = all_lod0(info)
    random.Random(seed).shuffle(indices)
    for index in indices:
        pyramid.add(0, index, _brick(array, index))
    pyramid.finish()
    assert pyramid.progress == 1.0
    for lod in range(4):
        whole = half_times(array, lod, is_label=is_label)
        keys = [key for key in levels if key.lod == lod]
        assert len(keys) == np.prod(brick_counts(info, lod))
        for key in keys:
            np.testing.assert_array_equal(levels[key], part_of(whole, info, key))


def _brick(array, index):
    return array[tuple(slice(i * BRICK, (i + 1) * BRICK) for i in index)]


def test_in_z_order_few_coarse_bricks_are_held():
    info = volume_info((128, 128, 128), n_lods=5, brick_size=8)
    pyramid = Pyramid(info, lambda key, values: None)
    brick, most = np.zeros((8, 8, 8), np.float32), 0
    for i0, i1 in column_order(16, 16):
        for i2 in range(16):
            pyramid.add(0, (i0, i1, i2), brick)
            most = max(most, pyramid.held_bytes)
    pyramid.finish()
    assert most <= 3 * 8 * brick.nbytes * 2, "about two columns of half size"


def test_a_missing_brick_is_noticed():
    info = volume_info(SHAPE, n_lods=2, brick_size=BRICK)
    pyramid = Pyramid(info, lambda key, values: None)
    for index in all_lod0(info)[1:]:
        pyramid.add(0, index, _brick(ramp_volume(SHAPE), index))
    with pytest.raises(ValueError, match="1 of 105 bricks were never written"):
        pyramid.finish()


def test_a_brick_cannot_be_written_twice():
    info = volume_info(SHAPE, n_lods=2, brick_size=BRICK)
    pyramid = Pyramid(info, lambda key, values: None)
    brick = np.zeros((8, 8, 8), np.float32)
    pyramid.add(0, (0, 0, 0), brick)
    with pytest.raises(ValueError, match="written before"):
        pyramid.add(0, (0, 0, 0), brick)


def test_a_brick_of_another_shape_is_refused():
    info = volume_info(SHAPE, n_lods=2, brick_size=BRICK)
    with pytest.raises(ValueError, match="shape"):
        Pyramid(info, lambda key, values: None).add(0, (4, 0, 0), np.zeros((8, 8, 8), np.float32))


@pytest.mark.parametrize(("n0", "n1"), [(1, 1), (5, 3), (3, 8), (7, 1)])
def test_column_order_visits_each_column_once(n0, n1):
    columns = list(column_order(n0, n1))
    assert sorted(columns) == [(i, j) for i in range(n0) for j in range(n1)]


@pytest.mark.parametrize(
    ("shape", "n_lods"),
    [((512, 512, 512), 4), ((64, 64, 64), 1), ((65, 1, 1), 2), ((1, 1, 1000), 5)],
)
def test_levels_end_with_one_brick(shape, n_lods):
    assert n_lods_for(shape, 64) == n_lods
