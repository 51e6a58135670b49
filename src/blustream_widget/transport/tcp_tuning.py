"""How TCP towards a browser is told to behave, where the system lets us."""

from __future__ import annotations

import contextlib
import socket


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
