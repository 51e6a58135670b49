"""The annotations of a session: edits in one order, told to all who look and to the kernel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core import link_annotations as la
from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_ledger import Edited, chunks
from blustream_widget.core.annotation_messages import (
    AnnotationEdits,
    Edit,
    EditAnnotations,
    OrderedEdit,
    PutItem,
    RemoveItem,
)
from blustream_widget.core.annotation_set import OWNER, Author, Change
from blustream_widget.errors import AnnotationError, BlustreamError
from blustream_widget.session import access
from blustream_widget.session.session_store import SessionStore
from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.viewer import Viewer

MIRROR_INTERVAL_S = 0.2


class AnnotationBoard:
    """Order, permission, history and telling. Loop thread only.

    Edits apply at once, one after the other; they are told when they are written down, so that what
    anybody was told outlives the server.

    Parameters
    ----------
    viewers : callable
        Gives those who look now.
    kernel : KernelPort
    shape : callable
        Gives the volume's shape; None while it is not open.
    on_edits : callable, optional
        Hears what all who look are told.
    store : SessionStore, optional
        Holds the annotations, perhaps those of a former server; None: they are in memory alone.
    """

    def __init__(
        self,
        *,
        viewers: Callable[[], Iterable[Viewer]],
        kernel: KernelPort,
        shape: Callable[[], tuple[int, int, int] | None],
        on_edits: Callable[[Sequence[OrderedEdit]], None] = lambda _edits: None,
        store: SessionStore | None = None,
    ) -> None:
        self._on_edits = on_edits
        self._viewers = viewers
        self._kernel = kernel
        self._shape = shape
        self._store = SessionStore(None, kernel.tell_error) if store is None else store
        self._ledger = self._store.ledger
        self._items, self._history = self._ledger.items, self._ledger.history
        self._kernel_seq = self._ledger.kernel_seq  # as far as the kernel has been told
        # A former server left them, or the kernel has told what it had, or that there were none.
        self._is_whole = self._store.is_recovered
        self._structural: list[OrderedEdit] = []
        self._changed: dict[str, None] = {}
        self._mirror = Throttle(MIRROR_INTERVAL_S, self._send_mirror)

    @property
    def known_revision(self) -> int:
        """The revision; 0 while the kernel has not given back all that a former server had."""
        return self._ledger.revision if self._is_whole else 0

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

    def set_grid(self, key: str, grid: str, author: str, then: Callable[[], None]) -> None:
        """Give a horizon the grid that was followed from it: one step of its author's history.

        `then` is called when all have been told, the kernel as well.

        Raises
        ------
        BlustreamError
            It is gone, or may not be changed.
        """
        item = self._items.get(key)
        if item is None:
            raise AnnotationError("The horizon was removed while it was followed.")
        edit = PutItem(msgspec.structs.replace(item, grid=grid))

        def told() -> None:
            self._send_mirror()  # the kernel that waits for it finds its name
            then()

        self._edit(Edited(author, time.time() * 1000, (edit,), shape=self._shape()), told)

    def close(self) -> None:
        """Tell nothing more."""
        self._mirror.close()

    # -------------------------------------------------- edits

    def edit_by(self, viewer: Viewer, message: EditAnnotations) -> None:
        """Take a viewer's edits; what is refused is told to it, with how things are."""
        gesture = (f"viewer {viewer.peer}", message.gesture) if message.gesture else None

        def taken() -> None:
            viewer.annotation_seq = max(viewer.annotation_seq, message.seq)

        try:
            edited = Edited(
                self.author_of(viewer),
                time.time() * 1000,
                message.edits,
                message.history,
                gesture,
                self._shape(),
            )
            is_change = self._edit(edited, taken=taken)
        except BlustreamError as exc:
            refused = exc

            def refuse() -> None:
                taken()
                viewer.send_error(refused)
                self._tell(viewer, self._as_they_are(message.edits))

            self._store.in_turn(refuse)
            return
        if not is_change:

            def answer() -> None:
                taken()
                self._tell(viewer, ())  # it waits to hear that its message was taken

            self._store.in_turn(answer)

    def edit_by_kernel(self, message: la.EditItems) -> None:
        """Take the kernel's edits, or those that a former server had."""
        if message.is_restoring:
            self._restore(message)
            return
        if not self._is_whole:
            return  # it comes again, behind what the kernel gives back
        if message.seq <= self._ledger.kernel_seq:
            self._mirror.call()  # sent again after the link broke, and taken already
            return
        gesture = ("kernel", message.gesture) if message.gesture else None

        def taken() -> None:
            self._kernel_seq = max(self._kernel_seq, message.seq)

        def answer() -> None:
            taken()
            self._mirror.call()

        try:
            edited = Edited(
                OWNER,
                message.now_ms or time.time() * 1000,
                message.edits,
                message.history,
                gesture,
                self._shape(),
                message.seq,
            )
            is_change = self._edit(edited, taken=taken)
        except BlustreamError as exc:
            refused = exc

            def refuse() -> None:
                self._kernel.tell_error(refused)
                self._note(self._as_they_are(message.edits))
                answer()

            self._store.in_turn(refuse)
            return
        if not is_change:
            self._store.in_turn(answer)

    def _edit(
        self,
        edited: Edited,
        then: Callable[[], None] = lambda: None,
        *,
        taken: Callable[[], None] = lambda: None,
    ) -> bool:
        """Apply edits, or a step of the history; whether anything changed.

        If so, all are told when it is written down: first `taken` is called, and `then` last.
        """
        change, written = self._ledger.edit(edited)
        if change.is_nothing:
            if edited.history:
                self._store.write(written)  # a step that others have undone already is used up
            return False

        def tell() -> None:
            taken()
            self._changed_by(change)
            then()

        self._store.write(written, tell)
        return True

    def _restore(self, message: la.EditItems) -> None:
        if self._is_whole:
            return  # it was asked for twice, and this is older than what came since
        try:
            author = Author(OWNER, 0.0, is_undoing=True)
            change = self._items.apply(message.edits, author)
            if not change.is_nothing:
                self._ledger.revision += 1
                self._changed_by(change)
        except BlustreamError as exc:
            self._kernel.tell_error(exc)
        if not message.more:
            self._is_whole = True
            if self._items:
                self._store.write_anew()
            self.attach_kernel()

    def _changed_by(self, change: Change) -> None:
        self._note(change.edits, change)
        for viewer in self._viewers():
            self._tell(viewer, change.edits)
        self._on_edits(change.edits)
        self._mirror.call()

    def _as_they_are(self, edits: Sequence[Edit]) -> tuple[OrderedEdit, ...]:
        keys = [edit.item.id if isinstance(edit, PutItem) else edit.id for edit in edits]
        items = [(key, self._items.get(key)) for key in dict.fromkeys(keys)]
        return tuple(RemoveItem(key) if item is None else PutItem(item) for key, item in items)

    # -------------------------------------------------- telling

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer all annotations, from none on."""
        pieces = self._pieces()
        for number, piece in enumerate(pieces):
            self._tell(viewer, piece, reset=number == 0, more=number < len(pieces) - 1)

    def attach_kernel(self) -> None:
        """Tell a kernel that came (again) all annotations, if there ever were any."""
        if not self.known_revision:
            return
        self._structural, self._changed = [], {}
        pieces = self._pieces()
        for number, piece in enumerate(pieces):
            self._tell_kernel(piece, reset=number == 0, more=number < len(pieces) - 1)

    def _pieces(self) -> list[tuple[OrderedEdit, ...]]:
        pieces = chunks(tuple(self._items.values()))
        return [tuple(map(PutItem, piece)) for piece in pieces] or [()]

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
                revision=self._ledger.revision,
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
                revision=self._ledger.revision,
                seq=self._kernel_seq,
                edits=edits,
                reset=reset,
                more=more,
                can_undo=can_undo,
                can_redo=can_redo,
            )
        )
