"""SliceReader on a source that has its slices stored in tiles too."""

import numpy as np
import pytest

from blustream_widget.data import SliceReader
from blustream_widget.data.source import BrickKey, Region, TiledSource, TileKey
from blustream_widget.errors import BrickReadError
from blustream_widget.testing.held_volume import HeldTiles
from blustream_widget.testing.volumes import ramp_volume

SHAPE = (70, 50, 90)


def open_reader(source):
    return SliceReader(source, budget_bytes=1 << 26, on_data=lambda: None, clock=lambda: 0.0)


@pytest.fixture
def source():
    return HeldTiles(ramp_volume(SHAPE))


def test_the_fake_is_a_tiled_source(source):
    assert isinstance(source, TiledSource)
    assert BrickKey(0, 0, 1, 2, 3) != TileKey(0, 0, 1, 2, 3, 32)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_jumped_slice_is_read_from_tiles_alone(source, axis):
    reader = open_reader(source)
    source.deliver_all()
    source.order.clear()
    reader.read(axis, 40, 0, 0)
    source.deliver_all()
    data = reader.read(axis, 40, 0, 0)
    assert all(isinstance(key, TileKey) and key.slice_idx == 40 for key in source.order)
    assert (data.progress, data.coarsest_lod) == (1.0, 0)
    np.testing.assert_array_equal(data.values, np.take(source.array, 40, axis=axis))


def test_only_the_tiles_under_the_pane_are_asked_for(source):
    reader = open_reader(source)
    source.deliver_all()
    source.order.clear()
    region = Region(33, 50, 20, 90)
    reader.read(0, 40, 0, 0, region)
    source.deliver_all()
    assert {(key.a, key.b) for key in source.order} == {(1, 0), (1, 1), (1, 2)}
    np.testing.assert_array_equal(
        reader.read(0, 40, 0, 0, region).values, source.array[40, 33:50, 20:90]
    )


def test_the_next_slices_along_the_drag_are_read_ahead(source):
    reader = open_reader(source)
    for slice_idx in (40, 38):
        reader.read(0, slice_idx, 0, 0)
        source.deliver_all()
    ahead = {key.slice_idx for key in source.ahead}
    assert ahead == {36, 34, 32, 30, 28, 26, 24, 22}
    source.order.clear()
    assert reader.read(0, 36, 0, 0).progress == 1.0


def test_coarser_levels_are_read_from_bricks(source):
    reader = open_reader(source)
    source.deliver_all()
    source.order.clear()
    reader.read(0, 40, 0, 1)
    source.deliver_all()
    assert {type(key) for key in source.order} == {BrickKey}


def test_bricks_in_memory_are_not_read_again_as_tiles(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.request_value(0, (40, 5, 5), lambda value: None)
    source.deliver_all()
    source.order.clear()
    reader.read(0, 40, 0, 0, Region(0, 16, 0, 16))
    assert source.order == []


def test_a_broken_tile_is_read_from_bricks_and_no_tile_after_it(source):
    reader = open_reader(source)
    source.deliver_all()
    source.order.clear()
    reader.read(0, 40, 0, 0)
    source.answer(source.order[0], BrickReadError("broken"))
    source.deliver_all()
    np.testing.assert_array_equal(reader.read(0, 40, 0, 0).values, source.array[40])
    assert reader.error is None
    source.order.clear()
    reader.read(1, 3, 0, 0)
    source.deliver_all()
    assert {type(key) for key in source.order} == {BrickKey}


def test_a_refresh_reads_tiles_again(source):
    reader = open_reader(source)
    reader.read(0, 40, 0, 0)
    source.deliver_all()
    source.array += 1
    reader.refresh()
    source.deliver_all()
    np.testing.assert_array_equal(reader.read(0, 40, 0, 0).values, source.array[40])
