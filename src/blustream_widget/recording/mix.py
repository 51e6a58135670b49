"""What is heard in a recording: the voices in it, each at its time, as one sound."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

from blustream_widget.core.voice_messages import RATE_HZ
from blustream_widget.encode.sound import Samples, VoiceDecoder, sample_of
from blustream_widget.recording.boxes import CLOCK_HZ
from blustream_widget.recording.index import RecordingIndex
from blustream_widget.recording.voices import Placed, VoiceAt, split_packets

_LEAD_90K = CLOCK_HZ
"""Whoever begins later decodes this much before it: a decoder needs some packets to be right."""


def packets_at(file: BinaryIO, at: VoiceAt) -> list[bytes]:
    """Read the packets of one place in the file."""
    file.seek(at.offset)
    return list(split_packets(file.read(at.n_bytes)))[: at.n_packets]


class VoiceMix:
    """Gives the sum of voices from a time on, piece by piece, at 48 kHz; a context manager.

    Parameters
    ----------
    path : Path
        The recording's file.
    index : RecordingIndex
    only : str, optional
        Id of the one person to hear.
    start_s : float
    """

    def __init__(
        self, path: Path, index: RecordingIndex, *, only: str | None = None, start_s: float = 0.0
    ) -> None:
        self._file = path.open("rb")
        from_90k = start_s * CLOCK_HZ - _LEAD_90K
        self._coming: Iterator[Placed] = iter(
            one
            for one in index.placed_voices
            if (only is None or one.at.who == only) and one.end_90k > from_90k
        )
        self._next = next(self._coming, None)
        # By person, for the clock that they speak by now: a script may have any number of clocks.
        self._decoders: dict[str, tuple[int, VoiceDecoder]] = {}
        self._n = round(start_s * RATE_HZ)
        self._sum: Samples = np.zeros(0, np.float32)

    def __enter__(self) -> VoiceMix:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def until(self, time_s: Fraction | float) -> Samples:
        """Give what is heard from where this ended last until a time, -1 to 1."""
        n_wanted = max(0, round(time_s * RATE_HZ) - self._n)
        self._lengthen(n_wanted)  # at once: an hour that grew by the second would be copied often
        while self._next is not None and self._start(self._next) < self._n + n_wanted:
            self._add(self._next)
            self._next = next(self._coming, None)
        heard, self._sum = self._sum[:n_wanted], self._sum[n_wanted:]
        self._n += n_wanted
        return np.clip(heard, -1, 1)

    @staticmethod
    def _start(one: Placed) -> int:
        return sample_of(Fraction(one.start_90k, CLOCK_HZ))

    def _add(self, one: Placed) -> None:
        packets = packets_at(self._file, one.at)
        if not packets:
            return
        clock, decoder = self._decoders.get(one.at.who, (None, None))
        if decoder is None or clock != one.at.clock:
            decoder = VoiceDecoder()
            self._decoders[one.at.who] = one.at.clock, decoder
        samples = np.concatenate([decoder.decode(packet) for packet in packets])
        begin = self._start(one) - self._n
        samples, begin = samples[max(0, -begin) :], max(0, begin)
        self._lengthen(begin + len(samples))
        self._sum[begin : begin + len(samples)] += samples

    def _lengthen(self, n_samples: int) -> None:
        if len(self._sum) < n_samples:
            self._sum = np.pad(self._sum, (0, n_samples - len(self._sum)))
