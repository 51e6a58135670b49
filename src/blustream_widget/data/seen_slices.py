"""Whole slices that were shown a moment ago: a hand that goes back finds them put together."""

from __future__ import annotations

from collections import OrderedDict

from blustream_widget.data.composite import Composite, SliceSpec


class SeenSlices:
    """Complete composites, least recently left out first; never more than `budget_bytes`.

    Parameters
    ----------
    budget_bytes : int
        Not negative. A slice larger than this is not kept.

    Notes
    -----
    A slice takes a brick's side less memory than the bricks that it is cut from. Where these do
    not fit into memory, as under a whole slice of a large volume at full resolution, kept slices
    are all that need not be read again.

    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.used_bytes = 0
        self._budget_bytes = budget_bytes
        self._slices: OrderedDict[SliceSpec, Composite] = OrderedDict()

    def keep(self, composite: Composite) -> None:
        """Keep a slice that is left, if nothing of it is missing."""
        if not composite.is_complete:
            return
        self.take(composite.spec)
        self._slices[composite.spec] = composite
        self.used_bytes += composite.n_bytes
        self._evict()

    def take(self, spec: SliceSpec) -> Composite | None:
        """Give a slice to who shows it, so that it is no longer kept here; or None."""
        composite = self._slices.pop(spec, None)
        if composite is not None:
            self.used_bytes -= composite.n_bytes
        return composite

    def limit(self, budget_bytes: int) -> None:
        """Keep to another budget from now on."""
        self._budget_bytes = budget_bytes
        self._evict()

    def clear(self) -> None:
        """Forget every slice: the volume has changed."""
        self._slices.clear()
        self.used_bytes = 0

    def _evict(self) -> None:
        while self.used_bytes > self._budget_bytes:
            self.take(next(iter(self._slices)))
