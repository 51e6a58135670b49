"""What is left at an SFU that did not answer at the end is taken away later."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from tests.unit.session.publishing_kit import JANUS, FakePublisher, Scene

from blustream_widget.core.publishing import (
    StartPublishing,
)
from blustream_widget.errors import SfuUnreachableError
from blustream_widget.session import left_behind

pytestmark = pytest.mark.usefixtures("no_pauses")


async def silent_end(scene, *, n_silent, **more):
    """Publish, and end it while the SFU does not answer so often."""
    scene.start(**more)
    await scene.until("on")
    (publisher,) = scene.made
    publisher.n_silent = n_silent
    scene.stop()
    await scene.until("off")
    return publisher


async def closed_times(publisher, n):
    async with asyncio.timeout(5):
        while publisher.n_closed < n:
            publisher.was_closed.clear()
            await publisher.was_closed.wait()


async def test_what_is_left_at_an_sfu_that_is_silent_at_the_end_is_taken_away_later():
    scene = Scene()
    publisher = await silent_end(scene, n_silent=3)
    await closed_times(publisher, 4)
    await scene.desk.close()
    assert publisher.n_closed == 4  # it is gone
    assert [status.status.phase for status in scene.told][-1] == "off"


async def test_it_is_tried_for_a_while_only_and_not_behind_the_session_s_end(monkeypatch):
    monkeypatch.setattr(left_behind, "LEFT_FOR_S", 0.0)
    scene = Scene()
    publisher = await silent_end(scene, n_silent=9)
    await scene.desk.close()
    assert publisher.n_closed == 1
    monkeypatch.setattr(left_behind, "LEFT_FOR_S", 1000.0)
    scene = Scene()
    publisher = await silent_end(scene, n_silent=10**9)
    await closed_times(publisher, 3)
    async with asyncio.timeout(5):
        await scene.desk.close()


async def settled():
    for _ in range(50):
        await asyncio.sleep(0)


@pytest.mark.parametrize("n_failed", [1, 3])
async def test_what_a_cut_network_left_is_taken_away_though_later_tries_had_nothing(n_failed):
    scene = Scene()
    scene.start()
    await scene.until("on")
    gone = SfuUnreachableError("Nobody there.")
    scene.made[0].n_silent = 3
    scene.errors = [gone] * 1000
    scene.made[0].end.set_result(gone)
    await scene.until("waiting", n_made=1 + n_failed)
    await closed_times(scene.made[n_failed], 1)
    scene.stop()
    await scene.until("off")
    await closed_times(scene.made[0], 4)
    await scene.desk.close()


async def test_what_was_replaced_is_not_taken_away_by_its_own_first_try():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.made[0].n_silent = 10**9
    scene.made[0].end.set_result(SfuUnreachableError("Nobody there."))
    await scene.until("waiting")
    await scene.until("on", n_made=2)
    scene.stop()
    await scene.until("off")
    await settled()
    assert [made.n_closed for made in scene.made] == [1, 1]
    await scene.desk.close()


async def test_an_end_that_is_wished_for_while_it_closes_forgets_nothing():
    scene = Scene()
    scene.start()
    await scene.until("on")
    first = scene.made[0]
    first.n_silent = 2
    first.may_close.clear()
    first.end.set_result(SfuUnreachableError("Nobody there."))
    await settled()
    scene.stop()
    await settled()
    assert scene.told[-1].status.phase == "on"  # the SFU has not heard of it
    first.may_close.set()
    await closed_times(first, 3)
    assert scene.told[-1].status.phase == "off"
    await scene.desk.close()


async def test_the_session_s_end_waits_for_none_of_those_that_are_left():
    scene = Scene()
    await silent_end(scene, n_silent=10**9)
    for mountpoint in (8, 9):  # one more that is left, and one that ends well
        scene.start(n=2 * mountpoint, to=msgspec.structs.replace(JANUS, mountpoint=mountpoint))
        await scene.until("on", n_made=mountpoint - 6)
        scene.made[-1].n_silent = 10**9 if mountpoint == 8 else 0
        scene.stop(n=2 * mountpoint + 1)
        await scene.until("off")
    async with asyncio.timeout(5):
        await scene.desk.close()
    n_closed = [made.n_closed for made in scene.made]
    await settled()
    assert [made.n_closed for made in scene.made] == n_closed


async def test_they_are_taken_away_each_by_itself():
    scene = Scene()
    first = await silent_end(scene, n_silent=10**9)
    second = msgspec.structs.replace(JANUS, mountpoint=8)
    scene.start(n=3, to=second)
    await scene.until("on", n_made=2)
    scene.made[1].n_silent = 3
    scene.stop(n=4)
    await scene.until("off")
    await closed_times(scene.made[1], 4)
    n_closed = first.n_closed
    await closed_times(first, n_closed + 2)
    await scene.desk.close()


async def test_so_many_places_are_tried_at_a_time(monkeypatch):
    monkeypatch.setattr(left_behind, "MAX_PLACES", 2)
    left = left_behind.LeftBehind()
    publishers = [FakePublisher(JANUS, lambda: None) for _ in range(3)]
    for place, publisher in enumerate(publishers):
        publisher.n_silent = 10**9
        left.keep(place, publisher)
    for publisher in publishers[1:]:
        await closed_times(publisher, 2)
    assert publishers[0].n_closed == 0
    await left.close()


async def test_one_that_fails_is_tried_on_and_says_so_once(caplog):
    left = left_behind.LeftBehind()
    publisher = FakePublisher(JANUS, lambda: None)
    close, n_failures = publisher.close, iter(range(3))

    async def fails():
        if next(n_failures, None) is not None:
            raise RuntimeError("a bug")
        return await close()

    publisher.close = fails
    left.keep("place", publisher)
    assert not await left.clear("place")
    await closed_times(publisher, 1)
    assert await left.clear("place")  # and it is not there any more
    assert publisher.n_closed == 1
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
    await left.close()


async def test_where_something_is_left_its_own_publisher_ends_it_before_the_next_one():
    scene = Scene()
    old = await silent_end(scene, n_silent=10**9)
    to = msgspec.structs.replace(JANUS, mountpoint=7)
    scene.desk.receive(StartPublishing(session="s", n=3, number=9, secret="another one", to=to))
    await settled()
    told = await scene.until("off")
    assert (told.code, scene.told[-1].n, len(scene.made)) == ("sfu-unreachable", 3, 1)
    await closed_times(old, old.n_closed + 2)  # it is tried on
    old.n_silent = 0
    scene.desk.receive(StartPublishing(session="s", n=4, number=9, secret="another one", to=to))
    await scene.until("on", n_made=2)
    # A secret that Janus does not know would be refused.
    assert (scene.made[1].target.secret, scene.made[1].target.replace) == ("another one", False)
    n_closed = old.n_closed
    await settled()
    assert old.n_closed == n_closed  # the new one would be taken away
    await scene.desk.close()
