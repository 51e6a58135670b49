"""SliceReader on a source whose bricks arrive when the test says so."""

import numpy as np
import pytest

from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import BrickKey, Region
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.held_volume import HeldVolume
from blustream_widget.testing.volumes import ramp_volume

SHAPE = (70, 50, 90)
BRICK = 16
BRICK_BYTES = BRICK**3 * 4


@pytest.fixture
def source():
    return HeldVolume(ramp_volume(SHAPE))


def open_reader(source, budget_bytes=1 << 26, on_data=lambda: None, **options):
    clock = options.get("clock", lambda: 0.0)  # else a busy machine makes the source a slow one
    return SliceReader(source, budget_bytes=budget_bytes, on_data=on_data, clock=clock)


def expected_slice(array, axis, slice_idx, lod):
    return np.take(half_times(array, lod, is_label=False), slice_idx >> lod, axis=axis)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("lod", [0, 1, 2, 3])
def test_a_complete_slice_equals_the_array(source, axis, lod):
    reader = open_reader(source)
    for slice_idx in (0, 17, SHAPE[axis] - 1):
        reader.read(axis, slice_idx, 0, lod)
        source.deliver_all()
        data = reader.read(axis, slice_idx, 0, lod)
        assert (data.progress, data.coarsest_lod, data.origin) == (1.0, lod, (0, 0))
        np.testing.assert_array_equal(
            data.values, expected_slice(source.array, axis, slice_idx, lod)
        )


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_region_is_widened_to_whole_voxels_of_its_level(source, axis):
    reader = open_reader(source)
    region = Region(5, 34, 11, 43)
    reader.read(axis, 20, 0, 2, region)
    source.deliver_all()
    data = reader.read(axis, 20, 0, 2, region)
    whole = expected_slice(source.array, axis, 20, 2)
    assert data.origin == (1, 2)
    np.testing.assert_array_equal(data.values, whole[1:9, 2:11])


def test_the_coarsest_level_is_shown_before_anything_finer_arrives(source):
    reader = open_reader(source)
    for key in list(source.pending):
        source.deliver(key)
    data = reader.read(0, 40, 0, 0)
    coarse = half_times(source.array, 3, is_label=False)[5]
    expected = np.repeat(np.repeat(coarse, 8, axis=0), 8, axis=1)[:50, :90]
    assert (data.coarsest_lod, data.progress) == (3, 0.0)
    np.testing.assert_array_equal(data.values, expected)


def test_nothing_here_yet_is_nan(source):
    data = open_reader(source).read(0, 40, 0, 0)
    assert np.isnan(data.values).all()
    assert data.coarsest_lod == source.info.n_lods


def test_an_unchanged_read_returns_the_same_object(source):
    reader = open_reader(source)
    first = reader.read(0, 3, 0, 0)
    assert reader.read(0, 3, 0, 0) is first
    source.deliver_all()
    complete = reader.read(0, 3, 0, 0)
    assert complete is not first
    assert np.isnan(first.values).all(), "what was handed out does not change"
    assert reader.read(0, 3, 0, 0) is complete


def test_only_what_is_nearest_the_centre_is_asked_for_first(source):
    reader = open_reader(source)
    source.deliver_all()
    source.order.clear()
    reader.read(2, 40, 0, 0)
    fine = [key for key in source.order if key.lod == 0]
    source.deliver_all()
    fine = [key for key in source.order if key.lod == 0]
    distance = [((k.i0 + 0.5) * BRICK - 35) ** 2 + ((k.i1 + 0.5) * BRICK - 25) ** 2 for k in fine]
    assert len(fine) == 20
    assert distance == sorted(distance)


