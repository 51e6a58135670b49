"""Looking around on one's own: an own state and worker, and nothing of it in the shared view."""

from __future__ import annotations

import asyncio

import pytest

from blustream_widget.config import Config
from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_sharing as ls
from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.core import view_messages as vm
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.label_edit import BrickChange, EditLabels
from blustream_widget.core.segmentation import (
    SegmentationInfo,
    SegmentationLook,
    SegmentationSource,
)
from blustream_widget.core.types import VolumeRef
from blustream_widget.session.own_view import OwnView
from blustream_widget.session.session import Session
from blustream_widget.session.ties import Ties
from blustream_widget.testing.stubs import INFO, StubChannel, StubPool

LABELS = SegmentationSource("salt")


@pytest.fixture
async def pool():
    return StubPool()


@pytest.fixture
async def session(pool):
    made = Session(
        "f" * 32,
        VolumeRef(url="fake:"),
        config=Config(transports="websocket", own_views=2),
        ice_servers=(),
        pool=pool,
        ties=Ties(lambda _: None),
    )
    made.open({}, None)
    (await pool.worker()).opens()
    yield made
    await made.close("test")


class Page:
    """One connection of somebody."""

    def __init__(self, session, role="viewer", person=None):
        self.channel, guest = StubChannel(), None
        if role != "owner":
            code = role[0] * 32
            if person is None:
                open_link(session, code, role)
                join = sm.Join(code=code, name="Mei", protocol=p.PROTOCOL_VERSION)
                let_in = []
                session.sharing.redeem(join, let_in.append)
                person = let_in[0].id
            guest = session.sharing.admit(person)
        self.session = session
        self.viewer = session.join(self.channel, p.Hello(token=""), role=role, guest=guest)

    def send(self, message):
        self.viewer.receive(p.encode(message))

    async def look_around(self, pool, *, resumes=False):
        """Returns the worker that was got for it."""
        self.send(sm.LookAround(on=True, resumes=resumes))
        worker = await pool.worker()
        worker.opens()
        return worker

    def last(self, kind):
        return self.channel.got(kind)[-1]


def open_link(session, code, role):
    session.sharing.receive_from_kernel(
        ls.OpenLink(
            session=session.id,
            id=code[:1].encode().hex().rjust(16, "0"),
            code=code,
            role=role,
            expires_s=3600,
            max_viewers=9,
        )
    )


def shown_by(worker):
    return worker.got(wp.Show)[-1].state


async def test_a_viewer_moves_their_own_view_and_not_the_shared_one(session, pool):
    owner, guest = Page(session, "owner"), Page(session)
    guest.send(vm.ZoomPan(seq=1, zoom=2.0, pan=(0.5, 0.5)))
    assert guest.channel.codes() == ["not-driver"]
    own = await guest.look_around(pool)
    assert own.got(wp.Open)[0].state == session.state
    assert guest.last(p.Welcome).own
    guest.send(vm.ZoomPan(seq=2, zoom=3.0, pan=(0.5, 0.5)))
    guest.send(vm.Probe(n=1, voxel=(0, 0, 0)))
    state = guest.last(vm.State)
    assert (state.seq, state.state.zoom) == (2, 3.0)
    assert shown_by(own).zoom == 3.0
    assert own.got(wp.ProbeVoxel)
    assert session.state.zoom == 1.0
    session.sharing._send_people()  # it waits half a second
    assert [one.looks_around for one in owner.last(p.People).people] == [False, True]
    assert [r.what for r in session.sharing.audit.records][-1] == "looked around"
    for message in (
        sm.StopSharing(),
        sm.OpenLink(id="1" * 16, code="x" * 32, role="editor", expires_s=60, max_viewers=1),
    ):
        guest.send(message)
    assert guest.channel.codes()[1:] == ["not-driver", "not-driver"]


async def test_what_the_owner_does_is_not_told_to_who_looks_around_until_they_are_back(
    session, pool
):
    owner, guest = Page(session, "owner"), Page(session)
    own = await guest.look_around(pool)
    n_states = len(guest.channel.got(vm.State))
    owner.send(vm.ZoomPan(seq=1, zoom=2.0, pan=(0.5, 0.5)))
    assert len(guest.channel.got(vm.State)) == n_states
    assert guest.viewer.frames not in list(session.fanout)
    guest.send(sm.LookAround(on=False))
    back = guest.last(p.Welcome)
    assert (back.own, back.state.zoom) == (False, 2.0)
    assert guest.viewer.frames in list(session.fanout)
    n_messages = len(guest.channel.messages)
    own.says(wp.Progress(lod=1, progress=0.5, exact=False))
    own.says(wp.Failed("worker", "late"))
    assert len(guest.channel.messages) == n_messages


async def test_own_views_are_bounded_with_a_clear_word(session, pool):
    pages = [Page(session, "owner") for _ in range(3)]
    for page in pages[:2]:
        await page.look_around(pool)
    pages[2].send(sm.LookAround(on=True))
    error = pages[2].last(p.Error)
    assert (error.code, error.message) == (
        "own-views-full",
        "2 people look around already, and no more can.",
    )
    pages[0].send(sm.LookAround(on=False))
    await pages[2].look_around(pool)
    assert pages[2].last(p.Welcome).own


