"""Labels beside the shown volume: opened, read, counted and dropped, without anybody waiting."""

from __future__ import annotations

import threading

import msgspec
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.label_edit import Stroke
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import (
    AddSegmentation,
    BricksEdited,
    CountLabels,
    EditBricks,
    EditFailed,
    RefreshSegmentation,
    RemoveSegmentation,
    SegmentationFailed,
    SegmentationOpened,
)
from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.errors import VolumeNotFoundError
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import HeldSource, ListSink, volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker.segmentations import Segmentations

SHAPE = (8, 16, 16)
AMPLITUDES = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)


def labels_of(value=1):
    values = np.zeros(SHAPE, np.uint8)
    values[2:4, 4:8, 4:12] = value
    return values


class Desk:
    """Segmentations over a ramp; sources by the name of their reference."""

    def __init__(self, shown=None, **sources) -> None:
        self.sink, self.sources = ListSink(), sources
        self.wakes = threading.Semaphore(0)
        self.closed: list[str] = []
        info = volume_info(SHAPE, value_range=(0.0, 2048.0))
        self.shown = shown or MemorySource(info, (AMPLITUDES,))
        self.reader = SliceReader(self.shown, budget_bytes=1 << 20, on_data=lambda: None)
        self.all = Segmentations(Config(), self.sink, self.open_volume, self.wakes.release)
        self.all.start(self.shown, self.reader, 1 << 20)

    def open_volume(self, ref, config):
        source = self.sources[ref.name]
        if isinstance(source, Exception):
            raise source
        if isinstance(source, np.ndarray):
            return MemorySource(volume_info(source.shape, dtype=source.dtype.name), (source,))
        return source

    def add(self, name, ref=True, channel=0):
        source = SegmentationSource(name, VolumeRef(name=name) if ref else None, channel)
        self.all.take([AddSegmentation(source)])

    def settled(self, name):
        """Wait until labels are open and counted."""

        def find():
            self.all.settle_edits()
            self.all.settle()
            return any(m.info.is_counted for m in self.of(SegmentationOpened, name))

        wait_until(find, timeout_s=30, what=f"the count of {name}")
        return self.of(SegmentationOpened, name)[-1].info

    def of(self, kind, name):
        key = (lambda m: m.info.name) if kind is SegmentationOpened else (lambda m: m.name)
        return [m for m in self.sink.messages if isinstance(m, kind) and key(m) == name]

    def failed(self, name):
        wait_until(lambda: self.of(SegmentationFailed, name), timeout_s=30, what="a failure")
        return self.of(SegmentationFailed, name)[-1]

    def read(self, *looks, axis=0, at=(3, 6, 6), **fields):
        state = ViewState(
            axis=axis, slice_idx=at, segmentations=looks, width_px=64, height_px=64, **fields
        )
        self.reader.seat((0, *self.all.seat((0,), state)))
        return self.all.read(0, state, plan_slice(state, self.shown.info))


SALT = SegmentationLook(name="salt")


@pytest.fixture
def desk():
    made: list[Desk] = []

    def make(*args, **sources):
        made.append(Desk(*args, **sources))
        return made[-1]

    yield make
    for one in made:
        one.all.close()
        one.reader.close()


def test_labels_are_read_for_the_slice_and_counted(desk) -> None:
    desk = desk(salt=labels_of(5))
    assert desk.read(SALT) == ((), True)  # not open yet: nothing is waited for
    desk.add("salt")
    info = desk.settled("salt")
    ((overlay,), is_complete) = desk.read(SALT)
    assert is_complete
    assert np.array_equal(overlay.data.values, labels_of(5)[3])
    assert [(one.value, one.count, one.centre) for one in info.labels] == [(5, 64, (2.5, 5.5, 7.5))]
    assert (info.voxel_volume, info.volume_unit, info.lod) == (1.0, "voxel³", 0)
    assert desk.all.under_pointer((3, 5, 5)).labels == (("salt", 5),)
    assert desk.all.under_pointer((3, 0, 0)).labels == ()
    assert desk.all.under_pointer((2, 5, 5)).labels == ()  # on another slice than the shown one


def test_labels_that_are_hidden_and_shown_again_are_not_read_again(desk) -> None:
    desk = desk(salt=labels_of())
    desk.add("salt")
    desk.settled("salt")
    ((before,), _) = desk.read(SALT)
    assert desk.read(msgspec.structs.replace(SALT, visible=False)) == ((), True)
    assert desk.read(SALT, show_segmentations=False) == ((), True)
    ((after,), _) = desk.read(msgspec.structs.replace(SALT, opacity=0.9))
    assert after.data is before.data


