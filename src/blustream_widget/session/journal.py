"""A file of records that outlives its server: written one after the other, each with a checksum."""

from __future__ import annotations

import asyncio
import contextlib
import os
import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from blustream_widget.errors import EditsDamagedError
from blustream_widget.transport.tasks import TaskSet

_MAGIC = b"blustream-journal-1\n"
_HEAD = struct.Struct("<III")  # length and CRC-32 of what follows, CRC-32 of these two


def read_journal(path: Path) -> list[bytes]:
    """Read all records; one at the end that was not written completely counts as never written.

    Raises
    ------
    EditsDamagedError
        The file is not as it was written.
    OSError
    """
    damaged = EditsDamagedError(f"{path.name} is damaged.")
    records: list[bytes] = []
    with path.open("rb") as file:
        magic = file.read(len(_MAGIC))
        if magic != _MAGIC:
            if _MAGIC.startswith(magic):  # its server ended as it began to write
                return records
            raise damaged
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            length, checksum, _ = _HEAD.unpack(head)
            if head != _head(length, checksum):
                raise damaged
            record = file.read(length)
            if len(record) < length:
                break
            if zlib.crc32(record) != checksum:
                raise damaged
            records.append(record)
    return records


def write_journal(path: Path, records: Iterable[bytes]) -> None:
    """Write a file of records; it appears when it is complete, in place of what was there.

    Raises
    ------
    OSError
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(_MAGIC)
            for record in records:
                _put(file, record)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class _Work:
    records: tuple[bytes, ...]
    is_whole: bool
    then: Callable[[], None]


class Journal:
    """Writes records to a file in the background, in their order. Loop thread only.

    Parameters
    ----------
    path : Path
        Is made with the first record, and its folder likewise.
    on_error : callable
        Hears, once, that nothing more can be written; what was written stays.

    Attributes
    ----------
    n_bytes : int
        Of the file, with what waits to be written.
    """

    def __init__(self, path: Path, on_error: Callable[[OSError], None]) -> None:
        self._path = path
        self._on_error = on_error
        self._waiting: deque[_Work] = deque()
        self._tasks = TaskSet()
        self._is_writing = False
        self._is_broken = False
        self.n_bytes = 0

    def append(self, record: bytes, then: Callable[[], None] = lambda: None) -> None:
        """Write a record; `then` is called when it is written, or cannot be."""
        self.n_bytes += _HEAD.size + len(record)
        self._ask(_Work((record,), is_whole=False, then=then))

    def replace(self, records: Iterable[bytes]) -> None:
        """Write the file anew; what is appended from now on comes after that."""
        whole = tuple(records)
        self.n_bytes = sum(_HEAD.size + len(record) for record in whole)
        self._ask(_Work(whole, is_whole=True, then=lambda: None))

    async def close(self, *, keeps: bool) -> None:
        """Write what waits, and remove the file unless it is to be kept."""
        await self._tasks.wait()
        if not keeps:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(self._path.unlink, missing_ok=True)

    def _ask(self, work: _Work) -> None:
        self._waiting.append(work)
        if not self._is_writing:
            self._is_writing = True
            self._tasks.spawn(self._drain(), name="journal")

    async def _drain(self) -> None:
        while self._waiting:
            work = self._waiting.popleft()
            if not self._is_broken:
                try:
                    await asyncio.to_thread(self._write, work)
                except OSError as exc:
                    self._is_broken = True
                    self._on_error(exc)
            work.then()
        self._is_writing = False

    def _write(self, work: _Work) -> None:
        if work.is_whole or not self._path.exists():
            write_journal(self._path, work.records)
            return
        with self._path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                for record in work.records:
                    _put(file, record)
                file.flush()
            except OSError:
                file.truncate(end)
                raise


def _put(file: IO[bytes], record: bytes) -> None:
    file.write(_head(len(record), zlib.crc32(record)))
    file.write(record)


def _head(length: int, checksum: int) -> bytes:
    return _HEAD.pack(length, checksum, zlib.crc32(struct.pack("<II", length, checksum)))
