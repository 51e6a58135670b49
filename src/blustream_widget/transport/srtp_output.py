"""Protects RTP packets and gives them to the network, many in one system call.

A part of `rtp_stream`, and like it bound to the inside of aiortc, aioice and pylibsrtp.

**Cost.** A packet's way through aiortc and asyncio takes 50 to 90 µs of processor time. Here it
takes 25 with everything the kernel does (`blustream bench ways`): a packet is written once,
encrypted in place, and all packets of one size leave in one `sendmsg`; Linux cuts them apart
(UDP_SEGMENT, "generic segmentation offload"). Where that is missing or refused, each packet has a
call of its own.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Any

from aioice.ice import CandidatePair, StunProtocol
from pylibsrtp import Session
from pylibsrtp._binding import ffi, lib

from blustream_widget.errors import TransportError

BURST_PACKETS = 40  # 40 · 1360 bytes: the kernel takes 64 kB at once
# 16-byte aligned, as libsrtp wants its packets; a packet and its authentication tag fit.
_SLOT_BYTES = 1536
_UDP_SEGMENT = 103  # of linux/udp.h; Python has no name for it
_SEGMENT = struct.Struct("=H")
_NO_SEGMENTS = {errno.EINVAL, errno.EIO, errno.EMSGSIZE, errno.EOPNOTSUPP, errno.ENOPROTOOPT}

# One loop, one burst at a time: all viewers share the room in which packets are made.
_room = ffi.new("char[]", _SLOT_BYTES * BURST_PACKETS)
_slots = [_room + _SLOT_BYTES * i for i in range(BURST_PACKETS)]
_view = memoryview(ffi.buffer(_room)).cast("B")
_length = ffi.new("int *")


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
        self._lengths: list[int] = []

    @property
    def has_unsent(self) -> bool:
        """Whether packets wait in asyncio's buffer, because the network takes no more now."""
        return self._socket is not None and self._transport.get_write_buffer_size() > 0

    def add(self, packet: bytes) -> None:
        """Protect one packet: see `add_all`."""
        self.add_all([(packet, b"")])

    def add_all(self, packets: Sequence[tuple[bytes, bytes]]) -> None:
        """Protect packets, each in two parts, and put them into the burst.

        A burst has room for `BURST_PACKETS`. Most of what a viewer costs happens in this loop.

        Raises
        ------
        TransportError
            If libsrtp refuses a packet.
        """
        lengths, view, length = self._lengths, _view, _length
        protect, srtp = lib.srtp_protect, self._srtp
        begin = _SLOT_BYTES * len(lengths)
        for (head, payload), slot in zip(packets, _slots[len(lengths) :], strict=False):
            middle = begin + len(head)
            end = middle + len(payload)
            view[begin:middle] = head
            view[middle:end] = payload
            length[0] = end - begin
            if status := protect(srtp, slot, length):
                lengths.clear()
                raise TransportError(
                    f"A packet of {end - begin} bytes cannot be encrypted: {status}."
                )
            lengths.append(length[0])
            begin += _SLOT_BYTES

    def send(self) -> int:
        """Send the burst; never waits. Returns how many bytes it had."""
        lengths, self._lengths = self._lengths, []
        first, n = 0, len(lengths)
        while first < n:
            size = lengths[first]
            end = first + 1
            # A shorter one may end what is sent together.
            while end < n and lengths[end - 1] == size and lengths[end] <= size:
                end += 1
            parts = [
                _view[i * _SLOT_BYTES : i * _SLOT_BYTES + lengths[i]] for i in range(first, end)
            ]
            if len(parts) == 1 or not self._send_together(parts, size):
                for part in parts:
                    self._send_one(part)
            first = end
        return sum(lengths)

    def close(self) -> None:
        """Let go of the socket; may be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send_together(self, parts: list[memoryview], size: int) -> bool:
        if self._socket is None or not self._has_segments or self.has_unsent:
            return False
        segment = (socket.IPPROTO_UDP, _UDP_SEGMENT, _SEGMENT.pack(size))
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


def _own_socket(protocol: StunProtocol) -> socket.socket | None:
    """Another descriptor of the protocol's socket; None where packets go through a relay."""
    found = protocol.transport.get_extra_info("socket")
    if found is None:
        return None
    own = socket.socket(found.family, found.type, found.proto, fileno=os.dup(found.fileno()))
    own.setblocking(False)
    return own
