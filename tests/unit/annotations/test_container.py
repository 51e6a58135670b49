"""`viewer.annotations` and the session's board: one order, however they are edited."""

from __future__ import annotations

import numpy as np
import pytest

from blustream_widget.annotations import AnnotationsChange, annotation
from blustream_widget.annotations.container import Annotations
from blustream_widget.annotations.mirror import AnnotationMirror
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    DragPoint,
    EditAnnotations,
    PutItem,
    RemoveItem,
    SetItem,
)
from blustream_widget.core.annotation_set import AnnotationSet
from blustream_widget.errors import AnnotationError, TransportError
from blustream_widget.session import annotations as board_module
from blustream_widget.session.annotations import AnnotationBoard
from blustream_widget.session.kernel_port import KernelPort
from blustream_widget.testing.fakes import volume_info

INFO = volume_info((100, 80, 50))
LINE = [(1, 2, 3), (4, 5, 6)]


class Page:
    """A viewer of the session, and what its browser makes of the messages."""

    def __init__(self, board, peer, role="owner"):
        self.author = role if role == "owner" else f"{role}-{peer}"
        self.peer, self.role, self.annotation_seq = peer, role, 0
        self.items, self.messages, self.errors = AnnotationSet(), [], []
        self._board, self._seq = board, 0

    def send(self, message):
        self.messages.append(p.decode_server(p.encode(message)))
        assert isinstance(message, AnnotationEdits)
        if message.reset:
            self.items = AnnotationSet()
        self.items.follow(message.edits)

    def send_error(self, error):
        self.errors.append(error.code)

    def edit(self, *edits, gesture=0, history=""):
        self._seq += 1
        message = EditAnnotations(seq=self._seq, edits=edits, gesture=gesture, history=history)
        self._board.edit_by(self, p.decode_viewer(p.encode(message)))


class Desk:
    """A board, its pages, and the kernel's container. `is_cut`: nothing comes through."""

    def __init__(self):
        self.pages, self.changes, self.is_cut = [], [], False
        self.errors, self.held = [], None
        self.serve()
        self.mirror = AnnotationMirror("s", self.post, self.heard)
        self.container = Annotations(
            self.mirror,
            info=lambda: INFO,
            measure=lambda item: item,
            on_change=self.changes.append,
        )
        self.reconnect()

    def reconnect(self):
        """As the hub does when the kernel's link takes the session up."""
        self.is_cut = False
        known = self.board.known_revision
        self.mirror.opened(known)
        self.board.attach_kernel()

    def serve(self):
        port = KernelPort("s")
        port.attach(self)
        self.board = AnnotationBoard(
            viewers=lambda: self.pages, kernel=port, shape=lambda: INFO.shape
        )

    def join(self, role="owner"):
        page = Page(self.board, len(self.pages) + 1, role)
        self.pages.append(page)
        self.board.welcome(page)
        return page

    def deliver(self, n=None):
        """Let what was held back come through, or its first `n` messages alone."""
        held, self.held = self.held[:n], None
        for message in held:
            self.post(message)

    def post(self, message):
        if self.held is not None:
            self.held.append(message)
        elif not self.is_cut:
            sent = lp.to_server_decoder.decode(lp.encoder.encode(message))
            self.board.edit_by_kernel(sent)

    def tell(self, message):
        if self.is_cut:
            return
        heard = lp.to_kernel_decoder.decode(lp.encoder.encode(message))
        if isinstance(heard, lp.SessionError):
            self.errors.append(heard)
        else:
            self.mirror.hear(heard)

    def heard(self):
        self.container.tell(is_remote=True)

    def agree(self):
        values = list(self.container.values)
        assert all(list(page.items) == [v.id for v in values] for page in self.pages)
        for page in self.pages:
            assert all(a.looks_like(b) for a, b in zip(page.items.values(), values, strict=True))


@pytest.fixture
async def desk(monkeypatch):
    monkeypatch.setattr(board_module, "MIRROR_INTERVAL_S", 0.0)
    return Desk()


async def test_python_and_two_pages_see_the_same(desk):
    one = desk.join()
    line = desk.container.add("line", LINE, label="first")
    one.edit(PutItem(annotation("point", (1, 1, 1), id="p")), SetItem(line.id, color="#112233"))
    two = desk.join()
    two.edit(DragPoint(line.id, 1, (9.0, 9.0, 9.0)))
    line.label = "again"
    desk.agree()
    assert (line.label, line.color, line.points[1]) == ("again", "#112233", (9.0, 9.0, 9.0))
    assert [item.kind for item in desk.container] == ["line", "point"]
    assert two.messages[0].reset
    assert [m.seq for m in two.messages][-2:] == [1, 1]


