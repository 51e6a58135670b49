"""Decides which brick is asked for next, and forgets what nobody waits for any more."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from blustream_widget.core.types import Samples
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.source import BrickKey, BrickRequest, VolumeSource
from blustream_widget.errors import BlustreamError

BrickSink = Callable[[BrickKey, "Samples | BlustreamError | None"], None]


class BrickFetcher:
    """A bounded number of requests in flight: urgent, always wanted, wanted, prefetched.

    Parameters
    ----------
    source : VolumeSource
    cache : BrickCache
        Bricks in it are not asked for.
    sink : callable
        Gets what `VolumeSource.request_brick` delivers, from any thread. It calls `settle`.
    max_in_flight : int

    Notes
    -----
    Every method but the source's callback needs the owner's (re-entrant) lock.
    """

    def __init__(
        self, source: VolumeSource, cache: BrickCache, sink: BrickSink, *, max_in_flight: int
    ) -> None:
        self._source = source
        self._cache = cache
        self._sink = sink
        self._max_in_flight = max_in_flight
        self._urgent: list[BrickKey] = []
        self._always: list[BrickKey] = []
        self._kept: set[BrickKey] = set()
        self._wanted: list[BrickKey] = []
        self._ahead: list[BrickKey] = []
        self._active: dict[BrickKey, BrickRequest | None] = {}
        self._cancelled: set[BrickKey] = set()
        self._failures: dict[BrickKey, int] = {}
        self._pumping = False
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Requests the source has not answered."""
        return len(self._active)

    def want(self, keys: Sequence[BrickKey], ahead: Sequence[BrickKey] = ()) -> None:
        """Replace what is wanted now, in this order, and what may be next; cancel the rest."""
        self._wanted, self._ahead = list(keys), list(ahead)
        # Coming back to a place tries it again.
        self._failures = {key: n for key, n in self._failures.items() if key in self._wanted}
        alive = {*self._wanted, *self._ahead, *self._urgent, *self._kept}
        for key in self._active.keys() - alive - self._cancelled:
            self._cancelled.add(key)
            request = self._active[key]
            if request is not None:
                request.cancel()
        self.pump()

    def want_urgently(self, key: BrickKey | None) -> None:
        """Ask for one brick before all others; replaces the previous urgent one."""
        self._urgent = [] if key is None else [key]
        self.pump()

    def want_always(self, keys: Sequence[BrickKey]) -> None:
        """Ask for bricks that no later `want` cancels, before the wanted ones."""
        self._always += keys
        self._kept |= set(keys)
        self.pump()

    def settle(self, key: BrickKey, failed: bool) -> None:
        """Note that a request is over."""
        self._active.pop(key, None)
        self._cancelled.discard(key)
        if failed:
            self._failures[key] = self._failures.get(key, 0) + 1
            self._wanted.append(key)  # once more, after the others
        elif key in self._failures:
            del self._failures[key]

    def restart(self) -> set[BrickKey]:
        """Cancel everything and try failed bricks again; tell what is still on its way."""
        self._failures.clear()
        self._urgent, self._always = [], []
        self._kept.clear()
        self.want(())
        return set(self._active)

    def close(self) -> None:
        """Cancel everything; ask for nothing any more."""
        self._closed = True
        self.restart()

    def pump(self) -> None:
        """Start requests until the bound is reached or nothing is left."""
        if self._pumping or self._closed:
            return  # a source that answers at once calls back into here
        self._pumping = True
        try:
            while (item := self._next()) is not None:
                key, prefetch = item
                self._active[key] = None
                request = self._source.request_brick(key, self._sink, prefetch=prefetch)
                if key in self._active:
                    self._active[key] = request
        finally:
            self._pumping = False

    def _next(self) -> tuple[BrickKey, bool] | None:
        if len(self._active) >= self._max_in_flight:
            return None
        for keys in (self._urgent, self._always, self._wanted):
            key = self._take(keys)
            if key is not None:
                return key, False
        return self._next_ahead()

    def _take(self, keys: list[BrickKey]) -> BrickKey | None:
        """Remove and return the first key that can be asked for now."""
        waiting = []
        taken = None
        while keys and taken is None:
            key = keys.pop(0)
            if self._is_open(key) and key not in self._active:
                taken = key
            elif key in self._cancelled:
                waiting.append(key)  # cancelled a moment ago: asked for again when that is over
        keys[:0] = waiting
        return taken

    def _next_ahead(self) -> tuple[BrickKey, bool] | None:
        # Half the bound: a turn of the hand finds free places.
        if self._wanted or len(self._active) >= max(1, self._max_in_flight // 2):
            return None
        while self._ahead:
            key = self._ahead.pop(0)
            if self._is_open(key) and key not in self._active:
                return key, True
        return None

    def _is_open(self, key: BrickKey) -> bool:
        # One retry: a network hiccup is common, a broken brick stays broken.
        return key not in self._cache and self._failures.get(key, 0) < 2
