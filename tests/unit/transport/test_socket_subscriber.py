"""SocketSubscriber: what is sent, and what is dropped together."""

import asyncio

import pytest

from blustream_widget.testing.clients import StillAssembly
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.pacing import AckPacer
from blustream_widget.transport.socket_subscriber import SocketSubscriber
from blustream_widget.transport.still_delivery import SEEN_S
from blustream_widget.transport.tcp_info import TcpInfo


class FakeChannel:
    """Keeps frames until `flush`, as an outbox does while the socket is full."""

    name = "websocket"
    read_tcp = None

    def __init__(self):
        self.waiting = []
        self.sent = []

    def send_text(self, data):
        raise AssertionError("a subscriber sends no text")

    def send_frame(self, frame):
        self.waiting.append(frame)

    def drop_frames(self, *, stills_only=False):
        kept = [f for f in self.waiting if stills_only and not f.is_still]
        n = len(self.waiting) - len(kept)
        self.waiting = kept
        return n

    def close(self, code, reason):
        raise AssertionError("a subscriber closes nothing")

    def flush(self):
        self.sent += [f.frame_no for f in self.waiting]
        self.waiting = []


@pytest.fixture
def channel():
    return FakeChannel()


@pytest.fixture
def subscriber(channel):
    return SocketSubscriber(channel, "h264")


def offer(subscriber, *numbers, key=None):
    for n in numbers:
        subscriber.offer(make_frame(n, is_key=n == key))


def test_a_newer_keyframe_replaces_what_has_not_left(subscriber, channel):
    offer(subscriber, 0, 1, 2, key=0)
    offer(subscriber, 3, key=3)
    channel.flush()
    assert channel.sent == [3]
    assert subscriber.pacer.in_flight == 1


def test_a_viewer_that_is_behind_loses_its_queue_and_waits_for_a_keyframe(subscriber, channel):
    offer(subscriber, 0, 1, 2, key=0)
    channel.flush()
    offer(subscriber, *range(3, 10))
    offer(subscriber, 10)
    channel.flush()
    assert channel.sent == [0, 1, 2]
    # Nothing that was dropped counts as on the way, so there is room as soon as the rest arrived.
    assert not subscriber.needs_keyframe
    subscriber.acknowledged(2)
    assert subscriber.needs_keyframe


async def test_a_still_waits_for_nobody_who_is_busy(subscriber, channel):
    offer(subscriber, 0, 1, 2, key=0)
    subscriber.offer(make_frame(3, is_still=True))
    channel.flush()
    assert channel.sent == [0, 1, 2]


def test_a_still_that_has_not_left_makes_way_for_video(subscriber, channel):
    offer(subscriber, 0, key=0)
    channel.flush()
    subscriber.acknowledged(0)
    subscriber.offer(make_frame(1, is_still=True))
    offer(subscriber, 2)
    channel.flush()
    assert channel.sent == [0, 2]


async def test_a_still_that_found_no_room_is_sent_when_there_is(subscriber, channel):
    offer(subscriber, 0, 1, 2, key=0)
    subscriber.offer(make_frame(3, is_still=True))
    subscriber.acknowledged(2)
    channel.flush()
    assert channel.sent == [0, 1, 2, 3]


async def test_a_still_that_waits_goes_when_the_view_moves(subscriber, channel):
    offer(subscriber, 0, 1, 2, key=0)
    subscriber.offer(make_frame(3, is_still=True))
    subscriber.moved()
    subscriber.acknowledged(2)
    subscriber.drawn(is_same_view=False)
    subscriber.drawn(is_same_view=True)
    channel.flush()
    assert channel.sent == [0, 1, 2]


def test_a_still_comes_after_all_when_the_view_went_and_came_back_unseen(subscriber, channel):
    subscriber.offer(make_frame(3, is_still=True))
    subscriber.moved()
    channel.flush()
    assert channel.sent == []
    subscriber.moved()
    subscriber.drawn(is_same_view=True)
    channel.flush()
    assert channel.sent == [3]
    subscriber.acknowledged(3)
    subscriber.moved()
    subscriber.drawn(is_same_view=True)
    channel.flush()
    assert channel.sent == [3]  # it is there


