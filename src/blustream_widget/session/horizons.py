"""Horizons of a session: picks that snap, what was followed from them, and the grids of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from blustream_widget.core import link_annotations as la
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.annotation import Annotation, new_id
from blustream_widget.core.horizon import Gate, TrackedGrid
from blustream_widget.core.horizon_grid import HorizonGrid
from blustream_widget.core.horizon_messages import (
    GridOfHorizon,
    Snap,
    Snapped,
    Track,
    Tracking,
    WantGrid,
)
from blustream_widget.errors import AnnotationError, BlustreamError
from blustream_widget.session.grid_store import GridStore
from blustream_widget.session.measuring import KERNEL

if TYPE_CHECKING:
    from blustream_widget.session.annotations import AnnotationBoard
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.measuring import Measuring
    from blustream_widget.session.viewer import Viewer

FromViewer: TypeAlias = Snap | Track | WantGrid
FromKernel: TypeAlias = la.TrackHorizon | la.WantHorizon


@dataclass(frozen=True, slots=True)
class _Followed:
    """Which annotation gets what is followed, and who wanted it."""

    item: str
    author: str


class Horizons:
    """Asks the worker through `Measuring`, and keeps what was followed. Loop thread only.

    Parameters
    ----------
    measuring : Measuring
        Its answers about horizons come here.
    annotations : AnnotationBoard
    viewers : mapping
        By number; the session's own.
    kernel : KernelPort
    channel : callable
        Gives the number of a channel, or for None of the shown one, at the shown step: as a
        source counts them.
    grids : GridStore, optional
        Default: one in memory.
    """

    def __init__(
        self,
        *,
        measuring: Measuring,
        annotations: AnnotationBoard,
        viewers: Mapping[int, Viewer],
        kernel: KernelPort,
        channel: Callable[[int | None, Viewer | None], int],
        grids: GridStore | None = None,
    ) -> None:
        self._measuring = measuring
        self._annotations = annotations
        self._viewers = viewers
        self._kernel = kernel
        self._channel = channel
        self._grids = grids or GridStore(None)
        self._grids.recover()
        self._followed: dict[tuple[str, int], _Followed] = {}
        measuring.on_horizon = self._heard

    # -------------------------------------------------- questions

    def receive(self, viewer: Viewer, message: FromViewer) -> None:
        """Take a viewer's question.

        Raises
        ------
        AnnotationError
            There is no such horizon, it may not be changed, or too many questions wait.
        NotDriverError
            The viewer may look only.
        """
        match message:
            case Snap():
                self._snap(viewer, message)
            case Track(cancel=True):
                self._cancel(str(viewer.peer), message.n)
            case Track():
                self._track(viewer, message)
            case WantGrid(name=name):
                self._grids.when_read(
                    lambda: viewer.send(_grid_message(name, self._grids.get(name)))
                )

    def receive_of_kernel(self, message: FromKernel) -> None:
        """Take a question of the kernel; there need not be a worker yet."""
        if isinstance(message, la.WantHorizon):
            if not message.cancel:
                self._grids.when_read(
                    lambda: self._kernel.tell_horizon(
                        _answer(message.n, self._grids.get(message.name))
                    )
                )
        elif message.cancel:
            self._cancel(KERNEL, message.n)
        else:
            self._track_for_kernel(message)

    def _snap(self, viewer: Viewer, message: Snap) -> None:
        self._measuring.ask(
            wp.SnapVoxel(
                owner=str(viewer.peer),
                n=message.n,
                place=message.place,
                channel=self._channel(message.channel, viewer),
                gate=Gate(event=message.event, reach=message.reach),
            )
        )

    def _track(self, viewer: Viewer, message: Track) -> None:
        author = self._annotations.author_of(viewer)
        item = self._horizon(message.id)
        self._annotations.check_may_change(author, item)
        is_section = message.over == "section"
        question = wp.TrackVoxels(
            owner=str(viewer.peer),
            n=message.n,
            seeds=item.points,
            channel=self._channel(message.channel, viewer),
            gate=Gate(event=message.event, reach=message.reach),
            line=(message.axis, message.line) if is_section else None,
            onto=self._grids.get(item.grid) if is_section else None,
            packs=True,
            is_plain=False,
        )
        self._measuring.ask(question)
        self._followed[question.owner, question.n] = _Followed(item.id, author)

    def _track_for_kernel(self, message: la.TrackHorizon) -> None:
        question = wp.TrackVoxels(
            owner=KERNEL,
            n=message.n,
            seeds=message.seeds,
            channel=self._channel(message.channel, None),
            gate=message.gate,
            span=message.span,
            packs=message.item is not None,
        )
        try:
            if message.item is not None:
                item = self._horizon(message.item)
                self._followed[KERNEL, message.n] = _Followed(item.id, "owner")
            self._measuring.ask_for_kernel(question)
        except BlustreamError as exc:
            self._followed.pop((KERNEL, message.n), None)
            self._kernel.tell_horizon(TrackedGrid(message.n, done=True, error=str(exc)))

    def _cancel(self, owner: str, n: int) -> None:
        self._followed.pop((owner, n), None)
        self._measuring.cancel(owner, n)

    def _horizon(self, key: str) -> Annotation:
        item = self._annotations.find(key)
        if item is None or item.kind != "horizon":
            raise AnnotationError(f"There is no horizon {key} to follow.", hint="Pick one first.")
        return item

    # -------------------------------------------------- answers

    async def close(self) -> None:
        """Write what is to be kept."""
        await self._grids.close()

    def forget(self, viewer: Viewer) -> None:
        """Let go of what a viewer who left wanted to follow."""
        owner = str(viewer.peer)
        self._followed = {key: of for key, of in self._followed.items() if key[0] != owner}

    def _heard(self, owner: str, answer: TrackedGrid | Snapped) -> None:
        if isinstance(answer, Snapped):
            if (viewer := self._viewer(owner)) is not None:
                viewer.send(answer)
            return
        followed = self._followed.get((owner, answer.n))

        def tell(error: str) -> None:
            self._tell(owner, followed, answer, error)

        if answer.done and followed is not None:
            del self._followed[owner, answer.n]
            if not answer.error and answer.packed is not None:
                self._keep(followed, answer.packed, tell)
                return
        tell(answer.error)

    def _tell(
        self, owner: str, followed: _Followed | None, answer: TrackedGrid, error: str
    ) -> None:
        if owner == KERNEL:
            self._kernel.tell_horizon(_plain(answer, error))
        elif (viewer := self._viewer(owner)) is not None and followed is not None:
            viewer.send(
                Tracking(
                    n=answer.n,
                    id=followed.item,
                    progress=answer.progress,
                    done=answer.done,
                    n_picked=answer.packed.n_picked if answer.packed else 0,
                    error=error,
                )
            )

    def _viewer(self, owner: str) -> Viewer | None:
        return None if owner == KERNEL else self._viewers.get(int(owner))

    def _keep(self, followed: _Followed, grid: HorizonGrid, then: Callable[[str], None]) -> None:
        """Give the annotation its grid; `then` hears why that cannot be, or ""."""
        name = new_id()[:12]
        self._grids.put(name, grid)
        try:
            self._annotations.set_grid(followed.item, name, followed.author, lambda: then(""))
        except BlustreamError as exc:
            self._grids.drop(name)
            then(str(exc))


def _plain(answer: TrackedGrid, error: str) -> TrackedGrid:
    return TrackedGrid(
        answer.n,
        progress=answer.progress,
        done=answer.done,
        shape=answer.shape,
        samples=answer.samples,
        likeness=answer.likeness,
        amplitude=answer.amplitude,
        error=error,
    )


def _answer(n: int, grid: HorizonGrid | None) -> TrackedGrid:
    error = "" if grid else "The session does not have this horizon any more: follow it again."
    return TrackedGrid(n, progress=1.0, done=True, packed=grid, error=error)


def _grid_message(name: str, grid: HorizonGrid | None) -> GridOfHorizon:
    if grid is None:
        return GridOfHorizon(name=name)
    return GridOfHorizon(
        name=name,
        shape=grid.shape,
        stride=grid.stride,
        base=grid.base,
        step=grid.step,
        n_picked=grid.n_picked,
        low=grid.low,
        high=grid.high,
        codes=grid.codes,
    )
