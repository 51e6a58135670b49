"""Where the pipeline's results go."""

from __future__ import annotations

from typing import Protocol

from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.worker_protocol import FromWorker


class Sink(Protocol):
    """Takes messages and frames: the server's socket, or a list in a test. Any thread."""

    def send(self, message: FromWorker) -> None:
        """Take a message."""

    def send_frame(self, header: FrameHeader, picture: memoryview, rendition: int = 0) -> None:
        """Take a frame of a stream; `picture` does not change any more."""
