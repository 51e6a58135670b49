"""The kernel's questions about edits: told how far they are, given up, asked of another server."""

from __future__ import annotations

import threading

import pytest

from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.label_edit import Islands
from blustream_widget.errors import EditCancelledError, ProcessingError
from blustream_widget.label_desk import EditDesk

EDIT = Islands(label=1)


class Server:
    """Answers by what a test says; its own thread stands for the link's."""

    def __init__(self, answer):
        self.heard, self._answer = [], answer
        self.desk = EditDesk("s", self.tell, self.tell)

    def tell(self, message):
        self.heard.append(message)
        if isinstance(message, (ll.EditLabels, ll.FetchBricks)):
            threading.Timer(0, self._answer, (self, message)).start()

    def says(self, kind, to, /, **fields):
        self.desk.hear(kind(session="s", name="a", n=to.n, **fields))


def test_progress_is_told_on_the_callers_thread_before_the_answer() -> None:
    told: list[tuple[float | None, str, int]] = []
    go_on = threading.Semaphore(0)

    def answer(server, message):
        for share in (None, 0.5):
            server.says(ll.EditProgress, message, share=share)
            assert go_on.acquire(timeout=30)
        server.says(ll.LabelsEdited, message, n_voxels=7)

    def progress(share, words):
        told.append((share, words, threading.get_ident()))
        go_on.release()

    server = Server(answer)
    assert server.desk.edit("a", EDIT, "", 30, progress) == 7
    here = threading.get_ident()
    assert told == [(None, "editing a", here), (0.5, "editing a", here)]
    assert not any(isinstance(message, ll.CancelEdit) for message in server.heard)


def test_what_progress_raises_and_the_end_of_the_time_cancel_the_edit() -> None:
    def raises(share, words):
        raise KeyboardInterrupt

    server = Server(lambda server, message: server.says(ll.EditProgress, message, share=0.5))
    with pytest.raises(KeyboardInterrupt):
        server.desk.edit("a", EDIT, "", 30, raises)
    assert server.heard[-1] == ll.CancelEdit(session="s", n=1)
    with pytest.raises(ProcessingError, match=r"not edited within 0\.01 s"):
        server.desk.edit("a", EDIT, "", 0.01)
    assert server.heard[-1] == ll.CancelEdit(session="s", n=2)


def test_a_refusal_is_an_error_and_nothing_is_cancelled() -> None:
    def answer(server, message):
        server.says(ll.EditRefused, message, code="edit-cancelled", message="Cancelled.")

    server = Server(answer)
    with pytest.raises(EditCancelledError):
        server.desk.edit("a", EDIT, "", 30)
    assert len(server.heard) == 1


def test_another_server_is_asked_again_for_all_of_it() -> None:
    asked: list[lp.ToServer] = []

    def answer(server, message):
        asked.append(message)
        if len(asked) == 1:
            server.says(ll.EditedBricks, message, bricks=(((0, 0, 0), b"half"),), more=True)
            server.desk.hear(lp.SessionOpened(session="s", token=""))
        else:
            server.says(ll.EditedBricks, message, bricks=(((1, 0, 0), b"one"),), more=True)
            server.says(ll.EditedBricks, message, bricks=(((2, 0, 0), b"two"),))

    server = Server(answer)
    assert server.desk.bricks("a", 30) == [((1, 0, 0), b"one"), ((2, 0, 0), b"two")]
    assert asked == [ll.FetchBricks(session="s", name="a", n=1)] * 2
