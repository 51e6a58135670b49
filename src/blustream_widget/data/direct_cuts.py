"""Slices of a source whose voxels lie in memory, kept while they are shown, patched by edits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from blustream_widget.core.label_edit import Brick
from blustream_widget.core.types import SliceData
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.section_direct import sample_directly
from blustream_widget.data.source import BrickKey, ChangingDirectSource, DirectSource

# One in motion, and the finer one at rest: a stroke begins from rest.
_KEPT = 2


@dataclass(slots=True)
class _Cut:
    data: SliceData
    stale: set[Brick] = field(default_factory=set)  # of full resolution, to be cut again


class DirectCuts:
    """The newest slices of one seat; one thread."""

    def __init__(self) -> None:
        self._cuts: dict[SliceSpec, _Cut] = {}

    def read(self, source: DirectSource, spec: SliceSpec, finest_lod: int = 0) -> SliceData:
        """Give a slice, or a section with points as fine as `finest_lod`.

        Returns
        -------
        SliceData
            The very same object while nothing of it has changed.
        """
        if spec.section is not None:
            spec = replace(spec, shown_lod=finest_lod)  # a picture at rest is another one
        cut = self._cuts.pop(spec, None)
        if cut is None:
            cut = _Cut(_cut(source, spec, finest_lod))
        elif cut.stale:
            cut = _Cut(_patched(source, spec, cut, finest_lod))
        self._cuts[spec] = cut
        while len(self._cuts) > _KEPT:
            self._cuts.pop(next(iter(self._cuts)))
        return cut.data

    def change(self, bricks: Collection[BrickKey]) -> None:
        """Take note of bricks that became other ones."""
        for spec, cut in self._cuts.items():
            cut.stale.update(key[2:] for key in bricks if key[:2] == (spec.channel, 0))

    def forget(self) -> None:
        """Cut everything again: the source may have changed anywhere."""
        self._cuts.clear()


def _cut(source: DirectSource, spec: SliceSpec, finest_lod: int) -> SliceData:
    if spec.section is not None:
        return sample_directly(source, spec, finest_lod=finest_lod)
    return SliceData(
        values=source.read_slice(spec.axis, spec.slice_idx, spec.channel, spec.lod, spec.region),
        axis=spec.axis,
        slice_idx=spec.slice_idx,
        channel=spec.channel,
        lod=spec.lod,
        origin=(spec.lod_region.a0, spec.lod_region.b0),
        coarsest_lod=spec.lod,
        progress=1.0,
    )


def _patched(source: DirectSource, spec: SliceSpec, cut: _Cut, finest_lod: int) -> SliceData:
    if spec.section is not None or not isinstance(source, ChangingDirectSource):
        return _cut(source, spec, finest_lod)
    values = source.patched_slice(
        cut.data.values,
        spec.axis,
        spec.slice_idx,
        spec.channel,
        spec.lod,
        spec.region,
        cut.stale,
    )
    return cut.data if values is cut.data.values else replace(cut.data, values=values)