async def test_observers_hear_once_what_changed(desk):
    heard: list[AnnotationsChange] = []
    page = desk.join()
    desk.container.observe(heard.append)
    with desk.container.batch():
        item = desk.container.add("line", LINE)
        item.label, item.color = "a", "#000000"
        desk.container.add("point", np.array([1, 2, 3], np.int32))
    page.edit(SetItem(item.id, label="b"), RemoveItem(desk.container[1].id))
    page.edit(SetItem(item.id, label="b"))  # nothing new
    assert [(len(c.added), len(c.changed), len(c.removed), c.is_remote) for c in heard] == [
        (2, 0, 0, False),
        (0, 1, 1, True),
    ]
    assert heard[0].added[0].label == "a"
    desk.container.unobserve(heard.append)
    item.remove()
    assert len(heard) == 2
    assert len(desk.changes) == 3


async def test_a_batch_is_one_step_and_an_error_in_it_leaves_nothing(desk):
    desk.container.add("point", (1, 1, 1))

    def add_some() -> None:
        with desk.container.batch():
            desk.container.add("line", LINE)
            desk.container.add("line", [(1000, 0, 0), (0, 0, 0)])

    with pytest.raises(AnnotationError):
        add_some()
    assert [item.kind for item in desk.container] == ["point"]
    with desk.container.batch():
        for n in range(600):  # more than one message
            desk.container.add("point", (n / 10, 1, 1))
    assert len(desk.container) == 601
    assert desk.mirror.take_back("undo")
    assert len(desk.container) == 1
    assert desk.mirror.take_back("redo")
    assert len(desk.container) == 601
    desk.join()
    desk.agree()


async def test_what_a_page_does_meanwhile_takes_nothing_out_of_a_batch(desk):
    page = desk.join()
    with desk.container.batch():
        line = desk.container.add("line", LINE)
        page.edit(PutItem(annotation("point", (1, 1, 1), id="p")))
        assert line in desk.container
        line.label = "in time"
        page.edit(RemoveItem("p"))
    assert line.label == "in time"
    assert (len(desk.changes[-1].added), desk.changes[-1].is_remote) == (1, False)
    desk.agree()


async def test_a_sequence_by_place_and_by_id(desk):
    container = desk.container
    a, c = container.extend(annotation("point", (1, 1, 1), id=key) for key in "ac")
    b = container.insert(1, annotation("point", (2, 1, 1), id="b"))
    assert [item.id for item in container] == ["a", "b", "c"]
    assert container[1] == container["b"] == b
    assert [item.id for item in container[1:]] == ["b", "c"]
    assert "b" in container
    assert b in container
    del container[0]
    container.remove("c")
    assert [item.id for item in container] == ["b"]
    assert "removed" in repr(a)
    with pytest.raises(AnnotationError, match="removed"):
        _ = c.label
    with pytest.raises(KeyError):
        container["a"]
    with pytest.raises(IndexError):
        container[1]
    container.replace([annotation("line", LINE)])
    assert [item.kind for item in container] == ["line"]
    container.clear()
    assert not len(container)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kind", "arrow"),
        ("id", "x"),
        ("author", "me"),
        ("colour", "#ffffff"),
        ("color", "red"),
        ("points", [(1, 1, 1)]),
        ("points", [(1, 1, float("nan")), (1, 1, 1)]),
        ("points", [(1, 1, 99), (1, 1, 1)]),
        ("label", "<script>"),
        ("width", 99),
    ],
)
async def test_a_wrong_value_is_one_error_and_changes_nothing(desk, name, value):
    item = desk.container.add("line", LINE)
    before = item.value
    with pytest.raises(AnnotationError):
        setattr(item, name, value)
    assert item.value == before
    with pytest.raises(AnnotationError):
        desk.container.append(item)  # it is there already
    assert len(desk.container) == 1


async def test_undo_takes_back_what_the_page_did_and_the_page_what_python_did(desk):
    page = desk.join()
    guest = desk.join("annotator")
    item = desk.container.add("line", LINE)
    guest.edit(PutItem(annotation("point", (1, 1, 1), id="guests")))
    for x in (2.0, 3.0, 4.0):
        page.edit(DragPoint(item.id, 0, (x, 2.0, 3.0)), gesture=1)
    assert desk.mirror.can_undo
    assert desk.mirror.take_back("undo")
    assert item.points[0] == (1.0, 2.0, 3.0)
    page.edit(history="undo")
    assert [one.id for one in desk.container] == ["guests"]
    assert not desk.mirror.take_back("undo")  # the guest's is not ours
    page.edit(history="redo")
    desk.agree()
    assert len(desk.container) == 2


