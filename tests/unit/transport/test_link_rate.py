"""LinkRate and AckPacer over a link by formula: fast down, careful up, never a queue for long."""

import random
import statistics

import pytest

from blustream_widget.testing.simulated_link import SimulatedLink, scrub, steps
from blustream_widget.transport.link_rate import MIN_BPS, START_BPS, LinkRate
from blustream_widget.transport.tcp_info import TcpInfo


def steady(bps):
    return lambda _: bps


def queue_ms(ran, link):
    return 1000 * (statistics.median(ran.ages_s) - link.rtt_s - link.page_s)


@pytest.mark.parametrize(
    ("bps", "rtt_s"),
    [(0.5e6, 0.02), (2e6, 0.02), (8e6, 0.02), (8e6, 0.08), (8e6, 0.2), (20e6, 0.2)],
)
def test_the_rate_settles_near_what_the_link_carries_and_adds_little_delay(bps, rtt_s):
    link = SimulatedLink(steady(bps), rtt_s=rtt_s)
    ran, _ = scrub(link, 12)
    settled = ran.between(6, 12)
    assert 0.75 * bps < statistics.median(settled.targets_bps) < 1.15 * bps
    assert queue_ms(settled, link) < 45


def test_the_first_frame_tells_enough_to_cut_a_rate_that_is_far_too_high():
    ran, _ = scrub(SimulatedLink(steady(0.5e6)), 2)
    assert ran.between(1, 2).targets_bps[-1] < 0.6e6


def test_a_quick_link_is_used_within_a_second():
    ran, _ = scrub(SimulatedLink(steady(200e6), rtt_s=0.002), 1)
    assert ran.targets_bps[-1] > 3 * START_BPS


@pytest.mark.parametrize("tells_there", [False, True])
def test_the_rate_falls_within_half_a_second_of_what_is_in_flight_when_the_link_is_cut(tells_there):
    link = SimulatedLink(lambda t: 2e6 if t > 6 else 16e6, tells_there=tells_there)
    ran, _ = scrub(link, 8)
    assert statistics.median(ran.between(5, 6).targets_bps) > 10e6
    assert ran.between(7, 8).targets_bps[0] < 2.5e6


def test_after_a_cut_the_rate_recovers_without_overshooting_for_long():
    link = SimulatedLink(lambda t: 2e6 if 4 < t < 8 else 8e6)
    ran, _ = scrub(link, 20)
    assert statistics.median(ran.between(16, 20).targets_bps) > 5e6
    assert queue_ms(ran.between(12, 20), link) < 45


def test_the_rate_does_not_swing():
    ran, _ = scrub(SimulatedLink(steady(8e6), jitter_s=0.004), 20)
    settled = ran.between(8, 20).targets_bps
    assert min(settled) > 0.6 * 8e6
    assert max(settled) < 1.25 * 8e6


def test_jitter_alone_does_not_starve_a_viewer():
    ran, _ = scrub(SimulatedLink(steady(50e6), jitter_s=0.01), 10)
    assert min(ran.between(3, 10).targets_bps) > 5e6


def test_a_page_that_is_slow_is_not_taken_for_a_slow_link():
    ran, _ = scrub(SimulatedLink(steady(100e6), page_s=0.022, rtt_s=0.003), 8)
    assert statistics.median(ran.between(4, 8).targets_bps) > 10e6


def test_a_browser_that_is_often_busy_is_not_taken_for_a_slow_link():
    link = SimulatedLink(steady(100e6), stall_s=0.06, page_s=0.008)
    ran, _ = scrub(link, 10)
    assert statistics.median(ran.between(2, 10).targets_bps) > 6e6


def busy_from(start_s, page_s):
    """A page that is quick at first, and then takes between none and twice `page_s` for a frame."""
    randomness = random.Random(3)
    return lambda t: 0.004 if t < start_s else randomness.uniform(0, 2 * page_s)


@pytest.mark.parametrize("rtt_s", [0.0005, 0.02, 0.2])
@pytest.mark.parametrize("page_s", [0.03, 0.06, 0.12])
def test_a_page_that_gets_busy_and_says_when_frames_came_is_no_slow_link(rtt_s, page_s):
    link = SimulatedLink(steady(1e9), rtt_s=rtt_s, page_s=busy_from(2, page_s), tells_there=True)
    ran, pacer = scrub(link, 12)
    assert min(ran.between(2, 12).targets_bps) >= START_BPS
    assert pacer.link.carries_bps is None
    assert pacer.link.page_s > 0.5 * page_s


