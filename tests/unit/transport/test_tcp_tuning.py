"""PromptBbr: when BBR is chosen anew, and when it is left alone."""

import pytest

from blustream_widget.transport.tcp_info import TcpInfo
from blustream_widget.transport.tcp_tuning import PromptBbr

PICTURE_BYTES = 30_000
SLOW_BPS = 3e6  # a picture in each round trip of 80 ms


class FakeSocket:
    """Notes which congestion control is chosen."""

    def __init__(self):
        self.chosen = []

    def setsockopt(self, _level, _option, name):
        self.chosen.append(name)


class Line:
    """A connection whose facts a test sets, at a time that it sets."""

    def __init__(self, round_trip_s=0.08, pacing_bps=SLOW_BPS, *, is_repairing=False):
        self.now = 100.0
        self.socket = FakeSocket()
        self.info = TcpInfo(round_trip_s, 0, 0, 0, pacing_bps=pacing_bps, is_repairing=is_repairing)
        self.bbr = PromptBbr(self.socket, lambda: self.info, lambda: self.now)

    def send(self, n_bytes=PICTURE_BYTES):
        """Say that a picture comes; whether BBR was chosen anew for it."""
        self.socket.chosen.clear()
        self.bbr.expect(n_bytes)
        return self.socket.chosen == [b"reno", b"bbr"]


def test_a_picture_that_would_take_a_round_trip_to_leave_makes_bbr_begin_again():
    assert Line().send()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(Line(pacing_bps=60e6), id="quick"),
        pytest.param(Line(round_trip_s=0.02), id="near"),
        pytest.param(Line(is_repairing=True), id="a loss is being repaired"),
    ],
)
def test_bbr_is_left_alone_where_a_picture_leaves_at_once_or_must_wait_anyway(line):
    assert not line.send()
    assert line.socket.chosen == []


def test_a_small_picture_changes_nothing():
    assert not Line().send(n_bytes=1500)


def test_bbr_is_given_a_round_trip_to_learn_before_it_begins_again():
    line = Line()
    assert line.send()
    line.now += 0.05
    assert not line.send()
    line.now += 0.05
    assert line.send()


def test_a_connection_that_has_ended_is_left_alone():
    line = Line()
    line.info = None
    assert not line.send()
