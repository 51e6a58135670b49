"""A camera whose pictures say their number, and a recording with the voices of two people."""

import fractions

import av
import numpy as np
import pytest
from tests.unit.recording.sound_kit import ANN, BEN, messages, spoken_packets

from blustream_widget.recording.file import RecordingFile, TimedPicture
from blustream_widget.recordings import Recording

START = 7_000_000_000
FRAME = 1500


class Camera:
    """Pictures whose grey value is their number, as the worker's encoder makes them."""

    def __init__(self, width=64, height=48):
        self.size(width, height)
        self.now = START
        self.n = 0

    def size(self, width, height):
        self.width, self.height = width, height
        self.codec = av.CodecContext.create("libx264", "w")
        self.codec.width, self.codec.height, self.codec.pix_fmt = width, height, "yuv420p"
        self.codec.time_base = fractions.Fraction(1, 90_000)
        self.codec.gop_size, self.codec.max_b_frames = 1_000_000, 0
        self.codec.options = {"preset": "ultrafast", "tune": "zerolatency", "forced-idr": "1"}

    def shoot(self, *, after=FRAME, key=False):
        self.now += after
        self.n += 1
        grey = np.full((self.height * 3 // 2, self.width), 128, np.uint8)
        grey[: self.height] = 16 + 10 * self.n
        frame = av.VideoFrame.from_ndarray(grey, format="yuv420p")
        frame.pts = self.now
        if key:
            frame.pict_type = av.video.frame.PictureType.I
        (packet,) = self.codec.encode(frame)
        return TimedPicture(self.now, bytes(packet), packet.is_keyframe, self.width, self.height)

    def still(self, grey):
        """PNG of one grey, in the size of the pictures."""
        context = av.CodecContext.create("png", "w")
        context.width, context.height, context.pix_fmt = 64, 48, "rgb24"
        context.time_base = 1
        frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), grey, np.uint8), format="rgb24")
        return bytes(context.encode(frame)[0])


@pytest.fixture
def camera():
    return Camera()


@pytest.fixture
def file(camera, tmp_path):
    """A recording whose first picture is there, at `camera.now`."""
    made = RecordingFile(tmp_path / "talk.mp4")
    people = [{"id": ANN, "name": "Ann", "color": "#111111"}]
    made.add_event(camera.now, {"kind": "people", "people": people})
    made.add_picture(camera.shoot())
    return made


@pytest.fixture
def talk(camera, file):
    """Four seconds: Ann beeps at 1.5 and 2.5 s of it, Ben at 3.2 s."""
    begin = camera.now
    for one in messages(ANN, 5000, begin + 90_000 - 5000, spoken_packets(0.5, 1.5)):
        file.add_voice(one)
    file.flush(begin + 90_000)
    for one in messages(BEN, 0, begin + 2 * 90_000, spoken_packets(1.2)):
        file.add_voice(one)
    file.finish(begin + 4 * 90_000)
    return Recording(file.path)
