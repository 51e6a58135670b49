"""Edits of labels in a worker: every tool, undo of any mix of them, what is refused."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from scipy import ndimage

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.label_edit import (
    Cut,
    Fill,
    Grow,
    Interpolate,
    Islands,
    Smooth,
    Stroke,
    ValueRange,
)
from blustream_widget.core.worker_protocol import (
    BricksEdited,
    EditBricks,
    EditFailed,
    PutBricks,
    RevertBricks,
)
from blustream_widget.data.edited_labels import edited
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.new_labels import NewLabels
from blustream_widget.data.voxels import ReadCancelledError, VoxelReader
from blustream_widget.processing import labels as processing_labels
from blustream_widget.testing.fakes import volume_info
from blustream_widget.testing.waiting import wait_until
from blustream_widget.worker import label_editing
from blustream_widget.worker.label_editing import Edited, LabelEditor
from blustream_widget.worker.label_tools import Editable, LabelTools

SHAPE = (12, 20, 70)
VALUES = np.random.default_rng(1).normal(0, 1, SHAPE).astype(np.float32)


class Desk:
    """Labels over a volume of noise, and an editor."""

    def __init__(self, values=None, alignment=None, dtype="uint8"):
        shown = MemorySource(volume_info(SHAPE), (VALUES,))
        if values is None:
            source = NewLabels(shown.info, "mine", dtype, {})
        else:
            info = volume_info(values.shape, dtype=values.dtype.name, is_label=True)
            source = MemorySource(info, (values,))
        self.labels = edited(source, 0)
        self.target = Editable(
            "mine", self.labels, 0, alignment or Alignment(), shown, 0, is_new=values is None
        )
        self.woken = threading.Semaphore(0)
        self.editor = LabelEditor(self.woken.release)
        self.n = 0

    def ask(self, message):
        """Give what comes of a message."""
        self.editor.take(self.target, message)
        self.laid = ()
        while True:
            assert self.woken.acquire(timeout=30)
            for done in self.editor.finished():
                if isinstance(done, Edited):
                    return done
                self.laid = done.bricks

    def edit(self, edit):
        self.n += 1
        done = self.ask(EditBricks("mine", self.n, edit))
        (answer,) = done.answers
        assert answer.n == self.n
        return answer

    @property
    def values(self):
        return VoxelReader(self.labels, lambda: False).block(0, (0, 0, 0), self.labels.info.shape)


@pytest.fixture
def desk():
    made: list[Desk] = []

    def make(*args, **kwargs):
        made.append(Desk(*args, **kwargs))
        return made[-1]

    yield make
    for one in made:
        one.editor.close()
        wait_until(lambda one=one: not one.editor.is_busy, timeout_s=30, what="the editor's end")


def blobs(seed=0):
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=SHAPE), 2)
    return (noise > 0.05).astype(np.uint8) + (noise > 0.1)


def test_threshold_painting_takes_only_values_in_the_range_and_only_over_a_label(desk) -> None:
    desk = desk(blobs())
    before = desk.values
    stroke = Stroke(
        points=((6, 10, 20), (6, 10, 50)),
        radius=8,
        label=5,
        over=1,
        within=ValueRange(-0.5, 0.5),
    )
    answer = desk.edit(stroke)
    plain = desk_of_ones(stroke)
    wanted = plain & (before == 1) & (VALUES >= -0.5) & (VALUES <= 0.5)
    assert wanted.any()
    assert answer.n_voxels == wanted.sum()
    assert np.array_equal(desk.values, np.where(wanted, 5, before))


def desk_of_ones(stroke):
    """Voxels that a stroke passes over."""
    places = np.moveaxis(np.indices(SHAPE), 0, -1).astype(float)
    (a, b) = np.array(stroke.points, float)
    share = np.clip(((places - a) @ (b - a)) / ((b - a) @ (b - a)), 0, 1)
    return ((places - (a + share[..., None] * (b - a))) ** 2).sum(-1) <= stroke.radius**2


@pytest.mark.parametrize("axis", [None, 0, 1, 2])
def test_a_fill_is_the_component_of_the_seed(desk, axis) -> None:
    desk = desk(blobs())
    before = desk.values
    seed = tuple(int(v) for v in np.argwhere(before == 1)[37])
    answer = desk.edit(Fill(seed=seed, label=9, axis=axis))
    mask = before == 1
    if axis is not None:
        there = np.moveaxis(np.zeros(SHAPE, bool), axis, 0)
        there[seed[axis]] = np.moveaxis(mask, axis, 0)[seed[axis]]
        mask = np.moveaxis(there, 0, axis)
    pieces, _ = ndimage.label(mask)
    wanted = np.where(pieces == pieces[seed], 9, before)
    assert np.array_equal(desk.values, wanted)
    assert answer.n_voxels == (wanted != before).sum()


def test_a_region_grows_along_values_joined_to_the_seed(desk) -> None:
    desk = desk()
    seed = tuple(int(v) for v in np.argwhere(VALUES > 0)[100])
    desk.edit(Grow(seed=seed, label=2, within=ValueRange(-0.2, 9.0)))
    pieces, _ = ndimage.label(np.float32(-0.2) <= VALUES)
    assert np.array_equal(desk.values == 2, pieces == pieces[seed])
    assert desk.values.any()


def test_a_region_has_the_seeds_value_up_to_a_tolerance(desk) -> None:
    desk = desk()
    seed = (6, 10, 30)
    near = np.abs(VALUES - VALUES[seed]) <= 0.9
    desk.edit(Grow(seed=seed, label=2, tolerance=0.9))
    pieces, _ = ndimage.label(near)
    assert np.array_equal(desk.values == 2, pieces == pieces[seed])
    assert (desk.values == 2).sum() > 1
    assert desk.edit(Grow(seed=seed, label=1, tolerance=0.1, channel=5)).code == "state"


def test_the_background_is_filled_through_bricks_without_edits(desk) -> None:
    desk = desk()
    desk.edit(Stroke(points=((6, 10, 30),), radius=5, label=1))
    assert desk.edit(Fill(seed=(0, 0, 0), label=3)).n_voxels == (desk.values == 3).sum()
    assert (desk.values == 0).sum() == 0


@pytest.mark.parametrize(
    "edit",
    [Smooth(label=2, radius=1.5), Islands(label=2, min_voxels=40), Interpolate(label=2, axis=0)],
)
def test_a_label_is_reshaped_without_taking_voxels_of_another(desk, edit) -> None:
    values = blobs(4)
    if isinstance(edit, Interpolate):
        values[1::2][values[1::2] == 2] = 0
    desk = desk(values)
    before = desk.values
    assert desk.edit(edit).n_voxels > 0
    after = desk.values
    assert np.array_equal(after == 1, before == 1)
    assert set(np.unique(after)) <= {0, 1, 2}


def test_labels_on_another_grid_are_painted_where_they_are_seen(desk) -> None:
    half = Alignment((1, 0, 2), (2.0, 0.5, 1.0), (0.0, 0.0, 0.0))
    desk = desk(np.zeros((10, 24, 70), np.uint16), half)
    desk.edit(Stroke(points=((6, 10, 30),), radius=4.2, label=300))
    centre = np.argwhere(desk.values == 300).mean(axis=0)
    assert centre == pytest.approx((5, 12, 30))
    spans = np.ptp(np.argwhere(desk.values == 300), axis=0) + 1
    assert tuple(spans) == (5, 17, 9)  # 8.4 wide at 2, 0.5 and 1 apart
    refused = desk.edit(Grow(seed=(0, 0, 0), label=1, within=ValueRange(0, 1)))
    assert "another grid" in refused.message


RANDOM_EDITS = [
    lambda r: Stroke(
        points=tuple(tuple(r.uniform(0, n) for n in SHAPE) for _ in range(r.integers(1, 5))),
        radius=float(r.uniform(0.5, 6)),
        label=int(r.integers(0, 4)),
        axis=r.choice([None, 0, 1, 2]),
        over=r.choice([None, 0, 1]),
        within=None if r.random() < 0.5 else ValueRange(-1.0, 1.0),
    ),
    lambda r: Fill(seed=tuple(float(r.integers(0, n)) for n in SHAPE), label=int(r.integers(0, 4))),
    lambda r: Cut(
        points=tuple(tuple(r.uniform(0, n) for n in SHAPE) for _ in range(4)),
        label=int(r.integers(0, 4)),
        axis=int(r.integers(0, 3)),
        is_outside=bool(r.random() < 0.3),
        slices=(2, 9),
    ),
    lambda r: Smooth(label=int(r.integers(1, 3)), radius=1.0),
    lambda r: Islands(label=int(r.integers(1, 3)), min_voxels=int(r.integers(0, 20))),
]


@pytest.mark.parametrize("seed", range(4))
def test_undo_of_any_edits_gives_back_the_exact_labels_and_redo_too(desk, seed) -> None:
    rng = np.random.default_rng(seed)
    desk = desk(blobs(seed) if seed % 2 else None)
    states, steps = [desk.values], []
    for _ in range(12):
        answer = desk.edit(RANDOM_EDITS[rng.integers(0, len(RANDOM_EDITS))](rng))
        if isinstance(answer, BricksEdited) and answer.changes:
            steps.append(answer.changes)
            states.append(desk.values)
            assert answer.n_voxels == (states[-1] != states[-2]).sum()
    assert len(steps) > 4
    for changes, wanted in zip(reversed(steps), reversed(states[:-1]), strict=True):
        desk.ask(RevertBricks("mine", 0, changes))
        assert np.array_equal(desk.values, wanted)
    for changes, wanted in zip(steps, states[1:], strict=True):
        turned = tuple(type(one)(one.brick, one.new, one.old) for one in changes)
        desk.ask(RevertBricks("mine", 0, turned))
        assert np.array_equal(desk.values, wanted)


def test_undo_leaves_what_another_has_painted_since(desk) -> None:
    desk = desk()
    mine = desk.edit(Stroke(points=((6, 10, 30),), radius=5, label=1))
    desk.edit(Stroke(points=((6, 10, 36),), radius=5, label=2))
    theirs = desk.values == 2
    done = desk.ask(RevertBricks("mine", 9, mine.changes))
    assert np.array_equal(desk.values, np.where(theirs, 2, 0))
    assert done.answers[0].n_voxels > 0


def test_a_new_worker_has_what_was_edited_in_another(desk) -> None:
    first = desk()
    answer = first.edit(Stroke(points=((6, 10, 30), (6, 10, 69)), radius=5, label=1))
    second = desk()
    done = second.ask(PutBricks("mine", tuple((one.brick, one.new) for one in answer.changes)))
    assert np.array_equal(second.values, first.values)
    assert done.counts is None  # to be counted anew
    assert not done.answers


@pytest.mark.parametrize(
    "edit",
    [
        Stroke(points=((0, 0, 0),), radius=2, label=300),
        Stroke(points=((0, 0, 0),), radius=2, label=-1),
        Stroke(points=((0, 0, 0),), radius=2, label=1, within=ValueRange(0, 1, 3)),
        Fill(seed=(0, 0, 70), label=1),
        Fill(seed=(-1, 0, 0), label=1),
        Smooth(label=7, radius=1),
        Smooth(label=0, radius=1),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(desk, edit) -> None:
    desk = desk()
    answer = desk.edit(edit)
    assert isinstance(answer, EditFailed)
    assert answer.message
    assert not desk.labels.bricks()


class Slow:
    """A volume whose bricks come when they are let through."""

    def __init__(self, source):
        self._source, self.info = source, source.info
        self.asked, self.gate = threading.Event(), threading.Event()

    def request_brick(self, key, done, *, prefetch=False):
        self.asked.set()
        if self.gate.is_set():
            return self._source.request_brick(key, done, prefetch=prefetch)
        return Request()


class Request:
    def cancel(self):
        pass


@pytest.mark.parametrize(
    "edit",
    [
        Fill(seed=(0, 0, 0), label=9),
        Smooth(label=2, radius=1.0),
        Islands(label=2),
        Interpolate(label=2, axis=0),
        Stroke(points=((6, 10, 20),), radius=4, label=1),
    ],
    ids=lambda edit: type(edit).__name__,
)
def test_a_cancelled_edit_changes_nothing_and_the_next_one_is_done(desk, edit) -> None:
    desk = desk(blobs())
    slow = Slow(desk.labels._source)
    desk.labels._source = slow
    desk.editor.take(desk.target, EditBricks("mine", 1, edit))
    assert slow.asked.wait(30)
    desk.editor.cancel(1)
    assert desk.woken.acquire(timeout=30)
    ((answer,),) = [done.answers for done in desk.editor.finished()]
    assert (answer.n, answer.code) == (1, "edit-cancelled")
    assert desk.labels.bricks() == {}
    slow.gate.set()
    desk.n = 1
    assert desk.edit(Stroke(points=((6, 10, 20),), radius=4, label=1)).n_voxels > 0


def test_what_is_laid_is_drawn_before_it_is_packed(desk, monkeypatch) -> None:
    desk = desk()
    gate = threading.Event()
    monkeypatch.setattr(label_editing, "pack_brick", lambda _: b"" if gate.wait(30) else None)
    stroke = Stroke(points=((6, 10, 20),), radius=4, label=1)
    desk.editor.take(desk.target, EditBricks("mine", 1, stroke))
    assert desk.woken.acquire(timeout=30)
    (laid,) = desk.editor.finished()
    assert (laid.n, laid.bricks) == (1, tuple(desk.labels.bricks()))
    gate.set()
    assert desk.woken.acquire(timeout=30)
    (done,) = desk.editor.finished()
    assert done.answers[-1].n_voxels == np.count_nonzero(desk.values)


def test_an_edit_is_cancelled_between_the_parts_of_its_work(monkeypatch) -> None:
    monkeypatch.setattr(processing_labels, "_SLAB_VOXELS", 1)
    desk = Desk(blobs())
    shares: list[float | None] = []

    def on_progress(share):
        shares.append(share)

    for edit in (Smooth(label=2, radius=1.0), Islands(label=2), Interpolate(label=1, axis=1)):
        shares.clear()
        LabelTools(desk.target, lambda: False, on_progress).edited(edit)
        assert shares == sorted(shares)
        assert shares[0] > 0
        assert shares[-1] <= 1
        tools = LabelTools(desk.target, lambda: bool(shares) and shares[-1] > 0.6, on_progress)
        shares.clear()
        if not isinstance(edit, Interpolate):
            with pytest.raises(ReadCancelledError):
                tools.edited(edit)
    desk.editor.close()


@pytest.mark.parametrize(
    "edit",
    [
        Fill(seed=(6, 10, 20), label=9),
        Grow(seed=(6, 10, 20), label=9, tolerance=9.0),
        Smooth(label=2, radius=1.0),
        Islands(label=2),
        Interpolate(label=2, axis=1),
        Stroke(points=((6, 10, 20),), radius=4, label=9),
    ],
    ids=lambda edit: type(edit).__name__,
)
def test_how_far_a_tool_is_is_told_before_what_it_changed_is_laid_for_the_picture(
    monkeypatch, edit
) -> None:
    monkeypatch.setattr(label_editing, "_PROGRESS_APART_S", 0.0)
    values = blobs()
    values[:, 4] = 0  # for what fills between slices, and islands
    desk = Desk(values)
    told: list[object] = []
    monkeypatch.setattr(desk.editor, "_tell", told.append)
    lay = desk.labels.lay
    monkeypatch.setattr(desk.labels, "lay", lambda bricks: told.append("laid") or lay(bricks))
    desk.edit(edit)
    assert told.pop() == "laid"
    assert told
    assert all(
        (one.name, one.n) == ("mine", 1) and (one.share is None or 0 < one.share <= 1)
        for one in told
    )
    desk.editor.close()
