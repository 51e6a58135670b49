"""The annotations of a session: edits in one order, told to all who look and to the kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_history import AnnotationHistory
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    Edit,
    EditAnnotations,
    OrderedEdit,
    PutItem,
    RemoveItem,
)
from blustream_widget.core.annotation_set import OWNER, AnnotationSet, Author, Change
from blustream_widget.errors import AnnotationError, BlustreamError
from blustream_widget.session import access
from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.viewer import Viewer

MIRROR_INTERVAL_S = 0.2
_CHUNK_POINTS = 4000  # of one message: a quarter of a megabyte


class AnnotationBoard:
    """Order, permission, history and telling. Loop thread only.

    Parameters
    ----------
    viewers : callable
        Gives those who look now.
    kernel : KernelPort
    shape : callable
        Gives the volume's shape; None while it is not open.
    on_edits : callable, optional
        Hears what all who look are told.
    """

    def __init__(
        self,
        *,
        viewers: Callable[[], Iterable[Viewer]],
        kernel: KernelPort,
        shape: Callable[[], tuple[int, int, int] | None],
        on_edits: Callable[[Sequence[OrderedEdit]], None] = lambda _edits: None,
    ) -> None:
        self._on_edits = on_edits
        self._viewers = viewers
        self._kernel = kernel
        self._shape = shape
        self._items = AnnotationSet()
        self._history = AnnotationHistory()
        self._kernel_seq = 0
        self.revision = 0
        """Grows by one with every change."""
        # The kernel has told what a former server had, or that there was none.
        self._is_whole = False
        self._structural: list[OrderedEdit] = []
        self._changed: dict[str, None] = {}
        self._mirror = Throttle(MIRROR_INTERVAL_S, self._send_mirror)

    @property
    def known_revision(self) -> int:
        """The revision; 0 while the kernel has not given back all that a former server had."""
        return self.revision if self._is_whole else 0

    def find(self, key: str) -> Annotation | None:
        """Return the annotation of this id."""
        return self._items.get(key)

    @property
    def items(self) -> tuple[Annotation, ...]:
        """All annotations, in their order."""
        return tuple(self._items.values())

    def author_of(self, viewer: Viewer) -> str:
        """Name that a viewer's annotations bear.

        Raises
        ------
        NotDriverError
            It may look only.
        """
        if not access.may(viewer.role, EditAnnotations):
            raise access.refusal(viewer.role, EditAnnotations)
        return viewer.author

    def check_may_change(self, author: str, item: Annotation) -> None:
        """Refuse what an edit of this annotation would be refused for.

        Raises
        ------
        BlustreamError
        """
        self._items.check_may_change(item.id, Author(author, time.time() * 1000, self._shape()))

    def set_grid(self, key: str, grid: str, author: str) -> None:
        """Give a horizon the grid that was followed from it: one step of its author's history.

        Raises
        ------
        BlustreamError
            It is gone, or may not be changed.
        """
        item = self._items.get(key)
        if item is None:
            raise AnnotationError("The horizon was removed while it was followed.")
        edit = PutItem(msgspec.structs.replace(item, grid=grid))
        self._edit(author, (edit,), history="", gesture=None)
        self._send_mirror()  # the kernel that waits for it finds its name

    def close(self) -> None:
        """Tell nothing more."""
        self._mirror.close()

    # -------------------------------------------------- edits

    def edit_by(self, viewer: Viewer, message: EditAnnotations) -> None:
        """Take a viewer's edits; what is refused is told to it, with how things are."""
        viewer.annotation_seq = max(viewer.annotation_seq, message.seq)
        try:
            author = self.author_of(viewer)
            gesture = (f"viewer {viewer.peer}", message.gesture) if message.gesture else None
            is_change = self._edit(author, message.edits, history=message.history, gesture=gesture)
        except BlustreamError as exc:
            viewer.send_error(exc)
            self._tell(viewer, self._as_they_are(message.edits))
            return
        if not is_change:
            self._tell(viewer, ())  # it waits to hear that its message was taken

    def edit_by_kernel(self, message: lp.EditItems) -> None:
        """Take the kernel's edits, or those that a former server had."""
        if message.is_restoring:
            self._restore(message)
            return
        if not self._is_whole:
            return  # it comes again, behind what the kernel gives back
        if message.seq <= self._kernel_seq:
            self._mirror.call()  # sent again after the link broke, and taken already
            return
        self._kernel_seq = max(self._kernel_seq, message.seq)
        gesture = ("kernel", message.gesture) if message.gesture else None
        try:
            self._edit(
                OWNER,
                message.edits,
                history=message.history,
                gesture=gesture,
                now_ms=message.now_ms,
            )
        except BlustreamError as exc:
            self._kernel.tell_error(exc)
            self._note(self._as_they_are(message.edits))
        self._mirror.call()

    def _edit(
        self,
        author: str,
        edits: Sequence[Edit],
        *,
        history: str,
        gesture: tuple[str, int] | None,
        now_ms: float | None = None,
    ) -> bool:
        """Apply edits, or a step of the history; whether anything changed."""
        by = Author(author, now_ms or time.time() * 1000, self._shape(), is_undoing=bool(history))
        if history:
            take = self._history.undo if history == "undo" else self._history.redo
            change = self._items.apply(take(author, self._items), by)
        else:
            change = self._items.apply(edits, by)
            self._history.add(author, change, gesture)
        return self._changed_by(change)

    def _restore(self, message: lp.EditItems) -> None:
        if self._is_whole:
            return  # it was asked for twice, and this is older than what came since
        try:
            author = Author(OWNER, 0.0, is_undoing=True)
            self._changed_by(self._items.apply(message.edits, author))
        except BlustreamError as exc:
            self._kernel.tell_error(exc)
        if not message.more:
            self._is_whole = True
            self.attach_kernel()

    def _changed_by(self, change: Change) -> bool:
        if change.is_nothing:
            return False
        self.revision += 1
        self._note(change.edits, change)
        for viewer in self._viewers():
            self._tell(viewer, change.edits)
        self._on_edits(change.edits)
        self._mirror.call()
        return True

    def _as_they_are(self, edits: Sequence[Edit]) -> tuple[OrderedEdit, ...]:
        keys = [edit.item.id if isinstance(edit, PutItem) else edit.id for edit in edits]
        items = [(key, self._items.get(key)) for key in dict.fromkeys(keys)]
        return tuple(RemoveItem(key) if item is None else PutItem(item) for key, item in items)

    # -------------------------------------------------- telling

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer all annotations, from none on."""
        chunks = list(_chunks(list(self._items.values()))) or [()]
        for number, chunk in enumerate(chunks):
            self._tell(viewer, chunk, reset=number == 0, more=number < len(chunks) - 1)

    def attach_kernel(self) -> None:
        """Tell a kernel that came (again) all annotations, if there ever were any."""
        if not self.known_revision:
            return
        self._structural, self._changed = [], {}
        chunks = list(_chunks(list(self._items.values()))) or [()]
        for number, chunk in enumerate(chunks):
            self._tell_kernel(chunk, reset=number == 0, more=number < len(chunks) - 1)

    def _tell(
        self,
        viewer: Viewer,
        edits: tuple[OrderedEdit, ...],
        *,
        reset: bool = False,
        more: bool = False,
    ) -> None:
        can_undo, can_redo = self._history.can(viewer.author)
        viewer.send(
            AnnotationEdits(
                revision=self.revision,
                seq=viewer.annotation_seq,
                edits=edits,
                reset=reset,
                more=more,
                can_undo=can_undo,
                can_redo=can_redo,
            )
        )

    def _note(self, edits: Sequence[OrderedEdit], change: Change | None = None) -> None:
        """Remember what the kernel has to hear: who comes and goes, and who is other now."""
        gone = set()
        for edit in edits:
            if isinstance(edit, RemoveItem):
                gone.add(edit.id)
                self._structural.append(edit)
                self._changed.pop(edit.id, None)
                continue
            key = edit.item.id if isinstance(edit, PutItem) else edit.id
            is_new = change is None or change.old[key].item is None or key in gone
            if isinstance(edit, PutItem) and is_new:
                self._structural.append(edit)
            else:
                self._changed[key] = None

    def _send_mirror(self) -> None:
        edits = [*self._structural]
        edits += [PutItem(self._items[key]) for key in self._changed if key in self._items]
        self._structural, self._changed = [], {}
        self._tell_kernel(tuple(edits))

    def _tell_kernel(
        self, edits: tuple[OrderedEdit, ...], *, reset: bool = False, more: bool = False
    ) -> None:
        can_undo, can_redo = self._history.can(OWNER)
        self._kernel.tell_annotations(
            AnnotationEdits(
                revision=self.revision,
                seq=self._kernel_seq,
                edits=edits,
                reset=reset,
                more=more,
                can_undo=can_undo,
                can_redo=can_redo,
            )
        )


def _chunks(items: Sequence[Annotation]) -> Iterable[tuple[OrderedEdit, ...]]:
    chunk: list[OrderedEdit] = []
    n_points = 0
    for item in items:
        if chunk and (n_points + len(item.points) > _CHUNK_POINTS or len(chunk) >= 1000):
            yield tuple(chunk)
            chunk, n_points = [], 0
        chunk.append(PutItem(item))
        n_points += len(item.points)
    if chunk:
        yield tuple(chunk)