def test_few_requests_are_in_flight(source, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    reader = open_reader(source)
    reader.read(0, 3, 0, 0)
    assert len(source.pending) == 4


def test_moving_on_cancels_what_the_old_slice_waited_for(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 3, 0, 0)
    coarse = {key for key in source.pending if key.lod}
    for key in coarse:
        source.deliver(key)
    old = {key for key in source.pending if key.i0 == 0 and key.i1 != 2}
    assert old
    reader.read(1, 40, 0, 0)
    assert set(source.cancelled) == old
    source.deliver_all()
    assert reader.read(1, 40, 0, 0).progress == 1.0


def test_a_slice_in_the_same_brick_layer_asks_for_nothing(source):
    reader = open_reader(source)
    reader.read(0, 16, 0, 0)
    source.deliver_all()
    source.order.clear()
    assert reader.read(0, 17, 0, 0).progress == 1.0
    assert source.order == []


@pytest.mark.parametrize(("start", "stop", "layer"), [(16, 30, 2), (31, 17, 0)])
def test_the_next_layer_in_the_direction_of_movement_is_read_ahead(source, start, stop, layer):
    reader = open_reader(source)
    reader.read(0, start, 0, 0)
    source.deliver_all()
    source.order.clear()
    reader.read(0, stop, 0, 0)
    source.deliver_all()
    assert {key.i0 for key in source.order} == {layer}
    assert source.ahead == set(source.order)


def test_a_turn_of_the_hand_reads_ahead_the_other_way(source):
    reader = open_reader(source)
    for slice_idx in (20, 30):
        reader.read(0, slice_idx, 0, 0)
        source.deliver_all() if slice_idx == 20 else None
    forward = set(source.pending)
    assert {key.i0 for key in forward} == {2}
    source.order.clear()
    reader.read(0, 18, 0, 0)
    assert set(source.cancelled) == forward
    source.deliver_all()
    assert {key.i0 for key in source.order} == {0}
    assert reader.read(0, 15, 0, 0).progress == 1.0


def test_while_the_hand_rests_it_is_still_read_ahead(source):
    reader = open_reader(source)
    reader.read(0, 30, 0, 1)
    reader.read(0, 31, 0, 1)
    source.deliver_all()
    source.order.clear()
    reader.read(0, 31, 0, 0)
    source.deliver_all()
    assert {key.i0 for key in source.order if key.lod == 0} == {1, 2}


def test_the_next_layer_is_shown_coarsely_before_this_one_is_sharp():
    source = HeldVolume(ramp_volume((140, 50, 90)))
    reader = open_reader(source)
    reader.read(0, 0, 0, 0)
    source.deliver_all()
    source.order.clear()
    reader.read(0, 61, 0, 0)
    source.deliver_all()
    first_fine = next(n for n, key in enumerate(source.order) if key.lod == 0)
    coarse_ahead = [n for n, key in enumerate(source.order) if (key.lod, key.i0) == (2, 1)]
    assert coarse_ahead
    assert max(coarse_ahead) < first_fine


def test_a_zoomed_pane_asks_only_for_the_bricks_it_shows(source):
    reader = open_reader(source)
    source.deliver_all()
    source.order.clear()
    reader.read(0, 20, 0, 0, Region(17, 30, 40, 63))
    reader.read(0, 28, 0, 0, Region(17, 30, 40, 63))
    source.deliver_all()
    fine = {key for key in source.order if key.lod == 0}
    shown = {(1, 1, 2), (1, 1, 3)}
    ahead = {(2, 1, 2), (2, 1, 3)}
    assert {key[2:] for key in fine} == shown | ahead


def test_bricks_that_come_late_for_another_part_change_nothing(source):
    heard = []
    reader = open_reader(source, on_data=lambda: heard.append(1))
    source.deliver_all()
    reader.read(0, 20, 0, 0, Region(33, 50, 65, 90))
    late = list(source.pending)
    before = reader.read(0, 20, 0, 0, Region(0, 16, 0, 16))
    heard.clear()
    for key in late:
        source.deliver(key)
    assert heard == []
    assert reader.read(0, 20, 0, 0, Region(0, 16, 0, 16)) is before


def test_every_tile_shows_its_best_cached_level_at_once(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 20, 0, 0, Region(0, 16, 0, 16))
    source.deliver_all()
    reader.read(0, 20, 0, 1, Region(0, 50, 0, 32))
    source.deliver_all()
    data = reader.read(0, 20, 0, 0)
    assert data.coarsest_lod == 3
    fine, half = source.array[20], half_times(source.array, 1, is_label=False)[10]
    np.testing.assert_array_equal(data.values[:16, :16], fine[:16, :16])
    np.testing.assert_array_equal(
        data.values[16:48, :32], np.repeat(np.repeat(half, 2, axis=0), 2, axis=1)[16:48, :32]
    )


@pytest.mark.parametrize(("brick_s", "levels"), [(0.0001, {0, 2}), (0.5, {0, 1, 2})])
def test_slow_bricks_are_worth_a_level_between(brick_s, levels):
    source, now = HeldVolume(ramp_volume(SHAPE)), [0.0]
    reader = open_reader(source, clock=lambda: now[0])
    while source.pending:
        now[0] += brick_s
        source.deliver(next(iter(source.pending)))
    source.order.clear()
    reader.read(0, 3, 0, 0)
    while source.pending:
        now[0] += brick_s
        source.deliver(next(iter(source.pending)))
    assert {key.lod for key in source.order} == levels
    lods = [key.lod for key in source.order]
    assert lods == sorted(lods, reverse=True)


def test_reading_ahead_takes_at_most_half_the_places(source, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    reader = open_reader(source)
    reader.read(0, 20, 0, 0)
    source.deliver_all()
    reader.read(0, 28, 0, 0)
    assert len(source.pending) == 4
    reader.read(1, 3, 0, 0)
    assert len(source.pending) == 8


def test_the_cache_never_exceeds_its_budget(source):
    reader = open_reader(source, budget_bytes=6 * BRICK_BYTES)
    for axis in range(3):
        for slice_idx in range(0, SHAPE[axis], 7):
            reader.read(axis, slice_idx, 0, 0)
            source.deliver_all()
            assert reader.cached_bytes <= 6 * BRICK_BYTES
            assert reader.read(axis, slice_idx, 0, 0).progress == 1.0, "too small to hold it, yet"


def test_a_finished_slice_survives_the_eviction_of_its_bricks(source):
    reader = open_reader(source, budget_bytes=2 * BRICK_BYTES)
    reader.read(0, 3, 0, 0)
    source.deliver_all()
    np.testing.assert_array_equal(reader.read(0, 3, 0, 0).values, source.array[3])
    assert not source.pending


def test_on_data_is_called_for_what_is_shown_only(source):
    heard = []
    reader = open_reader(source, on_data=lambda: heard.append(1))
    source.deliver_all()
    assert heard == []
    reader.read(0, 3, 0, 0)
    source.deliver(next(iter(source.pending)))
    assert heard == [1]


def test_a_broken_brick_is_tried_twice_then_left(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 3, 0, 0)
    bad = BrickKey(0, 0, 0, 1, 2)
    source.deliver_all(broken={bad})
    data = reader.read(0, 3, 0, 0)
    assert source.order.count(bad) == 2
    assert (data.progress, data.coarsest_lod) == (1.0, 2), "nothing more will come"
    assert str(reader.error) == f"broken {bad}"
    reader.refresh()
    assert reader.error is None
    source.deliver_all()
    data = reader.read(0, 3, 0, 0)
    assert (data.progress, data.coarsest_lod) == (1.0, 0)


def test_a_slice_with_broken_bricks_shows_the_rest(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 3, 0, 0)
    source.deliver_all(broken={BrickKey(0, 0, 0, 1, 2)})
    values = reader.read(0, 3, 0, 0).values
    hole = np.zeros(values.shape, bool)
    hole[16:32, 32:48] = True
    np.testing.assert_array_equal(values[~hole], source.array[3][~hole])
    coarse = half_times(source.array, 2, is_label=False)[0]
    expected = np.repeat(np.repeat(coarse, 4, axis=0), 4, axis=1)[16:32, 32:48]
    np.testing.assert_array_equal(values[16:32, 32:48], expected)


def test_many_broken_bricks_are_one_error_and_a_read_one_ends_it(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 3, 0, 0)
    bad = {BrickKey(0, 0, 0, 1, 2), BrickKey(0, 0, 0, 2, 2), BrickKey(0, 0, 0, 3, 5)}
    source.deliver_all(broken=bad)
    first = reader.error
    assert first is not None
    reader.read(0, 60, 0, 0)
    source.deliver_all()
    assert reader.error is first, "it is said once, not for every slice"
    reader.read(0, 4, 0, 0)
    source.deliver_all()
    assert reader.error is None
    assert reader.read(0, 4, 0, 0).coarsest_lod == 0


def test_a_brick_that_breaks_while_read_ahead_is_no_error_until_it_is_shown(source):
    reader = open_reader(source)
    reader.read(0, 20, 0, 0)
    source.deliver_all()
    reader.read(0, 28, 0, 0)
    bad = BrickKey(0, 0, 2, 1, 2)
    source.deliver_all(broken={bad})
    assert source.order.count(bad) == 2
    assert reader.error is None
    data = reader.read(0, 33, 0, 0)
    assert reader.error is not None
    assert data.progress == 1.0


def test_a_refresh_shows_changed_voxels_and_not_what_was_on_its_way(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 3, 0, 0)
    stale = next(iter(source.pending))
    old_brick = np.full((BRICK, BRICK, BRICK), -1, np.float32)
    source.array += 1
    reader.refresh()
    source.answer(stale, old_brick)
    source.deliver_all()
    np.testing.assert_array_equal(reader.read(0, 3, 0, 0).values, source.array[3])


def test_a_value_is_read_at_full_resolution(source):
    reader, values = open_reader(source), []
    reader.request_value(0, (37, 41, 83), values.append)
    assert values == []
    source.deliver_all()
    assert values == [37 * 10000 + 41 * 100 + 83]


def test_a_value_in_memory_is_told_at_once(source):
    reader, values = open_reader(source), []
    reader.read(0, 37, 0, 0)
    source.deliver_all()
    reader.request_value(0, (37, 41, 83), values.append)
    assert values == [374183]


def test_a_newer_value_request_replaces_the_older(source):
    reader, values = open_reader(source), []
    reader.request_value(0, (37, 41, 83), values.append)
    reader.request_value(0, (2, 3, 4), values.append)
    source.deliver_all()
    assert values == [20304]


@pytest.mark.parametrize("voxel", [(-1, 0, 0), (0, 50, 0), (0, 0, 90)])
def test_a_value_outside_is_none(source, voxel):
    values = []
    open_reader(source).request_value(0, voxel, values.append)
    assert values == [None]


def test_a_nan_value_is_none():
    array = ramp_volume(SHAPE)
    array[1, 2, 3] = np.nan
    source, values = HeldVolume(array), []
    reader = open_reader(source)
    reader.request_value(0, (1, 2, 3), values.append)
    source.deliver_all()
    assert values == [None]


def test_after_close_late_bricks_are_ignored(source):
    heard = []
    reader = open_reader(source, on_data=lambda: heard.append(1))
    reader.read(0, 3, 0, 0)
    reader.close()
    reader.close()
    source.deliver_all()
    assert heard == []
    assert reader.cached_bytes == 0


@pytest.mark.parametrize(
    ("axis", "slice_idx", "channel"), [(3, 0, 0), (0, 70, 0), (0, -1, 0), (0, 0, 1)]
)
def test_slices_that_do_not_exist_are_refused(source, axis, slice_idx, channel):
    with pytest.raises(ValueError, match=r"axis|slice"):
        open_reader(source).read(axis, slice_idx, channel, 0)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("lod", [0, 1, 2])
def test_memory_is_sliced_at_once(axis, lod):
    array = ramp_volume(SHAPE)
    info = volume_info(SHAPE, n_lods=3, brick_size=BRICK)
    reader = open_reader(MemorySource(info, (array,)))
    data = reader.read(axis, 21, 0, lod)
    assert data.progress == 1.0
    plane = np.take(array, 21, axis=axis)
    np.testing.assert_array_equal(data.values, half_times(plane, lod, is_label=False))
    assert reader.read(axis, 21, 0, lod) is data
    array += 1
    assert reader.read(axis, 21, 0, lod) is data
    reader.refresh()
    np.testing.assert_array_equal(
        reader.read(axis, 21, 0, lod).values, half_times(plane + 1, lod, is_label=False)
    )
    values = []
    reader.request_value(0, (1, 2, 3), values.append)
    assert values == [10204]


def test_key_order_is_channel_lod_inline_crossline_sample():
    assert BrickKey(1, 2, 3, 4, 5)._asdict() == {"channel": 1, "lod": 2, "i0": 3, "i1": 4, "i2": 5}


def _go(reader, source, *slices, axis=0):
    for slice_idx in slices:
        reader.read(axis, slice_idx, 0, 0)
        source.deliver_all()
        data = reader.read(axis, slice_idx, 0, 0)
    return data


def test_a_slice_that_was_shown_before_is_there_though_its_bricks_are_not(source):
    reader = open_reader(source, budget_bytes=12 * BRICK_BYTES)
    shown = _go(reader, source, 3)
    _go(reader, source, 40)
    n_asked = len(source.order)
    again = reader.read(0, 3, 0, 0)
    assert again is shown
    assert len(source.order) == n_asked


def test_slices_that_were_shown_are_kept_within_the_budget(source):
    budget = 24 * BRICK_BYTES
    reader = open_reader(source, budget_bytes=budget)
    for slice_idx in range(40):
        _go(reader, source, slice_idx)
        assert reader.cached_bytes <= budget * 3 // 4, "a quarter is left for reading"
    n_asked = len(source.order)
    kept = [idx for idx in range(39) if reader.read(0, idx, 0, 0).progress == 1]
    assert kept, "none of the last slices"
    assert len(kept) < 39, "all of them"
    assert len(source.order) > n_asked
    reader.limit(BRICK_BYTES)
    assert reader.cached_bytes <= BRICK_BYTES


def test_a_slice_that_was_left_before_it_was_whole_goes_on_where_bricks_came(source):
    reader = open_reader(source)
    source.deliver_all()
    assert reader.read(0, 3, 0, 0).progress < 1
    reader.read(0, 40, 0, 0)
    data = _go(reader, source, 3)
    np.testing.assert_array_equal(data.values, source.array[3])


def test_a_refresh_forgets_slices_that_were_shown(source):
    reader = open_reader(source)
    _go(reader, source, 3, 4)
    source.array[3] += 1
    reader.refresh()
    source.deliver_all()
    np.testing.assert_array_equal(_go(reader, source, 3).values, source.array[3])
