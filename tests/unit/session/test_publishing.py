"""Who publishes a session, what the SFU gets, and what becomes of it when the SFU is gone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import msgspec
import pytest
from tests.unit.session.publishing_kit import JANUS, FakePublisher, Scene

from blustream_widget.config import Config
from blustream_widget.core.picture_messages import TakePicture
from blustream_widget.core.publishing import (
    Janus,
    LiveKit,
    PublishStatus,
    StartPublishing,
)
from blustream_widget.errors import SfuError, SfuRefusedError, SfuUnreachableError
from blustream_widget.session import publish_tap, publishing
from blustream_widget.session.pictures import PictureDesk
from blustream_widget.session.publish_tap import PublishTap
from blustream_widget.session.publishing import completed, target_of
from blustream_widget.session.recording_tap import RecordingTap
from blustream_widget.transport.fanout import Fanout

pytestmark = pytest.mark.usefixtures("no_pauses")


_STATE = publishing.PublishState(phase="on", sfu="LiveKit")


async def test_it_begins_at_a_keyframe_which_is_asked_for():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.show(1)
    assert scene.asked == [0]
    scene.show(2, is_key=True)
    scene.show(3)
    scene.show(4, is_still=True)
    assert scene.made[0].frames == [2, 3]
    await scene.desk.close()


async def test_who_comes_at_the_sfu_gets_a_keyframe_and_nobody_loses_a_picture():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.show(1, is_key=True)
    scene.asked.clear()
    scene.made[0].on_keyframe()  # the view rests
    assert scene.asked == [0]
    scene.show(2)
    scene.show(3, is_key=True)
    scene.asked.clear()
    scene.show(4)
    assert (scene.made[0].frames, scene.asked) == ([1, 2, 3, 4], [])
    await scene.desk.close()


@pytest.mark.parametrize("cause", ["the view moves", "somebody comes"])
async def test_a_view_that_rests_gives_one_more_keyframe(monkeypatch, cause):
    monkeypatch.setattr(publish_tap, "REST_S", 0.0)
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.show(1, is_key=True)
    n = 2
    for _ in range(2):
        if cause == "somebody comes":
            scene.made[0].on_keyframe()
        scene.show(n, is_key=cause == "somebody comes")
        scene.was_asked.clear()
        async with asyncio.timeout(5):
            await scene.was_asked.wait()
        scene.show(n + 1, is_key=True)
        scene.was_asked.clear()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not scene.was_asked.is_set()  # and then no more
        n += 2
    await scene.desk.close()


@pytest.mark.parametrize("why", ["is behind", "refuses"])
async def test_a_frame_that_was_not_taken_ends_its_group(why):
    scene = Scene()
    scene.start()
    await scene.until("on")
    publisher = scene.made[0]
    scene.show(1, is_key=True)
    publisher.is_behind, publisher.takes = why == "is behind", why == "is behind"
    scene.show(2)
    publisher.is_behind, publisher.takes = False, True
    scene.asked.clear()
    scene.was_asked.clear()
    async with asyncio.timeout(5):
        await scene.was_asked.wait()  # also where nothing more is drawn
    scene.show(3)
    scene.show(4, is_key=True)
    assert publisher.frames == [1, 4]
    await scene.desk.close()


async def test_everybody_is_told_and_only_owners_where():
    scene = Scene()
    scene.start()
    await scene.until("on")
    assert [(m.phase, m.place) for m in scene.owner.heard] == [
        ("starting", ""),
        ("on", "mountpoint 1"),
    ]
    assert [(m.sfu, m.place) for m in scene.guest.heard] == [("Janus", ""), ("Janus", "")]
    late = SimpleNamespace(role="viewer", heard=[])
    late.send = late.heard.append
    scene.desk.welcome(late)
    assert late.heard[0].phase == "on"
    assert scene.notes == ["published to Janus"]
    await scene.desk.close()


async def test_the_end_is_told_when_the_sfu_has_heard_of_it():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.made[0].may_close.clear()
    scene.stop(2)
    scene.stop(3)
    await asyncio.sleep(0)
    assert scene.desk.is_on
    scene.made[0].may_close.set()
    await scene.until("off")
    assert scene.told[-1].n == 3
    assert (scene.made[0].is_closed, scene.desk.is_on, list(scene.fanout)) == (True, False, [])
    assert scene.notes == ["published to Janus", "published no more"]


async def test_it_can_be_ended_before_it_is_there():
    scene = Scene()
    scene.start()
    scene.stop(2)  # before anything ran
    assert (await scene.until("off")).code == ""
    scene.start(3)
    await asyncio.sleep(0)
    scene.made[-1].may_open.clear()
    scene.stop(4)
    assert (await scene.until("off")).code == ""
    assert scene.made[-1].is_closed
    assert not scene.desk.is_on


@pytest.mark.parametrize("error", [SfuRefusedError("No."), SfuUnreachableError("Nobody there.")])
async def test_what_fails_at_first_is_told_and_not_tried_again(error):
    scene = Scene()
    scene.errors = [error]
    scene.start()
    told = await scene.until("off")
    assert (told.code, told.message) == (error.code, error.message)
    assert (len(scene.made), scene.made[0].is_closed) == (1, True)
    assert scene.notes == scene.failures == []


async def test_an_sfu_that_goes_is_tried_until_it_is_back_and_then_has_the_same_place():
    scene = Scene()
    scene.start()
    await scene.until("on")
    gone = SfuUnreachableError("Nobody there.")
    scene.errors = [gone, gone]
    scene.made[0].end.set_result(gone)
    await scene.until("waiting")
    assert scene.owner.heard[-1].code == "sfu-unreachable"
    assert scene.guest.heard[-1].message == ""
    await scene.until("on", n_made=4)
    targets = [made.target for made in scene.made]
    assert targets[0] == msgspec.structs.replace(JANUS, mountpoint=7, secret="a secret")
    assert set(targets) == {targets[0]}
    assert len({made.mark for made in scene.made}) == 1  # by which it knows its own
    assert [made.is_closed for made in scene.made] == [True, True, True, False]
    scene.show(1, is_key=True)
    assert scene.made[-1].frames == [1]
    await scene.desk.close()


async def test_what_somebody_ended_at_the_sfu_stays_ended():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.made[0].end.set_result(SfuRefusedError("Somebody ended it."))
    told = await scene.until("off")
    assert (told.code, len(scene.made)) == ("sfu-refused", 1)
    assert [failure.code for failure in scene.failures] == ["sfu-refused"]  # nobody asked
    assert scene.notes == ["published to Janus", "published no more"]


async def test_what_was_published_before_its_server_ended_is_tried_until_it_is_back():
    scene = Scene()
    scene.errors = [SfuUnreachableError("Nobody there.")] * 3
    scene.start(again=True)
    await scene.until("on", n_made=4)
    assert scene.notes == ["published to Janus"]
    await scene.desk.close()


async def test_while_it_waits_it_can_be_ended():
    scene = Scene()
    scene.start()
    await scene.until("on")
    gone = SfuUnreachableError("Nobody there.")
    scene.errors = [gone] * 1000
    scene.made[0].end.set_result(gone)
    await scene.until("waiting")
    scene.stop()
    assert (await scene.until("off")).code == ""


async def test_a_second_one_is_refused_and_the_first_goes_on():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.start(n=2)
    assert (scene.told[-1].n, scene.told[-1].status.code) == (2, "sfu")
    assert (scene.told[-1].status.phase, len(scene.made)) == ("on", 1)
    assert scene.owner.heard[-1].code == ""
    await scene.desk.close()


async def test_what_is_told_twice_is_done_once():
    scene = Scene()
    for _ in range(2):  # when the link comes again, before the answer to the first
        scene.start()
    assert (scene.told[-1].status.phase, scene.told[-1].status.code) == ("starting", "")
    await scene.until("on")
    scene.start()
    assert (scene.told[-1].status.phase, scene.told[-1].status.code) == ("on", "")
    scene.start(n=2)
    scene.start(n=2)
    told = [(m.n, m.status.phase, m.status.code) for m in scene.told[-3:]]
    assert told == [(2, "on", "sfu"), (2, "on", "sfu"), (2, "on", "")]
    scene.made[0].end.set_result(SfuUnreachableError("Nobody there."))
    await scene.until("on", n_made=2)  # while the kernel does not hear it
    scene.desk.attach_kernel()
    assert [m.status.code for m in scene.told[-2:]] == ["sfu", ""]
    scene.stop(n=3)
    await scene.until("off")
    scene.stop(n=3)
    assert (scene.told[-1].n, scene.told[-1].status.phase) == (3, "off")
    assert len(scene.made) == 2
    await scene.desk.close()


async def test_a_refusal_that_is_told_again_is_followed_by_why_it_has_ended():
    scene = Scene()
    scene.start()
    await scene.until("on")
    scene.start(n=2)
    scene.made[0].end.set_result(SfuRefusedError("Shown out."))
    await scene.until("off")
    scene.desk.attach_kernel()
    told = [(m.n, m.status.phase, m.status.code) for m in scene.told[-2:]]
    assert told == [(2, "off", "sfu"), (2, "off", "sfu-refused")]
    await scene.desk.close()


async def test_an_accident_is_told_as_well():
    scene = Scene()
    scene.errors = [RuntimeError("a bug")]
    scene.start()
    told = await scene.until("off")
    assert (told.code, "RuntimeError" in told.message) == ("sfu", True)


async def test_the_end_of_the_session_takes_it_away():
    scene = Scene()
    scene.start()
    await scene.until("on")
    await scene.desk.close()
    assert scene.made[0].is_closed
    await scene.desk.close()


async def test_without_an_encoder_nothing_is_published():
    scene = Scene(can_encode=False)
    scene.start()
    assert (scene.told[-1].status.code, scene.made) == ("sfu", [])


async def test_the_servers_settings_say_where():
    scene = Scene(sfu='{"type": "livekit", "url": "ws://127.0.0.1:7880", "room": "survey"}')
    scene.start(to=None)
    await scene.until("on")
    assert scene.made[0].target == LiveKit(
        url="ws://127.0.0.1:7880", room="survey", identity="blustream-7"
    )
    await scene.desk.close()


@pytest.mark.parametrize("setting", ["", "janus", '{"type": "janus", "api_secret": "hush"}'])
def test_a_setting_that_cannot_be_read_is_said_without_its_secrets(setting):
    with pytest.raises(SfuError) as raised:
        target_of(Config(sfu=setting))
    assert "hush" not in f"{raised.value} {raised.value.hint}"


def test_secrets_are_in_no_repr():
    targets = (
        Janus(url="http://h/janus", **dict.fromkeys(_SECRETS_OF_JANUS, "hush")),
        LiveKit(url="ws://h", room="r", api_key="k", api_secret="hush", token="hush"),
    )
    assert "hush" not in repr(targets)


_SECRETS_OF_JANUS = ("pin", "secret", "api_secret", "token", "admin_key")


def test_what_a_user_chose_stays():
    message = StartPublishing(session="s", n=1, number=7, secret="a secret", again=True)
    target = completed(Janus(url="http://h/janus", mountpoint=3, secret="mine"), message)
    assert (target.mountpoint, target.secret, target.replace) == (3, "mine", False)


def test_tries_of_one_wish_have_one_mark_that_says_no_secret():
    wish = StartPublishing(session="s", n=1, number=7, secret="a secret")
    mark = publishing.mark_of(wish)
    assert mark == publishing.mark_of(msgspec.structs.replace(wish, n=2, again=True))
    assert mark != publishing.mark_of(msgspec.structs.replace(wish, secret="another secret"))
    assert "secret" not in mark


async def test_those_who_take_what_others_get_do_not_wait_for_each_other():
    fanout = Fanout(lambda _stream: None)
    publisher = FakePublisher(JANUS, lambda: None)
    recording = RecordingTap(SimpleNamespace(is_behind=False), fanout)
    for subscriber in (PublishTap(publisher, fanout), recording):
        fanout.add(subscriber, sets_pace=False)
    pictures = PictureDesk(
        fanout=fanout,
        kernel=None,
        state=lambda: SimpleNamespace(revision=1),
        on_change=lambda: None,
        draw_again=lambda: None,
    )
    pictures.receive(TakePicture(session="s", n=1))
    assert [subscriber.has_credit for subscriber in fanout] == [True] * 3
    looker = SimpleNamespace(video="h264", has_credit=False)
    fanout.add(looker)
    assert not fanout.has_credit
    fanout.remove(looker)
    assert fanout.has_credit


def test_messages_survive_the_way():
    status = PublishStatus("s", 1, msgspec.structs.replace(_STATE, place="room r"))
    assert msgspec.json.decode(msgspec.json.encode(status), type=PublishStatus) == status
