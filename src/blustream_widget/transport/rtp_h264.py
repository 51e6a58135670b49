"""Cuts an H.264 access unit into payloads of RTP packets (RFC 6184, packetization mode 1).

Nothing is copied here: a payload is named by where it lies in the frame, so that one plan serves
all viewers, and a packet that got lost is built again from the frame it was of.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

# SRTP, header extensions, UDP, IPv6 and a tunnel's own header still fit into 1500 bytes.
MAX_PAYLOAD_BYTES = 1300
_FU_A, _STAP_A = 28, 24
_START_CODE = b"\x00\x00\x01"


class Payload(NamedTuple):
    """Payload of one packet: `prefix`, and then the frame's bytes from `begin` to `end`."""

    prefix: bytes
    begin: int
    end: int

    @property
    def size(self) -> int:
        """Bytes of the payload."""
        return len(self.prefix) + self.end - self.begin


def plan_payloads(data: bytes, start: int = 0, *, trailer_bytes: int = 0) -> list[Payload]:
    """Cut the access unit `data[start:]` (Annex B) into payloads of at most `MAX_PAYLOAD_BYTES`.

    Small units that follow each other (parameter sets) share a packet. All packets of a large unit
    but the last have the full size: what has one size goes to the network card in one call. The
    last `trailer_bytes` of `data` are not H.264: whatever is in them, they stay behind the last
    unit, as a part of it, and the last two bytes stay together.

    Returns
    -------
    list of Payload
        Empty if there is no unit in `data`.
    """
    payloads: list[Payload] = []
    small: list[tuple[int, int]] = []
    room = MAX_PAYLOAD_BYTES - 1
    for begin, end in _units(data, start, len(data) - trailer_bytes):
        size = end - begin
        if small and (size > MAX_PAYLOAD_BYTES or room < 2 + size):
            payloads.append(_together(data, small))
            small, room = [], MAX_PAYLOAD_BYTES - 1
        if size > MAX_PAYLOAD_BYTES:
            payloads += _fragments(data, begin, end)
        else:
            small.append((begin, end))
            room -= 2 + size
    if small:
        payloads.append(_together(data, small))
    return payloads


def _units(data: bytes, start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Begin and end of every unit between start codes of three or four bytes.

    The last one ends where `data` does; start codes are looked for before `stop`.
    """
    at = data.find(_START_CODE, start, stop)
    while at >= 0:
        begin = at + 3
        at = data.find(_START_CODE, begin, stop)
        end = len(data) if at < 0 else at - (data[at - 1] == 0)
        if end > begin:
            yield begin, end


def _together(data: bytes, units: list[tuple[int, int]]) -> Payload:
    if len(units) == 1:
        return Payload(b"", *units[0])
    importance = max(data[begin] & 0x60 for begin, _ in units)
    parts = [bytes([importance | _STAP_A])]
    for begin, end in units:
        parts += [(end - begin).to_bytes(2, "big"), data[begin:end]]
    return Payload(b"".join(parts), 0, 0)


def _fragments(data: bytes, begin: int, end: int) -> list[Payload]:
    indicator, unit_type = data[begin] & 0x60 | _FU_A, data[begin] & 0x1F
    step = MAX_PAYLOAD_BYTES - 2
    while (end - begin - 1) % step == 1:
        step -= 1  # of all, so that they have one size
    middle = bytes([indicator, unit_type])
    # The unit's own first byte is in the fragments' headers.
    payloads = [Payload(middle, at, min(at + step, end)) for at in range(begin + 1, end, step)]
    payloads[0] = payloads[0]._replace(prefix=bytes([indicator, 0x80 | unit_type]))
    payloads[-1] = payloads[-1]._replace(prefix=bytes([indicator, 0x40 | unit_type]))
    return payloads
