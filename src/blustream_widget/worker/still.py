"""Lossless pictures, drawn and encoded beside the render thread: no new state waits for one."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable

from blustream_widget.core.types import Picture
from blustream_widget.encode.stills import PngEncoder
from blustream_widget.errors import EncodeError
from blustream_widget.runtime import start_thread
from blustream_widget.worker.composition import Composition, Compositor

logger = logging.getLogger(__name__)

MAX_STILL_BYTES = 8 * 1024 * 1024
"""A larger picture costs more on the way than its last bits are worth."""

_NONE = memoryview(b"")
_NICENESS = 10


class StillThread:
    """Draws and encodes the newest scene it was given, and remembers the last one it finished.

    Parameters
    ----------
    on_done : callable
        Called from the thread when a picture is finished.
    """

    def __init__(self, on_done: Callable[[], None]) -> None:
        self._on_done = on_done
        self._changed = threading.Condition()
        self._wanted: Composition | None = None
        self._done: tuple[Composition, memoryview] | None = None
        self._is_closed = False
        self._thread = start_thread(self._run, name="blustream-still")

    def want(self, scene: Composition) -> None:
        """Make a picture of `scene`; replaces one that was not begun."""
        with self._changed:
            self._wanted = scene
            self._changed.notify()

    def find(self, scene: Composition) -> memoryview | None:
        """Return the PNG of a scene if it is the last one finished; empty if there is none."""
        with self._changed:
            is_it = self._done is not None and scene.shows(self._done[0])
            return self._done[1] if is_it and self._done is not None else None

    def close(self) -> None:
        """End the thread. May be called twice."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(timeout=1.0)

    def _run(self) -> None:
        _yield_to_others()
        compositor, encoder = Compositor(), PngEncoder()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._wanted is not None or self._is_closed)
                if self._is_closed or self._wanted is None:
                    return
                scene, self._wanted = self._wanted, None
            try:
                png = _encode(encoder, compositor.draw(scene, "rgb"))
            except Exception:  # the thread serves the pictures after it too
                logger.exception("A still picture failed")
                png = _NONE
            with self._changed:
                self._done = (scene, png)
            self._on_done()


def _yield_to_others() -> None:
    """Let the render thread go first: on Linux each thread has a niceness of its own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


def _encode(encoder: PngEncoder, picture: Picture) -> memoryview:
    try:
        png = encoder.encode(picture)
    except EncodeError as exc:
        logger.warning("No still picture: %s", exc.message)
        return _NONE
    if len(png) > MAX_STILL_BYTES:
        logger.info("A still picture of %d bytes is not sent", len(png))
        return _NONE
    return png
