"""Pictures that stand alone: JPEG for viewers without a video decoder, PNG for the view at rest."""

from __future__ import annotations

import struct
import zlib
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt
from av.video.codeccontext import VideoCodecContext

from blustream_widget.core.deflate import deflate
from blustream_widget.core.types import Picture
from blustream_widget.encode.frames import frame_of
from blustream_widget.errors import EncoderFailedError

# FFmpeg's quantiser 5 is about quality 80: 1280 x 720 of seismic in 160 kB and 5 ms.
_JPEG_QUANTISER = "5"
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_GREY, _PNG_RGB = 0, 2  # colour types
_PNG_SUB = 1  # filter type
_DEFLATE_LEVEL = 1  # the best that ISA-L has in a pass; level 3 takes twice the time for 3 %
_SAMPLE = 16  # every 16th row tells most coloured pictures


class PictureFile:
    """A picture encoder of FFmpeg, opened anew when size or format change. One thread."""

    def __init__(self, codec: str, options: dict[str, str]) -> None:
        self._codec = codec
        self._options = options
        self._context: VideoCodecContext | None = None
        self._n_encoded = 0

    def encode(self, frame: av.VideoFrame) -> memoryview:
        """Return the file; it stays valid as long as it is held."""
        key = (frame.width, frame.height, frame.format.name)
        context = self._context
        try:
            if context is None or (context.width, context.height, context.pix_fmt) != key:
                context = self._context = self._open(*key)
            frame.pts = self._n_encoded
            self._n_encoded += 1
            packets = context.encode(frame)
        except av.FFmpegError as exc:
            self._context = None
            raise EncoderFailedError(f"{self._codec} could not encode: {exc.strerror}.") from exc
        if len(packets) != 1:
            self._context = None
            raise EncoderFailedError(f"{self._codec} gave {len(packets)} packets for a picture.")
        return memoryview(packets[0])

    def _open(self, width_px: int, height_px: int, pixel_format: str) -> VideoCodecContext:
        context = av.CodecContext.create(self._codec, "w")
        assert isinstance(context, VideoCodecContext)
        context.width, context.height, context.pix_fmt = width_px, height_px, pixel_format
        context.time_base = Fraction(1, 1000)
        context.thread_count = 1  # more would hold pictures back
        context.options = dict(self._options)
        context.open()
        return context


class JpegEncoder:
    """JPEG at quality 80 or so. One thread."""

    def __init__(self) -> None:
        self._encoder = PictureFile("mjpeg", {"qmin": _JPEG_QUANTISER, "qmax": _JPEG_QUANTISER})

    def encode(self, picture: Picture) -> memoryview:
        """Encode a "yuvj420p" picture as a JPEG file.

        Raises
        ------
        EncoderFailedError
        """
        return self._encoder.encode(frame_of(picture))


class PngEncoder:
    """Lossless PNG. One thread.

    Notes
    -----
    Written here because FFmpeg, PIL and libwebp take four to eight times as long: all rows have the
    filter "sub", and ISA-L deflates them. `blustream bench stills` has the figures.
    """

    def __init__(self) -> None:
        self._filtered = np.empty((0, 0), np.uint8)

    def encode(self, picture: Picture) -> memoryview:
        """Encode an "rgb24" picture as a PNG file, of one channel if it has no colour."""
        height, width = picture.pixels.shape[:2]
        # A grey PNG takes half the time and 60 % of the bytes.
        is_grey = _is_grey(picture.pixels[::_SAMPLE]) and _is_grey(picture.pixels)
        rows = (
            np.ascontiguousarray(picture.pixels[..., 0])
            if is_grey
            else picture.pixels.reshape(height, -1)
        )
        data = deflated(self._filter(rows, 1 if is_grey else 3))
        color_type = _PNG_GREY if is_grey else _PNG_RGB
        header = struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0)
        chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
        return memoryview(b"".join((_PNG_SIGNATURE, *chunks)))

    def _filter(self, rows: npt.NDArray[np.uint8], n_channels: int) -> npt.NDArray[np.uint8]:
        """Differences to the pixel on the left, each row behind the number of its filter."""
        height, n_bytes = rows.shape
        if self._filtered.shape != (height, n_bytes + 1):
            self._filtered = np.empty((height, n_bytes + 1), np.uint8)
        filtered = self._filtered
        filtered[:, 0] = _PNG_SUB
        filtered[:, 1 : 1 + n_channels] = rows[:, :n_channels]
        np.subtract(rows[:, n_channels:], rows[:, :-n_channels], out=filtered[:, 1 + n_channels :])
        return filtered


def deflated(data: npt.NDArray[np.uint8]) -> bytes:
    """Compress with the fastest deflate there is, as a zlib stream."""
    return bytes(deflate.compress(data, _DEFLATE_LEVEL))


def _is_grey(pixels: npt.NDArray[np.uint8]) -> bool:
    red, green, blue = (pixels[..., channel] for channel in range(3))
    return np.array_equal(red, green) and np.array_equal(red, blue)


def _chunk(kind: bytes, data: bytes) -> bytes:
    # PNG (ISO/IEC 15948) 5.3: length, type, data, CRC of type and data.
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
