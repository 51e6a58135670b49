"""Pictures for Python: of the newest view, drawn also when nobody looks, and errors in words."""

from types import SimpleNamespace

import pytest

from blustream_widget.core.picture_messages import TakePicture
from blustream_widget.core.state import ViewState
from blustream_widget.errors import WorkerError
from blustream_widget.session.pictures import PictureDesk
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.fanout import Fanout


class Scene:
    def __init__(self):
        self.told, self.changes, self.drawn = [], 0, 0
        self.state = ViewState(revision=7)
        self.fanout = Fanout(lambda _stream: None)
        self.desk = PictureDesk(
            fanout=self.fanout,
            kernel=SimpleNamespace(tell_picture=self.told.append),
            state=lambda: self.state,
            on_change=self.change,
            draw_again=self.draw,
        )

    def change(self):
        self.changes += 1

    def draw(self):
        self.drawn += 1

    def ask(self, n, **options):
        self.desk.receive(TakePicture("s", n, **options))


@pytest.fixture
def scene():
    return Scene()


def test_a_still_of_the_view_or_a_newer_one_is_the_answer(scene):
    scene.ask(1)
    for revision in (6, 7):
        scene.fanout.publish(make_frame(revision, is_still=True))
        assert [taken.n for taken in scene.told] == [1] * (revision - 6)
    assert scene.told[0].png == bytes(make_frame(7, is_still=True).picture)
    assert (scene.desk.is_busy, list(scene.fanout), scene.drawn) == (False, [], 1)


def test_the_worker_draws_for_it_only_while_nobody_looks(scene):
    scene.ask(1)
    assert scene.fanout.wants("jpeg")
    assert scene.fanout.wants_stills
    assert scene.fanout.has_credit
    scene.fanout.add(SimpleNamespace(video="h264", stills=True, has_credit=False))
    assert not scene.fanout.has_credit
    assert scene.changes == 1


def test_the_worker_draws_also_while_the_session_is_recorded_and_nobody_looks(scene):
    tap = SimpleNamespace(video="h264", stills=True, has_credit=False)
    scene.fanout.add(tap, sets_pace=False)
    scene.ask(1)
    assert scene.fanout.has_credit
    scene.fanout.remove(tap)
    assert scene.fanout.has_credit


def test_what_is_called_off_or_fails_is_waited_for_no_more(scene):
    scene.ask(1)
    scene.ask(2)
    scene.ask(1, cancel=True)
    assert scene.desk.is_busy
    scene.desk.fail(WorkerError("It ended."))
    assert [(taken.n, taken.error) for taken in scene.told] == [(2, "It ended.")]
    assert (scene.desk.is_busy, list(scene.fanout)) == (False, [])
    scene.ask(3)
    scene.ask(3, cancel=True)
    assert list(scene.fanout) == []
