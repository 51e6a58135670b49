"""Ladder: one stream for all whose links can bear it, smaller ones for the others alone."""

import pytest

from blustream_widget.session.ladder import LOW_FPS, Ladder
from blustream_widget.session.rendition import Need

HD = 1280 * 720


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def ladder(clock):
    return Ladder(clock)


def move(ladder, clock, bps=12e6, n=60):
    """Have the full stream take so much."""
    for _ in range(n):
        clock.now_s += 1 / 60
        ladder.sent.add(int(bps / 8 / 60))


def places(ladder, *bps, **fields):
    needs = {peer: Need(rate, **fields) for peer, rate in enumerate(bps)}
    ladder.choose(needs, HD)
    return [ladder.place(peer) for peer in needs]


def test_links_that_are_alike_share_one_encode(ladder, clock) -> None:
    move(ladder, clock)
    assert places(ladder, 20e6, 9e6, 7e6) == [0, 0, 0]
    assert ladder.now.smaller == ()


def test_a_slow_viewer_gets_a_smaller_stream_and_the_others_keep_their_rate(ladder, clock) -> None:
    move(ladder, clock)
    assert places(ladder, 20e6, 18e6) == [0, 0]
    alone = ladder.now.bit_rate_bps
    assert places(ladder, 20e6, 18e6, 4e6, 0.5e6) == [0, 0, 1, 2]
    assert (ladder.now.bit_rate_bps, ladder.now.scale) == (alone, 1.0)
    half, low = ladder.now.smaller
    assert (half.rendition, half.scale, half.bit_rate_bps <= 4e6) == (1, 0.5, True)
    assert (low.rendition, low.scale, low.bit_rate_bps <= 0.5e6) == (2, 0.25, True)
    assert low.max_fps <= LOW_FPS


def test_who_can_bear_what_the_full_stream_takes_stays_in_it(ladder, clock) -> None:
    move(ladder, clock, bps=1e6)
    assert places(ladder, 20e6, 1.3e6) == [0, 0]
    move(ladder, clock, bps=12e6)
    assert places(ladder, 20e6, 1.3e6) == [0, 2]


def test_the_rate_does_not_count_the_time_in_which_nothing_moves(ladder, clock) -> None:
    move(ladder, clock, bps=12e6)
    moving = ladder.sent.bps
    clock.now_s += 60.0
    ladder.sent.add(25_000)
    assert ladder.sent.bps > 0.9 * moving


def test_down_at_once_and_up_only_after_a_while_with_room_to_spare(ladder, clock) -> None:
    move(ladder, clock)
    assert places(ladder, 20e6, 4e6) == [0, 1]
    assert places(ladder, 20e6, 20e6) == [0, 1]
    clock.now_s += 5.0
    assert places(ladder, 20e6, 7e6) == [0, 1]
    assert places(ladder, 20e6, 20e6) == [0, 0]


def test_who_has_just_come_is_not_taken_for_slow(ladder, clock) -> None:
    move(ladder, clock, bps=40e6)
    needs = {0: Need(40e6), 1: Need(8e6, is_known=False)}
    ladder.choose(needs, 4 * HD)
    assert ladder.place(1) == 0


def test_jpeg_has_no_smaller_stream(ladder, clock) -> None:
    move(ladder, clock)
    ladder.choose({0: Need(20e6), 1: Need(1e6, is_jpeg=True)}, HD)
    assert ladder.place(1) == 0


def test_one_viewer_alone_always_gets_the_full_stream(ladder, clock) -> None:
    move(ladder, clock)
    assert places(ladder, 0.2e6) == [0]


def test_a_link_that_not_even_the_smallest_stream_goes_by_is_left_behind(ladder, clock) -> None:
    move(ladder, clock)
    assert places(ladder, 20e6, 1.5e6, 0.2e6) == [0, 2, 2]
    assert [ladder.is_left_behind(peer) for peer in range(3)] == [False, False, True]


def test_whoever_leaves_takes_their_stream_along(ladder, clock) -> None:
    move(ladder, clock)
    places(ladder, 20e6, 4e6)
    places(ladder, 20e6)
    assert ladder.now.smaller == ()
