"""Fanout with several streams: the same frame to all of one, and keyframes for those who change."""

import dataclasses

import pytest

from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.keyframe_wait import KeyframeWait


class FakeSubscriber:
    video, stills, has_credit = "h264", True, True

    def __init__(self):
        self.keyframe = KeyframeWait()
        self.frames = []

    @property
    def needs_keyframe(self):
        return self.keyframe.may_ask

    def offer(self, frame):
        self.frames.append(frame)
        self.keyframe.sent(is_keyframe=frame.is_keyframe, link_s=0.0)


def frame(number, rendition=0, *, is_key=False):
    return dataclasses.replace(make_frame(number, is_key=is_key), rendition=rendition)


@pytest.fixture
def asked():
    return []


@pytest.fixture
def fanout(asked):
    return Fanout(asked.append)


@pytest.fixture
def viewers(fanout):
    viewers = [FakeSubscriber() for _ in range(3)]
    for viewer in viewers:
        fanout.add(viewer)
    fanout.publish(frame(0, is_key=True))
    return viewers


def numbers(viewer):
    return [f.frame_no for f in viewer.frames]


def test_all_viewers_of_a_stream_get_the_very_same_frame(viewers) -> None:
    first, *others = (viewer.frames[0] for viewer in viewers)
    assert all(other is first for other in others)


def test_one_viewer_changes_its_stream_and_the_others_go_on(fanout, viewers, asked) -> None:
    *quick, slow = viewers
    slow.keyframe.assign(1)
    assert fanout.streams == {0, 1}
    fanout.publish(frame(1))
    assert asked == [1]
    fanout.publish(frame(2, 1, is_key=True))
    fanout.publish(frame(3))
    fanout.publish(frame(4, 1))
    assert [numbers(viewer) for viewer in quick] == [[0, 1, 3]] * 2
    assert numbers(slow) == [0, 2, 4]


def test_a_stream_that_nobody_is_in_is_not_named(fanout, viewers) -> None:
    assert fanout.streams == {0}
    viewers[0].keyframe.assign(2)
    fanout.remove(viewers[0])
    assert fanout.streams == {0}
