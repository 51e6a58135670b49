"""Settings of each H.264 encoder that is tried, best first, and why they are what they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from blustream_widget.encode.encoder import StreamSettings


@dataclass(frozen=True, slots=True)
class EncoderProfile:
    """How an encoder of FFmpeg is opened.

    Parameters
    ----------
    name : str
        FFmpeg's.
    pixel_format : str
        What the encoder takes; "nv12" costs one conversion.
    can_move_bit_rate : bool
        `bit_rate` may be set while it is open. Otherwise it is opened anew.
    options : callable
        Private options for given settings.
    """

    name: str
    pixel_format: Literal["yuv420p", "nv12"]
    can_move_bit_rate: bool
    options: Callable[[StreamSettings], dict[str, str]]


_VBV_S = 1 / 30
"""Buffer in seconds: one picture is never much longer on the wire, whatever the frame rate."""

_NARROW_BPS = 10_000_000
"""Up to this ceiling the buffer holds less: what a large picture takes longer on a narrow link is
felt, and the next one has to wait for it."""

_PICTURES, _NARROW_PICTURES = 1.1, 1.5


def _rate(settings: StreamSettings) -> dict[str, str]:
    ceiling_bps = settings.ceiling_bps
    if ceiling_bps <= _NARROW_BPS:
        buffer_s = _NARROW_PICTURES / settings.fps
    else:
        buffer_s = max(_VBV_S, _PICTURES / settings.fps)
    return {"maxrate": str(ceiling_bps), "bufsize": str(int(buffer_s * ceiling_bps))}


def _usable_cpus() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux: fewer than there are in a container
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slice_threads(height_px: int, n_cpus: int | None = None) -> int:
    """Slices that x264 encodes side by side.

    At 1280 x 720 on two cores two slices give a picture 0.3 to 0.6 ms earlier (of 4.4 to 6.7) at
    1 % more bits; on a quiet Xeon it was 3.0 instead of 4.9 ms. Slices of less than 64 lines are
    not worth a thread.
    """
    cpus = _usable_cpus() if n_cpus is None else n_cpus
    return max(1, min(cpus, 4, height_px // 64))


_X264_FINEST = 18
"""Smallest quantiser: about 48 dB, and the exact picture comes at rest.

Without it the encoder spends the whole bit rate on pictures that are good already: a volume that
turns takes 35 kB a picture at 53 dB instead of 13 kB at 48, a still one 30 kB instead of nothing,
for 5 to 25 % more CPU, and as much more in the browser's decoder.
"""


def _x264(settings: StreamSettings) -> dict[str, str]:
    # What else was measured and left, of 9 ms CPU and 27.0 dB in a scrub at 20 Mbit/s: the
    # deblocking filter +1.3 dB, +2 ms; preset superfast +2.1 dB, +5 ms; subme 1 +1.5 dB, +2.5 ms;
    # CABAC +0.6 dB, +3 ms; keyframes every second add pictures of 75 kB, intra refresh adds
    # nothing to keyframes on demand. A buffer of one picture makes keyframes of 38 kB and 19 dB,
    # two 68 kB and 23 dB, four 142 kB and 27 dB.
    threads = slice_threads(settings.height_px)
    return {
        **_rate(settings),
        "preset": "ultrafast",
        "tune": "zerolatency",
        "profile": "baseline",
        "forced-idr": "1",
        # A cut to another slice is no new scene: its pictures come one after the other anyway.
        "x264-params": ":".join(
            (f"qpmin={_X264_FINEST}", "scenecut=0", "sliced-threads=1", f"threads={threads}")
        ),
    }


def _nvenc(settings: StreamSettings) -> dict[str, str]:
    return {
        **_rate(settings),
        "preset": "p1",
        "tune": "ull",
        "rc": "cbr",
        "profile": "baseline",
        "zerolatency": "1",
        "delay": "0",
        "forced-idr": "1",
    }


def _qsv(settings: StreamSettings) -> dict[str, str]:
    return {
        **_rate(settings),
        "preset": "veryfast",
        "profile": "baseline",
        "async_depth": "1",
        "look_ahead": "0",
        "forced_idr": "1",
    }


def _amf(settings: StreamSettings) -> dict[str, str]:
    return {
        **_rate(settings),
        "usage": "ultralowlatency",
        "quality": "speed",
        "profile": "constrained_baseline",
        "rc": "cbr",
        "forced_idr": "1",
        "header_insertion_mode": "idr",
    }


def _videotoolbox(settings: StreamSettings) -> dict[str, str]:
    return {**_rate(settings), "realtime": "1", "profile": "constrained_baseline"}


# FFmpeg answers a change of NVENC's bit rate with an IDR, which is no worse than opening it anew.
PROFILES: tuple[EncoderProfile, ...] = (
    EncoderProfile("h264_nvenc", "yuv420p", can_move_bit_rate=True, options=_nvenc),
    EncoderProfile("h264_qsv", "nv12", can_move_bit_rate=False, options=_qsv),
    EncoderProfile("h264_amf", "nv12", can_move_bit_rate=False, options=_amf),
    EncoderProfile("h264_videotoolbox", "nv12", can_move_bit_rate=False, options=_videotoolbox),
    EncoderProfile("libx264", "yuv420p", can_move_bit_rate=True, options=_x264),
)


def plain_profile(name: str) -> EncoderProfile:
    """Profile of an encoder that nobody has measured yet."""
    return EncoderProfile(name, "yuv420p", can_move_bit_rate=False, options=_rate)
