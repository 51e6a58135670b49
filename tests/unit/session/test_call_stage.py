"""Whose cameras are seen: a few places, for who spoke last."""

from __future__ import annotations

import asyncio

import pytest

from blustream_widget.core import call_messages as cm
from blustream_widget.session import call_stage
from blustream_widget.session.call_stage import Stage

pytestmark = pytest.mark.usefixtures("no_call_pauses")


def test_a_picture_stays_until_somebody_else_speaks():
    stage = Stage(2)
    stage.set_cameras("abcd")
    assert stage.seats == {"a", "b"}
    assert stage.spoke("c")
    assert stage.seats == {"b", "c"} or stage.seats == {"a", "c"}
    assert not stage.spoke("c")
    assert not stage.spoke("nobody's")
    before = stage.seats
    stage.set_cameras("abcd")
    assert stage.seats == before
    stage.set_cameras("abd")
    assert "c" not in stage.seats
    assert len(stage.seats) == 2


def test_pictures_change_no_faster_than_pages_can_agree_on():
    now = 0.0
    stage = Stage(2, clock=lambda: now)
    stage.set_cameras("abcd")
    changes = 0
    for now in (k / 10 for k in range(100)):
        changes += stage.spoke("abcd"[round(10 * now) % 4])
    assert changes == 5
    stage.spoke("a"), stage.spoke("b")
    assert 0 < stage.wait_s <= 2
    while wait_s := stage.wait_s:
        now += wait_s
        stage.review()
    assert stage.seats == {"a", "b"}


async def test_who_spoke_too_early_to_be_seen_is_seen_after_a_while(scene, monkeypatch):
    monkeypatch.setattr(call_stage, "STAYS_S", 0.05)
    pages = ann, ben, cat, dan = await scene.joined(*"abcd")
    await scene.publish(*pages)
    for page in pages:
        scene.room.receive(page, cm.CallSound(muted=False, camera=True))
    await scene.answered(*pages)
    feeds = sorted(up.feed for up in scene.at_sfu.ups.values())
    for feed in feeds[2:]:
        scene.at_sfu.on_talk(feed)
    assert scene.relay._stage.seats != {cat.seat, dan.seat}
    async with asyncio.timeout(10):
        while (cat.seat, "video") not in ann.tracks() or (dan.seat, "video") not in ben.tracks():
            await asyncio.sleep(0.01)
            await scene.answered(*pages)


def test_no_places_no_pictures():
    stage = Stage(0)
    stage.set_cameras("ab")
    assert not stage.spoke("a")
    assert stage.seats == frozenset()
