"""Edits of several people at once: one order, nobody's undo takes another's, cancel and again."""

from __future__ import annotations

import itertools

import pytest

from blustream_widget.core import link_labels as ll
from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.label_edit import (
    BrickChange,
    CancelEdit,
    EditProgress,
    LabelsEdited,
    Stroke,
)
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.core.types import Channel
from blustream_widget.session.kernel_port import KernelPort
from blustream_widget.session.label_edits import LabelEdits

STROKE = Stroke(points=((1, 2, 3),), radius=2, label=1)


class Viewer:
    def __init__(self, peer, role):
        self.peer, self.role, self.heard, self.errors = peer, role, [], []
        self.author = role if role == "owner" else f"{role}-{peer}"

    def send(self, message):
        self.heard.append(message)

    def send_error(self, error):
        self.errors.append(error)


class Worker:
    """A worker that keeps one number for each brick, and does what it is told when it is asked."""

    status = "ready"

    def __init__(self):
        self.sent, self.bricks = [], {}

    def send(self, message):
        self.sent.append(message)

    def do(self, edits, message):
        """Painting writes the edit's own number; taking back gives what was there before."""
        if isinstance(message, wp.RevertBricks):
            wanted = {
                one.brick: one.old
                for one in message.changes
                if self.bricks.get((message.name, one.brick), b"0") == one.new
            }
        else:
            wanted = {(int(message.edit.points[0][0]), 0, 0): str(message.n).encode()}
        changes = tuple(
            BrickChange(brick, self.bricks.get((message.name, brick), b"0"), new)
            for brick, new in wanted.items()
        )
        self.bricks |= {(message.name, brick): new for brick, new in wanted.items()}
        edits.heard(wp.BricksEdited(message.name, message.n, len(changes), changes))


class Room:
    def __init__(self):
        self.worker, self.viewers, self.told = Worker(), [], []
        port = KernelPort("s")
        port.attach(self)
        channel = Channel("x", "", "uint8", 0, 2, is_label=True)
        self.infos = {name: SegmentationInfo(name, channel) for name in ("a", "b")}
        self.known = {"a": "1", "b": "2"}
        self.seqs = itertools.count(1)
        self.edits = LabelEdits(
            viewers=lambda: self.viewers,
            kernel=port,
            supervisor=self.worker,
            want_worker=lambda: None,
            info_of=lambda name: self.infos.get(name),
            source_of=lambda name: self.known.get(name, ""),
            frame_no=lambda: 0,
        )

    def tell(self, message):
        self.told.append(message)

    def viewer(self, role="owner"):
        self.viewers.append(Viewer(len(self.viewers) + 1, role))
        return self.viewers[-1]

    def paint(self, viewer, name, brick):
        edit = Stroke(points=((brick, 0, 0),), radius=1, label=1)
        self.edits.edit_by(viewer, p.EditLabels(seq=next(self.seqs), name=name, edit=edit))

    def undo(self, viewer, way="undo"):
        self.edits.edit_by(viewer, p.EditLabels(seq=next(self.seqs), history=way))

    def work(self, most=100):
        """The worker does what it was sent, in that order."""
        for _ in range(most):
            if not self.worker.sent:
                return
            self.worker.do(self.edits, self.worker.sent.pop(0))


@pytest.fixture
def room():
    return Room()


def test_two_people_edit_two_segmentations_and_the_same_one_without_loss(room) -> None:
    me, other = room.viewer(), room.viewer("editor")
    for brick in range(4):
        room.paint(me, "a", brick)
        room.paint(other, "b", brick)
        room.paint(other, "a", 10 + brick)
    sent = [message.n for message in room.worker.sent]
    assert sent == sorted(sent)
    assert len(sent) == 12
    room.work()
    assert {brick[0] for brick, _ in room.edits.bricks_of("a")} == {0, 1, 2, 3, 10, 11, 12, 13}
    assert {brick[0] for brick, _ in room.edits.bricks_of("b")} == {0, 1, 2, 3}
    kept = {("a", brick): data for brick, data in room.edits.bricks_of("a")}
    kept |= {("b", brick): data for brick, data in room.edits.bricks_of("b")}
    assert kept == room.worker.bricks
    assert not me.errors + other.errors


