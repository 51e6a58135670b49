"""What every `Encoder` must do: derive a test class and give it a fixture `open_encoder`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt
import pytest

from blustream_widget.core.types import Picture
from blustream_widget.encode.encoder import Encoder, StreamSettings
from blustream_widget.errors import EncoderFailedError

OpenEncoder: TypeAlias = Callable[[StreamSettings], Encoder]

SETTINGS = StreamSettings(width_px=320, height_px=192, fps=60, ceiling_bps=4_000_000)
_FRAME_90K = 1500


def noisy_picture(seed: int, settings: StreamSettings = SETTINGS) -> Picture:
    """Picture that costs bits: blocks of random brightness."""
    height, width = settings.height_px, settings.width_px
    blocks = np.random.default_rng(seed).integers(16, 236, (height // 8, width // 8), np.uint8)
    pixels = np.full((height * 3 // 2, width), 128, np.uint8)
    pixels[:height] = np.repeat(np.repeat(blocks, 8, axis=0), 8, axis=1)
    return Picture(pixels, "yuv420p", width, height)


def flat_picture(y: int, cb: int, cr: int, settings: StreamSettings = SETTINGS) -> Picture:
    """Picture of one colour."""
    height, width = settings.height_px, settings.width_px
    pixels = np.empty((height * 3 // 2, width), np.uint8)
    pixels[:height] = y
    chroma = pixels[height:].reshape(2, height // 2, width // 2)
    chroma[0], chroma[1] = cb, cr
    return Picture(pixels, "yuv420p", width, height)


def striped_picture(settings: StreamSettings = SETTINGS) -> Picture:
    """Picture whose rows, and those of its colours, become brighter from top to bottom."""
    picture = flat_picture(0, 0, 0, settings)
    height, width = settings.height_px, settings.width_px
    picture.pixels[:height] = np.linspace(20, 230, height).astype(np.uint8)[:, None]
    chroma = picture.pixels[height:].reshape(2, height // 2, width // 2)
    chroma[0] = np.linspace(30, 220, height // 2).astype(np.uint8)[:, None]
    chroma[1] = np.linspace(220, 30, height // 2).astype(np.uint8)[:, None]
    return picture


def decode(*access_units: bytes | memoryview) -> list[av.VideoFrame]:
    """Decode a stream from its start."""
    decoder = av.CodecContext.create("h264", "r")
    frames: list[av.VideoFrame] = []
    for unit in access_units:
        frames += decoder.decode(av.Packet(bytes(unit)))
    return frames + decoder.decode(None)


def planes_of(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
    """Pixels of a decoded 4:2:0 frame, laid out as in `Picture`."""
    return np.asarray(frame.to_ndarray(), np.uint8)


class EncoderContract:
    """Tests that any video encoder passes."""

    @pytest.fixture
    def open_encoder(self) -> OpenEncoder:
        """Open the encoder under test; to be overridden."""
        raise NotImplementedError

    def test_each_picture_comes_out_at_once(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        units = [
            encoder.encode(noisy_picture(i), timestamp_90k=i * _FRAME_90K, is_keyframe=False).data
            for i in range(5)
        ]
        assert len(decode(*units)) == 5

    def test_the_first_picture_is_a_keyframe(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        assert encoder.encode(noisy_picture(0), timestamp_90k=0, is_keyframe=False).is_keyframe

    def test_a_keyframe_on_demand_decodes_alone(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        encoder.encode(noisy_picture(0), timestamp_90k=0, is_keyframe=True)
        delta = encoder.encode(noisy_picture(1), timestamp_90k=_FRAME_90K, is_keyframe=False)
        key = encoder.encode(flat_picture(90, 128, 128), timestamp_90k=3000, is_keyframe=True)
        assert not delta.is_keyframe
        assert key.is_keyframe
        (frame,) = decode(key.data)
        assert abs(planes_of(frame)[:192].astype(int) - 90).max() <= 4

    def test_no_keyframe_comes_unasked(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        keys = [
            encoder.encode(
                noisy_picture(i % 7), timestamp_90k=i * _FRAME_90K, is_keyframe=False
            ).is_keyframe
            for i in range(70)
        ]
        assert keys == [True] + [False] * 69

    def test_colours_survive(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        wanted = flat_picture(63, 102, 240)  # red in BT.709
        unit = encoder.encode(wanted, timestamp_90k=0, is_keyframe=True)
        (frame,) = decode(unit.data)
        assert np.abs(planes_of(frame).astype(int) - wanted.pixels).max() <= 4

    @pytest.mark.parametrize("height_px", [190, 192])  # a multiple of four is not all there is
    def test_every_row_comes_out_where_it_was(
        self, open_encoder: OpenEncoder, height_px: int
    ) -> None:
        settings = dataclasses.replace(SETTINGS, height_px=height_px)
        wanted = striped_picture(settings)
        unit = open_encoder(settings).encode(wanted, timestamp_90k=0, is_keyframe=True)
        (frame,) = decode(unit.data)
        found = planes_of(frame).astype(int)
        assert found.shape == wanted.pixels.shape
        assert np.abs(found - wanted.pixels).max() <= 8

    def test_the_stream_says_bt709_limited(self, open_encoder: OpenEncoder) -> None:
        unit = open_encoder(SETTINGS).encode(noisy_picture(0), timestamp_90k=0, is_keyframe=True)
        (frame,) = decode(unit.data)
        assert (frame.color_range, frame.colorspace, frame.color_primaries) == (1, 1, 1)

    def test_the_codec_string_is_known_after_a_keyframe(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        encoder.encode(noisy_picture(0), timestamp_90k=0, is_keyframe=True)
        assert encoder.codec.startswith("avc1.42")
        assert len(encoder.codec) == 11

    def test_a_lower_bit_rate_makes_smaller_frames(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)

        def mean_bytes(first: int) -> float:
            sizes = [
                len(
                    encoder.encode(
                        noisy_picture(i), timestamp_90k=i * _FRAME_90K, is_keyframe=False
                    ).data
                )
                for i in range(first, first + 60)
            ]
            return sum(sizes[30:]) / 30

        before = mean_bytes(0)
        if not encoder.move_bit_rate(SETTINGS.ceiling_bps // 3):
            pytest.skip("this encoder is opened anew for another bit rate")
        assert mean_bytes(60) < 0.5 * before

    def test_a_bit_rate_above_the_ceiling_is_refused(self, open_encoder: OpenEncoder) -> None:
        assert not open_encoder(SETTINGS).move_bit_rate(2 * SETTINGS.ceiling_bps)

    def test_the_picture_may_be_overwritten_afterwards(self, open_encoder: OpenEncoder) -> None:
        encoder = open_encoder(SETTINGS)
        picture = flat_picture(200, 128, 128)
        first = encoder.encode(picture, timestamp_90k=0, is_keyframe=True)
        picture.pixels[:192] = 20
        second = encoder.encode(picture, timestamp_90k=_FRAME_90K, is_keyframe=False)
        bright, dark = decode(first.data, second.data)
        assert planes_of(bright)[:192].mean() > 190
        assert planes_of(dark)[:192].mean() < 30

    def test_closing_twice_is_fine_and_encoding_then_is_not(
        self, open_encoder: OpenEncoder
    ) -> None:
        encoder = open_encoder(SETTINGS)
        encoder.close()
        encoder.close()
        with pytest.raises(EncoderFailedError):
            encoder.encode(noisy_picture(0), timestamp_90k=0, is_keyframe=True)
