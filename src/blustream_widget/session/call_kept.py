"""The name of a call's room at the SFU, on disk: the next server ends what a killed one left."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from blustream_widget.sfu.videoroom import RoomName

logger = logging.getLogger(__name__)

_FILE = "call-room"


class KeptRoom:
    """One small file of mode 0600: there is one room at a time, and seldom another one.

    Parameters
    ----------
    folder : Path or None
        None: nothing is kept.
    """

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / _FILE

    def read(self) -> RoomName | None:
        """Give what a former server left; None: nothing, or nothing that can be read."""
        if self._path is None:
            return None
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=RoomName)
        except (OSError, msgspec.MsgspecError):
            return None

    def write(self, name: RoomName) -> None:
        """Keep a name in place of the one before; a disk that is full loses it."""
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(name))
            fresh.replace(self._path)
        except OSError as exc:
            logger.warning("The name of a call's room cannot be kept: %s", exc.strerror)

    def remove(self) -> None:
        """Forget it."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
