"""What each encoder costs and gives, and each setting of the one in use.

Every number is measured on the same pictures. The reference of the run is libx264 at a fixed
quality, which no bit rate or buffer of ours changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import av
import numpy as np

from blustream_widget.bench.motions import Motion, motions
from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.bench.quality import Luma, psnr_db, ssim
from blustream_widget.bench.timing import measure
from blustream_widget.encode.encoder import Encoder, StreamSettings
from blustream_widget.encode.h264 import H264Encoder
from blustream_widget.encode.probe import try_one
from blustream_widget.encode.profiles import PROFILES, EncoderProfile, slice_threads
from blustream_widget.encode.stills import JpegEncoder
from blustream_widget.errors import EncoderFailedError

_FPS = 60
_SIZES = ((640, 360), (1280, 720), (1920, 1080))
_SIZE = (1280, 720)
_RATE_BPS = 20_000_000
_RATES_BPS = (4_000_000, 8_000_000, _RATE_BPS)
_WARM_UP = 2  # the keyframe, and the picture after it
_LOOK_AT = 4  # every fourth picture is compared with what was drawn

Options = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Variant:
    """One setting that is changed, all others being those in use."""

    name: str
    changed: Callable[[Options, StreamSettings], Options]
    rate_bps: int = _RATE_BPS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench encode`."""
    parser.add_argument("--pictures", type=int, default=60, help="in a round (default 60)")
    parser.add_argument(
        "--parts", default="encoders,settings,codecs", help="which tables (default %(default)s)"
    )


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    return EncodeBench(n=arguments.pictures, rounds=arguments.rounds).run(
        arguments.parts.split(",")
    )


