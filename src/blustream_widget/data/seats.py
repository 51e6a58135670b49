"""Slices that are looked at side by side: each its own composite, bricks and requests shared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.composite import SliceSpec
from blustream_widget.data.direct_cuts import DirectCuts
from blustream_widget.data.plan import AnyComposite, Hand, Stage
from blustream_widget.data.section_slab import DirectSectionSlab
from blustream_widget.data.slab import DirectSlab
from blustream_widget.data.source import AnyKey, BrickKey


@dataclass(slots=True)
class Seat:
    """One slice that somebody looks at.

    Parameters
    ----------
    composite : Composite, SlabComposite, SectionComposite, SectionSlabComposite or None
        None before the first read.
    cuts : DirectCuts
        The last slices of a source that gives slices at once.
    slab : DirectSlab, DirectSectionSlab or None
        The last slab of such a source.
    pinned : sequence of keys
        What the slice is cut from.
    stages : list of Stage
        What it wants, most urgent first.
    hand : Hand
        How it moves.
    has_slow_cuts : bool
        Some of its bricks may lie in memory for another axis.
    """

    composite: AnyComposite | None = None
    cuts: DirectCuts = field(default_factory=DirectCuts)
    slab: DirectSlab | DirectSectionSlab | None = None
    pinned: Sequence[AnyKey] = ()
    stages: list[Stage] = field(default_factory=list)
    hand: Hand = field(default_factory=Hand)
    has_slow_cuts: bool = False

    def follow(self, spec: SliceSpec) -> Hand:
        """Say how the hand moves that has come to `spec`."""
        before = None if self.composite is None else self.composite.spec
        if before is None:
            return Hand()
        if spec.channel != before.channel:
            return Hand(channels=spec.channel - before.channel)
        if before.axis != spec.axis or before.section or spec.section:
            return Hand()
        moved = spec.slice_idx - before.slice_idx
        return Hand(moved) if moved else self.hand


class Seats:
    """Seats by number, the most important first. The owner has the lock."""

    def __init__(self) -> None:
        self._seats: dict[int, Seat] = {0: Seat()}

    def __len__(self) -> int:
        return len(self._seats)

    def order(self, numbers: Sequence[int]) -> bool:
        """Keep these alone, in this order; say whether some of them went."""
        before = self._seats
        self._seats = {number: before.get(number) or Seat() for number in numbers}
        return not before.keys() <= self._seats.keys()

    def seat(self, number: int) -> Seat:
        """Give a seat, a new one where there was none."""
        return self._seats.setdefault(number, Seat())

    @property
    def all(self) -> tuple[Seat, ...]:
        """List them, the most important first."""
        return tuple(self._seats.values())

    @property
    def composites(self) -> tuple[AnyComposite, ...]:
        """What is put together, the most important first."""
        return tuple(s.composite for s in self._seats.values() if s.composite is not None)

    @property
    def pinned(self) -> Sequence[AnyKey]:
        """Everything that a shown slice is cut from."""
        seats = self.all
        if len(seats) == 1:
            return seats[0].pinned
        return [key for seat in seats for key in seat.pinned]

    @property
    def stages(self) -> list[Stage]:
        """What all want: what is coarse before what is fine, what is ahead at last."""
        seats = self.all
        if len(seats) == 1:
            return seats[0].stages
        ranked = [
            (stage.is_ahead, place, number, stage)
            for number, seat in enumerate(seats)
            for place, stage in enumerate(seat.stages)
        ]
        ranked.sort(key=lambda item: item[:3])
        return [stage for *_, stage in ranked]

    def axis_of(self, key: AnyKey, info: VolumeInfo) -> int | None:
        """Axis across which a brick is cut most likely; None if nobody looks."""
        composites = tuple(found for found in self.composites if found.spec.section is None)
        if isinstance(key, BrickKey) and len(composites) > 1:
            for composite in composites:
                spec = composite.spec
                layer = (spec.slice_idx >> key.lod) // info.brick_size
                if key.channel == spec.channel and key[2 + spec.axis] == layer:
                    return spec.axis
        return composites[0].spec.axis if composites else None

    def empty(self) -> None:
        """Forget what was put together."""
        for seat in self._seats.values():
            seat.composite = seat.slab = None
            seat.cuts.forget()

    def change_cuts(self, bricks: Collection[BrickKey] | None = None) -> None:
        """Take note that a source that gives slices has changed: in `bricks`, or anywhere."""
        for seat in self._seats.values():
            seat.slab = None
            if bricks is None:
                seat.cuts.forget()
            else:
                seat.cuts.change(bricks)
