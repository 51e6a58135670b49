"""Which pictures the worker makes of strokes: from rest, and soon after a step."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.worker.pipeline_kit import Bench

from blustream_widget.core.label_edit import Stroke
from blustream_widget.core.segmentation import SegmentationLook, SegmentationSource
from blustream_widget.core.worker_protocol import (
    AddSegmentation,
    BricksEdited,
    EditBricks,
    SegmentationOpened,
)
from blustream_widget.data.memory import MemorySource
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker import pipeline
from blustream_widget.worker.schedule import REST_S

# On a pane of 128 x 64 pixels voxels have 0.7: each its own at rest, four one in motion.
SHAPE = (6, 182, 91)
SHARP, IN_MOTION = 0, 1
LOOK = (SegmentationLook(name="a"),)


class Desk(Bench):
    """New labels over a volume of noise."""

    def __init__(self) -> None:
        values = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
        super().__init__(MemorySource(volume_info(SHAPE, kind="seismic", n_lods=2), (values,)))
        self.n = 0
        self.open()
        self.put(AddSegmentation(SegmentationSource("a", new="uint8")))
        self.until(lambda: any(m.info.is_counted for m in self.of(SegmentationOpened)))
        self.go_to(3)
        self.rest()

    @property
    def lods(self):
        return [header.lod for header, _ in self.sink.video]

    def until(self, condition) -> None:
        wait_until(lambda: self.step() or condition(), timeout_s=30, what="an answer")

    def go_to(self, slice_idx: int) -> None:
        self.clock.now += 0.02
        self.show(slice_idx=(slice_idx, 0, 0), segmentations=LOOK)

    def paint(self, radius: float = 6.0) -> None:
        self.n += 1
        self.clock.now += 0.02
        middle = (3.0, 20.0 + 9 * self.n, 40.0)
        self.put(EditBricks("a", self.n, Stroke(points=(middle,), radius=radius, label=1, axis=0)))
        self.until(lambda: any(m.n == self.n and not m.more for m in self.of(BricksEdited)))


@pytest.fixture
def desk():
    desk = Desk()
    yield desk
    desk.pipeline.close()


def test_strokes_from_rest_leave_the_picture_as_sharp_as_it_is(desk) -> None:
    assert desk.lods[-1] == SHARP
    n, n_stills = len(desk.lods), len(desk.sink.stills)
    for _ in range(3):
        desk.paint()
    assert desk.lods[n:] == [SHARP] * 3
    assert len(desk.sink.stills) == n_stills
    desk.rest()
    assert len(desk.lods) == n + 3  # what was drawn of the strokes is what is shown at rest
    assert len(desk.sink.stills) == n_stills + 1


def test_a_stroke_soon_after_a_step_is_drawn_as_the_step_and_made_sharp_later(desk) -> None:
    desk.go_to(2)
    desk.go_to(3)
    desk.paint()
    assert desk.lods[-3:] == [IN_MOTION] * 3
    n = len(desk.lods)
    desk.step(REST_S)
    assert desk.lods[n:] == [SHARP]


@pytest.mark.parametrize(("radius", "lod"), [(6.0, SHARP), (60.0, IN_MOTION)])
def test_only_an_edit_of_a_part_of_a_large_slice_is_shown_sharp(
    desk, monkeypatch, radius, lod
) -> None:
    monkeypatch.setattr(pipeline, "_WHOLE_VOXELS", 0)
    desk.paint(radius)
    assert desk.lods[-1] == lod
