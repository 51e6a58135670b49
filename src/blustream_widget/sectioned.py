"""What a viewer can do with fences and oblique planes: a part of `Viewer`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from blustream_widget.core.panes import view_of
from blustream_widget.core.sections import (
    Fence,
    plane_across,
    turned,
    vertical_axis,
    world_matrix,
)
from blustream_widget.errors import StateError
from blustream_widget.view_traits import ViewTraits

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo
    from blustream_widget.panes import Panes


class Sectioned(ViewTraits):
    """The part of `Viewer` that is about sections across no axis."""

    if TYPE_CHECKING:

        @property
        def info(self) -> VolumeInfo: ...
        @property
        def panes(self) -> Panes: ...
        def _current(self) -> ViewState: ...

    @property
    def fence(self) -> tuple[tuple[float, float], ...]:
        """Nodes of the fence that is shown; () without one.

        0-based fractional indices along the two horizontal axes, for a survey (inline, crossline).
        Setting it unrolls a fence in the pane that has one, else in the first pane that shows no
        horizontal slice, else in the one in use; () or None ends it.

        Raises
        ------
        StateError
            Less than two places, more than 256, or one outside the volume.
        """
        shown = self._fence_pane()
        return () if shown is None else self.panes[shown].section.points

    @fence.setter
    def fence(self, points: Sequence[Sequence[float]] | None) -> None:
        shown, panes = self._fence_pane(), self.panes
        if points is None or not len(points):
            if shown is not None:
                panes[shown].section = None
            return
        if shown is None:
            state, vertical = self._current(), vertical_axis(self.info)
            views = [view_of(state, pane.index) for pane in panes]
            upright = (i for i, view in enumerate(views) if view.axis != vertical)
            shown = next(upright, state.active)
        panes[shown].section = Fence(points)  # type: ignore[arg-type]  # checked there

    def _fence_pane(self) -> int | None:
        fences = (pane.index for pane in self.panes if isinstance(pane.section, Fence))
        return next(fences, None)

    def turn(self, degrees: float, *, about: str | None = None, pane: int | None = None) -> None:
        """Turn the plane of a pane about an axis, through the place of the crosshair.

        Parameters
        ----------
        degrees : float
            From the first towards the second of the two other axes, where the grid is
            right-handed. Adds to what the plane is turned by already.
        about : str, optional
            Name of the axis; the vertical one if not given.
        pane : int, optional
            Its number; the one in use if not given.

        Raises
        ------
        StateError
            No such axis or pane, or a fence, which has no angle.
        """
        info, state = self.info, self._current()
        index = state.active if pane is None else pane
        if not 0 <= index < len(self.panes):
            raise StateError(f"There is no pane {pane}.", hint=f"The layout has {len(self.panes)}.")
        view = view_of(state, index)
        if isinstance(view.section, Fence):
            raise StateError("A fence cannot be turned.", hint="Set section = None first.")
        names: list[Any] = [axis.name for axis in info.axes]
        if about is not None and about not in names:
            raise StateError(
                f"There is no axis {about!r} in {info.name}.", hint=f"Known: {', '.join(names)}."
            )
        axis = vertical_axis(info) if about is None else names.index(about)
        plane = view.section or plane_across(
            info, view.axis, view.slice_idx, north_up=view.north_up
        )
        x, y, z = (float(v) for v in world_matrix(info)[:, axis])
        i, j, k = view.slice_idx
        self.panes[index].section = turned(plane, (x, y, z), degrees, (i, j, k))
