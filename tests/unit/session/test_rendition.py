"""RenditionChooser: fewer pixels and pictures before they fall apart, and the reason in words."""

import pytest

from blustream_widget.session.rendition import (
    FLOOR_BITS_PER_PIXEL,
    MAX_BPS_720P,
    Need,
    RenditionChooser,
    is_left_behind,
    session_need,
)
from blustream_widget.transport.link_rate import START_BPS, LinkRate

HD = 1280 * 720


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def chooser(clock):
    return RenditionChooser(clock)


def test_nothing_is_held_back_on_a_good_link(chooser):
    chosen = chooser.choose([Need(20e6)], HD)
    assert (chosen.scale, chosen.max_fps, chosen.reason) == (1.0, 60, "")


def test_the_size_goes_down_before_the_frame_rate(chooser):
    scales = [
        (c.scale, c.max_fps)
        for bps in (8e6, 4e6, 2e6, 0.8e6, 0.3e6, 0.15e6)
        for c in [chooser.choose([Need(bps)], HD)]
    ]
    assert scales == [(1.0, 60), (0.75, 60), (0.5, 60), (0.5, 30), (0.25, 30), (0.25, 15)]


@pytest.mark.parametrize("bps", [8e6, 4e6, 2e6, 1e6, 0.5e6, 0.2e6])
def test_each_pixel_keeps_its_bits(chooser, bps):
    chosen = chooser.choose([Need(bps)], HD)
    per_pixel = bps / (HD * chosen.scale**2 * chosen.max_fps)
    assert per_pixel >= FLOOR_BITS_PER_PIXEL


def test_the_reason_names_what_is_held_back_and_the_rate(chooser):
    assert chooser.choose([Need(1.8e6, 2.1e6)], HD).reason == "Half size: the link carries 2 Mbit/s"
    reason = chooser.choose([Need(0.7e6)], HD).reason
    assert reason == "Half size, 30 pictures a second: the link carries 0.7 Mbit/s"


@pytest.mark.parametrize(
    ("motion_bps", "scale", "fps"),
    [(13e6, 1.0, 60), (8e6, 0.75, 60), (5e6, 0.5, 60), (1.25e6, 0.5, 60), (0.8e6, 0.5, 30)],
)
def test_on_a_link_that_was_full_pictures_are_no_larger_than_is_worth_their_delay(
    chooser, motion_bps, scale, fps
):
    chosen = chooser.choose([Need(motion_bps, 2 * motion_bps, is_measured=True)], HD)
    assert (chosen.scale, chosen.max_fps) == (scale, fps)
    assert chosen.bit_rate_bps <= 0.25 * HD * scale**2 * fps
    assert chosen.bit_rate_bps <= motion_bps


def test_down_at_once_up_only_after_a_while_and_with_room_to_spare(chooser, clock):
    assert chooser.choose([Need(2e6, 2e6)], HD).scale == 0.5
    assert chooser.choose([Need(20e6, 20e6)], HD).scale == 0.5
    clock.now_s = 3.0
    assert chooser.choose([Need(3.2e6, 3.2e6)], HD).scale == 0.5
    assert chooser.choose([Need(20e6, 20e6)], HD).scale == 1.0


def test_a_link_that_was_never_full_gets_the_whole_picture_as_soon_as_its_rate_is_known(chooser):
    assert chooser.choose([Need(8e6)], 2560 * 1440).scale < 1.0
    assert chooser.choose([Need(30e6)], 2560 * 1440).scale == 1.0


def test_a_pane_of_many_pixels_may_use_more_bits_and_still_moves_smaller(chooser):
    chosen = chooser.choose([Need(40e6)], 3840 * 2160)
    assert chosen.bit_rate_bps > 1.5 * MAX_BPS_720P
    assert chosen.scale < 1.0


def test_small_changes_of_the_rate_do_not_reach_the_encoder(chooser):
    rates = {
        chooser.choose([Need(bps)], HD).bit_rate_bps for bps in range(6_000_000, 6_400_000, 500)
    }
    assert len(rates) <= 2


def test_jpeg_takes_more_bits_so_it_goes_down_earlier(chooser):
    assert chooser.choose([Need(20e6, is_jpeg=True)], HD).scale < 1.0


def test_the_slowest_of_those_within_a_third_sets_the_rate():
    needs = [Need(12e6), Need(5e6), Need(1e6)]
    assert session_need(needs) == needs[1]
    assert [is_left_behind(need, needs) for need in needs] == [False, False, True]


def test_one_viewer_alone_is_never_left_behind():
    assert not is_left_behind(Need(150e3), [Need(150e3)])


def lossy_link(loss, rtt_s):
    link = LinkRate(lambda: 0.0)
    link.answered(rtt_s)
    link.counted(10_000, 10_000 * loss)
    return link


def test_over_a_long_lossy_network_pictures_are_small_and_few_and_the_status_says_why():
    need = Need.of(lossy_link(0.05, 0.2))
    chosen = RenditionChooser(lambda: 0.0).choose([need], HD)
    assert chosen.scale <= 0.5
    assert chosen.reason.endswith("15 pictures a second: the network loses 5 % of the packets")
    # A picture of few packets: most come whole.
    assert chosen.bit_rate_bps / 8 / chosen.max_fps < 7 * 1200


@pytest.mark.parametrize(("copies", "most_bps"), [(2, 5e6), (3, 1.3e6)])
def test_pictures_that_are_sent_more_often_are_of_fewer_packets_and_the_status_says_why(
    copies, most_bps
):
    link = lossy_link(0.02, 0.08)
    link.seed(30e6, 0.02)
    need = Need.of(link, copies=copies)
    assert need.target_bps == most_bps
    reason = RenditionChooser(lambda: 0.0).choose([need], HD).reason
    assert reason.endswith("the network loses 2 % of the packets")


@pytest.mark.parametrize(("loss", "rtt_s", "copies"), [(0.05, 0.2, 2), (0.05, 0.02, 1)])
def test_what_is_sent_twice_or_quickly_repaired_needs_no_smaller_pictures(loss, rtt_s, copies):
    need = Need.of(lossy_link(loss, rtt_s), copies=copies)
    assert need.loss == 0
    assert need.target_bps == START_BPS / copies
