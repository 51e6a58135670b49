"""How often packets are sent, by what the network loses and how long a repair takes."""

import pytest

from blustream_widget.transport.link_rate import LinkRate
from blustream_widget.transport.repeats import MAX_REPEATED_BYTES, Repeats


def network(loss, round_trip_s):
    link = LinkRate(lambda: 0.0)
    link.answered(round_trip_s)
    link.counted(1000, 1000 * loss)
    return link


@pytest.mark.parametrize(
    ("loss", "round_trip_s", "copies"),
    [
        (0.0, 0.2, 1),
        (0.05, 0.02, 1),  # repaired before it is felt
        (0.01, 0.08, 2),
        (0.05, 0.2, 3),
        (0.02, 0.2, 2),
    ],
)
def test_the_longer_a_repair_and_the_more_is_lost_the_more_copies(loss, round_trip_s, copies):
    repeats = Repeats()
    assert repeats.of(6000, network(loss, round_trip_s)) == copies
    assert repeats.copies == copies


def test_a_new_viewer_far_away_gets_its_first_pictures_twice():
    link = LinkRate(lambda: 0.0)
    link.answered(0.2)
    assert Repeats().of(6000, link) == 2


def test_large_frames_are_sent_once():
    assert Repeats().of(MAX_REPEATED_BYTES + 1, network(0.05, 0.2)) == 1


def test_copies_are_kept_until_the_network_loses_clearly_less():
    repeats = Repeats()
    repeats.of(6000, network(0.01, 0.08))
    assert repeats.of(6000, network(0.006, 0.08)) == 2
    assert repeats.of(6000, network(0.002, 0.08)) == 1
    assert repeats.of(6000, network(0.006, 0.08)) == 1
