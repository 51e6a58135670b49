"""The one place where the newest wish waits for the render thread; older ones vanish."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from blustream_widget.core.state import ViewState
from blustream_widget.core.worker_protocol import (
    MeasureVoxels,
    OfSegmentations,
    Open,
    Output,
    ProbeVoxel,
    Refresh,
    SetPalette,
    Show,
    SnapVoxel,
    ToWorker,
    TrackVoxels,
    WantKeyframe,
)
from blustream_widget.render.palettes import keep_palette


@dataclass(slots=True)
class Wish:
    """What has come together since the render thread last looked.

    Parameters
    ----------
    open_volume, state, output : optional
        The newest of each kind.
    has_detour : bool
        A state that gives another picture came and went before anybody saw it.
    keyframes : set of int
        Streams of which a keyframe is wanted.
    wants_refresh, has_data, has_still, has_value : bool
        Something of this kind happened, once or often.
    probes : dict
        The newest probe of each peer.
    measures : list
        Questions about annotations, in their order.
    segmentations : list
        What is to be done with labels, in its order.
    is_closed : bool
        The server is gone.
    """

    open_volume: Open | None = None
    state: ViewState | None = None
    output: Output | None = None
    has_detour: bool = False
    keyframes: set[int] = field(default_factory=set)
    wants_refresh: bool = False
    has_data: bool = False
    has_still: bool = False
    has_value: bool = False
    probes: dict[int, ProbeVoxel] = field(default_factory=dict)
    measures: list[MeasureVoxels | TrackVoxels | SnapVoxel] = field(default_factory=list)
    segmentations: list[OfSegmentations] = field(default_factory=list)
    is_closed: bool = False

    def show(self, state: ViewState) -> None:
        """Draw `state` instead of what waits."""
        if self.state is not None and not state.looks_like(self.state):
            self.has_detour = True
        self.state = state


class LatestSlot:
    """Joins messages and events until they are taken. Any thread may put, one takes."""

    def __init__(self) -> None:
        self._filled = threading.Condition()
        self._wish = Wish()
        self._is_empty = True
        self._is_closed = False

    def put(self, message: ToWorker) -> None:
        """Take over what the server wants; a newer wish of the same kind replaces an older one."""
        with self._filled:
            match message:
                case SetPalette(palette=palette, idx=idx):
                    keep_palette(palette, idx)
                case Open(palettes=palettes):
                    for one in palettes:
                        keep_palette(one.palette, one.idx)
                    self._wish.open_volume = message
                case Show(state=state):
                    self._wish.show(state)
                case Output():
                    self._wish.output = message
                case WantKeyframe(rendition=rendition):
                    self._wish.keyframes.add(rendition)
                case Refresh():
                    self._wish.wants_refresh = True
                case ProbeVoxel(peer=peer):
                    self._wish.probes[peer] = message
                case MeasureVoxels() | TrackVoxels() | SnapVoxel():
                    self._wish.measures.append(message)
                case _:
                    self._wish.segmentations.append(message)
            self._fill()

    def put_data(self) -> None:
        """Say that something new for the shown slice is in memory."""
        with self._filled:
            self._wish.has_data = True
            self._fill()

    def put_still(self) -> None:
        """Say that a still picture is encoded."""
        with self._filled:
            self._wish.has_still = True
            self._fill()

    def put_value(self) -> None:
        """Say that a probed value was answered."""
        with self._filled:
            self._wish.has_value = True
            self._fill()

    def close(self) -> None:
        """Say that nothing more will come. May be called twice."""
        with self._filled:
            self._is_closed = True
            self._fill()

    def take(self, timeout_s: float | None) -> Wish:
        """Wait for something, at most `timeout_s` (None: for ever), and empty the slot."""
        with self._filled:
            self._filled.wait_for(lambda: not self._is_empty, timeout_s)
            wish, self._wish = self._wish, Wish()
            wish.is_closed = self._is_closed
            self._is_empty = not self._is_closed
            return wish

    def _fill(self) -> None:
        self._is_empty = False
        self._filled.notify()
