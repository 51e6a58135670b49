"""The kernel's questions to the worker about voxels of annotations, and who waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from blustream_widget.core import link_annotations as la
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation import Annotation, Points
from blustream_widget.core.annotation_messages import Measurement, Want
from blustream_widget.core.horizon import Gate, TrackedGrid
from blustream_widget.errors import AnnotationError, ProcessingError

_Question: TypeAlias = la.MeasureItem | la.TrackHorizon | la.WantHorizon


class VoxelQuestions:
    """Asks and waits. `measure` and `track` from the kernel's thread, the others from the link's.

    Parameters
    ----------
    session : str
    post : callable
        Sends a message to the server; lost while there is none, then it is sent again.
    order : callable
        Sends one that is not lost.
    """

    def __init__(
        self,
        session: str,
        post: Callable[[lp.ToServer], None],
        order: Callable[[lp.OfOrder], None],
    ) -> None:
        self._session = session
        self._post, self._order = post, order
        self._changed = threading.Condition()
        self._asked: dict[int, _Question] = {}
        self._answers: dict[int, Measurement | TrackedGrid] = {}
        self._n = 0

    def measure(
        self,
        item: Annotation,
        *,
        want: Sequence[Want],
        channel: int | None,
        bins: int,
        timeout_s: float,
    ) -> Measurement:
        """Have the worker measure an annotation, and wait for it.

        Raises
        ------
        AnnotationError
            It cannot be measured, or not in time.
        """
        question = la.MeasureItem(
            session=self._session,
            n=self._next(),
            item=item,
            want=tuple(want),
            channel=channel,
            bins=bins,
        )
        late = AnnotationError(
            f"The {item.kind} was not measured within {timeout_s:g} s.",
            hint="Measure a smaller region, or give timeout_s.",
        )
        answer = self._ask(question, timeout_s, late)
        assert isinstance(answer, Measurement)
        return answer

    def track(
        self,
        seeds: Points,
        gate: Gate,
        *,
        channel: int | None,
        span: int | None,
        item: str | None,
        timeout_s: float,
    ) -> TrackedGrid:
        """Have the worker follow a horizon, and wait for it; `item` gets what is followed.

        Raises
        ------
        ProcessingError
            It cannot be followed, or not in time.
        """
        question = la.TrackHorizon(
            session=self._session,
            n=self._next(),
            seeds=seeds,
            gate=gate,
            channel=channel,
            span=span,
            item=item,
        )
        late = ProcessingError(
            f"The horizon was not followed within {timeout_s:g} s.",
            hint="Give timeout_s, or a smaller span.",
        )
        answer = self._ask(question, timeout_s, late)
        assert isinstance(answer, TrackedGrid)
        return answer

    def horizon(self, name: str, *, timeout_s: float) -> TrackedGrid:
        """Get a grid that the session keeps.

        Raises
        ------
        ProcessingError
            It has none of this name, or does not answer in time.
        """
        question = la.WantHorizon(session=self._session, n=self._next(), name=name)
        late = ProcessingError(f"The server did not answer within {timeout_s:g} s.")
        answer = self._ask(question, timeout_s, late)
        assert isinstance(answer, TrackedGrid)
        return answer

    def _next(self) -> int:
        self._n += 1
        return self._n

    def _ask(
        self, question: _Question, timeout_s: float, late: AnnotationError | ProcessingError
    ) -> Measurement | TrackedGrid:
        n = question.n
        with self._changed:
            self._asked[n] = question
        self._post(question)
        try:
            with self._changed:
                self._changed.wait_for(lambda: n in self._answers, timeout_s)
                answer = self._answers.pop(n, None)
        finally:  # also when the user interrupts
            self._forget(question)
        if answer is None:
            raise late
        if answer.error:
            raise type(late)(answer.error)
        return answer

    def answer(self, answer: Measurement | TrackedGrid) -> None:
        """Take an answer; those on the way to it are not waited for."""
        with self._changed:
            if answer.done and self._asked.pop(answer.n, None) is not None:
                self._answers[answer.n] = answer
                self._changed.notify_all()

    def opened(self) -> None:
        """Ask again: the session may be another one."""
        with self._changed:
            questions = list(self._asked.values())
        for question in questions:
            self._post(question)

    def _forget(self, question: _Question) -> None:
        with self._changed:
            is_open = self._asked.pop(question.n, None) is not None
            self._answers.pop(question.n, None)
        if is_open:
            self._order(msgspec.structs.replace(question, cancel=True))
