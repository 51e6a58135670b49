"""How often each packet of a frame is sent: once, or again before anybody has missed it."""

from __future__ import annotations

from blustream_widget.transport.link_rate import FELT_S, LinkRate

REPEAT_AFTER_S = 0.008
"""Between two copies: what makes a network lose a packet often takes the next one too."""

MAX_REPEATED_BYTES = 96_000

# Lost packets times round trip, in seconds for each packet: from here on all are sent twice.
_TWICE_ABOVE_S, _TWICE_BELOW_S = 0.0006, 0.0003
# The same of what is lost twice. 5 % over 200 ms: of 300 packets a second one waits a round trip
# more often than once in two seconds, and all pictures after it.
_THRICE_ABOVE_S = 0.0001


class Repeats:
    """Whether losses would cost more time than frames that are sent twice or three times.

    A lost packet holds up its frame and all after it for a round trip. Where that happens during a
    good part of the time, each packet goes again, and the picture has so many fewer bits.
    """

    def __init__(self) -> None:
        self._copies = 1

    @property
    def copies(self) -> int:
        """How often packets are sent now, the first time included."""
        return self._copies

    def of(self, n_bytes: int, link: LinkRate) -> int:
        """Say how often a frame of so many bytes is to be sent over a link."""
        loss, round_trip_s = link.loss, link.round_trip_s
        is_felt = round_trip_s > FELT_S
        least_s = _TWICE_BELOW_S if self._copies > 1 else _TWICE_ABOVE_S
        # Of a new viewer nothing is known yet, and its first pictures are not to wait either.
        is_twice = is_felt and (not link.is_loss_known or loss * round_trip_s > least_s)
        is_thrice = is_twice and loss**2 * round_trip_s > _THRICE_ABOVE_S
        self._copies = 1 + is_twice + is_thrice
        return self._copies if n_bytes <= MAX_REPEATED_BYTES else 1
