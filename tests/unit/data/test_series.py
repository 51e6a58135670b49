"""Series of volumes: where the steps are, which of them are open, and what is read ahead."""

import itertools
import threading

import msgspec
import nibabel
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.section_grid import SectionRead, grid_of
from blustream_widget.core.sections import Fence
from blustream_widget.core.slab import Slab
from blustream_widget.core.types import SharedArray, VolumeRef
from blustream_widget.data import SliceReader, open_source
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import array_info, describe_channel
from blustream_widget.data.series import MOST_OPEN, SeriesSource
from blustream_widget.data.source import BrickKey
from blustream_widget.errors import VolumeError, VolumeFormatError, VolumeNotFoundError
from blustream_widget.testing.contracts.volume_source import read_brick
from blustream_widget.testing.held_volume import HeldTiles, HeldVolume

N_STEPS, SHAPE = 5, (40, 30, 50)


def values_at(t, x, y, z):
    """Value of a step and a place: exact in float32, other for every axis and step."""
    return 100_000 * t + 2500 * x + 50 * y + z


SERIES = np.fromfunction(values_at, (N_STEPS, *SHAPE), dtype=np.float32).astype(np.float32)


def open_reader(source, **options):
    return SliceReader(
        source, budget_bytes=1 << 26, on_data=lambda: None, clock=lambda: 0.0, **options
    )


def source_of(array, name="array"):
    channel = describe_channel(array, name="value", unit="")
    return MemorySource(array_info(array.shape, (channel,), name=name), (array,))


# ---------------------------------------------------------------- NIfTI


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_nifti_series_reads_what_nibabel_reads(tmp_path, suffix):
    rng = np.random.default_rng(0)
    image = nibabel.Nifti1Image(
        rng.integers(-900, 900, (9, 8, 7, 6)).astype(np.int16), np.diag([2.0, 2, 3, 1])
    )
    image.header.set_xyzt_units("mm", "msec")
    image.header["pixdim"][4], image.header["toffset"] = 1500.0, 250.0
    image.header.set_slope_inter(0.25, -7.0)
    path = tmp_path / f"bold{suffix}"
    nibabel.save(image, path)
    expected = nibabel.load(path).get_fdata()
    source = open_source(VolumeRef(url=str(path)), Config())
    time = source.info.time
    assert (time.n, time.unit, time.at(0), time.at(5)) == (6, "ms", 250.0, 7750.0)
    assert (source.info.shape, source.info.world_unit) == ((9, 8, 7), "mm")
    channel = source.info.channels[0]
    assert (channel.value_min, channel.value_max) == (expected.min(), expected.max())
    for step in range(6):
        brick = read_brick(source, BrickKey(source.info.at_time(0, step), 0, 0, 0, 0))
        np.testing.assert_allclose(brick, expected[..., step], rtol=1e-6)
    at = np.array([3, 100, 9 * 8 * 7 - 1])
    np.testing.assert_allclose(source.read_voxels(4, at), expected[..., 4].reshape(-1)[at])
    source.close()


@pytest.mark.parametrize(
    ("code", "unit", "name"), [("sec", "s", "time"), ("hz", "Hz", "frequency"), (0, "", "time")]
)
def test_the_unit_of_a_nifti_series_says_what_its_axis_is(tmp_path, code, unit, name):
    image = nibabel.Nifti1Image(np.ones((3, 3, 3, 2), np.uint8), np.eye(4))
    image.header.set_xyzt_units("mm", code)
    nibabel.save(image, tmp_path / "v.nii")
    time = open_source(VolumeRef(url=str(tmp_path / "v.nii")), Config()).info.time
    assert (time.unit, time.name) == (unit, name)


def test_a_nifti_file_of_one_step_is_a_volume_and_one_of_five_axes_is_refused(tmp_path):
    nibabel.save(
        nibabel.Nifti1Image(np.ones((3, 3, 3, 1), np.uint8), np.eye(4)), tmp_path / "1.nii"
    )
    assert open_source(VolumeRef(url=str(tmp_path / "1.nii")), Config()).info.time is None
    five = nibabel.Nifti1Image(np.ones((3, 3, 3, 2, 2), np.uint8), np.eye(4))
    nibabel.save(five, tmp_path / "5.nii")
    with pytest.raises(VolumeFormatError, match=r"\(3, 3, 3, 2, 2\)"):
        open_source(VolumeRef(url=str(tmp_path / "5.nii")), Config())


# ---------------------------------------------------------------- what the user says


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"times": (0.0, 1.0)}, "2 entries"),
        ({"time_names": ("a", "b")}, "2 entries"),
        ({"time_axis": 4}, "no axis 4"),
    ],
)
def test_words_that_do_not_fit_a_series_are_refused(tmp_path, said, says):
    np.save(tmp_path / "v.npy", np.zeros((3, 4, 4, 4), np.float32))
    with pytest.raises(Exception, match=says):
        open_source(VolumeRef(url=str(tmp_path / "v.npy"), **said), Config())


