"""How one view follows another: the same place, scale and colours in a volume of another grid.

The same arithmetic stands in `js/src/linking.ts`; a table of cases keeps the two equal.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from math import floor, sqrt
from typing import Any, Literal, TypeAlias, get_args

from blustream_widget.core.geometry import Placement, place_slice
from blustream_widget.core.panes import view_of
from blustream_widget.core.state import ViewState
from blustream_widget.core.state_checks import (
    PAN_MAX,
    PAN_MIN,
    STRETCH_MAX,
    STRETCH_MIN,
    ZOOM_MAX,
    ZOOM_MIN,
)
from blustream_widget.core.time_axis import step_in
from blustream_widget.core.types import VolumeInfo
from blustream_widget.errors import StateError

LinkKind: TypeAlias = Literal["plane", "slice", "camera", "window", "colormap", "cursor", "time"]
"""What can be linked. plane: the axis; slice: where the three slices meet; camera: zoom, pan and
stretch; window: window and level; colormap: it, its direction and the clip colours; cursor: the
crosshair, and the place under the pointer; time: the step of series."""

LINK_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)
PLACE_KINDS: frozenset[LinkKind] = frozenset({"plane", "slice", "camera", "cursor"})
"""Kinds that need to know where a voxel of one volume lies in the other."""

_COLORS = ("colormap", "reverse", "below_color", "above_color", "no_value_color")
# Of an index: less is rounding, not a move.
_STILL = 1e-6

_Row: TypeAlias = tuple[float, float, float, float]
_Rows: TypeAlias = tuple[_Row, _Row, _Row]
_Voxel: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class GridMap:
    """Where voxels of one volume lie in another.

    Parameters
    ----------
    rows : three rows of four float
        (index0, index1, index2, 1) of the one to indices of the other.
    axes : tuple of int
        For each axis of the one, the axis of the other that runs along it most nearly.
    scale : tuple of float
        For each axis of the one, how many voxels of the other a step along it is long.
    """

    rows: _Rows
    axes: tuple[int, int, int]
    scale: tuple[float, float, float]

    def at(self, voxel: Sequence[float]) -> _Voxel:
        """Index of the other, fractional and maybe outside of it."""
        i, j, k = voxel
        x, y, z = (row[0] * i + row[1] * j + row[2] * k + row[3] for row in self.rows)
        return (x, y, z)


def grid_map(leader: VolumeInfo, follower: VolumeInfo) -> GridMap:
    """Find what places of both volumes have in common.

    World coordinates where both have them; else survey numbers of seismic volumes whose samples
    have the same unit; else indices, if the shapes are equal.

    Raises
    ------
    StateError
        If there is nothing: says what can be linked nevertheless.
    """
    theirs = dict(_coordinates(follower))
    for system, rows in _coordinates(leader):
        if system in theirs:
            return _between(rows, theirs[system])
    raise StateError(
        f"It is not known where {leader.name} and {follower.name} lie to each other: they have no"
        f" coordinates in common, and their shapes {leader.shape} and {follower.shape} differ.",
        hint="link(..., what=('window', 'colormap')) needs no place. Volumes with coordinates in"
        " the same unit, or of equal shape, can be linked in everything.",
    )


def check_times(one: VolumeInfo, other: VolumeInfo) -> None:
    """Refuse to link the times of volumes that have none in common.

    Raises
    ------
    StateError
    """
    for info in (one, other):
        if info.time is None:
            raise StateError(
                f"{info.name} has no time axis, so time cannot be linked.",
                hint="Leave 'time' out of what.",
            )
    if one.time is None or other.time is None or step_in(one.time, other.time, 0) is not None:
        return
    if not set(one.time.names) & set(other.time.names):
        raise StateError(
            f"The times of {one.name} are in {one.time.unit or 'no unit'}, those of {other.name} "
            f"in {other.time.unit or 'no unit'}, and they have {one.time.n} and {other.time.n} "
            "steps: it is not known which belong together.",
            hint="Say it when they are opened: Viewer(..., times=[...], time_unit='s').",
        )


def _coordinates(info: VolumeInfo) -> Iterator[tuple[tuple[Any, ...], _Rows]]:
    """Each way to say where a voxel is, best first: which one, and index to coordinates."""
    rows = _affine_rows(info)
    if info.kind == "seismic":
        unit = info.axes[2].unit
        if unit:
            lines, crossings, samples = _numbers(info)
            if rows is not None and info.world_unit:
                yield ("map", info.world_unit, unit), (rows[0], rows[1], samples)
            yield ("numbers", unit), (lines, crossings, samples)
    elif rows is not None:
        yield ("world", info.world_unit), rows
    yield ("indices", info.shape), ((1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0))


def _affine_rows(info: VolumeInfo) -> _Rows | None:
    if info.affine is None:
        return None
    a = info.affine
    return ((a[0], a[1], a[2], a[3]), (a[4], a[5], a[6], a[7]), (a[8], a[9], a[10], a[11]))


def _numbers(info: VolumeInfo) -> _Rows:
    steps = [axis.step or 1.0 for axis in info.axes]
    firsts = [axis.first for axis in info.axes]
    return (
        (steps[0], 0.0, 0.0, firsts[0]),
        (0.0, steps[1], 0.0, firsts[1]),
        (0.0, 0.0, steps[2], firsts[2]),
    )


def _between(one: _Rows, other: _Rows) -> GridMap:
    back = _inverse(other)
    rows = tuple(
        (
            *(sum(back[r][m] * one[m][c] for m in range(3)) for c in range(3)),
            sum(back[r][m] * (one[m][3] - other[m][3]) for m in range(3)),
        )
        for r in range(3)
    )
    axes = _axes_along(one, other)
    scale = tuple(_length(one, a) / _length(other, axes[a]) for a in range(3))
    return GridMap(rows, axes, scale)  # type: ignore[arg-type]  # three each, by range(3)


def _inverse(rows: _Rows) -> tuple[tuple[float, ...], ...]:
    """Inverse of the 3 x 3 part."""
    (a, b, c, _), (d, e, f, _), (g, h, i, _) = rows
    det = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if abs(det) < 1e-30:
        raise StateError("The coordinates of a volume are degenerate.", hint="Check its affine.")
    return (
        ((e * i - f * h) / det, (c * h - b * i) / det, (b * f - c * e) / det),
        ((f * g - d * i) / det, (a * i - c * g) / det, (c * d - a * f) / det),
        ((d * h - e * g) / det, (b * g - a * h) / det, (a * e - b * d) / det),
    )


def _length(rows: _Rows, axis: int) -> float:
    return sqrt(sum(row[axis] * row[axis] for row in rows))


def _axes_along(one: _Rows, other: _Rows) -> tuple[int, int, int]:
    """For each axis of `one` the axis of `other` along it, the best match first, each used once."""
    matches = sorted(
        (
            (
                -abs(sum(p[a] * q[b] for p, q in zip(one, other, strict=True)))
                / (_length(one, a) * _length(other, b)),
                a,
                b,
            )
            for a in range(3)
            for b in range(3)
        ),
    )
    found: dict[int, int] = {}
    for _, a, b in matches:
        if a not in found and b not in found.values():
            found[a] = b
    return (found[0], found[1], found[2])


class Guide:
    """Says what a view must change to follow another.

    Parameters
    ----------
    leader, follower : VolumeInfo
    what : collection of LinkKind

    Raises
    ------
    StateError
        If places are to be linked, or times, and the volumes have none in common.
    """

    def __init__(
        self, leader: VolumeInfo, follower: VolumeInfo, what: Collection[LinkKind]
    ) -> None:
        self._leader, self._follower = leader, follower
        self._what = frozenset(what)
        self._grid = grid_map(leader, follower) if self._what & PLACE_KINDS else None
        if "time" in self._what:
            check_times(leader, follower)

    def patch(
        self, before: ViewState | None, now: ViewState, follower: ViewState
    ) -> dict[str, Any]:
        """Patch of the follower after the leader went from `before` to `now`.

        `before` None: take over everything that is linked. Places outside of the follower's volume
        become the nearest that it has.
        """
        patch: dict[str, Any] = {}
        if "window" in self._what:
            patch |= _changed(("window", "level"), before, now)
        if "colormap" in self._what:
            patch |= _changed(_COLORS, before, now)
        if "cursor" in self._what:
            patch |= _changed(("crosshair",), before, now)
        if "time" in self._what and (before is None or before.time_idx != now.time_idx):
            patch |= self._times(now)
        if self._grid is not None:
            patch |= self._places(self._grid, before, now, follower)
        return patch

    def _times(self, now: ViewState) -> dict[str, Any]:
        here, there = self._leader.time, self._follower.time
        step = None if here is None or there is None else step_in(here, there, now.time_idx)
        return {} if step is None else {"time_idx": step}

    def _places(
        self, grid: GridMap, before: ViewState | None, now: ViewState, follower: ViewState
    ) -> dict[str, Any]:
        patch: dict[str, Any] = {}
        axis = grid.axes[now.axis]
        is_other_plane = before is None or before.axis != now.axis
        view = follower
        if "plane" in self._what and is_other_plane and follower.axis != axis:
            shown = [index for index, pane in enumerate(follower.panes) if pane.axis == axis]
            patch = {"active": shown[0]} if shown else {"axis": axis}
            view = view_of(follower, shown[0]) if shown else follower
        if "slice" in self._what and (before is None or before.slice_idx != now.slice_idx):
            old = None if before is None else grid.at(before.slice_idx)
            patch["slice_idx"] = self._positions(grid.at(now.slice_idx), old, view.slice_idx)
        is_moved = is_other_plane or bool(_changed(("zoom", "pan", "stretch"), before, now))
        # The middle of a section, and how large it is drawn, mean nothing to another one.
        is_slice = now.section is None and view.section is None
        is_same = is_slice and axis in (patch.get("axis"), view.axis)
        if "camera" in self._what and is_moved and is_same:
            camera = self._camera(grid, now, view, axis)
            patch |= {name: v for name, v in camera.items() if _differs(v, getattr(view, name))}
        return patch

    def _positions(
        self, at: _Voxel, old: _Voxel | None, own: tuple[int, int, int]
    ) -> tuple[int, int, int]:
        # Along what the leader did not move the follower stays, however finely it was placed.
        i, j, k = (
            own[b]
            if old is not None and abs(at[b] - old[b]) < _STILL
            else min(max(floor(at[b] + 0.5), 0), axis.n - 1)
            for b, axis in enumerate(self._follower.axes)
        )
        return (i, j, k)

    def _camera(
        self, grid: GridMap, now: ViewState, view: ViewState, axis: int
    ) -> dict[str, float | tuple[float, float]]:
        """Zoom, pan and stretch that show the leader's middle in the middle, as large as there."""
        led = _placed(self._leader, now.axis, now)
        size = (view.width_px, view.height_px)
        if 0 in size:  # a pane that has no place on the page
            size = (now.width_px, now.height_px)
        whole = place_slice(
            self._follower,
            axis,
            zoom=1.0,
            pan=(0.5, 0.5),
            stretch=1.0,
            width_px=size[0],
            height_px=size[1],
            north_up=view.north_up,
            rotation=view.rotation,
            flip_x=view.flip_x,
            flip_y=view.flip_y,
        )
        plane = whole.plane
        # Pixels per voxel of the follower, along its axes.
        columns, rows = led.plane.column_axis, led.plane.row_axis
        pixels = {
            grid.axes[columns]: led.width_px / led.n_columns / grid.scale[columns],
            grid.axes[rows]: led.height_px / led.n_rows / grid.scale[rows],
        }
        is_turned = grid.axes[columns] != plane.column_axis
        grown = self._growth(grid, led, (now.width_px, now.height_px), size, is_turned=is_turned)
        across = pixels[plane.column_axis] * whole.n_columns * grown[0] / whole.width_px
        down = pixels[plane.row_axis] * whole.n_rows * grown[1] / whole.height_px
        # The stretch goes along with a slice that lies on its side.
        zoom, stretched = (down, across) if view.rotation in (90, 270) else (across, down)
        return {
            "zoom": min(max(zoom, ZOOM_MIN), ZOOM_MAX),
            "pan": self._pan(grid, now, led, whole),
            "stretch": min(max(stretched / zoom, STRETCH_MIN), STRETCH_MAX),
        }

    def _pan(
        self, grid: GridMap, now: ViewState, led: Placement, whole: Placement
    ) -> tuple[float, float]:
        column, row = led.to_voxel(now.width_px / 2, now.height_px / 2)
        middle: list[float] = list(now.slice_idx)
        middle[led.plane.column_axis], middle[led.plane.row_axis] = column, row
        at = grid.at(middle)
        x, y = whole.to_pixel(at[whole.plane.column_axis], at[whole.plane.row_axis])
        u, v = (x - whole.x0_px) / whole.width_px, (y - whole.y0_px) / whole.height_px
        return (min(max(u, PAN_MIN), PAN_MAX), min(max(v, PAN_MIN), PAN_MAX))

    def _growth(
        self,
        grid: GridMap,
        led: Placement,
        pane: tuple[int, int],
        other: tuple[int, int],
        *,
        is_turned: bool,
    ) -> tuple[float, float]:
        """How much larger things are in the follower's pane, because it has another size.

        What fills the one shall fill the other: both are measured by what both volumes cover.
        """
        fills = any(
            info.kind == "seismic" and normal != 2
            for info, normal in (
                (self._leader, led.plane.normal),
                (self._follower, grid.axes[led.plane.normal]),
            )
        )
        if fills:
            return (other[0] / pane[0], other[1] / pane[1])
        columns, rows = led.plane.column_axis, led.plane.row_axis
        wide, high = (
            max(self._leader.axes[a].n, self._follower.axes[grid.axes[a]].n / grid.scale[a])
            * self._leader.axes[a].spacing
            for a in (columns, rows)
        )
        fit = min(pane[0] / wide, pane[1] / high)
        if is_turned:
            wide, high = high, wide
        grown = min(other[0] / wide, other[1] / high) / fit
        return (grown, grown)


def _placed(info: VolumeInfo, axis: int, view: ViewState) -> Placement:
    return place_slice(
        info,
        axis,
        zoom=view.zoom,
        pan=view.pan,
        stretch=view.stretch,
        width_px=view.width_px,
        height_px=view.height_px,
        north_up=view.north_up,
        rotation=view.rotation,
        flip_x=view.flip_x,
        flip_y=view.flip_y,
    )


def _changed(names: Sequence[str], before: ViewState | None, now: ViewState) -> dict[str, Any]:
    return {
        name: getattr(now, name)
        for name in names
        if before is None or getattr(before, name) != getattr(now, name)
    }


def _differs(value: Any, own: Any) -> bool:
    """By more than rounding."""
    values = value if isinstance(value, tuple) else (value,)
    owns = own if isinstance(own, tuple) else (own,)
    return any(abs(a - b) > 1e-9 * max(1.0, abs(b)) for a, b in zip(values, owns, strict=True))
