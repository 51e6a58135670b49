"""Names of a call's rooms at the SFU, on disk: the next server ends what a killed one left."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from asyncio import to_thread
from collections.abc import Collection
from pathlib import Path

import msgspec

from blustream_widget.sfu.videoroom import RoomName

logger = logging.getLogger(__name__)

_FILE = "call-rooms"


class KeptRooms:
    """One small file of mode 0600, written when a room is made or has ended.

    Parameters
    ----------
    folder : Path or None
        None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _FILE
        self._names: tuple[RoomName, ...] = ()
        self._writing = threading.Lock()

    def read(self) -> list[RoomName]:
        """Give what a former server left; empty: nothing, or nothing that can be read."""
        if self._path is None:
            return []
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=list[RoomName])
        except (OSError, msgspec.MsgspecError):
            return []

    async def write(self, names: Collection[RoomName]) -> None:
        """Keep these in place of those before; a disk that is full loses them.

        A slow disk holds up nobody else, and in whichever order writes end, the newest stays.
        """
        if self._path is None:
            return
        self._names = tuple(names)
        await to_thread(self._write)

    def discard(self) -> None:
        """Keep nothing of a session that is not open: who opens it may write from then on."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    async def close(self) -> None:
        """Write nothing from now on: the folder may go."""
        await to_thread(self._forget)

    def _forget(self) -> None:
        with self._writing:
            self._path = None

    def _write(self) -> None:
        with self._writing:
            path, names = self._path, self._names
            if path is None:
                return
            try:
                if names:
                    self._replace(path, msgspec.json.encode(names))
                else:
                    path.unlink(missing_ok=True)
            except OSError as exc:
                logger.warning("The names of a call's rooms cannot be kept: %s", exc.strerror)

    @staticmethod
    def _replace(path: Path, data: bytes) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        fresh.replace(path)
