"""The video encoder in use: opened anew when the picture's size changes, replaced when it fails."""

from __future__ import annotations

import logging
from collections.abc import Callable

from blustream_widget.core.types import Capabilities, EncoderTrial, Picture
from blustream_widget.encode.encoder import EncodedFrame, Encoder, StreamSettings
from blustream_widget.encode.h264 import H264Encoder
from blustream_widget.encode.known_refusals import TryEncoder
from blustream_widget.encode.probe import PROBE_SETTINGS, no_encoder, try_one
from blustream_widget.encode.profiles import PROFILES, EncoderProfile
from blustream_widget.errors import EncoderFailedError

logger = logging.getLogger(__name__)

OpenEncoder = Callable[[EncoderProfile, StreamSettings], Encoder]

# Ceilings that encoders are opened with: the bit rate moves below without a new IDR.
# Close together where a picture's time on the link is felt: their buffers grow with them.
_CEILINGS_BPS = (
    *(1_250_000, 1_800_000, 2_500_000, 3_500_000, 5_000_000, 7_000_000, 10_000_000),
    *(20_000_000, 40_000_000, 80_000_000, 160_000_000),
)


def ceiling_for(bit_rate_bps: int) -> int:
    """Smallest ceiling that holds a bit rate."""
    fitting = (ceiling for ceiling in _CEILINGS_BPS if ceiling >= bit_rate_bps)
    return next(fitting, _CEILINGS_BPS[-1])


class EncoderChain:
    """Encodes with the first encoder that works, and goes on with the next one when it stops.

    Parameters
    ----------
    profiles : tuple of EncoderProfile
        In the order in which they are tried.
    try_encoder, open_encoder : callable, optional
        Other ways to try an encoder and to open one that worked (tests).

    Notes
    -----
    One thread.
    """

    def __init__(
        self,
        profiles: tuple[EncoderProfile, ...] = PROFILES,
        *,
        try_encoder: TryEncoder = try_one,
        open_encoder: OpenEncoder = H264Encoder,
    ) -> None:
        self._remaining = list(profiles)
        self._try_encoder = try_encoder
        self._open_encoder = open_encoder
        self._trials: list[EncoderTrial] = []
        self._profile: EncoderProfile | None = None
        self._encoder: Encoder | None = None
        self._opened: StreamSettings | None = None
        self._codec = ""

    @property
    def capabilities(self) -> Capabilities:
        """Encoder in use, codec of its stream, and every trial so far."""
        name = self._profile.name if self._profile is not None else ""
        return Capabilities(encoder=name, codec=self._codec, encoders=tuple(self._trials))

    def start(self) -> None:
        """Find the first encoder that works here, and leave it open.

        Raises
        ------
        NoEncoderError
            None works; the message names each with its reason.
        """
        self._take_next()

    def twin(self) -> EncoderChain:
        """Return another chain, for another stream, that begins with the encoder in use."""
        twin = EncoderChain(
            tuple(self._remaining), try_encoder=self._try_encoder, open_encoder=self._open_encoder
        )
        twin._profile, twin._trials = self._profile, list(self._trials)
        return twin

    def encode(
        self,
        picture: Picture,
        *,
        timestamp_90k: int,
        is_keyframe: bool,
        bit_rate_bps: int,
        max_fps: int,
    ) -> EncodedFrame:
        """Encode a picture of any size; a new size, encoder or frame rate begins with a keyframe.

        Raises
        ------
        NoEncoderError
            The encoder stopped and none is left.
        """
        while True:
            if self._profile is None:
                raise no_encoder(tuple(self._trials))
            try:
                encoder = self._fitting(self._profile, picture, bit_rate_bps, max_fps)
                frame = encoder.encode(
                    picture, timestamp_90k=timestamp_90k, is_keyframe=is_keyframe
                )
            except EncoderFailedError as exc:
                self._give_up(exc)
                continue
            self._codec = encoder.codec
            return frame

    def close(self) -> None:
        """Close the encoder in use."""
        if self._encoder is not None:
            self._encoder.close()
        self._encoder = self._opened = None

    def _fitting(
        self, profile: EncoderProfile, picture: Picture, bit_rate_bps: int, max_fps: int
    ) -> Encoder:
        size = (picture.width_px, picture.height_px, max_fps)
        encoder, opened = self._encoder, self._opened
        bit_rate_bps = min(bit_rate_bps, _CEILINGS_BPS[-1])
        if encoder is not None and opened is not None:
            same = (opened.width_px, opened.height_px, opened.fps) == size
            if same and encoder.move_bit_rate(bit_rate_bps):
                return encoder
        self.close()
        # An encoder that cannot be moved is opened at the very rate.
        ceiling = ceiling_for(bit_rate_bps) if profile.can_move_bit_rate else bit_rate_bps
        settings = StreamSettings(*size, ceiling_bps=ceiling)
        encoder = self._encoder = self._open_encoder(profile, settings)
        self._opened = settings
        encoder.move_bit_rate(bit_rate_bps)
        return encoder

    def _give_up(self, exc: EncoderFailedError) -> None:
        assert self._profile is not None
        logger.warning("%s Trying the next encoder.", exc.message)
        name = self._profile.name
        self.close()
        self._trials = [trial for trial in self._trials if trial.name != name]
        self._trials.append(EncoderTrial(name, exc.message))
        self._take_next()

    def _take_next(self) -> None:
        self._profile, self._codec = None, ""
        while self._remaining:
            profile = self._remaining.pop(0)
            result = self._try_encoder(profile, PROBE_SETTINGS)
            if isinstance(result, EncoderTrial):
                self._trials.append(result)
                continue
            self._trials.append(EncoderTrial(profile.name, ""))
            self._profile, self._codec = profile, result.codec
            self._encoder, self._opened = result, PROBE_SETTINGS
            logger.info("Encoder: %s", profile.name)
            return
        raise no_encoder(tuple(self._trials))
