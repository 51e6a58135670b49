"""Protects RTP packets and gives them to the network, many in one system call.

A part of `rtp_stream`, and like it bound to the inside of aiortc, aioice and pylibsrtp.

**Cost.** A packet's way through aiortc and asyncio takes 50 to 90 µs of processor time. Here it
takes 21 with everything that a session of a hundred viewers costs (`blustream bench fanout`):
packets are made in `rtp_burst`'s room, encrypted in place, and all packets of one size leave in one
`sendmsg`; Linux cuts them apart (UDP_SEGMENT, "generic segmentation offload"). Where that is
missing or refused, each packet has a call of its own.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Sequence
from itertools import repeat
from typing import Any

from aioice.ice import CandidatePair, StunProtocol
from pylibsrtp import Session
from pylibsrtp._binding import lib

from blustream_widget.errors import TransportError
from blustream_widget.transport.rtp_burst import Burst, BurstRoom

_UDP_SEGMENT = 103  # of linux/udp.h; Python has no name for it
_SEGMENT = struct.Struct("=H")
_NO_SEGMENTS = {errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP, errno.ENOPROTOOPT}

_room = BurstRoom()


class SrtpOutput:
    """Way of one peer connection's packets. Use from the loop's thread; close after use.

    Parameters
    ----------
    session : pylibsrtp.Session
        Outgoing.
    pair : aioice.ice.CandidatePair
        The nominated one.
    """

    def __init__(self, session: Session, pair: CandidatePair) -> None:
        self.pair = pair
        # Any: cffi's pointer.
        self._srtp: Any = session._srtp[0]
        # Any: asyncio's type lacks its own get_write_buffer_size.
        self._transport: Any = pair.protocol.transport
        self._address = pair.remote_addr
        self._socket = _own_socket(pair.protocol)
        self._has_segments = sys.platform == "linux"
        self._is_buffered = False

    @property
    def has_unsent(self) -> bool:
        """Whether packets wait in asyncio's buffer, because the network takes no more now."""
        if self._is_buffered:
            self._is_buffered = self._transport.get_write_buffer_size() > 0
        return self._is_buffered

    def send_burst(self, burst: Burst, head: bytes, first_seq: int, end: bytes = b"") -> int:
        """Send a viewer's packets of a burst; never waits. See `BurstRoom.put_all`.

        Returns
        -------
        int
            Bytes of all packets, encrypted.

        Raises
        ------
        TransportError
            If libsrtp refuses a packet.
        """
        _room.put_all(burst, head, first_seq, end)
        tag_bytes = self._protect(len(burst), burst.sizes[0])
        for parts in burst.parts(_room, tag_bytes):
            if len(parts) == 1 or not self._send_together(parts):
                for part in parts:
                    self._send_one(part)
        return burst.n_bytes + len(burst) * tag_bytes

    def send_packet(self, packet: bytes) -> int:
        """Send one packet by itself, as `send_burst` does."""
        _room.put(packet)
        size = len(packet) + self._protect(1, len(packet))
        self._send_one(_room.packet(0, size))
        return size

    def _protect(self, n: int, first_bytes: int) -> int:
        """Encrypt the first `n` packets of the room; returns by how much each has become longer.

        Half of what a viewer costs happens here: the loop is in C.
        """
        refused = filter(
            None, map(lib.srtp_protect, repeat(self._srtp, n), _room.slots, _room.lengths)
        )
        if status := next(refused, 0):
            raise TransportError(f"A packet cannot be encrypted: {status}.")
        return _room.size(0) - first_bytes

    def close(self) -> None:
        """Let go of the socket; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_together(self, parts: Sequence[memoryview]) -> bool:
        if self._socket is None or not self._has_segments or self.has_unsent:
            return False
        segment = (socket.IPPROTO_UDP, _UDP_SEGMENT, _SEGMENT.pack(len(parts[0])))
        try:
            self._socket.sendmsg(parts, [segment], 0, self._address)
        except BlockingIOError:
            return False
        except OSError as exc:
            if exc.errno in _NO_SEGMENTS:
                self._has_segments = False
                return False
            # As with any datagram: the network may lose it, and says so or not.
        return True

    def _send_one(self, part: memoryview) -> None:
        if self._socket is not None and not self.has_unsent:
            try:
                self._socket.sendto(part, self._address)
            except BlockingIOError:
                pass
            except OSError:
                return
            else:
                return
        # asyncio keeps what the network does not take now; a relay has a way of its own.
        self._transport.sendto(bytes(part), self._address)
        self._is_buffered = self._socket is not None


def _own_socket(protocol: StunProtocol) -> socket.socket | None:
    """Another descriptor of the protocol's socket; None where packets go through a relay."""
    found = protocol.transport.get_extra_info("socket")
    if found is None:
        return None
    own = socket.socket(found.family, found.type, found.proto, fileno=os.dup(found.fileno()))
    own.setblocking(False)
    return own
