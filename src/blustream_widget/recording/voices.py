"""Voices in a recording's file: how they lie there, and when each was spoken.

A page stamps its sound with a clock of its own, whose place on the recording's clock is only
guessed while it is written: a message that was on its way for long looks like one that was spoken
late. So the file keeps the page's times, and what was guessed then; whoever reads takes the best
guess of the seconds that follow.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from blustream_widget.core.voice_messages import PACKET_MS
from blustream_widget.recording.boxes import CLOCK_HZ

PACKET_90K = PACKET_MS * CLOCK_HZ // 1000
BETTER_90K = 10 * CLOCK_HZ
"""A guess holds for what was spoken so long before it."""
_JOINED_90K = 25 * CLOCK_HZ // 1000
"""Sound that goes on stays in one piece when the guess changes by less than this."""
_ROUNDED_90K = 90
"""Times of a page are rounded by so much at most."""
_HEAD = struct.Struct(">IqqH")


@dataclass(frozen=True, slots=True)
class Spoken:
    """Packets of somebody, one behind the other.

    Parameters
    ----------
    who : str
        The person's id.
    clock : int
        Numbers the clock of the page.
    page_90k : int
        When the first packet begins, by that clock.
    offset_90k : int
        What to add for the recording's clock, as it was guessed then.
    packets : tuple of bytes
        Opus, 20 ms each.
    """

    who: str
    clock: int
    page_90k: int
    offset_90k: int
    packets: tuple[bytes, ...]

    @property
    def end_90k(self) -> int:
        """When the last packet ends, by the page's clock."""
        return self.page_90k + len(self.packets) * PACKET_90K

    @property
    def n_bytes(self) -> int:
        """Bytes of its packets."""
        return sum(map(len, self.packets))

    def with_next(self, spoken: Spoken) -> Spoken | None:
        """Give both as one, if the other goes on where this ends; else None."""
        is_same = (self.who, self.clock) == (spoken.who, spoken.clock)
        is_next = is_same and abs(spoken.page_90k - self.end_90k) <= _ROUNDED_90K
        if not is_next or len(self.packets) + len(spoken.packets) > 0xFFFF:
            return None
        packets = self.packets + spoken.packets
        return replace(self, packets=packets, offset_90k=min(self.offset_90k, spoken.offset_90k))

    def pack(self) -> bytes:
        """Bytes of the event message."""
        who = self.who.encode()
        head = _HEAD.pack(self.clock, self.page_90k, self.offset_90k, len(self.packets))
        sized = (struct.pack(">H", len(packet)) + packet for packet in self.packets)
        return b"".join((bytes([len(who)]), who, head, *sized))


@dataclass(frozen=True, slots=True)
class VoiceAt:
    """Where packets of somebody lie in the file: `offset` of the first one's length."""

    who: str
    clock: int
    page_90k: int
    offset_90k: int
    n_packets: int
    offset: int
    n_bytes: int

    @property
    def end_90k(self) -> int:
        """When the last packet ends, by the page's clock."""
        return self.page_90k + self.n_packets * PACKET_90K


@dataclass(frozen=True, slots=True)
class Placed:
    """Packets that lie at `at`, and when the first of them was spoken, by the recording's clock."""

    start_90k: int
    at: VoiceAt

    @property
    def end_90k(self) -> int:
        """When the last packet ends."""
        return self.start_90k + self.at.n_packets * PACKET_90K


@dataclass(slots=True)
class Run:
    """Packets of one voice without a gap; when the first was spoken, by the recording's clock."""

    who: str
    clock: int
    start_90k: int
    packets: list[bytes]

    @property
    def end_90k(self) -> int:
        """When the last packet ends."""
        return self.start_90k + len(self.packets) * PACKET_90K


def runs_between(
    placed: Iterable[Placed], begin_90k: int, end_90k: int, read: Callable[[VoiceAt], bytes]
) -> list[Run]:
    """Give what is said between two times; `read` gives the bytes of a place in the file."""
    found: list[Run] = []
    newest: dict[tuple[str, int], Run] = {}
    for one in placed:
        if one.start_90k >= end_90k or one.end_90k <= begin_90k:
            continue
        packets = list(split_packets(read(one.at)))[: one.at.n_packets]
        first = max(0, (begin_90k - one.start_90k) // PACKET_90K)
        last = -(-(end_90k - one.start_90k) // PACKET_90K)
        start_90k, packets = one.start_90k + first * PACKET_90K, packets[first:last]
        run = newest.get((one.at.who, one.at.clock))
        if run is not None and run.end_90k == start_90k:
            run.packets += packets
        elif packets:
            run = Run(one.at.who, one.at.clock, start_90k, packets)
            newest[run.who, run.clock] = run
            found.append(run)
    return found


def read_head(data: bytes, data_at: int, n_bytes: int) -> VoiceAt | None:
    """Read the beginning of what `Spoken.pack` made; None if it is not whole.

    Parameters
    ----------
    data : bytes
        At least the first 90 bytes of it, where there are as many.
    data_at, n_bytes : int
        Where it begins in the file, and its length.
    """
    end = 1 + data[0] if data else 1
    if len(data) < end + _HEAD.size:
        return None
    clock, page_90k, offset_90k, n_packets = _HEAD.unpack_from(data, end)
    who = data[1:end].decode(errors="replace")
    size = end + _HEAD.size
    return VoiceAt(who, clock, page_90k, offset_90k, n_packets, data_at + size, n_bytes - size)


def split_packets(data: bytes) -> Iterator[bytes]:
    """Give the packets behind a head, up to the first that is not whole."""
    at = 0
    while at + 2 <= len(data):
        (n_bytes,) = struct.unpack_from(">H", data, at)
        at += 2 + n_bytes
        if at > len(data):
            return
        yield data[at - n_bytes : at]


def placed(voices: Iterable[VoiceAt]) -> list[Placed]:
    """Say when everything was spoken, in the order of its begin; nobody speaks over themselves."""
    clocks: dict[tuple[str, int], list[VoiceAt]] = {}
    for voice in voices:
        clocks.setdefault((voice.who, voice.clock), []).append(voice)
    found: list[Placed] = []
    ends: dict[str, int] = {}
    for (who, _), spoken in clocks.items():
        ends[who] = _place(sorted(spoken, key=lambda v: v.page_90k), ends.get(who), found)
    return sorted(found, key=lambda one: one.start_90k)


def _place(spoken: Sequence[VoiceAt], end: int | None, found: list[Placed]) -> int:
    """Place what one clock has stamped, behind `end`; gives back where that ends."""
    for voice, offset in zip(spoken, _best_offsets(spoken), strict=True):
        start = voice.page_90k + offset
        if end is not None and (abs(start - end) < _JOINED_90K or start < end):
            start = end
        one = Placed(start, voice)
        found.append(one)
        end = one.end_90k
    return 0 if end is None else end


def _best_offsets(spoken: Sequence[VoiceAt]) -> list[int]:
    """Give for each the least of its own offset and those of the seconds that follow."""
    best: list[int] = []
    later: list[VoiceAt] = []  # those that are the least from some place on, nearest last
    for voice in reversed(spoken):
        while later and later[-1].offset_90k >= voice.offset_90k:
            later.pop()
        later.append(voice)
        while later[0].page_90k - voice.page_90k > BETTER_90K:
            later.pop(0)
        best.append(later[0].offset_90k)
    return best[::-1]
