"""A call that grows too large for browsers alone: who goes over, who waits, and what if not."""

from __future__ import annotations

import asyncio
import shutil
import threading
from types import SimpleNamespace

import pytest

from blustream_widget.config import Config, worker_environment
from blustream_widget.core import call_messages as cm
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.core.voice_messages import RecordVoice, Voice
from blustream_widget.errors import BlustreamError, CallError, ConfigError
from blustream_widget.session import call_kept, call_media, call_relay, call_stage
from blustream_widget.session.call import CallRate, CallRoom
from blustream_widget.session.call_kept import KeptRooms
from blustream_widget.session.call_relay import CallRelay, call_sfu_of
from blustream_widget.session.call_stage import Stage
from blustream_widget.session.voices import VoiceDesk, VoiceRate
from blustream_widget.sfu.videoroom import RoomName
from blustream_widget.testing.fake_media_room import SECRET, FakeSfu

OFFER = cm.Description(kind="offer", sdp="v=0\r\nm=audio 9\r\nm=video 9\r\n")
ANSWER = cm.Description(kind="answer", sdp="v=0\r\n")


class Page:
    """One connection of a person, which does with the SFU what a page does."""

    def __init__(self, person, role="viewer"):
        self.person, self.name, self.role, self.guest = person, person, role, None
        self.call_rate, self.voice_rate, self.round_trip_s = CallRate(), VoiceRate(), 0.0
        self.told = []
        self.n = 0

    def send(self, message):
        self.told.append(message)

    def send_error(self, error: BlustreamError):
        self.told.append(error)

    def got(self, kind):
        return [message for message in self.told if isinstance(message, kind)]

    @property
    def call(self):
        return self.got(cm.Call)[-1]

    @property
    def seat(self):
        return self.call.seat

    def tracks(self):
        """Whose voices and pictures it was offered last."""
        offers = [m for m in self.got(cm.CallMediaTold) if m.way == "down"]
        return {(track.seat, track.kind) for track in offers[-1].tracks} if offers else set()


class Scene:
    """A call with an SFU that is not there."""

    def __init__(self, *, kept=None, mesh=2, people=5, pictures=2):
        self.sfu = FakeSfu()
        settings = CallSfu(
            url="http://fake", api_secret=SECRET, mesh=mesh, people=people, pictures=pictures
        )
        self.relay = CallRelay(settings, kept=kept, make=self.sfu.make, sweep=self.sfu.sweep)
        self.room = CallRoom(
            is_on=True, on_change=lambda: None, note=lambda *_: None, relay=self.relay
        )
        self.pages = {}

    @property
    def at_sfu(self):
        (room,) = self.sfu.rooms.values()
        return room

    def join(self, *people):
        for person in people:
            self.pages[person] = Page(person)
            self.room.receive(self.pages[person], cm.JoinCall())
        return [self.pages[person] for person in people]

    async def joined(self, *people):
        pages = self.join(*people)
        await settled()
        return pages

    async def publish(self, *pages):
        """Connect pages to the SFU, and answer what they are offered."""
        for page in pages:
            page.n += 1
            self.tell(page, OFFER)
            await settled()
            list(self.at_sfu.ups.values())[-1].come()
        await self.answered(*self.pages.values())

    def tell(self, page, signal, way="up"):
        self.room.receive(page, cm.CallMedia(n=page.n, way=way, signal=signal))

    async def answered(self, *pages):
        """Answer all that is offered, until nothing more is."""
        for _ in range(10):
            await settled()
            for page in pages:
                if page.n:
                    self.tell(page, ANSWER, "down")
        await settled()

    async def close(self):
        self.room.close()
        await self.relay.close()
        assert self.sfu.rooms == {}


async def settled():
    """Let tasks run until each waits for something."""
    for _ in range(30):
        await asyncio.sleep(0)


