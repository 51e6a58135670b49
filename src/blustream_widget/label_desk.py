"""Asks for edits of labels and waits for them; opens labels with what was edited in them."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from blustream_widget.config import load_config
from blustream_widget.core import link_labels as ll
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.label_edit import Brick, History, LabelEdit
from blustream_widget.core.segmentation import SegmentationSource
from blustream_widget.errors import BlustreamError, ProcessingError, from_code
from blustream_widget.link_orders import export_note

if TYPE_CHECKING:
    from blustream_widget.core.types import VolumeInfo, VolumeRef
    from blustream_widget.data.edited_labels import EditedLabels


Progress: TypeAlias = Callable[[float | None, str], None]
"""Gets the share that is done, 0 to 1, or None where nobody can know it, and a line for people."""


@dataclass(slots=True)
class _Asked:
    """A question, and what is known of its answer."""

    message: ll.EditLabels | ll.FetchBricks
    answer: int | BlustreamError | None = None
    share: float | None = None
    n_news: int = 0
    bricks: list[tuple[Brick, bytes]] = field(default_factory=list)


class EditDesk:
    """Questions about edits of one viewer's labels, and what became of them. Any thread.

    Parameters
    ----------
    session : str
    tell : callable
        Sends a message to the server; lost while there is none, then it is sent again.
    order : callable
        Sends one that is not lost.
    """

    def __init__(
        self,
        session: str,
        tell: Callable[[lp.ToServer], None],
        order: Callable[[lp.OfOrder], None],
    ) -> None:
        self._session = session
        self._tell, self._order = tell, order
        self._news = threading.Condition()
        self._numbers = itertools.count(1)
        self._asked: dict[int, _Asked] = {}

    def edit(
        self,
        name: str,
        edit: LabelEdit | None,
        history: History,
        timeout_s: float,
        progress: Progress | None = None,
    ) -> int:
        """Edit labels, and wait until it is done; gives the number of voxels that changed.

        `progress` gets the share that is done, or None where nobody can know it, and a line for
        people. What it raises, Ctrl + C and the end of the time cancel the edit.

        Raises
        ------
        StateError, ProcessingError
            It cannot be; nothing was changed.
        """
        n = next(self._numbers)
        question = ll.EditLabels(session=self._session, name=name, n=n, edit=edit, history=history)
        words = f"editing {name}"

        def show(share: float | None) -> None:
            if progress is not None:
                progress(share, words)

        asked = self._ask(question, f"The labels of {name!r} were not edited", timeout_s, show)
        assert isinstance(asked.answer, int)
        return asked.answer

    def bricks(self, name: str, timeout_s: float) -> list[tuple[Brick, bytes]]:
        """Fetch what was edited in labels, packed."""
        question = ll.FetchBricks(session=self._session, name=name, n=next(self._numbers))
        return self._ask(question, f"The edits of {name!r} did not come", timeout_s).bricks

    def exported(self) -> None:
        """Say that labels were written, for the record."""
        self._order(export_note(self._session, "exported labels"))

    def hear(self, message: lp.ToKernel) -> None:
        """Hear the server; what is not about edits is passed over."""
        match message:
            case ll.LabelsEdited(n=n, n_voxels=n_voxels):
                self._note(n, answer=n_voxels)
            case ll.EditProgress(n=n, share=share):
                self._note(n, share=share)
            case ll.EditRefused(n=n, code=code, message=text, hint=hint):
                self._note(n, answer=from_code(code, text, hint))
            case ll.EditedBricks(n=n, bricks=bricks, more=more):
                if n in self._asked:
                    self._asked[n].bricks.extend(bricks)
                    if not more:
                        self._note(n, answer=0)
            case lp.SessionOpened():
                self._ask_again()
            case _:
                pass

    def _ask_again(self) -> None:
        """Ask a server that took another's place, which does nothing twice."""
        with self._news:
            asked = [one for one in self._asked.values() if one.answer is None]
        for one in asked:
            one.bricks = []
            self._tell(one.message)

    def _note(
        self,
        n: int,
        *,
        answer: int | BlustreamError | None = None,
        share: float | None = None,
    ) -> None:
        with self._news:
            asked = self._asked.get(n)
            if asked is not None:
                asked.answer = asked.answer if answer is None else answer
                asked.share = share
                asked.n_news += 1
                self._news.notify_all()

    def _ask(
        self,
        question: ll.EditLabels | ll.FetchBricks,
        failure: str,
        timeout_s: float,
        on_progress: Callable[[float | None], None] = lambda _share: None,
    ) -> _Asked:
        asked = _Asked(question)
        with self._news:
            self._asked[question.n] = asked
        self._tell(question)
        try:
            self._wait(asked, timeout_s, on_progress)
        finally:  # also when the user interrupts
            with self._news:
                del self._asked[question.n]
            if asked.answer is None and isinstance(question, ll.EditLabels):
                self._order(ll.CancelEdit(session=self._session, n=question.n))
        if isinstance(asked.answer, BlustreamError):
            raise asked.answer
        if asked.answer is None:
            raise ProcessingError(
                f"{failure} within {timeout_s:g} s.", hint="Give a longer timeout_s."
            )
        return asked

    def _wait(
        self, asked: _Asked, timeout_s: float, on_progress: Callable[[float | None], None]
    ) -> None:
        end_s = time.monotonic() + timeout_s
        n_seen = 0
        while asked.answer is None and (left_s := end_s - time.monotonic()) > 0:
            with self._news:
                self._news.wait_for(lambda: asked.n_news > n_seen, left_s)  # noqa: B023  at once
                is_news, n_seen = asked.n_news > n_seen, asked.n_news
            if is_news and asked.answer is None:
                on_progress(asked.share)


