"""Labels and overlays over a session's volume, told to the worker, to all who look, the kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from blustream_widget.core import link_labels as ll
from blustream_widget.core import view_messages as vm
from blustream_widget.core import worker_protocol as wp
from blustream_widget.core.overlay import MAX_OVERLAYS
from blustream_widget.core.overlay_fit import fitted
from blustream_widget.core.segmentation import (
    MAX_SEGMENTATIONS,
    SegmentationInfo,
    SegmentationSource,
)
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError
from blustream_widget.session.label_edits import LabelEdits
from blustream_widget.session.shared_memory import remove_shared_array
from blustream_widget.session.telling import layer_names

if TYPE_CHECKING:
    from blustream_widget.session.kernel_port import KernelPort
    from blustream_widget.session.label_store import LabelStore
    from blustream_widget.session.supervisor import Supervisor
    from blustream_widget.session.viewer import Viewer

OfKernel: TypeAlias = (
    ll.AddSegmentation
    | ll.AddOverlay
    | ll.RemoveSegmentation
    | ll.RefreshSegmentation
    | ll.CountLabels
    | ll.EditLabels
    | ll.CancelEdit
    | ll.FetchBricks
)
_BRICKS_AT_ONCE = 256
_MOST = {"labels": (MAX_SEGMENTATIONS, "segmentations"), "values": (MAX_OVERLAYS, "overlays")}


class SegmentationBoard:
    """Sources by name, and what is known of them. Loop thread only.

    Parameters
    ----------
    viewers : callable
        Gives those who look now.
    kernel : KernelPort
    supervisor : Supervisor
    want_worker : callable
        Has a worker got, if there is none.
    show : callable
        Has the view take a patch.
    view : callable
        Gives the view's state, and its volume if that is open.
    frame_no : callable
        Gives the number of the newest picture.
    store : LabelStore, optional
        Where edits are kept for another server.
    tell_others : callable, optional
        Has the workers of own views hear something, too.
    on_layers : callable, optional
        Hears that `open_sources` has changed; before the view shows one more.

    Attributes
    ----------
    edits : LabelEdits
    """

    def __init__(
        self,
        *,
        viewers: Callable[[], Iterable[Viewer]],
        kernel: KernelPort,
        supervisor: Supervisor,
        want_worker: Callable[[], None],
        show: Callable[[dict[str, Any]], None],
        view: Callable[[], tuple[ViewState, VolumeInfo | None]],
        frame_no: Callable[[], int],
        store: LabelStore | None = None,
        tell_others: Callable[[wp.ToWorker], None] = lambda _message: None,
        on_layers: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_layers = on_layers
        self._tell_others = tell_others
        self._viewers = viewers
        self._kernel = kernel
        self._supervisor = supervisor
        self._want_worker = want_worker
        self._show = show
        self._view = view
        self._sources: dict[str, SegmentationSource] = {}
        # What the worker was told: not what came while it opened the volume.
        self._told: set[str] = set()
        self._is_new_worker = False
        self._infos: dict[str, SegmentationInfo] = {}
        # Not in the view before they are open.
        self._waiting: dict[str, ll.AddSegmentation | ll.AddOverlay] = {}
        self._counts: dict[str, ll.CountLabels] = {}
        # Labels that the worker counts by itself, as they are open.
        self._uncounted: set[str] = set()
        self.edits = LabelEdits(
            viewers=viewers,
            kernel=kernel,
            supervisor=supervisor,
            want_worker=want_worker,
            info_of=self._labels_of,
            frame_no=frame_no,
            source_of=self._source_of,
            store=store,
        )
        self._is_first_restore = True

    def _labels_of(self, name: str) -> SegmentationInfo | None:
        source = self._sources.get(name)
        is_label = source is not None and source.kind == "labels"
        return self._infos.get(name) if is_label else None

    def _source_of(self, name: str) -> str:
        """Say what labels are made of, without saying where."""
        source = self._sources.get(name)
        return "" if source is None else blake2b(msgspec.json.encode(source)).hexdigest()[:16]

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for labels to be opened, counted or edited."""
        return bool(self._waiting or self._counts or self._uncounted) or self.edits.is_busy

    @property
    def open_sources(self) -> tuple[SegmentationSource, ...]:
        """Those that the view may show: all but what is being opened for the first time."""
        return tuple(one for name, one in self._sources.items() if name not in self._waiting)

    def restore(self, sources: Iterable[SegmentationSource]) -> None:
        """Take what a former server had, or this one has already."""
        for source in sources:
            if self._sources.get(source.name) != source:
                self._sources[source.name] = source
                self._told.discard(source.name)
        if self._is_first_restore:
            self._is_first_restore = False
            self.edits.recover(tuple(self._sources))
        self._on_layers()
        self.catch_up()

    def receive(self, message: OfKernel) -> None:
        """Do what the kernel wants; what is wrong goes back to it."""
        match message:
            case ll.AddSegmentation() | ll.AddOverlay():
                self._add(message)
            case ll.RemoveSegmentation(name=name):
                self._remove(name)
            case ll.RefreshSegmentation(name=name):
                self._supervisor.send(wp.RefreshSegmentation(name))
                self._tell_others(wp.RefreshSegmentation(name))
            case ll.CountLabels():
                self._count(message)
            case ll.EditLabels():
                self.edits.edit_by_kernel(message)
            case ll.CancelEdit():
                self.edits.cancel_by_kernel(message)
            case ll.FetchBricks():
                self.edits.when_recovered(lambda: self._tell_bricks(message))

    def _tell_bricks(self, message: ll.FetchBricks) -> None:
        bricks = self.edits.bricks_of(message.name)
        for first in range(0, max(1, len(bricks)), _BRICKS_AT_ONCE):
            end = first + _BRICKS_AT_ONCE
            self._kernel.tell_bricks(
                message.name, message.n, bricks[first:end], more=end < len(bricks)
            )

    def _add(self, message: ll.AddSegmentation | ll.AddOverlay) -> None:
        """Open labels or values, with a worker got for it if there is none."""
        source, name = message.source, message.source.name
        if self._sources.get(name) == source:  # asked again, as the link broke
            if name in self._infos:
                self._kernel.tell_segmentation(self._infos[name])
            return
        most, what = _MOST[source.kind]
        if name in self._sources:
            kind = _MOST[self._sources[name].kind][1].removesuffix("s")
            self._refuse(
                name, StateError(f"There is the {kind} {name!r} already.", hint="Remove it first.")
            )
            return
        if sum(one.kind == source.kind for one in self._sources.values()) >= most:
            self._refuse(
                name,
                StateError(
                    f"There are {most} {what}; no more are shown.",
                    hint="Remove one that is not needed any more.",
                ),
            )
            return
        self._sources[name] = source
        self._waiting[name] = message
        self.catch_up()
        self._want_worker()

    def _remove(self, name: str) -> None:
        state, _ = self._view()
        self._show(
            {
                "segmentations": tuple(one for one in state.segmentations if one.name != name),
                "overlays": tuple(one for one in state.overlays if one.name != name),
            }
        )
        self._forget(name)

    def _count(self, message: ll.CountLabels) -> None:
        """Count labels with the values under them, with a worker got for it if there is none."""
        self._counts[message.name] = message
        self._supervisor.send(wp.CountLabels(message.name, message.channel))
        self._want_worker()

    def opening(self) -> tuple[wp.AddSegmentation, ...]:
        """Tell what a new worker has to open beside the volume."""
        self._told = set(self._sources)
        self._is_new_worker = True
        self.edits.restart()
        return tuple(wp.AddSegmentation(source) for source in self._sources.values())

    def layer_of(self, name: str) -> wp.AddSegmentation | None:
        """Say what a worker has to open to show labels or an overlay."""
        source = self._sources.get(name)
        return None if source is None else wp.AddSegmentation(source)

    def catch_up(self) -> None:
        """Tell the worker, once it has the volume open, what it was not told yet."""
        if self._supervisor.status != "ready":
            return
        for name, source in self._sources.items():
            if name not in self._told:
                self._supervisor.send(wp.AddSegmentation(source))
        self._told = set(self._sources)
        if self._is_new_worker:
            self._is_new_worker = False
            for name in self._sources:
                self.edits.catch_up(name)
            for count in self._counts.values():
                self._supervisor.send(wp.CountLabels(count.name, count.channel))
        self.edits.ask()

    def heard(self, message: wp.FromWorker) -> None:
        """Hear the worker; what is not about labels is passed over."""
        if isinstance(message, wp.SegmentationFailed):
            self._failed(message)
        elif isinstance(message, wp.SegmentationOpened):
            self._opened(message.info)
        elif isinstance(message, (wp.BricksEdited, wp.EditFailed, wp.EditProgress)):
            self.edits.heard(message)

    def _opened(self, info: SegmentationInfo) -> None:
        if info.name not in self._sources:
            self._supervisor.send(wp.RemoveSegmentation(info.name))  # while it was opened
            return
        self._infos[info.name] = info
        if info.is_counted or self._sources[info.name].kind != "labels":
            self._uncounted.discard(info.name)
        else:
            self._uncounted.add(info.name)
        self.edits.ask()
        waiting = self._waiting.pop(info.name, None)
        self._on_layers()
        state, volume = self._view()
        if isinstance(waiting, ll.AddSegmentation):
            self._show({"segmentations": (*state.segmentations, waiting.look)})
        elif waiting is not None:
            kind = "generic" if volume is None else volume.kind
            look = fitted(waiting.look, info.channel, kind, waiting.fit)
            self._show({"overlays": (*state.overlays, look)})
        self._kernel.tell_segmentation(info)
        for viewer in self._viewers():
            self.welcome(viewer)
        count = self._counts.get(info.name)
        if count is not None and info.is_counted and info.values_of == count.channel:
            del self._counts[info.name]

    def welcome(self, viewer: Viewer) -> None:
        """Tell a viewer what is known."""
        state, _ = self._view()
        infos = tuple(self._infos[n] for n in layer_names(state) if n in self._infos)
        viewer.send(vm.Segmentations(segmentations=infos))

    def check(self, patch: dict[str, Any]) -> None:
        """Refuse a patch that names labels or overlays that are not here.

        Raises
        ------
        StateError
        """
        for kind, (_, field) in _MOST.items():
            known = [name for name, source in self._sources.items() if source.kind == kind]
            looks = patch.get(field, ())
            for look in looks if isinstance(looks, (list, tuple)) else ():
                name = look.get("name") if isinstance(look, dict) else getattr(look, "name", None)
                if name not in known:
                    raise StateError(
                        f"There is no {field.removesuffix('s')} {name!r}.",
                        hint=f"There are: {', '.join(known) or 'none'}.",
                    )

    async def close(self) -> None:
        """Remove shared arrays."""
        for source in self._sources.values():
            if source.ref is not None:
                await asyncio.to_thread(remove_shared_array, source.ref)

    def _failed(self, message: wp.SegmentationFailed) -> None:
        self._counts.pop(message.name, None)
        self._uncounted.discard(message.name)
        if not message.are_open and message.name in self._waiting:
            self._forget(message.name)
        self._kernel.tell_no_segmentation(message)

    def _forget(self, name: str) -> None:
        for known in (self._sources, self._infos, self._waiting, self._counts):
            known.pop(name, None)
        for names in (self._uncounted, self._told):
            names.discard(name)
        self._on_layers()
        self.edits.forget(name)
        self._supervisor.send(wp.RemoveSegmentation(name))
        for viewer in self._viewers():
            self.welcome(viewer)

    def _refuse(self, name: str, error: StateError) -> None:
        self._kernel.tell_no_segmentation(
            wp.SegmentationFailed(name, error.code, error.message, error.hint)
        )
