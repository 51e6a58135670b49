"""The worker of `blustream bench fanout`: a frame for each state, of a known size and known age.

Nothing is drawn or encoded, so that the processor is there for the server. A frame's size follows
the bit rate that is asked for, up to 3 Mbit/s of 720p at 30 frames a second.
"""

from __future__ import annotations

import argparse
import contextlib
import socket

from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.testing.fake_worker import FakeWorker

FPS = 30
FRAME_BYTES = 12_500  # 3 Mbit/s at 30 frames a second
KEYFRAME_BYTES = 60_000
_IDR, _P = 0x65, 0x41


def picture(n_bytes: int, *, is_keyframe: bool) -> bytes:
    """Two slices, as the encoder makes them; without zeros, so that no start code is inside."""
    unit = bytes([_IDR if is_keyframe else _P])
    body = bytes(1 + i % 255 for i in range(n_bytes // 2))
    return 2 * (b"\0\0\0\1" + unit + body)


class PacedWorker(FakeWorker):
    """Sends prepared pictures whose time stamp is the clock that all processes share."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._known: set[int] = set()
        self._whole = {
            key: picture(n_bytes, is_keyframe=key)
            for key, n_bytes in ((False, FRAME_BYTES), (True, KEYFRAME_BYTES))
        }

    def _draw(self) -> None:
        if not self._is_open or not self._output.h264:
            return
        keys = set(self._wants_smaller)
        if self._wants_key or self._frame_no == 0:
            keys.add(0)
        if self._is_dirty or keys:
            self._is_dirty = self._wants_key = False
            self._wants_smaller.clear()
            self._send(0, self._output.bit_rate_bps, is_key=0 in keys)
            for smaller in self._output.smaller:
                n = smaller.rendition
                is_key = n in keys or n not in self._known
                self._send(n, smaller.bit_rate_bps, is_key=is_key)
            self._known = {smaller.rendition for smaller in self._output.smaller}

    def _send(self, rendition: int, bit_rate_bps: int, *, is_key: bool) -> None:
        share = min(bit_rate_bps / (8 * FPS * FRAME_BYTES), 1.0) / 4**rendition
        whole = self._whole[is_key]
        flags = FrameFlags.KEY if is_key else FrameFlags(0)
        size = (1280 >> rendition, 720 >> rendition)
        self._send_frame(flags, whole[: int(len(whole) * share)], size, rendition)


def main() -> None:
    """Run on the socket that the server handed over."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    descriptor = parser.parse_args().fd
    with socket.socket(fileno=descriptor) as connection, contextlib.suppress(ConnectionError):
        PacedWorker(connection).run()


if __name__ == "__main__":
    main()
