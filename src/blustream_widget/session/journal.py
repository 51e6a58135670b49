"""A file of records that outlives its server: written one after the other, each with a checksum.

Records that come while others are being written go to the disk together, with one `fsync`.
"""

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
from typing import IO, TypeVar

import msgspec

from blustream_widget.errors import EditsDamagedError
from blustream_widget.transport.tasks import TaskSet

_MAGIC = b"blustream-journal-1\n"
_HEAD = struct.Struct("<III")  # length and CRC-32 of what follows, CRC-32 of these two


T = TypeVar("T")


def read_records(path: Path, decoder: msgspec.msgpack.Decoder[T]) -> list[T]:
    """Read all records of a kind, as `read_journal` does.

    Raises
    ------
    EditsDamagedError
        The file is not as it was written, or holds a record of another kind.
    OSError
    """
    try:
        return [decoder.decode(record) for record in read_journal(path)]
    except msgspec.MsgspecError as exc:
        raise EditsDamagedError(f"{path.name} has a record that is none: {exc}.") from exc


def read_journal(path: Path) -> list[bytes]:
    """Read all records; one at the end that was not written completely counts as never written.

    So does a tail of zeros: a machine that lost its power may have made the file longer, no more.

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
                if any(head) or any(file.read()):
                    raise damaged
                break
            record = file.read(length)
            if len(record) < length:
                break
            if zlib.crc32(record) != checksum:
                raise damaged
            records.append(record)
    return records


def write_journal(path: Path, records: Iterable[bytes]) -> int:
    """Write a file of records; it appears when it is complete, in place of what was there.

    Returns
    -------
    int
        Bytes of the records.

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
            n_bytes = file.tell() - len(_MAGIC)
            file.flush()
            os.fsync(descriptor)
        new.replace(path)
        _sync_folder(path.parent)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    return n_bytes


@dataclass(frozen=True, slots=True)
class _Work:
    """What waits to be written. `make`: the file anew, of records that are made when it is."""

    records: tuple[bytes, ...] = ()
    make: Callable[[], Iterable[bytes]] | None = None
    is_durable: bool = True
    then: Callable[[], None] = lambda: None


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
        Of the file, with what waits to be appended.
    """

    def __init__(self, path: Path, on_error: Callable[[OSError], None]) -> None:
        self._path = path
        self._on_error = on_error
        self._waiting: deque[_Work] = deque()
        self._tasks = TaskSet()
        self._is_writing = False
        self._is_broken = False
        self.n_bytes = 0

    def append(
        self, record: bytes, then: Callable[[], None] = lambda: None, *, is_durable: bool = True
    ) -> None:
        """Write a record; `then` is called when it is on the disk, or cannot be.

        `is_durable` False: it may be lost when the machine ends, not when the server does.
        """
        self.n_bytes += _HEAD.size + len(record)
        self._ask(_Work((record,), is_durable=is_durable, then=then))

    def replace(self, records: Iterable[bytes]) -> None:
        """Write the file anew; what is appended from now on comes after that."""
        whole = tuple(records)
        self.rewrite(lambda: whole)

    def rewrite(self, make: Callable[[], Iterable[bytes]]) -> None:
        """Write the file anew, of records that `make` gives in another thread."""
        self.n_bytes = 0
        self._ask(_Work(make=make))

    def in_turn(self, then: Callable[[], None]) -> None:
        """Call `then` when all that was asked for is written: now, if nothing waits."""
        if self._is_writing:
            self._waiting.append(_Work(is_durable=False, then=then))
        else:
            then()

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
            works = self._take()
            if not self._is_broken:
                try:
                    self.n_bytes += await asyncio.to_thread(self._write, works)
                except OSError as exc:
                    self._is_broken = True
                    self._on_error(exc)
            for work in works:
                work.then()
        self._is_writing = False

    def _take(self) -> list[_Work]:
        """Take what can be written at once: the file anew, or records up to where it is."""
        works = [self._waiting.popleft()]
        while works[0].make is None and self._waiting and self._waiting[0].make is None:
            works.append(self._waiting.popleft())
        return works

    def _write(self, works: list[_Work]) -> int:
        """Write, and return how many bytes of that nobody has counted yet."""
        if (make := works[0].make) is not None:
            return write_journal(self._path, make())
        records = [record for work in works for record in work.records]
        if not records:
            return 0
        if not self._path.exists():
            write_journal(self._path, records)
            return 0
        with self._path.open("r+b") as file:
            end = file.seek(0, os.SEEK_END)
            try:
                for record in records:
                    _put(file, record)
                file.flush()
                if any(work.is_durable for work in works):
                    os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
        return 0


def _put(file: IO[bytes], record: bytes) -> None:
    file.write(_head(len(record), zlib.crc32(record)))
    file.write(record)


def _head(length: int, checksum: int) -> bytes:
    return _HEAD.pack(length, checksum, zlib.crc32(struct.pack("<II", length, checksum)))


def _sync_folder(folder: Path) -> None:
    """Have a file's name on the disk as well."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
