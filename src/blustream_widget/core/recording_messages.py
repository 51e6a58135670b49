"""Messages about recordings (0xA0, 0xA1), part of `core.protocol`'s unions."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from blustream_widget.core.message_types import MessageType

Phase: TypeAlias = Literal["off", "starting", "on", "stopping"]


class _Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    pass


class SetRecording(_Message, tag=int(MessageType.RECORD), frozen=True):
    """Begin a recording in the server's folder of recordings, or end the one that runs."""

    on: bool


class RecordingState(_Message, tag=int(MessageType.RECORDING), frozen=True):
    """Whether what is seen is recorded: told to everybody who looks, at least once a second.

    `number` counts those of the session, `name` is the file's, `by` the role of who began it;
    `may`: whether this viewer may begin and end one. `code`, `message` and `hint` say why the last
    one ended or did not begin, where that was not wished for.
    """

    phase: Phase = "off"
    name: str = ""
    by: str = ""
    duration_s: float = 0.0
    n_bytes: int = 0
    may: bool = False
    number: int = 0
    code: str = ""
    message: str = ""
    hint: str = ""
