"""Where a slice lies on the screen: orientation of the three planes, fit, zoom and pan.

The same arithmetic stands in `js/src/geometry.ts`; a table of cases made by
`tests/unit/core/test_geometry.py` keeps the two equal.
"""

from __future__ import annotations

from dataclasses import dataclass

from blustream_widget.core.types import VolumeInfo


@dataclass(frozen=True, slots=True)
class Plane:
    """How the slice across one axis is laid on the screen.

    Parameters
    ----------
    normal : int
        The axis the slice is taken across.
    column_axis, row_axis : int
        Axis that runs along the screen's x (left to right) and y (top to bottom).
    flip_x, flip_y : bool
        True where the index falls from left to right, or from top to bottom.
    letters : tuple of str
        At the left, right, top, bottom edge ("R", "L", "A", "P"); all "" where orientation is
        unknown.
    """

    normal: int
    column_axis: int
    row_axis: int
    flip_x: bool = False
    flip_y: bool = False
    letters: tuple[str, str, str, str] = ("", "", "", "")


# Radiological: the patient's right is on the left of the picture, seen from the feet and from the
# front. (left, right, top, bottom) by the anatomical axis that the slice is taken across: R-L,
# A-P, S-I.
_RADIOLOGICAL = (("A", "P", "S", "I"), ("R", "L", "S", "I"), ("R", "L", "A", "P"))
_POSITIVE = "RAS"
_NEGATIVE = "LPI"


def anatomical_axes(affine: tuple[float, ...]) -> tuple[tuple[int, int], ...]:
    """For each array axis: (world axis 0 = R-L, 1 = A-P, 2 = S-I; sign), closest assignment.

    `affine` is row-major 4x4 to RAS+. Each world axis is used once, the strongest match first.
    """
    columns = [[affine[4 * row + axis] for row in range(3)] for axis in range(3)]
    lengths = [max(sum(v * v for v in column) ** 0.5, 1e-30) for column in columns]
    matches = sorted(
        ((abs(columns[a][w]) / lengths[a], a, w) for a in range(3) for w in range(3)), reverse=True
    )
    chosen: dict[int, tuple[int, int]] = {}
    used: set[int] = set()
    for _, axis, world in matches:
        if axis not in chosen and world not in used:
            chosen[axis] = (world, 1 if columns[axis][world] >= 0 else -1)
            used.add(world)
    return tuple(chosen[axis] for axis in range(3))


def _medical_plane(normal: int, affine: tuple[float, ...]) -> Plane:
    axes = anatomical_axes(affine)
    by_world = {world: (axis, sign) for axis, (world, sign) in enumerate(axes)}
    letters = _RADIOLOGICAL[axes[normal][0]]
    left, _, top, _ = letters
    in_plane = []
    for letter in (left, top):
        world = max(_POSITIVE.find(letter), _NEGATIVE.find(letter))
        axis, sign = by_world[world]
        # RAS+: +sign means the index grows towards R, A or S. If that letter is where the screen
        # begins (left, top), index must fall along the screen.
        begins_positive = letter in _POSITIVE
        in_plane.append((axis, (sign > 0) == begins_positive))
    (column_axis, flip_x), (row_axis, flip_y) = in_plane
    return Plane(normal, column_axis, row_axis, flip_x, flip_y, letters)


def _map_plane(affine: tuple[float, ...]) -> Plane:
    """Lay the time slice as a map: north up and east to the right, to the nearest quarter turn."""
    east, north = affine[0:2], affine[4:6]
    lengths = [max((e * e + n * n) ** 0.5, 1e-30) for e, n in zip(east, north, strict=True)]
    column_axis = 0 if abs(east[0]) / lengths[0] > abs(east[1]) / lengths[1] else 1
    row_axis = 1 - column_axis
    return Plane(2, column_axis, row_axis, east[column_axis] < 0, north[row_axis] > 0)


