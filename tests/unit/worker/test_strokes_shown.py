"""Pictures after edits of labels: made anew where these touched, and the same as made whole.

To within a level: what swscale draws of a part, it would draw with other phases.
"""

from __future__ import annotations

import collections
import itertools

import msgspec
import numpy as np
import pytest

from blustream_widget.core.alignment import SAME_GRID
from blustream_widget.core.segmentation import SegmentationLook
from blustream_widget.core.state import ViewState
from blustream_widget.data import Region, SliceReader
from blustream_widget.data.edited_labels import edited, touched_keys
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.new_labels import NewLabels
from blustream_widget.render import kept_colors, painter
from blustream_widget.render.layers import Overlay, plan_labels
from blustream_widget.render.slice import SliceRenderer
from blustream_widget.render.view import plan_slice
from blustream_widget.testing.fakes import volume_info

SHAPE = (70, 150, 140)
AT = (30, 60, 70)
LOOKS = {
    "fill": SegmentationLook(name="a", opacity=0.4),
    "outline": SegmentationLook(name="a", opacity=0.4, style="outline"),
    "both": SegmentationLook(name="a", opacity=0.4, style="both"),
    "single": SegmentationLook(name="a", opacity=0.4, opacities={2: 0.25, 3: 0.0}, hidden=(4,)),
}
STATE = ViewState(slice_idx=AT, width_px=96, height_px=80, colormap="seismic")
VIEWS = [{}, {"zoom": 2.6, "pan": (0.4, 0.55)}]


