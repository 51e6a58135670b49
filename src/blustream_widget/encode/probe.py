"""Which H.264 encoders work on this machine, found by encoding with them."""

from __future__ import annotations

from dataclasses import dataclass

import av.logging

from blustream_widget.core.types import EncoderTrial
from blustream_widget.encode.encoder import StreamSettings
from blustream_widget.encode.h264 import H264Encoder, try_encoder
from blustream_widget.encode.profiles import PROFILES, EncoderProfile, plain_profile
from blustream_widget.errors import EncoderFailedError, NoEncoderError

PROBE_SETTINGS = StreamSettings(width_px=1280, height_px=720, fps=60, ceiling_bps=10_000_000)


@dataclass(frozen=True, slots=True)
class Found:
    """The first encoder that works, open, and what was tried to find it."""

    encoder: H264Encoder
    trials: tuple[EncoderTrial, ...]


def candidates(only: str = "") -> tuple[EncoderProfile, ...]:
    """Profiles in the order they are tried; just the one named `only` if given.

    Any H.264 encoder of FFmpeg may be named; one without a profile gets plain settings.
    """
    if not only:
        return PROFILES
    chosen = tuple(profile for profile in PROFILES if profile.name == only)
    return chosen or (plain_profile(only),)


def try_one(
    profile: EncoderProfile, settings: StreamSettings = PROBE_SETTINGS
) -> H264Encoder | EncoderTrial:
    """Return the encoder, open, or why it was refused."""
    before = av.logging.get_level()
    # FFmpeg's reason ("Cannot load libcuda.so.1") is only in its log: reasons.py.
    av.logging.set_level(av.logging.ERROR)
    try:
        with av.logging.Capture():
            return try_encoder(profile, settings)
    except EncoderFailedError as exc:
        return EncoderTrial(profile.name, exc.message)
    finally:
        av.logging.set_level(before)


def find_encoder(
    profiles: tuple[EncoderProfile, ...] = PROFILES, settings: StreamSettings = PROBE_SETTINGS
) -> Found:
    """Open the first encoder that really encodes.

    Raises
    ------
    NoEncoderError
        None does; the message names each with its reason.
    """
    trials: list[EncoderTrial] = []
    for profile in profiles:
        result = try_one(profile, settings)
        if isinstance(result, H264Encoder):
            return Found(result, (*trials, EncoderTrial(profile.name, "")))
        trials.append(result)
    raise no_encoder(tuple(trials))


def probe_all(profiles: tuple[EncoderProfile, ...] = PROFILES) -> tuple[EncoderTrial, ...]:
    """Try every encoder, also those after the first that works."""
    trials = []
    for profile in profiles:
        result = try_one(profile)
        if isinstance(result, H264Encoder):
            result.close()
            result = EncoderTrial(profile.name, "")
        trials.append(result)
    return tuple(trials)


def no_encoder(trials: tuple[EncoderTrial, ...]) -> NoEncoderError:
    """Error that names every trial."""
    reasons = " ".join(trial.reason for trial in trials)
    if len(trials) == 1:  # one alone is tried where somebody asks for it by name
        return NoEncoderError(
            f"The only H.264 encoder that BLUSTREAM_ENCODER allows does not work here. {reasons}",
            hint="Unset BLUSTREAM_ENCODER to use the first that works. Until then JPEG is sent.",
        )
    return NoEncoderError(
        f"No H.264 encoder works here. {reasons}".rstrip(),
        hint="Install PyAV from its wheel, which brings libx264. Until then JPEG is sent.",
    )
