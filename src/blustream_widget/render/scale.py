"""Scaling of one plane of a picture onto the pane.

Imports PyAV, like `encode/`: its swscale scales a plane in a quarter of a millisecond, and
nothing else among the dependencies does. No type of PyAV leaves this module.
"""

from __future__ import annotations

from typing import TypeVar

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import Interpolation, VideoReformatter

from blustream_widget.render.span import Span

Plane = npt.NDArray[np.uint8]
T = TypeVar("T", bound=np.generic)

# Voxels larger than this are first interpolated by ourselves at every _GRID_PX-th pixel of what is
# shown: the picture of two voxels at the pane's edges would grow with the zoom without bound.
_LARGE_VOXEL_PX = 16.0
_GRID_PX = 4
# A transposed copy in blocks of this many columns stays in the L1 cache: 0.08 instead of 0.28 ms
# for 512 x 512 bytes.
_BLOCK = 64


def copy_plane(target: npt.NDArray[T], source: npt.NDArray[T]) -> None:
    """Copy a plane that may be transposed or flipped, shape (height, width) both."""
    if abs(source.strides[0]) >= abs(source.strides[1]):
        np.copyto(target, source)
        return
    for start in range(0, source.shape[1], _BLOCK):
        block = slice(start, start + _BLOCK)
        np.copyto(target[:, block], source[:, block])


def _frame_pixels(frame: av.VideoFrame) -> Plane:
    plane = frame.planes[0]
    pixels: Plane = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return pixels[: frame.height, : frame.width]


class PlaneScaler:
    """Draws planes of one kind (luma, or one chroma) onto the pane.

    Keeps what it can from one picture to the next. One thread.
    """

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._source: av.VideoFrame | None = None

    def draw(
        self, source: Plane, target: Plane, *, columns: Span, rows: Span, is_smooth: bool
    ) -> None:
        """Scale `source` into its place in `target`; pixels outside the spans are left alone.

        Parameters
        ----------
        source : ndarray, shape (rows.count, columns.count), uint8
            In screen orientation, any strides.
        target : ndarray, shape (pane height, pane width), uint8
        columns, rows : Span
        is_smooth : bool
            Interpolate linearly (anti-aliased when shrinking); otherwise the voxel at each pixel's
            centre.
        """
        if columns.high_px <= columns.low_px or rows.high_px <= rows.low_px:
            return
        if is_smooth:
            self._draw_smooth(source, target, columns, rows)
        else:
            _draw_nearest(source, target, columns, rows)

    def _draw_smooth(self, source: Plane, target: Plane, columns: Span, rows: Span) -> None:
        source, top, height = _enlarge(source, rows)
        source, left, width = _enlarge(source.T, columns)
        scaled = self._scale(source.T, width, height)
        low_x, high_x = max(columns.low_px, left), min(columns.high_px, left + width)
        low_y, high_y = max(rows.low_px, top), min(rows.high_px, top + height)
        part = scaled[low_y - top : high_y - top, low_x - left : high_x - left]
        np.copyto(target[low_y:high_y, low_x:high_x], part)

    def _scale(self, source: Plane, width: int, height: int) -> Plane:
        rows, columns = source.shape
        frame = self._source
        if frame is None or (frame.width, frame.height) != (columns, rows):
            frame = self._source = av.VideoFrame(columns, rows, "gray")
        copy_plane(_frame_pixels(frame), source)
        # One thread: the next plane and the encoder want the other cores.
        scaled = self._reformatter.reformat(
            frame, width, height, "gray", interpolation=Interpolation.BILINEAR, threads=1
        )
        return _frame_pixels(scaled)


def _enlarge(source: Plane, span: Span) -> tuple[Plane, int, int]:
    """Interpolate large voxels along axis 0; return the plane, its first pixel and size in px."""
    if span.step_px <= _LARGE_VOXEL_PX:
        begin, end = span.whole_px
        return source, begin, end - begin
    weights = span.linear_weights(_GRID_PX)
    values = weights @ source.astype(np.float32)
    enlarged = np.rint(values).astype(np.uint8)
    return enlarged, span.low_px, len(enlarged) * _GRID_PX


def _draw_nearest(source: Plane, target: Plane, columns: Span, rows: Span) -> None:
    upright = np.empty(source.shape, np.uint8)
    copy_plane(upright, source)
    wide = np.take(upright, columns.nearest_voxels(), axis=1)
    part = target[rows.low_px : rows.high_px, columns.low_px : columns.high_px]
    part[...] = wide[rows.nearest_voxels()]
