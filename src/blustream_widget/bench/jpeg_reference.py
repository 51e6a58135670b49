"""The usual way to show server-side pictures in a notebook, as a yardstick: JPEG over the comm.

Not a part of the product. It is what a careful author writes in an afternoon: the kernel draws a
slice when the page asks for it, encodes a JPEG and sends it with the widget's own messages; the
page asks for the newest slice and leaves at most two questions unanswered. It is spared what a real
one has to do besides: the whole volume is mapped in memory, and there are no controls, colours or
zoom.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets

from blustream_widget.core.types import Picture
from blustream_widget.encode.stills import JpegEncoder


class JpegReference(anywidget.AnyWidget):
    """Shows slices of axis 0 of an array on disk; the wheel goes through them.

    Parameters
    ----------
    path : str
        .npy of float32, -1 to 1, shape (slices, columns, rows).
    slice_idx : int
    size_px : tuple of int
        Width and height of the picture.
    """

    _esm = Path(__file__).with_name("jpeg_reference.js")
    n_slices = traitlets.Int().tag(sync=True)
    first = traitlets.Int().tag(sync=True)
    size = traitlets.Tuple().tag(sync=True)

    def __init__(self, path: str, *, slice_idx: int, size_px: tuple[int, int]) -> None:
        self._volume = np.load(path, mmap_mode="r")
        self._encoder = JpegEncoder()
        self._size_px = size_px
        super().__init__(n_slices=len(self._volume), first=slice_idx, size=size_px)
        self.on_msg(self._answer)

    def _answer(self, _: Any, content: dict[str, int], __: Any) -> None:
        self.send({"slice_idx": content["slice_idx"]}, [self._draw(content["slice_idx"])])

    def _draw(self, slice_idx: int) -> memoryview:
        width, height = self._size_px
        grey = np.clip(self._volume[slice_idx].T * 127.5 + 127.5, 0, 255).astype(np.uint8)
        rows = np.arange(height) * grey.shape[0] // height
        columns = np.arange(width) * grey.shape[1] // width
        pixels = np.full((height * 3 // 2, width), 128, np.uint8)
        pixels[:height] = grey[rows][:, columns]
        return self._encoder.encode(Picture(pixels, "yuvj420p", width, height))
