"""What every video encoder offers: one picture in, one access unit out, at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from blustream_widget.core.types import Picture


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """What an encoder is opened for.

    Parameters
    ----------
    width_px, height_px : int
        Even.
    fps : int
        Pictures a second that `ceiling_bps` is shared by; fewer pictures take fewer bits.
    ceiling_bps : int
        Largest bit rate that will be asked for.
    """

    width_px: int
    height_px: int
    fps: int
    ceiling_bps: int


@dataclass(frozen=True, slots=True)
class EncodedFrame:
    """One H.264 access unit, Annex B.

    Parameters
    ----------
    data : memoryview
        Stays valid as long as it is held.
    is_keyframe : bool
        An IDR picture with its parameter sets in front: it decodes alone.
    """

    data: memoryview
    is_keyframe: bool


class Encoder(Protocol):
    """An open video encoder. One thread; nothing is held back from one picture to the next."""

    @property
    def name(self) -> str:
        """As FFmpeg calls it, for example "libx264"."""

    @property
    def codec(self) -> str:
        """RFC 6381 string of the stream ("avc1.42C01F"), "" before the first keyframe."""

    def encode(self, picture: Picture, *, timestamp_90k: int, is_keyframe: bool) -> EncodedFrame:
        """Encode a picture of the size that the encoder was opened for.

        Parameters
        ----------
        picture : Picture
            "yuv420p". May be overwritten as soon as this returns.
        timestamp_90k : int
            Larger than the last one.
        is_keyframe : bool
            Make an IDR with parameter sets. The first picture always is one.

        Raises
        ------
        EncoderFailedError
            The encoder has stopped working.
        """

    def move_bit_rate(self, bit_rate_bps: int) -> bool:
        """Aim at another bit rate from now on; False if the encoder must be opened anew for it."""

    def close(self) -> None:
        """Free the encoder. May be called twice."""
