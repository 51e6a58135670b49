"""VDS files with a fourth dimension that counts volumes."""

from __future__ import annotations

import msgspec
import numpy as np
import openvds
import pytest

from blustream_widget.config import Config
from blustream_widget.core.time_axis import TimeAxis
from blustream_widget.core.types import VolumeRef
from blustream_widget.data import open_source, openvds_layout
from blustream_widget.data.importer import import_volume
from blustream_widget.data.optimize import write_slice_copy
from blustream_widget.errors import VolumeFormatError
from blustream_widget.testing.volumes import write_series

SHAPE = (20, 40, 33)
YEARS = TimeAxis(4, first=2001.0, step=3.0, unit="a", name="vintage")


@pytest.fixture
def path(tmp_path):
    """Step n has the value n * 10 everywhere, but for one voxel."""
    values = np.multiply.outer(np.arange(4) * 10, np.ones(SHAPE)).astype(np.float32)
    values[3, 1, 2, 3] = 31
    write_series(tmp_path / "monitor.vds", values, times=YEARS)
    return tmp_path / "monitor.vds"


def opened(path, **words):
    return open_source(VolumeRef(url=str(path), **words), Config())


def test_its_times_are_those_of_the_file_or_of_who_opens_it(path):
    source = opened(path)
    source.close()
    assert source.info.time == YEARS
    source = opened(path, times=(0.0, 2.0, 3.0, 9.0), time_unit="d")
    source.close()
    assert [source.info.time.at(n) for n in range(4)] == [0, 2, 3, 9]


def test_range_and_histogram_of_another_program_s_file_are_those_of_all_steps(path, monkeypatch):
    monkeypatch.setattr(openvds_layout, "INFO_KEY", "of-somebody-else")
    source = opened(path)
    (channel,) = source.info.channels
    voxels = source.read_block(3, (slice(1, 2), slice(2, 3), slice(3, 5)))
    source.close()
    assert (channel.value_min, channel.value_max) == (0, 31)
    assert min(channel.percentiles) == pytest.approx(0, abs=1)
    assert max(channel.percentiles) == pytest.approx(30, abs=1)
    assert sum(count > 0 for count in channel.histogram) >= 4
    assert voxels.ravel().tolist() == [31, 30]


def test_a_series_is_neither_copied_for_slices_nor_imported(path, tmp_path):
    with pytest.raises(VolumeFormatError, match="series of 4 volumes"):
        write_slice_copy(path)
    with pytest.raises(VolumeFormatError, match="series of 4 volumes"):
        import_volume(path, tmp_path / "other.vds")
    assert [one.name for one in tmp_path.iterdir()] == ["monitor.vds"]


class _Gathers:
    """Layout of pre-stack data, as SEGYImport makes it: offsets lie between the samples."""

    def __init__(self, *names):
        self.names = names

    def isMetadataStringAvailable(self, *_):  # noqa: N802
        return False

    def getDimensionality(self):  # noqa: N802
        return len(self.names)

    def getAxisDescriptor(self, number):  # noqa: N802
        return openvds.VolumeDataAxisDescriptor(5, self.names[number], "unitless", 0.0, 4.0)


@pytest.mark.parametrize(
    "names",
    [("Sample", "Trace (offset)", "Crossline", "Inline"), ("a", "b", "c", "d", "e"), ("a", "b")],
)
def test_what_is_no_volume_after_the_other_is_refused(names):
    with pytest.raises(VolumeFormatError, match=f"has {len(names)} dimensions"):
        openvds_layout.describe_layout(_Gathers(*names), "gathers.vds")


def test_steps_whose_coordinates_say_nothing_are_numbered(path, monkeypatch):
    silent = msgspec.structs.replace(YEARS, first=0.0, step=0.0)
    write_series(path.with_name("silent.vds"), np.zeros((4, *SHAPE), np.float32), times=silent)
    source = opened(path.with_name("silent.vds"))
    source.close()
    assert source.info.time == TimeAxis(4, name="vintage")
