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

# Of `struct tcp_info` in linux/tcp.h, which only ever grows at its end: tcpi_ca_state, tcpi_rtt,
# tcpi_total_retrans, tcpi_pacing_rate, tcpi_notsent_bytes, tcpi_min_rtt, tcpi_data_segs_out,
# tcpi_dsack_dups.
_FIELDS = struct.Struct("=xB66xI28xIQ32xII4xI56xI")
_BYTES = _FIELDS.size


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
        repairs, round_trip_us, n_again, pacing, unsent_bytes, least_us, n_segments, n_spurious = (
            _FIELDS.unpack_from(data)
        )
        return cls(
            round_trip_us / 1e6,
            unsent_bytes,
            n_segments,
            max(n_again - n_spurious, 0),
            least_us / 1e6,
            8.0 * pacing,
            repairs != 0,
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