async def at_once(work, *args):
    return work(*args)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(call_relay, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(call_media, "AGAIN_S", 0.0)
    monkeypatch.setattr(call_relay, "BEGINS_BURST", 4.0)
    monkeypatch.setattr(call_kept, "to_thread", at_once)


@pytest.fixture
async def scene():
    made = Scene()
    yield made
    await made.close()


async def test_a_few_talk_from_browser_to_browser_and_no_room_is_made(scene):
    ann, ben = await scene.joined("ann", "ben")
    assert (scene.sfu.n_made, ann.call.mesh, ann.call.sfu) == (0, True, 0)
    scene.tell(ben, OFFER)
    assert ben.got(cm.CallMediaTold) == []


async def test_with_one_more_all_go_over_to_a_room_which_ends_with_the_call(scene):
    ann, ben = await scene.joined("ann", "ben")
    (cat,) = scene.join("cat")
    assert (cat.told, len(ann.call.members)) == ([], 2)  # until there is a room
    await settled()
    assert [(p.call.mesh, p.call.sfu) for p in (ann, ben, cat)] == [(False, 1)] * 3
    assert len(ann.call.members) == 3
    for page in (ann, ben, cat):
        scene.room.receive(page, cm.LeaveCall())
    await settled()
    assert scene.sfu.rooms == {}


async def test_it_stays_there_when_it_is_small_again(scene):
    ann, _ben, cat = await scene.joined("ann", "ben", "cat")
    scene.room.receive(cat, cm.LeaveCall())
    await settled()
    assert (ann.call.sfu, len(ann.call.members)) == (1, 2)


async def test_there_is_a_limit_with_an_sfu_too(scene):
    await scene.joined(*"abcde")
    with pytest.raises(CallError, match="takes 5 people"):
        scene.join("f")


async def test_voices_of_all_others_come_and_of_nobody_else(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben)
    assert ann.tracks() == {(ben.seat, "audio")}
    assert cat.tracks() == set()  # it is not connected itself
    await scene.publish(cat)
    assert ann.tracks() == {(ben.seat, "audio"), (cat.seat, "audio")}
    assert cat.tracks() == {(ann.seat, "audio"), (ben.seat, "audio")}
    scene.room.receive(ben, cm.LeaveCall())
    await scene.answered(ann, cat)
    assert ann.tracks() == {(cat.seat, "audio")}
    assert len(scene.at_sfu.ups) == len(scene.at_sfu.downs) == 2


async def test_pictures_come_of_as_many_cameras_as_are_seen_and_of_who_spoke_last(scene):
    pages = ann, ben, cat, dan = await scene.joined(*"abcd")
    await scene.publish(*pages)
    for page in (ben, cat, dan):
        scene.room.receive(page, cm.CallSound(muted=False, camera=True))
    await scene.answered(*pages)

    def seen():
        return {seat for seat, kind in ann.tracks() if kind == "video"}

    assert seen() == {ben.seat, cat.seat}
    feed = {up.feed for up in scene.at_sfu.ups.values()}
    scene.at_sfu.on_talk(max(feed))  # dan's: who came last
    await scene.answered(*pages)
    assert len(seen()) == 2
    assert dan.seat in seen()
    scene.room.receive(dan, cm.CallSound(muted=False, camera=False))
    await scene.answered(*pages)
    assert seen() == {ben.seat, cat.seat}


async def test_who_begins_anew_is_heard_again_and_leaves_nothing_behind(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben, cat)
    await scene.publish(ben)
    assert ann.tracks() == {(ben.seat, "audio"), (cat.seat, "audio")}
    assert len(scene.at_sfu.ups) == len(scene.at_sfu.downs) == 3
    scene.room.receive(ben, cm.CallMedia(n=1, way="up", signal=cm.Candidate(candidate="old")))
    scene.tell(ben, cm.Candidate(candidate="new"))
    await settled()
    candidates = [c.candidate for up in scene.at_sfu.ups.values() for c in up.candidates]
    assert candidates == ["new"]


async def test_a_page_whose_connection_ends_is_told_to_begin_anew(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben, cat)
    next(iter(scene.at_sfu.ups.values())).events.gone()
    await scene.answered(ben, cat)
    assert isinstance(ann.got(cm.CallMediaTold)[-1].signal, cm.MediaEnded)
    assert ben.tracks() == {(cat.seat, "audio")}


async def test_what_no_sfu_takes_ends_with_its_page_alone(scene):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ben, cat)
    ann.n = 7
    scene.tell(ann, cm.Description(kind="offer", sdp="v=0 nonsense"))
    await settled()
    assert ann.got(cm.CallMediaTold)[-1].signal == cm.MediaEnded()
    assert ben.tracks() == {(cat.seat, "audio")}