def test_a_still_on_its_way_survives_that_the_video_goes_another_way(subscriber, channel):
    offer(subscriber, 0, key=0)
    subscriber.acknowledged(0)
    subscriber.offer(make_frame(1, is_still=True))
    subscriber.set_path(is_visible=True, is_elsewhere=True)
    channel.flush()
    assert channel.sent == [1]


async def test_a_still_without_room_is_sent_when_the_video_goes_another_way(subscriber, channel):
    offer(subscriber, 0, 1, 2, key=0)
    channel.flush()
    subscriber.offer(make_frame(3, is_still=True))
    subscriber.set_path(is_visible=True, is_elsewhere=True)
    channel.flush()
    assert channel.sent == [0, 1, 2, 3]


async def test_the_pieces_of_a_still_begin_again_when_the_video_goes_another_way(channel):
    subscriber = SocketSubscriber(channel, "h264")
    subscriber.pacer.link.seed(1e6)
    still = make_frame(1, is_still=True)
    picture = bytes(range(256)) * 400
    subscriber.offer(EncodedFrame(still.header, still.header.pack() + picture))
    first, n_sent = channel.waiting[0], len(channel.waiting)
    channel.flush()
    subscriber.set_path(is_visible=True, is_elsewhere=True)
    for _ in range(n_sent):
        subscriber.acknowledged(1)  # they arrive all the same
    assembly = StillAssembly()
    whole = assembly.add(first.header, bytes(first.picture))
    while whole is None:
        (part, *_), channel.waiting = channel.waiting, channel.waiting[1:]
        whole = assembly.add(part.header, bytes(part.picture))
        subscriber.acknowledged(1)
    assert whole[1] == picture


async def test_a_still_finds_out_by_itself_that_a_silent_viewer_has_room(channel, monkeypatch):
    monkeypatch.setattr("blustream_widget.transport.still_delivery._LOOK_AGAIN_S", 0.01)
    subscriber = SocketSubscriber(channel, "h264", AckPacer(clock := Clock()))
    offer(subscriber, 0, 1, 2, key=0)
    subscriber.offer(make_frame(3, is_still=True))
    clock.now_s = 60.0
    await asyncio.sleep(0.5)
    assert [frame.frame_no for frame in channel.waiting] == [0, 1, 2, 3]


def test_a_viewer_that_is_left_behind_gets_keyframes_alone(subscriber, channel):
    subscriber.keyframe.is_left_behind = True
    offer(subscriber, 0, 1, 2, key=0)
    offer(subscriber, 3, key=3)
    channel.flush()
    assert channel.sent == [3]
    subscriber.acknowledged(3)
    assert not subscriber.needs_keyframe


def test_stills_come_while_video_goes_another_way(subscriber, channel):
    subscriber.set_path(is_visible=True, is_elsewhere=True)
    subscriber.offer(make_frame(1, is_still=True))
    channel.flush()
    assert subscriber.video is None
    assert subscriber.stills
    assert channel.sent == [1]


def test_who_does_not_look_takes_nothing(subscriber):
    subscriber.set_path(is_visible=False, is_elsewhere=False)
    assert (subscriber.video, subscriber.stills) == (None, False)


def test_coming_back_to_the_socket_starts_at_a_keyframe(subscriber):
    offer(subscriber, 0, key=0)
    subscriber.set_path(is_visible=True, is_elsewhere=True)
    subscriber.set_path(is_visible=True, is_elsewhere=False)
    assert subscriber.needs_keyframe


def jpeg(frame_no):
    frame = make_frame(frame_no, is_key=True)
    flags = frame.header.flags | 2
    header = type(frame.header)(
        **{name: getattr(frame.header, name) for name in frame.header.__struct_fields__}
        | {"flags": flags}
    )
    return EncodedFrame(header, header.pack() + b"jpeg")


