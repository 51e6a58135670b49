"""A large call whose SFU is not there, or goes: who waits, who is told, and what is left of it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from types import SimpleNamespace

import pytest
from tests.unit.session.call_scene import ANSWER, OFFER, Page, Scene, at_once, settled

from blustream_widget.core import call_messages as cm
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.core.voice_messages import RecordVoice, Voice
from blustream_widget.errors import CallError
from blustream_widget.session import call_kept, call_left, call_relay
from blustream_widget.session.call_kept import KeptRooms
from blustream_widget.session.voices import VoiceDesk
from blustream_widget.sfu.videoroom import RoomName
from blustream_widget.testing.fake_media_room import SECRET, FakeSfu

pytestmark = pytest.mark.usefixtures("no_call_pauses")


async def test_without_it_one_too_many_is_refused_and_the_others_hear_nothing_of_that(scene):
    scene.sfu.stop()
    ann, _ben = await scene.joined("ann", "ben")
    (cat,) = await scene.joined("cat")
    (error,) = cat.told
    assert "does not answer" in error.message
    assert (ann.call.mesh, ann.call.trouble, len(ann.call.members)) == (True, "", 2)
    await settled()
    assert scene.sfu.n_made == 1  # nobody waits for it
    scene.sfu.start()
    (cat,) = await scene.joined("cat")
    assert cat.call.sfu == 1


async def test_when_it_dies_a_small_call_goes_on_from_browser_to_browser_and_says_so(scene):
    ann, _ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, cat)
    scene.room.receive(cat, cm.LeaveCall())
    scene.sfu.stop()
    await settled()
    assert (ann.call.mesh, ann.call.sfu) == (True, 0)
    assert "from browser to browser again" in ann.call.trouble
    n_made = scene.sfu.n_made
    await settled()
    assert scene.sfu.n_made == n_made  # until somebody comes for whom it is needed
    scene.sfu.start()
    await scene.joined("cat")
    assert (ann.call.sfu, ann.call.trouble) == (2, "")


async def test_that_it_died_is_no_news_to_who_comes_later(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    scene.room.receive(cat, cm.LeaveCall())
    scene.sfu.stop()
    await settled()
    scene.room.receive(ann, cm.CallSound(muted=True, camera=False))
    assert "from browser to browser again" in ann.call.trouble
    scene.room.receive(ben, cm.LeaveCall())
    assert ann.call.trouble == ""
    (ben,) = await scene.joined("ben")
    assert (ann.call.trouble, ben.call.trouble, ben.call.mesh) == ("", "", True)
    scene.sfu.start()
    await scene.joined("cat")
    assert ann.call.sfu == 2


async def test_when_it_dies_a_large_call_says_so_and_goes_on_when_it_is_back(scene):
    pages = ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    scene.sfu.stop()
    await settled()
    assert [(p.call.mesh, p.call.sfu) for p in pages] == [(False, 0)] * 3
    assert "Nobody is heard" in ann.call.trouble
    with pytest.raises(CallError, match="does not answer"):
        scene.join("dan")
    scene.sfu.start()
    await settled()
    assert {(p.call.sfu, p.call.trouble) for p in pages} == {(2, "")}
    await scene.publish(*pages)
    assert ben.tracks() == {(ann.seat, "audio"), (cat.seat, "audio")}


async def test_when_so_few_are_left_nobody_waits_for_it_any_more(scene):
    ann, _ben, cat = await scene.joined("ann", "ben", "cat")
    scene.sfu.stop()
    await settled()
    scene.room.receive(cat, cm.LeaveCall())
    assert ann.call.mesh
    n_made = scene.sfu.n_made
    await settled()
    assert scene.sfu.n_made == n_made


async def test_who_waits_for_a_room_and_leaves_or_may_not_any_more_does_not_get_in(scene):
    scene.sfu.answers.clear()
    ann, _ben = await scene.joined("ann", "ben")
    cat, dan, eve = await scene.joined("cat", "dan", "eve")
    scene.room.receive(cat, cm.LeaveCall())
    scene.room.left(dan)
    eve.role = ""
    scene.sfu.answers.set()
    await settled()
    assert (len(ann.call.members), ann.call.mesh, scene.sfu.rooms) == (2, True, {})
    assert (cat.told, dan.told) == ([], [])
    assert "not take part" in eve.told[0].message


async def test_who_waits_when_sharing_ends_is_told(scene):
    scene.sfu.answers.clear()
    await scene.joined("ann", "ben")
    (cat,) = await scene.joined("cat")
    scene.room.end("The view is not shared any more.")
    assert [e.message for e in cat.told] == ["The view is not shared any more."]
    scene.sfu.answers.set()
    await settled()
    assert scene.sfu.rooms == {}


async def test_who_comes_back_keeps_the_seat_and_the_connections(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben, cat)
    seat = ann.seat
    scene.room.left(ann)
    back = Page("ann")
    scene.room.receive(back, cm.JoinCall(seat=seat))
    await settled()
    assert (back.seat, back.call.sfu, len(scene.at_sfu.ups)) == (seat, 1, 3)


async def test_who_comes_back_is_offered_what_came_meanwhile(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben)
    scene.room.left(ann)
    await scene.publish(cat)
    back = Page("ann")
    back.n = ann.n
    scene.room.receive(back, cm.JoinCall(seat=ann.seat))
    assert back.tracks() == {(ben.seat, "audio"), (cat.seat, "audio")}
    assert isinstance(back.told[0], cm.Call)
    scene.tell(back, ANSWER, "down")
    await settled()
    again = Page("ann")
    scene.room.receive(again, cm.JoinCall(seat=ann.seat))
    assert again.got(cm.CallMediaTold) == []  # it has all


async def test_who_comes_back_is_told_that_the_connections_ended_meanwhile(scene):
    (ann, *_) = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann)
    scene.room.left(ann)
    next(iter(scene.at_sfu.ups.values())).events.gone()
    await settled()
    back = Page("ann")
    scene.room.receive(back, cm.JoinCall(seat=ann.seat))
    assert [m.signal for m in back.got(cm.CallMediaTold)] == [cm.MediaEnded()]


async def test_who_is_shown_out_is_heard_no_more(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben, cat)
    scene.room.remove("ben")
    scene.tell(ben, OFFER)  # of no effect
    await scene.answered(ann, cat)
    assert ann.tracks() == {(cat.seat, "audio")}
    assert len(scene.at_sfu.ups) == 2


async def test_a_room_that_a_killed_server_left_is_ended_by_the_next_one(tmp_path):
    scene = Scene(kept=tmp_path)
    await scene.joined("ann", "ben", "cat")
    left = scene.at_sfu
    next_one = Scene(kept=tmp_path)
    next_one.sfu.rooms[left.name.number] = left
    await settled()
    assert next_one.sfu.rooms == {}
    await scene.close()
    await next_one.close()
    assert list(tmp_path.iterdir()) == []


async def test_rooms_that_could_not_be_ended_are_ended_when_the_sfu_is_reached_again(tmp_path):
    scene = Scene(kept=tmp_path)
    ann, *_ = await scene.joined("ann", "ben", "cat")
    scene.sfu.cut()
    await settled()
    assert len(scene.sfu.rooms) == 1  # it runs, and nobody can tell it
    scene.sfu.start()
    await settled()
    assert ann.call.sfu == 2
    assert len(scene.sfu.rooms) == 1
    scene.sfu.cut()
    for page in scene.pages.values():
        scene.room.receive(page, cm.LeaveCall())
    await settled()
    assert (tmp_path / "call-rooms").exists()
    scene.sfu.start()
    await settled()  # nobody calls
    assert scene.sfu.rooms == {}
    assert list(tmp_path.iterdir()) == []
    await scene.close()


async def test_a_slow_disk_holds_up_nobody_and_the_newest_names_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(call_kept, "to_thread", asyncio.to_thread)
    goes_on = threading.Event()
    replace = KeptRooms._replace

    def slow(path, data):
        assert goes_on.wait(10)
        replace(path, data)

    monkeypatch.setattr(KeptRooms, "_replace", staticmethod(slow))
    kept = KeptRooms(tmp_path)
    names = [RoomName(1, "a"), RoomName(2, "b")]
    first = asyncio.create_task(kept.write(names[:1]))
    await settled()
    first.cancel()
    last = asyncio.create_task(kept.write(names))
    await settled()
    assert not last.done()
    goes_on.set()
    async with asyncio.timeout(10):
        await last
    assert kept.read() == names


async def test_a_session_that_has_ended_leaves_no_secret_behind(tmp_path):
    kept = KeptRooms(tmp_path / "session")
    await kept.write([RoomName(1, "a")])
    await kept.close()
    shutil.rmtree(tmp_path / "session")
    await kept.write([RoomName(1, "a")])
    assert list(tmp_path.iterdir()) == []


async def room_left_by_a_killed_server(folder, scene):
    (folder / "call-rooms").write_text('[{"number": 5, "secret": "s"}]')
    left = scene.sfu.make(scene.relay._settings, RoomName(5, "s"), (), lambda _: None)
    await left.open()


async def test_a_room_that_was_left_is_ended_as_soon_as_the_sfu_answers(tmp_path):
    before = Scene()
    await room_left_by_a_killed_server(tmp_path, before)
    scene = Scene(kept=tmp_path)
    scene.sfu.rooms = before.sfu.rooms
    scene.sfu.is_cut = True
    await settled()
    assert scene.sfu.n_swept > 1
    assert (tmp_path / "call-rooms").exists()
    assert list(scene.sfu.rooms) == [5]
    scene.sfu.start()
    await settled()  # nobody calls
    n_swept = scene.sfu.n_swept
    await settled()
    assert (scene.sfu.rooms, scene.sfu.n_swept) == ({}, n_swept)
    assert list(tmp_path.iterdir()) == []
    await scene.close()


async def test_pauses_between_tries_to_end_a_room_grow_and_tries_have_an_end(monkeypatch, caplog):
    pauses, loop = [], asyncio.get_running_loop()
    now_s = loop.time()

    async def pause(delay_s):
        nonlocal now_s
        now_s += delay_s
        pauses.append(delay_s)

    monkeypatch.setattr(call_left, "FIRST_PAUSE_S", 0.5)
    monkeypatch.setattr(call_left.asyncio, "sleep", pause)
    monkeypatch.setattr(loop, "time", lambda: now_s)
    sfu, names = FakeSfu(), (RoomName(5, "s"),)
    sfu.stop()
    settings = CallSfu(url="http://fake", api_secret=SECRET)
    await call_left.end_when_reached(settings, lambda: names, at_once, sweep=sfu.sweep)
    assert pauses[:6] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0]
    assert 600 < sum(pauses) <= 620
    assert "1 rooms of former calls may be left" in caplog.text


async def test_where_the_sfu_lets_nobody_in_it_is_asked_once_to_end_what_is_left(caplog):
    sfu, names = FakeSfu(), (RoomName(5, "s"),)
    settings = CallSfu(url="http://fake", api_secret="another")
    await call_left.end_when_reached(settings, lambda: names, at_once, sweep=sfu.sweep)
    assert sfu.n_swept == 1
    assert "may be left: The fake refuses" in caplog.text


async def test_a_voice_is_recorded_on_through_all_of_it(scene):
    spoken = []
    recorder = SimpleNamespace(
        number=3, takes_pictures=True, saw_consent=lambda *_, **__: None, saw_voice=spoken.append
    )
    desk = VoiceDesk(scene.room, recorder, lambda *_: None)
    ann, ben = await scene.joined("ann", "ben")
    desk.receive(ann, RecordVoice(recording=3, on=True))

    def say():
        desk.receive(ann, Voice(3, 0, 0.0, (b"\x78" + bytes(40),)))
        return len(spoken), {m.person for m in ben.call.members if m.recorded}

    assert say() == (1, {"ann"})
    pages = await scene.joined("cat")
    await scene.publish(ann, ben, *pages)
    assert say() == (2, {"ann"})
    scene.sfu.stop()
    await settled()
    assert say() == (3, {"ann"})


async def test_a_session_ends_though_the_sfu_does_not_answer(monkeypatch, tmp_path):
    (tmp_path / "call-rooms").write_text('[{"number": 5, "secret": "s"}]')
    monkeypatch.setattr(call_relay, "CLOSE_S", 0.0)
    scene = Scene(kept=tmp_path)
    scene.sfu.answers.clear()
    await scene.joined("ann", "ben", "cat")
    async with asyncio.timeout(10):
        await scene.close()


def broken(*_):
    raise RuntimeError("a bug")


async def test_what_fails_unforeseen_keeps_nobody_waiting(scene, monkeypatch):
    make = scene.relay._make
    monkeypatch.setattr(scene.relay, "_make", broken)
    await scene.joined("ann", "ben")
    (cat,) = await scene.joined("cat")
    assert "does not answer" in cat.told[0].message
    monkeypatch.setattr(scene.relay, "_make", make)
    (cat,) = await scene.joined("cat")
    assert cat.call.sfu == 1


async def test_a_large_call_says_that_there_is_a_fault_and_begins_again(scene, monkeypatch, caplog):
    pages = ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    make = scene.relay._make
    monkeypatch.setattr(scene.relay, "_make", broken)
    scene.at_sfu.lose("It is gone.")
    await settled()
    assert [(p.call.mesh, p.call.sfu) for p in pages] == [(False, 0)] * 3
    assert "A fault" in ann.call.trouble
    assert "tried again" in ann.call.trouble
    assert caplog.text.count("RuntimeError: a bug") == 1  # however often it is tried
    monkeypatch.setattr(scene.relay, "_make", make)
    await settled()
    assert {(p.call.sfu, p.call.trouble) for p in pages} == {(2, "")}
    await scene.publish(*pages)
    assert ben.tracks() == {(ann.seat, "audio"), (cat.seat, "audio")}


async def test_where_even_telling_fails_who_comes_next_begins_again(scene, monkeypatch):
    pages = await scene.joined("ann", "ben", "cat")
    tell = scene.relay.on_change
    monkeypatch.setattr(scene.relay, "on_change", broken)
    scene.at_sfu.lose("It is gone.")
    await settled()
    monkeypatch.setattr(scene.relay, "on_change", tell)
    (dan,) = await scene.joined("dan")
    assert [p.call.sfu for p in (*pages, dan)] == [2] * 4


async def test_pages_hear_at_once_that_it_is_lost_however_long_its_end_takes(scene):
    pages = ann, *_ = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    scene.sfu.ends.clear()
    scene.sfu.cut()
    await settled()
    assert "Nobody is heard" in ann.call.trouble
    scene.sfu.start()
    await settled()  # and the next one waits for that as little
    assert (ann.call.sfu, ann.call.trouble) == (2, "")
    scene.sfu.ends.set()
    await settled()
    assert len(scene.sfu.rooms) == 1
