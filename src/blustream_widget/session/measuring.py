"""Questions about voxels of annotations: kept until a worker has answered them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import Measure, Measurement
from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.errors import AnnotationError, BlustreamError, WorkerError

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.supervisor import Supervisor
    from blustream_widget.session.viewer import Viewer

Question: TypeAlias = wp.MeasureVoxels | wp.TrackVoxels

KERNEL = "kernel"
MOST_WORKERS = 3
"""A question that so many workers were asked, and did not live to answer, is given up."""
MAX_WAITING = 64
"""Questions of one viewer, or of the kernel, that are not answered yet."""


class Measuring:
    """Passes questions to the worker and answers back. Loop thread only.

    Parameters
    ----------
    supervisor : Supervisor
    viewers : mapping
        By number; the session's own.
    kernel : KernelPort
    """

    def __init__(
        self, supervisor: Supervisor, viewers: Mapping[int, Viewer], kernel: KernelPort
    ) -> None:
        self._supervisor = supervisor
        self._viewers = viewers
        self._kernel = kernel
        self._waiting: dict[tuple[str, str], Question] = {}
        self._n_asked: Counter[tuple[str, str]] = Counter()

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._waiting)

    def ask_by(
        self, viewer: Viewer, message: Measure, item: Annotation | None, channel: int
    ) -> None:
        """Take a viewer's question.

        Raises
        ------
        AnnotationError
            There is no such annotation, or too many questions wait.
        """
        owner = str(viewer.peer)
        if message.cancel:
            self._cancel(owner, message.n)
            return
        if item is None:
            raise AnnotationError(
                f"There is no annotation {message.id} to measure.", hint="Put it first."
            )
        self._ask(
            wp.MeasureVoxels(
                owner=owner,
                n=message.n,
                item=item,
                channel=channel if message.channel is None else message.channel,
                want=message.want,
                bins=message.bins,
            )
        )

    def ask_by_kernel(self, message: lp.MeasureItem | lp.TrackHorizon, channel: int) -> None:
        """Take a question of the kernel; there need not be a worker yet."""
        if message.cancel:
            self._cancel(KERNEL, message.n)
            return
        question = _kernels(message, channel if message.channel is None else message.channel)
        try:
            self._ask(question)
        except AnnotationError as exc:
            self._tell(KERNEL, _failure(question, exc))
            return
        self._supervisor.start()

    def ask_again(self) -> None:
        """Ask a new worker what the last one did not answer."""
        for key, question in list(self._waiting.items()):
            self._n_asked[key] += 1
            if self._n_asked[key] < MOST_WORKERS:
                self._supervisor.send(question)
                continue
            self._forget(key)
            error = WorkerError("The worker process ended each time that it was measured.")
            self._tell(question.owner, _failure(question, error))

    def answer(self, message: wp.MeasuredVoxels | wp.TrackedVoxels) -> None:
        """Pass an answer on to who asked, unless something newer was asked meanwhile."""
        answer = message.measurement if isinstance(message, wp.MeasuredVoxels) else message.grid
        of = answer.id if isinstance(answer, Measurement) else _track_key(answer.n)
        key = (message.owner, of)
        question = self._waiting.get(key)
        if question is None or question.n != answer.n:
            return
        if answer.done:
            self._forget(key)
        self._tell(message.owner, answer)

    def fail(self, error: BlustreamError) -> None:
        """Tell everybody who waits that there is no worker."""
        waiting, self._waiting = self._waiting, {}
        self._n_asked.clear()
        for question in waiting.values():
            self._tell(question.owner, _failure(question, error))

    def forget(self, viewer: Viewer) -> None:
        """Let go of the questions of a viewer who left."""
        owner = str(viewer.peer)
        for question in [q for q in self._waiting.values() if q.owner == owner]:
            self._cancel(owner, question.n)

    def _ask(self, question: Question) -> None:
        key = _key(question)
        n_waiting = sum(owner == question.owner for owner, _ in self._waiting)
        if key not in self._waiting and n_waiting >= MAX_WAITING:
            raise AnnotationError(
                f"{n_waiting} measurements are under way, and no more are taken.",
                hint="Wait for them, or cancel some.",
            )
        self._waiting[key] = question
        self._n_asked[key] = 0
        self._supervisor.send(question)

    def _cancel(self, owner: str, n: int) -> None:
        for key, question in list(self._waiting.items()):
            if question.owner == owner and question.n == n:
                self._forget(key)
                self._supervisor.send(msgspec.structs.replace(question, cancel=True))

    def _forget(self, key: tuple[str, str]) -> None:
        del self._waiting[key]
        del self._n_asked[key]

    def _tell(self, owner: str, answer: Measurement | TrackedGrid) -> None:
        if isinstance(answer, TrackedGrid):
            self._kernel.tell_horizon(answer)
        elif owner == KERNEL:
            self._kernel.tell_measurement(answer)
        elif (viewer := self._viewers.get(int(owner))) is not None:
            viewer.send(answer)


def _kernels(message: lp.MeasureItem | lp.TrackHorizon, channel: int) -> Question:
    if isinstance(message, lp.TrackHorizon):
        return wp.TrackVoxels(
            owner=KERNEL,
            n=message.n,
            seeds=message.seeds,
            channel=channel,
            gate=message.gate,
            span=message.span,
        )
    return wp.MeasureVoxels(
        owner=KERNEL,
        n=message.n,
        item=message.item,
        channel=channel,
        want=message.want,
        bins=message.bins,
    )


def _key(question: Question) -> tuple[str, str]:
    if isinstance(question, wp.TrackVoxels):
        return (question.owner, _track_key(question.n))
    return (question.owner, question.item.id)


def _track_key(n: int) -> str:
    return f"track {n}"  # no annotation's id has a space


def _failure(question: Question, error: BlustreamError) -> Measurement | TrackedGrid:
    if isinstance(question, wp.TrackVoxels):
        return TrackedGrid(n=question.n, done=True, error=str(error))
    return Measurement(n=question.n, id=question.item.id, done=True, error=str(error))
