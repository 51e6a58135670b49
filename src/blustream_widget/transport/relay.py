"""A viewer whose messages travel over its kernel's link and the notebook's comm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from blustream_widget.core import link_protocol as lp
from blustream_widget.errors import PeerClosedError
from blustream_widget.transport.frame import EncodedFrame
from blustream_widget.transport.outbox import Outbox
from blustream_widget.transport.tcp_info import ReadTcp


class RelayChannel:
    """One relayed browser on a kernel's link.

    Parameters
    ----------
    outbox : Outbox
        Of the link; shared by all its relayed browsers.
    channel : int
        The link's number of this browser.
    on_close : callable
        Called once when the server lets go of the browser.
    """

    name: Literal["comm"] = "comm"
    via: Literal["kernel"] = "kernel"
    read_tcp: ReadTcp | None = None

    def __init__(self, outbox: Outbox, channel: int, on_close: Callable[[], None]) -> None:
        self._outbox = outbox
        self._channel = channel
        self._on_close: Callable[[], None] | None = on_close

    def send_text(self, data: bytes) -> None:
        if self._on_close is None:
            return
        message = lp.RelayText(channel=self._channel, text=data.decode())
        self._put(lp.encoder.encode(message))

    def hold_text(self, data: bytes) -> None:
        self.send_text(data)

    def flush(self) -> None:
        pass

    def send_frame(self, frame: EncodedFrame) -> None:
        if self._on_close is not None:
            data = lp.RELAY_PREFIX.pack(self._channel) + frame.data
            self._outbox.put_frame(data, channel=self._channel, is_still=frame.is_still)

    def send_header(self, frame: EncodedFrame) -> None:
        if self._on_close is not None:
            self._outbox.put_header(lp.RELAY_PREFIX.pack(self._channel) + frame.header_only())

    def drop_frames(self, *, stills_only: bool = False) -> int:
        return self._outbox.drop_frames(channel=self._channel, stills_only=stills_only)

    def close(self, code: int, reason: str) -> None:  # noqa: ARG002  the link has no close codes
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            self.drop_frames()
            self._put(lp.encoder.encode(lp.RelayClose(channel=self._channel)))
            on_close()

    def _put(self, data: bytes) -> None:
        try:
            self._outbox.put_text(data)
        except PeerClosedError:
            # The kernel does not read its link: its own heartbeat ends it, and us with it.
            self._on_close = None
