"""What a session is, on disk as well: a server in a killed one's place goes on from there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from blustream_widget.core.annotation_history import Step
from blustream_widget.core.annotation_ledger import AnnotationLedger, Edited, Had
from blustream_widget.core.palettes import Palette, Palettes, named_in
from blustream_widget.core.share_messages import ChatLine
from blustream_widget.core.state import ViewState
from blustream_widget.errors import BlustreamError, EditsDamagedError, VolumeWriteError
from blustream_widget.session.chat import ChatLog
from blustream_widget.session.journal import Journal, read_records
from blustream_widget.session.kept_people import KeptPeople
from blustream_widget.session.kept_volume import KeptVolume
from blustream_widget.session.telling import layer_names
from blustream_widget.transport.throttle import Throttle

logger = logging.getLogger(__name__)

_ROOM_BYTES = 1 << 20  # that a journal may take beyond twice what it held when it was written anew
FILE_NAME = "session"
KEEP_INTERVAL_S = 0.1
"""A view that was shown for longer than this outlives the server."""


class Shown(msgspec.Struct, frozen=True, array_like=True, tag="view"):
    """What was shown."""

    state: ViewState


class Said(msgspec.Struct, frozen=True, array_like=True, tag="said"):
    """A line of the chat."""

    line: ChatLine


class Coloured(msgspec.Struct, frozen=True, array_like=True, tag="palette"):
    """Colours of the user's own that the view may name."""

    palette: Palette


Record: TypeAlias = Edited | Had | Step | Shown | KeptPeople | Said | KeptVolume | Coloured

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


class Left(msgspec.Struct, frozen=True):
    """What a former server left of a session.

    Parameters
    ----------
    volume : KeptVolume or None
        None: only its kernel can open it.
    digests : frozenset of bytes
        Of the codes of its links, also of those that are over.
    """

    volume: KeptVolume | None = None
    digests: frozenset[bytes] = frozenset()


def what_is_left_in(folder: Path) -> Left:
    """Read what a former server left in a session's folder; nothing, where it is damaged.

    Reads the whole file, some milliseconds.
    """
    volume, state, people = KeptVolume(), None, None
    try:
        for record in read_records(folder / FILE_NAME, _decoder):
            match record:
                case KeptVolume():
                    volume = record
                case Shown():
                    state = record.state
                case KeptPeople():
                    people = record
    except (BlustreamError, OSError):
        return Left()
    layers = {layer.name for layer in volume.layers}
    is_whole = state is not None and layers.issuperset(layer_names(state))
    digests: set[bytes] = set()
    if people is not None:
        digests = {link.digest for link in people.links}
        digests |= {past.digest for past in people.past if past.digest}
    return Left(volume if is_whole else None, frozenset(digests))


