"""Picks and horizons of a session: who may follow, what comes of it, and what is called off."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from blustream_widget.core import link_annotations as la
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import EditAnnotations, PutItem
from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.core.horizon_grid import packed
from blustream_widget.core.horizon_messages import (
    GridOfHorizon,
    Snap,
    Snapped,
    Track,
    Tracking,
    WantGrid,
)
from blustream_widget.errors import AnnotationError, NotDriverError
from blustream_widget.session import grid_store as module
from blustream_widget.session.annotations import AnnotationBoard
from blustream_widget.session.horizons import Horizons
from blustream_widget.session.measuring import Measuring

GRID = packed(np.linspace(20, 30, 12).reshape(3, 4))


class Supervisor:
    def __init__(self):
        self.sent = []

    def send(self, message):
        self.sent.append(message)

    def start(self):
        pass


class Port:
    def __init__(self):
        self.heard = []

    def __getattr__(self, _name):
        return self.heard.append


class Person:
    def __init__(self, peer, role="owner"):
        self.peer, self.role = peer, role
        self.author = role if role == "owner" else f"{role}-{peer}"
        self.annotation_seq = 0
        self.heard = []

    def send(self, message):
        self.heard.append(message)

    def send_error(self, error):
        self.heard.append(error)

    def got(self, kind):
        return [message for message in self.heard if isinstance(message, kind)]


class Room:
    def __init__(self):
        self.supervisor, self.kernel = Supervisor(), Port()
        self.viewers = {1: Person(1), 2: Person(2, "viewer")}
        self.board = AnnotationBoard(
            viewers=self.viewers.values, kernel=self.kernel, shape=lambda: (3, 4, 50)
        )
        self.measuring = Measuring(self.supervisor, self.viewers, self.kernel)
        self.horizons = Horizons(
            measuring=self.measuring,
            annotations=self.board,
            viewers=self.viewers,
            kernel=self.kernel,
            channel=lambda channel, _viewer: 0 if channel is None else channel,
        )
        item = annotation("horizon", [(1, 1, 24.0)], axis=0, id="h")
        self.board.edit_by(self.me, EditAnnotations(seq=1, edits=(PutItem(item),)))

    @property
    def me(self):
        return self.viewers[1]

    @property
    def item(self):
        return self.board.find("h")

    def track(self, n=1, **fields):
        self.horizons.receive(self.me, Track(n=n, id="h", **fields))
        return self.supervisor.sent[-1]

    def answers(self, question, **fields):
        grid = TrackedGrid(question.n, progress=1.0, done=True, **fields)
        self.measuring.answer(wp.TrackedVoxels(question.owner, grid))

    def edit(self, n, **fields):
        self.board.edit_by(self.me, EditAnnotations(seq=n, **fields))


@pytest.fixture
async def room():
    room = Room()
    yield room
    room.board.close()


async def test_what_is_followed_is_the_annotations_and_one_step_of_undo(room):
    question = room.track()
    assert (question.seeds, question.line) == (((1.0, 1.0, 24.0),), None)
    room.answers(question, packed=GRID)
    name = room.item.grid
    (told,) = room.me.got(Tracking)
    assert (told.done, told.n_picked, told.error) == (True, 12, "")
    room.horizons.receive(room.me, WantGrid(name=name))
    (grid,) = room.me.got(GridOfHorizon)
    assert (grid.shape, grid.codes) == ((3, 4), GRID.codes)
    room.edit(2, history="undo")
    assert room.item.grid == ""
    room.edit(3, history="redo")
    assert room.item.grid == name


async def test_a_section_is_added_to_what_was_followed_before(room):
    room.answers(room.track(1), packed=GRID)
    question = room.track(2, over="section", axis=1, line=3)
    assert (question.line, question.onto) == ((1, 3), GRID)
    assert room.track(3).onto is None  # over the volume, from the picks alone


async def test_what_is_called_off_changes_nothing(room):
    question = room.track()
    room.horizons.receive(room.me, Track(n=1, id="h", cancel=True))
    assert room.supervisor.sent[-1] == msgspec.structs.replace(question, cancel=True)
    room.answers(question, packed=GRID)
    assert (room.item.grid, room.me.got(Tracking)) == ("", [])


async def test_who_may_only_look_picks_nothing_and_nothing_is_followed_that_is_no_horizon(room):
    with pytest.raises(NotDriverError):
        room.horizons.receive(room.viewers[2], Track(n=1, id="h"))
    with pytest.raises(AnnotationError, match="no horizon"):
        room.horizons.receive(room.me, Track(n=1, id="other"))
    locked = msgspec.structs.replace(room.item, locked=True)
    room.edit(2, edits=(PutItem(locked),))
    with pytest.raises(AnnotationError, match="locked"):
        room.track()
    assert room.supervisor.sent == []


async def test_an_error_and_a_horizon_that_was_removed_are_told(room):
    room.answers(room.track(1), error="There is no peak.")
    question = room.track(2)
    room.board.edit_by(room.me, EditAnnotations(seq=5, history="undo"))
    assert room.item is None
    room.answers(question, packed=GRID)
    assert [told.error for told in room.me.got(Tracking)] == [
        "There is no peak.",
        "The horizon was removed while it was followed.",
    ]


async def test_a_pick_snaps_for_the_one_who_made_it(room):
    room.horizons.receive(room.me, Snap(n=4, place=(1, 2, 20.0), event="trough", reach=2))
    (question,) = room.supervisor.sent
    assert (question.gate.event, question.gate.reach) == ("trough", 2)
    room.measuring.answer(wp.SnappedVoxel(question.owner, Snapped(n=4, sample=21.25)))
    assert room.me.got(Snapped) == [Snapped(n=4, sample=21.25)]
    assert room.viewers[2].got(Snapped) == []


async def test_python_gets_the_grid_that_the_page_shows(room):
    message = la.TrackHorizon(session="s", n=7, seeds=((1.0, 1.0, 24.0),), item="h")
    room.horizons.receive_of_kernel(message)
    (question,) = room.supervisor.sent
    assert question.packs
    room.answers(question, packed=GRID, samples=b"12", shape=(3, 4))
    answer = room.kernel.heard[-1]
    assert (answer.samples, answer.packed, answer.error) == (b"12", None, "")
    room.horizons.receive_of_kernel(la.WantHorizon(session="s", n=8, name=room.item.grid))
    assert room.kernel.heard[-1].packed == GRID
    room.horizons.receive_of_kernel(la.WantHorizon(session="s", n=9, name="gone"))
    assert "follow it again" in room.kernel.heard[-1].error


async def test_the_oldest_grids_go_when_there_is_no_room(room, monkeypatch):
    monkeypatch.setattr(module, "MOST_GRID_BYTES", 2 * len(GRID.codes))
    names = []
    for n in range(3):
        room.answers(room.track(n), packed=GRID)
        names.append(room.item.grid)
    for name in names:
        room.horizons.receive(room.me, WantGrid(name=name))
    assert [grid.stride for grid in room.me.got(GridOfHorizon)] == [0, 1, 1]
