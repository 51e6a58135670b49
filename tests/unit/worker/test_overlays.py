"""Other values beside the shown volume: opened and read, on its grid or another, and blinking."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.config import Config
from blustream_widget.core.overlay import OverlayLook
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.core.worker_protocol import (
    AddSegmentation,
    RefreshSegmentation,
    SegmentationFailed,
)
from blustream_widget.data import SliceReader
from blustream_widget.data.memory import MemorySource
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import FakeClock, HeldSource, ListSink, volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker.blink import Blink
from blustream_widget.worker.segmentations import Segmentations

SHAPE = (8, 16, 16)
SHOWN = np.zeros(SHAPE, np.float32)
PET = OverlayLook(name="pet")
BLINKING = OverlayLook(name="pet", mode="blink", period_s=2.0)


def affine(spacing, origin):
    return (spacing, 0, 0, origin, 0, spacing, 0, origin, 0, 0, spacing, origin, 0, 0, 0, 1.0)


def linear(info):
    """Amplitudes of a linear function of the world, sampled on a volume's grid."""
    there = np.indices(info.shape).reshape(3, -1)
    matrix = np.reshape(info.affine, (4, 4))
    x, y, z = matrix[:3, :3] @ there + matrix[:3, 3:]
    return (x + 10 * y + 100 * z).reshape(info.shape).astype(np.float32)


class Desk:
    """Overlays over an empty volume; sources by the name of their reference."""

    def __init__(self, **sources) -> None:
        self.sink, self.sources = ListSink(), sources
        info = volume_info(SHAPE, kind="medical", affine=affine(1.0, 0.0))
        label = volume_info(SHAPE, dtype="uint8", is_label=True).channels[0]
        info = msgspec.structs.replace(info, channels=(info.channels[0], label, info.channels[0]))
        self.third = np.arange(SHOWN.size, dtype=np.float32).reshape(SHAPE)
        self.shown = MemorySource(info, (SHOWN, np.zeros(SHAPE, np.uint8), self.third))
        self.reader = SliceReader(self.shown, budget_bytes=1 << 20, on_data=lambda: None)
        self.all = Segmentations(Config(), self.sink, lambda ref, _: sources[ref.name], lambda: 0)
        self.all.start(self.shown, self.reader, 1 << 20)

    def add(self, name="pet", ref=True, channel=0, kind="values"):
        source = SegmentationSource(name, VolumeRef(name=name) if ref else None, channel, kind)
        self.all.take([AddSegmentation(source)])

    def settle(self):
        wait_until(self.all.settle, timeout_s=30, what="what was added")

    def failed(self):
        def find():
            return [m for m in self.sink.messages if isinstance(m, SegmentationFailed)]

        wait_until(find, timeout_s=30, what="a failure")
        return find()[-1]

    def read(self, *looks, at=(3, 6, 6), off=(), **fields):
        state = ViewState(slice_idx=at, overlays=looks, width_px=64, height_px=64, **fields)
        self.reader.seat((0, *self.all.seat((0,), state)))
        return self.all.read(0, state, plan_slice(state, self.shown.info), off)


@pytest.fixture
def desk():
    made: list[Desk] = []

    def make(**sources):
        made.append(Desk(**sources))
        return made[-1]

    yield make
    for one in made:
        one.all.close()
        one.reader.close()


def source_of(shape, spacing, origin):
    info = volume_info(shape, kind="medical", affine=affine(spacing, origin))
    return MemorySource(info, (linear(info),))


def test_another_grid_is_read_between_two_of_its_slices(desk) -> None:
    desk = desk(pet=source_of((6, 8, 8), 2.0, -1.0))
    desk.add()
    assert desk.read(PET) == ((), True)  # not open yet: nothing is waited for
    desk.settle()
    ((overlay,), is_complete) = desk.read(PET)
    assert is_complete
    assert (overlay.view.slice_idx, overlay.view.beyond_idx, overlay.view.share) == (2, None, 0)
    ((overlay,), _) = desk.read(PET, at=(4, 6, 6))
    assert (overlay.view.slice_idx, overlay.view.beyond_idx, overlay.view.share) == (2, 3, 0.5)
    found = desk.all.under_pointer((4, 5, 9))
    assert found.overlays == (("pet", pytest.approx(4 + 50 + 900)),)
    assert desk.all.under_pointer((5, 5, 9)).overlays == ()  # on another slice
    ((again,), _) = desk.read(msgspec.structs.replace(PET, opacity=0.9), at=(4, 6, 6))
    assert again.is_of_same_data(overlay)


