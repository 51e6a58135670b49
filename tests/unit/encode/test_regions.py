"""What is told to have changed is encoded; the rest stays as the decoder has it."""

from __future__ import annotations

import av
import numpy as np
import pytest

from blustream_widget.core.types import Picture
from blustream_widget.encode import regions
from blustream_widget.encode.encoder import StreamSettings
from blustream_widget.encode.h264 import H264Encoder
from blustream_widget.encode.profiles import PROFILES
from blustream_widget.errors import EncoderFailedError

WIDTH, HEIGHT = 320, 192
BOX = slice(64, 112), slice(96, 176)  # whole blocks


def noise() -> np.ndarray:
    """More than the bit rate has room for: an encoder refines it with each picture."""
    rng = np.random.default_rng(3)
    pixels = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    pixels[:HEIGHT] = rng.integers(16, 236, (HEIGHT, WIDTH))
    return pixels


class Stream:
    """An encoder with a decoder behind it."""

    def __init__(self) -> None:
        (profile,) = (one for one in PROFILES if one.name == "libx264")
        settings = StreamSettings(WIDTH, HEIGHT, 60, 2_500_000)
        try:
            self.encoder = H264Encoder(profile, settings)
        except EncoderFailedError as exc:
            pytest.skip(exc.message)
        self.decoder = av.CodecContext.create("h264", "r")
        self.n_bytes: list[int] = []

    def show(self, pixels, changed=None, *, is_keyframe=False):
        """Encode a picture; gives what a browser has of it."""
        picture = Picture(pixels.copy(), "yuv420p", WIDTH, HEIGHT, changed)
        at = 1500 * (1 + len(self.n_bytes))
        frame = self.encoder.encode(picture, timestamp_90k=at, is_keyframe=is_keyframe)
        assert frame.is_keyframe == (is_keyframe or not self.n_bytes)
        self.n_bytes.append(len(frame.data))
        (decoded,) = self.decoder.decode(av.Packet(bytes(frame.data)))
        return decoded.to_ndarray()[:HEIGHT].astype(int)


def test_what_has_not_changed_stays_as_it_was_and_takes_no_bits() -> None:
    told, untold = Stream(), Stream()
    pixels = noise()
    before = [stream.show(pixels) for stream in (told, untold)]
    is_inside = np.zeros((HEIGHT, WIDTH), bool)
    is_inside[BOX] = True
    last = before[0]
    for n in range(6):
        pixels[BOX] = 60 + 30 * n
        found, refined = told.show(pixels, (BOX,)), untold.show(pixels)
        assert np.array_equal(found[~is_inside], last[~is_inside])
        assert abs(found[is_inside].mean() - (60 + 30 * n)) < 4
        last = found
    assert not np.array_equal(refined[~is_inside], before[1][~is_inside])
    assert sum(told.n_bytes[1:]) < sum(untold.n_bytes[1:]) / 4


def test_a_keyframe_and_a_picture_without_a_word_are_whole() -> None:
    stream = Stream()
    pixels = noise()
    stream.show(pixels)
    other = np.flipud(pixels[:HEIGHT]).copy()
    pixels[:HEIGHT] = other
    whole = stream.show(pixels, (BOX,), is_keyframe=True)
    assert np.corrcoef(whole.ravel(), other.ravel())[0, 1] > 0.5
    pixels[:HEIGHT] = 100
    assert np.abs(stream.show(pixels, None) - 100).max() < 12


def test_regions_may_be_several_or_empty() -> None:
    stream = Stream()
    pixels = noise()
    before = stream.show(pixels)
    nothing = (slice(0, 0), slice(0, 0))
    corner = (slice(0, 16), slice(0, 16))
    pixels[BOX], pixels[corner] = 200, 30
    found = stream.show(pixels, (nothing, BOX, corner))
    assert abs(found[BOX].mean() - 200) < 6
    assert abs(found[corner].mean() - 30) < 6
    found[BOX], found[corner] = before[BOX], before[corner]
    assert np.array_equal(found, before)
    assert np.array_equal(stream.show(pixels, (nothing,))[128:], before[128:])


def test_an_ffmpeg_without_the_filter_encodes_pictures_whole(monkeypatch) -> None:
    monkeypatch.setattr(regions, "with_regions", lambda *_: int("addroi"))
    regions.can_mark.cache_clear()
    try:
        stream = Stream()
    finally:
        regions.can_mark.cache_clear()
    pixels = noise()
    before = stream.show(pixels)
    for _ in range(6):
        after = stream.show(pixels, (BOX,))
    assert not np.array_equal(after[128:], before[128:])