def test_of_jpegs_that_wait_only_the_newest_is_sent(channel):
    subscriber = SocketSubscriber(channel, "jpeg")
    subscriber.offer(jpeg(0))
    subscriber.acknowledged(0)
    for n in range(1, 8):
        subscriber.offer(jpeg(n))
    subscriber.acknowledged(1)
    channel.flush()
    assert channel.sent == [0, 1, 2, 3, 7]


def test_the_fanout_asks_for_a_keyframe_once_somebody_can_take_it(subscriber):
    requests = []
    fanout = Fanout(lambda _stream: requests.append("key"))
    fanout.add(subscriber)
    fanout.check_keyframes()
    fanout.publish(make_frame(0, is_key=True))
    fanout.check_keyframes()
    assert requests == ["key"]


def test_the_fanout_forgets_who_left(subscriber, channel):
    fanout = Fanout(lambda _stream: None)
    fanout.add(subscriber)
    fanout.remove(subscriber)
    fanout.publish(make_frame(0, is_key=True))
    assert channel.waiting == []
    assert not fanout.has_credit
    assert not fanout.wants("h264")


def test_the_fanout_sends_each_the_kind_it_decodes(channel):
    fanout = Fanout(lambda _stream: None)
    old = FakeChannel()
    fanout.add(SocketSubscriber(channel, "h264"))
    fanout.add(SocketSubscriber(old, "jpeg"))
    fanout.publish(make_frame(0, is_key=True))
    fanout.publish(jpeg(1))
    assert [f.frame_no for f in channel.waiting] == [0]
    assert [f.frame_no for f in old.waiting] == [1]


async def test_on_a_lossy_network_a_still_waits_until_the_picture_before_it_was_seen(channel):
    subscriber = SocketSubscriber(channel, "h264", AckPacer(clock := Clock()))
    subscriber.pacer.link.counted(400, 20)
    offer(subscriber, 0, key=0)
    subscriber.offer(make_frame(1, is_still=True))
    clock.now_s = 0.2
    subscriber.acknowledged(0)
    channel.flush()
    assert channel.sent == [0]
    clock.now_s = 0.2 + SEEN_S
    subscriber._still._send()  # as its timer does
    channel.flush()
    assert channel.sent == [0, 1]
    subscriber.close()


async def test_a_still_that_waits_is_forgotten_when_the_hand_goes_on(channel):
    subscriber = SocketSubscriber(channel, "h264", AckPacer(clock := Clock()))
    subscriber.pacer.link.counted(400, 20)
    offer(subscriber, 0, key=0)
    subscriber.offer(make_frame(1, is_still=True))
    subscriber.moved()
    subscriber.drawn(is_same_view=False)
    clock.now_s = 10.0
    subscriber.acknowledged(0)
    channel.flush()
    assert channel.sent == [0]


@pytest.fixture
def spaced(channel):
    """One of many viewers, some of whose frames are acknowledged; its TCP can be asked."""
    clock, asked = Clock(), []

    def read_tcp():
        asked.append(clock.now_s)
        return TcpInfo(0.005, 0, 0, 0)

    channel.read_tcp = read_tcp
    subscriber = SocketSubscriber(channel, "h264", AckPacer(clock))
    subscriber.pacer.link.look_s = 0.5
    return subscriber, clock, asked


def shown(subscriber, clock, number, late_s):
    """Send a frame, and have it acknowledged after 10 ms and `late_s`."""
    offer(subscriber, number, key=0)
    clock.now_s += 0.01 + late_s
    subscriber.acknowledged(number, clock.now_s)
    clock.now_s += 0.2 - late_s


def test_a_link_that_is_calm_is_asked_of_its_tcp_seldom(spaced):
    subscriber, clock, asked = spaced
    for number in range(20):
        shown(subscriber, clock, number, late_s=0.0)
    assert 7 <= len(asked) <= 9


def test_a_frame_that_is_late_is_judged_by_what_tcp_says_then(spaced):
    subscriber, clock, asked = spaced
    shown(subscriber, clock, 0, late_s=0.0)
    asked.clear()
    shown(subscriber, clock, 1, late_s=0.1)
    assert len(asked) == 1
    assert not subscriber.pacer.link.is_late  # TCP sees no queue


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s
