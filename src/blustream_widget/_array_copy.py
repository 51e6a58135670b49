"""Keeps an array in shared memory only while somebody looks at it."""

from __future__ import annotations

from collections.abc import Callable

from blustream_widget.core import link_protocol as lp
from blustream_widget.errors import BlustreamError, VolumeError
from blustream_widget.runtime import start_thread
from blustream_widget.shared import SharedSegment


class ArrayCopy:
    """Releases a viewer's copy when its worker rests, and makes it again for the next one.

    ipykernel and ipywidgets keep every viewer that a cell has ever made, so that its end cannot be
    when the memory is given back.

    Parameters
    ----------
    segment : SharedSegment
    reopen : callable
        Has the server try again; called in a thread of its own, like `failed`.
    failed : callable
        Hears that there is no room for the copy.
    """

    def __init__(
        self,
        segment: SharedSegment,
        reopen: Callable[[], None],
        failed: Callable[[BlustreamError], None],
    ) -> None:
        self._segment = segment
        self._reopen = reopen
        self._failed = failed
        self._is_open = False  # in a worker, as far as is known here
        self._is_restoring = False

    def opened(self) -> None:
        """Hear that a worker has the array open."""
        self._is_open = True

    def heard(self, message: lp.Mirror) -> None:
        """Follow the worker: a resting one needs no copy, a starting one does."""
        if message.worker == "idle":
            if self._is_open:
                self._is_open = False
                self._segment.release()
        elif not self._is_open:
            self._restore()

    def mends(self, error: BlustreamError) -> bool:
        """Tell whether `error` is that there is no copy, and one is being made now."""
        return isinstance(error, VolumeError) and self._restore()

    def _restore(self) -> bool:
        if self._is_restoring:
            return True
        if self._segment.is_there:
            return False
        self._is_restoring = True
        # To copy some GB takes longer than other viewers of the link may wait.
        start_thread(self._copy, name="blustream-array")
        return True

    def _copy(self) -> None:
        try:
            self._segment.restore()
        except BlustreamError as exc:
            self._failed(exc)
            return
        finally:
            self._is_restoring = False
        self._reopen()