async def test_who_may_not_is_told_and_sees_how_things_are(desk):
    item = desk.container.add("line", LINE)
    guest, onlooker = desk.join("annotator"), desk.join("viewer")
    guest.edit(SetItem(item.id, label="mine"))
    onlooker.edit(PutItem(annotation("point", (1, 1, 1), id="x")))
    guest.edit(PutItem(annotation("point", (1, 1, 70), id="y")))
    assert guest.errors == ["not-driver", "annotation"]
    assert onlooker.errors == ["not-driver"]
    assert guest.messages[-2].edits == (PutItem(item.value),)
    assert onlooker.messages[-1].edits == (RemoveItem("x"),)
    assert guest.messages[-1].seq == 2
    desk.agree()
    assert len(desk.container) == 1


async def test_a_conflict_ends_as_the_server_has_it(desk):
    item = desk.container.add("line", LINE)
    page = desk.join()
    desk.is_cut = True
    page.edit(RemoveItem(item.id))
    item.label = "too late"
    desk.reconnect()
    assert len(desk.container) == 0
    assert [error.code for error in desk.errors] == ["annotation"]
    desk.agree()


async def test_a_server_that_was_replaced_gets_back_what_there_was(desk):
    line = desk.container.add("line", LINE, label="kept")
    desk.container.add("path", [LINE[0]] * 1500)
    before = desk.container.values
    desk.is_cut = True
    line.label = "made while there was no server"
    desk.serve()
    desk.reconnect()
    desk.join()
    desk.agree()
    assert line.label == "made while there was no server"
    assert line.created_ms == before[0].created_ms
    assert len(desk.container) == 2
    line.label = "and it goes on"
    desk.agree()


async def test_a_server_that_is_asked_twice_to_take_up_a_session_takes_no_old_state(desk):
    line, point = desk.container.extend(
        [annotation("line", LINE, label="old"), annotation("point", (1, 1, 1))]
    )
    desk.is_cut = True
    line.label = "new"
    point.remove()
    desk.serve()
    desk.held = []
    # Each message to a server that has let go of the session has it opened again.
    desk.reconnect()
    desk.reconnect()
    desk.deliver()
    desk.join()
    desk.agree()
    assert [item.label for item in desk.container] == ["new"]


async def test_a_link_that_breaks_while_it_gives_back_what_there_was_loses_nothing(desk):
    desk.container.extend(annotation("path", [LINE[0]] * 1900) for _ in range(9))
    desk.is_cut = True
    desk.serve()
    desk.held = []
    desk.reconnect()
    assert len(desk.held) > 2
    desk.deliver(1)
    desk.is_cut = True
    page = desk.join()
    page.edit(PutItem(annotation("point", (1, 1, 1), id="meanwhile")))
    desk.reconnect()
    desk.agree()
    assert len(desk.container) == 10


async def test_an_edit_that_overtakes_what_is_given_back_is_not_lost(desk):
    line = desk.container.add("line", LINE)
    desk.is_cut = True
    desk.serve()
    desk.is_cut = False
    line.label = "early"
    desk.reconnect()
    desk.join()
    desk.agree()
    assert line.label == "early"
    assert desk.errors == []


async def test_the_kernel_has_them_in_the_order_of_the_server(desk):
    one, two = (annotation("point", (1, 1, 1), id=key) for key in "ab")
    desk.container.extend([one, two])
    desk.container.replace([one, annotation("point", (1, 1, 1), id="new"), two])
    desk.join()
    desk.agree()
    assert [item.id for item in desk.container] == ["a", "new", "b"]


async def test_hearing_all_of_them_again_is_no_change(desk):
    desk.container.extend(annotation("path", [LINE[0]] * 1900) for _ in range(7))
    desk.changes.clear()
    desk.reconnect()
    assert desk.changes == []


async def test_what_was_taken_already_is_not_taken_again(desk):
    desk.container.add("line", LINE, id="l")
    revision = desk.board.known_revision
    desk.board.edit_by_kernel(la.EditItems(session="s", seq=1, edits=(RemoveItem("l"),)))
    assert desk.board.known_revision == revision


async def test_undo_without_a_server_is_an_error(desk, monkeypatch):
    monkeypatch.setattr("blustream_widget.annotations.mirror._ANSWER_S", 0.01)
    desk.container.add("line", LINE)
    desk.is_cut = True
    with pytest.raises(TransportError):
        desk.mirror.take_back("undo")
    assert len(desk.container) == 1


async def test_many_come_to_a_page_in_parts(desk):
    desk.container.extend(annotation("path", [LINE[0]] * 1900) for _ in range(7))
    page = desk.join()
    assert [(m.reset, m.more) for m in page.messages] == [
        (True, True),
        (False, True),
        (False, True),
        (False, False),
    ]
    desk.agree()
