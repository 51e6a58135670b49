"""One open handle of a VDS: requests bricks, and closes without ending the process.

Each check here stands for a call that was seen to kill the process: a LOD or brick that does not
exist, a second close, a layout or a request after close, a buffer of another dtype or layout.
"""

from __future__ import annotations

import atexit
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import openvds

from blustream_widget.core.types import Samples
from blustream_widget.data.openvds_errors import OPENVDS_ERRORS, translate_storage
from blustream_widget.data.openvds_layout import FORMATS, ChannelAccess
from blustream_widget.data.source import AnyKey, BrickKey
from blustream_widget.errors import BlustreamError, BrickReadError, VolumeNotFoundError
from blustream_widget.runtime import start_thread

Voxel = tuple[int, int, int]
# Under 1 ms OpenVDS waits for ever; a closing handle must be noticed soon.
_WAIT_S = 0.25
_BRICKS = openvds.DimensionsND.Dimensions_012


class _Pending(NamedTuple):
    key: AnyKey
    request: Any  # openvds.VolumeDataRequest, untyped
    buffer: Samples
    done: Any  # BrickDone or TileDone, by the key


class PendingBrick:
    """A brick that OpenVDS is reading."""

    def __init__(self, request: Any) -> None:
        self._request = request

    def cancel(self) -> None:
        """Ask OpenVDS to drop it; harmless when it is already here."""
        # "Request ID is not active": it was completed and fetched a moment ago.
        with contextlib.suppress(openvds.InvalidOperation):
            self._request.cancel()


class Handle:
    """An open VDS and the thread that waits for its bricks, in the order they were asked for.

    Parameters
    ----------
    vds : openvds.core.VDS
        Becomes the handle's own.
    name : str
        For messages.
    lod0_shape : tuple of int
        Voxels along the three array axes.
    is_remote : bool
        Errors can be those of a network, and their texts can hold credentials.
    """

    def __init__(self, vds: Any, name: str, lod0_shape: Voxel, *, is_remote: bool = False) -> None:
        self._vds = vds
        self._manager = openvds.getAccessManager(vds)
        self._name = name
        self._shape = lod0_shape
        self._is_remote = is_remote
        self._pending: queue.SimpleQueue[_Pending | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._closing = threading.Event()
        # OpenVDS ends the process with an abort if Python exits while one of its requests runs.
        atexit.register(self.close)
        self._thread = start_thread(self._deliver, name="blustream-vds-read")

    def request(
        self,
        access: ChannelAccess,
        key: AnyKey,
        bounds: tuple[Voxel, Voxel],
        done: Callable[..., None],
        *,
        step: int | None = None,
        group: Any = _BRICKS,
    ) -> PendingBrick | None:
        """Ask for a brick of checked key and bounds (voxels of its LOD); None when closed.

        `step` is the place along the fourth dimension, if there is one; `group` is one of
        `openvds.DimensionsND`: how it is stored.
        """
        lod = key.lod if isinstance(key, BrickKey) else 0
        lower = [min(v << lod, n - 1) for v, n in zip(bounds[0], self._shape, strict=True)]
        upper = [min(v << lod, n) for v, n in zip(bounds[1], self._shape, strict=True)]
        buffer = np.empty([u - v for v, u in zip(*bounds, strict=True)], access.dtype)
        no_value = None
        if access.no_value is not None:
            no_value = float("nan") if buffer.dtype.kind == "f" else access.no_value
        beyond = () if step is None else (step,)
        with self._lock:
            if self._closing.is_set():
                return None
            request = self._manager.requestVolumeSubset(
                (*lower[::-1], *beyond),
                (*upper[::-1], *(place + 1 for place in beyond)),
                dimensionsND=group,
                data_out=buffer,
                lod=lod,
                channel=access.number,
                format=FORMATS[access.dtype],
                replacementNoValue=no_value,
            )
            self._pending.put(_Pending(key, request, buffer, done))
        return PendingBrick(request)

    def close(self) -> None:
        """Cancel what is pending, then close; once, however often it is called."""
        with self._lock:
            if self._closing.is_set():
                return
            self._closing.set()
            self._pending.put(None)
        atexit.unregister(self.close)
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=10.0)

    def _deliver(self) -> None:
        try:
            while (item := self._pending.get()) is not None:
                item.done(item.key, self._wait(item))
        finally:
            # Last in this thread: nothing can be in use any more.
            self._manager = None
            openvds.close(self._vds)
            self._vds = None

    def _wait(self, item: _Pending) -> Samples | BlustreamError | None:
        request = item.request
        try:
            while not request.waitForCompletion(_WAIT_S):
                if request.isCanceled:
                    return self._reason(item)
                if self._closing.is_set():
                    with contextlib.suppress(openvds.InvalidOperation):
                        request.cancelAndWaitForCompletion()
                    return None
        except OPENVDS_ERRORS as exc:
            return self._error(item, exc)
        item.buffer.flags.writeable = False
        return item.buffer

    def _reason(self, item: _Pending) -> BlustreamError | None:
        return self._error(item, item.request.errorMessage) if item.request.errorCode else None

    def _error(self, item: _Pending, text: object) -> BlustreamError:
        """Say what the storage said, if it was the storage; only of a file its own words."""
        if self._is_remote and (error := translate_storage(text, self._name)) is not None:
            if not isinstance(error, VolumeNotFoundError):
                return error
            text = "it is missing in the storage"
        elif self._is_remote:
            text = "it is damaged"  # OpenVDS's words can hold a signed address
        return BrickReadError(
            f"{_place(item.key)} of {self._name} cannot be read: {text}.",
            hint="Copy or import the volume again.",
        )


def _place(key: AnyKey) -> str:
    if not isinstance(key, BrickKey):
        return f"Tile ({key.a}, {key.b}) of slice {key.slice_idx} on axis {key.axis}"
    return f"Brick {tuple(key[2:])} of LOD {key.lod}, channel {key.channel},"
