"""Slabs: several slices reduced to one, compared with NumPy on the whole array."""

import warnings

import numpy as np
import pytest

from blustream_widget.core.slab import SLAB_MODES, Slab
from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.source import Region
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.held_volume import HeldVolume
from blustream_widget.testing.volumes import ramp_volume

SHAPE = (70, 50, 90)
SLABS = [(0, 3), (11, 36), (30, 49)]  # at the ends, within a layer of bricks and over three


def waves(dtype="float32", *, has_nan=False):
    a, b, c = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    values = np.sin(a / 3.0) * 900 + np.cos(b / 5.0 + a) * 90 - c * 7.0
    if has_nan:
        values[(a + 2 * b + 3 * c) % 5 == 0] = np.nan
        values[:, 7, :] = np.nan
        values[20:40, 20, 20] = np.nan
    return values.astype(dtype)


def reduced(array, axis, first, last, mode, side=1):
    """What a slab is by definition, squares of `side` voxels of the plane taken together."""
    box = np.moveaxis(array, axis, 0)[first : last + 1].astype(np.float64)
    pad = [(0, 0), *((0, -n % side) for n in box.shape[1:])]
    box = np.pad(box, pad, constant_values=np.nan)
    n, h, w = box.shape
    box = box.reshape(n, h // side, side, w // side, side)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing but NaN
        if mode == "rms":
            return np.sqrt(np.nanmean(box**2, axis=(0, 2, 4)))
        return getattr(np, f"nan{mode}")(box, axis=(0, 2, 4))


def memory(array):
    return MemorySource(volume_info(array.shape, dtype=array.dtype.name, n_lods=4), (array,))


def reader_of(source, **options):
    options = {"budget_bytes": 1 << 26, "on_data": lambda: None, "clock": lambda: 0.0} | options
    return SliceReader(source, **options)


def read(source, axis, first, last, mode, *, lod=0, region=None):
    reader = reader_of(source)
    slab, middle = Slab(first, last, mode), (first + last) // 2
    reader.read(axis, middle, 0, lod, region, slab=slab)
    if isinstance(source, HeldVolume):
        source.deliver_all()
    return reader.read(axis, middle, 0, lod, region, slab=slab)


def sources(array):
    return memory(array), HeldVolume(array)


@pytest.mark.parametrize("mode", SLAB_MODES)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("has_nan", [False, True])
def test_a_slab_is_the_reduction_of_its_slices(axis, mode, has_nan):
    array = waves(has_nan=has_nan)
    for first, last in [*SLABS, (SHAPE[axis] - 5, SHAPE[axis] - 1)]:
        expected = reduced(array, axis, first, last, mode).astype(np.float32)
        for source in sources(array):
            data = read(source, axis, first, last, mode)
            assert (data.progress, data.coarsest_lod, data.lod) == (1.0, 0, 0)
            np.testing.assert_array_equal(data.values, expected)


@pytest.mark.parametrize("mode", SLAB_MODES)
def test_a_pixel_of_several_voxels_has_all_of_them_in_it(mode):
    array, region = waves(has_nan=True), Region(9, 41, 2, 77)
    expected = reduced(array, 0, 11, 36, mode, side=4).astype(np.float32)
    for source in sources(array):
        data = read(source, 0, 11, 36, mode, lod=2, region=region)
        assert (data.lod, data.origin, data.coarsest_lod) == (2, (2, 0), 0)
        np.testing.assert_array_equal(data.values, expected[2:11, 0:20])


@pytest.mark.parametrize("dtype", ["int16", "uint8"])
def test_whole_numbers_stay_what_they_are_and_their_mean_is_no_whole_number(dtype):
    array = (waves() / 9).astype(dtype)
    for source in sources(array):
        peak = read(source, 1, 5, 30, "max")
        assert peak.values.dtype == dtype
        np.testing.assert_array_equal(peak.values, reduced(array, 1, 5, 30, "max"))
        mean = read(source, 1, 5, 30, "mean")
        np.testing.assert_array_equal(
            mean.values, reduced(array, 1, 5, 30, "mean").astype(np.float32)
        )


def test_a_slab_sharpens_as_bricks_arrive_and_counts_them():
    source = HeldVolume(ramp_volume(SHAPE))
    reader = reader_of(source)
    slab = Slab(10, 40, "max")
    assert np.isnan(reader.read(0, 25, 0, 0, slab=slab).values).all()
    first_level = [key for key in source.pending if key.lod == 3]
    for key in first_level:
        source.deliver(key)
    coarse = reader.read(0, 25, 0, 0, slab=slab)
    assert (coarse.coarsest_lod, coarse.progress) == (3, 0.0)
    assert not np.isnan(coarse.values).any()
    before = coarse
    while source.pending:
        source.deliver(next(iter(source.pending)))
        now = reader.read(0, 25, 0, 0, slab=slab)
        assert now.progress >= before.progress
        before = now
    assert (before.progress, before.coarsest_lod) == (1.0, 0)
    assert reader.read(0, 25, 0, 0, slab=slab) is before


def test_integers_that_are_not_here_yet_are_zero():
    source = HeldVolume(waves("int16"))
    data = reader_of(source).read(0, 25, 0, 0, slab=Slab(10, 40, "max"))
    assert not data.values.any()
    assert data.coarsest_lod == source.info.n_lods


def test_a_slab_without_room_is_taken_from_a_coarser_level_and_says_so():
    source = HeldVolume(ramp_volume(SHAPE))
    reader = reader_of(source, budget_bytes=100 * 16**3 * 4)
    slab = Slab(0, 69, "max")
    reader.read(0, 35, 0, 0, slab=slab)
    source.deliver_all()
    data = reader.read(0, 35, 0, 0, slab=slab)
    assert data.progress == 1.0
    assert data.coarsest_lod == data.lod == 1


@pytest.mark.parametrize("make", [memory, HeldVolume])
def test_a_large_slab_gives_way_to_input_and_is_whole_in_the_end(make):
    array = np.tile(waves(), (1, 2, 2))
    ticks = iter(range(100_000))
    news = []
    reader = reader_of(
        make(array),
        budget_bytes=1 << 28,
        on_data=lambda: news.append(1),
        clock=lambda: next(ticks) * (0.001 if make is HeldVolume else 0.03),
    )
    slab = Slab(0, 69, "mean")
    if make is HeldVolume:
        reader.read(0, 35, 0, 0, slab=slab)
        reader._source.deliver_all()
        reader.read(0, 0, 0, 0)  # another slice, so that the slab begins anew from the cache
    n_reads, n_news = 1, len(news)
    while (data := reader.read(0, 35, 0, 0, slab=slab)).progress < 1:
        assert len(news) > n_news  # else nobody would come back for the rest
        n_reads, n_news = n_reads + 1, len(news)
    assert n_reads > 1
    np.testing.assert_array_equal(data.values, reduced(array, 0, 0, 69, "mean").astype(np.float32))


def test_the_layer_ahead_of_a_slab_is_read_before_it_comes():
    source = HeldVolume(ramp_volume(SHAPE))
    reader = reader_of(source)
    for middle in (10, 11):
        reader.read(0, middle, 0, 0, slab=Slab(middle - 2, middle + 2, "max"))
        source.deliver_all()
    # The last slice of the slab is past the middle of its layer, the hand goes forward.
    assert reader.loaded(0, 0, 0) == ((0, 31),)
