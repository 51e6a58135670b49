"""What a frame takes because of its size is told apart from what it takes anyway."""

import math
import random
from types import SimpleNamespace

import pytest

from blustream_widget.transport.service_time import ServiceTime

UNKNOWN = (0.0, math.inf)


def frames(seconds, *, sizes=(1000, 1500, 2000, 2500)):
    return [SimpleNamespace(n_bytes=n, service_s=seconds(n)) for n in sizes * 6]


def learned(found):
    service = ServiceTime()
    service.learn(found)
    return service


def test_the_line_through_frames_of_different_sizes_is_found():
    service = learned(frames(lambda n_bytes: 0.004 + 8 * n_bytes / 2e6))
    assert service.fixed_s == pytest.approx(0.004)
    assert service.link_bps == pytest.approx((2e6, 2e6))


def test_a_link_on_which_size_does_not_matter_has_no_bound():
    assert learned(frames(lambda _: 0.01)).link_bps[1] == math.inf


def test_frames_of_one_size_tell_nothing():
    assert learned(frames(lambda _: 0.01, sizes=(1000, 1010, 990, 1000))).link_bps == UNKNOWN


def test_frames_that_are_all_late_say_nothing_of_room():
    assert learned(frames(lambda _: 0.5)).link_bps == UNKNOWN


def test_a_few_frames_are_too_few():
    service = ServiceTime()
    service.learn(frames(lambda n_bytes: n_bytes / 1e6)[:8])
    assert (service.fixed_s, service.link_bps) == (0.0, UNKNOWN)


def test_there_is_something_to_learn_after_some_frames_and_not_with_each():
    service = ServiceTime()
    assert [service.came() for _ in range(8)] == [False] * 7 + [True]
    service.learn([])
    assert not service.came()


def test_the_rate_is_known_within_bounds_where_other_things_take_time_too():
    randomness = random.Random(5)
    found = frames(lambda n_bytes: 8 * n_bytes / 2e6 + randomness.expovariate(1 / 0.002))
    least_bps, most_bps = learned(found).link_bps
    assert 1e6 < least_bps < 2e6 < most_bps < 4e6
