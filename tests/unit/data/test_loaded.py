"""Which slices are in memory: runs of whole layers of bricks, or of whole slices of tiles."""

from __future__ import annotations

import pytest

from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.grid import clip_region
from blustream_widget.data.loaded import loaded_runs
from blustream_widget.data.source import BrickKey, Region, TileKey
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((200, 100, 130))  # 4 x 2 x 3 bricks of 64


def layer(axis: int, index: int, lod: int = 0) -> list[BrickKey]:
    counts = [-(-n // (64 << lod)) for n in INFO.shape]
    ranges = [range(n) for n in counts]
    ranges[axis] = range(index, index + 1)
    return [BrickKey(0, lod, a, b, c) for a in ranges[0] for b in ranges[1] for c in ranges[2]]


def runs(keys, axis: int = 0, lod: int = 0, region: Region | None = None, channel: int = 0):
    return loaded_runs(
        keys, INFO, SliceSpec(axis, 0, channel, lod, clip_region(INFO, axis, region))
    )


def test_a_whole_layer_of_bricks_is_a_run_and_neighbours_join() -> None:
    assert runs([]) == ()
    assert runs(layer(0, 0)) == ((0, 63),)
    assert runs(layer(0, 0) + layer(0, 1) + layer(0, 3)) == ((0, 127), (192, 199))
    assert runs(layer(1, 1), axis=1) == ((64, 99),)


def test_a_layer_with_a_brick_missing_is_none() -> None:
    assert runs(layer(0, 2)[1:]) == ()


def test_only_what_the_view_shows_must_be_there() -> None:
    keys = [BrickKey(0, 0, 2, 1, 0)]
    assert runs(keys, region=Region(70, 90, 3, 60)) == ((128, 191),)
    assert runs(keys, region=Region(60, 90, 3, 60)) == ()


@pytest.mark.parametrize(("lod", "channel"), [(1, 0), (0, 1)])
def test_other_levels_and_channels_do_not_count(lod: int, channel: int) -> None:
    assert runs(layer(0, 0), lod=lod, channel=channel) == ()


def test_a_coarser_level_has_deeper_layers() -> None:
    assert runs(layer(0, 1, lod=1), lod=1) == ((128, 199),)


def test_tiles_make_single_slices_of_the_finest_level() -> None:
    tiles = [TileKey(0, 0, 7, a, b, 100) for a in range(1) for b in range(2)]
    assert runs([*tiles, TileKey(0, 0, 8, 0, 0, 100)]) == ((7, 7),)
    assert runs([*tiles, *layer(0, 0)]) == ((0, 63),)
    assert runs(tiles, lod=1) == ()