def plane_of(
    info: VolumeInfo,
    normal: int,
    *,
    north_up: bool = False,
    rotation: int = 0,
    flip_x: bool = False,
    flip_y: bool = False,
) -> Plane:
    """Say how the slice across axis `normal` is laid on the screen.

    Seismic and generic: inline section crosslines left to right, samples down; crossline section
    inlines left to right, samples down; time slice crosslines left to right, inlines down, or with
    `north_up` as a map, where the survey's coordinates are known. Medical with a known affine:
    radiological convention. All that is then turned clockwise by `rotation` degrees (0, 90, 180,
    270) and after that mirrored left to right (`flip_x`) and top to bottom (`flip_y`), in the order
    of DICOM PS3.3 C.10.6.
    """
    plane = _upright_plane(info, normal, north_up=north_up)
    for _ in range(rotation // 90):
        left, right, top, bottom = plane.letters
        plane = Plane(
            normal,
            column_axis=plane.row_axis,
            row_axis=plane.column_axis,
            flip_x=not plane.flip_y,
            flip_y=plane.flip_x,
            letters=(bottom, top, left, right),
        )
    left, right, top, bottom = plane.letters
    return Plane(
        normal,
        plane.column_axis,
        plane.row_axis,
        plane.flip_x != flip_x,
        plane.flip_y != flip_y,
        (
            *((right, left) if flip_x else (left, right)),
            *((bottom, top) if flip_y else (top, bottom)),
        ),
    )


def turned_pan(
    pan: tuple[float, float], before: tuple[int, bool, bool], after: tuple[int, bool, bool]
) -> tuple[float, float]:
    """Say where the point `pan` of the slice comes to lie when the slice is turned.

    Parameters
    ----------
    pan : tuple of float
        Screen-oriented fractions, as in `place_slice`.
    before, after : tuple
        Rotation, flip_x, flip_y.
    """
    x, y = pan
    x, y = 1.0 - x if before[1] else x, 1.0 - y if before[2] else y
    for _ in range((after[0] - before[0]) % 360 // 90):
        x, y = 1.0 - y, x
    return 1.0 - x if after[1] else x, 1.0 - y if after[2] else y


def _upright_plane(info: VolumeInfo, normal: int, *, north_up: bool) -> Plane:
    if north_up and normal == 2 and info.kind == "seismic" and info.affine is not None:
        return _map_plane(info.affine)
    if info.kind == "medical" and info.affine is not None:
        return _medical_plane(normal, info.affine)
    column_axis, row_axis = ((1, 2), (0, 2), (1, 0))[normal]
    return Plane(normal, column_axis, row_axis)


@dataclass(frozen=True, slots=True)
class Placement:
    """Screen place of a slice: voxel index (edges at ±0.5) to pane pixel.

    `x0_px, y0_px` is where the slice's left and top edge lie in the pane, `width_px, height_px` how
    large the whole slice is drawn; both may be outside the pane when zoomed in.
    """

    plane: Plane
    n_columns: int
    n_rows: int
    x0_px: float
    y0_px: float
    width_px: float
    height_px: float

    def to_pixel(self, column_idx: float, row_idx: float) -> tuple[float, float]:
        """Pane pixel of a voxel centre (array indices along column_axis and row_axis)."""
        u = (column_idx + 0.5) / self.n_columns
        v = (row_idx + 0.5) / self.n_rows
        u = 1.0 - u if self.plane.flip_x else u
        v = 1.0 - v if self.plane.flip_y else v
        return self.x0_px + u * self.width_px, self.y0_px + v * self.height_px

    def to_voxel(self, x_px: float, y_px: float) -> tuple[float, float]:
        """Array indices (column, row), fractional, of a pane pixel; the inverse of `to_pixel`."""
        u = (x_px - self.x0_px) / self.width_px
        v = (y_px - self.y0_px) / self.height_px
        u = 1.0 - u if self.plane.flip_x else u
        v = 1.0 - v if self.plane.flip_y else v
        return u * self.n_columns - 0.5, v * self.n_rows - 0.5


def place_slice(
    info: VolumeInfo,
    normal: int,
    *,
    zoom: float,
    pan: tuple[float, float],
    stretch: float,
    width_px: int,
    height_px: int,
    north_up: bool = False,
    rotation: int = 0,
    flip_x: bool = False,
    flip_y: bool = False,
) -> Placement:
    """Place the slice across `normal` in a pane of `width_px` x `height_px`.

    Zoom 1 shows the whole slice as large as fits, centred. `pan` is the point of the slice that
    lies in the pane's centre, as screen-oriented fractions (0.5, 0.5 = middle; 0, 0 = top left
    corner). Seismic sections (a vertical time or depth axis against line numbers) fill the pane at
    zoom 1, as seismic viewers do: their two axes have no common unit, `stretch` scales the
    vertical. Everything else keeps the true aspect ratio of `Axis.spacing`. A slice that is turned
    on its side takes its stretch along.
    """
    plane = plane_of(
        info, normal, north_up=north_up, rotation=rotation, flip_x=flip_x, flip_y=flip_y
    )
    columns, rows = info.axes[plane.column_axis], info.axes[plane.row_axis]
    if info.kind == "seismic" and normal != 2:
        fit_w, fit_h = float(width_px), float(height_px)
    else:
        world_w, world_h = columns.n * columns.spacing, rows.n * rows.spacing
        scale = min(width_px / world_w, height_px / world_h)
        fit_w, fit_h = world_w * scale, world_h * scale
    lies = rotation in (90, 270)
    drawn_w = fit_w * zoom * (stretch if lies else 1.0)
    drawn_h = fit_h * zoom * (1.0 if lies else stretch)
    return Placement(
        plane=plane,
        n_columns=columns.n,
        n_rows=rows.n,
        x0_px=width_px / 2 - pan[0] * drawn_w,
        y0_px=height_px / 2 - pan[1] * drawn_h,
        width_px=drawn_w,
        height_px=drawn_h,
    )
