"""The server's end of a worker's socket: cuts the stream into messages and frames."""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol, cast

import msgspec

from blustream_widget.core import worker_protocol as wp

logger = logging.getLogger(__name__)

# A worker that reads nothing for this much is hung: a state is 0.4 kB. What is large, such as the
# names of thousands of labels, comes at once, and is not a sign of that.
MAX_UNREAD_BYTES, MAX_UNREAD_LARGE_BYTES = 1024 * 1024, 16 * 1024 * 1024
_LARGE_BYTES = 16 * 1024


class WorkerListener(Protocol):
    """What happens on a worker's socket. Loop thread; must not block."""

    def on_message(self, message: wp.FromWorker) -> None:
        """Hear a JSON message."""

    def on_frame(self, data: bytes, rendition: int) -> None:
        """Hear a frame of a stream: header and picture."""

    def on_end(self) -> None:
        """Hear that the socket closed: the worker is gone. Called once, last."""


class WorkerSocket(asyncio.Protocol):
    """Stream of `core.worker_protocol`, without a task or a copy more than needed per frame.

    Parameters
    ----------
    listener : WorkerListener
    """

    def __init__(self, listener: WorkerListener) -> None:
        self._listener = listener
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._large_bytes = 0  # of large messages, since everything was read last

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  either way it is gone
        self._transport = None
        self._listener.on_end()

    def data_received(self, data: bytes) -> None:
        if self._buffer:
            self._buffer += data
            del self._buffer[: self._take(self._buffer)]
        else:
            # A frame of a moving picture usually comes whole: it is copied once, out of `data`.
            self._buffer += memoryview(data)[self._take(data) :]

    def send(self, message: wp.ToWorker) -> None:
        """Write a message; nothing happens when the worker is gone."""
        transport = self._transport
        if transport is None:
            return
        data = wp.json_message(message)
        if transport.get_write_buffer_size() == 0:
            self._large_bytes = 0
        if len(data) > _LARGE_BYTES:
            self._large_bytes = min(self._large_bytes + len(data), MAX_UNREAD_LARGE_BYTES)
        transport.write(data)
        if transport.get_write_buffer_size() > MAX_UNREAD_BYTES + self._large_bytes:
            logger.error("A worker has stopped reading; it is closed")
            self.abort()

    def close(self) -> None:
        """Close after what is written: the worker sees the end of its input and leaves."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, data: bytes | bytearray) -> int:
        """Dispatch the whole messages in `data`; returns how many bytes they had."""
        start = 0
        while len(data) - start >= wp.PREFIX.size:
            length, kind = wp.PREFIX.unpack_from(data, start)
            if length > wp.MAX_PAYLOAD_BYTES:
                logger.error("A worker sent a message of %d bytes; it is closed", length)
                self.abort()
                return len(data)
            begin = start + wp.PREFIX.size
            if len(data) < begin + length:
                break
            start = begin + length
            self._dispatch(kind, bytes(memoryview(data)[begin:start]))
        return start

    def _dispatch(self, kind: int, payload: bytes) -> None:
        if wp.KIND_FRAME <= kind < wp.KIND_FRAME + wp.N_RENDITIONS:
            self._listener.on_frame(payload, kind - wp.KIND_FRAME)
            return
        try:
            message = wp.from_worker_decoder.decode(payload)
        except msgspec.MsgspecError:
            logger.exception("A worker sent a message that is not one")
            self.abort()
            return
        self._listener.on_message(message)
