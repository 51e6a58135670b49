"""An H.264 encoder of FFmpeg, through PyAV."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import av
import av.logging
import numpy as np
from av.codec.codec import UnknownCodecError
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorPrimaries, ColorRange, ColorTrc, VideoReformatter

from blustream_widget.core.types import Picture
from blustream_widget.encode.encoder import EncodedFrame, StreamSettings
from blustream_widget.encode.frames import frame_of
from blustream_widget.encode.profiles import EncoderProfile
from blustream_widget.encode.reasons import reason_of
from blustream_widget.errors import EncoderFailedError

_HINT = "Set BLUSTREAM_ENCODER=libx264 to use the software encoder."
_TIME_BASE = Fraction(1, 90_000)
_BT709_MATRIX = 1  # AVCOL_SPC_BT709
_ENDLESS = 1_000_000  # frames; keyframes come on demand
_NAL_SPS = 7
# Below this share of the ceiling the buffer would let one picture take several frames' time.
_LOWEST_SHARE = 3


def codec_string(annexb: bytes | memoryview) -> str:
    """RFC 6381 string of a stream from its first sequence parameter set; "" if there is none."""
    data = bytes(annexb[:256])
    at = data.find(b"\x00\x00\x01")
    while at >= 0:
        if at + 6 < len(data) and data[at + 3] & 0x1F == _NAL_SPS:
            return f"avc1.{data[at + 4 : at + 7].hex().upper()}"
        at = data.find(b"\x00\x00\x01", at + 3)
    return ""


class H264Encoder:
    """Implements `Encoder` with any H.264 encoder that FFmpeg has.

    Parameters
    ----------
    profile : EncoderProfile
    settings : StreamSettings

    Raises
    ------
    EncoderFailedError
        FFmpeg lacks this encoder, or it does not open here; the message says why.
    """

    def __init__(self, profile: EncoderProfile, settings: StreamSettings) -> None:
        self.settings = settings
        self._profile = profile
        self._codec = ""
        self._n_encoded = 0
        self._reformatter = VideoReformatter() if profile.pixel_format != "yuv420p" else None
        self._context: VideoCodecContext | None = None
        with av.logging.Capture() as lines:
            try:
                self._context = _open(profile, settings)
            except (av.FFmpegError, UnknownCodecError, ValueError) as exc:
                raise EncoderFailedError(
                    f"{profile.name} cannot be opened: {reason_of(exc, lines)}.", hint=_HINT
                ) from exc

    @property
    def name(self) -> str:
        return self._profile.name

    @property
    def codec(self) -> str:
        return self._codec

    def encode(self, picture: Picture, *, timestamp_90k: int, is_keyframe: bool) -> EncodedFrame:
        context = self._context
        if context is None:
            raise EncoderFailedError(f"{self.name} is closed.")
        # No copy: every encoder here has taken the pixels when `encode` returns.
        frame = frame_of(picture)
        if self._reformatter is not None:
            frame = self._reformatter.reformat(frame, format=self._profile.pixel_format, threads=1)
        frame.pts, frame.time_base = timestamp_90k, _TIME_BASE
        frame.pict_type = PictureType.I if is_keyframe else PictureType.NONE
        try:
            packets = context.encode(frame)
        except (av.FFmpegError, ValueError) as exc:
            raise EncoderFailedError(
                f"{self.name} stopped at frame {self._n_encoded}: {reason_of(exc)}.", hint=_HINT
            ) from exc
        if len(packets) != 1:
            raise EncoderFailedError(
                f"{self.name} gave {len(packets)} packets for frame {self._n_encoded}; "
                "a live picture needs each frame at once.",
                hint=_HINT,
            )
        self._n_encoded += 1
        data = memoryview(packets[0])
        if packets[0].is_keyframe and not self._codec:
            self._codec = codec_string(data)
        return EncodedFrame(data, packets[0].is_keyframe)

    def move_bit_rate(self, bit_rate_bps: int) -> bool:
        ceiling = self.settings.ceiling_bps
        context = self._context
        if context is None or not ceiling // _LOWEST_SHARE <= bit_rate_bps <= ceiling:
            return False
        if bit_rate_bps == context.bit_rate:
            return True
        if not self._profile.can_move_bit_rate:
            return False
        context.bit_rate = bit_rate_bps
        return True

    def close(self) -> None:
        self._context = None


def _open(profile: EncoderProfile, settings: StreamSettings) -> VideoCodecContext:
    context = av.CodecContext.create(profile.name, "w")
    assert isinstance(context, VideoCodecContext)
    context.width, context.height = settings.width_px, settings.height_px
    context.pix_fmt = profile.pixel_format
    context.time_base, context.framerate = _TIME_BASE, Fraction(settings.fps, 1)
    context.gop_size, context.max_b_frames = _ENDLESS, 0
    # x264 lets the bit rate be moved only if it was opened with bit_rate == maxrate and a bufsize.
    context.bit_rate = settings.ceiling_bps
    context.color_range = ColorRange.MPEG
    context.colorspace = _BT709_MATRIX
    context.color_primaries = ColorPrimaries.BT709
    context.color_trc = ColorTrc.BT709
    context.options = profile.options(settings)
    context.open()
    return context


def blank_picture(width_px: int, height_px: int) -> Picture:
    """Black picture, for trying an encoder."""
    pixels = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
    pixels[:height_px] = 16
    return Picture(pixels, "yuv420p", width_px, height_px)


def try_encoder(profile: EncoderProfile, settings: StreamSettings) -> H264Encoder:
    """Open an encoder and encode a keyframe and the frame after it; give it back open.

    Raises
    ------
    EncoderFailedError
        It does not open, or does not encode.
    """
    encoder = H264Encoder(profile, settings)
    picture = blank_picture(settings.width_px, settings.height_px)
    with contextlib.ExitStack() as on_failure:
        on_failure.callback(encoder.close)
        if not encoder.encode(picture, timestamp_90k=0, is_keyframe=True).is_keyframe:
            raise EncoderFailedError(f"{profile.name} gives no keyframe when asked.", hint=_HINT)
        encoder.encode(picture, timestamp_90k=1500, is_keyframe=False)
        on_failure.pop_all()
    return encoder