@pytest.mark.parametrize("page_s", [0.006, 0.06])
@pytest.mark.parametrize("decoding_s", [0.003, 0.006])
def test_on_a_near_link_it_is_enough_to_say_when_frames_were_decoded(decoding_s, page_s):
    link = SimulatedLink(
        steady(1e9),
        rtt_s=0.002,
        page_s=busy_from(2, page_s),
        tells_there=True,
        jitter_s=decoding_s,
    )
    ran, pacer = scrub(link, 12)
    assert min(ran.between(2, 12).targets_bps) >= START_BPS
    assert pacer.link.carries_bps is None


@pytest.mark.parametrize("told_by", ["nobody", "tcp"])
def test_a_narrow_link_is_found_though_the_page_is_busy_too(told_by):
    link = SimulatedLink(steady(2e6), page_s=busy_from(0, 0.02), tells_there=True)
    ran, pacer = scrub(link, 12, told_by=told_by)
    assert 0.6 * 2e6 < statistics.median(ran.between(6, 12).targets_bps) < 1.2 * 2e6
    assert pacer.link.carries_bps is not None


def test_a_busy_machines_late_acknowledgements_of_tcp_are_no_queue():
    """Over one machine's loopback, where a reader that is not scheduled lets TCP wait for 40 ms."""
    clock = Clock()
    link = LinkRate(clock)
    for _ in range(3):
        link.answered(0.003)
    for n in range(400):
        is_busy = n > 40
        sent_s = clock.now_s
        clock.now_s += 0.09 if is_busy else 0.004
        link.told(TcpInfo(0.039 if is_busy else 0.0005, 0, n, 0, 0.00005))
        link.acknowledged(n_bytes=16_000, sent_s=sent_s)
    assert link.target_bps >= START_BPS


def test_simple_pictures_neither_raise_nor_lower_the_rate():
    link = SimulatedLink(steady(4e6))
    ran, _ = scrub(link, 10, share=lambda _: 0.1)
    assert ran.targets_bps[-1] == pytest.approx(START_BPS, rel=0.05)
    assert queue_ms(ran, link) < 15


def test_even_a_link_that_carries_nearly_nothing_gets_pictures():
    ran, pacer = scrub(SimulatedLink(steady(20e3)), 60)
    assert pacer.link.target_bps < 1.2 * MIN_BPS
    assert ran.between(40, 60).ages_s


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


def test_heavy_loss_halves_the_rate_little_loss_leaves_it():
    link = LinkRate(Clock())
    link.counted(200, 10)
    assert link.target_bps == START_BPS
    link.counted(200, 80)
    assert link.target_bps == pytest.approx(0.8 * START_BPS)


def test_two_of_ten_packets_are_not_yet_heavy_loss():
    link = LinkRate(Clock())
    link.counted(10, 2)
    assert link.target_bps == START_BPS
    assert link.loss == 0


LOSSY = {"loss": 0.05, "rtt_s": 0.2}


@pytest.mark.parametrize(
    ("told_by", "least_bps"),
    [("nobody", 0.3 * START_BPS), ("tcp", START_BPS), ("nack", START_BPS)],
)
@pytest.mark.parametrize("seed", range(4))
def test_single_steps_over_a_long_lossy_link_do_not_lower_the_rate(told_by, least_bps, seed):
    link = SimulatedLink(steady(100e6), **LOSSY, seed=seed)
    ran, _ = steps(link, 100, told_by=told_by)
    assert min(ran.targets_bps) >= least_bps


@pytest.mark.parametrize("told_by", ["nobody", "tcp"])
@pytest.mark.parametrize("rtt_s", [0.02, 0.08])
@pytest.mark.parametrize("bps", [2e6, 4e6, 8e6])
def test_single_steps_over_a_narrow_link_are_small_enough_to_be_there_soon(bps, rtt_s, told_by):
    link = SimulatedLink(steady(bps), rtt_s=rtt_s, page_s=0.006, tells_there=True, jitter_s=0.003)
    ran, _ = steps(link, 40, told_by=told_by)
    assert statistics.median(ran.ages_s[20:]) < rtt_s + link.page_s + 0.03
    assert min(ran.targets_bps) > 0.7 * bps


def test_single_steps_over_a_quick_link_raise_the_rate():
    link = SimulatedLink(steady(100e6), rtt_s=0.02, page_s=0.006, tells_there=True, jitter_s=0.003)
    ran, _ = steps(link, 40, told_by="tcp")
    assert ran.targets_bps[-1] > 2 * START_BPS


