"""Quality: what is said of a viewer whose pictures come late, and why they do."""

import pytest

from blustream_widget.core.state import ViewState
from blustream_widget.session.quality import Quality
from blustream_widget.session.rendition import Need
from blustream_widget.transport.pacing import AckPacer

STATE = ViewState(width_px=1280, height_px=720)


class FakeViewer:
    is_left_behind = False

    def __init__(self, pacer, peer=1):
        self.pacer = pacer
        self.peer = peer

    @property
    def need(self):
        return Need.of(self.pacer.link)

    def settle(self, *_, **wishes):
        """Nothing: the pacer expects 60 pictures a second."""
        self.wishes = wishes


class Scene:
    """One viewer behind a link of 50 Mbit/s, whose page takes as long for each frame as is said."""

    now_s = 0.0

    def __init__(self):
        self.n_changes = 0
        self.quality = Quality(self._changed, self.clock)
        self.pacer = AckPacer(self.clock)
        self.viewer = FakeViewer(self.pacer)

    def clock(self):
        return self.now_s

    def _changed(self):
        self.n_changes += 1

    def show(self, page_s, n=20):
        """Send frames one after the other, each shown `page_s` after it was there."""
        for frame_no in range(n):
            self.pacer.sent(frame_no, 10_000)
            self.now_s += 0.01 + page_s
            self.pacer.acknowledged(frame_no, there_s=self.now_s - page_s + 777.0)
        return self.choose()

    def choose(self):
        self.now_s += 0.1
        return self.quality.choose([self.viewer], STATE)


@pytest.fixture
def scene():
    return Scene()


def test_a_busy_browser_gets_whole_pictures_and_is_told_that_it_is_busy(scene):
    scene.show(0.005)
    assert scene.quality.held_back(scene.viewer) == ""
    rendition = scene.show(0.15)
    assert (rendition.scale, rendition.max_fps, rendition.reason) == (1.0, 60, "")
    assert scene.quality.held_back(scene.viewer) == "The browser is busy: it shows pictures late"
    assert scene.n_changes > 0


def test_what_is_said_of_a_busy_browser_ends_with_its_being_busy(scene):
    scene.show(0.005)
    scene.show(0.15)
    scene.show(0.005, n=80)
    assert scene.quality.held_back(scene.viewer) == ""
    scene.show(0.15)
    scene.now_s += 2.0  # nothing moves
    scene.choose()
    assert scene.quality.held_back(scene.viewer) == ""


@pytest.mark.parametrize("n_viewers", [8, 9])
def test_with_more_than_a_few_viewers_not_every_frame_need_be_acknowledged(scene, n_viewers):
    scene.show(0.005)
    viewers = [FakeViewer(scene.pacer, peer) for peer in range(n_viewers)]
    scene.now_s += 0.1
    scene.quality.choose(viewers, STATE)
    spare = {viewer.wishes["spare_above_bps"] is not None for viewer in viewers}
    assert spare == {n_viewers > 8}
