"""Edits of labels in one order: who may, what can be taken back, what a new worker gets back."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation_set import OWNER
from blustream_widget.core.label_edit import (
    Brick,
    BrickChange,
    EditLabels,
    LabelEdit,
    LabelsEdited,
    check_new_label,
)
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.errors import (
    BlustreamError,
    NotDriverError,
    ProcessingError,
    StateError,
    WorkerError,
    from_code,
)

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.supervisor import Supervisor
    from blustream_widget.session.viewer import Viewer

logger = logging.getLogger(__name__)

EDITORS = frozenset({OWNER, "editor"})
MAX_KEPT_BYTES = 256 << 20
"""Edited bricks of all labels, packed: what a new worker gets back."""
MAX_HISTORY_BYTES = 64 << 20
"""Steps of all authors, packed."""
MAX_WAITING = 256
MOST_WORKERS = 3
"""An edit that so many workers were asked for, and did not live to do, is given up."""
_MESSAGE_BYTES = 8 << 20

_Key: TypeAlias = tuple[str, Brick]


@dataclass(slots=True)
class _Step:
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

    done: deque[_Step] = field(default_factory=deque)
    undone: list[_Step] = field(default_factory=list)
    n_forgotten: int = 0


@dataclass(slots=True)
class _Waiting:
    """An edit that the worker has not done yet."""

    author: str
    message: wp.EditBricks | wp.RevertBricks
    viewer: Viewer | None
    seq: int
    step: _Step | None = None
    history: str = ""
    n_workers: int = 0
    is_told: bool = False
    n_voxels: int = 0
    changes: list[BrickChange] = field(default_factory=list)


class LabelEdits:
    """Order, permission, history and what is kept of a session's edits. Loop thread only.

    Parameters
    ----------
    viewers : callable
        Gives those who look now.
    kernel : KernelPort
    supervisor : Supervisor
    want_worker : callable
        Has a worker got, if there is none.
    info_of : callable
        What is known of open labels by name; None where there are none.
    frame_no : callable
        Gives the number of the newest picture.
    """

    def __init__(
        self,
        *,
        viewers: Callable[[], Iterable[Viewer]],
        kernel: KernelPort,
        supervisor: Supervisor,
        want_worker: Callable[[], None],
        info_of: Callable[[str], SegmentationInfo | None],
        frame_no: Callable[[], int],
    ) -> None:
        self._viewers = viewers
        self._kernel = kernel
        self._supervisor = supervisor
        self._want_worker = want_worker
        self._info_of = info_of
        self._frame_no = frame_no
        self._kept: dict[_Key, bytes] = {}
        self._kept_bytes = 0
        self._lines: dict[str, _Line] = {}
        self._waiting: dict[int, _Waiting] = {}
        self._last_n = 0
        self._kernel_seq = 0
        self._seqs: dict[int, int] = {}  # by viewer: of its newest edit that is done or refused

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits for an edit."""
        return bool(self._waiting)

    def bricks_of(self, name: str) -> tuple[tuple[Brick, bytes], ...]:
        """Edited bricks of labels, packed."""
        return tuple((brick, data) for (of, brick), data in self._kept.items() if of == name)

    # -------------------------------------------------- edits

    def edit_by(self, viewer: Viewer, message: EditLabels) -> None:
        """Take a viewer's edit; what is refused is told to it."""
        try:
            if viewer.role not in EDITORS:
                raise NotDriverError(
                    f"The role {viewer.role!r} may look, not edit labels.",
                    hint="Ask the owner for an editor's link.",
                )
            author = OWNER if viewer.role == OWNER else f"{viewer.role}-{viewer.peer}"
            self._take(author, message.name, message.edit, message.history, viewer, message.seq)
        except BlustreamError as exc:
            self._refuse(viewer, message.name, message.seq, exc)

    def edit_by_kernel(self, message: lp.EditLabels) -> None:
        """Take the kernel's edit; answered by `LabelsEdited` or `EditRefused`."""
        if message.n <= self._kernel_seq:
            return  # sent again after the link broke, and taken already
        self._kernel_seq = message.n
        try:
            self._take(OWNER, message.name, message.edit, message.history, None, message.n)
        except BlustreamError as exc:
            self._kernel.tell_edit_refused(message.name, message.n, exc)

    def _take(
        self,
        author: str,
        name: str,
        edit: LabelEdit | None,
        history: str,
        viewer: Viewer | None,
        seq: int,
    ) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise StateError("Too many edits wait to be done.", hint="Wait until they are.")
        if history:
            step = self._step_of(author, history)
            changes = step.changes if history == "undo" else step.turned
            message = wp.RevertBricks(step.name, self._next(), changes)
            self._order(_Waiting(author, message, viewer, seq, step=step, history=history))
            return
        info = self._info_of(name)
        if info is None:
            raise StateError(f"There is no segmentation {name!r}.", hint="Add it first.")
        if edit is None:
            raise StateError("There is nothing to do.", hint="Give an edit.")
        check_new_label(edit.label, info.channel)
        if self._kept_bytes > MAX_KEPT_BYTES:
            raise ProcessingError(
                f"The edits of this session take more than {MAX_KEPT_BYTES >> 20} MB.",
                hint="Save the labels, and add them again from the file.",
            )
        self._order(_Waiting(author, wp.EditBricks(name, self._next(), edit), viewer, seq))

    def _step_of(self, author: str, history: str) -> _Step:
        line = self._lines.setdefault(author, _Line())
        steps = line.done if history == "undo" else line.undone
        if steps:
            return steps.pop()
        if history == "undo" and line.n_forgotten:
            raise StateError(
                "The edits before these are not kept any more.",
                hint=f"The newest {MAX_HISTORY_BYTES >> 20} MB of edits can be taken back.",
            )
        raise StateError(f"There is nothing to {history}.")

    def _next(self) -> int:
        self._last_n += 1
        return self._last_n

    def _order(self, waiting: _Waiting) -> None:
        self._waiting[waiting.message.n] = waiting
        self._want_worker()
        self.ask()

    # -------------------------------------------------- worker

    def restart(self) -> None:
        """Hear that a new worker is told what to open."""
        for n, waiting in list(self._waiting.items()):
            waiting.n_workers += waiting.is_told
            waiting.is_told = False
            waiting.changes, waiting.n_voxels = [], 0
            if waiting.n_workers >= MOST_WORKERS:
                error = WorkerError(
                    f"{MOST_WORKERS} workers ended while they edited labels.",
                    hint="Edit a smaller part at once.",
                )
                self._give_up(self._waiting.pop(n), error)

    def catch_up(self, name: str) -> None:
        """Give a worker that was just told to open labels what was edited in them."""
        packed: list[tuple[Brick, bytes]] = []
        n_bytes = 0
        for brick, data in self.bricks_of(name):
            packed.append((brick, data))
            n_bytes += len(data)
            if n_bytes > _MESSAGE_BYTES:
                self._supervisor.send(wp.PutBricks(name, tuple(packed)))
                packed, n_bytes = [], 0
        if packed:
            self._supervisor.send(wp.PutBricks(name, tuple(packed)))

    def ask(self) -> None:
        """Have the worker do what waits, once it was told to open the labels."""
        if self._supervisor.status != "ready":
            return
        for waiting in self._waiting.values():
            if not waiting.is_told:
                waiting.is_told = True
                self._supervisor.send(waiting.message)

    def heard(self, message: wp.BricksEdited | wp.EditFailed) -> None:
        """Hear what became of an edit."""
        waiting = self._waiting.get(message.n)
        if waiting is None:
            return
        if isinstance(message, wp.EditFailed):
            del self._waiting[message.n]
            self._give_up(waiting, from_code(message.code, message.message, message.hint))
            return
        waiting.changes.extend(message.changes)
        waiting.n_voxels += message.n_voxels
        if message.more:
            return
        del self._waiting[message.n]
        for change in waiting.changes:
            self._keep((message.name, change.brick), change.new)
        self._remember(message.name, waiting)
        self._tell(message.name, waiting)

    def _keep(self, key: _Key, data: bytes) -> None:
        self._kept_bytes += len(data) - len(self._kept.get(key, b""))
        self._kept[key] = data

    def _remember(self, name: str, waiting: _Waiting) -> None:
        line = self._lines.setdefault(waiting.author, _Line())
        if waiting.step is not None:
            (line.undone if waiting.history == "undo" else line.done).append(waiting.step)
            return
        if not waiting.changes:
            return
        line.undone.clear()
        line.done.append(_Step(name, tuple(waiting.changes)))
        self._forget_oldest()

    def _forget_oldest(self) -> None:
        n_bytes = sum(
            step.n_bytes for line in self._lines.values() for step in (*line.done, *line.undone)
        )
        for line in sorted(self._lines.values(), key=lambda one: -len(one.done)):
            while n_bytes > MAX_HISTORY_BYTES and line.done:
                n_bytes -= line.done.popleft().n_bytes
                line.n_forgotten += 1
                logger.info("The oldest edit of labels cannot be taken back any more")

    def forget(self, name: str) -> None:
        """Forget labels that were taken away, with what was edited in them."""
        for key in [key for key in self._kept if key[0] == name]:
            self._kept_bytes -= len(self._kept.pop(key))
        for line in self._lines.values():
            line.done = deque(step for step in line.done if step.name != name)
            line.undone = [step for step in line.undone if step.name != name]
        error = StateError(f"The segmentation {name!r} was taken away.")
        for n in [n for n, one in self._waiting.items() if one.message.name == name]:
            self._give_up(self._waiting.pop(n), error)

    # -------------------------------------------------- telling

    def _give_up(self, waiting: _Waiting, error: BlustreamError) -> None:
        if waiting.step is not None:  # it can be tried again
            line = self._lines.setdefault(waiting.author, _Line())
            (line.done if waiting.history == "undo" else line.undone).append(waiting.step)
        if waiting.viewer is not None:
            self._refuse(waiting.viewer, waiting.message.name, waiting.seq, error)
        else:
            self._kernel.tell_edit_refused(waiting.message.name, waiting.seq, error)

    def _refuse(self, viewer: Viewer, name: str, seq: int, error: BlustreamError) -> None:
        self._note(viewer, seq)
        viewer.send_error(error)
        self._tell_viewer(viewer, name, 0)

    def _tell(self, name: str, waiting: _Waiting) -> None:
        if waiting.viewer is not None:
            self._note(waiting.viewer, waiting.seq)
        else:
            self._kernel.tell_labels_edited(name, waiting.seq, waiting.n_voxels)
        viewers = list(self._viewers())
        for viewer in viewers:
            self._tell_viewer(viewer, name, waiting.n_voxels)
        peers = {viewer.peer for viewer in viewers}
        self._seqs = {peer: seq for peer, seq in self._seqs.items() if peer in peers}

    def _note(self, viewer: Viewer, seq: int) -> None:
        self._seqs[viewer.peer] = max(self._seqs.get(viewer.peer, 0), seq)

    def _tell_viewer(self, viewer: Viewer, name: str, n_voxels: int) -> None:
        author = OWNER if viewer.role == OWNER else f"{viewer.role}-{viewer.peer}"
        line = self._lines.get(author)
        viewer.send(
            LabelsEdited(
                name=name,
                seq=self._seqs.get(viewer.peer, 0),
                frame_no=self._frame_no(),
                n_voxels=n_voxels,
                can_undo=bool(line and line.done),
                can_redo=bool(line and line.undone),
            )
        )
