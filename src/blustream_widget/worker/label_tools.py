"""What each tool does to labels: bricks before and after."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from blustream_widget.core.alignment import Alignment
from blustream_widget.core.label_edit import (
    Brick,
    BrickChange,
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
)
from blustream_widget.core.types import Samples
from blustream_widget.data import VolumeSource
from blustream_widget.data.brick_patch import BrickPatch
from blustream_widget.data.brush import (
    MAX_BRICKS,
    BrickGrid,
    BrickMask,
    brush_masks,
    cut_masks,
    too_many_bricks,
)
from blustream_widget.data.edited_labels import EditedLabels, unpack_brick
from blustream_widget.data.voxels import VoxelReader
from blustream_widget.errors import ProcessingError, StateError
from blustream_widget.processing.labels import (
    interpolated,
    joined_to_seed,
    smoothed,
    without_islands,
)

MAX_JOINED_VOXELS = 64 << 20
MAX_BLOCK_VOXELS = 64 << 20
"""Of the block around a label that is smoothed, or whose islands are looked for."""
_MAX_SCANNED_VOXELS = 1 << 30
# Shares of the progress of what changes a label as a whole; the rest is noting what changed.
_FINDING, _READING, _SHAPING = 0.4, 0.1, 0.4

Mask: TypeAlias = npt.NDArray[np.bool_]
Shape: TypeAlias = tuple[int, int, int]
Changes: TypeAlias = dict[Brick, tuple[Samples, Samples | BrickPatch]]
"""Bricks before and after."""


@dataclass(frozen=True, slots=True, eq=False)
class Editable:
    """Labels that can be edited.

    Parameters
    ----------
    name : str
    labels : EditedLabels
    channel : int
        Of them.
    alignment : Alignment
        How they lie in the shown volume.
    shown : VolumeSource
    count_lod : int
        Level that its labels are counted at.
    is_new : bool
        Nothing is in it but what was edited.
    """

    name: str
    labels: EditedLabels
    channel: int
    alignment: Alignment
    shown: VolumeSource
    count_lod: int
    is_new: bool = False


class LabelTools:
    """What each edit does to the bricks of some labels; blocks its thread while it reads.

    Parameters
    ----------
    target : Editable
    is_cancelled : callable
        Looked at while reading and between the parts of long work.
    on_progress : callable, optional
        Gets the share that is done, 0 to 1, or None where nobody can know it.
    """

    def __init__(
        self,
        target: Editable,
        is_cancelled: Callable[[], bool],
        on_progress: Callable[[float | None], None] = lambda _share: None,
    ) -> None:
        self._on_progress = on_progress
        self._target = target
        self._labels = target.labels
        self._info = target.labels.info
        self._grid = BrickGrid(self._info.shape, self._info.brick_size)
        self._reader = VoxelReader(target.labels, is_cancelled)
        self._values = VoxelReader(target.shown, is_cancelled)

    def check(self) -> None:
        """Look whether the edit is still wanted.

        Raises
        ------
        ReadCancelledError
        """
        self._reader.check()

    def unpacked(self, brick: Brick, data: bytes) -> Samples:
        """Voxels of a brick that `pack_brick` has packed."""
        dtype = self._info.channels[self._target.channel].dtype
        return unpack_brick(data, self._labels.shape_of(brick), dtype)

    def reverted(self, steps: Iterable[BrickChange]) -> Changes:
        """Bring back what one edit changed, where nobody has changed it since."""
        before = {one.brick: one for one in steps}
        changes: Changes = {}
        for brick, now in self._reader.bricks(self._target.channel, before):
            old = self.unpacked(brick, before[brick].old)
            new = self.unpacked(brick, before[brick].new)
            self._note(changes, brick, now, np.where((now == new) & (new != old), old, now))
        return changes

    def edited(self, edit: LabelEdit) -> Changes:
        """Give what an edit changes.

        Raises
        ------
        StateError
            The label, the seed or the channel cannot be.
        ProcessingError
            It is too large.
        BrickReadError, ReadCancelledError
        """
        self._check_label(edit.label)
        match edit:
            case Stroke():
                masks = brush_masks(
                    np.array([self._there(point) for point in edit.points]),
                    edit.radius,
                    self._spacing,
                    None if edit.axis is None else self._target.alignment.axes[edit.axis],
                    self._grid,
                )
                return self._labelled(masks, edit.label, over=edit.over, within=edit.within)
            case Cut():
                return self._cut(edit)
            case Fill() | Grow():
                return self._joined(edit)
            case Smooth() | Islands() | Interpolate():
                return self._reshaped(edit)

    def _check_label(self, label: int) -> None:
        channel = self._info.channels[self._target.channel]
        dtype = np.dtype(channel.dtype)
        if dtype.kind in "ui":
            limits = np.iinfo(dtype)
            if not limits.min <= label <= limits.max:
                raise StateError(
                    f"The label {label} does not fit the labels of {self._target.name!r}.",
                    hint=f"They are from {limits.min} to {limits.max}.",
                )
        elif dtype.type(label) != label:
            raise StateError(f"The label {label} does not fit values of {dtype}.")

    # ------------------------------------------------------------ places

    @property
    def _spacing(self) -> list[float]:
        """Of the label volume's voxels, in the shown volume's unit."""
        shown, alignment = self._target.shown.info, self._target.alignment
        spacing = [1.0, 1.0, 1.0]
        for axis in range(3):
            spacing[alignment.axes[axis]] = shown.axes[axis].spacing / abs(alignment.scale[axis])
        return spacing

    def _there(self, point: Place) -> tuple[float, float, float]:
        """Voxel coordinates of the label volume."""
        alignment, found = self._target.alignment, [0.0, 0.0, 0.0]
        for axis in range(3):
            found[alignment.axes[axis]] = alignment.there(axis, point[axis])
        return (found[0], found[1], found[2])

    def _voxel(self, point: Place) -> tuple[int, int, int]:
        v0, v1, v2 = (math.floor(v + 0.5) for v in self._there(point))
        if not all(0 <= v < n for v, n in zip((v0, v1, v2), self._info.shape, strict=True)):
            raise StateError(
                f"The seed {point} lies outside of the labels of {self._target.name!r}.",
                hint=f"The shown volume has {self._target.shown.info.shape} voxels.",
            )
        return v0, v1, v2

    # ------------------------------------------------------------ tools

    def _cut(self, edit: Cut) -> Changes:
        alignment = self._target.alignment
        axis = alignment.axes[edit.axis]
        first, last = 0, self._info.shape[axis] - 1
        if edit.slices is not None:
            ends = [alignment.there(edit.axis, index) for index in edit.slices]
            first = max(first, math.floor(min(ends) + 0.5))
            last = min(last, math.floor(max(ends) + 0.5))
        outline = np.array([self._there(point) for point in edit.points])
        masks = cut_masks(outline, axis, (first, last), self._grid, is_outside=edit.is_outside)
        return self._labelled(dict(masks), edit.label, over=edit.over)

    def _joined(self, edit: Fill | Grow) -> Changes:
        """Give the label to what is joined to the seed."""
        seed = self._voxel(edit.seed)
        axis = None if edit.axis is None else self._target.alignment.axes[edit.axis]
        wanted = int(self._reader.at(self._target.channel, np.array([seed]))[0])
        if isinstance(edit, Fill) and wanted == edit.label:
            return {}
        bricks: dict[Brick, Samples] = {}
        within = self._range_of(edit, seed) if isinstance(edit, Grow) else None

        def mask_of(brick: Brick) -> Mask:
            if len(bricks) == MAX_BRICKS:
                raise too_many_bricks(len(bricks) + 1)
            self._on_progress(None)
            ((_, now),) = self._reader.bricks(self._target.channel, [brick])
            bricks[brick] = now
            if within is None:
                mask: Mask = now == wanted
            else:
                mask = self._in_range(*self._grid.bounds(brick), within)
                if isinstance(edit, Grow) and edit.over is not None:
                    mask &= now == edit.over
            if axis is None:
                return mask
            lower, _ = self._grid.bounds(brick)
            return _plane_of(mask, axis, seed[axis] - lower[axis])

        counts = [-(-n // self._grid.size) for n in self._info.shape]
        found = joined_to_seed(
            seed,
            self._grid.size,
            (counts[0], counts[1], counts[2]),
            mask_of,
            most=MAX_JOINED_VOXELS,
        )
        changes: Changes = {}
        for brick, mask in found.items():
            now = bricks[brick]
            self._note(changes, brick, now, np.where(mask, np.asarray(edit.label, now.dtype), now))
        return changes

    def _range_of(self, edit: Grow, seed: tuple[int, int, int]) -> ValueRange:
        if edit.within is not None:
            return edit.within
        self._check_values(edit.channel)
        value = float(self._values.at(edit.channel, np.array([seed]))[0])
        if not math.isfinite(value):
            raise StateError(f"The seed {edit.seed} has no value.", hint="Choose another one.")
        return ValueRange(value - edit.tolerance, value + edit.tolerance, edit.channel)

    def _labelled(
        self,
        masks: Mapping[Brick, BrickMask],
        label: int,
        *,
        over: int | None,
        within: ValueRange | None = None,
    ) -> Changes:
        """Give the label to voxels of masks, as far as they have what is asked for."""
        changes: Changes = {}
        for n, (brick, now) in enumerate(self._reader.bricks(self._target.channel, masks), 1):
            self._on_progress(n / len(masks))
            mask = masks[brick]
            there = now[mask.box]
            chosen = mask.inside & (there != label)
            if over is not None:
                chosen &= there == over
            if within is not None and chosen.any():
                low = tuple(v * self._grid.size + o for v, o in zip(brick, mask.lower, strict=True))
                high = tuple(v + n for v, n in zip(low, chosen.shape, strict=True))
                chosen &= self._in_range(
                    (low[0], low[1], low[2]), (high[0], high[1], high[2]), within
                )
            if chosen.any():
                inside = there.copy()
                inside[chosen] = label
                patch = BrickPatch(now, mask.box, inside)
                changes[brick] = (now, patch if 2 * inside.size < now.size else patch.whole)
        return changes

    def _in_range(self, lower: Shape, upper: Shape, within: ValueRange) -> Mask:
        """Say which voxels of a block have values in a range."""
        self._check_values(within.channel)
        values = self._values.block(within.channel, lower, upper)
        # Whole numbers of 32 bits have more digits than floats of as many.
        is_small = (values.dtype.kind == "f" and values.itemsize <= 4) or values.itemsize <= 2
        numbers: npt.NDArray[np.floating] = values.astype(np.float32 if is_small else np.float64)
        mask: Mask = (numbers >= within.low) & (numbers <= within.high)
        return mask

    def _check_values(self, channel: int) -> None:
        """Refuse a range of values where there are none under the labels' voxels."""
        shown = self._target.shown.info
        if not self._target.alignment.is_same_grid:
            raise StateError(
                f"The labels of {self._target.name!r} lie on another grid than {shown.name}: "
                "there are no values under their voxels.",
                hint="Paint without a range of values.",
            )
        if channel >= shown.n_source_channels:
            raise StateError(f"{shown.name} has no channel {channel}.")

    def _reshaped(self, edit: Smooth | Islands | Interpolate) -> Changes:
        """Change a label as a whole, in the block that it lies in."""
        if edit.label == 0:
            raise StateError("Label 0 is the background.", hint="Give the label of a body.")
        margin = [0, 0, 0]
        sigma = [0.0, 0.0, 0.0]
        if isinstance(edit, Smooth):
            sigma = [edit.radius / spacing for spacing in self._spacing]
            margin = [math.ceil(2 * s) + 1 for s in sigma]
        low, high = self._block_of(edit.label, margin)
        now = np.empty([u - v for v, u in zip(low, high, strict=True)], self._dtype)
        for part in self._reader.parts(self._target.channel, low, high):
            now[
                tuple(
                    slice(v - o, u - o) for v, u, o in zip(part.lower, part.upper, low, strict=True)
                )
            ] = part.values
            self._on_progress(_FINDING + _READING * part.progress)
        mask = now == edit.label
        wanted = self._shaped(edit, mask, sigma)
        new = np.where(wanted & (now == 0), np.asarray(edit.label, now.dtype), now)
        new[mask & ~wanted] = 0
        changes: Changes = {}
        touched = (
            brick
            for brick in self._grid.bricks(low, high)
            if self._differs(brick, low, high, now, new)
        )
        for brick, before in self._reader.bricks(self._target.channel, list(touched)):
            inside, here = self._overlap(brick, low, high)
            after = before.copy()
            after[inside] = new[here]
            self._note(changes, brick, before, after)
            self._reader.check()
        return changes

    def _shaped(self, edit: Smooth | Islands | Interpolate, mask: Mask, sigma: list[float]) -> Mask:
        def on_step(share: float) -> None:
            self._reader.check()
            self._on_progress(_FINDING + _READING + _SHAPING * share)

        match edit:
            case Smooth():
                return smoothed(mask, sigma, on_step)
            case Islands(min_voxels=least):
                return without_islands(mask, least, on_step)
            case Interpolate(axis=axis):
                there = self._target.alignment.axes[axis]
                return interpolated(mask, there, self._spacing, on_step)

    def _differs(self, brick: Brick, low: Shape, high: Shape, now: Samples, new: Samples) -> bool:
        _, here = self._overlap(brick, low, high)
        return not np.array_equal(now[here], new[here])

    def _overlap(
        self, brick: Brick, low: Shape, high: Shape
    ) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Where a block lies in a brick, and the brick in the block."""
        lower, upper = self._grid.bounds(brick)
        first = [max(v, o) for v, o in zip(low, lower, strict=True)]
        last = [min(v, o) for v, o in zip(high, upper, strict=True)]
        return (
            tuple(slice(f - o, u - o) for f, u, o in zip(first, last, lower, strict=True)),
            tuple(slice(f - o, u - o) for f, u, o in zip(first, last, low, strict=True)),
        )

    @property
    def _dtype(self) -> str:
        return self._info.channels[self._target.channel].dtype

    def _block_of(self, label: int, margin: list[int]) -> tuple[Shape, Shape]:
        """Block around a label and a margin, half open."""
        low, high = list(self._info.shape), [0, 0, 0]
        for lower, values in self._all_parts():
            at = values == label
            if not at.any():
                continue
            for axis in range(3):
                hit = np.flatnonzero(at.any(axis=tuple(k for k in range(3) if k != axis)))
                low[axis] = min(low[axis], lower[axis] + int(hit[0]))
                high[axis] = max(high[axis], lower[axis] + int(hit[-1]) + 1)
        if high[0] == 0:
            raise StateError(
                f"No voxel of {self._target.name!r} has the label {label}.", hint="Paint it first."
            )
        first = tuple(max(0, v - m) for v, m in zip(low, margin, strict=True))
        end = tuple(min(n, v + m) for n, v, m in zip(self._info.shape, high, margin, strict=True))
        n_voxels = math.prod(u - v for v, u in zip(first, end, strict=True))
        if n_voxels > MAX_BLOCK_VOXELS:
            raise ProcessingError(
                f"The label {label} lies in a block of {n_voxels:,} voxels, which is too large.",
                hint=f"At most {MAX_BLOCK_VOXELS:,}: take away far pieces first.",
            )
        return (first[0], first[1], first[2]), (end[0], end[1], end[2])

    def _all_parts(self) -> Iterator[tuple[Shape, Samples]]:
        """Everything that may hold labels: corner and voxels."""
        if self._target.is_new:
            for brick, values in self._labels.bricks().items():
                yield self._grid.bounds(brick)[0], values
            return
        n_voxels = math.prod(self._info.shape)
        if n_voxels > _MAX_SCANNED_VOXELS:
            raise ProcessingError(
                f"{self._info.name} has {n_voxels:,} voxels: too many to find a label in.",
                hint=f"At most {_MAX_SCANNED_VOXELS:,}; painting works in volumes of any size.",
            )
        for part in self._reader.parts(self._target.channel, (0, 0, 0), self._info.shape):
            self._on_progress(_FINDING * part.progress)
            yield part.lower, part.values

    @staticmethod
    def _note(changes: Changes, brick: Brick, old: Samples, new: Samples) -> None:
        if not np.array_equal(old, new):
            changes[brick] = (old, new)


def _plane_of(mask: Mask, axis: int, at: int) -> Mask:
    """Give a mask with one plane of this one alone; `at` may lie outside."""
    flat = np.zeros(mask.shape, bool)
    if 0 <= at < mask.shape[axis]:
        index = (slice(None),) * axis + (at,)
        flat[index] = mask[index]
    return flat
