"""Packets of a frame, laid out once for all its viewers: a viewer adds its own heads.

What viewers share is the payloads; the heads (numbers, stream, time of sending) and the encryption
are each one's own. A burst is therefore kept as it lies in memory, one packet to a slot with room
for its head, and a viewer's burst is one copy of that, one head written into all slots at once, and
a run of numbers: 4 µs for ten packets in a tight loop.

**One room for all.** Bursts are made one after the other, on the loop's thread: all viewers share
the memory in which they are made, encrypted and sent from.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pylibsrtp._binding import ffi

BURST_PACKETS = 40  # 40 · 1360 bytes: the kernel takes 64 kB at once
# 16-byte aligned, as libsrtp wants its packets; a packet and its authentication tag fit.
SLOT_BYTES = 1536
HEAD = struct.Struct("!BBHLL")
MARKER = 0x80
_SEQUENCE_AT, _MARKER_AT = 2, 1
_LENGTH_BYTES = ffi.sizeof("int")
_NUMBERS = (np.arange(0x10000 + BURST_PACKETS) & 0xFFFF).astype(">u2")


class Burst:
    """Some packets of a frame that follow each other.

    Parameters
    ----------
    payloads : sequence of bytes
        At most `BURST_PACKETS`.
    head_bytes : int
        Bytes of a packet in front of its payload: those of `HEAD`, and of the header extensions.
    has_end : bool
        The last one is the frame's last.

    Attributes
    ----------
    sizes : tuple of int
        Bytes of each packet before it is encrypted.
    payload_bytes : int
        Of all packets.
    n_bytes : int
        Of all packets before they are encrypted.
    lengths : bytes
        `sizes` as C has them.
    """

    def __init__(self, payloads: Sequence[bytes], head_bytes: int, *, has_end: bool) -> None:
        self.has_end = has_end
        self.sizes = tuple(head_bytes + len(payload) for payload in payloads)
        self.n_bytes = sum(self.sizes)
        self.payload_bytes = self.n_bytes - head_bytes * len(payloads)
        self._sent_together: dict[int, list[list[memoryview]]] = {}
        self.lengths = np.array(self.sizes, np.intc).tobytes()
        image = bytearray(SLOT_BYTES * len(payloads))
        for n, payload in enumerate(payloads):
            begin = SLOT_BYTES * n + head_bytes
            image[begin : begin + len(payload)] = payload
        self.image = bytes(image)

    def __len__(self) -> int:
        return len(self.sizes)

    def parts(self, room: BurstRoom, tag_bytes: int) -> list[list[memoryview]]:
        """Say where in the room the encrypted packets lie, those that go to the system at once.

        Parameters
        ----------
        room : BurstRoom
            The same one each time.
        tag_bytes : int
            By how much the encryption makes each packet longer.
        """
        found = self._sent_together.get(tag_bytes)
        if found is None:
            found = self._sent_together[tag_bytes] = [
                [room.packet(n, self.sizes[n] + tag_bytes) for n in range(first, end)]
                for first, end in _runs(self.sizes)
            ]
        return found


class BurstRoom:
    """Memory in which the packets of one burst are made. Loop thread only.

    Attributes
    ----------
    slots : list
        Address of each packet, for libsrtp.
    lengths : list
        Where its size is: the encryption makes it longer.
    """

    def __init__(self) -> None:
        self._memory = ffi.new("char[]", SLOT_BYTES * BURST_PACKETS)
        self._lengths = ffi.new("int[]", BURST_PACKETS)
        # Any: cffi's pointers.
        self.slots: list[Any] = [self._memory + SLOT_BYTES * i for i in range(BURST_PACKETS)]
        self.lengths: list[Any] = [self._lengths + i for i in range(BURST_PACKETS)]
        self._view = memoryview(ffi.buffer(self._memory)).cast("B")
        self._length_view = memoryview(ffi.buffer(self._lengths)).cast("B")
        self._bytes = np.frombuffer(self._view, np.uint8).reshape(BURST_PACKETS, SLOT_BYTES)
        self._heads: dict[tuple[int, int], npt.NDArray[np.uint8]] = {}  # by their number and size
        self._numbers = np.ndarray(
            BURST_PACKETS, ">u2", self._view, offset=_SEQUENCE_AT, strides=(SLOT_BYTES,)
        )

    def put_all(self, burst: Burst, head: bytes, first_seq: int, end: bytes = b"") -> None:
        """Make a viewer's packets of a burst.

        Parameters
        ----------
        burst : Burst
        head : bytes
            Of all packets; the number in it is written over.
        first_seq : int
            Number of the first one, 0 to 65535.
        end : bytes
            Written over the end of the frame's last packet, if that is in this burst.
        """
        n, view = len(burst), self._view
        view[: len(burst.image)] = burst.image
        heads = self._heads.get((n, len(head)))
        if heads is None:
            heads = self._heads[n, len(head)] = self._bytes[:n, : len(head)]
        heads[...] = np.frombuffer(head, np.uint8)
        self._numbers[:n] = _NUMBERS[first_seq : first_seq + n]
        if burst.has_end:
            last = SLOT_BYTES * (n - 1)
            view[last + _MARKER_AT] |= MARKER
            if end:
                after = last + burst.sizes[-1]
                view[after - len(end) : after] = end
        self._length_view[: len(burst.lengths)] = burst.lengths

    def put(self, packet: bytes) -> None:
        """Make a single packet, in the first slot."""
        self._view[: len(packet)] = packet
        self.lengths[0][0] = len(packet)

    def size(self, n: int) -> int:
        """Bytes of a packet as it is now."""
        return int(self._lengths[n])

    def packet(self, n: int, size: int) -> memoryview:
        """Return the first `size` bytes of a packet, as long as no other burst is made."""
        begin = SLOT_BYTES * n
        return self._view[begin : begin + size]


def _runs(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Begin and end of what has one size, where a shorter one may be the last."""
    first, n = 0, len(sizes)
    while first < n:
        end = first + 1
        # A shorter one may end what is sent together.
        while end < n and sizes[end - 1] == sizes[first] and sizes[end] <= sizes[first]:
            end += 1
        yield first, end
        first = end
