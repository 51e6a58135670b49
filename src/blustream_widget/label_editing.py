"""Editing, reading and saving labels from Python: each tool a method, done when it returns."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import numpy.typing as npt

from blustream_widget.core.label_edit import (
    Cut,
    Fill,
    Grow,
    Interpolate,
    Islands,
    LabelEdit,
    Place,
    Smooth,
    Stroke,
    ValueRange,
    checked_edit,
    checked_places,
)
from blustream_widget.errors import VolumeWriteError

if TYPE_CHECKING:
    from blustream_widget.core.types import Channel, VolumeInfo
    from blustream_widget.label_desk import EditDesk, LabelStore, Progress


class LabelEditing:
    """The part of `Segmentation` that edits.

    Every method returns when the edit is done, and gives the number of voxels that changed. Places
    are voxel coordinates of the shown volume, (i, j, k) or a list of such; lengths are in its
    world unit, by the spacing of its axes. What cannot be is one error, and changes nothing.
    """

    _desk: EditDesk
    _store: LabelStore

    if TYPE_CHECKING:

        @property
        def name(self) -> str: ...
        @property
        def _channel(self) -> Channel: ...
        @property
        def _names(self) -> dict[int, str]: ...

    def paint(
        self,
        points: Any,
        radius: float,
        label: int,
        *,
        axis: int | None = None,
        over: int | None = None,
        between: tuple[float, float] | None = None,
        channel: int = 0,
        timeout_s: float = 60.0,
    ) -> int:
        """Draw a brush along points.

        Parameters
        ----------
        points : place or list of places
            Joined by straight lines.
        radius : float
            Voxels whose centre is not farther from the line get the label, and the voxel that a
            point lies in.
        label : int
            One that occurs, has a name, or is the next number.
        axis : int, optional
            A disc in the slice across this axis that the first point lies in; default: a ball.
        over : int, optional
            Paint only over this label; 0: only over what has none.
        between : (float, float), optional
            Paint only voxels whose value is in this range, both included ("threshold paint").
        channel : int
            Of the shown volume, for `between`.
        timeout_s : float

        Raises
        ------
        StateError, ProcessingError
        """
        stroke = checked_edit(
            Stroke,
            points=checked_places(points),
            radius=radius,
            label=label,
            axis=axis,
            over=over,
            within=None if between is None else _range(between, channel),
        )
        return self._edit(stroke, timeout_s)

    def erase(
        self,
        points: Any,
        radius: float,
        *,
        axis: int | None = None,
        over: int | None = None,
        timeout_s: float = 60.0,
    ) -> int:
        """Draw along points with a brush that takes labels away; else as `paint`."""
        return self.paint(points, radius, 0, axis=axis, over=over, timeout_s=timeout_s)

    def fill(
        self,
        seed: Any,
        label: int,
        *,
        axis: int | None = None,
        timeout_s: float = 300.0,
        progress: Progress | None = None,
    ) -> int:
        """Give everything the label that has the seed's label now and is joined to it by faces.

        With an `axis`: in the seed's slice alone. At most 64 million voxels. `progress` as for
        `smooth`.
        """
        edit = checked_edit(Fill, seed=_place(seed), label=label, axis=axis)
        return self._edit(edit, timeout_s, progress)

    def grow(
        self,
        seed: Any,
        between: tuple[float, float] | None,
        label: int,
        *,
        tolerance: float = 0.0,
        channel: int = 0,
        axis: int | None = None,
        over: int | None = None,
        timeout_s: float = 300.0,
        progress: Progress | None = None,
    ) -> int:
        """Give everything the label whose values are in a range and that is joined to the seed.

        Parameters
        ----------
        seed : place
        between : (float, float) or None
            Both included; None: as the seed's own value, up to `tolerance`.
        label : int
        tolerance : float
        channel : int
            Of the shown volume.
        axis : int, optional
            In the seed's slice across this axis alone.
        over : int, optional
            Only over this label; 0: only over what has none.
        timeout_s : float
        progress : callable, optional
            As for `smooth`.

        Notes
        -----
        Joined by faces; at most 64 million voxels.
        """
        edit = checked_edit(
            Grow,
            seed=_place(seed),
            label=label,
            within=None if between is None else _range(between, channel),
            tolerance=tolerance,
            channel=channel,
            axis=axis,
            over=over,
        )
        return self._edit(edit, timeout_s, progress)

    def cut(
        self,
        outline: Any,
        axis: int,
        *,
        label: int = 0,
        slices: tuple[int, int] | None = None,
        outside: bool = False,
        over: int | None = None,
        timeout_s: float = 300.0,
    ) -> int:
        """Take labels away inside an outline, or give another one ("scissors").

        Parameters
        ----------
        outline : list of places
            Three corners or more, in a slice across `axis`.
        axis : int
        label : int
        slices : (int, int), optional
            First and last slice; default: through all.
        outside : bool
            What is outside of the outline instead.
        over : int, optional
            Only this label.
        timeout_s : float
        """
        edit = checked_edit(
            Cut,
            points=checked_places(outline),
            label=label,
            axis=axis,
            slices=slices,
            is_outside=outside,
            over=over,
        )
        return self._edit(edit, timeout_s)

    def smooth(
        self,
        label: int,
        radius: float,
        *,
        timeout_s: float = 300.0,
        progress: Progress | None = None,
    ) -> int:
        """Smooth a label's surface: blurred by `radius` (standard deviation), then halved.

        Parameters
        ----------
        label : int
            It gains no voxels that have another label.
        radius : float
        timeout_s : float
        progress : callable, optional
            Gets the share that is done, 0 to 1, or None where nobody can know it, and a line for
            people, while it takes long. What it raises cancels the edit, as Ctrl + C and the end
            of the time do: nothing is changed then.
        """
        return self._edit(checked_edit(Smooth, label=label, radius=radius), timeout_s, progress)

    def keep_largest(
        self, label: int, *, timeout_s: float = 300.0, progress: Progress | None = None
    ) -> int:
        """Take all pieces of a label away but the largest; pieces are joined by faces."""
        return self._edit(checked_edit(Islands, label=label), timeout_s, progress)

    def remove_islands(
        self,
        label: int,
        min_voxels: int,
        *,
        timeout_s: float = 300.0,
        progress: Progress | None = None,
    ) -> int:
        """Take pieces of a label away that have fewer than `min_voxels`."""
        edit = checked_edit(Islands, label=label, min_voxels=min_voxels)
        return self._edit(edit, timeout_s, progress)

    def interpolate(
        self,
        label: int,
        axis: int,
        *,
        timeout_s: float = 300.0,
        progress: Progress | None = None,
    ) -> int:
        """Fill a label in between the slices across `axis` that it was drawn on."""
        return self._edit(checked_edit(Interpolate, label=label, axis=axis), timeout_s, progress)

    def undo(self, *, timeout_s: float = 300.0) -> int:
        """Take back the newest edit of this viewer's owner, of any of its segmentations.

        What others have changed since stays.
        """
        return self._desk.edit(self.name, None, "undo", timeout_s)

    def redo(self, *, timeout_s: float = 300.0) -> int:
        """Do again what was taken back last."""
        return self._desk.edit(self.name, None, "redo", timeout_s)

    def to_array(
        self, *, timeout_s: float = 60.0, progress: Progress | None = None
    ) -> npt.NDArray[Any]:
        """Read all labels, with what was edited, at full resolution.

        Parameters
        ----------
        timeout_s : float
            For what was edited to come from the server.
        progress : callable, optional
            Gets the share done (0 to 1) and a line for people. It may raise, which ends the work.

        Returns
        -------
        ndarray, of the label volume's shape and dtype
        """
        from blustream_widget.data.voxels import VoxelReader

        with self._store.opened(self._desk.bricks(self.name, timeout_s)) as (labels, channel):
            info = labels.info
            values = np.empty(info.shape, info.channels[channel].dtype)
            for part in VoxelReader(labels, lambda: False).parts(channel, (0, 0, 0), info.shape):
                at = tuple(slice(v, u) for v, u in zip(part.lower, part.upper, strict=True))
                values[at] = part.values
                if progress is not None:
                    progress(part.progress, f"reading {self.name}")
        return values

    def save(
        self,
        path: str | Path,
        *,
        overwrite: bool = False,
        codec: str = "zip",
        progress: Progress | None = None,
        timeout_s: float = 60.0,
    ) -> VolumeInfo:
        """Write the labels, with what was edited, as a VDS that `add_segmentation` takes.

        Parameters
        ----------
        path : path
            Ends in .vds. Appears when everything is written.
        overwrite : bool
            Replace what is there.
        codec : {"zip", "rle", "none"}
        progress : callable, optional
            Gets the share done (0 to 1) and a line for people. It may raise, which ends the work.
        timeout_s : float
            For what was edited to come from the server.

        Raises
        ------
        VolumeWriteError
            Something is there, no room, no rights.

        Notes
        -----
        Brick by brick: the volume is never in memory as a whole.
        """
        from blustream_widget.data.label_writer import write_labels

        target = Path(path).expanduser().absolute()
        if target.suffix != ".vds":
            raise VolumeWriteError(f"{target.name} does not end in .vds.", hint="Labels are VDS.")
        if target.exists() and not overwrite:
            raise VolumeWriteError(
                f"{target} exists.", hint="Give another name, or overwrite=True."
            )
        self._desk.exported()
        with self._store.opened(self._desk.bricks(self.name, timeout_s)) as (labels, channel):
            described = msgspec.structs.replace(
                self._channel,
                name=self.name,
                is_label=True,
                label_names=self._channel.label_names | self._names,
            )
            return write_labels(
                labels,
                channel,
                target,
                described=described,
                grid=self._store.grid(labels.info),
                codec=codec,
                progress=progress,
            )

    def _edit(self, edit: LabelEdit, timeout_s: float, progress: Progress | None = None) -> int:
        return self._desk.edit(self.name, edit, "", timeout_s, progress)


def _place(seed: Any) -> Place:
    return checked_places(seed)[0]


def _range(between: Any, channel: int) -> ValueRange:
    low, high = between
    return checked_edit(ValueRange, low=float(low), high=float(high), channel=channel)
