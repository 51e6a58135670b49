"""A call that grows too large for browsers alone: who goes over, and what each page gets."""

from __future__ import annotations

import asyncio

import pytest
from tests.unit.session.call_scene import OFFER, settled

from blustream_widget.config import Config, worker_environment
from blustream_widget.core import call_messages as cm
from blustream_widget.core.call_sfu import CallSfu
from blustream_widget.errors import CallError, ConfigError
from blustream_widget.session import call, call_media
from blustream_widget.session.call_relay import call_sfu_of
from blustream_widget.testing.fake_media_room import FakeRoom

pytestmark = pytest.mark.usefixtures("no_call_pauses")


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


async def test_who_leaves_and_comes_again_begins_no_more_often(scene, monkeypatch):
    publish, begun = FakeRoom.publish, []

    async def counted(room, *args):
        begun.append(args)
        return await publish(room, *args)

    monkeypatch.setattr(FakeRoom, "publish", counted)
    ann, ben, _cat = await scene.joined("ann", "ben", "cat")
    n_refused = 0
    for n in range(1, 15):
        ann.n = n
        try:
            scene.tell(ann, OFFER)
        except CallError:
            n_refused += 1
        await settled()
        scene.room.receive(ann, cm.LeaveCall())
        (ann,) = scene.join("ann")  # from another page, which counts as well
    assert (len(begun), n_refused) == (4, 10)
    await scene.publish(ben)  # what she may not, others may
    assert len(begun) == 5


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


# ------------------------------------------------------------------ what others switch on and off


async def test_however_often_a_camera_is_switched_pages_agree_once_in_a_while(scene, monkeypatch):
    pages = ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    monkeypatch.setattr(call_media, "AGREE_S", 3600.0)
    before = len(ann.offers), len(cat.offers)
    for k in range(18):
        scene.show(ben, camera=k % 2 == 0)
        await scene.answered(*pages)
    most = call_media.AT_ONCE
    assert (len(ann.offers), len(cat.offers)) == (before[0] + most, before[1] + most)


async def test_what_is_agreed_on_in_the_end_is_how_it_is_then(scene, monkeypatch):
    pages = ann, ben, _cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    monkeypatch.setattr(call_media, "AGREE_S", 0.05)
    for k in range(18):
        scene.show(ben, camera=k % 2 == 0)
        await scene.answered(*pages)
        assert k or (ben.seat, "video") in ann.tracks()  # the first one needs not wait
    async with asyncio.timeout(10):
        while (ben.seat, "video") in ann.tracks():
            await asyncio.sleep(0.01)
            await scene.answered(*pages)
    assert (ben.seat, "audio") in ann.tracks()


@pytest.fixture
async def pass_time(scene, monkeypatch):
    """The loop's time stands still, but for what is passed of it; pages agree as they do."""
    loop = asyncio.get_running_loop()
    now_s = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now_s)
    monkeypatch.setattr(call_media, "AGREE_S", 1.0)
    monkeypatch.setattr(call_media, "SOON_S", 0.25)

    async def passed(duration_s):
        nonlocal now_s
        now_s += duration_s
        await scene.answered(*scene.pages.values())

    return passed


async def test_voices_that_come_together_are_offered_soon_and_who_comes_then_in_a_second(
    scene, pass_time
):
    ann, *others, eve = await scene.joined(*"abcde")
    await scene.publish(ann, *others)

    def n_voices():
        return [len(page.tracks()) for page in (ann, *others)]

    assert n_voices() == [1, 1, 2, 3]  # the first ones wait for nobody
    await pass_time(0.24)
    assert n_voices() == [1, 1, 2, 3]
    await pass_time(0.02)
    assert n_voices() == [3] * 4
    await scene.publish(eve)
    assert len(eve.tracks()) == 4
    await pass_time(0.72)
    assert n_voices() == [3, 3, 3, 4]  # who was offered nothing for the second time yet may be now
    await pass_time(0.04)
    assert n_voices() == [4] * 4
    assert [len(page.offers) for page in (ann, *others, eve)] == [3, 3, 3, 2, 1]


async def test_a_nervous_camera_costs_a_page_one_offer_a_second(scene, pass_time):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben, cat)
    await pass_time(10.0)
    n_before = len(ann.offers)
    for k in range(17):
        scene.show(ben, camera=k % 2 == 0)
        await pass_time(0.3)
    assert 3 <= len(ann.offers) - n_before <= 7  # in 5.1 s


LONG_ANSWER = cm.Description(kind="answer", sdp="v=0" + "x" * (cm.SDP_CHARS - 3))


async def switched(scene, page, n):
    """Switch a camera so often; Ann answers each offer at great length."""
    ann = scene.pages["ann"]
    for k in range(n):
        scene.show(page, camera=k % 2 == 0)
        await settled()
        scene.tell(ann, LONG_ANSWER, "down")
        await scene.answered(*scene.pages.values())


async def test_answers_that_were_asked_for_are_not_counted_and_others_are(scene):
    pages = ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    n_before = len(ann.offers)
    await switched(scene, ben, 16)
    await switched(scene, cat, 16)
    n_offers = len(ann.offers) - n_before
    assert n_offers * cm.SDP_CHARS > 2 * call.CHARS_BURST
    answers = [sdp for down in scene.at_sfu.downs for sdp in down.answers]
    assert answers.count(LONG_ANSWER.sdp) == n_offers
    with pytest.raises(CallError, match="too much"):
        answer_often(scene, ann)


def answer_often(scene, page):
    for _ in range(20):
        scene.tell(page, LONG_ANSWER, "down")


async def test_one_answer_is_free_for_each_offer(scene):
    pages = ann, ben, _cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(*pages)
    scene.show(ben, camera=True)
    await settled()
    answer = cm.CallMedia(n=ann.n, way="down", signal=LONG_ANSWER)
    others = (
        cm.CallMedia(n=ann.n, way="up", signal=LONG_ANSWER),
        cm.CallMedia(n=ann.n + 1, way="down", signal=LONG_ANSWER),
        cm.CallMedia(n=ann.n, way="down", signal=cm.Description(kind="offer", sdp="v=0")),
        cm.CallMedia(n=ann.n, way="down", signal=cm.Candidate(candidate="x")),
    )
    assert [scene.relay.awaits(ann.seat, other) for other in others] == [False] * 4
    assert scene.relay.awaits(ann.seat, answer)
    scene.room.receive(ann, answer)
    assert not scene.relay.awaits(ann.seat, answer)


async def test_a_page_whose_part_fails_unforeseen_is_told_to_begin_anew(scene, monkeypatch, caplog):
    ann, ben, cat = await scene.joined("ann", "ben", "cat")
    await scene.publish(ann, ben)

    async def broken(*_):
        raise RuntimeError("a bug")

    receive = scene.at_sfu.receive

    def receive_broken(events):
        down = receive(events)
        down.show = broken
        return down

    monkeypatch.setattr(scene.at_sfu, "receive", receive_broken)
    cat.n = 1
    scene.tell(cat, OFFER)
    await settled()
    assert cat.got(cm.CallMediaTold)[-1].signal == cm.MediaEnded()
    assert "by a fault" in caplog.text
    monkeypatch.setattr(scene.at_sfu, "receive", receive)
    await scene.publish(cat)
    assert cat.tracks() == {(ann.seat, "audio"), (ben.seat, "audio")}


# ------------------------------------------------------------------ the setting


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
