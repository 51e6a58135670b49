"""Lossless pictures at rest: time to encode, bytes, and time to decode in the browser.

The candidates are the PNG that is sent, FFmpeg's PNG and lossless WebP, and plain pixels deflated.
"""

from __future__ import annotations

import argparse
import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import av
import numpy as np

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.bench.scenes import scenes
from blustream_widget.bench.timing import measure
from blustream_widget.core.types import Picture
from blustream_widget.encode.stills import PictureFile, PngEncoder, deflated
from blustream_widget.testing.notebook_page import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

_N = 6
_SCENES = (
    "seismic section 512 x 512, grey",
    "seismic section 512 x 512, seismic",
    "CT slice 512 x 512, int16",
    "labels 512 x 512, uint8",
)
_LINK_BPS = 50e6  # a fair home connection

# Decodes a file some times over; plain pixels have neither type nor size, so they are told.
_DECODE = """async ([data, mime, width, height, n]) => {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const decode = async () => {
    const blob = new Blob([bytes], { type: mime });
    if (mime) return createImageBitmap(blob, { colorSpaceConversion: "none" });
    const stream = blob.stream().pipeThrough(new DecompressionStream("deflate"));
    const pixels = new Uint8ClampedArray(await new Response(stream).arrayBuffer());
    return createImageBitmap(new ImageData(pixels, width, height));
  };
  const canvas = new OffscreenCanvas(width, height).getContext("2d");
  const times = [];
  for (let i = 0; i < n + 2; i++) {
    const begin = performance.now();
    const image = await decode();
    canvas.drawImage(image, 0, 0);
    if (i > 1) times.push(performance.now() - begin);
    image.close();
  }
  return times;
}"""

Encode = Callable[[Picture], bytes]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench stills`: the common ones."""
    del parser


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    records = []
    with chromium() as browser:
        page = browser.new_page()
        for scene in scenes():
            if scene.name not in _SCENES:
                continue
            pictures = scene.pictures(space="rgb")
            for name, (encode, mime) in candidates().items():
                words = {"case": "still", "scene": scene.name, "format": name}
                records.append(words | _measure(encode, mime, pictures, page, arguments.rounds))
    return records


def candidates() -> dict[str, tuple[Encode, str]]:
    """How to encode, and the type of the file, by name; "" is plain pixels."""
    ours, png = PngEncoder(), PictureFile("png", {"compression_level": "1", "pred": "sub"})
    webp = PictureFile("libwebp", {"lossless": "1", "compression_level": "0", "quality": "0"})
    return {
        "PNG, in use": (lambda picture: bytes(ours.encode(picture)), "image/png"),
        "PNG of FFmpeg": (
            lambda picture: bytes(
                png.encode(av.VideoFrame.from_numpy_buffer(picture.pixels, "rgb24"))
            ),
            "image/png",
        ),
        "WebP of FFmpeg": (
            lambda picture: bytes(
                webp.encode(av.VideoFrame.from_numpy_buffer(_with_alpha(picture, "bgra"), "bgra"))
            ),
            "image/webp",
        ),
        "RGBA deflated": (
            lambda picture: deflated(_with_alpha(picture, "rgba")),
            "",
        ),
    }


def _with_alpha(picture: Picture, order: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = np.full((picture.height_px, picture.width_px, 4), 255, np.uint8)
    pixels[..., :3] = picture.pixels[..., ::-1] if order == "bgra" else picture.pixels
    return pixels


def _measure(encode: Encode, mime: str, pictures: list[Picture], page: Page, rounds: int) -> Record:
    files: list[bytes] = []
    n = len(pictures)
    timings = measure(lambda i: files.append(encode(pictures[i % n])), n=_N, rounds=rounds)
    first = pictures[0]
    told = [base64.b64encode(files[0]).decode(), mime, first.width_px, first.height_px, _N]
    decoded_ms = [page.evaluate(_DECODE, told) for _ in range(rounds)]
    record = {
        **timings.record(),
        **summarize(decoded_ms, "ms", "decode"),
        **summarize([[len(file) for file in files]], "bytes", "size"),
    }
    return {**record, "total_at_50_mbps_ms": _total_ms(record)}


def _total_ms(record: Record) -> float:
    """From the drawn picture to the decoded one, over a link."""
    sent_ms = 1000 * 8 * record["size_median_bytes"] / _LINK_BPS
    return float(record["wall_median_ms"] + sent_ms + record["decode_median_ms"])
