"""What the pictures of the last second cost."""

from __future__ import annotations

import time

from blustream_widget.core.worker_protocol import Stats

_PERIOD_S = 1.0


class Meter:
    """Sums up drawing and encoding; one thread."""

    def __init__(self) -> None:
        self._start_s = float("-inf")
        self._clear()

    def add(self, *, draw_s: float, encode_s: float, n_bytes: int) -> None:
        """Count one picture."""
        self._frames += 1
        self._draw_s += draw_s
        self._encode_s += encode_s
        self._bytes += n_bytes

    def take(self, now: float) -> Stats | None:
        """Return the sums and begin anew, once a second at most."""
        if now - self._start_s < _PERIOD_S:
            return None
        first, self._start_s = self._start_s == float("-inf"), now
        stats = Stats(
            frames=self._frames,
            draw_ms=self._draw_s * 1e3,
            encode_ms=self._encode_s * 1e3,
            cpu_ms=(time.process_time() - self._cpu_s) * 1e3,
            bytes=self._bytes,
        )
        self._clear()
        return None if first else stats

    def _clear(self) -> None:
        self._frames = self._bytes = 0
        self._draw_s = self._encode_s = 0.0
        self._cpu_s = time.process_time()