def test_each_takes_back_their_own_and_what_the_other_changed_since_stays(room) -> None:
    me, other = room.viewer(), room.viewer("editor")
    room.paint(me, "a", 1)
    room.paint(me, "a", 2)
    room.paint(other, "a", 2)
    room.work()
    theirs = room.worker.bricks["a", (2, 0, 0)]
    room.undo(me)  # of brick 2, where the other has painted since
    room.undo(me)
    room.work()
    assert room.worker.bricks["a", (2, 0, 0)] == theirs
    assert room.worker.bricks["a", (1, 0, 0)] == b"0"
    room.undo(me)
    assert "nothing to undo" in me.errors[-1].message
    room.undo(other)
    room.work()
    assert room.worker.bricks["a", (2, 0, 0)] != theirs


def test_undo_right_after_a_stroke_takes_that_stroke_back_not_the_one_before(room) -> None:
    me, other = room.viewer(), room.viewer("editor")
    room.paint(me, "a", 1)
    room.work()
    room.paint(me, "a", 2)  # not done yet
    room.undo(me)
    room.paint(other, "a", 3)
    assert len(room.worker.sent) == 1  # what comes behind waits, so that the order stays
    room.work()
    assert room.worker.bricks["a", (1, 0, 0)] == b"1"
    assert room.worker.bricks["a", (2, 0, 0)] == b"0"
    assert ("a", (3, 0, 0)) in room.worker.bricks


def test_a_cancelled_edit_is_no_error_to_who_cancelled_it(room) -> None:
    me, other = room.viewer(), room.viewer("editor")
    room.paint(me, "a", 1)
    room.edits.cancel_by(other, CancelEdit(seq=1))  # not theirs
    assert len(room.worker.sent) == 1
    room.edits.heard(wp.EditProgress("a", 1, 0.5))
    assert me.heard == [EditProgress("a", 1, 0.5)]
    assert not other.heard
    room.edits.cancel_by(me, CancelEdit(seq=1))
    assert room.worker.sent[-1] == wp.CancelEdit("a", 1)
    room.edits.heard(wp.EditFailed("a", 1, "edit-cancelled", "Cancelled."))
    assert me.heard[-1] == LabelsEdited("a", 1, 0)
    assert not me.errors
    assert not room.edits.is_busy


def test_an_edit_that_the_worker_was_not_told_is_cancelled_at_once(room) -> None:
    room.worker.status = "opening"
    room.edits.edit_by_kernel(ll.EditLabels(session="s", name="a", n=5, edit=STROKE))
    room.edits.cancel_by_kernel(ll.CancelEdit(session="s", n=5))
    assert not room.edits.is_busy
    assert room.told[-1].code == "edit-cancelled"


def test_what_the_kernel_asks_again_is_done_once_and_answered_again(room) -> None:
    message = ll.EditLabels(session="s", name="a", n=1, edit=STROKE)
    room.edits.edit_by_kernel(message)
    room.edits.edit_by_kernel(message)
    assert len(room.worker.sent) == 1
    room.work()
    room.edits.edit_by_kernel(message)
    assert not room.worker.sent
    assert room.told == [ll.LabelsEdited("s", "a", 1, 1)] * 2


def test_edits_of_labels_that_open_again_wait_for_them(room) -> None:
    info = room.infos.pop("a")
    me = room.viewer()
    room.paint(me, "a", 1)
    room.paint(me, "b", 2)
    assert not room.worker.sent
    room.infos["a"] = info
    room.edits.ask()
    assert [message.name for message in room.worker.sent] == ["a", "b"]
    room.paint(me, "c", 1)
    assert "no segmentation 'c'" in me.errors[-1].message
