"""A report that overtakes a frame says that the frame stood in no queue."""

import random
import statistics

import pytest

from blustream_widget.testing.simulated_link import SimulatedLink
from blustream_widget.transport.contradiction import Contradiction
from blustream_widget.transport.link_rate import START_BPS, LinkRate
from blustream_widget.transport.pacing import AckPacer


@pytest.mark.parametrize(
    ("sent_s", "back_s", "is_found"),
    [
        (1.01, 1.03, True),  # left after the frame, back 90 ms before it
        (1.01, 1.13, False),  # waited behind it
        (1.01, 1.11, False),  # as good as behind it
        (0.99, 1.01, False),  # left before it
    ],
)
def test_only_what_left_later_and_was_back_much_earlier_contradicts(sent_s, back_s, is_found):
    contradiction, other_order = Contradiction(), Contradiction()
    contradiction.came(1.0, 1.12)
    assert contradiction.answered(sent_s, back_s) == is_found
    assert (contradiction.late_s(back_s + 1) > 0) == is_found
    assert contradiction.late_s(back_s + 3) == 0
    other_order.answered(sent_s, back_s)
    assert other_order.came(1.0, 1.12) == is_found


def scrub_with_reports(link, seconds, *, stamped_late_s=lambda _: 0.0, every=60):
    """60 frames a second, and a report after `every` of them that stands in the same queue.

    The page looks at each frame, and answers, `stamped_late_s` after it was there.
    """
    pacer = AckPacer(link.clock)
    pacer.link.answered(link.rtt_s)
    reports, answers, targets = [], [], []
    for n in range(int(60 * seconds)):
        at_s = n / 60
        for due_s, frame_no in link.arrived(at_s):
            late_s = stamped_late_s(due_s)
            answers.append((due_s + late_s, frame_no, link.there_s[frame_no] + late_s))
        while answers and answers[0][0] <= at_s:
            link.now_s, frame_no, there_s = answers.pop(0)
            pacer.acknowledged(frame_no, there_s)
            targets.append(pacer.link.target_bps)
        link.now_s = at_s
        if n % every == 30:
            reports.append((at_s, link.tcp_info().round_trip_s))
        while reports and sum(reports[0]) <= at_s:
            sent_s, round_trip_s = reports.pop(0)
            pacer.link.echoed(round_trip_s, sent_s)
        if pacer.has_credit:
            pacer.sent(n, size := int(pacer.link.motion_bps / 8 / 60 * (0.8 + 0.1 * (n % 5))))
            link.send(n, size)
    return pacer, targets


def test_a_worker_that_looks_late_at_its_frames_is_no_slow_link():
    link = SimulatedLink(lambda _: 1e9, rtt_s=0.02, page_s=0.005, tells_there=True)
    pacer, targets = scrub_with_reports(
        link, 12, stamped_late_s=lambda at_s: 0.09 if at_s > 2 else 0.0
    )
    assert targets[-1] >= START_BPS
    assert pacer.link.carries_bps is None
    # A cut may come before the first report can say otherwise, and is taken back.
    assert sum(target < START_BPS for target in targets) < 0.15 * len(targets)


@pytest.mark.parametrize("bps", [1e6, 2e6, 5e6])
def test_reports_that_wait_behind_frames_take_nothing_back(bps):
    link = SimulatedLink(lambda _: bps, rtt_s=0.02, page_s=0.006, tells_there=True, jitter_s=0.003)
    pacer, _ = scrub_with_reports(link, 12)
    assert pacer.link.carries_bps is not None
    assert 0.7 * bps < pacer.link.target_bps < 1.5 * bps


@pytest.mark.parametrize("every", [50, 60, 61])
@pytest.mark.parametrize("bps", [1e6, 2e6])
def test_a_page_that_looks_late_does_not_hide_that_the_link_is_narrow(bps, every):
    link = SimulatedLink(lambda _: bps, rtt_s=0.02, page_s=0.005, tells_there=True)
    _, targets = scrub_with_reports(
        link, 20, stamped_late_s=lambda at_s: 0.09 if at_s > 1 else 0.0, every=every
    )
    settled = targets[len(targets) // 4 :]
    assert 0.8 * bps < statistics.median(settled) < 1.5 * bps
    assert max(settled) < 2 * bps


def test_a_page_that_is_late_by_ever_other_times_is_no_slow_link():
    randomness = random.Random(1)
    late_s = [randomness.expovariate(1 / 0.1) if n > 8 else 0.0 for n in range(60)]
    link = SimulatedLink(lambda _: 1e9, rtt_s=0.02, page_s=0.005, tells_there=True)
    pacer, targets = scrub_with_reports(
        link, 12, stamped_late_s=lambda at_s: late_s[int(at_s / 0.25)]
    )
    assert min(targets) >= START_BPS
    assert pacer.link.carries_bps is None


class Late:
    """A link whose frames come 200 ms late after half a second, from then on at any interval."""

    def __init__(self):
        self.now_s = 0.0
        self.link = LinkRate(lambda: self.now_s)
        self.link.answered(0.02)
        self.come(30, 1 / 60, age_s=0.026)
        self.first_bps = self.link.target_bps

    def come(self, n, interval_s, *, age_s=0.2):
        for _ in range(n):
            self.now_s += interval_s
            self.link.acknowledged(n_bytes=16_000, sent_s=self.now_s - age_s)

    def overtake(self):
        """Tell a report that left just after the last frame and did not wait."""
        self.link.echoed(0.02, self.now_s - 0.199)


def test_a_cut_that_losses_made_is_not_taken_back():
    late = Late()
    late.come(12, 1 / 60)
    before = late.link.target_bps
    assert before < late.first_bps  # a queue's cut
    late.now_s += 0.3
    late.link.counted(400, 100)
    after = late.link.target_bps
    assert after < before
    late.come(1, 1 / 60)
    late.overtake()
    assert late.link.target_bps == after


def test_only_the_cuts_of_the_last_moment_are_taken_back():
    late = Late()
    late.come(60, 1 / 60)
    first = late.link.target_bps
    late.come(30, 1 / 30)
    late.come(15, 1 / 15)
    last = late.link.target_bps
    assert last < first < START_BPS
    late.overtake()
    assert last < late.link.target_bps <= first
