"""Counting labels against numpy on the whole volume."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core.types import VolumeRef
from blustream_widget.data.label_counts import LabelCounter, level_to_count
from blustream_widget.data.label_volume import as_labels
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.voxels import ReadCancelledError
from blustream_widget.errors import VolumeFormatError
from blustream_widget.testing.fakes import HeldSource, volume_info

SHAPE = (70, 65, 30)  # more than one brick along two axes


def source_of(values, **fields):
    info = volume_info(values.shape, dtype=values.dtype.name, **fields)
    return MemorySource(info, (values,))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_counts_centres_and_values_are_those_of_the_whole_volume(dtype) -> None:
    rng = np.random.default_rng(1)
    labels = rng.choice(np.array([0, 1, 7, 120]), SHAPE).astype(dtype)
    if dtype == "int64":
        labels[labels == 120] = 2**31  # too far apart for a table
    values = rng.normal(1e6, 3, SHAPE)
    values[0, 0, :5] = np.nan
    counter = LabelCounter(source_of(labels, is_label=True), 0, 0, lambda: False)
    found = counter.count((source_of(values, value_range=(1e6 - 10, 1e6 + 10)), 0))
    assert set(found) == set(np.unique(labels)) - {0}
    for label, one in found.items():
        inside = labels == label
        assert one.count == inside.sum()
        assert one.places / one.count == pytest.approx(np.argwhere(inside).mean(axis=0))
        mean = one.total / one.n_values
        assert counter.reference + mean == pytest.approx(np.nanmean(values[inside]), rel=1e-12)
        sd = np.sqrt(one.squares / one.n_values - mean**2)
        assert sd == pytest.approx(np.nanstd(values[inside]), rel=1e-9)


def test_counting_that_is_called_off_ends() -> None:
    held = HeldSource(volume_info((8, 8, 8), dtype="uint8", is_label=True))
    with pytest.raises(ReadCancelledError):
        LabelCounter(held, 0, 0, lambda: True).count()


def test_a_volume_that_is_too_large_to_be_read_whole_is_counted_coarser() -> None:
    class Far:
        info = volume_info((2048, 2048, 2048), dtype="uint8", is_label=True, n_lods=6)

    assert level_to_count(Far()) == 3  # 256³ voxels; 512³ are more than 64 million
    assert level_to_count(source_of(np.zeros((64, 64, 64), np.uint8))) == 0


def test_whole_numbers_in_floats_are_labels_and_others_are_not() -> None:
    whole = as_labels(source_of(np.float32([[[0, 3, -1]]])), VolumeRef(), 0)
    assert whole.info.channels[0].is_label
    assert whole.info.channels[0].dtype == "int32"
    for values in ([[[0, 0.5]]], [[[np.nan, 1]]]):
        with pytest.raises(VolumeFormatError, match="whole numbers"):
            as_labels(source_of(np.float32(values)), VolumeRef(), 0)


def test_a_stored_channel_that_is_not_marked_as_labels_is_refused() -> None:
    info = volume_info((8, 8, 8), dtype="uint8")
    with pytest.raises(VolumeFormatError, match="not marked as labels"):
        as_labels(HeldSource(info), VolumeRef(), 0)
    marked = HeldSource(
        msgspec.structs.replace(info, channels=(volume_info((8, 8, 8), is_label=True).channels[0],))
    )
    assert as_labels(marked, VolumeRef(), 0) is marked
    with pytest.raises(VolumeFormatError, match="no channel 3"):
        as_labels(marked, VolumeRef(), 3)


def test_labels_beside_a_file_are_named_by_its_table(tmp_path) -> None:
    (tmp_path / "atlas.nii.txt").write_text("1 Left\n2 Right\n")
    source = source_of(np.zeros((2, 2, 2), np.uint8))
    found = as_labels(source, VolumeRef(url=str(tmp_path / "atlas.nii.gz")), 0)
    assert found.info.channels[0].label_names == {1: "Left", 2: "Right"}
