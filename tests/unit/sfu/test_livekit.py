"""What LiveKit's SDK is asked for, and what becomes of what it says. The SDK is a stand-in here."""

from __future__ import annotations

import asyncio
import enum
from types import SimpleNamespace

import jwt
import pytest

from blustream_widget.errors import SfuRefusedError, SfuUnreachableError
from blustream_widget.sfu import LiveKit, livekit
from blustream_widget.sfu.livekit import LiveKitPublisher, token_for
from blustream_widget.testing.contracts.transport import make_frame

SECRET = "a secret that is as long as LiveKit wants"
TARGET = LiveKit(
    url="ws://127.0.0.1:7880", room="survey", identity="view", api_key="k", api_secret=SECRET
)


class ConnectError(Exception):
    pass


class PublishTrackError(Exception):
    pass


class Reason(enum.IntEnum):
    UNKNOWN_REASON = 0
    DUPLICATE_IDENTITY = 2
    SERVER_SHUTDOWN = 3
    PARTICIPANT_REMOVED = 4
    ROOM_DELETED = 5


class Sdk:
    """As much of `livekit.rtc` as is used."""

    ConnectError, DisconnectReason = ConnectError, Reason
    participant = SimpleNamespace(PublishTrackError=PublishTrackError)
    EncodedFrameType = SimpleNamespace(ENCODED_FRAME_KEY=0, ENCODED_FRAME_DELTA=1)
    VideoCodec = SimpleNamespace(H264=1)
    TrackSource = SimpleNamespace(SOURCE_SCREENSHARE=3)
    VideoEncoderBackend = SimpleNamespace(ENCODER_BACKEND_PRE_ENCODED=6)
    RoomOptions = TrackPublishOptions = EncodedVideoFrame = SimpleNamespace

    def __init__(self, *, connect_error=None, publish_error=None):
        self.connect_error, self.publish_error = connect_error, publish_error
        self.callbacks, self.frames, self.published = {}, [], []
        self.remote_participants = {}
        self.takes, self.is_keyframe_wanted, self.n_open = True, False, 0
        self.local_participant = SimpleNamespace(publish_track=self.publish_track)
        self.LocalVideoTrack = SimpleNamespace(create_video_track=lambda name, source: name)

    def Room(self):  # noqa: N802  # the SDK's name
        return self

    def EncodedVideoSource(self, width, height):  # noqa: N802  # the SDK's name
        self.n_open += 1
        return self

    def on(self, event, callback):
        self.callbacks[event] = callback

    async def connect(self, url, token, options):
        if self.connect_error is not None:
            raise self.connect_error
        self.token, self.options = token, options

    async def publish_track(self, track, options):
        if self.publish_error is not None:
            raise self.publish_error
        self.published.append((track, options))

    def capture_frame(self, frame):
        self.frames.append(frame)
        return self.takes

    def take_feedback(self):
        wanted, self.is_keyframe_wanted = self.is_keyframe_wanted, False
        return SimpleNamespace(keyframe_requested=wanted)

    async def disconnect(self):
        self.callbacks["disconnected"](Reason.UNKNOWN_REASON)

    async def aclose(self):
        self.n_open -= 1


@pytest.fixture
def sdk():
    return Sdk()


@pytest.fixture
async def asked():
    return asyncio.Event()


@pytest.fixture
async def publisher(sdk, asked, monkeypatch):
    monkeypatch.setattr(livekit, "FEEDBACK_S", 0.0)
    publisher = LiveKitPublisher(TARGET, asked.set, sdk)
    await publisher.open()
    yield publisher
    await publisher.close()
    assert sdk.n_open == 0


async def soon(event):
    async with asyncio.timeout(5):
        await event.wait()
    event.clear()


async def test_the_track_is_encoded_already_and_one_size(sdk, publisher):
    ((name, options),) = sdk.published
    assert name == "blustream"
    assert (options.video_encoder, options.simulcast) == (6, False)
    assert not sdk.options.auto_subscribe


async def test_a_frame_goes_as_it_is_with_times_that_go_on(sdk, publisher):
    for n in (1, 2):
        assert publisher.send(make_frame(n, is_key=n == 1))
    first, second = sdk.frames
    assert first.data == bytes(make_frame(1, is_key=True).picture)
    assert [frame.frame_type for frame in sdk.frames] == [0, 1]
    assert (first.width, first.height) == (64, 64)
    assert second.timestamp_us - first.timestamp_us == 1500 * 100 // 9
    sdk.takes = False
    assert not publisher.send(make_frame(3))


def test_times_go_on_over_32_bits_and_another_workers_clock():
    clock = livekit._Clock()
    times = [clock.us_of(t) for t in (2**32 - 900, 0, 900, 5, 905)]
    assert times[:3] == [0, 10_000, 20_000]
    assert times == sorted(set(times))


async def test_wishes_for_keyframes_are_looked_for(sdk, publisher, asked):
    sdk.is_keyframe_wanted = True
    await soon(asked)


async def test_who_comes_gets_a_keyframe(sdk, publisher, asked):
    sdk.callbacks["participant_connected"](object())
    assert asked.is_set()


