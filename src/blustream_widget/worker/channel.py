"""The worker's end of the socket pair to the server."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.worker_protocol import (
    KIND_JSON,
    MAX_PAYLOAD_BYTES,
    PREFIX,
    FromWorker,
    ToWorker,
    frame_message,
    json_message,
    to_worker_decoder,
)
from blustream_widget.errors import PeerClosedError, ProtocolError


class ServerChannel:
    """Reads and writes framed messages. One thread reads; any may send, each message is whole.

    Parameters
    ----------
    connection : socket
        Blocking stream socket; the channel's to close.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, message: FromWorker) -> None:
        """Send a message.

        Raises
        ------
        PeerClosedError
            The server is gone.
        """
        self._write([memoryview(json_message(message))])

    def send_frame(self, header: FrameHeader, picture: memoryview, rendition: int = 0) -> None:
        """Send a frame; the picture is not copied.

        Raises
        ------
        PeerClosedError
            The server is gone.
        """
        front, payload = frame_message(header.pack(), picture, rendition)
        self._write([memoryview(front), memoryview(payload)])

    def messages(self) -> Iterator[ToWorker]:
        """Yield what the server sends, until it is gone.

        Raises
        ------
        ProtocolError
            The server sent something that is no message.
        """
        with self._connection.makefile("rb") as stream, contextlib.suppress(ConnectionError):
            while len(prefix := stream.read(PREFIX.size)) == PREFIX.size:
                length, kind = PREFIX.unpack(prefix)
                if kind != KIND_JSON or length > MAX_PAYLOAD_BYTES:
                    raise ProtocolError(f"The server sent kind {kind} with {length} bytes.")
                payload = stream.read(length)
                if len(payload) < length:
                    return
                yield to_worker_decoder.decode(payload)

    def close(self) -> None:
        """Close the connection. May be called twice, from any thread."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _write(self, buffers: list[memoryview]) -> None:
        try:
            with self._sending:
                while buffers:
                    n = self._connection.sendmsg(buffers)
                    while buffers and n >= len(buffers[0]):
                        n -= len(buffers.pop(0))
                    if buffers:
                        buffers[0] = buffers[0][n:]
        except OSError as exc:
            raise PeerClosedError("The server is gone.") from exc
