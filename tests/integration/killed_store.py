"""Kill a process that edits annotations, again and again, and compare what the next one finds.

Run as `killed_store.py FOLDER ROUNDS SEED`; prints counts as JSON, or fails with what was lost.

Every round is a process of its own, forked from this one so that it costs milliseconds. It takes up
what the one before it left, says what that is, and goes on editing as three people do, several
edits ahead of their answers. It writes each answer it was given to a pipe. Some milliseconds after
its start, wherever it is then, it is killed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import select
import signal
import sys
import time
import traceback
from collections import deque
from pathlib import Path

import msgspec

from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_ledger import AnnotationLedger, Edited
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    DragPoint,
    EditAnnotations,
    PutItem,
    RemoveItem,
    SetItem,
)
from blustream_widget.session import session_store
from blustream_widget.session.annotations import AnnotationBoard
from blustream_widget.session.kernel_port import KernelPort
from blustream_widget.session.session_store import SessionStore

LIFE_S = 0.05  # at most
ROUNDS_OF_A_SESSION = 40
AHEAD = 4  # edits that wait for their answers
PEOPLE = ("owner", "Mei", "Ravi")
ANSWERED, FOUND = 0, 1

session_store._ROOM_BYTES = 8192  # many rounds write their file anew


def nth_edit(seed: int, ledger: AnnotationLedger) -> tuple[int, EditAnnotations]:
    """Who does what next: it follows from what is there, and always changes something."""
    n = ledger.revision
    dice = random.Random(seed * 1_000_003 + n)
    who, what, gesture = dice.randrange(len(PEOPLE)), dice.random(), dice.randrange(3)
    mine = [item for item in ledger.items.values() if item.author == PEOPLE[who] or who == 0]
    history = "undo" if what < 0.1 else "redo" if what < 0.15 else ""
    if history and would_change(ledger, Edited(PEOPLE[who], 0.0, history=history)):
        return who, EditAnnotations(seq=n + 1, history=history)
    if what < 0.55 and mine:
        key = dice.choice(mine).id
        drag = DragPoint(key, 0, (float(n % 50), dice.random() * 9, 3.0))
        edit = dice.choice((RemoveItem(key), SetItem(key, label=f"label {n}"), drag))
        return who, EditAnnotations(seq=n + 1, edits=(edit,), gesture=gesture)
    points = [(dice.random() * 49, 1.0, 2.0), (3.0, 4.0, 5.0)]
    item = annotation("distance", points, axis=0, id=f"{seed}-{n}", label=f"number {n}")
    return who, EditAnnotations(seq=n + 1, edits=(PutItem(item),), gesture=gesture)


def would_change(ledger: AnnotationLedger, edited: Edited) -> bool:
    trial = AnnotationLedger()
    for record in ledger.snapshot():
        trial.apply(record)
    change, _ = trial.edit(edited)
    return not change.is_nothing


def bare(ledger: AnnotationLedger) -> bytes:
    """Everything but when it was."""
    records = msgspec.to_builtins(list(ledger.snapshot()))
    return msgspec.json.encode(without_times(records), order="sorted")


def without_times(value: object) -> object:
    if isinstance(value, dict):
        return {k: without_times(v) for k, v in value.items() if not k.endswith("ed_ms")}
    return [without_times(v) for v in value] if isinstance(value, list | tuple) else value


class Pipe:
    """Frames to the process that kills."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, kind: int, data: bytes) -> None:
        rest = memoryview(bytes([kind]) + len(data).to_bytes(4, "big") + data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]


class Person:
    """A page, as the board sees it."""

    role = "owner"
    annotation_seq = 0

    def __init__(self, peer: int, pipe: Pipe) -> None:
        self.peer, self.author = peer, PEOPLE[peer]
        self.answered, self.was_answered = 0, asyncio.Event()
        self._pipe = pipe

    def send(self, message: object) -> None:
        assert isinstance(message, AnnotationEdits)
        if message.seq > self.answered:
            self.answered = message.seq
            self._pipe.send(ANSWERED, message.seq.to_bytes(4, "big"))
            self.was_answered.set()

    def send_error(self, error: Exception) -> None:
        raise error

    async def answer(self, seq: int) -> None:
        while self.answered < seq:
            self.was_answered.clear()
            await self.was_answered.wait()


