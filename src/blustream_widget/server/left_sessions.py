"""Sessions that a former server left, until their kernels come for them or somebody sees them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from blustream_widget.session.guests import digest_of
from blustream_widget.session.kept_volume import KeptVolume
from blustream_widget.session.session_store import FILE_NAME, Left, what_is_left_in


class LeftSessions:
    """What is on disk of them. Each file is read once, when something of it is asked for.

    Nobody else writes these files: a session that is opened is to be discarded. Loop thread only.

    Parameters
    ----------
    kept : Path or None
        Folder with a folder of each; None: there are none.
    """

    def __init__(self, kept: Path | None) -> None:
        folders = kept.iterdir() if kept is not None and kept.is_dir() else ()
        self._folders = {one.name: one for one in folders if (one / FILE_NAME).exists()}
        self._read: dict[str, Left] = {}
        self._reading = asyncio.Lock()

    def __bool__(self) -> bool:
        return bool(self._folders)

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._folders

    def discard(self, session_id: str) -> bool:
        """Know nothing of a session any more; whether it was known."""
        self._read.pop(session_id, None)
        return self._folders.pop(session_id, None) is not None

    def volume(self, session_id: str) -> KeptVolume | None:
        """Return a session's volume as it can be opened now; None: only its kernel can."""
        left = self._read.get(session_id)
        if left is None:
            left = self._read[session_id] = what_is_left_in(self._folders[session_id])
        return left.volume if left.volume is not None and left.volume.is_there else None

    async def find(self, code: str) -> str | None:
        """Return the session that a link's code leads to, or has led to, if there is one."""
        async with self._reading:  # who comes meanwhile waits, and reads nothing again
            unread = {n: one for n, one in self._folders.items() if n not in self._read}
            if unread:
                read = await asyncio.to_thread(_read, unread)
                self._read |= {name: left for name, left in read.items() if name in self}
        digest = digest_of(code)
        return next((name for name, left in self._read.items() if digest in left.digests), None)


def _read(folders: dict[str, Path]) -> dict[str, Left]:
    return {name: what_is_left_in(folder) for name, folder in folders.items()}
