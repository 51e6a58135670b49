"""A report that overtakes a frame says that the frame stood in no queue."""

import pytest

from blustream_widget.testing.simulated_link import SimulatedLink
from blustream_widget.transport.contradiction import Contradiction
from blustream_widget.transport.link_rate import START_BPS
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
    assert contradiction.holds(back_s + 1) == is_found
    assert not contradiction.holds(back_s + 3)
    other_order.answered(sent_s, back_s)
    assert other_order.came(1.0, 1.12) == is_found


def scrub_with_reports(link, seconds, *, stamped_late_s=lambda _: 0.0):
    """60 frames a second, and a report a second that stands in the same queue as they do.

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
        if n % 60 == 30:
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
