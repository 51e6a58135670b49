"""A picture of the view in Python: it shows itself, is saved, and is an array."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from blustream_widget.core.layouts import cells_of
from blustream_widget.errors import StateError

if TYPE_CHECKING:
    from blustream_widget.core.picture_messages import PictureTaken

Rgb = npt.NDArray[np.uint8]

_GAP_PX = 2
_INSET_PX = 12
_LARGEST_SCALE = 8


@dataclass(frozen=True)
class Screenshot:
    """What a viewer shows, losslessly, as PNG; a cell that ends with it shows it.

    Parameters
    ----------
    png : bytes
        The file.
    """

    png: bytes

    def __repr__(self) -> str:
        height, width, _ = self.to_array().shape
        return f"<Screenshot {width} x {height}, {len(self.png) / 1000:.0f} kB>"

    def _repr_png_(self) -> bytes:
        return self.png

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
        """Write a PNG file; ".png" is added to a name without an ending.

        Raises
        ------
        StateError
            It has another ending, there is a file already, or it cannot be written.
        """
        target = checked_path(path, overwrite=overwrite)
        try:
            with target.open("wb" if overwrite else "xb") as file:
                file.write(self.png)
        except OSError as exc:
            raise StateError(f"{target} cannot be written: {exc.strerror}.") from exc
        return target

    def to_array(self) -> Rgb:
        """Give the pixels: (height, width, 3), uint8, red, green and blue. Not to be written to."""
        return self._pixels

    @cached_property
    def _pixels(self) -> Rgb:
        from blustream_widget.encode.films import png_picture

        pixels = png_picture(self.png)
        pixels.flags.writeable = False
        return pixels


def checked_path(path: str | os.PathLike[str], *, overwrite: bool) -> Path:
    """Absolute path of a PNG file to be made.

    Raises
    ------
    StateError
        It has another ending, or there is a file already.
    """
    target = Path(path).expanduser().absolute()
    if not target.suffix:
        target = target.with_name(f"{target.name}.png")
    if target.suffix.lower() != ".png":
        raise StateError(f"{target.name} is no name of a PNG file.", hint='End it with ".png".')
    if target.exists() and not overwrite:
        raise StateError(f"{target} is there already.", hint="Give overwrite=True.")
    return target


def check_scale(scale: int) -> None:
    """Refuse a scale that is not 1 to 8.

    Raises
    ------
    StateError
    """
    if isinstance(scale, bool) or scale not in range(1, _LARGEST_SCALE + 1):
        raise StateError(
            f"scale = {scale!r} is not possible.",
            hint=f"Give a whole number from 1 to {_LARGEST_SCALE}.",
        )


def screenshot_of(taken: PictureTaken, pane: int | None, scale: int) -> Screenshot:
    """Make what the user asked for of what the server gave.

    Raises
    ------
    StateError
        The pane is not shown.
    """
    if not taken.panes and scale == 1 and pane in (None, 0):
        return Screenshot(taken.png)
    from blustream_widget.core.types import Picture
    from blustream_widget.encode.films import png_picture
    from blustream_widget.encode.stills import PngEncoder

    whole = png_picture(taken.png)
    parts = {p.pane: whole[p.y : p.y + p.height, p.x : p.x + p.width] for p in taken.panes}
    parts = parts or {0: whole}
    if pane is None:
        picture = arranged(taken.layout, parts)
    elif pane in parts:
        picture = parts[pane]
    else:
        shown = ", ".join(map(str, sorted(parts)))
        raise StateError(f"Pane {pane} is not shown.", hint=f"Shown: {shown}.")
    # Each pixel as a square of them: no value between two is made up.
    picture = np.ascontiguousarray(picture.repeat(scale, axis=0).repeat(scale, axis=1))
    height, width = picture.shape[:2]
    return Screenshot(bytes(PngEncoder().encode(Picture(picture, "rgb24", width, height))))


def arranged(layout: str, parts: dict[int, Rgb]) -> Rgb:
    """Lay panes out as on the page, two black pixels apart; one that is alone is the picture."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    places = _places(layout, parts)
    ends = [(x + parts[k].shape[1], y + parts[k].shape[0]) for k, (x, y) in places.items()]
    width, height = (max(side) for side in zip(*ends, strict=True))
    picture = np.zeros((height, width, 3), np.uint8)
    for k in sorted(parts):
        x, y = places[k]
        picture[y : y + parts[k].shape[0], x : x + parts[k].shape[1]] = parts[k]
    return picture


def _places(layout: str, parts: dict[int, Rgb]) -> dict[int, tuple[int, int]]:
    """Left top corner of each pane."""
    if layout == "picture-in-picture":
        (h0, w0), (h1, w1) = parts[0].shape[:2], parts[1].shape[:2]
        return {0: (0, 0), 1: (max(w0 - w1 - _INSET_PX, 0), max(h0 - h1 - _INSET_PX, 0))}
    columns, rows, _ = cells_of(layout)
    if layout == "orthogonal":  # the first is as high as both others
        cells = {0: (0, 0), 1: (1, 0), 2: (1, 1)}
    else:
        cells = {k: (k % columns, k // columns) for k in range(columns * rows)}
    widths = [
        max([parts[k].shape[1] for k in parts if cells[k][0] == c], default=0)
        for c in range(columns)
    ]
    spans = [k for k in parts if not (layout == "orthogonal" and k == 0)]
    heights = [
        max([parts[k].shape[0] for k in spans if cells[k][1] == r], default=0) for r in range(rows)
    ]
    lefts = [sum(widths[:c]) + c * _GAP_PX for c in range(columns)]
    tops = [sum(heights[:r]) + r * _GAP_PX for r in range(rows)]
    return {k: (lefts[cells[k][0]], tops[cells[k][1]]) for k in parts}
