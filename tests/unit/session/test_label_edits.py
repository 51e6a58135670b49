"""Edits of labels at the server: who may, in which order, taken back by whom, kept for a worker."""

from __future__ import annotations

import itertools

import pytest

from blustream_widget.core import link_labels as ll
from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.label_edit import BrickChange, Fill, LabelsEdited, Stroke
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.core.types import Channel
from blustream_widget.errors import ProtocolError
from blustream_widget.session import label_history
from blustream_widget.session.kernel_port import KernelPort
from blustream_widget.session.label_edits import LabelEdits

STROKE = Stroke(points=((1, 2, 3),), radius=2, label=1)
CHANNEL = Channel("mine", "", "uint8", 0, 2, is_label=True, label_names={9: "nine"})


class Viewer:
    def __init__(self, peer, role="owner"):
        self.peer, self.role, self.heard, self.errors = peer, role, [], []
        self.author = role if role == "owner" else f"{role}-{peer}"

    def send(self, message):
        self.heard.append(message)

    def send_error(self, error):
        self.errors.append(error)


class Worker:
    status = "ready"

    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)


class Kernel:
    def __init__(self):
        self.heard = []

    def tell(self, message):
        self.heard.append(message)


class Desk:
    def __init__(self):
        self.worker, self.kernel, self.viewers = Worker(), Kernel(), []
        self.frame_no = 7
        port = KernelPort("s")
        port.attach(self.kernel)
        infos = {"mine": SegmentationInfo("mine", CHANNEL)}
        self.seqs = itertools.count(1)
        self.edits = LabelEdits(
            viewers=lambda: self.viewers,
            kernel=port,
            supervisor=self.worker,
            want_worker=lambda: None,
            info_of=infos.get,
            frame_no=lambda: self.frame_no,
        )

    def viewer(self, role="owner"):
        self.viewers.append(Viewer(len(self.viewers) + 1, role))
        return self.viewers[-1]

    def ask(self, viewer, edit=STROKE, history="", name="mine"):
        message = p.EditLabels(seq=next(self.seqs), name=name, edit=edit, history=history)
        self.edits.edit_by(viewer, message)

    def does(self, *changes, n_voxels=5, more=False):
        """The worker has done what it was asked last."""
        n = self.worker.sent[-1].n
        self.edits.heard(wp.BricksEdited("mine", n, n_voxels, changes, more))


@pytest.fixture
def desk():
    return Desk()


def change(brick, old=b"old", new=b"new"):
    return BrickChange((brick, 0, 0), old, new)


def test_an_edit_goes_to_the_worker_and_back_to_all(desk) -> None:
    me, other = desk.viewer(), desk.viewer("viewer")
    desk.ask(me)
    assert desk.worker.sent == [wp.EditBricks("mine", 1, STROKE)]
    assert desk.edits.is_busy
    desk.does(n_voxels=0, more=True)
    desk.frame_no = 8  # the picture that has it is not held up by what is packed of it
    desk.does(change(0), more=True)
    assert not me.heard
    desk.does(change(1))
    assert me.heard == [LabelsEdited("mine", 1, 7, 10, can_undo=True)]
    assert other.heard == [LabelsEdited("mine", 0, 7, 10)]
    assert not desk.edits.is_busy
    assert desk.edits.bricks_of("mine") == (((0, 0, 0), b"new"), ((1, 0, 0), b"new"))


def test_undo_is_of_ones_own_edits_and_is_turned_round_by_redo(desk) -> None:
    me, other = desk.viewer(), desk.viewer("editor")
    desk.ask(me)
    desk.does(change(0, b"0", b"1"))
    desk.ask(other)
    desk.does(change(0, b"1", b"2"))
    desk.ask(me, None, "undo")
    assert desk.worker.sent[-1].changes == (change(0, b"0", b"1"),)
    desk.does(change(0, b"2", b"2'"))
    assert (me.heard[-1].can_undo, me.heard[-1].can_redo) == (False, True)
    assert other.heard[-1].can_undo
    desk.ask(me, None, "redo")
    assert desk.worker.sent[-1].changes == (change(0, b"1", b"0"),)
    desk.does()
    assert (me.heard[-1].can_undo, me.heard[-1].can_redo) == (True, False)
    desk.ask(me, None, "redo")
    assert "nothing to redo" in me.errors[-1].message


@pytest.mark.parametrize("role", ["viewer", "annotator"])
def test_who_may_only_look_edits_nothing(desk, role) -> None:
    guest = desk.viewer(role)
    desk.ask(guest)
    assert not desk.worker.sent
    assert guest.errors[0].code == "not-driver"
    assert guest.heard == [LabelsEdited("mine", 1, 7)]  # its preview can go