async def test_who_comes_again_finds_their_own_view_where_it_was(session, pool):
    guest = Page(session)
    await guest.look_around(pool)
    guest.send(vm.ZoomPan(seq=1, zoom=3.0, pan=(0.5, 0.5)))
    await session.leave(guest.viewer)
    again = Page(session, person=guest.viewer.person)
    assert not again.last(p.Welcome).own
    await again.look_around(pool, resumes=True)
    assert again.last(p.Welcome).state.zoom == 3.0
    again.send(sm.LookAround(on=False))
    await again.look_around(pool, resumes=True)
    assert again.last(p.Welcome).state.zoom == 1.0


async def test_a_worker_that_cannot_open_the_volume_brings_its_viewer_back(session, pool):
    guest = Page(session)
    guest.send(sm.LookAround(on=True))
    worker = await pool.worker()
    worker.says(wp.Failed("volume-access", "Refused (403).", fatal=True))
    assert not guest.last(p.Welcome).own
    assert guest.channel.codes() == ["volume-access"]


async def test_labels_that_come_are_edited_and_go_are_so_in_own_views_too(session, pool):
    guest = Page(session)
    own = await guest.look_around(pool)
    main = pool.workers[0]
    look = SegmentationLook(name="salt")
    session.segmentations.receive(ll.AddSegmentation(session=session.id, source=LABELS, look=look))
    main.says(wp.SegmentationOpened(SegmentationInfo("salt", INFO.channels[0])))
    assert [m.source for m in own.got(wp.AddSegmentation)] == [LABELS]
    assert guest.viewer.own.state.segmentations == (look,)
    change = BrickChange((0, 0, 0), b"old", b"new")
    main.says(wp.BricksEdited("salt", 1, 5, (change,)))
    assert [m.bricks for m in own.got(wp.PutBricks)] == [(((0, 0, 0), b"new"),)]
    session.refresh()
    assert own.got(wp.Refresh)
    session.segmentations.receive(ll.RemoveSegmentation(session=session.id, name="salt"))
    assert [m.name for m in own.got(wp.RemoveSegmentation)] == ["salt"]
    assert guest.viewer.own.state.segmentations == ()


async def test_the_end_of_a_session_ends_all_of_its_own_views(session, pool):
    await Page(session).look_around(pool)
    await session.close("test")
    await asyncio.sleep(0)
    assert not list(session.own_views)


async def test_what_comes_of_a_page_behind_the_end_of_its_session_starts_no_worker(session, pool):
    guest, owner = Page(session), Page(session, "owner")
    await session.close("test")
    guest.send(sm.LookAround(on=True))
    owner.send(EditLabels(seq=1, name="salt", history="undo"))
    session.refresh()
    session.markup.measure_by_kernel(la.WantHorizon(session=session.id, n=1, name="x"))
    await asyncio.sleep(0)
    assert len(pool.workers) == 1
    assert guest.channel.codes() == ["not-driver"]


async def test_a_view_is_copied_and_opened_by_who_may_move_what_they_see(session, pool):
    owner, guest = Page(session, "owner"), Page(session)
    owner.send(vm.ZoomPan(seq=1, zoom=2.0, pan=(0.5, 0.5)))
    guest.send(sm.CopyView())
    text = guest.last(sm.ViewLink).text
    owner.send(vm.ZoomPan(seq=2, zoom=4.0, pan=(0.5, 0.5)))
    guest.send(sm.OpenView(text=text))
    assert guest.channel.codes() == ["not-driver"]
    await guest.look_around(pool)
    guest.send(sm.OpenView(text=text))
    assert (guest.viewer.own.state.zoom, session.state.zoom) == (2.0, 4.0)
    owner.send(sm.OpenView(text=text))
    assert session.state.zoom == 2.0
    owner.send(sm.OpenView(text="https://example.org"))
    assert owner.channel.codes() == ["view-link"]


async def test_going_to_and_fro_starts_no_more_workers_than_twice_the_places(
    session, pool, monkeypatch
):
    never = asyncio.Event()
    monkeypatch.setattr(OwnView, "close", lambda _self: never.wait())
    guest = Page(session)
    for _ in range(20):
        guest.send(sm.LookAround(on=True))
        guest.send(sm.LookAround(on=False))
        await asyncio.sleep(0)
    assert set(guest.channel.codes()) == {"own-views-full", "share"}
    assert len(pool.workers) - 1 <= 4
    never.set()


async def test_who_goes_over_from_the_relay_to_a_socket_goes_on_where_they_were(session, pool):
    guest = Page(session)
    guest.channel.name = "comm"
    await guest.look_around(pool)
    guest.send(vm.ZoomPan(seq=1, zoom=5.0, pan=(0.5, 0.5)))
    by_socket = Page(session, person=guest.viewer.person)
    await by_socket.look_around(pool, resumes=True)
    await session.leave(guest.viewer)  # the kernel tells it a moment later
    assert by_socket.viewer.own.state.zoom == 5.0
