"""SliceReader on a source whose bricks arrive when the test says so."""

import numpy as np
import pytest

from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.reduce import half_times
from blustream_widget.data.source import BrickKey, Region
from blustream_widget.errors import BrickReadError
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.volumes import ramp_volume

SHAPE = (70, 50, 90)
BRICK = 16
BRICK_BYTES = BRICK**3 * 4


class Request:
    def __init__(self, source, key):
        self.source, self.key = source, key

    def cancel(self):
        self.source.cancelled.append(self.key)


class HeldSource:
    """Bricks wait in `pending` until `deliver`."""

    def __init__(self, array, *, n_lods=4):
        self.info = volume_info(array.shape, n_lods=n_lods, brick_size=BRICK)
        self._memory = MemorySource(self.info, (array,))
        self.array = array
        self.pending = {}
        self.ahead = set()
        self.cancelled = []
        self.order = []

    def request_brick(self, key, done, *, prefetch=False):
        assert key not in self.pending, "the same brick is asked for twice"
        self.pending[key] = done
        self.order.append(key)
        if prefetch:
            self.ahead.add(key)
        return Request(self, key)

    def deliver(self, key, result="brick"):
        done = self.pending.pop(key)
        if isinstance(result, str):
            self._memory.request_brick(key, done)
        else:
            done(key, result)

    def deliver_all(self):
        while self.pending:
            for key in list(self.pending):
                self.deliver(key, None if key in self.cancelled else "brick")
                self.cancelled = [c for c in self.cancelled if c != key]

    def close(self):
        pass


@pytest.fixture
def source():
    return HeldSource(ramp_volume(SHAPE))


def open_reader(source, budget_bytes=1 << 26, on_data=lambda: None):
    return SliceReader(source, budget_bytes=budget_bytes, on_data=on_data)


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
    bad = source.order[-1]
    for _ in range(2):
        while bad not in source.pending:
            source.deliver(next(key for key in source.pending if key != bad))
        source.deliver(bad, BrickReadError("broken"))
    source.deliver_all()
    data = reader.read(0, 3, 0, 0)
    assert source.order.count(bad) == 2
    assert data.progress < 1.0
    assert str(reader.error) == "broken"
    reader.refresh()
    assert reader.error is None
    source.deliver_all()
    assert reader.read(0, 3, 0, 0).progress == 1.0


def test_a_refresh_shows_changed_voxels_and_not_what_was_on_its_way(source):
    reader = open_reader(source)
    source.deliver_all()
    reader.read(0, 3, 0, 0)
    stale = next(iter(source.pending))
    old_brick = np.full((BRICK, BRICK, BRICK), -1, np.float32)
    source.array += 1
    reader.refresh()
    source.deliver(stale, old_brick)
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
    source, values = HeldSource(array), []
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