def test_bricks_of_labels_that_are_on_their_way_make_the_picture_not_exact(desk) -> None:
    held = HeldSource(volume_info(SHAPE, dtype="uint8", is_label=True))
    desk = desk(salt=held)
    desk.add("salt")
    wait_until(desk.all.settle, timeout_s=30, what="the labels")
    ((overlay,), is_complete) = desk.read(SALT)
    assert not is_complete
    assert not overlay.data.values.any()
    desk.all.take([RemoveSegmentation("salt")])
    assert desk.read(SALT) == ((), True)


def test_a_channel_of_the_shown_volume_has_seats_of_its_own(desk) -> None:
    info = volume_info(SHAPE, value_range=(0.0, 2048.0))
    label = volume_info(SHAPE, dtype="uint8", is_label=True).channels[0]
    info = msgspec.structs.replace(info, channels=(info.channels[0], label))
    desk = desk(MemorySource(info, (AMPLITUDES, labels_of(2))))
    desk.add("salt", ref=False, channel=1)
    desk.settled("salt")
    amplitudes = desk.reader.read(0, 3, 0, 0, seat=0)
    ((overlay,), _) = desk.read(SALT)
    assert np.array_equal(overlay.data.values, labels_of(2)[3])
    assert desk.reader.read(0, 3, 0, 0, seat=0) is amplitudes
    desk.add("amplitude", ref=False, channel=0)
    assert "not marked as labels" in desk.failed("amplitude").message


def test_what_cannot_be_opened_says_why_and_changes_nothing(desk) -> None:
    desk = desk(
        gone=VolumeNotFoundError("There is no file gone.nii."),
        small=np.zeros((8, 16, 15), np.uint8),
        halves=np.full(SHAPE, 0.5),
        broken=RuntimeError("no idea"),
    )
    expected = {
        "gone": ("volume-not-found", "gone.nii"),
        "small": ("state", "8 x 16 x 15"),
        "halves": ("volume-format", "whole numbers"),
        "broken": ("volume-format", "RuntimeError"),
    }
    for name, (code, part) in expected.items():
        desk.add(name)
        failed = desk.failed(name)
        assert (failed.code, failed.are_open) == (code, False)
        assert part in failed.message
        assert not desk.all.settle()


def test_values_under_labels_are_summed_up_when_asked_for(desk) -> None:
    desk = desk(salt=labels_of(), small=np.ones((4, 8, 8), np.uint8))
    desk.add("salt")
    desk.all.take([CountLabels("salt", 0)])  # before they are open
    desk.settled("salt")
    wait_until(
        lambda: desk.of(SegmentationOpened, "salt")[-1].info.values_of == 0,
        timeout_s=30,
        what="the values",
    )
    (one,) = desk.of(SegmentationOpened, "salt")[-1].info.labels
    inside = AMPLITUDES[labels_of() == 1].astype(float)
    assert (one.mean, one.sd) == (pytest.approx(inside.mean()), pytest.approx(inside.std()))
    desk.all.take([CountLabels("pepper", 0)])
    assert "no segmentation" in desk.failed("pepper").message


def test_values_that_are_being_summed_up_are_told_after_an_edit(desk) -> None:
    held = HeldSource(volume_info(SHAPE, value_range=(0.0, 2048.0)))
    desk = desk(held, salt=labels_of())
    desk.add("salt")
    desk.settled("salt")
    desk.all.take([CountLabels("salt", 0)])
    erase = Stroke(points=((2, 6, 6),), radius=99, label=2)
    desk.all.take([EditBricks("salt", 1, erase)])
    edited_counts(desk, "salt", 1)

    def find():
        held.deliver(0)
        info = desk.of(SegmentationOpened, "salt")[-1].info
        return info.is_counted and info.values_of == 0

    wait_until(find, timeout_s=30, what="the values under the edited labels")
    info = desk.of(SegmentationOpened, "salt")[-1].info
    assert [(one.value, one.count, one.mean) for one in info.labels] == [(2, np.prod(SHAPE), 0.0)]


