"""What carries messages and frames to one viewer, whether a WebSocket or a relayed comm."""

from __future__ import annotations

from typing import Literal, Protocol

from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.tcp_info import ReadTcp


class Channel(Protocol):
    """One viewer's ordered, reliable way out. All methods return at once; loop thread only."""

    @property
    def name(self) -> Literal["websocket", "comm"]:
        """As the status shows it."""

    @property
    def via(self) -> Literal["direct", "proxy", "kernel"]:
        """Who carries every message: nobody else, Jupyter's proxy, or Jupyter and the kernel."""

    @property
    def read_tcp(self) -> ReadTcp | None:
        """Tells of the TCP connection to the viewer; None where there is none that is known."""

    def send_text(self, data: bytes) -> None:
        """Queue a message of `core.protocol`. After `close`, or to a dead peer, it goes nowhere."""

    def hold_text(self, data: bytes) -> None:
        """Queue a message that goes with the next one, whatever that is, or with `flush`.

        One that is held already is replaced: a newer one of the same kind says all that it did.
        """

    def flush(self) -> None:
        """Send what is held."""

    def send_frame(self, frame: EncodedFrame) -> None:
        """Queue a frame."""

    def send_header(self, frame: EncodedFrame) -> None:
        """Queue the header of a frame whose picture goes another way, before all that waits.

        It cannot be taken back. Of many that wait, the oldest are dropped.
        """

    def drop_frames(self, *, stills_only: bool = False) -> int:
        """Take back frames that have not left yet; returns how many."""

    def close(self, code: int, reason: str) -> None:
        """End the connection after what is queued; `code` is a WebSocket close code."""
