"""What publishes a session's encoded frames at one SFU, whichever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from blustream_widget.errors import SfuError
from blustream_widget.transport.frame import EncodedFrame


class Publisher(Protocol):
    """One presence at an SFU, from `open` to `close`. Loop thread only.

    The frames are those of the session's full H.264 stream: nothing is encoded again.
    """

    @property
    def place(self) -> str:
        """Where viewers find it, in words: "mountpoint 7", "room survey"."""

    async def open(self) -> None:
        """Be there, ready for frames.

        Raises
        ------
        SfuRefusedError
            It does not let us, and will not next time.
        SfuUnreachableError
            It is not there, or does not answer.
        MissingDependencyError
            A package is not installed.
        """

    def send(self, frame: EncodedFrame) -> bool:
        """Give it a frame; never waits, never raises. The first one is a keyframe.

        False: it was not taken, and the next one has to be a keyframe.
        """

    @property
    def is_behind(self) -> bool:
        """Whether a frame more would be queueing."""

    async def lost(self) -> SfuError:
        """Wait until it is not there any more, after `open`; returns why.

        `SfuUnreachableError` means that a new publisher may be tried, anything else that it may
        not.
        """

    async def close(self) -> bool:
        """Take the view away from the SFU, whatever the state; never raises.

        False: the SFU did not answer, and something of the view may still be there. Then it may be
        called again.
        """


OnKeyframe = Callable[[], None]
"""Somebody at the SFU cannot go on, or has come: a keyframe is wanted."""
