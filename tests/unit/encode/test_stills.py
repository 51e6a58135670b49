"""JPEG and PNG."""

from __future__ import annotations

import io
import zlib

import av
import numpy as np
import pytest
from PIL import Image

from blustream_widget.core.types import Picture
from blustream_widget.encode import stills
from blustream_widget.encode.h264 import codec_string
from blustream_widget.encode.stills import JpegEncoder, PngEncoder


def decode(file: memoryview, pixel_format: str) -> np.ndarray:
    with av.open(io.BytesIO(bytes(file))) as container:
        return next(container.decode(video=0)).to_ndarray(format=pixel_format)


def rgb_picture(seed: int, height=72, width=128) -> Picture:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Picture(pixels, "rgb24", width, height)


def test_png_is_lossless() -> None:
    encoder = PngEncoder()
    for picture in (rgb_picture(1), rgb_picture(2), rgb_picture(3, height=20, width=34)):
        assert np.array_equal(decode(encoder.encode(picture), "rgb24"), picture.pixels)


def test_a_png_is_a_file_that_others_read_too() -> None:
    picture = rgb_picture(4)
    image = Image.open(io.BytesIO(PngEncoder().encode(picture)))
    image.verify()  # every checksum
    assert (image.format, image.mode, image.size) == ("PNG", "RGB", (128, 72))


def test_one_coloured_pixel_makes_a_coloured_png() -> None:
    pixels = np.repeat(rgb_picture(1).pixels[:, :, :1], 3, axis=2)
    pixels[1, 5] = (1, 2, 3)
    file = PngEncoder().encode(Picture(pixels, "rgb24", 128, 72))
    assert np.array_equal(decode(file, "rgb24"), pixels)


def test_without_isal_the_same_picture_comes_from_zlib(monkeypatch) -> None:
    monkeypatch.setattr(stills, "deflate", zlib)
    picture = rgb_picture(5)
    assert np.array_equal(decode(PngEncoder().encode(picture), "rgb24"), picture.pixels)


def test_a_grey_png_has_one_channel_and_the_same_pixels() -> None:
    grey = np.repeat(rgb_picture(1).pixels[:, :, :1], 3, axis=2)
    file = PngEncoder().encode(Picture(grey, "rgb24", 128, 72))
    assert bytes(file)[25] == 0  # colour type of the header: greyscale
    assert np.array_equal(decode(file, "rgb24"), grey)


@pytest.mark.parametrize("rgb", [(255, 0, 0), (20, 90, 200), (255, 255, 255)])
def test_jpeg_shows_the_colour_it_was_drawn_in(rgb) -> None:
    red, green, blue = rgb
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    cb, cr = 128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402
    pixels = np.empty((96, 64), np.uint8)
    pixels[:64] = round(luma)
    chroma = pixels[64:].reshape(2, 32, 32)
    chroma[0], chroma[1] = min(round(cb), 255), min(round(cr), 255)
    file = JpegEncoder().encode(Picture(pixels, "yuvj420p", 64, 64))
    assert bytes(file[:2]) == b"\xff\xd8"
    assert np.abs(decode(file, "rgb24").astype(int) - rgb).max() <= 4


@pytest.mark.parametrize("height", [62, 64])  # a multiple of four is not all there is
def test_jpeg_has_every_row_where_it_was(height) -> None:
    pixels = np.full((height * 3 // 2, 64), 128, np.uint8)
    pixels[:height] = np.linspace(20, 230, height).astype(np.uint8)[:, None]
    file = JpegEncoder().encode(Picture(pixels, "yuvj420p", 64, height))
    found = decode(file, "gray").astype(int)
    assert found.shape == (height, 64)
    assert np.abs(found - pixels[:height]).max() <= 4


def test_codec_string_is_read_from_the_parameter_set() -> None:
    assert codec_string(bytes.fromhex("0000000109f0000000016742c01fda")) == "avc1.42C01F"
    assert codec_string(b"\x00\x00\x01\x41\x9a") == ""
    assert codec_string(b"") == ""
