"""What a kernel that comes again is told of a recording, or of publishing."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from blustream_widget.core.publishing import PublishState
from blustream_widget.core.recording_messages import RecordingState

S = TypeVar("S", PublishState, RecordingState)


def told_again(told: S, refusal: S | None) -> list[S]:
    """Give what it may not have heard: why its newest wish was refused, and how it is now.

    Parameters
    ----------
    told : PublishState or RecordingState
        As it is now.
    refusal : the same, optional
        As it was when the wish was refused; what ran then runs no more if nothing runs now.
    """
    if refusal is None:
        return [told]
    if told.phase != "off":
        return [refusal, told]
    words = {"code": refusal.code, "message": refusal.message, "hint": refusal.hint}
    over = msgspec.structs.replace(told, **words)
    return [over, told] if told.code else [over]