@pytest.mark.parametrize("told_by", ["tcp", "nack"])
@pytest.mark.parametrize("seed", range(4))
def test_a_scrub_over_a_long_lossy_link_does_not_lower_the_rate(told_by, seed):
    link = SimulatedLink(steady(100e6), **LOSSY, seed=seed)
    _, pacer = scrub(link, 10, told_by=told_by)
    assert pacer.link.target_bps > 0.8 * START_BPS
    assert pacer.link.loss == pytest.approx(0.05, abs=0.03)


@pytest.mark.parametrize("told_by", ["nobody", "tcp", "nack"])
def test_a_full_link_is_found_through_its_losses(told_by):
    link = SimulatedLink(steady(2e6), rtt_s=0.08, loss=0.01)
    ran, _ = scrub(link, 12, told_by=told_by)
    assert statistics.median(ran.between(6, 12).targets_bps) < 2.5e6


def test_pictures_of_a_long_lossy_link_are_few_and_small_enough_to_come_unbroken():
    link = LinkRate(Clock())
    link.answered(0.2)
    bps = link.unbroken_bps(0.05)
    ran, _ = scrub(SimulatedLink(steady(100e6), **LOSSY), 20, share=lambda _: bps / 40e6, fps=30)
    assert statistics.median(ran.between(5, 20).ages_s) < 0.2 + 0.06
    # Sent twice, hardly anything is missed; and a short network repairs quicker than is felt.
    assert link.unbroken_bps(0.05**2) > START_BPS
    short = LinkRate(Clock())
    short.answered(0.02)
    assert short.unbroken_bps(0.05) > START_BPS


def test_what_a_proxys_connection_tells_is_not_what_the_link_does():
    link = LinkRate(Clock())
    for _ in range(3):
        link.answered(0.2)
    link.told(TcpInfo(0.0001, 0, 1000, 500))
    assert link.loss == 0
    assert link.round_trip_s == 0.2


def test_a_page_that_answers_late_while_it_is_built_is_no_proxy_and_no_long_network():
    link = LinkRate(Clock())
    link.answered(0.15)
    link.told(TcpInfo(0.02, 0, 1000, 100))
    assert link.loss > 0.05
    for answer_s in (0.06, 0.04):
        link.answered(answer_s)
    link.told(TcpInfo(0.02, 0, 1000, 100))
    assert link.round_trip_s == 0.02


def test_a_queue_from_the_first_picture_on_is_no_proxy_and_no_long_network():
    link = LinkRate(Clock())
    for answer_s in (0.11, 0.075, 0.08):
        link.answered(answer_s)  # each behind a keyframe or a part of a still
    link.told(TcpInfo(0.09, 0, 1000, 50, 0.021))
    assert link.loss > 0.02
    assert link.round_trip_s == 0.021


def test_what_tcp_saw_long_ago_says_nothing_of_the_network_as_it_is():
    clock = Clock()
    link = LinkRate(clock)
    for _ in range(60):
        link.answered(0.1)
        link.told(TcpInfo(0.1, 0, 1000, 0, 0.021))
        clock.now_s += 1.0
    assert link.round_trip_s == 0.1


@pytest.mark.parametrize("round_trip_s", [0.0005, 0.04])
def test_a_proxy_on_the_same_machine_is_one_however_late_it_acknowledges(round_trip_s):
    link = LinkRate(Clock())
    for _ in range(3):
        link.answered(0.2)
    link.told(TcpInfo(round_trip_s, 0, 1000, 500, 0.0001))
    assert link.loss == 0


@pytest.mark.parametrize(("round_trip_s", "is_counted"), [(0.021, True), (0.3, False)])
def test_what_a_standing_queue_drops_is_no_loss_of_the_network(round_trip_s, is_counted):
    link = LinkRate(Clock())
    link.told(TcpInfo(0.02, 0, 100, 0))
    link.told(TcpInfo(round_trip_s, 0, 400, 90))
    assert (link.loss > 0.2) == is_counted


def test_what_waits_unsent_in_the_system_is_a_queue():
    clock = Clock()
    link = LinkRate(clock)
    for _ in range(20):
        sent_s = clock.now_s
        clock.now_s += 0.016
        link.acknowledged(n_bytes=16_000, sent_s=sent_s)
    for _ in range(20):
        sent_s = clock.now_s
        clock.now_s += 0.2
        link.told(TcpInfo(0.016, 100_000, 0, 0))
        link.acknowledged(n_bytes=16_000, sent_s=sent_s)
    assert link.target_bps < START_BPS


