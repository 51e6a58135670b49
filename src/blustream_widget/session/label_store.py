"""What was edited in a session's labels, on disk as well: another server takes it up from there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from blustream_widget.errors import BlustreamError, EditsDamagedError, VolumeWriteError
from blustream_widget.session.journal import Journal, read_records
from blustream_widget.session.label_history import LabelHistory, Record, decoder, encoder
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

_ROOM_BYTES = 32 << 20  # that a journal may take beyond what is in it twice


class LabelStore:
    """A `LabelHistory` whose records are written down. Loop thread only.

    Parameters
    ----------
    folder : Path
        The session's own; made when there is something to keep.
    on_error : callable
        Hears, once each, that a former server's edits are lost, or that nothing more can be kept.

    Attributes
    ----------
    history : LabelHistory
    is_reading : bool
        What a former server kept is being read: nothing is to be done before it is here.
    """

    def __init__(self, folder: Path, on_error: Callable[[BlustreamError], None]) -> None:
        self.history = LabelHistory()
        self.is_reading = False
        self._path = folder / "labels"
        self._on_error = on_error
        self._journal = Journal(self._path, self._broken)
        self._tasks = TaskSet()

    def recover(self, sources: Mapping[str, str], then: Callable[[], None]) -> None:
        """Read what a former server kept, if it did, for labels made of `sources`."""
        if self._path.exists():
            self.is_reading = True
            self._tasks.spawn(self._recover(dict(sources), then), name="edits of a former server")

    def write(self, record: Record, then: Callable[[], None]) -> None:
        """Write a record down that `history` has taken; `then` is called when that is done."""
        self._journal.append(encoder.encode(record), then)
        if self._journal.n_bytes > _ROOM_BYTES + 2 * self.history.n_bytes:
            self._journal.replace(map(encoder.encode, self.history.snapshot()))

    async def close(self, *, keeps: bool) -> None:
        """Write what waits; remove it all unless another server is to find it."""
        await self._tasks.close()
        await self._journal.close(keeps=keeps)

    async def _recover(self, sources: dict[str, str], then: Callable[[], None]) -> None:
        try:
            records = await asyncio.to_thread(read_records, self._path, decoder)
            for record in records:
                self.history.apply(record)
            self.history.forget_others(sources)
            logger.info("Took up %d records of edits of a former server", len(records))
        except (EditsDamagedError, OSError) as exc:
            logger.warning("The edits of a former server are lost: %s", exc)
            self._on_error(
                EditsDamagedError(
                    "What was kept of the edits of labels is damaged: they are as in their source.",
                    hint=f"The file was {self._path.with_suffix('.damaged')}.",
                )
            )
            await asyncio.to_thread(_put_aside, self._path)
        # Anew: without what nobody needs, and without a record that was not written completely.
        self._journal.replace(map(encoder.encode, self.history.snapshot()))
        self.is_reading = False
        then()

    def _broken(self, exc: OSError) -> None:
        self._on_error(
            VolumeWriteError(
                f"Edits of labels are not kept on disk any more: {exc.strerror}.",
                hint="They are lost if the server ends: save the labels.",
            )
        )


def _put_aside(path: Path) -> None:
    try:
        path.replace(path.with_suffix(".damaged"))
    except OSError as exc:
        logger.warning("The damaged edits stay where they are: %s", exc)