async def edit_until_killed(folder: Path, seed: int, pipe: Pipe) -> None:
    """Take up the session, say what it is, and edit it."""
    store = SessionStore(folder, lambda error: sys.exit(str(error)))
    store.tell_trouble()
    ledger = store.ledger
    pipe.send(FOUND, ledger.revision.to_bytes(4, "big") + bare(ledger))
    people = [Person(peer, pipe) for peer in range(len(PEOPLE))]
    board = AnnotationBoard(
        viewers=lambda: people, kernel=KernelPort("s"), shape=lambda: (50, 50, 50), store=store
    )
    waiting: deque[tuple[Person, int]] = deque()
    while True:
        who, message = nth_edit(seed, ledger)
        board.edit_by(people[who], message)
        waiting.append((people[who], message.seq))
        if len(waiting) > AHEAD:
            person, seq = waiting.popleft()
            await person.answer(seq)


class Session:
    """What must be in one session's folder, from what was answered."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.model = AnnotationLedger()
        self.n_answered = 0
        self.n_found = 0

    def round(self, life_s: float, *, takes_up: bool) -> None:
        """Let a process edit, and check what it found.

        `takes_up`: it lives from when it has taken up the session, else from its start.
        """
        reading, writing = os.pipe()
        process = os.fork()
        if process == 0:
            try:
                asyncio.run(edit_until_killed(self.folder, self.seed, Pipe(writing)))
            except Exception:  # noqa: BLE001  the process ends here, whatever it is
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            data = pipe.read(1) or b"" if takes_up else b""
            end_s = time.monotonic() + life_s
            while (left_s := end_s - time.monotonic()) > 0:
                if select.select([pipe], [], [], left_s)[0]:
                    if not (more := pipe.read(1 << 16)):
                        break
                    data += more
            os.kill(process, signal.SIGKILL)
            _, status = os.waitpid(process, 0)
            if not os.WIFSIGNALED(status):
                raise AssertionError(f"The process ended by itself: {status}.")
            data += pipe.readall()
        self.check(data)

    def check(self, data: bytes) -> None:
        while len(data) >= 5 and len(data) >= 5 + (n := int.from_bytes(data[1:5], "big")):
            kind, body, data = data[0], data[5 : 5 + n], data[5 + n :]
            if kind == ANSWERED:
                self.n_answered = max(self.n_answered, int.from_bytes(body, "big"))
            else:
                self.found(int.from_bytes(body[:4], "big"), body[4:])

    def found(self, n_edits: int, content: bytes) -> None:
        self.n_found += 1
        assert n_edits >= self.n_answered, f"{self.n_answered} were answered, {n_edits} are there"
        while self.model.revision < n_edits:
            who, message = nth_edit(self.seed, self.model)
            gesture = (f"viewer {who}", message.gesture) if message.gesture else None
            self.model.edit(
                Edited(PEOPLE[who], 0.0, message.edits, message.history, gesture, (50, 50, 50))
            )
        self.model.history.end_gestures()
        assert content == bare(self.model), f"after {n_edits} edits it is not what they make"


def main(folder: Path, n_rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    n_edits = n_answered = n_found = 0
    for first in range(0, n_rounds, ROUNDS_OF_A_SESSION):
        session = Session(folder / str(first), seed + first)
        for _ in range(min(ROUNDS_OF_A_SESSION, n_rounds - first) - 1):
            session.round(dice.random() * LIFE_S, takes_up=dice.random() < 0.8)
        session.round(0.0, takes_up=True)
        n_edits += session.model.revision
        n_answered += session.n_answered
        n_found += session.n_found
    counts = {"found": n_found, "answered": n_answered, "edits": n_edits}
    sys.stdout.write(json.dumps(counts))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