def test_a_receivers_estimate_counts_only_when_something_else_says_the_link_is_full():
    clock = Clock()
    link = LinkRate(clock)
    link.capped(1e6)
    for _ in range(100):
        sent_s = clock.now_s
        clock.now_s += 0.016
        link.acknowledged(n_bytes=30_000, sent_s=sent_s)
    assert link.target_bps > START_BPS


def late_pictures(interval_s):
    """Pictures of 20 kB, quick ones first, over a link whose receiver believes in 1 Mbit/s."""
    clock = Clock()
    link = LinkRate(clock)
    for age_s in [0.03] * 12 + [0.09] * 12:
        link.capped(1e6)
        clock.now_s += age_s
        link.acknowledged(n_bytes=20_000, sent_s=clock.now_s - age_s)
        clock.now_s += interval_s
    return link


def test_an_estimate_of_a_receiver_that_gets_little_says_nothing_of_a_link_that_is_full():
    assert late_pictures(interval_s=0.5).target_bps > 1.4e6
    assert late_pictures(interval_s=0.0).carries_bps == 1e6


def test_what_another_path_carried_is_where_a_new_one_begins():
    link = LinkRate(Clock())
    link.seed(2e6)
    assert link.target_bps == 2e6


def test_a_queue_is_felt_at_once_however_seldom_the_rate_is_thought_over():
    clock = Clock()
    link = LinkRate(clock)
    link.look_s = 1000.0
    for n in range(1, 40):
        sent_s = clock.now_s
        clock.now_s += 0.02 + 0.005 * n
        link.acknowledged(n_bytes=20_000, sent_s=sent_s)
    assert link.target_bps < START_BPS


def test_a_frame_that_waited_for_a_processor_near_by_stood_in_no_queue():
    clock = Clock()
    link = LinkRate(clock)
    for age_s, is_late in ((0.005, False), (0.1, True)):
        clock.now_s += 0.033 + age_s
        link.acknowledged(n_bytes=12_500, sent_s=clock.now_s - age_s)
        assert link.is_late == is_late
    link.told(TcpInfo(0.001, 0, 10, 0, least_round_trip_s=0.0001))
    clock.now_s += 0.133
    link.acknowledged(n_bytes=12_500, sent_s=clock.now_s - 0.1)
    assert not link.is_late


def test_where_both_ends_are_one_machine_nothing_late_or_lost_says_that_a_link_is_slow():
    clock = Clock()
    link = LinkRate(clock)
    link.is_same_machine = True
    link.seed(2e6, loss=0.1)
    for n in range(400):
        clock.now_s += 0.004 if n < 40 else 0.12
        link.acknowledged(n_bytes=16_000, sent_s=clock.now_s - (0.004 if n < 40 else 0.12))
        link.counted(10, 3)
    assert link.target_bps >= START_BPS
    assert link.carries_bps is None
    assert link.loss == 0
    assert not link.is_late


TELLING = {"tells_there": True, "page_s": 0.008, "jitter_s": 0.003}


@pytest.mark.parametrize(
    ("bps", "rtt_s"), [(2e6, 0.02), (8e6, 0.02), (2e6, 0.08), (8e6, 0.08), (8e6, 0.2)]
)
def test_on_a_link_that_was_full_pictures_in_motion_find_it_empty(bps, rtt_s):
    link = SimulatedLink(steady(bps), rtt_s=rtt_s, **TELLING)
    ran, pacer = scrub(link, 16)
    settled = ran.between(4, 16)
    assert queue_ms(settled, link) < 18
    # What the link carries goes on being known, though only a part of it is used.
    assert 0.75 * bps < statistics.median(settled.targets_bps) < 1.4 * bps
    assert pacer.link.motion_bps < 0.95 * bps


def test_a_link_that_gets_wider_is_noticed_while_little_of_it_is_used():
    link = SimulatedLink(lambda t: 8e6 if t < 6 else 100e6, **TELLING)
    ran, _ = scrub(link, 16)
    assert statistics.median(ran.between(4, 6).targets_bps) < 12e6
    assert ran.targets_bps[-1] > 25e6


def test_a_new_way_begins_where_the_other_one_found_the_link_full():
    link = LinkRate(Clock())
    link.seed(1.9e6, 0.0, 2e6)
    assert link.carries_bps == 2e6
    assert link.motion_bps == 1.9e6  # until its page tells when pictures are there
    link.acknowledged(n_bytes=2000, sent_s=-0.03, there_s=5.0)
    assert link.motion_bps < 1.5e6
