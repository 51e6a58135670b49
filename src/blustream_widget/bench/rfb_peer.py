"""jupyter_rfb as a second yardstick: the JPEG-over-comm widget that others build their viewers on.

Not a part of the product. Its own scheduling, encoding and page are what is measured; ours is only
what every user of it writes, `get_frame` and `handle_event`. Like the lean yardstick it has the
whole volume mapped in memory, and no controls.
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import numpy.typing as npt

from blustream_widget.errors import BlustreamError


def require_rfb() -> None:
    """Say early, and in a sentence, that the yardstick is not there.

    Raises
    ------
    BlustreamError
    """
    if importlib.util.find_spec("jupyter_rfb") is None:
        raise BlustreamError(
            "jupyter_rfb is not installed, so nothing can be measured beside it.",
            hint='pip install "blustream-widget[bench]", or leave it out of --transports.',
        )


class SliceDrawer:
    """Slices of axis 0 of an array on disk as grey pictures; the wheel goes through them.

    Parameters
    ----------
    path : str
        .npy of float32, -1 to 1, shape (slices, columns, rows).
    slice_idx : int
    size_px : tuple of int
        Width and height of the picture.
    """

    def __init__(self, path: str, *, slice_idx: int, size_px: tuple[int, int]) -> None:
        self._volume = np.load(path, mmap_mode="r")
        self._size_px = size_px
        self.slice_idx = slice_idx

    def turn(self, dy: float) -> bool:
        """Go on by the notches of a wheel event, 100 each; whether that changes the slice."""
        wanted = int(np.clip(self.slice_idx + round(dy / 100), 0, len(self._volume) - 1))
        has_changed, self.slice_idx = wanted != self.slice_idx, wanted
        return has_changed

    def draw(self) -> npt.NDArray[np.uint8]:
        """Give the picture, shape (height, width, 3)."""
        width, height = self._size_px
        values = self._volume[self.slice_idx].T
        grey = np.clip(values * 127.5 + 127.5, 0, 255).astype(np.uint8)
        rows = np.arange(height) * grey.shape[0] // height
        columns = np.arange(width) * grey.shape[1] // width
        return np.repeat(grey[rows][:, columns, None], 3, axis=2)


def rfb_peer(path: str, *, slice_idx: int, size_px: tuple[int, int]) -> Any:
    """Make a `RemoteFrameBuffer` that shows `SliceDrawer`'s pictures at its own settings."""
    require_rfb()
    from jupyter_rfb import RemoteFrameBuffer

    drawer = SliceDrawer(path, slice_idx=slice_idx, size_px=size_px)

    class RfbPeer(RemoteFrameBuffer):  # type: ignore[misc]  # it ships no types
        def get_frame(self) -> npt.NDArray[np.uint8]:
            return drawer.draw()

        def handle_event(self, event: dict[str, Any]) -> None:
            if event.get("type") == "wheel" and drawer.turn(event["dy"]):
                self.request_draw()

    width, height = size_px
    return RfbPeer(css_width=f"{width}px", css_height=f"{height}px", resizable=False)
