"""Pictures that stand alone: JPEG for viewers without a video decoder, PNG for the view at rest."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext

from blustream_widget.core.types import Picture
from blustream_widget.errors import EncoderFailedError

# FFmpeg's quantiser 5 is about quality 80: 1280 x 720 of seismic in 160 kB and 5 ms.
_JPEG_QUANTISER = "5"
# Level 1 with the "sub" predictor: 23 ms and 0.75 MB for a grey slice of 1280 x 720, 31 ms and
# 1.2 MB in colour. Level 2 saves 5 % for as much time, lossless WebP takes 45 ms, level 0 makes
# 2.8 MB.
_PNG_OPTIONS = {"compression_level": "1", "pred": "sub"}


class _StillEncoder:
    """One of FFmpeg's picture encoders, opened anew when size or format change. One thread."""

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
        self._encoder = _StillEncoder("mjpeg", {"qmin": _JPEG_QUANTISER, "qmax": _JPEG_QUANTISER})

    def encode(self, picture: Picture) -> memoryview:
        """Encode a "yuvj420p" picture as a JPEG file.

        Raises
        ------
        EncoderFailedError
        """
        return self._encoder.encode(av.VideoFrame.from_numpy_buffer(picture.pixels, "yuvj420p"))


class PngEncoder:
    """Lossless PNG. One thread."""

    def __init__(self) -> None:
        self._encoder = _StillEncoder("png", _PNG_OPTIONS)

    def encode(self, picture: Picture) -> memoryview:
        """Encode an "rgb24" picture as a PNG file, of one channel if it has no colour.

        Raises
        ------
        EncoderFailedError
        """
        red, green, blue = (picture.pixels[..., c] for c in range(3))
        pixels, pixel_format = picture.pixels, "rgb24"
        # A grey PNG takes half the time and 60 % of the bytes.
        if np.array_equal(red, green) and np.array_equal(green, blue):
            pixels, pixel_format = np.ascontiguousarray(red), "gray"
        return self._encoder.encode(av.VideoFrame.from_numpy_buffer(pixels, pixel_format))
