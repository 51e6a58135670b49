"""A view's pictures: the worker that draws them, what it is asked for, and their way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from blustream_widget.core import protocol as p
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import LoadedSlices
from blustream_widget.errors import BlustreamError
from blustream_widget.session.demand import Demand
from blustream_widget.session.quality import Quality
from blustream_widget.session.rendition import Rendition
from blustream_widget.session.supervisor import Supervisor
from blustream_widget.session.telling import status_of
from blustream_widget.transport.fanout import Fanout
from blustream_widget.transport.frame import EncodedFrame

if TYPE_CHECKING:
    from blustream_widget.session.viewer import Viewer
    from blustream_widget.session.workers import WorkerPool


class Drawn(Protocol):
    """What is drawn: the view that a session shows, or one person's own. Loop thread."""

    @property
    def state(self) -> ViewState:
        """What it shows."""

    @property
    def followers(self) -> Sequence[Viewer]:
        """Those who see it."""

    def opening(self) -> wp.Open:
        """Tell what a new worker has to open."""

    def on_worker_message(self, message: wp.FromWorker) -> None:
        """Hear a message of the worker, other than `Ready` and a fatal `Failed`."""

    def on_worker_status(self) -> None:
        """Hear that the status of the worker changed, or why pictures are held back."""

    def on_worker_failed(self, error: BlustreamError) -> None:
        """Hear that there is no worker and will be none until it is started again."""


class Drawing:
    """The worker of one view, and the fan-out of what it draws. Loop thread only.

    Parameters
    ----------
    pool : WorkerPool
    drawn : Drawn
    on_show : callable
        A state goes to the worker; whether it gives the same picture as the one before it.
    may_blink : callable
        Whether all who look bear an overlay that blinks.

    Attributes
    ----------
    supervisor : Supervisor
    demand : Demand
    quality : Quality
    fanout : Fanout
    frame_no : int
        Of the newest picture; -1 before the first.
    progress : worker_protocol.Progress
        Of the newest state.
    """

    def __init__(
        self,
        pool: WorkerPool,
        drawn: Drawn,
        *,
        on_show: Callable[[bool], None],
        may_blink: Callable[[], bool],
    ) -> None:
        self._drawn = drawn
        self.frame_no, self._first_frame_no = -1, 0
        self.progress = wp.Progress(lod=0, progress=0.0, exact=False)
        self._loaded = LoadedSlices()
        self.supervisor = Supervisor(pool, self)
        self.quality = Quality(on_change=drawn.on_worker_status)
        self.demand = Demand(self.supervisor.send, self._rendition, on_show, may_blink=may_blink)
        self.fanout = Fanout(self.demand.request_keyframe)
        self.demand.watch(self.fanout)

    def status(self, *, n_viewers: int) -> p.Status:
        """Say what the worker is doing."""
        return status_of(self.supervisor, self.progress, self._loaded, n_viewers=n_viewers)

    def stop(self) -> None:
        """Ask the worker for nothing more."""
        self.demand.close()

    async def close(self) -> None:
        """End the worker, and wait until its process is gone."""
        self.stop()
        await self.supervisor.close()

    def _rendition(self) -> Rendition:
        return self.quality.choose(self._drawn.followers, self._drawn.state)

    # -------------------------------------------------- worker (Supervised)

    def opening(self) -> wp.Open:
        self._first_frame_no = self.frame_no + 1
        self._loaded = LoadedSlices()
        for viewer in self._drawn.followers:
            viewer.frames.restart()
        return self._drawn.opening()

    def on_worker_message(self, message: wp.FromWorker) -> None:
        match message:
            case wp.Progress():
                self.progress = message
            case wp.Loaded(slices=slices):
                self._loaded = slices
        self._drawn.on_worker_message(message)

    def on_worker_frame(self, data: bytes, rendition: int) -> None:
        first = self._first_frame_no
        frame = EncodedFrame.from_worker(data, first_frame_no=first, rendition=rendition)
        self.frame_no = frame.frame_no
        self.quality.saw(frame, self._drawn.state)
        self.fanout.publish(frame)

    def on_worker_status(self) -> None:
        self._drawn.on_worker_status()

    def on_worker_failed(self, error: BlustreamError) -> None:
        self._drawn.on_worker_failed(error)
