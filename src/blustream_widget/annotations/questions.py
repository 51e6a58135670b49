"""The kernel's questions to the worker about voxels of annotations, and who waits for them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from blustream_widget.core import link_protocol as lp
from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import Measurement, Want
from blustream_widget.errors import AnnotationError


class MeasureQuestions:
    """Asks and waits. `ask` from the kernel's thread, the others from the link's.

    Parameters
    ----------
    session : str
    post : callable
        Sends a message to the server.
    """

    def __init__(self, session: str, post: Callable[[lp.ToServer], None]) -> None:
        self._session = session
        self._post = post
        self._changed = threading.Condition()
        self._asked: dict[int, lp.MeasureItem] = {}
        self._answers: dict[int, Measurement] = {}
        self._n = 0

    def ask(
        self,
        item: Annotation,
        *,
        want: Sequence[Want],
        channel: int | None,
        bins: int,
        timeout_s: float,
    ) -> Measurement:
        """Ask the worker, and wait for the answer.

        Raises
        ------
        AnnotationError
            It cannot be measured, or not in time.
        """
        self._n += 1
        n = self._n
        question = lp.MeasureItem(
            session=self._session,
            n=n,
            item=item,
            want=tuple(want),
            channel=channel,
            bins=bins,
        )
        with self._changed:
            self._asked[n] = question
        self._post(question)
        try:
            with self._changed:
                self._changed.wait_for(lambda: n in self._answers, timeout_s)
                answer = self._answers.pop(n, None)
        finally:  # also when the user interrupts
            self._forget(question, is_answered=n not in self._asked)
        if answer is None:
            raise AnnotationError(
                f"The {item.kind} was not measured within {timeout_s:g} s.",
                hint="Measure a smaller region, or give timeout_s.",
            )
        if answer.error:
            raise AnnotationError(answer.error)
        return answer

    def answer(self, measurement: Measurement) -> None:
        """Take an answer; those on the way to it are not waited for."""
        with self._changed:
            if measurement.done and self._asked.pop(measurement.n, None) is not None:
                self._answers[measurement.n] = measurement
                self._changed.notify_all()

    def opened(self) -> None:
        """Ask again: the session may be another one."""
        with self._changed:
            questions = list(self._asked.values())
        for question in questions:
            self._post(question)

    def _forget(self, question: lp.MeasureItem, *, is_answered: bool) -> None:
        with self._changed:
            self._asked.pop(question.n, None)
            self._answers.pop(question.n, None)
        if not is_answered:
            self._post(
                lp.MeasureItem(session=self._session, n=question.n, item=question.item, cancel=True)
            )
