"""Pointers of the people in a session: where they are, told to the others a few times a second."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from blustream_widget.core import protocol as p
from blustream_widget.core import share_messages as sm
from blustream_widget.session.access import EDITORS
from blustream_widget.session.crowd import is_crowd
from blustream_widget.transport.throttle import Throttle

if TYPE_CHECKING:
    from blustream_widget.session.viewer import Viewer

INTERVAL_S = 0.05


class Pointers:
    """The newest place of each pointer; nothing of it touches the view's state or its pictures.

    In a crowd those who may only look have none: everybody would get hundreds of them.

    Parameters
    ----------
    viewers : callable
        Who is connected.
    saw : callable
        Gets the places too, as often as people are told them.
    """

    def __init__(
        self,
        viewers: Callable[[], Collection[Viewer]],
        saw: Callable[[Collection[sm.PointerPlace]], None],
    ) -> None:
        self._viewers = viewers
        self._saw = saw
        self._moved: dict[str, sm.PointerPlace] = {}
        self._pointing: set[str] = set()
        self._tell = Throttle(INTERVAL_S, self._send)

    def moved(
        self, viewer: Viewer, voxel: sm.VoxelPlace | None, drawing: sm.Drawing | None = None
    ) -> None:
        """Take a pointer's place, and what is drawn; only the newest of each person is told."""
        if viewer.role not in EDITORS:
            drawing = None
            if is_crowd(len(self._viewers())):
                voxel = None
        if voxel is None and drawing is None:
            if viewer.person not in self._pointing:
                return
            self._pointing.discard(viewer.person)
        else:
            self._pointing.add(viewer.person)
        self._moved[viewer.person] = sm.PointerPlace(viewer.person, voxel, drawing)
        self._tell.call()

    def forget(self, viewer: Viewer) -> None:
        """Take away the pointer of somebody who left."""
        self.moved(viewer, None)

    def close(self) -> None:
        """Tell nothing more."""
        self._tell.close()

    def _send(self) -> bool:
        moved, self._moved = self._moved, {}
        if moved:
            self._saw(moved.values())
        everyone = p.encode(sm.Pointers(places=tuple(moved.values()))) if moved else b""
        for viewer in self._viewers() if moved else ():
            if viewer.person not in moved:
                viewer.send_encoded(everyone)
            elif len(moved) > 1:
                others = (place for place in moved.values() if place.who != viewer.person)
                viewer.send(sm.Pointers(places=tuple(others)))
        return bool(moved)
