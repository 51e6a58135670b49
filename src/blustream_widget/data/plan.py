"""Which bricks a slice asks for, in which order: something to see first, then the next layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from blustream_widget.core.types import VolumeInfo
from blustream_widget.data.composite import Composite
from blustream_widget.data.section import SectionComposite
from blustream_widget.data.section_slab import SectionSlabComposite
from blustream_widget.data.slab import SlabComposite
from blustream_widget.data.source import AnyKey, BrickKey

# A picture two levels coarser needs a sixteenth of the bricks: it is shown on the way.
_ON_THE_WAY = 2
_TILED_AHEAD = 8
_LARGEST_STRIDE = 16

AnyComposite: TypeAlias = Composite | SlabComposite | SectionComposite | SectionSlabComposite


class Stage(NamedTuple):
    """Bricks or tiles to ask for, in this order; `is_ahead`: wanted later than what is shown."""

    keys: Sequence[AnyKey]
    is_ahead: bool = False


class Hand(NamedTuple):
    """How the shown slice moves: by so many slices, or channels of its source, with the last event.

    0: not known. The channels of a source go on from one step in time to the next.
    """

    stride: int = 0
    channels: int = 0

    @property
    def step(self) -> int:
        """+1, -1, or 0."""
        return (self.stride > 0) - (self.stride < 0)


def plan_stages(
    composite: AnyComposite,
    info: VolumeInfo,
    hand: Hand,
    *,
    room_bytes: int,
    is_slow: bool = False,
    tile_size: int = 0,
) -> list[Stage]:
    """Say what a slice wants, most urgent first.

    Parameters
    ----------
    composite : Composite, SlabComposite, SectionComposite or SectionSlabComposite
        Filled from the cache.
    info : VolumeInfo
    hand : Hand
        Which way to read ahead.
    room_bytes : int
        Memory for the shown layer and what is read ahead.
    is_slow : bool
        Bricks come so slowly (a codec, a network) that every level between is worth its quarter of
        the next one's bricks.
    tile_size : int
        Of the stored tiles of LOD0 slices; 0 when there are none.

    Returns
    -------
    list of Stage
        Coarser levels of this slice and of the next layer come before its own level: a hand that
        is quicker than the bricks sees the coarse ones, never nothing.
    """
    lod = composite.spec.lod
    if tile_size and lod == 0:
        return [
            Stage(composite.missing_tiles(tile_size)),
            Stage(_tiles_ahead(composite, info, hand, tile_size, room_bytes), is_ahead=True),
            Stage(_at_next_time(composite.tile_keys(tile_size), info, hand), is_ahead=True),
        ]
    own = composite.missing(lod)
    steps = range(_ON_THE_WAY, 0, -1) if is_slow else (_ON_THE_WAY,)
    ladder = [lod + up for up in steps if lod + up < info.n_lods]
    stages = [Stage(composite.missing(level)) for level in ladder] if own else []
    stages += [
        Stage(_layer_ahead(composite, info, hand, level, room_bytes), is_ahead=True)
        for level in ladder
    ]
    stages.append(Stage(own))
    stages.append(Stage(_layer_ahead(composite, info, hand, lod, room_bytes), is_ahead=True))
    if hand.channels:
        keys = composite.keys(lod)
        brick_bytes = info.brick_size**3 * _itemsize(info, composite.spec.channel)
        if 2 * len(keys) * brick_bytes <= room_bytes:
            stages.append(Stage(_at_next_time(keys, info, hand), is_ahead=True))
    return stages


def _at_next_time(keys: Sequence[AnyKey], info: VolumeInfo, hand: Hand) -> list[AnyKey]:
    """Give the same bricks or tiles of the step that comes if time runs on."""
    if not hand.channels:
        return []
    n = info.n_source_channels
    # A loop goes on at its other end.
    return [key._replace(channel=(key.channel + hand.channels) % n) for key in keys]


def _layer_ahead(
    composite: AnyComposite,
    info: VolumeInfo,
    hand: Hand,
    lod: int,
    room_bytes: int,
) -> tuple[BrickKey, ...]:
    """Bricks of the next layer, once the hand is past the middle of this one."""
    spec, size = composite.spec, info.brick_size
    within = (composite.leading(hand.step) >> lod) % size
    is_near = within >= size // 2 if hand.step > 0 else within < size // 2
    if hand.step == 0 or not is_near:
        return ()
    keys = composite.keys(lod, hand.step)
    brick_bytes = size**3 * _itemsize(info, spec.channel)
    return keys if 2 * len(keys) * brick_bytes <= room_bytes else ()


def _tiles_ahead(
    composite: AnyComposite,
    info: VolumeInfo,
    hand: Hand,
    tile_size: int,
    room_bytes: int,
) -> list[AnyKey]:
    """Tiles of the slices that the next events will ask for if the hand goes on."""
    stride = hand.stride if abs(hand.stride) <= _LARGEST_STRIDE else hand.step
    tile_bytes = tile_size**2 * _itemsize(info, composite.spec.channel)
    slice_bytes = len(composite.tile_keys(tile_size)) * tile_bytes
    if stride == 0 or (_TILED_AHEAD + 1) * slice_bytes > room_bytes:
        return []
    first = composite.spec.slice_idx
    return [
        key
        for ahead in range(1, _TILED_AHEAD + 1)
        for key in composite.tile_keys(tile_size, first + ahead * stride)
    ]


def _itemsize(info: VolumeInfo, channel: int) -> int:
    return int(np.dtype(info.channel_of(channel).dtype).itemsize)
