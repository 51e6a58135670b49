"""MotionSize: a picture in motion has no more pixels than are drawn in time."""

import msgspec
import pytest

from blustream_widget.core.motion import MIN_PIXELS, SCALES, motion_size
from blustream_widget.core.state import ViewState
from blustream_widget.worker.motion import MotionSize

HD = ViewState(width_px=1280, height_px=720)
UHD = ViewState(width_px=3840, height_px=2160)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("size", [(1280, 720), (1301, 733), (64, 32), (3840, 2160)])
def test_sizes_are_even_and_never_too_small(size, scale):
    width, height = motion_size(*size, scale)
    if (width, height) != size:
        assert width % 2 == height % 2 == 0
        assert width * height >= 0.97 * MIN_PIXELS


def test_before_anything_was_drawn_nothing_is_held_back():
    assert MotionSize().fit(UHD, 1.0) == (3840, 2160)


def test_a_pane_that_takes_too_long_moves_at_a_size_that_does_not():
    motion = MotionSize()
    motion.add(0.060, 3840 * 2160)
    width, height = motion.fit(UHD, 1.0)
    assert width * height * 0.060 / (3840 * 2160) <= 0.02


def test_a_single_picture_that_was_held_up_changes_nothing():
    motion = MotionSize()
    for _ in range(50):
        motion.add(0.015, 1920 * 1080)
    motion.add(0.070, 1920 * 1080)
    assert motion.fit(msgspec.structs.replace(UHD, width_px=1920, height_px=1080), 1.0)[0] == 1920


def test_a_pane_of_720_lines_is_always_drawn_whole():
    motion = MotionSize()
    motion.add(0.2, 1280 * 720)
    assert motion.fit(HD, 1.0) == (1280, 720)


def test_the_link_may_ask_for_less():
    assert MotionSize().fit(HD, 0.5) == (640, 360)
