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


def test_another_one_is_served_first_each_time(fanout, viewers) -> None:
    order = served(fanout, viewers, 6)
    assert {first for first, *_ in order} == {0, 1, 2}
    assert order[:3] == order[3:]
    assert all(sorted(turn) == [0, 1, 2] for turn in order)


def test_whoever_moves_the_view_is_served_before_all_others(fanout, viewers) -> None:
    fanout.put_first([viewers[1]])
    order = served(fanout, viewers, 6)
    assert {first for first, *_ in order} == {1}
    assert {second for _, second, _ in order} == {0, 2}
    fanout.put_first([viewers[2]])
    assert {first for first, *_ in served(fanout, viewers, 3)} == {2}
    fanout.remove(viewers[2])
    assert {first for first, _ in served(fanout, viewers[:2], 4)} == {0, 1}


def test_one_who_is_not_there_is_not_served_first(fanout, viewers) -> None:
    fanout.put_first([FakeSubscriber(), viewers[0]])
    assert {first for first, *_ in served(fanout, viewers, 3)} == {0}


def test_one_who_waits_for_another_kind_of_picture_is_asked_for(fanout, asked) -> None:
    other = FakeSubscriber()
    other.video = "jpeg"
    fanout.add(other)
    asked.clear()
    fanout.publish(frame(5))
    assert asked == [0]
    other.keyframe.sent(is_keyframe=True, link_s=0.0)
    fanout.publish(frame(6))
    assert asked == [0]


def test_it_is_known_whether_a_still_was_published(fanout) -> None:
    fanout.publish(frame(5))
    assert not fanout.has_still
    fanout.publish(make_frame(6, is_still=True))
    assert fanout.has_still


def test_what_takes_others_pictures_sets_no_pace(fanout) -> None:
    company, looker = FakeSubscriber(), FakeSubscriber()
    fanout.add(company, sets_pace=False)
    assert not fanout.has_pace
    fanout.add(looker)
    assert fanout.has_pace
    looker.video = None
    assert not fanout.has_pace
    fanout.remove(company)
    fanout.add(company)
    assert fanout.has_pace


def served(fanout, viewers, n):
    """Order in which each of `n` frames came to the viewers, by their numbers."""
    order = []
    for number, viewer in enumerate(viewers):
        viewer.offer = lambda _frame, number=number: order[-1].append(number)
    for frame_no in range(10, 10 + n):
        order.append([])
        fanout.publish(frame(frame_no))
    return order
