"""What an encoder is given: pictures that move as a viewer's do, by formula."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blustream_widget.bench.scenes import seismic_scene
from blustream_widget.core.types import Picture
from blustream_widget.render.tables import ColorSpace, color_table

_N = 30  # pictures that differ
_TURN = 0.02  # radians a picture: a turn in five seconds at 60 pictures a second


@dataclass(frozen=True, slots=True)
class Motion:
    """A way to move.

    Parameters
    ----------
    name : str
    pictures : sequence of Picture
        One after the other, there and back again.
    """

    name: str
    pictures: Sequence[Picture]

    def picture(self, i: int) -> Picture:
        """Give the i-th picture, without a cut."""
        n = len(self.pictures)
        if n == 1:
            return self.pictures[0]
        at = i % (2 * n - 2)
        return self.pictures[at if at < n else 2 * n - 2 - at]


def motions(width_px: int, height_px: int, *, space: ColorSpace = "bt709") -> list[Motion]:
    """Scrolling through sections, a volume that turns, and a picture that stands still."""
    scene = seismic_scene(_N, width_px=width_px, height_px=height_px)
    scrolled = scene.pictures(space=space)
    turned = [_turned(k * _TURN, width_px, height_px, space) for k in range(_N)]
    return [
        Motion("scrolling", scrolled),
        Motion("turning", turned),
        Motion("static", scrolled[:1]),
    ]


def _turned(angle: float, width_px: int, height_px: int, space: ColorSpace) -> Picture:
    """Draw a lit sphere of veins that is turned about its upright axis, before black."""
    radius = 0.46 * height_px
    x = ((np.arange(width_px) - width_px / 2) / radius)[None, :].astype(np.float32)
    y = ((np.arange(height_px) - height_px / 2) / radius)[:, None].astype(np.float32)
    depth = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    u = x * np.cos(angle) + depth * np.sin(angle)
    v = depth * np.cos(angle) - x * np.sin(angle)
    veins = np.sin(17 * u + 5 * np.sin(7 * y)) * np.sin(13 * v - 4 * np.sin(11 * u)) + 0.4 * np.sin(
        61 * y + 9 * u
    )
    light = (0.3 + 0.7 * depth) * (0.6 + 0.28 * veins)
    index = np.where(depth > 0, np.clip(light * 1023, 0, 1023), 0).astype(np.intp)
    table = color_table("bone", space=space)
    colors = table.packed[index].view(np.uint8).reshape(height_px, width_px, 4)
    pixels = np.empty((height_px * 3 // 2, width_px), np.uint8)
    pixels[:height_px] = colors[..., table.byte_of[0]]
    chroma = pixels[height_px:].reshape(2, height_px // 2, width_px // 2)
    for plane, byte in zip(chroma, table.byte_of[1:], strict=True):
        plane[...] = colors[::2, ::2, byte]
    return Picture(pixels, "yuvj420p" if space == "jpeg" else "yuv420p", width_px, height_px)