@pytest.mark.parametrize(
    ("edit", "name", "words"),
    [
        (Stroke(points=((1, 2, 3),), radius=2, label=4), "mine", "no label 4"),
        (Stroke(points=((1, 2, 3),), radius=2, label=-1), "mine", "no label -1"),
        (STROKE, "other", "no segmentation 'other'"),
        (None, "mine", "nothing to do"),
    ],
)
def test_what_cannot_be_is_one_error_and_changes_nothing(desk, edit, name, words) -> None:
    me = desk.viewer()
    desk.ask(me, edit, name=name)
    assert not desk.worker.sent
    assert [words in error.message for error in me.errors] == [True]


@pytest.mark.parametrize("label", [0, 2, 3, 9])
def test_labels_that_occur_that_are_named_and_the_next_one_are_known(desk, label) -> None:
    me = desk.viewer()
    desk.ask(me, Fill(seed=(0, 0, 0), label=label))
    assert len(desk.worker.sent) == 1
    assert not me.errors


@pytest.mark.parametrize(
    "edit",
    [
        '{"kind":"stroke","points":[[0,0,NaN]],"radius":1,"label":1}',
        '{"kind":"stroke","points":[[0,0,0]],"radius":NaN,"label":1}',
        '{"kind":"stroke","points":[[0,0,0]],"radius":0,"label":1}',
        '{"kind":"stroke","points":[[0,0,0]],"radius":1e99,"label":1}',
        '{"kind":"stroke","points":[],"radius":1,"label":1}',
        '{"kind":"stroke","points":[[0,0]],"radius":1,"label":1}',
        '{"kind":"stroke","points":[[0,0,0]],"radius":1,"label":1.5}',
        '{"kind":"stroke","points":[[0,0,0]],"radius":1,"label":1,"axis":3}',
        '{"kind":"cut","points":[[0,0,0],[1,1,1]],"label":1,"axis":0}',
        '{"kind":"explode","label":1}',
        '{"kind":"stroke","points":[' + ",".join(["[0,0,0]"] * 2001) + '],"radius":1,"label":1}',
        '{"kind":"stroke","points":[' + ",".join(["[0,0,0]"] * 10**6) + '],"radius":1,"label":1}',
    ],
    ids=lambda text: text[:60],
)
def test_hostile_messages_are_not_of_the_protocol(edit) -> None:
    text = '{"type":112,"seq":1,"name":"mine","edit":' + edit + "}"
    with pytest.raises(ProtocolError):
        p.decode_viewer(text)


def test_a_new_worker_gets_back_what_was_edited_and_what_waits(desk) -> None:
    me = desk.viewer()
    desk.ask(me)
    desk.does(change(0))
    desk.ask(me, Fill(seed=(0, 0, 0), label=2))
    desk.worker.sent.clear()
    desk.edits.restart()
    desk.edits.catch_up("mine")
    desk.edits.ask()
    assert desk.worker.sent == [
        wp.PutBricks("mine", (((0, 0, 0), b"new"),)),
        wp.EditBricks("mine", 2, Fill(seed=(0, 0, 0), label=2)),
    ]
    desk.edits.restart()
    desk.edits.ask()
    desk.edits.restart()  # the third worker that did not live to do it
    assert not desk.edits.is_busy
    assert "workers ended" in me.errors[-1].message


def test_an_edit_that_fails_can_be_taken_back_later_and_is_told(desk) -> None:
    me = desk.viewer()
    desk.ask(me)
    desk.does(change(0))
    desk.ask(me, None, "undo")
    desk.edits.heard(wp.EditFailed("mine", desk.worker.sent[-1].n, "brick-read", "Gone."))
    assert me.errors[-1].message == "Gone."
    assert me.heard[-1].can_undo


def test_the_kernel_is_answered_once(desk) -> None:
    message = ll.EditLabels(session="s", name="mine", n=1, edit=STROKE)
    desk.edits.edit_by_kernel(message)
    desk.edits.edit_by_kernel(message)  # sent again after the link broke
    assert len(desk.worker.sent) == 1
    desk.does(change(0), n_voxels=3)
    assert desk.kernel.heard == [ll.LabelsEdited("s", "mine", 1, 3)]
    desk.edits.edit_by_kernel(ll.EditLabels(session="s", name="other", n=2, edit=STROKE))
    assert isinstance(desk.kernel.heard[-1], ll.EditRefused)


def test_the_oldest_steps_are_forgotten_with_a_word(desk, monkeypatch) -> None:
    monkeypatch.setattr(label_history, "MAX_HISTORY_BYTES", 2500)
    me = desk.viewer()
    for _ in range(3):
        desk.ask(me)
        desk.does(change(0, bytes(500), bytes(500)))
    for _ in range(2):
        desk.ask(me, None, "undo")
        desk.does()
    assert not me.errors
    desk.ask(me, None, "undo")
    assert "not kept any more" in me.errors[-1].message


def test_labels_that_are_taken_away_leave_nothing(desk) -> None:
    me = desk.viewer()
    desk.ask(me)
    desk.does(change(0))
    desk.ask(me)
    desk.edits.forget("mine")
    assert not desk.edits.is_busy
    assert desk.edits.bricks_of("mine") == ()
    assert "taken away" in me.errors[-1].message
    assert not me.heard[-1].can_undo
