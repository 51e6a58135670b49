"""Questions about voxels of annotations: kept until a worker has answered them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from blustream_widget.core import link_annotations as la
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation import Annotation
from blustream_widget.core.annotation_messages import Measure, Measurement
from blustream_widget.core.horizon import TrackedGrid
from blustream_widget.core.horizon_messages import Snapped
from blustream_widget.errors import AnnotationError, BlustreamError, WorkerError

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.supervisor import Supervisor
    from blustream_widget.session.viewer import Viewer

Question: TypeAlias = wp.MeasureVoxels | wp.TrackVoxels | wp.SnapVoxel
Answer: TypeAlias = Measurement | TrackedGrid | Snapped
FromWorker: TypeAlias = wp.MeasuredVoxels | wp.TrackedVoxels | wp.SnappedVoxel

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
        self.on_horizon: Callable[[str, TrackedGrid | Snapped], None] = lambda _owner, _answer: None
        """Gets what the worker answered about horizons, and who had asked."""
        self._waiting: dict[tuple[str, str], Question] = {}
        self._n_asked: Counter[tuple[str, str]] = Counter()

    @property
    def is_busy(self) -> bool:
        """Whether anybody waits for an answer."""
        return bool(self._waiting)

    def ask_by(
        self, viewer: Viewer, message: Measure, item: Annotation | None, channel: int
    ) -> None:
        """Take a viewer's question about a channel, as the volume's source counts them.

        Raises
        ------
        AnnotationError
            There is no such annotation, or too many questions wait.
        """
        owner = str(viewer.peer)
        if message.cancel:
            self.cancel(owner, message.n)
            return
        if item is None:
            raise AnnotationError(
                f"There is no annotation {message.id} to measure.", hint="Put it first."
            )
        self.ask(
            wp.MeasureVoxels(
                owner=owner,
                n=message.n,
                item=item,
                channel=channel,
                want=message.want,
                bins=message.bins,
            )
        )

    def ask_by_kernel(self, message: la.MeasureItem, channel: int) -> None:
        """Take a question of the kernel, as `ask_by`; there need not be a worker yet."""
        if message.cancel:
            self.cancel(KERNEL, message.n)
            return
        question = _kernels(message, channel)
        try:
            self.ask_for_kernel(question)
        except AnnotationError as exc:
            self._tell(KERNEL, _failure(question, exc))

    def ask_for_kernel(self, question: Question) -> None:
        """Ask a worker, which is started if there is none.

        Raises
        ------
        AnnotationError
            Too many questions wait.
        """
        self.ask(question)
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

    def answer(self, message: FromWorker) -> None:
        """Pass an answer on to who asked, unless something newer was asked meanwhile."""
        answer: Answer
        match message:
            case wp.MeasuredVoxels(measurement=answer):
                key = (message.owner, answer.id)
            case wp.TrackedVoxels(grid=answer):
                key = (message.owner, _key_of("track", answer.n))
            case wp.SnappedVoxel(answer=answer):
                key = (message.owner, _key_of("snap", answer.n))
        question = self._waiting.get(key)
        if question is None or question.n != answer.n:
            return
        if isinstance(answer, Snapped) or answer.done:
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
            self._cancel(question)

    def ask(self, question: Question) -> None:
        """Ask the worker, now or when there is one.

        Raises
        ------
        AnnotationError
            Too many questions of its owner wait.
        """
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

    def cancel(self, owner: str, n: int) -> None:
        """Call a question off."""
        for question in list(self._waiting.values()):
            if question.owner == owner and question.n == n:
                self._cancel(question)

    def _cancel(self, question: Question) -> None:
        self._forget(_key(question))
        self._supervisor.send(msgspec.structs.replace(question, cancel=True))

    def _forget(self, key: tuple[str, str]) -> None:
        del self._waiting[key]
        del self._n_asked[key]

    def _tell(self, owner: str, answer: Answer) -> None:
        if not isinstance(answer, Measurement):
            self.on_horizon(owner, answer)
        elif owner == KERNEL:
            self._kernel.tell_measurement(answer)
        elif (viewer := self._viewers.get(int(owner))) is not None:
            viewer.send(answer)


def _kernels(message: la.MeasureItem, channel: int) -> Question:
    return wp.MeasureVoxels(
        owner=KERNEL,
        n=message.n,
        item=message.item,
        channel=channel,
        want=message.want,
        bins=message.bins,
    )


def _key(question: Question) -> tuple[str, str]:
    match question:
        case wp.TrackVoxels():
            return (question.owner, _key_of("track", question.n))
        case wp.SnapVoxel():
            return (question.owner, _key_of("snap", question.n))
        case wp.MeasureVoxels():
            return (question.owner, question.item.id)


def _key_of(what: str, n: int) -> str:
    return f"{what} {n}"  # no annotation's id has a space


def _failure(question: Question, error: BlustreamError) -> Answer:
    if isinstance(question, wp.TrackVoxels):
        return TrackedGrid(n=question.n, done=True, error=str(error))
    if isinstance(question, wp.SnapVoxel):
        return Snapped(n=question.n, error=str(error))
    return Measurement(n=question.n, id=question.item.id, done=True, error=str(error))
