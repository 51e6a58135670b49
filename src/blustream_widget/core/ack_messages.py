"""How often frames are acknowledged (0xA8), part of `core.protocol`'s unions."""

from __future__ import annotations

from typing import Annotated

import msgspec

from blustream_widget.core.message_types import MessageType


class AckPace(
    msgspec.Struct,
    tag=int(MessageType.ACK_PACE),
    tag_field="type",
    frozen=True,
    forbid_unknown_fields=True,
):
    """Acknowledge a frame of video at most every `every_ms` from now on; 0: each one, as at first.

    The newest frame is acknowledged in the end, `every_ms` after it at most, and stills always.
    A viewer may acknowledge more.
    """

    every_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)]