def begin_often(scene, page):
    for page.n in range(2, 10):
        scene.tell(page, OFFER)


async def test_a_page_that_offers_much_or_often_is_refused(scene):
    (ann, *_) = await scene.joined("ann", "ben", "cat")
    ann.n = 1
    with pytest.raises(CallError, match="more than a voice"):
        scene.tell(ann, cm.Description(kind="offer", sdp="v=0" + "\r\nm=audio 9" * 4))
    with pytest.raises(CallError, match="too often"):
        begin_often(scene, ann)
    await settled()
    assert len(scene.at_sfu.ups) <= 1


async def test_candidates_that_nobody_takes_do_not_pile_up(scene):
    (ann, *_) = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann)
    scene.sfu.answers.clear()
    media = scene.relay._seats[ann.seat].media
    for _ in range(250):
        scene.tell(ann, cm.Candidate(candidate="x"))
    assert media._inbox.qsize() <= call_media.MOST_WAITING
    scene.sfu.answers.set()


async def test_a_page_that_does_not_answer_is_let_go_of(scene, monkeypatch):
    ann, ben, _cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann)
    monkeypatch.setattr(call_media, "ANSWER_S", 0.0)
    ben.n = 1
    scene.tell(ben, OFFER)
    await settled()
    assert ben.tracks() == {(ann.seat, "audio")}
    assert ben.got(cm.CallMediaTold)[-1].signal == cm.MediaEnded()
    assert (len(scene.at_sfu.ups), scene.at_sfu.downs[1:]) == (1, [])


# ------------------------------------------------------------------ when there is no SFU


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
    await scene.joined("ann", "ben", "cat")
    assert len(scene.sfu.rooms) == 1
    await scene.close()
    assert list(tmp_path.iterdir()) == []


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


async def test_what_is_left_is_kept_while_the_sfu_does_not_answer(tmp_path):
    (tmp_path / "call-rooms").write_text('[{"number": 5, "secret": "s"}]')
    scene = Scene(kept=tmp_path)
    scene.sfu.stop()
    await settled()
    assert (tmp_path / "call-rooms").exists()
    scene.sfu.start()
    left = scene.sfu.make(scene.relay._settings, RoomName(5, "s"), (), lambda _: None)
    await left.open()
    await scene.joined("ann", "ben", "cat")
    assert 5 not in scene.sfu.rooms
    await scene.close()


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


async def test_what_fails_unforeseen_keeps_nobody_waiting(scene, monkeypatch):
    def broken(*_):
        raise RuntimeError("a bug")

    monkeypatch.setattr(scene.relay, "_make", broken)
    await scene.joined("ann", "ben")
    (cat,) = await scene.joined("cat")
    assert "does not answer" in cat.told[0].message
    monkeypatch.undo()
    (cat,) = await scene.joined("cat")
    assert cat.call.sfu == 1


# ------------------------------------------------------------------ parts


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


@pytest.mark.parametrize(
    "setting",
    [
        "no json",
        '{"type": "livekit", "url": "wss://x"}',
        '{"type": "janus"}',
        '{"type": "janus", "url": "http://x", "people": 1}',
        '{"type": "janus", "url": "http://x", "people": 1000}',
        '{"type": "janus", "url": "http://x", "mesh": 7}',
        '{"type": "janus", "url": "http://x", "api_secret": "hidden", "more": 1}',
    ],
)
def test_a_setting_that_cannot_be_read_is_said_without_its_secrets(setting):
    with pytest.raises(ConfigError, match="BLUSTREAM_CALL_SFU") as raised:
        call_sfu_of(Config(call_sfu=setting))
    assert "hidden" not in str(raised.value)


def test_secrets_of_the_setting_are_not_shown():
    setting = CallSfu(url="http://x", api_secret="one", token="two", admin_key="three")
    assert not any(word in repr(setting) for word in ("one", "two", "three"))


def test_workers_do_not_inherit_the_setting(monkeypatch):
    monkeypatch.setenv("BLUSTREAM_CALL_SFU", "hidden")
    assert "hidden" not in worker_environment().values()