def test_words_of_time_are_refused_for_a_volume_without_steps(tmp_path):
    np.save(tmp_path / "v.npy", np.zeros((3, 4, 4), np.float32))
    with pytest.raises(Exception, match="no time axis"):
        open_source(VolumeRef(url=str(tmp_path / "v.npy"), time_unit="s"), Config())


def test_a_shared_series_has_its_steps_first(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    path = tmp_path / "blustream-series"
    SERIES.tofile(path)
    shared = SharedArray(path=str(path), shape=SERIES.shape, dtype="<f4")
    source = open_source(VolumeRef(array=shared, times=(1.0, 2.0, 4.0, 8.0, 16.0)), Config())
    assert (source.info.shape, source.info.time.at(3)) == (SHAPE, 8.0)
    reader = open_reader(source)
    for step, axis in itertools.product(range(N_STEPS), range(3)):
        values = reader.read(axis, 11, source.info.at_time(0, step), 0).values
        np.testing.assert_array_equal(values, np.take(SERIES[step], 11, axis))


# ---------------------------------------------------------------- slices of a step


@pytest.mark.parametrize("direct", [True, False])
def test_slices_slabs_and_sections_are_of_the_step_that_was_asked_for(direct):
    source = source_of(SERIES) if direct else HeldVolume(SERIES)
    reader = open_reader(source)

    def read(step, **options):
        for _ in range(20):  # a slab is reduced within the time there is
            data = reader.read(0, 17, step, 0, **options)
            if not direct:
                source.deliver_all()
            if data.progress == 1.0:
                break
        return reader.read(0, 17, step, 0, **options).values

    fence = SectionRead(grid_of(Fence(points=((0.0, 3.0), (39.0, 3.0))), source.info), False)
    for step in (3, 0, 4):
        np.testing.assert_array_equal(read(step), SERIES[step, 17])
        slab = read(step, slab=Slab(15, 19, "max"))
        np.testing.assert_array_equal(slab, SERIES[step, 15:20].max(0))
        np.testing.assert_allclose(read(step, section=fence), SERIES[step, :, 3], rtol=1e-6)


def test_the_next_step_is_read_ahead_in_the_direction_of_play():
    source = HeldVolume(SERIES)
    reader = open_reader(source)
    for step in (1, 2):
        reader.read(0, 17, step, 0)
        source.deliver_all()
    assert {key.channel for key in source.ahead} == {3}
    reader.read(0, 17, 1, 0)  # the hand turns
    source.deliver_all()
    assert {key.channel for key in source.ahead} == {3, 0}


def test_a_step_that_was_read_ahead_is_there_whole_when_time_comes_to_it():
    source = HeldVolume(SERIES)
    reader = open_reader(source)
    for step in (1, 2):
        reader.read(2, 9, step, 0)
        source.deliver_all()
    n_asked = len(source.order)
    data = reader.read(2, 9, 3, 0)
    assert data.progress == 1.0
    np.testing.assert_array_equal(data.values, SERIES[3, :, :, 9])
    # Of the shown step nothing is asked; the one after it, and the coarsest level, are.
    assert all(key.channel == 4 or key.lod == 3 for key in source.order[n_asked:])


def test_a_loop_reads_ahead_at_its_other_end():
    source = HeldVolume(SERIES)
    reader = open_reader(source)
    for step in (3, 4):
        reader.read(0, 17, step, 0)
        source.deliver_all()
    assert {key.channel for key in source.ahead} == {0}


def test_tiles_of_the_next_step_are_read_ahead():
    class Tiles(HeldTiles):
        def _tile(self, key):
            plane = np.take(self.array[key.channel], key.slice_idx, axis=key.axis)
            a, b = key.a * key.size, key.b * key.size
            return plane[a : a + key.size, b : b + key.size]

    source = Tiles(SERIES)
    reader = open_reader(source)
    for step in (1, 2):
        reader.read(0, 17, step, 0)
        source.deliver_all()
    assert {(key.channel, key.slice_idx) for key in source.ahead} == {(3, 17)}
    np.testing.assert_array_equal(reader.read(0, 17, 3, 0).values, SERIES[3, 17])


def test_what_is_kept_in_memory_does_not_grow_with_the_steps():
    n_steps = 60
    source = HeldVolume(np.zeros((n_steps, *SHAPE), np.float32))
    budget_bytes = 1 << 22
    reader = SliceReader(source, budget_bytes=budget_bytes, on_data=lambda: None, clock=lambda: 0.0)
    for step in range(n_steps):
        reader.read(0, 17, step, 0)
        source.deliver_all()
        assert reader.cached_bytes <= budget_bytes
        assert reader.read(0, 17, step, 0).progress == 1.0
    assert len(reader._coarsest._resident) == 1
    assert len(reader._cache._resident) == len(next(iter(reader._coarsest._resident.values())))


def test_requests_of_a_step_that_was_left_are_cancelled():
    source = HeldVolume(SERIES)
    reader = open_reader(source)
    reader.read(0, 17, 1, 0)
    source.deliver_all()
    reader.read(0, 17, 2, 0)
    left = {key for key in source.pending if key.channel == 2}
    reader.read(0, 17, 4, 0)
    assert left <= set(source.cancelled)


# ---------------------------------------------------------------- volumes of their own


class Opener:
    """Opens steps, and counts."""

    def __init__(self, arrays) -> None:
        self.arrays = arrays
        self.opened = []
        self.now_open = 0
        self.most_open = 0

    def __call__(self, step):
        self.opened.append(step)
        self.now_open += 1
        self.most_open = max(self.most_open, self.now_open)
        source, opener = source_of(self.arrays[step]), self

        class Counted(MemorySource):
            def close(self):
                if self.channels:
                    opener.now_open -= 1
                super().close()

        return Counted(source.info, source.channels)

    def openers(self):
        return [lambda step=step: self(step) for step in range(len(self.arrays))]


def names_of(n):
    return [f"{step}.vds" for step in range(n)]


def test_a_series_of_volumes_holds_few_of_them_open():
    n = 3 * MOST_OPEN
    arrays = [np.full((4, 5, 6), step, np.float32) for step in range(n)]
    opener = Opener(arrays)
    source = SeriesSource(opener.openers(), names_of(n))
    assert source.info.n_steps == n
    assert (source.info.channels[0].value_min, source.info.channels[0].value_max) == (0, n - 1)
    for step in (*range(n), 2, 7, n - 1):
        assert read_brick(source, BrickKey(step, 0, 0, 0, 0)).flat[0] == step
        assert source.n_open <= MOST_OPEN
    # One more, while the next is opened and before another is closed.
    assert opener.most_open <= MOST_OPEN + 1
    source.close()
    source.close()
    assert opener.now_open == 0


def test_a_step_that_can_no_longer_be_opened_is_an_error_of_its_bricks():
    opener = Opener([np.zeros((4, 5, 6), np.float32)] * (MOST_OPEN + 1))
    openers = opener.openers()
    source = SeriesSource(openers, names_of(len(openers)))

    def gone():
        raise VolumeNotFoundError("There is no file 4.vds.")

    openers[MOST_OPEN] = gone
    answered, answers = threading.Event(), []

    def done(key, result):
        answers.append(result)
        answered.set()

    source.request_brick(BrickKey(MOST_OPEN, 0, 0, 0, 0), done)
    assert answered.wait(30)
    assert isinstance(answers[0], VolumeNotFoundError)
    source.close()


def changed(info, **fields):
    return msgspec.structs.replace(info, **fields)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda info: changed(info, axes=(*info.axes[:2], changed(info.axes[2], n=9))),
            "has 4 x 5 x 9",
        ),
        (lambda info: changed(info, channels=(changed(info.channels[0], dtype="int16"),)), "int16"),
        (
            lambda info: changed(info, axes=(changed(info.axes[0], first=7.0), *info.axes[1:])),
            "lies elsewhere",
        ),
        (lambda info: changed(info, affine=tuple(np.eye(4).ravel())), "lies elsewhere"),
        (lambda info: changed(info, n_lods=3), "levels of detail"),
    ],
)
def test_a_step_on_another_grid_is_named(change, says):
    source = source_of(np.zeros((4, 5, 6), np.float32))
    other = MemorySource(change(source.info), source.channels)
    with pytest.raises(VolumeError, match=rf"b\.vds .*{says}"):
        SeriesSource([lambda: source, lambda: other], ["a.vds", "b.vds"])


def test_a_series_cannot_be_a_step():
    series = source_of(SERIES)
    with pytest.raises(VolumeFormatError, match=r"b\.nii is a series itself"):
        SeriesSource([lambda: source_of(SERIES[0]), lambda: series], ["a.nii", "b.nii"])


def test_the_histogram_and_the_range_are_those_of_all_steps():
    arrays = [np.full((8, 8, 8), step, np.float32) for step in (0, 10)]
    arrays[0][0], arrays[1][0] = 4, 6
    opener = Opener(arrays)
    channel = SeriesSource(opener.openers(), names_of(2)).info.channels[0]
    assert (channel.value_min, channel.value_max) == (0, 10)
    assert sum(channel.histogram) == sum(array.size for array in arrays)
    edges = np.linspace(0, 10, 257)
    above_five = sum(n for n, edge in zip(channel.histogram, edges, strict=False) if edge >= 5)
    assert above_five == arrays[1].size
