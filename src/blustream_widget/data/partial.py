"""A file appears under its name only when it is whole."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import uuid
from pathlib import Path

from blustream_widget.errors import VolumeWriteError

_SUFFIX = ".partial"
_RESERVE_BYTES = 16 << 20


class PartialFile:
    """A temporary name beside the final one, renamed by `commit`.

    Parameters
    ----------
    path : Path
        Final name. An existing file is replaced by `commit`, not before.
    need_bytes : int
        Refused at once when the disk has less free.

    Raises
    ------
    VolumeWriteError
        The folder does not exist or may not be written, or has no room.
    """

    def __init__(self, path: Path, need_bytes: int = 0) -> None:
        self.final = path
        folder = path.absolute().parent
        if not folder.is_dir():
            raise VolumeWriteError(f"There is no folder {folder}.", hint="Make it first.")
        if not os.access(folder, os.W_OK):
            raise VolumeWriteError(
                f"The folder {folder} may not be written.", hint="Choose another one."
            )
        if path.is_dir():
            raise VolumeWriteError(f"{path} is a folder.", hint="Give the name of a file.")
        _remove_leftovers(folder, path.name)
        free_bytes = shutil.disk_usage(folder).free
        if free_bytes < need_bytes:
            raise VolumeWriteError(
                f"{path} needs {need_bytes / 1e9:.2f} GB, free are {free_bytes / 1e9:.2f} GB.",
                hint="Free some space, or write to another disk.",
            )
        self.path = folder / f".{path.name}.{_owner(os.getpid())}.{uuid.uuid4().hex[:8]}{_SUFFIX}"

    def check_room(self) -> None:
        """Refuse to go on when the disk is nearly full: OpenVDS would only tell at the end.

        Raises
        ------
        VolumeWriteError
        """
        if shutil.disk_usage(self.path.parent).free < _RESERVE_BYTES:
            raise VolumeWriteError(
                f"{self.path.parent} is full; {self.final.name} was not written.",
                hint="Free some space, or write to another disk.",
            )

    def commit(self) -> None:
        """Give the file its final name; all of it is on disk by then."""
        try:
            with self.path.open("rb") as file:
                os.fsync(file.fileno())
            self.path.replace(self.final)
        except OSError as exc:
            raise VolumeWriteError(f"{self.final} cannot be written: {exc.strerror}.") from exc

    def discard(self) -> None:
        """Remove the temporary file if there is one."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()


def _owner(pid: int) -> str:
    return f"{platform.node() or 'host'}-{pid}"


def _remove_leftovers(folder: Path, name: str) -> None:
    """Delete what killed writers of this machine left for the same final name."""
    node = platform.node() or "host"
    for path in folder.glob(f".{_escaped(name)}.{_escaped(node)}-*{_SUFFIX}"):
        pid = path.name.removesuffix(_SUFFIX).rsplit(".", 1)[0].rsplit("-", 1)[-1]
        if pid.isdigit() and not _is_alive(int(pid)):
            with contextlib.suppress(OSError):
                path.unlink()


def _escaped(text: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
