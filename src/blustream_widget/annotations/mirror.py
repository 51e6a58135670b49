"""The kernel's copy of a session's annotations: what the server said, and its own edits on top."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation_messages import Edit, PutItem
from blustream_widget.core.annotation_set import OWNER, AnnotationSet, Author
from blustream_widget.errors import BlustreamError, TransportError

logger = logging.getLogger(__name__)

_CHUNK_BYTES = 400_000  # of one message, about: others' messages need not wait long
_POINT_BYTES, _EDIT_BYTES, _LETTER_BYTES = 64, 400, 6
_ANSWER_S = 10.0

Shape = tuple[int, int, int]


class AnnotationMirror:
    """Edits apply here at once and are posted; what the server makes of them wins.

    Parameters
    ----------
    session : str
    post : callable
        Sends a message to the server; lost while there is none, then it is sent again.
    on_news : callable
        Called on the link thread when `items` may have changed.

    Notes
    -----
    `try_out`, `post`, `roll_back` and `take_back` belong to the kernel's thread, `hear` and
    `opened` to the link's.
    """

    def __init__(
        self, session: str, post: Callable[[lp.ToServer], None], on_news: Callable[[], None]
    ) -> None:
        self._session = session
        self._post = post
        self._on_news = on_news
        self._changed = threading.Condition()  # guards all below
        self._confirmed = AnnotationSet()
        self._coming: AnnotationSet | None = None  # all of them anew, of which the rest follows
        self._confirmed_seq = 0
        self._pending: list[la.EditItems] = []
        self._tried: list[tuple[Sequence[Edit], Author]] = []  # and neither posted nor rolled back
        self._items = AnnotationSet()
        self._seq = 0
        self._gesture = 0
        self.can_undo = self.can_redo = False

    @property
    def items(self) -> AnnotationSet:
        """The annotations as they are now; not to be changed."""
        return self._items

    def next_gesture(self) -> int:
        """Make the number for edits that are one step of undo."""
        self._gesture += 1
        return self._gesture

    def try_out(self, edits: Sequence[Edit], author: Author) -> None:
        """Apply edits here alone; `post` or `roll_back` follows.

        Raises
        ------
        AnnotationError
            An edit is not valid; nothing was changed.
        """
        with self._changed:
            self._items.apply(edits, author)
            self._tried.append((edits, author))

    def roll_back(self) -> None:
        """Forget what was tried out."""
        with self._changed:
            self._tried = []
            self._rebuild()

    def post(self, edits: Sequence[Edit], author: Author, *, gesture: int) -> None:
        """Send edits, all that were tried out, as one step of undo."""
        with self._changed:
            self._tried = []
            for chunk in _chunks(edits):
                self._send(
                    la.EditItems(
                        session=self._session,
                        seq=self._next_seq(),
                        edits=chunk,
                        gesture=gesture,
                        now_ms=author.now_ms,
                    )
                )

    def take_back(self, what: Literal["undo", "redo"]) -> bool:
        """Have the server undo or redo a step, and wait for what it makes of it.

        Raises
        ------
        TransportError
            It does not answer.
        """
        before = dict(self._items)
        message = la.EditItems(session=self._session, seq=self._next_seq(), history=what)
        self._send(message)
        with self._changed:
            answered = self._changed.wait_for(lambda: self._confirmed_seq >= message.seq, _ANSWER_S)
            if not answered:
                self._pending.remove(message)
                raise TransportError(
                    "The server did not answer.", hint="It may be starting: try again."
                )
            return before != dict(self._items)

    # -------------------------------------------------- link thread

    def opened(self, revision: int) -> None:
        """Hear that the session is open, perhaps in another server, which knows nothing."""
        with self._changed:  # nothing else may come in between
            self._coming = None
            if not revision:
                self._restore()
            for message in self._pending:
                self._post(message)

    def hear(self, message: la.Annotations) -> None:
        """Take what the server says."""
        said = message.edits
        with self._changed:
            if said.reset:
                self._coming = AnnotationSet()
            try:
                (self._confirmed if self._coming is None else self._coming).follow(said.edits)
            except BlustreamError as exc:
                logger.warning("A change of the annotations is skipped: %s", exc)
            if said.more:
                return
            if self._coming is not None:
                self._confirmed, self._coming = self._coming, None
            self._confirmed_seq = max(self._confirmed_seq, said.seq)
            self._pending = [edit for edit in self._pending if edit.seq > said.seq]
            self.can_undo, self.can_redo = said.can_undo, said.can_redo
            self._rebuild()
            self._changed.notify_all()
        self._on_news()

    # -------------------------------------------------- within

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _send(self, message: la.EditItems) -> None:
        with self._changed:
            self._pending.append(message)
            self._post(message)

    def _restore(self) -> None:
        """Give all that is known to a server that knows nothing."""
        chunks = list(_chunks([PutItem(item) for item in self._confirmed.values()])) or [()]
        for number, chunk in enumerate(chunks, 1):
            self._post(
                la.EditItems(
                    session=self._session,
                    seq=0,
                    edits=chunk,
                    is_restoring=True,
                    more=number < len(chunks),
                )
            )

    def _rebuild(self) -> None:
        items = self._confirmed.copy()
        sent = [(message.edits, Author(OWNER, message.now_ms)) for message in self._pending]
        for edits, author in (*sent, *self._tried):
            try:
                items.apply(edits, author)
            except BlustreamError as exc:
                # Somebody else's came first: the server will refuse it too, and say so.
                logger.debug("An edit does not fit any more: %s", exc)
        self._items = items


def _chunks(edits: Sequence[Edit]) -> Iterator[tuple[Edit, ...]]:
    chunk: list[Edit] = []
    n_bytes = 0
    for edit in edits:
        size = _EDIT_BYTES
        if isinstance(edit, PutItem):
            item = edit.item
            size += _POINT_BYTES * len(item.points)
            size += _LETTER_BYTES * (len(item.text) + len(item.label) + len(item.group))
        if chunk and n_bytes + size > _CHUNK_BYTES:
            yield tuple(chunk)
            chunk, n_bytes = [], 0
        chunk.append(edit)
        n_bytes += size
    if chunk:
        yield tuple(chunk)