async def test_while_somebody_is_there_a_view_at_rest_gives_one_now_and_then(
    sdk, publisher, asked, monkeypatch
):
    monkeypatch.setattr(livekit, "REST_S", 0.0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not asked.is_set()
    sdk.remote_participants = {"somebody": object()}
    await soon(asked)
    await soon(asked)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (Reason.PARTICIPANT_REMOVED, SfuRefusedError),
        (Reason.DUPLICATE_IDENTITY, SfuRefusedError),
        (Reason.ROOM_DELETED, SfuRefusedError),
        (Reason.SERVER_SHUTDOWN, SfuUnreachableError),
        (Reason.UNKNOWN_REASON, SfuUnreachableError),
    ],
)
async def test_what_was_meant_is_told_from_what_broke(sdk, publisher, reason, kind):
    sdk.callbacks["disconnected"](reason)
    sdk.callbacks["disconnected"](Reason.UNKNOWN_REASON)
    assert type(await publisher.lost()) is kind


async def test_the_sdk_may_come_back_by_itself_for_a_while(sdk, publisher, asked, monkeypatch):
    sdk.callbacks["reconnecting"]()
    sdk.callbacks["reconnected"]()
    assert asked.is_set()
    monkeypatch.setattr(livekit, "LOST_S", 0.0)
    sdk.callbacks["reconnecting"]()
    async with asyncio.timeout(5):
        assert isinstance(await publisher.lost(), SfuUnreachableError)


@pytest.mark.parametrize(
    ("sdk", "kind"),
    [
        (Sdk(connect_error=ConnectError("401 Unauthorized")), SfuRefusedError),
        (Sdk(connect_error=ConnectError("IO error: refused")), SfuUnreachableError),
        (Sdk(publish_error=PublishTrackError("not allowed")), SfuRefusedError),
        (Sdk(connect_error=TimeoutError()), SfuUnreachableError),
    ],
)
async def test_why_it_is_not_let_in_is_told(sdk, kind):
    publisher = LiveKitPublisher(TARGET, lambda: None, sdk)
    with pytest.raises(kind) as raised:
        await publisher.open()
    assert SECRET not in str(raised.value)
    await publisher.close()
    assert sdk.n_open == 0


async def test_an_error_with_an_address_is_told_without_its_token():
    error = ConnectError("cannot connect to ws://h/rtc?access_token=hush")
    publisher = LiveKitPublisher(TARGET, lambda: None, Sdk(connect_error=error))
    with pytest.raises(SfuUnreachableError) as raised:
        await publisher.open()
    assert "hush" not in str(raised.value)
    await publisher.close()


@pytest.mark.parametrize("url", ["livekit.example.org", "ftp://h", "wss://"])
async def test_an_address_that_is_none_is_refused_before_anything_is_asked(url, sdk):
    publisher = LiveKitPublisher(LiveKit(url=url, room="r", token="t"), lambda: None, sdk)
    with pytest.raises(SfuRefusedError):
        await publisher.open()
    assert sdk.callbacks == {}


def test_a_token_is_good_for_one_room_and_for_publishing_alone():
    token = token_for(TARGET)
    claims = jwt.decode(token, SECRET, algorithms=["HS256"], issuer="k")
    assert claims["video"] == {
        "room": "survey",
        "roomJoin": True,
        "canPublish": True,
        "canSubscribe": False,
        "canPublishData": False,
    }
    assert (claims["sub"], claims["exp"] - claims["nbf"]) == ("view", 610)


def test_a_token_of_the_users_own_is_taken_as_it_is():
    assert token_for(LiveKit(url="ws://h", room="r", token="mine")) == "mine"
    with pytest.raises(SfuRefusedError):
        token_for(LiveKit(url="ws://h", room="r", api_key="k"))


async def test_who_ends_it_while_it_comes_in_leaves_nobody_in_the_room(sdk, monkeypatch):
    may_come, left = asyncio.Event(), []

    async def connect(url, token, options):
        await may_come.wait()

    async def disconnect():
        left.append(may_come.is_set())

    monkeypatch.setattr(sdk, "connect", connect)
    monkeypatch.setattr(sdk, "disconnect", disconnect)
    publisher = LiveKitPublisher(TARGET, lambda: None, sdk)
    opening = asyncio.create_task(publisher.open())
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening
    closing = asyncio.create_task(publisher.close())
    await asyncio.sleep(0)
    may_come.set()
    await closing
    assert left == [True]


@pytest.mark.parametrize("name", ["capture_frame", "take_feedback"])
async def test_an_sdk_that_raises_ends_this_and_not_others_pictures(sdk, publisher, name):
    def fail(*_):
        raise AssertionError

    setattr(sdk, name, fail)
    assert publisher.send(make_frame(1, is_key=True)) is (name == "take_feedback")
    async with asyncio.timeout(5):
        error = await publisher.lost()
    assert isinstance(error, SfuUnreachableError)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("signal failure: 401 Unauthorized", SfuRefusedError),
        ("http error ws://sfu:40300/rtc: connection refused", SfuUnreachableError),
        ("could not reach 10.0.0.1:403", SfuUnreachableError),
    ],
)
def test_a_port_is_no_refusal(said, kind):
    assert isinstance(livekit._refusal(said, TARGET), kind)
