"""A written volume is read back by slices through real OpenVDS handles."""

import random
import threading

import numpy as np
import openvds
import pytest

from blustream_widget.config import Config
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import Region, SliceReader, open_source, openvds_layout
from blustream_widget.data.openvds_source import OpenVdsSource
from blustream_widget.data.reduce import half_times
from blustream_widget.data.synthetic import AMPLITUDE, SALT, Synthetic, write_demo_volume
from blustream_widget.errors import VolumeFormatError
from blustream_widget.testing.volumes import label_volume, ramp_volume, write_volume

SHAPE = (90, 70, 100)
TIMEOUT_S = 20.0


class Opened:
    """A reader, and a way to wait until a slice is complete."""

    def __init__(self, path, budget_bytes=1 << 28):
        self._news = threading.Event()
        self.source = open_source(VolumeRef(url=str(path)), Config())
        self.reader = SliceReader(self.source, budget_bytes=budget_bytes, on_data=self._news.set)

    def complete(self, *where, **how):
        while (data := self.reader.read(*where, **how)).progress < 1:
            assert self._news.wait(TIMEOUT_S), "no brick arrived"
            self._news.clear()
        return data

    def close(self):
        self.reader.close()
        self.source.close()


@pytest.fixture(scope="module")
def arrays():
    return ramp_volume(SHAPE), label_volume(SHAPE)


@pytest.fixture(params=["none", "zip"])
def opened(request, tmp_path, arrays):
    path = tmp_path / "v.vds"
    write_volume(path, *arrays, labels=(1,), codec=request.param)
    volume = Opened(path)
    yield volume
    volume.close()


def test_slices_of_all_axes_levels_and_channels_are_exact(opened, arrays):
    for channel, array in enumerate(arrays):
        for lod in range(opened.source.info.n_lods):
            level = half_times(array, lod, is_label=channel == 1)
            for axis in range(3):
                for slice_idx in (0, 33, SHAPE[axis] - 1):
                    data = opened.complete(axis, slice_idx, channel, lod)
                    expected = np.take(level, slice_idx >> lod, axis=axis)
                    np.testing.assert_array_equal(data.values, expected)
                    assert data.values.dtype == array.dtype


def test_a_wild_scrub_ends_with_the_right_slice(opened, arrays):
    rng = random.Random(0)
    for _ in range(300):
        axis = rng.randrange(3)
        opened.reader.read(axis, rng.randrange(SHAPE[axis]), rng.randrange(2), rng.randrange(3))
    data = opened.complete(2, 71, 0, 0, Region(20, 81, 11, 64))
    np.testing.assert_array_equal(data.values, arrays[0][20:81, 11:64, 71])
    assert opened.reader.error is None


def test_values_under_a_moving_pointer(opened):
    answered = threading.Event()
    values = []

    def done(value):
        values.append(value)
        if value == 89 * 10000 + 12 * 100 + 5:
            answered.set()

    for i0 in range(0, SHAPE[0], 8):
        opened.reader.request_value(0, (i0, 12, 5), done)
    opened.reader.request_value(0, (89, 12, 5), done)
    assert answered.wait(TIMEOUT_S)
    assert values[-1] == 891205


def test_closing_in_the_middle_of_reading_leaves_no_thread(tmp_path, arrays):
    before = set(threading.enumerate())
    path = tmp_path / "v.vds"
    write_volume(path, arrays[0], codec="zip")
    for _ in range(5):
        volume = Opened(path)
        volume.reader.read(0, 3, 0, 0)
        volume.reader.read(0, 30, 0, 0)
        volume.close()
    assert set(threading.enumerate()) <= before


def test_the_demo_volume_is_the_model(tmp_path):
    shape = (80, 70, 128)
    shares = []
    info = write_demo_volume(
        tmp_path / "d.vds", shape=shape, seed=3, progress=lambda share, line: shares.append(share)
    )
    model = Synthetic(shape, 3).sample(slice(None), slice(None))
    assert shares[-1] == 1.0
    assert info.kind == "seismic"
    assert [channel.is_label for channel in info.channels] == [False, True, True]
    volume = Opened(tmp_path / "d.vds")
    for channel in (AMPLITUDE, SALT):
        data = volume.complete(1, 50, channel, 0)
        np.testing.assert_array_equal(data.values, model[channel][:, 50])
    volume.close()


def test_other_software_finds_the_survey_where_it_lies(tmp_path):
    model = Synthetic((40, 50, 64), 3)
    write_demo_volume(tmp_path / "d.vds", shape=model.shape, seed=3)
    vds = openvds.open(str(tmp_path / "d.vds"), "")
    layout = openvds.getLayout(vds)
    names = [layout.getDimensionName(i) for i in range(3)]
    transformer = openvds.IJKCoordinateTransformer(layout)
    corner = tuple(transformer.IJKPositionToWorld((0, 0, 0)))
    # The transformer's IJK order is sample, crossline, inline as OpenVDS has them.
    numbers = tuple(transformer.IJKPositionToAnnotation((7, 5, 3)))
    del transformer, layout
    openvds.close(vds)
    assert names == ["Sample", "Crossline", "Inline"]
    assert corner[:2] == pytest.approx((431955.09, 6348641.17))
    assert sorted(numbers) == pytest.approx(sorted((1007.0, 2005.0, 12.0)))


@pytest.fixture
def nothing_stored(monkeypatch):
    """Our own files look like those of other software: they say nothing of their values."""
    monkeypatch.setattr(openvds_layout, "_stored_info", lambda layout: None)


@pytest.mark.parametrize("shape", [(20, 21, 22), (64, 130, 200)])
def test_a_vds_of_nothing_but_nan_is_refused(tmp_path, shape, nothing_stored):
    write_volume(tmp_path / "blank.vds", np.full(shape, np.nan, np.float32), codec="zip")
    with pytest.raises(VolumeFormatError, match=r"blank\.vds has no finite value") as caught:
        open_source(VolumeRef(url=str(tmp_path / "blank.vds")), Config())
    assert caught.value.hint


def test_a_small_body_in_a_blank_box_is_found(tmp_path, nothing_stored, monkeypatch):
    values = np.full((64, 130, 200), np.nan, np.float32)
    values[40, 70, 100] = 7.0
    write_volume(tmp_path / "body.vds", values)
    blank = np.full(1, np.nan, np.float32)
    wait_for = OpenVdsSource._wait_for

    def coarse_is_blank(self, key, bounds):
        return wait_for(self, key, bounds) if key.lod == 0 else blank

    monkeypatch.setattr(OpenVdsSource, "_wait_for", coarse_is_blank)
    source = open_source(VolumeRef(url=str(tmp_path / "body.vds")), Config())
    channel = source.info.channels[0]
    source.close()
    assert channel.value_max >= 7.0
    assert channel.percentiles[-1] == pytest.approx(7.0, rel=0.01)