def test_a_channel_of_the_shown_volume_lies_over_it(desk) -> None:
    desk = desk()
    desk.add(ref=False, channel=2)
    desk.settle()
    ((overlay,), _) = desk.read(PET)
    assert np.array_equal(overlay.data.values, desk.third[3])
    assert desk.all.under_pointer((3, 5, 5)).overlays == (("pet", float(desk.third[3, 5, 5])),)


def test_hidden_overlays_are_not_drawn_and_blinking_ones_are_read_while_off(desk) -> None:
    desk = desk()
    desk.add(ref=False, channel=2)
    desk.settle()
    assert desk.read(msgspec.structs.replace(PET, visible=False)) == ((), True)
    assert desk.read(PET, show_overlays=False) == ((), True)
    assert desk.read(PET, off={"pet"}) == ((), True)
    labels = desk.read(PET, segmentations=(SegmentationLook(name="gone"),))
    assert len(labels[0]) == 1


def test_values_on_their_way_are_clear_and_make_the_picture_not_exact(desk) -> None:
    info = volume_info(SHAPE, kind="medical", dtype="uint8", affine=affine(1.0, 0.5))
    held = HeldSource(info)
    desk = desk(pet=held)
    desk.add()
    desk.settle()
    assert desk.read(PET) == ((), False)
    held.deliver(0)
    ((overlay,), is_complete) = desk.read(PET)
    assert is_complete
    assert overlay.beyond is not None


def test_values_that_changed_in_place_are_read_again(desk) -> None:
    source = source_of(SHAPE, 1.0, 0.0)
    desk = desk(pet=source)
    desk.add()
    desk.settle()
    ((before,), _) = desk.read(PET)
    desk.all.take([RefreshSegmentation("pet")])
    ((after,), _) = desk.read(PET)
    assert not after.is_of_same_data(before)


@pytest.mark.parametrize(
    ("source", "ref", "channel", "kind", "part"),
    [
        (source_of(SHAPE, 1.0, 400.0), True, 0, "values", "lies nowhere in fake"),
        (source_of(SHAPE, 1.0, 0.0), True, 3, "values", "no channel 3"),
        (HeldSource(volume_info(SHAPE, is_label=True)), True, 0, "values", "holds labels"),
        (None, False, 7, "values", "no channel 7"),
        (None, False, 1, "values", "holds labels"),
        (None, False, 2, "labels", "not marked as labels"),
    ],
)
def test_what_cannot_be_says_why_and_changes_nothing(
    desk, source, ref, channel, kind, part
) -> None:
    desk = desk(pet=source)
    desk.add(ref=ref, channel=channel, kind=kind)
    assert part in desk.failed().message
    assert not desk.all.settle()


def test_a_blinking_overlay_is_off_in_the_second_half_of_its_period() -> None:
    clock = FakeClock()
    blink, state = Blink(clock), ViewState(overlays=(BLINKING, OverlayLook(name="other")))
    blink.look(state)
    assert (blink.is_on(state), blink.off, blink.due_in_s(state)) == (True, frozenset(), 1.0)
    clock.now += 1.0
    assert blink.due_in_s(state) == 0
    assert blink.is_due(state)
    blink.look(state)
    assert blink.off == {"pet"}
    clock.now += 0.75
    assert (blink.is_due(state), blink.due_in_s(state)) == (False, 0.25)


@pytest.mark.parametrize(
    "fields",
    [{"overlays": (PET,)}, {"show_overlays": False}, {"overlays": (OverlayLook(name="a"),)}],
)
def test_without_blinking_overlays_nothing_is_ever_due(fields) -> None:
    state = msgspec.structs.replace(ViewState(overlays=(BLINKING,)), **fields)
    blink = Blink(FakeClock())
    blink.look(state)
    assert (blink.is_on(state), blink.due_in_s(state)) == (False, None)


def test_who_wants_no_motion_sees_a_blinking_overlay_all_the_time() -> None:
    clock = FakeClock()
    blink, state = Blink(clock), ViewState(overlays=(BLINKING,))
    clock.now += 1.5
    blink.look(state)
    assert blink.off == {"pet"}
    blink.allow(False)
    assert blink.is_due(state)
    blink.look(state)
    assert (blink.off, blink.due_in_s(state)) == (frozenset(), None)
