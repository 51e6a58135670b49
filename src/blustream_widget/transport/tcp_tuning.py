"""How TCP towards a browser is told to behave, where the system lets us."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from blustream_widget.transport.tcp_info import ReadTcp

_SPREAD_S = 0.005
"""A picture whose packets leave within this time is not held up."""

_FAR_S = 0.03
"""With a shorter round trip nothing is gained: what BBR spreads is over soon."""

_NEAR_S = 1.0
"""Near connections, of which there may be hundreds, are asked so seldom: 15 µs each time."""


def prefer_bbr(connection: socket.socket) -> bool:
    """Use BBR on a connection that sends pictures; False where the system does not allow it.

    CUBIC, Linux's usual choice, takes each loss for a full network: over 200 ms with 5 % loss it
    sends 0.3 Mbit/s whatever the network carries (1.22 segments per round trip and square root of
    the loss). BBR measures what is delivered. An ordinary user may choose it where the
    administrator has put it into `net.ipv4.tcp_allowed_congestion_control`.

    Parameters
    ----------
    connection : socket
        TCP; anything else is left alone.
    """
    option = getattr(socket, "TCP_CONGESTION", None)
    if option is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, option, b"bbr")
        return True
    return False


class PromptBbr:
    """Keeps BBR from spreading one picture over a round trip.

    BBR sends as fast as it saw data arrive, and that is no more than what was offered: after some
    single pictures it holds the network for one that carries a picture in each round trip, and
    takes a whole one for the next. Chosen anew it begins again, with 2.9 times its window in a
    round trip. What is sent in the long run is bounded by `LinkRate`, which sees the queue that
    this may make.

    Parameters
    ----------
    connection : socket
        TCP that uses BBR.
    read_tcp : callable
        Tells of it.
    clock : callable
        Seconds, monotonic.

    Notes
    -----
    Over 80 ms with 1 % loss a picture of 30 kB came 90 ms after the round trip, and 12 with this.
    """

    def __init__(
        self,
        connection: socket.socket,
        read_tcp: ReadTcp,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connection = connection
        self._read_tcp = read_tcp
        self._clock = clock
        self._begun_s = self._near_until_s = float("-inf")

    def expect(self, n_bytes: int) -> None:
        """Have the `n_bytes` that are about to be written leave at once."""
        now = self._clock()
        if now < self._near_until_s:
            return
        info = self._read_tcp()
        if info is not None and info.round_trip_s < _FAR_S:
            self._near_until_s = now + _NEAR_S
        if info is None or info.round_trip_s < _FAR_S or info.is_repairing:
            return
        if 8 * n_bytes <= _SPREAD_S * info.pacing_bps or now < self._begun_s + info.round_trip_s:
            return
        self._begun_s = now
        with contextlib.suppress(OSError):
            # The same name again would change nothing.
            self._choose(b"reno")
            self._choose(b"bbr")

    def _choose(self, name: bytes) -> None:
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name)
