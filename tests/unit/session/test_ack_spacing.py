"""AckSpacing: fewer acknowledgements of a link with room to spare, all as soon as one is late."""

import pytest

from blustream_widget.session.ack_spacing import SPACED_S, AckSpacing
from blustream_widget.transport.link_rate import LinkRate

SENT_BPS = 3e6


class Scene:
    """A viewer whose link takes `age_s` for each frame."""

    def __init__(self):
        self.now_s = 0.0
        self.told_ms = []
        self.link = LinkRate(self.clock)
        self.spacing = AckSpacing(lambda m: self.told_ms.append(m.every_ms), self.clock)

    def clock(self):
        return self.now_s

    def show(self, n, age_s=0.005):
        for _ in range(n):
            self.now_s += 0.033
            self.link.acknowledged(n_bytes=12_500, sent_s=self.now_s - age_s)
            self.spacing.acknowledged(self.link)

    def settle(self, sent_bps=SENT_BPS, n_viewers=10):
        self.spacing.settle(self.link, sent_bps=sent_bps, n_viewers=n_viewers)


@pytest.fixture
def scene():
    return Scene()


def test_a_link_with_room_to_spare_is_acknowledged_less(scene):
    scene.settle()
    assert scene.told_ms == []  # nothing is known of it yet
    scene.show(10)
    scene.settle()
    scene.settle()
    assert scene.told_ms == [1000 * SPACED_S]
    assert scene.spacing.allowance_s == SPACED_S


def test_a_link_that_is_nearly_full_is_not(scene):
    scene.show(10)
    scene.settle(sent_bps=scene.link.target_bps / 1.2)
    assert scene.told_ms == []
    assert scene.spacing.allowance_s == 0


def test_with_very_many_viewers_still_less(scene):
    scene.show(10)
    for n_viewers in (50, 51, 100):
        scene.settle(n_viewers=n_viewers)
    assert scene.told_ms == [120, 190]
    assert scene.spacing.allowance_s == 0.19


def test_few_viewers_acknowledge_each_frame_again(scene):
    scene.show(10)
    scene.settle()
    scene.settle(sent_bps=None)
    assert scene.told_ms == [120, 0]


def test_a_late_frame_ends_it_at_once_and_for_a_while(scene):
    scene.show(10)
    scene.settle()
    scene.show(1, age_s=0.1)
    assert scene.told_ms == [120, 0]
    # Frames that the page has not acknowledged yet, because it was told so, are not too many.
    assert scene.spacing.allowance_s == SPACED_S
    scene.show(50)
    scene.settle()
    assert scene.told_ms == [120, 0]
    assert scene.spacing.allowance_s == 0
    scene.show(20)
    scene.settle()
    assert scene.told_ms == [120, 0, 120]
