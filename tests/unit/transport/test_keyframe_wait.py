"""KeyframeWait: who is left behind gets keyframes alone, and seldom asks for one."""

from blustream_widget.transport.keyframe_wait import KeyframeWait


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_a_viewer_that_keeps_up_goes_on_after_its_keyframe():
    wait = KeyframeWait(Clock())
    assert wait.may_ask
    wait.sent(is_keyframe=True, link_s=0.01)
    assert not wait.waits


def test_a_viewer_that_is_left_behind_waits_for_the_next_keyframe_at_once():
    wait = KeyframeWait(Clock())
    wait.is_left_behind = True
    wait.sent(is_keyframe=True, link_s=0.01)
    assert wait.waits


def test_it_asks_again_after_a_second_or_when_its_link_was_free_for_twice_as_long():
    clock = Clock()
    wait = KeyframeWait(clock)
    wait.is_left_behind = True
    wait.sent(is_keyframe=True, link_s=0.8)
    clock.now_s = 2.3
    assert not wait.may_ask
    clock.now_s = 2.5
    assert wait.may_ask


def in_stream(rendition):
    wait = KeyframeWait(Clock())
    wait.assign(rendition)
    assert wait.takes(rendition, is_keyframe=True)
    wait.sent(is_keyframe=True, link_s=0.0)
    return wait


def test_to_a_larger_stream_it_goes_at_a_keyframe_and_has_its_own_until_then():
    wait = in_stream(1)
    wait.assign(0)
    assert wait.may_ask
    assert wait.takes(1, is_keyframe=False)
    assert not wait.takes(0, is_keyframe=False)
    assert wait.takes(0, is_keyframe=True)
    assert not wait.takes(1, is_keyframe=False)
    assert wait.takes(0, is_keyframe=False)


def test_what_is_too_much_for_it_is_not_sent_while_the_smaller_streams_keyframe_comes():
    wait = in_stream(0)
    wait.assign(2)
    assert wait.waits
    assert wait.may_ask
    assert not wait.takes(0, is_keyframe=False)
    assert not wait.takes(0, is_keyframe=True)
    assert wait.takes(2, is_keyframe=True)
