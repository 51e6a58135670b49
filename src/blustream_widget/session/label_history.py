"""What was edited in a session's labels: the bricks as they are now, and steps of each author.

Everything changes by records, so that reading the records of a former server gives the same.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import msgspec

from blustream_widget.core.annotation_set import OWNER
from blustream_widget.core.label_edit import Brick, BrickChange, History
from blustream_widget.errors import StateError

logger = logging.getLogger(__name__)

MAX_HISTORY_BYTES = 64 << 20
"""Steps of all authors, packed."""
_RECORD_BYTES = 8 << 20
_ANSWERS_KEPT = 64

_Key: TypeAlias = tuple[str, Brick]


class Done(msgspec.Struct, frozen=True, array_like=True, tag="done"):
    """An edit that was done, or taken back, or done again; `n` is the kernel's number of it, or 0.

    `source` says what the labels of this name were made of.
    """

    name: str
    source: str
    author: str
    way: History
    changes: tuple[BrickChange, ...]
    n: int = 0
    n_voxels: int = 0


class Kept(msgspec.Struct, frozen=True, array_like=True, tag="kept"):
    """Bricks as they are."""

    name: str
    source: str
    bricks: tuple[tuple[Brick, bytes], ...]


class Stepped(msgspec.Struct, frozen=True, array_like=True, tag="step"):
    """A step that can be taken back, or done again."""

    name: str
    source: str
    author: str
    is_undone: bool
    changes: tuple[BrickChange, ...]


class Forgotten(msgspec.Struct, frozen=True, array_like=True, tag="forgot"):
    """The labels of a name were taken away."""

    name: str


class Answered(msgspec.Struct, frozen=True, array_like=True, tag="answer"):
    """What the kernel was told of its edits: numbers of voxels."""

    answers: dict[int, int]


Record: TypeAlias = Done | Kept | Stepped | Forgotten | Answered

encoder = msgspec.msgpack.Encoder()
decoder: msgspec.msgpack.Decoder[Record] = msgspec.msgpack.Decoder(Record)


@dataclass(slots=True, eq=False)
class Step:
    """One edit, as it can be taken back."""

    name: str
    changes: tuple[BrickChange, ...]

    @property
    def turned(self) -> tuple[BrickChange, ...]:
        """What takes back that it was taken back."""
        return tuple(BrickChange(one.brick, one.new, one.old) for one in self.changes)

    @property
    def n_bytes(self) -> int:
        return sum(len(one.old) + len(one.new) for one in self.changes)


@dataclass(slots=True)
class _Line:
    """Steps of one author: those that can be taken back, and those that were."""

    done: deque[Step] = field(default_factory=deque)
    undone: deque[Step] = field(default_factory=deque)
    n_forgotten: int = 0


class LabelHistory:
    """Bricks and steps, by records. Any one thread.

    Attributes
    ----------
    sources : dict
        By name of labels: what they were made of, as the records say.
    answers : dict
        Numbers of voxels of the kernel's newest edits, by their numbers.
    """

    def __init__(self) -> None:
        self.sources: dict[str, str] = {}
        self.answers: dict[int, int] = {}
        self._kept: dict[_Key, bytes] = {}
        self.kept_bytes = 0
        self._lines: dict[str, _Line] = {}

    @property
    def n_bytes(self) -> int:
        """Everything, packed."""
        return self.kept_bytes + sum(step.n_bytes for step in self._steps())

    def bricks_of(self, name: str) -> tuple[tuple[Brick, bytes], ...]:
        """Edited bricks of labels, packed."""
        return tuple((brick, data) for (of, brick), data in self._kept.items() if of == name)

    def can(self, author: str) -> tuple[bool, bool]:
        """Whether an author has something to undo, and to redo."""
        line = self._lines.get(author)
        return bool(line and line.done), bool(line and line.undone)

    def step_of(self, author: str, way: History) -> Step:
        """Give the step that is next to be taken back, or done again; it stays where it is.

        Raises
        ------
        StateError
            There is none.
        """
        line = self._lines.get(author) or _Line()
        steps = line.done if way == "undo" else line.undone
        if steps:
            return steps[-1]
        if way == "undo" and line.n_forgotten:
            raise StateError(
                "The edits before these are not kept any more.",
                hint=f"The newest {MAX_HISTORY_BYTES >> 20} MB of edits can be taken back.",
            )
        raise StateError(f"There is nothing to {way}.")

    def apply(self, record: Record) -> None:
        """Take a change."""
        match record:
            case Done():
                self._done(record)
            case Kept(name=name, source=source, bricks=bricks):
                self.sources[name] = source
                for brick, data in bricks:
                    self._keep((name, brick), data)
            case Stepped():
                self.sources[record.name] = record.source
                line = self._line(record.author)
                (line.undone if record.is_undone else line.done).append(
                    Step(record.name, record.changes)
                )
            case Forgotten(name=name):
                self._forget(name)
            case Answered(answers=answers):
                self.answers |= answers

    def snapshot(self) -> Iterator[Record]:
        """Give the fewest records that say how things are, of bounded size each."""
        for name, source in self.sources.items():
            for chunk in chunks(self.bricks_of(name)):
                yield Kept(name, source, chunk)
        for author, line in self._lines.items():
            for is_undone, steps in ((False, line.done), (True, line.undone)):
                for step in steps:
                    source = self.sources.get(step.name, "")
                    yield Stepped(step.name, source, author, is_undone, step.changes)
        yield Answered(dict(self.answers))

    def forget_others(self, sources: Mapping[str, str]) -> bool:
        """Forget labels that are not made of these any more, and steps of guests, who are gone.

        Returns whether there were any.
        """
        names = [name for name, source in self.sources.items() if sources.get(name) != source]
        guests = [author for author in self._lines if author != OWNER]
        for name in names:
            self._forget(name)
        for author in guests:
            del self._lines[author]
        return bool(names or guests)

    # -------------------------------------------------- within

    def _line(self, author: str) -> _Line:
        return self._lines.setdefault(author, _Line())

    def _steps(self) -> Iterator[Step]:
        for line in self._lines.values():
            yield from line.done
            yield from line.undone

    def _done(self, record: Done) -> None:
        self.sources[record.name] = record.source
        for change in record.changes:
            self._keep((record.name, change.brick), change.new)
        if record.n:
            self.answers[record.n] = record.n_voxels
            while len(self.answers) > _ANSWERS_KEPT:
                del self.answers[min(self.answers)]
        line = self._line(record.author)
        if record.way:
            before, after = line.done, line.undone
            if record.way == "redo":
                before, after = after, before
            if before:
                after.append(before.pop())
        elif record.changes:
            line.undone.clear()
            line.done.append(Step(record.name, record.changes))
            self._forget_oldest()

    def _keep(self, key: _Key, data: bytes) -> None:
        self.kept_bytes += len(data) - len(self._kept.get(key, b""))
        self._kept[key] = data

    def _forget_oldest(self) -> None:
        n_bytes = sum(step.n_bytes for step in self._steps())
        for line in sorted(self._lines.values(), key=lambda one: -len(one.done)):
            while n_bytes > MAX_HISTORY_BYTES and line.done:
                n_bytes -= line.done.popleft().n_bytes
                line.n_forgotten += 1
                logger.info("The oldest edit of labels cannot be taken back any more")

    def _forget(self, name: str) -> None:
        self.sources.pop(name, None)
        for key in [key for key in self._kept if key[0] == name]:
            self.kept_bytes -= len(self._kept.pop(key))
        for line in self._lines.values():
            line.done = deque(step for step in line.done if step.name != name)
            line.undone = deque(step for step in line.undone if step.name != name)


def chunks(
    bricks: Iterable[tuple[Brick, bytes]],
) -> Iterator[tuple[tuple[Brick, bytes], ...]]:
    """Parts of bounded size."""
    chunk: list[tuple[Brick, bytes]] = []
    n_bytes = 0
    for brick, data in bricks:
        if n_bytes > _RECORD_BYTES:
            yield tuple(chunk)
            chunk, n_bytes = [], 0
        chunk.append((brick, data))
        n_bytes += len(data)
    if chunk:
        yield tuple(chunk)
