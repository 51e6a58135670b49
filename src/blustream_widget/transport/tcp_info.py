"""What Linux knows of a TCP connection: the queue in front of its network, and its losses.

When a picture comes late over TCP, its acknowledgement cannot say why: a full link holds it up, and
so does a lost segment before it, for a round trip. The system can: the round trips of single
segments grow with a queue and not with losses.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

# Of `struct tcp_info` in linux/tcp.h, which only ever grows at its end.
_REPAIRS, _ROUND_TRIP, _RETRANSMITTED, _PACING = 1, 68, 100, 104
_UNSENT, _LEAST, _SEGMENTS, _SPURIOUS = 144, 148, 156, 216
_BYTES = 220
_U32, _U64 = struct.Struct("=I"), struct.Struct("=Q")


class TcpInfo(NamedTuple):
    """One look at a connection.

    `n_lost` of `n_segments` with data were sent again for a reason, since it began.
    `least_round_trip_s` is that of the last minutes, infinite where it is not known. `pacing_bps`
    is the rate at which what is written leaves; `is_repairing`: losses are being made good.
    """

    round_trip_s: float
    unsent_bytes: int
    n_segments: int
    n_lost: int
    least_round_trip_s: float = float("inf")
    pacing_bps: float = float("inf")
    is_repairing: bool = False

    @classmethod
    def unpack(cls, data: bytes) -> TcpInfo | None:
        """Read the system's bytes; None from a system too old to tell."""
        if len(data) < _BYTES:
            return None
        offsets = (_ROUND_TRIP, _UNSENT, _SEGMENTS, _RETRANSMITTED, _SPURIOUS, _LEAST)
        round_trip_us, unsent_bytes, n_segments, n_again, n_spurious, least_us = (
            int(_U32.unpack_from(data, offset)[0]) for offset in offsets
        )
        n_lost = max(n_again - n_spurious, 0)
        pacing_bps = 8.0 * int(_U64.unpack_from(data, _PACING)[0])
        return cls(
            round_trip_us / 1e6,
            unsent_bytes,
            n_segments,
            n_lost,
            least_us / 1e6,
            pacing_bps,
            data[_REPAIRS] != 0,
        )


ReadTcp: TypeAlias = Callable[[], TcpInfo | None]


def tcp_reader(connection: socket.socket | None) -> ReadTcp | None:
    """Something that looks at `connection`; None where there is nothing to see.

    Parameters
    ----------
    connection : socket
        Any; only Linux's TCP tells.
    """
    if (
        connection is None
        or sys.platform != "linux"
        or connection.family not in (socket.AF_INET, socket.AF_INET6)
    ):
        return None

    def read() -> TcpInfo | None:
        try:
            data = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _BYTES)
        except OSError:  # closed meanwhile
            return None
        return TcpInfo.unpack(data)

    return read
