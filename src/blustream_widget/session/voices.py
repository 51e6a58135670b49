"""Voices of a call on their way into the recording: whose, and only as long as they agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from blustream_widget.core.sharing import COLORS
from blustream_widget.core.voice_messages import (
    PACKET_MS,
    RecordVoice,
    Voice,
    VoiceMessage,
    is_packet,
)
from blustream_widget.errors import VoiceError
from blustream_widget.recording.boxes import CLOCK_HZ
from blustream_widget.recording.voices import PACKET_90K, Spoken
from blustream_widget.recording.writer import now_90k
from blustream_widget.session.ratelimit import TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from blustream_widget.session.call import CallRoom
    from blustream_widget.session.recording import RecordingDesk
    from blustream_widget.session.viewer import Viewer

# As much as is spoken, and what a link that hung for some seconds brings at once.
PACKETS_HZ, PACKETS_BURST = 1000 / PACKET_MS * 1.1, 500.0
BYTES_HZ, BYTES_BURST = 8e3, 96e3
CHANGES_HZ, CHANGES_BURST = 1.0, 10.0
CLOCKS_HZ, CLOCKS_BURST = 1.0, 10.0
_DRIFT = 2e-4
"""Sound cards go this much too slowly at most, as a share."""
_MS_90K = CLOCK_HZ / 1000


class VoiceRate:
    """What one connection may send for the recording of its voice."""

    def __init__(self) -> None:
        self._changes = TokenBucket(CHANGES_HZ, CHANGES_BURST)
        self._packets = TokenBucket(PACKETS_HZ, PACKETS_BURST)
        self._bytes = TokenBucket(BYTES_HZ, BYTES_BURST)
        self._clocks = TokenBucket(CLOCKS_HZ, CLOCKS_BURST)

    def take(self, message: VoiceMessage) -> bool:
        """Count a message; False when it is one too many."""
        if isinstance(message, RecordVoice):
            return not message.on or self._changes.take()
        n_bytes = sum(map(len, message.packets))
        return self._packets.take(len(message.packets)) and self._bytes.take(n_bytes)

    def take_clock(self) -> bool:
        """Count another clock of its sound; False when it is one too many."""
        return self._clocks.take()


@dataclass(slots=True)
class VoiceClock:
    """Guesses where a page's clock of the sound lies on the server's.

    Nothing arrives before it was spoken: what came quickest says it best, and counts until a
    quicker one comes. How long the way takes is measured anew all the time, mostly too long: the
    least of it counts, and one wrong measurement moves nothing for longer than it stands.
    """

    number: int
    _behind_90k: float | None = None
    _way_90k: int = 0
    _at_90k: int = 0

    def offset_90k(self, end_90k: int, arrived_90k: int, *, way_90k: int) -> int:
        """Give what is to be added to the page's ticks.

        Parameters
        ----------
        end_90k : int
            When the newest sound of a message was spoken, by the page's clock.
        arrived_90k, way_90k : int
            When the message came, by the server's; how long messages are on their way, 0 where
            that is not known yet.
        """
        behind = float(arrived_90k - end_90k)
        if self._behind_90k is not None:
            drifted = self._behind_90k + (arrived_90k - self._at_90k) * _DRIFT
            behind = min(behind, drifted)
        self._behind_90k, self._at_90k = behind, arrived_90k
        if way_90k > 0:
            self._way_90k = min(self._way_90k or way_90k, way_90k)
        return round(behind) - self._way_90k


@dataclass(slots=True)
class _Agreed:
    """What somebody in the call agreed to."""

    viewer: Viewer
    recording: int
    clock: VoiceClock | None = None
    n_clock: int = 0


class VoiceDesk:
    """Takes the voices of those in a call who agree, while a recording runs. Loop thread only.

    Whoever agrees, agrees to the recording that runs then, with the seat that they have: the next
    recording, or another part in the call, asks anew.

    Parameters
    ----------
    call : CallRoom
    recording : RecordingDesk
    note : callable
        Keeps a record of what a viewer did.
    clock : callable
        Ticks of the clock that pictures are stamped with.
    """

    def __init__(
        self,
        call: CallRoom,
        recording: RecordingDesk,
        note: Callable[[Viewer, str], None],
        clock: Callable[[], int] = now_90k,
    ) -> None:
        self._call, self._recording = call, recording
        self._note = note
        self._clock = clock
        self._agreed: dict[str, _Agreed] = {}  # by seat
        self._n_clocks = 0
        call.on_seat_end = self._seat_ended

    def receive(self, viewer: Viewer, message: VoiceMessage) -> None:
        """Take a message of somebody.

        Raises
        ------
        VoiceError
            They are not in the call, it is too much, or no sound.
        """
        if not viewer.voice_rate.take(message):
            raise VoiceError("Your page sends more sound than a voice takes.")
        seat = self._call.seat_of(viewer)
        if isinstance(message, RecordVoice):
            self._agree(viewer, seat, message)
        elif seat is not None:
            # What was on its way when they took it back, or it ended, counts for nothing.
            agreed = self._agreed.get(seat)
            if agreed is not None and agreed.recording == message.recording:
                self._take(viewer, agreed, message)

    def review(self) -> None:
        """Forget who agreed to a recording that has ended."""
        number = self._running
        gone = [seat for seat, agreed in self._agreed.items() if agreed.recording != number]
        for seat in gone:
            del self._agreed[seat]
            self._call.set_recorded(seat, on=False)

    @property
    def _running(self) -> int | None:
        return self._recording.number if self._recording.takes_pictures else None

    def _agree(self, viewer: Viewer, seat: str | None, message: RecordVoice) -> None:
        if not message.on:
            if seat is not None:
                self._seat_ended(seat)
                self._call.set_recorded(seat, on=False)
            return
        if seat is None:
            raise VoiceError("Only voices of the call are recorded.", hint="Take part in it first.")
        if message.recording != self._running:
            return  # it has ended meanwhile: the page hears of that
        self.review()
        if seat in self._agreed:
            return
        self._agreed[seat] = _Agreed(viewer, message.recording)
        self._call.set_recorded(seat, on=True)
        self._recording.saw_consent(_named(viewer), on=True)
        self._note(viewer, "agreed to the recording of their voice")

    def _seat_ended(self, seat: str) -> None:
        """Take note that nothing of a seat is recorded any more: taken back, or left."""
        agreed = self._agreed.pop(seat, None)
        if agreed is not None and agreed.recording == self._running:
            self._recording.saw_consent(_named(agreed.viewer), on=False)
            self._note(agreed.viewer, "ended the recording of their voice")

    def _take(self, viewer: Viewer, agreed: _Agreed, message: Voice) -> None:
        if not all(map(is_packet, message.packets)):
            raise VoiceError("What your page sends is no sound of 20 ms.")
        if agreed.clock is None or message.clock != agreed.clock.number:
            if not viewer.voice_rate.take_clock():
                raise VoiceError("Your page begins its sound anew too often.")
            self._n_clocks += 1
            agreed.clock, agreed.n_clock = VoiceClock(message.clock), self._n_clocks
        page_90k = round(message.at_ms * _MS_90K)
        end_90k = page_90k + len(message.packets) * PACKET_90K
        way_90k = round(viewer.round_trip_s / 2 * CLOCK_HZ)
        offset_90k = agreed.clock.offset_90k(end_90k, self._clock(), way_90k=way_90k)
        self._recording.saw_voice(
            Spoken(viewer.person, agreed.n_clock, page_90k, offset_90k, message.packets)
        )


def _named(viewer: Viewer) -> dict[str, str]:
    guest = viewer.guest
    color = COLORS[0] if guest is None else guest.color
    return {"id": viewer.person, "name": viewer.name, "color": color}