class SessionStore:
    """Annotations with their history, the view, people and chat, written down. Loop thread only.

    Making one reads what a former server left, if it did: some milliseconds, once after a crash.

    Parameters
    ----------
    folder : Path or None
        The session's own; made when there is something to keep. None: nothing is written.
    on_error : callable
        Hears, once each, that what a former server left is lost, or that nothing more can be kept.

    Attributes
    ----------
    ledger : AnnotationLedger
    chat : ChatLog
    people : KeptPeople or None
        As they were written last.
    palettes : Palettes
    is_recovered : bool
        A former server left all of this.
    """

    ledger: AnnotationLedger
    chat: ChatLog
    people: KeptPeople | None
    palettes: Palettes
    _volume: KeptVolume
    _state: ViewState | None
    _written: ViewState | None

    def __init__(self, folder: Path | None, on_error: Callable[[BlustreamError], None]) -> None:
        self._path = None if folder is None else folder / FILE_NAME
        self._on_error = on_error
        self._journal = None if self._path is None else Journal(self._path, self._broken)
        self._n_whole_bytes = 0
        self._begin()
        self._keep = Throttle(KEEP_INTERVAL_S, self._keep_state)
        self.is_recovered = False
        self._trouble: BlustreamError | None = None
        if self._path is not None and self._path.exists():
            self._recover(self._path)

    def write(
        self, record: Record, then: Callable[[], None] = lambda: None, *, is_durable: bool = True
    ) -> None:
        """Write a record down; `then` is called when that is done, in the order of the calls.

        `is_durable` False: it outlives the server, and not the machine's loss of power.
        """
        if isinstance(record, KeptPeople):
            self.people = record
        if is_durable:
            self._keep_state()  # what was seen when it was answered comes back with it
        if self._journal is None:
            then()
            return
        self._journal.append(_encoder.encode(record), then, is_durable=is_durable)
        if self._journal.n_bytes > _ROOM_BYTES + 2 * self._n_whole_bytes:
            self._write_anew()

    def show(self, state: ViewState) -> None:
        """Keep what is shown, at most ten times a second."""
        self._state = state
        if self._journal is not None:
            self._keep.call()

    def describe(self, volume: KeptVolume) -> None:
        """Keep what the volume is, and what lies over it."""
        if volume != self._volume:
            self._volume = volume
            self.write(volume, is_durable=False)

    def put_palette(self, palette: Palette) -> int:
        """Take and keep colours of the user's own; returns the number of a map, 0 for a style."""
        is_new = palette.name not in self.palettes
        idx = self.palettes.add(palette, in_use=named_in(self._state))
        if is_new:  # after it was taken: a journal that is full is written anew, with what there is
            self.write(Coloured(palette), is_durable=False)
        return idx

    def newest(self, state: ViewState | None) -> ViewState | None:
        """Return what was shown last: a former server may have written more than it told."""
        kept = self._state
        if state is None or (kept is not None and kept.revision > state.revision):
            return kept
        return state

    def tell_trouble(self) -> None:
        """Tell, once, that what a former server left cannot be read."""
        trouble, self._trouble = self._trouble, None
        if trouble is not None:
            self._on_error(trouble)

    def in_turn(self, then: Callable[[], None]) -> None:
        """Call `then` behind what is being written: now, if nothing is."""
        if self._journal is None:
            then()
        else:
            self._journal.in_turn(then)

    def write_anew(self) -> None:
        """Write all of it, in place of what was written."""
        if self._journal is not None:
            self._write_anew()

    async def close(self, *, keeps: bool) -> None:
        """Write what waits; remove it all unless another server is to find it."""
        self._keep.close()
        if self._journal is not None:
            self._keep_state()
            await self._journal.close(keeps=keeps)

    def _begin(self) -> None:
        self.ledger, self.chat = AnnotationLedger(), ChatLog()
        self.people = self._state = self._written = None
        self.palettes, self._volume = Palettes(), KeptVolume()

    def _recover(self, path: Path) -> None:
        try:
            records = read_records(path, _decoder)
            for record in records:
                self._take(record)
        except (BlustreamError, OSError) as exc:
            logger.warning("What a former server kept of a session is lost: %s", exc)
            self._begin()
            damaged = path.with_suffix(".damaged")
            self._trouble = EditsDamagedError(
                "What was kept of the view is damaged: undo, guests and the chat begin anew.",
                hint=f"The file was {damaged}.",
            )
            try:
                path.replace(damaged)
            except OSError as error:
                logger.warning("The damaged file stays where it is: %s", error)
            return
        self.ledger.history.end_gestures()
        self.is_recovered = True
        self.write_anew()  # without what nobody needs, and what was not written completely
        logger.info("Took up %d records of a former server", len(records))

    def _take(self, record: Record) -> None:
        match record:
            case Shown(state=state):
                self._state = self._written = state
            case KeptPeople():
                self.people = record
            case Said(line=line):
                self.chat.restore(line)
            case KeptVolume():
                self._volume = record
            case Coloured(palette=palette):
                self.palettes.add(palette, in_use=named_in(self._state))
            case _:
                self.ledger.apply(record)

    def _keep_state(self) -> bool:
        state = self._state
        if state is None or state == self._written:
            return False
        self._written = state
        self.write(Shown(state), is_durable=False)
        return True

    def _write_anew(self) -> None:
        assert self._journal is not None
        records = list(self._snapshot())

        def encoded() -> Iterator[bytes]:
            n_bytes = 0
            for record in records:
                data = _encoder.encode(record)
                n_bytes += len(data)
                yield data
            self._n_whole_bytes = n_bytes

        self._journal.rewrite(encoded)

    def _snapshot(self) -> Iterator[Record]:
        yield from self.ledger.snapshot()
        if self._volume != KeptVolume():
            yield self._volume
        for palette, _ in self.palettes.all():
            yield Coloured(palette)
        if self._state is not None:
            yield Shown(self._state)
        if self.people is not None:
            yield self.people
        yield from map(Said, self.chat.lines)

    def _broken(self, exc: OSError) -> None:
        # What is there grows old: the kernel's copy of the annotations is better.
        assert self._path is not None
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            logger.warning("An old file of a session stays: %s", error)
        self._on_error(
            VolumeWriteError(
                f"The view is not kept on disk any more: {exc.strerror}.",
                hint="If the server ends, undo, guests and the chat are lost.",
            )
        )
