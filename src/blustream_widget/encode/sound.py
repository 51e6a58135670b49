"""Sound: voices that pages have coded become samples, and the sound track of a film."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
import numpy.typing as npt
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.container import OutputContainer

from blustream_widget.core.voice_messages import PACKET_SAMPLES, RATE_HZ
from blustream_widget.encode.reasons import reason_of
from blustream_widget.errors import RecordingError

Samples: TypeAlias = npt.NDArray[np.float32]

SOUND_BPS = 96_000
_LOOKAHEAD = 312
"""Samples by which a voice comes late out of the coder (Opus at 48 kHz, for speech)."""


class VoiceDecoder:
    """Decodes one voice: packets of Opus of 20 ms, each from the one before."""

    def __init__(self) -> None:
        context = av.CodecContext.create("libopus", "r")
        assert isinstance(context, AudioCodecContext)
        context.sample_rate, context.layout = RATE_HZ, "mono"
        self._context = context
        self._resampler = av.AudioResampler("fltp", "mono", RATE_HZ)

    def decode(self, packet: bytes) -> Samples:
        """Give the 960 samples of a packet at 48 kHz, -1 to 1; silence if it is damaged."""
        made: list[Samples] = []
        try:
            for frame in self._context.decode(av.Packet(packet)):
                frame.pts = None
                made += [f.to_ndarray()[0] for f in self._resampler.resample(frame)]
        except av.FFmpegError:
            made = []
        samples = np.zeros(PACKET_SAMPLES, np.float32)
        found = np.concatenate(made)[:PACKET_SAMPLES] if made else samples[:0]
        samples[: len(found)] = found
        return samples


def sample_of(time_s: Fraction) -> int:
    """Give the number of the sample that a decoded packet begins with, which begins at a time."""
    return round(time_s * RATE_HZ) - _LOOKAHEAD


class FilmSound:
    """The sound track of a film that is being written.

    Parameters
    ----------
    container : OutputContainer
        Nothing has been written to it yet.
    codec : str
        FFmpeg's name.

    Raises
    ------
    RecordingError
        This FFmpeg lacks the encoder.
    """

    def __init__(self, container: OutputContainer, codec: str) -> None:
        try:
            stream = container.add_stream(codec, rate=RATE_HZ, layout="mono")
        except (av.FFmpegError, ValueError) as exc:
            raise RecordingError(
                f"{codec} cannot be used: {reason_of(exc)}.",
                hint="Export to another format: .mp4, .webm or .gif.",
            ) from exc
        assert isinstance(stream, AudioStream)
        stream.bit_rate = SOUND_BPS
        self._container, self._stream = container, stream
        self._n = 0

    def add(self, samples: Samples) -> None:
        """Write what is heard next."""
        if not len(samples):
            return
        whole = np.ascontiguousarray(samples.reshape(1, -1), np.float32)
        frame = av.AudioFrame.from_ndarray(whole, format="fltp", layout="mono")
        frame.sample_rate, frame.time_base = RATE_HZ, Fraction(1, RATE_HZ)
        frame.pts = self._n
        self._n += len(samples)
        self._container.mux(self._stream.encode(frame))

    def finish(self) -> None:
        """Write what the encoder has kept back."""
        self._container.mux(self._stream.encode(None))
