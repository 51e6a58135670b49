"""Decoded bricks and tiles in memory, least recently used out first, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection

from blustream_widget.core.types import Samples
from blustream_widget.data.source import AnyKey


class BrickCache:
    """Bricks by key; never more than `budget_bytes`.

    Parameters
    ----------
    budget_bytes : int
        Positive. A brick larger than this is not kept.

    Notes
    -----
    Not for several threads at once: the owner has the lock.
    """

    def __init__(self, budget_bytes: int) -> None:
        self.budget_bytes = budget_bytes
        self.used_bytes = 0
        self.n_changes = 0
        """Grows with every brick that comes or goes."""
        self._bricks: OrderedDict[AnyKey, Samples] = OrderedDict()
        self._shown: frozenset[AnyKey] = frozenset()
        self._resident: set[AnyKey] = set()

    def __contains__(self, key: object) -> bool:
        return key in self._bricks

    def __len__(self) -> int:
        return len(self._bricks)

    def keys(self) -> list[AnyKey]:
        """List what is in memory, least recently used first."""
        return list(self._bricks)

    def find(self, key: AnyKey) -> Samples | None:
        """Return the brick and mark it as used, or None."""
        brick = self._bricks.get(key)
        if brick is not None:
            self._bricks.move_to_end(key)
        return brick

    def pin(self, shown: Collection[AnyKey]) -> None:
        """Evict these last, and no longer the previous ones: the shown slice is cut from them."""
        self._shown = frozenset(shown)

    def keep(self, key: AnyKey) -> None:
        """Evict this brick last, always: it is part of the coarsest level."""
        self._resident.add(key)

    def keep_no_longer(self, keys: Collection[AnyKey]) -> None:
        """Evict these as any others."""
        self._resident.difference_update(keys)

    def put(self, key: AnyKey, brick: Samples) -> None:
        """Add or replace a brick, then evict down to the budget."""
        old = self._bricks.pop(key, None)
        if old is not None:
            self.used_bytes -= old.nbytes
        self.n_changes += 1
        if brick.nbytes > self.budget_bytes:
            return
        self._bricks[key] = brick
        self.used_bytes += brick.nbytes
        if self.used_bytes > self.budget_bytes:
            self._evict(spare=key)

    def limit(self, budget_bytes: int) -> None:
        """Keep to another budget from now on."""
        self.budget_bytes = budget_bytes
        if self.used_bytes > budget_bytes:
            self.n_changes += 1
            self._evict(spare=None)

    def clear(self) -> None:
        """Forget every brick."""
        self.n_changes += 1
        self._bricks.clear()
        self.used_bytes = 0

    def _evict(self, spare: AnyKey | None) -> None:
        # Pinned bricks go too when nothing else is left: the budget is a promise, the pin a wish.
        for pinned in (False, True):
            for key in list(self._bricks):
                if self.used_bytes <= self.budget_bytes:
                    return
                if key != spare and (key in self._shown or key in self._resident) == pinned:
                    self.used_bytes -= self._bricks.pop(key).nbytes