class LabelStore:
    """Reads labels with what was edited in them, in this process.

    Parameters
    ----------
    source : SegmentationSource
    shown : callable
        Gives what the viewer shows now.
    shown_ref : VolumeRef
        Where that is from.
    """

    def __init__(
        self, source: SegmentationSource, shown: Callable[[], VolumeInfo], shown_ref: VolumeRef
    ) -> None:
        self._source = source
        self._shown = shown
        self._shown_ref = shown_ref

    @contextmanager
    def opened(self, bricks: list[tuple[Brick, bytes]]) -> Iterator[tuple[EditedLabels, int]]:
        """Open the labels, and lay edited bricks over them; gives them and their channel.

        Raises
        ------
        VolumeNotFoundError, VolumeAccessError, VolumeFormatError
            They are not there any more.
        """
        from blustream_widget.data import open_source
        from blustream_widget.data.edited_labels import edited, unpack_brick
        from blustream_widget.data.label_volume import as_labels
        from blustream_widget.data.new_labels import NewLabels

        asked, channel = self._source, self._source.channel
        if asked.new is not None:
            labels = edited(NewLabels(self._shown(), asked.name, asked.new, asked.names), channel)
            opened = None
        else:
            ref = asked.ref or self._shown_ref
            opened = open_source(ref, load_config())
            labels = edited(as_labels(opened, ref, channel), channel)
        try:
            dtype = labels.info.channels[channel].dtype
            labels.put(
                {brick: unpack_brick(data, labels.shape_of(brick), dtype) for brick, data in bricks}
            )
            yield labels, channel
        finally:
            labels.close()
            if opened is not None:
                opened.close()

    def grid(self, info: VolumeInfo) -> VolumeInfo:
        """Give info with the shown volume's place, where the labels have none of their own."""
        shown = self._shown()
        if info.affine is not None or info.shape != shown.shape:
            return info
        return msgspec.structs.replace(
            info,
            axes=shown.axes,
            affine=shown.affine,
            world_unit=shown.world_unit,
            kind=shown.kind,
        )