def test_labels_that_changed_in_place_are_read_and_counted_again(desk) -> None:
    values = labels_of()
    desk = desk(salt=values)
    desk.add("salt")
    desk.settled("salt")
    desk.read(SALT)
    values[3, 0, 0] = 9
    n = len(desk.of(SegmentationOpened, "salt"))
    desk.all.take([RefreshSegmentation("salt")])
    wait_until(
        lambda: len(desk.of(SegmentationOpened, "salt")) > n, timeout_s=30, what="a new count"
    )
    ((overlay,), _) = desk.read(SALT)
    assert overlay.data.values[0, 0] == 9
    info = desk.of(SegmentationOpened, "salt")[-1].info
    assert [one.value for one in info.labels] == [1, 9]
    assert info.channel.value_max == 9


def test_labels_that_are_replaced_while_they_open_are_not_shown(desk) -> None:
    desk = desk(salt=labels_of(1))
    desk.add("salt")
    desk.all.take([RemoveSegmentation("salt")])
    assert desk.wakes.acquire(timeout=10)
    assert not desk.all.settle()
    assert desk.read(SALT) == ((), True)


def edited_counts(desk, name, n):
    """Counts by label after the n-th edit was answered."""

    def find():
        desk.all.settle_edits()
        desk.all.settle()
        return any(
            isinstance(m, BricksEdited) and m.n == n and not m.more for m in desk.sink.messages
        )

    wait_until(find, timeout_s=30, what="the edit")
    info = desk.of(SegmentationOpened, name)[-1].info
    return {one.value: (one.count, one.centre) for one in info.labels}, info


def test_an_edit_is_in_the_next_slice_and_in_the_counts(desk) -> None:
    desk = desk(salt=labels_of(5))
    desk.add("salt")
    desk.settled("salt")
    ((before,), _) = desk.read(SALT)
    stroke = Stroke(points=((3, 2, 3),), radius=1, label=6)
    desk.all.take([EditBricks("salt", 1, stroke)])
    counts, info = edited_counts(desk, "salt", 1)
    assert counts == {5: (64, (2.5, 5.5, 7.5)), 6: (7, (3.0, 2.0, 3.0))}
    assert info.channel.value_max == 6
    ((after,), is_complete) = desk.read(SALT)
    assert is_complete
    assert not before.data.values[2, 2:5].any()
    assert after.data.values[2, 2:5].tolist() == [6, 6, 6]
    desk.all.take([EditBricks("salt", 2, Stroke(points=((2, 6, 6),), radius=99, label=0))])
    assert edited_counts(desk, "salt", 2)[0] == {}
    assert not desk.read(SALT)[0][0].data.values.any()


def test_new_labels_take_edits_that_came_before_they_were_open(desk) -> None:
    desk = desk()
    source = SegmentationSource("mine", new="uint8", names={1: "salt"})
    stroke = Stroke(points=((3, 2, 3),), radius=1, label=1)
    desk.all.take([AddSegmentation(source), EditBricks("mine", 1, stroke)])
    _, info = edited_counts(desk, "mine", 1)
    desk.settled("mine")
    assert info.channel.label_names == {1: "salt"}
    ((overlay,), is_complete) = desk.read(SegmentationLook(name="mine"))
    assert is_complete
    assert np.count_nonzero(overlay.data.values) == 5
    wait_until(
        lambda: [one.count for one in desk.settled("mine").labels] == [7],
        timeout_s=30,
        what="the count",
    )
    desk.all.take([EditBricks("other", 2, stroke)])
    assert [m.name for m in desk.sink.messages if isinstance(m, EditFailed)] == ["other"]


def test_a_channel_of_the_shown_volume_stays_as_it_is_under_its_edits(desk) -> None:
    info = volume_info(SHAPE, value_range=(0.0, 2048.0))
    label = volume_info(SHAPE, dtype="uint8", is_label=True).channels[0]
    info = msgspec.structs.replace(info, channels=(info.channels[0], label))
    desk = desk(MemorySource(info, (AMPLITUDES, labels_of(4))))
    desk.add("salt", ref=False, channel=1)
    desk.settled("salt")
    desk.read(SALT)
    desk.all.take([EditBricks("salt", 1, Stroke(points=((3, 2, 3),), radius=1, label=5))])
    assert edited_counts(desk, "salt", 1)[0][5][0] == 7
    ((overlay,), is_complete) = desk.read(SALT)
    assert is_complete
    assert np.count_nonzero(overlay.data.values == 5) == 5
    assert not (desk.reader.read(0, 3, 1, 0).values == 5).any()
