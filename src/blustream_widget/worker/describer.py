"""Ranges and percentiles of an array that changed in place, found beside the render thread."""

from __future__ import annotations

import threading
from collections.abc import Callable

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data import VolumeSource
from blustream_widget.data.memory import MemorySource
from blustream_widget.data.memory_info import described_again
from blustream_widget.errors import PeerClosedError
from blustream_widget.runtime import start_thread


class Describer:
    """Describes a volume again after each refresh; of many that come at once, after the last.

    Parameters
    ----------
    source : VolumeSource
        Volumes that do not lie in memory are left alone: they say their ranges themselves.
    on_changed : callable
        Gets the new description, from another thread, when it differs from the last one.
    """

    def __init__(self, source: VolumeSource, on_changed: Callable[[VolumeInfo], None]) -> None:
        self._source = source if isinstance(source, MemorySource) else None
        self._info = source.info
        self._on_changed = on_changed
        self._lock = threading.Lock()
        self._is_wanted = False
        self._is_running = False

    def want(self) -> None:
        """Describe the values as they are now. Returns at once."""
        if self._source is None:
            return
        with self._lock:
            self._is_wanted = True
            if self._is_running:
                return
            self._is_running = True
        start_thread(self._run, name="blustream-describe")

    def close(self) -> None:
        """Say nothing more. May be called twice."""
        with self._lock:
            self._source = None

    def _run(self) -> None:
        while True:
            with self._lock:
                source = self._source
                if source is None or not self._is_wanted:
                    self._is_running = False
                    return
                self._is_wanted = False
            info = described_again(source, self._info)
            if info != self._info:
                self._info = info
                self._tell(info)

    def _tell(self, info: VolumeInfo) -> None:
        with self._lock:
            if self._source is None:
                return
        try:
            self._on_changed(info)
        except PeerClosedError:
            self.close()
