"""Edits of labels in one order: who may, what can be taken back, what a new worker gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blustream_widget.core import link_labels as ll
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation_set import OWNER
from blustream_widget.core.label_edit import (
    Brick,
    BrickChange,
    CancelEdit,
    EditLabels,
    EditProgress,
    History,
    LabelEdit,
    LabelsEdited,
    check_new_label,
)
from blustream_widget.core.segmentation import SegmentationInfo
from blustream_widget.errors import (
    BlustreamError,
    EditCancelledError,
    ProcessingError,
    StateError,
    WorkerError,
    from_code,
)
from blustream_widget.session import access
from blustream_widget.session.label_history import Done, Forgotten, LabelHistory, chunks

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.label_store import LabelStore
    from blustream_widget.session.supervisor import Supervisor
    from blustream_widget.session.viewer import Viewer

MAX_KEPT_BYTES = 256 << 20
"""Edited bricks of all labels, packed: what a new worker gets back."""
MAX_WAITING = 256
MOST_WORKERS = 3
"""An edit that so many workers were asked for, and did not live to do, is given up."""


@dataclass(slots=True)
class _Waiting:
    """An edit that the worker has not done yet; `name` and `message` are known when it is told.

    `frame_no` is the newest picture's when the worker had laid the edit over the labels.
    """

    author: str
    name: str
    edit: LabelEdit | None
    way: History
    viewer: Viewer | None
    seq: int
    message: wp.EditBricks | wp.RevertBricks | None = None
    n_workers: int = 0
    n_voxels: int = 0
    frame_no: int | None = None
    changes: list[BrickChange] = field(default_factory=list)


class LabelEdits:
    """Order, permission and undo of a session's edits, and what is kept of them. Loop thread only.

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
    source_of : callable
        Says by name what labels are made of; "" where there are none.
    frame_no : callable
        Gives the number of the newest picture.
    store : LabelStore or None
        Where it is kept for another server.
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
        source_of: Callable[[str], str] = lambda _name: "",
        store: LabelStore | None = None,
    ) -> None:
        self._viewers = viewers
        self._kernel = kernel
        self._supervisor = supervisor
        self._want_worker = want_worker
        self._info_of = info_of
        self._source_of = source_of
        self._frame_no = frame_no
        self._store = store
        self._history = LabelHistory() if store is None else store.history
        self._waiting: dict[int, _Waiting] = {}
        self._last_n = 0
        self._to_tell: list[Callable[[], None]] = []
        self._seqs: dict[int, int] = {}  # by viewer: of its newest edit that is done or refused

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits for an edit."""
        return bool(self._waiting)

    def bricks_of(self, name: str) -> tuple[tuple[Brick, bytes], ...]:
        """Edited bricks of labels, packed."""
        return self._history.bricks_of(name)

    # -------------------------------------------------- edits

    def edit_by(self, viewer: Viewer, message: EditLabels) -> None:
        """Take a viewer's edit; what is refused is told to it."""
        try:
            if not access.may(viewer.role, EditLabels):
                raise access.refusal(viewer.role, EditLabels)
            self._take(
                _Waiting(
                    viewer.author,
                    message.name,
                    message.edit,
                    message.history,
                    viewer,
                    message.seq,
                )
            )
        except BlustreamError as exc:
            self._refuse(viewer, message.name, message.seq, exc)

    def edit_by_kernel(self, message: ll.EditLabels) -> None:
        """Take the kernel's edit; answered by `LabelsEdited` or `EditRefused`.

        One that is asked for again, because the link broke, is done once and answered again.
        """
        if self._is_reading:
            self._to_tell.append(lambda: self.edit_by_kernel(message))
            return
        n_voxels = self._history.answers.get(message.n)
        if n_voxels is not None:
            self._kernel.tell_labels_edited(message.name, message.n, n_voxels)
            return
        if any(one.viewer is None and one.seq == message.n for one in self._waiting.values()):
            return
        try:
            waiting = _Waiting(OWNER, message.name, message.edit, message.history, None, message.n)
            self._take(waiting)
        except BlustreamError as exc:
            self._kernel.tell_edit_refused(message.name, message.n, exc)

    def cancel_by(self, viewer: Viewer, message: CancelEdit) -> None:
        """Give up a viewer's edit, if it is not done yet."""
        self._cancel(viewer, message.seq)

    def cancel_by_kernel(self, message: ll.CancelEdit) -> None:
        """Give up the kernel's edit, if it is not done yet."""
        self._cancel(None, message.n)

    def _cancel(self, viewer: Viewer | None, seq: int) -> None:
        for n, waiting in list(self._waiting.items()):
            if waiting.viewer is not viewer or waiting.seq != seq:
                continue
            if waiting.message is not None:  # the worker answers, and knows best
                self._supervisor.send(wp.CancelEdit(waiting.name, n))
            else:
                del self._waiting[n]
                self._give_up(waiting, EditCancelledError("The edit was cancelled."))

    def _take(self, waiting: _Waiting) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise StateError("Too many edits wait to be done.", hint="Wait until they are.")
        if waiting.way:
            if not self._waits(waiting.author) and not self._is_reading:
                self._history.step_of(waiting.author, waiting.way)
        elif not self._is_opening(waiting.name):
            self._check(waiting.name, waiting.edit)
        self._last_n += 1
        self._waiting[self._last_n] = waiting
        self._want_worker()
        self.ask()

    def _check(self, name: str, edit: LabelEdit | None) -> LabelEdit:
        info = self._info_of(name)
        if info is None:
            raise StateError(f"There is no segmentation {name!r}.", hint="Add it first.")
        if edit is None:
            raise StateError("There is nothing to do.", hint="Give an edit.")
        check_new_label(edit.label, info.channel)
        if self._history.kept_bytes > MAX_KEPT_BYTES:
            raise ProcessingError(
                f"The edits of this session take more than {MAX_KEPT_BYTES >> 20} MB.",
                hint="Save the labels, and add them again from the file.",
            )
        return edit

    def _is_opening(self, name: str) -> bool:
        """Whether labels are known, and not open yet in a server that took another's place."""
        return bool(self._source_of(name)) and self._info_of(name) is None

    def _waits(self, author: str) -> bool:
        return any(one.author == author for one in self._waiting.values())

    # -------------------------------------------------- worker

    def restart(self) -> None:
        """Hear that a new worker is told what to open."""
        for n, waiting in list(self._waiting.items()):
            waiting.n_workers += waiting.message is not None
            waiting.message = None
            waiting.changes, waiting.n_voxels, waiting.frame_no = [], 0, None
            if waiting.n_workers >= MOST_WORKERS:
                error = WorkerError(
                    f"{MOST_WORKERS} workers ended while they edited labels.",
                    hint="Edit a smaller part at once.",
                )
                self._give_up(self._waiting.pop(n), error)

    def catch_up(self, name: str) -> None:
        """Give a worker that was just told to open labels what was edited in them."""
        for bricks in self.puts_of(name):
            self._supervisor.send(bricks)

    def puts_of(self, name: str) -> Iterator[wp.PutBricks]:
        """Give what a worker that was just told to open labels has to know of their edits."""
        if not self._is_reading:
            for bricks in chunks(self.bricks_of(name)):
                yield wp.PutBricks(name, bricks)

    @property
    def _is_reading(self) -> bool:
        return self._store is not None and self._store.is_reading

    def ask(self) -> None:
        """Have the worker do what waits, once it was told to open the labels.

        What is to be taken back is known when all that its author asked for before is done, and
        whether a label can be when they are open: what comes behind waits as well, so that the
        order stays.
        """
        if self._supervisor.status != "ready" or self._is_reading:
            return
        busy: set[str] = set()
        for n, waiting in list(self._waiting.items()):
            if waiting.message is None:
                if waiting.author in busy if waiting.way else self._is_opening(waiting.name):
                    return
                self._tell_worker(n, waiting)
            busy.add(waiting.author)

    def _tell_worker(self, n: int, waiting: _Waiting) -> None:
        try:
            waiting.message = self._message_of(n, waiting)
        except BlustreamError as exc:
            del self._waiting[n]
            self._give_up(waiting, exc)
            return
        waiting.name = waiting.message.name
        self._supervisor.send(waiting.message)

    def _message_of(self, n: int, waiting: _Waiting) -> wp.EditBricks | wp.RevertBricks:
        if waiting.way:
            step = self._history.step_of(waiting.author, waiting.way)
            changes = step.changes if waiting.way == "undo" else step.turned
            return wp.RevertBricks(step.name, n, changes)
        return wp.EditBricks(waiting.name, n, self._check(waiting.name, waiting.edit))

    def heard(self, message: wp.BricksEdited | wp.EditFailed | wp.EditProgress) -> None:
        """Hear what became of an edit, or how far it is."""
        waiting = self._waiting.get(message.n)
        if waiting is None:
            return
        if isinstance(message, wp.EditProgress):
            self._tell_progress(waiting, message.share)
            return
        if isinstance(message, wp.EditFailed):
            del self._waiting[message.n]
            self._give_up(waiting, from_code(message.code, message.message, message.hint))
        else:
            if waiting.frame_no is None:
                waiting.frame_no = self._frame_no()
            waiting.changes.extend(message.changes)
            waiting.n_voxels += message.n_voxels
            if message.more:
                return
            del self._waiting[message.n]
            self._done(message.name, waiting)
        self.ask()

    def _done(self, name: str, waiting: _Waiting) -> None:
        record = Done(
            name,
            self._source_of(name),
            waiting.author,
            waiting.way,
            tuple(waiting.changes),
            n=waiting.seq if waiting.viewer is None else 0,
            n_voxels=waiting.n_voxels,
        )
        self._history.apply(record)
        # Whoever is told that it is done finds it done in another server too.
        if self._store is None:
            self._tell(name, waiting)
        else:
            self._store.write(record, lambda: self._tell(name, waiting))

    def recover(self, names: Sequence[str]) -> None:
        """Take up what a former server kept of labels of these names."""
        if self._store is not None:
            sources = {name: self._source_of(name) for name in names}
            self._store.recover(sources, lambda: self._recovered(names))

    def _recovered(self, names: Sequence[str]) -> None:
        if self._supervisor.status == "ready":
            for name in names:
                self.catch_up(name)
        for viewer in self._viewers():
            self.welcome(viewer)
        for tell in self._to_tell:
            tell()
        self._to_tell = []
        self.ask()

    def when_recovered(self, tell: Callable[[], None]) -> None:
        """Call `tell` when what a former server kept is here: now, as a rule."""
        if self._is_reading:
            self._to_tell.append(tell)
        else:
            tell()

    async def close(self, *, keeps: bool) -> None:
        """Write what waits; remove what is kept unless another server is to find it."""
        if self._store is not None:
            await self._store.close(keeps=keeps)

    def forget(self, name: str) -> None:
        """Forget labels that were taken away, with what was edited in them."""
        if name in self._history.sources:
            self._history.apply(Forgotten(name))
            if self._store is not None:
                self._store.write(Forgotten(name), lambda: None)
        error = StateError(f"The segmentation {name!r} was taken away.")
        for n in [n for n, one in self._waiting.items() if one.name == name]:
            self._give_up(self._waiting.pop(n), error)

    # -------------------------------------------------- telling

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer who came what it can take back."""
        if any(self._history.can(viewer.author)):
            self._tell_viewer(viewer, "", 0)

    def _tell_progress(self, waiting: _Waiting, share: float | None) -> None:
        if waiting.viewer is None:
            self._kernel.tell_edit_progress(waiting.name, waiting.seq, share)
        else:
            waiting.viewer.send(EditProgress(name=waiting.name, seq=waiting.seq, share=share))

    def _give_up(self, waiting: _Waiting, error: BlustreamError) -> None:
        if waiting.viewer is not None:
            self._refuse(waiting.viewer, waiting.name, waiting.seq, error)
        else:
            self._kernel.tell_edit_refused(waiting.name, waiting.seq, error)

    def _refuse(self, viewer: Viewer, name: str, seq: int, error: BlustreamError) -> None:
        self._note(viewer, seq)
        if not isinstance(error, EditCancelledError):  # that is no news to who wanted it
            viewer.send_error(error)
        self._tell_viewer(viewer, name, 0)

    def _tell(self, name: str, waiting: _Waiting) -> None:
        if waiting.viewer is not None:
            self._note(waiting.viewer, waiting.seq)
        else:
            self._kernel.tell_labels_edited(name, waiting.seq, waiting.n_voxels)
        viewers = list(self._viewers())
        for viewer in viewers:
            self._tell_viewer(viewer, name, waiting.n_voxels, waiting.frame_no)
        peers = {viewer.peer for viewer in viewers}
        self._seqs = {peer: seq for peer, seq in self._seqs.items() if peer in peers}

    def _note(self, viewer: Viewer, seq: int) -> None:
        self._seqs[viewer.peer] = max(self._seqs.get(viewer.peer, 0), seq)

    def _tell_viewer(
        self, viewer: Viewer, name: str, n_voxels: int, frame_no: int | None = None
    ) -> None:
        can_undo, can_redo = self._history.can(viewer.author)
        viewer.send(
            LabelsEdited(
                name=name,
                seq=self._seqs.get(viewer.peer, 0),
                frame_no=self._frame_no() if frame_no is None else frame_no,
                n_voxels=n_voxels,
                can_undo=can_undo,
                can_redo=can_redo,
            )
        )
