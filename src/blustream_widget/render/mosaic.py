"""One picture of several panes: what did not change stays as it was drawn."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from blustream_widget.core.layouts import Packing, Rect
from blustream_widget.core.types import Picture
from blustream_widget.render.tables import ColorSpace

_BLACK = {"bt709": 16, "jpeg": 0, "rgb": 0}
_NEUTRAL = 128


class Mosaic:
    """Canvas of one colour space; one thread.

    Parameters
    ----------
    space : ColorSpace

    Notes
    -----
    Pixels between panes are black: they cost the encoder nothing.
    """

    def __init__(self, space: ColorSpace) -> None:
        self._space: ColorSpace = space
        self._packing: Packing | None = None
        self._drawn: list[object] = []
        self._pixels: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)

    def draw(
        self,
        packing: Packing,
        contents: list[object],
        draw: Callable[[int], Picture],
    ) -> Picture:
        """Draw those panes that have changed.

        Parameters
        ----------
        packing : Packing
        contents : list
            What each pane shows: one that equals the last drawn one is not drawn again.
        draw : callable
            Draws pane k, in its own size.
        """
        if packing != self._packing:
            self._packing, self._drawn = packing, [None] * len(contents)
            self._pixels = self._blank(packing)
        for k, (rect, content) in enumerate(zip(packing.rects, contents, strict=True)):
            if content != self._drawn[k]:
                self._paste(draw(k), rect)
                self._drawn[k] = content
        kind = {"bt709": "yuv420p", "jpeg": "yuvj420p", "rgb": "rgb24"}[self._space]
        return Picture(self._pixels, kind, packing.width, packing.height)  # type: ignore[arg-type]  # a literal of Picture

    def _blank(self, packing: Packing) -> npt.NDArray[np.uint8]:
        width, height = packing.width, packing.height
        if self._space == "rgb":
            return np.zeros((height, width, 3), np.uint8)
        pixels = np.full((height * 3 // 2, width), _NEUTRAL, np.uint8)
        pixels[:height] = _BLACK[self._space]
        return pixels

    def _paste(self, picture: Picture, rect: Rect) -> None:
        if self._space == "rgb":
            self._pixels[rect.y : rect.y + rect.height, rect.x : rect.x + rect.width] = (
                picture.pixels
            )
            return
        for target, source, shift in zip(
            _planes(self._pixels), _planes(picture.pixels), (0, 1, 1), strict=True
        ):
            y, x = rect.y >> shift, rect.x >> shift
            target[y : y + source.shape[0], x : x + source.shape[1]] = source


def _planes(pixels: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], ...]:
    """Y, U and V of 4:2:0 pixels, without a copy."""
    height, width = pixels.shape[0] * 2 // 3, pixels.shape[1]
    chroma = pixels[height:].reshape(2, height // 2, width // 2)
    return pixels[:height], chroma[0], chroma[1]