class EncodeBench:
    """Encodes pictures that scroll, turn and stand still.

    Parameters
    ----------
    n, rounds : int
        Pictures of a round, and rounds.
    """

    def __init__(self, *, n: int, rounds: int) -> None:
        self._n = n
        self._rounds = rounds

    def run(self, parts: Sequence[str]) -> list[Record]:
        """Measure the parts: "encoders", "settings", "codecs"."""
        tables = {"encoders": self._encoders, "settings": self._settings, "codecs": self._codecs}
        moved = motions(*_SIZE)
        records = list(self._vary(_REFERENCE, "reference", moved))
        for part in parts:
            records += tables[part](moved)
        return records

    # ------------------------------------------------------------ tables

    def _encoders(self, moved: list[Motion]) -> Iterator[Record]:
        """Every encoder that the viewer tries, and JPEG; each size for those that work."""
        by_size = {size: moved if size == _SIZE else motions(*size) for size in _SIZES}
        for profile in PROFILES:
            for (width_px, height_px), pictures in by_size.items():
                settings = StreamSettings(width_px, height_px, _FPS, _RATE_BPS)
                words = {"case": "encoder", "encoder": profile.name, "codec": "H.264"}
                found = try_one(profile, settings)
                if not isinstance(found, H264Encoder):
                    yield {**words, "not available": found.reason}
                    break
                found.close()
                yield from self._encode(words, partial(H264Encoder, profile), settings, pictures)
        for size in _SIZES:
            yield from self._jpeg(motions(*size, space="jpeg"))

    def _settings(self, moved: list[Motion]) -> Iterator[Record]:
        """One setting after the other of libx264, as it is used at 20 Mbit/s."""
        for variant in _variants(_SIZE[1]):
            yield from self._vary(variant, "setting", moved)

    def _codecs(self, moved: list[Motion]) -> Iterator[Record]:
        """Other codecs in software, at the same rate: what H.264 is chosen over."""
        settings = StreamSettings(*_SIZE, _FPS, _RATE_BPS)
        for name, (codec, options) in _CODECS.items():
            profile = EncoderProfile(
                name, "yuv420p", can_move_bit_rate=False, options=_fix(options)
            )
            words = {"case": "codec", "encoder": name, "codec": codec}
            try:
                yield from self._encode(words, partial(H264Encoder, profile), settings, moved)
            except EncoderFailedError as exc:
                yield {**words, "not available": exc.message}

    def _vary(self, variant: _Variant, case: str, moved: list[Motion]) -> Iterator[Record]:
        (base,) = [profile for profile in PROFILES if profile.name == "libx264"]
        settings = StreamSettings(*_SIZE, _FPS, variant.rate_bps)
        profile = EncoderProfile(
            "libx264",
            "yuv420p",
            can_move_bit_rate=False,
            options=lambda settings: variant.changed(base.options(settings), settings),
        )
        words = {"case": case, "encoder": "libx264", "codec": "H.264", "setting": variant.name}
        yield from self._encode(words, partial(H264Encoder, profile), settings, moved)

    # ------------------------------------------------------------ one case

    def _encode(
        self,
        words: Record,
        open_encoder: Callable[[StreamSettings], Encoder],
        settings: StreamSettings,
        moved: Sequence[Motion],
    ) -> Iterator[Record]:
        for motion in moved:
            stream = _Stream(open_encoder(settings), motion)
            size = f"{settings.width_px}x{settings.height_px}"
            yield self._measured({**words, "motion": motion.name, "size": size}, stream)

    def _jpeg(self, moved: Sequence[Motion]) -> Iterator[Record]:
        for motion in moved:
            first = motion.picture(0)
            words = {
                "case": "encoder",
                "encoder": "mjpeg",
                "codec": "JPEG",
                "motion": motion.name,
                "size": f"{first.width_px}x{first.height_px}",
            }
            yield self._measured(words, _Files(motion))

    def _measured(self, words: Record, stream: _Stream | _Files) -> Record:
        timings = measure(stream.encode_next, n=self._n, rounds=self._rounds, warm_up=_WARM_UP)
        stream.close()
        return {
            **words,
            **timings.record(),
            **self._sizes(stream.units),
            **self._quality(stream.motion, words["encoder"], stream.units),
        }

    def _sizes(self, units: Sequence[bytes]) -> Record:
        """Bytes of what came after the first picture, which is a keyframe in every stream."""
        n = self._n
        rounds = [[len(u) for u in units[2 + k * n : 2 + (k + 1) * n]] for k in range(self._rounds)]
        later = units[2:]
        return {
            **summarize(rounds, "bytes", "size"),
            "key_bytes": len(units[0]),
            "largest_bytes": max(map(len, later)),
            "mbps": sum(map(len, later)) * 8 * _FPS / len(later) / 1e6,
        }

    def _quality(self, motion: Motion, encoder: str, units: Sequence[bytes]) -> Record:
        """Compare the pictures of the first round with what was drawn."""
        peak = 255.0 if encoder == "mjpeg" else 219.0
        psnrs, ssims = [], []
        for i, decoded in enumerate(_decode(encoder, units[: _WARM_UP + self._n])):
            if i % _LOOK_AT:
                continue
            picture = motion.picture(i)
            drawn = picture.pixels[: picture.height_px]
            psnrs.append(min(psnr_db(drawn, decoded, peak=peak), 99.0))
            ssims.append(ssim(drawn, decoded, peak=peak))
        summary = {**summarize([psnrs], "db", "psnr"), **summarize([ssims], "ssim", "luma")}
        del summary["n"]
        return {**summary, "psnr_min_db": min(psnrs)}


class _Stream:
    """A video of a motion, picture by picture."""

    def __init__(self, encoder: Encoder, motion: Motion) -> None:
        self._encoder = encoder
        self.motion = motion
        self.units: list[bytes] = []

    def encode_next(self, _: int) -> None:
        n = len(self.units)
        frame = self._encoder.encode(
            self.motion.picture(n), timestamp_90k=90_000 // _FPS * n, is_keyframe=False
        )
        self.units.append(bytes(frame.data))

    def close(self) -> None:
        self._encoder.close()


class _Files:
    """The same as JPEG files."""

    def __init__(self, motion: Motion) -> None:
        self._encoder = JpegEncoder()
        self.motion = motion
        self.units: list[bytes] = []

    def encode_next(self, _: int) -> None:
        picture = self.motion.picture(len(self.units))
        self.units.append(bytes(self._encoder.encode(picture)))

    def close(self) -> None:
        """Nothing is open."""


