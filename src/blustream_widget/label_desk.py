"""Asks for edits of labels and waits for them; opens labels with what was edited in them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.config import load_config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.label_edit import Brick, History, LabelEdit
from blustream_widget.core.segmentation import SegmentationSource
from blustream_widget.errors import BlustreamError, ProcessingError, from_code

if TYPE_CHECKING:
    from blustream_widget.core.types import VolumeInfo, VolumeRef
    from blustream_widget.data.edited_labels import EditedLabels


class EditDesk:
    """Questions about edits of one viewer's labels, and what became of them. Any thread.

    Parameters
    ----------
    session : str
    tell : callable
        Sends a message to the server.
    """

    def __init__(self, session: str, tell: Callable[[lp.ToServer], None]) -> None:
        self._session = session
        self._tell = tell
        self._news = threading.Condition()
        self._numbers = itertools.count(1)
        self._answers: dict[int, int | BlustreamError | None] = {}
        self._bricks: dict[int, list[tuple[Brick, bytes]]] = {}

    def edit(self, name: str, edit: LabelEdit | None, history: History, timeout_s: float) -> int:
        """Edit labels, and wait until it is done; gives the number of voxels that changed.

        Raises
        ------
        StateError, ProcessingError
            It cannot be; nothing was changed.
        """
        n = next(self._numbers)
        question = lp.EditLabels(session=self._session, name=name, n=n, edit=edit, history=history)
        return self._ask(n, question, f"The labels of {name!r} were not edited", timeout_s)

    def bricks(self, name: str, timeout_s: float) -> list[tuple[Brick, bytes]]:
        """Fetch what was edited in labels, packed."""
        n = next(self._numbers)
        self._bricks[n] = []
        question = lp.FetchBricks(session=self._session, name=name, n=n)
        try:
            self._ask(n, question, f"The edits of {name!r} did not come", timeout_s)
            return self._bricks[n]
        finally:
            del self._bricks[n]

    def hear(self, message: lp.ToKernel) -> None:
        """Hear the server; what is not about edits is passed over."""
        match message:
            case lp.LabelsEdited(n=n, n_voxels=n_voxels):
                self._answer(n, n_voxels)
            case lp.EditRefused(n=n, code=code, message=text, hint=hint):
                self._answer(n, from_code(code, text, hint))
            case lp.EditedBricks(n=n, bricks=bricks, more=more):
                if n in self._bricks:
                    self._bricks[n].extend(bricks)
                    if not more:
                        self._answer(n, len(self._bricks[n]))
            case _:
                pass

    def _answer(self, n: int, answer: int | BlustreamError) -> None:
        with self._news:
            if n in self._answers:
                self._answers[n] = answer
                self._news.notify_all()

    def _ask(self, n: int, question: lp.ToServer, failure: str, timeout_s: float) -> int:
        with self._news:
            self._answers[n] = None
            self._tell(question)
            self._news.wait_for(lambda: self._answers[n] is not None, timeout_s)
            answer = self._answers.pop(n)
        if isinstance(answer, BlustreamError):
            raise answer
        if answer is None:
            raise ProcessingError(
                f"{failure} within {timeout_s:g} s.", hint="Give a longer timeout_s."
            )
        return answer


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