class Hand:
    """Labels over a random volume, edited in random boxes; drawn as it goes on, or anew."""

    def __init__(self, labels) -> None:
        self.rng = np.random.default_rng(5)
        self.info = volume_info(SHAPE)
        values = self.rng.normal(size=SHAPE).astype(np.float32)
        self.shown = self.reader_of(MemorySource(self.info, (values,)))
        self.labels = edited(labels, 0)
        self.reader, self.renderer = self.reader_of(self.labels), SliceRenderer()

    def reader_of(self, source):
        return SliceReader(source, budget_bytes=1 << 20, on_data=lambda: None)

    def edit(self) -> None:
        """Give a box a label, which may reach over several bricks."""
        low = np.array(AT) - self.rng.integers(-3, 30, 3)
        high = np.minimum(low + self.rng.integers(1, 40, 3), SHAPE)
        size, channel = self.labels.info.brick_size, self.labels.info.channels[0]
        bricks = {}
        for brick in np.ndindex(*(-(-n // size) for n in SHAPE)):
            first = np.array(brick) * size
            inside = tuple(
                slice(max(a, o) - o, max(min(b, o + size) - o, 0))
                for a, b, o in zip(low, high, first, strict=True)
            )
            now = self.labels.bricks().get(brick)
            new = (
                np.zeros(self.labels.shape_of(brick), channel.dtype) if now is None else now.copy()
            )
            if new[inside].size:
                new[inside] = self.rng.integers(0, 5)
                bricks[brick] = new
        self.labels.put(bricks)
        self.reader.change(touched_keys(0, bricks, n_lods=self.labels.info.n_lods))

    def picture(self, look, state):
        """Draw with the renderer that has drawn what was before."""
        view = plan_slice(state, self.info)
        planned = plan_labels(view, SAME_GRID, self.labels.info, 0)
        base, over = (
            one.read(v.axis, v.slice_idx, 0, v.lod, Region(*v.region), seat=state.axis)
            for one, v in ((self.shown, view), (self.reader, planned))
        )
        overlays = (Overlay(planned, over, look),)
        return self.renderer.draw(base, view, state, self.info, overlays=overlays)

    def draw(self, look, state, *, in_motion, is_anew, renderer=None, space="bt709"):
        view = plan_slice(state, self.info, in_motion=in_motion)
        planned = plan_labels(view, SAME_GRID, self.labels.info, 0)
        assert planned is not None
        reader = self.reader_of(self.labels) if is_anew else self.reader
        renderer = SliceRenderer() if is_anew else renderer or self.renderer
        base, over = (
            one.read(v.axis, v.slice_idx, 0, v.lod, Region(*v.region), seat=state.axis)
            for one, v in ((self.shown, view), (reader, planned))
        )
        if is_anew:
            reader.close()
        overlays = (Overlay(planned, over, look),)
        picture = renderer.draw(base, view, state, self.info, space=space, overlays=overlays)
        return picture.pixels.copy()


def assert_alike(found, expected) -> None:
    """Compare what was drawn by parts."""
    apart = np.abs(found.astype(int) - expected)
    assert apart.max() <= 4  # in the outermost pixels of the slice
    assert (apart > 1).mean() < 0.002


SOURCES = {
    "new": lambda: NewLabels(volume_info(SHAPE), "a", "uint8", {}),
    "array": lambda: MemorySource(
        volume_info(SHAPE, dtype="uint16", is_label=True),
        (np.indices(SHAPE).sum(axis=0).astype(np.uint16) // 90,),
    ),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("look", LOOKS)
def test_a_picture_after_an_edit_is_the_one_that_is_made_anew(source, look, monkeypatch) -> None:
    hand = Hand(SOURCES[source]())
    n_other = 0
    parts = []
    draw_part = painter.draw_part
    monkeypatch.setattr(
        painter, "draw_part", lambda *given, **more: parts.append(1) or draw_part(*given, **more)
    )
    alone = collections.defaultdict(SliceRenderer)  # a picture of its own each, patched in place
    before = {}
    for n in range(8):
        if n:
            hand.edit()
        is_quick = bool(n % 2)  # the next stroke comes before the picture has come to rest
        for place in itertools.product(range(3), range(len(VIEWS)), (True, False)[: 2 - is_quick]):
            axis, view, in_motion = place
            state = msgspec.structs.replace(STATE, axis=axis, **VIEWS[view])
            found, patched, expected = (
                hand.draw(LOOKS[look], state, in_motion=in_motion, is_anew=is_anew, renderer=one)
                for is_anew, one in ((False, None), (False, alone[place]), (True, None))
            )
            assert np.array_equal(found, expected)
            assert_alike(patched, expected)
            n_other += not np.array_equal(found, before.get(place, found))
            before[place] = found
    assert n_other > 10
    assert bool(parts) == (look != "outline")  # which are drawn over the whole


def test_only_what_an_edit_touched_is_coloured_anew(monkeypatch) -> None:
    hand = Hand(SOURCES["new"]())
    boxes = []
    repair = kept_colors.KeptColors._repair
    monkeypatch.setattr(
        kept_colors.KeptColors,
        "_repair",
        lambda self, *given: boxes.append(given[-1]) or repair(self, *given),
    )
    hand.draw(LOOKS["fill"], STATE, in_motion=True, is_anew=False)
    brick = np.zeros(hand.labels.shape_of((0, 1, 1)), np.uint8)
    brick[30, 10:14, 20:30] = 1
    for bricks in ({(0, 1, 1): brick}, {(1, 1, 1): brick[:6] + 1}):  # the other lies elsewhere
        hand.labels.put(bricks)
        hand.reader.change(touched_keys(0, bricks, n_lods=hand.labels.info.n_lods))
        hand.draw(LOOKS["fill"], STATE, in_motion=True, is_anew=False)
    ((rows, columns),) = boxes
    lod = plan_slice(STATE, hand.info, in_motion=True).lod
    sides = sorted((s.stop - s.start) << lod for s in (rows, columns))
    assert sides == [4, 10]


def test_labels_that_change_in_the_users_array_are_seen_when_they_are_refreshed() -> None:
    values = np.zeros(SHAPE, np.uint8)
    hand = Hand(MemorySource(volume_info(SHAPE, dtype="uint8", is_label=True), (values,)))
    for k in range(3):
        values[30, 50 + 5 * k : 70, 60:80] = k + 1
        hand.reader.refresh()
        found, expected = (
            hand.draw(LOOKS["fill"], STATE, in_motion=True, is_anew=is_anew)
            for is_anew in (False, True)
        )
        assert_alike(found, expected)