def _decode(encoder: str, units: Sequence[bytes]) -> Iterator[Luma]:
    codec = av.codec.Codec(encoder, "w").canonical_name
    # FFmpeg's own decoder of AV1 only drives hardware.
    decoder = av.CodecContext.create({"av1": "libdav1d"}.get(codec, codec), "r")
    for packet in (*map(av.Packet, units), None):
        for frame in decoder.decode(packet):  # type: ignore[attr-defined]  # a video decoder
            plane = frame.planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            yield rows[: frame.height, : frame.width]


def _fix(options: Options) -> Callable[[StreamSettings], Options]:
    return lambda settings: {
        "maxrate": str(settings.ceiling_bps),
        "bufsize": str(2 * settings.ceiling_bps // settings.fps),
        **options,
    }


# ---------------------------------------------------------------- what is varied

_CODECS: dict[str, tuple[str, Options]] = {
    "libx265": ("HEVC", {"preset": "ultrafast", "tune": "zerolatency"}),
    "libvpx": ("VP8", {"deadline": "realtime", "cpu-used": "12", "lag-in-frames": "0"}),
    "libvpx-vp9": (
        "VP9",
        {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "row-mt": "1"},
    ),
    "libsvtav1": ("AV1", {"preset": "12", "svtav1-params": "pred-struct=1:rc=2:lookahead=0"}),
}


def _fixed_quality(options: Options, settings: StreamSettings) -> Options:
    del options, settings
    return {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "crf": "23",
        "forced-idr": "1",
        "x264-params": "scenecut=0:threads=1",
    }


_REFERENCE = _Variant("crf 23, ultrafast, one thread", _fixed_quality)


def _params(options: Options, **changed: str) -> Options:
    """Change entries of "x264-params"."""
    old = dict(entry.split("=") for entry in options["x264-params"].split(":"))
    joined = {**old, **{name.replace("_", "-"): value for name, value in changed.items()}}
    return {
        **options,
        "x264-params": ":".join(f"{name}={value}" for name, value in joined.items()),
    }


def _variants(height_px: int) -> Iterator[_Variant]:
    in_use = slice_threads(height_px)
    yield _Variant(f"in use, {in_use} slices side by side", lambda options, _: options)
    for threads in (1, 2, 4):
        if threads != in_use:
            yield _Variant(
                f"{threads} slices side by side",
                lambda options, _, threads=threads: _params(options, threads=str(threads)),  # type: ignore[misc]
            )
    yield _Variant(
        "4 slices, 2 threads", lambda options, _: _params(options, threads="2", slices="4")
    )
    for preset in ("superfast", "veryfast"):
        yield _Variant(
            f"preset {preset}",
            lambda options, _, preset=preset: {**options, "preset": preset},  # type: ignore[misc]
        )
    for name, changed in _TOOLS.items():
        yield _Variant(
            name,
            lambda options, _, changed=changed: _params(options, **changed),  # type: ignore[misc]
        )
    yield _Variant(
        "CABAC (main profile)",
        lambda options, _: {**_params(options, cabac="1"), "profile": "main"},
    )
    for frames in (1.0, 1.5, 4.0):
        yield _Variant(
            f"buffer of {frames:g} pictures",
            lambda options, settings, frames=frames: {  # type: ignore[misc]
                **options,
                "bufsize": str(int(frames * settings.ceiling_bps / settings.fps)),
            },
        )
    for rate_bps in _RATES_BPS[:-1]:
        yield _Variant(
            f"{rate_bps // 1_000_000} Mbit/s", lambda options, _: options, rate_bps=rate_bps
        )


_TOOLS: dict[str, Options] = {
    "no finest quantiser": {"qpmin": "0"},
    "finest quantiser 22": {"qpmin": "22"},
    "keyframe every second": {"keyint": "60", "min_keyint": "60"},
    "intra refresh in a second": {"keyint": "60", "intra_refresh": "1"},
    "deblocking filter": {"no_deblock": "0"},
    "motion search subme 1": {"subme": "1"},
    "adaptive quantiser": {"aq_mode": "1"},
}
