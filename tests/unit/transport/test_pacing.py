"""AckPacer: room for the link, none for a queue."""

from blustream_widget.transport.pacing import IN_FLIGHT_MAX, OVERRUN, STALLED_S, AckPacer


class Clock:
    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s


def pacer_with_rtt(rtt_s):
    clock = Clock()
    pacer = AckPacer(clock)
    pacer.sent(0)
    clock.now_s += rtt_s
    pacer.acknowledged(0)
    return pacer, clock


def test_three_frames_may_be_on_the_way_on_a_quick_link():
    pacer, _ = pacer_with_rtt(0.002)
    for n in range(1, 4):
        assert pacer.has_credit
        pacer.sent(n)
    assert not pacer.has_credit


def test_a_long_link_holds_more_frames():
    assert pacer_with_rtt(0.160)[0].limit == 12


def test_fewer_acknowledgements_leave_room_for_the_frames_between_them():
    pacer, clock = pacer_with_rtt(0.002)
    pacer.acks_every_s = 0.09
    for n in range(1, 60):  # one frame in 16 ms, one acknowledgement in 96
        assert pacer.has_credit
        pacer.sent(n)
        clock.now_s += 0.016
        if n % 6 == 0:
            pacer.acknowledged(n)
    assert pacer.limit < 10


def test_of_frames_acknowledged_together_the_last_one_tells_of_the_link():
    pacer, clock = pacer_with_rtt(0.002)
    heard = []
    pacer.link.acknowledged = lambda *, n_bytes, **_: heard.append(n_bytes)
    for every_s in (0.0, 0.09):
        pacer.acks_every_s = every_s
        for n in (1, 2, 3):
            pacer.sent(n, 1000)
            clock.now_s += 0.016
        pacer.acknowledged(3)
    assert heard == [3000, 1000]


def test_the_limit_has_a_ceiling():
    assert pacer_with_rtt(1.9)[0].limit == IN_FLIGHT_MAX


def test_queueing_does_not_raise_the_limit():
    pacer, clock = pacer_with_rtt(0.010)
    for n in range(1, 20):
        pacer.sent(n)
        clock.now_s += 0.5
        pacer.acknowledged(n)
    assert pacer.limit == 3


def test_an_acknowledgement_covers_all_frames_before_it():
    pacer = AckPacer(Clock())
    for n in range(3):
        pacer.sent(n)
    pacer.acknowledged(1)
    assert pacer.in_flight == 1


def test_an_unknown_acknowledgement_changes_nothing():
    pacer = AckPacer(Clock())
    pacer.sent(5)
    pacer.acknowledged(99)
    assert pacer.in_flight == 1


def test_frames_that_were_dropped_before_they_left_are_not_awaited():
    pacer = AckPacer(Clock())
    for n in range(3):
        pacer.sent(n)
    pacer.unsent(2)
    pacer.acknowledged(0)
    assert pacer.in_flight == 0


def test_a_viewer_is_behind_only_beyond_the_overrun():
    pacer = AckPacer(Clock())
    for n in range(3 + OVERRUN):
        assert not pacer.is_behind
        pacer.sent(n)
    assert pacer.is_behind


def test_the_first_frame_is_alone_until_it_has_told_what_the_link_carries():
    pacer = AckPacer(Clock())
    pacer.sent(0, 30_000)
    assert not pacer.has_credit


def test_no_more_bytes_are_on_the_way_than_the_link_carries_in_a_moment():
    pacer, _ = pacer_with_rtt(0.010)
    pacer.sent(1, 40_000)
    assert pacer.has_credit
    pacer.sent(2, 40_000)
    assert not pacer.has_credit
    pacer.acknowledged(1)
    assert pacer.has_credit


def test_fewer_frames_a_second_fill_a_long_link():
    pacer, _ = pacer_with_rtt(0.160)
    pacer.pace(30)
    assert pacer.limit == 6


def test_a_viewer_that_never_acknowledges_is_tried_again_in_the_end():
    clock = Clock()
    pacer = AckPacer(clock)
    for n in range(10):
        pacer.sent(n)
    assert not pacer.has_credit
    clock.now_s += STALLED_S + 0.1
    assert pacer.has_credit


def test_a_long_link_is_given_the_time_that_it_needs_before_frames_are_taken_as_lost():
    clock = Clock()
    pacer = AckPacer(clock, stalled_s=0.5)
    pacer.sent(0)
    clock.now_s += 0.3
    pacer.acknowledged(0)
    pacer.sent(1, 100_000)
    clock.now_s += 1.0
    assert not pacer.has_credit or pacer.in_flight == 1
    assert pacer.n_lost == 0
    clock.now_s += 1.0
    assert pacer.has_credit
    assert pacer.n_lost == 1
