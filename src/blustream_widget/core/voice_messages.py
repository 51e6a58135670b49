"""Messages about voices in recordings (0xB8, 0xB9), part of `core.protocol`'s unions.

Who is in a call and agrees sends their own microphone to the server while a recording runs; the
others' voices go from browser to browser, and the server never hears them.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from blustream_widget.core.message_types import MessageType

RATE_HZ = 48_000
"""Of the sound that is coded, whatever the microphone's is."""
PACKET_MS = 20
PACKET_SAMPLES = RATE_HZ * PACKET_MS // 1000
MAX_PACKET_BYTES = 512
"""Four times what a busy packet of speech takes."""
MAX_PACKETS = 25
"""Of one message: half a second."""

# Of Opus (RFC 6716, 3.1): the table of contents says how long the frames of a packet are.
_CONFIGS_OF_20_MS = frozenset({1, 5, 9, 13, 15, 19, 23, 27, 31})


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


Recorded: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
"""Number of a recording, as `RecordingState` has it: who agrees, agrees to this one alone."""
OpusPacket: TypeAlias = Annotated[bytes, msgspec.Meta(min_length=1, max_length=MAX_PACKET_BYTES)]


class RecordVoice(_Message, tag=int(MessageType.RECORD_VOICE), frozen=True):
    """Whether the sender agrees that their voice goes into the recording, from now on.

    Told to others by `CallMember.recorded`; refused by an error of code "voice".
    """

    recording: Recorded
    on: bool


class Voice(_Message, tag=int(MessageType.VOICE), frozen=True):
    """What the sender says: packets of Opus, each of 20 ms, one behind the other.

    `at_ms`: when the first one begins, by the page's clock of the sound; `clock` numbers that
    clock: a page that begins anew has another one.
    """

    recording: Recorded
    clock: Annotated[int, msgspec.Meta(ge=0, le=2**31)]
    at_ms: Annotated[float, msgspec.Meta(ge=0, le=1e10)]
    packets: Annotated[tuple[OpusPacket, ...], msgspec.Meta(min_length=1, max_length=MAX_PACKETS)]


VoiceMessage: TypeAlias = RecordVoice | Voice


def is_packet(data: bytes) -> bool:
    """Whether this is one frame of Opus of 20 ms, as far as its first byte says."""
    return data[0] & 3 == 0 and data[0] >> 3 in _CONFIGS_OF_20_MS
