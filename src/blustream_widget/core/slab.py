"""Slabs: several slices around the shown one, reduced to one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from blustream_widget.core.state import ViewState
    from blustream_widget.core.types import VolumeInfo

SLAB_MODES: tuple[str, ...] = ("max", "min", "mean", "rms")
"""How the values of a slab become one: maximum (MIP), minimum (MinIP), mean, root mean square."""

SLAB_MAX = 512
"""Slices of a slab at most."""


class Slab(NamedTuple):
    """Slices `first` to `last`, both included, 0-based, and how they are reduced.

    Of an oblique plane, planes one voxel apart along its normal, counted from it: it is number 0.
    Of a fence, curtains beside it, each of its pieces moved along its own normal.
    """

    first: int
    last: int
    mode: str


def slab_of(state: ViewState, info: VolumeInfo) -> Slab | None:
    """Slab that a view of one pane shows; None where it shows one slice alone.

    It is centred on the slice (an even one has one slice more behind it) and cut at the ends of the
    volume; what lies beside a section has no value there. Labels have no order and no mean:
    of a label channel the slice alone is shown.
    """
    if state.slab == 1 or info.channels[state.channel].is_label:
        return None
    if state.section is not None:
        return Slab(-((state.slab - 1) // 2), state.slab // 2, state.slab_mode)
    idx, n = state.slice_idx[state.axis], info.axes[state.axis].n
    first = idx - (state.slab - 1) // 2
    return Slab(max(first, 0), min(first + state.slab, n) - 1, state.slab_mode)
