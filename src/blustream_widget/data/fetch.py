"""Decides which brick is asked for next, and forgets what nobody waits for any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

from blustream_widget.core.types import Samples
from blustream_widget.data.cache import BrickCache
from blustream_widget.data.plan import Stage
from blustream_widget.data.source import (
    AnyKey,
    BrickKey,
    BrickRequest,
    TiledSource,
    VolumeSource,
)
from blustream_widget.errors import BlustreamError

BrickSink = Callable[[AnyKey, "Samples | BlustreamError | None"], None]

# One retry: a network hiccup is common, a broken brick stays broken.
_MOST_FAILURES = 2
_SLOW_BRICK_S = 0.005
_NEWEST_WEIGHT = 0.2


class BrickFetcher:
    """A bounded number of requests in flight: urgent, always wanted, then stage by stage.

    Parameters
    ----------
    source : VolumeSource
    cache : BrickCache
        Bricks in it are not asked for.
    sink : callable
        Gets what `VolumeSource.request_brick` delivers, from any thread. It calls `settle`.
    max_in_flight : int
    clock : callable
        Monotonic seconds.

    Notes
    -----
    Every method but the source's callback needs the owner's (re-entrant) lock.
    """

    def __init__(
        self,
        source: VolumeSource,
        cache: BrickCache,
        sink: BrickSink,
        *,
        max_in_flight: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._source = source
        self._cache = cache
        self._sink = sink
        self._max_in_flight = max_in_flight
        self._clock = clock
        self._urgent: list[AnyKey] = []
        self._always: list[AnyKey] = []
        self._kept: set[AnyKey] = set()
        self._stages: list[tuple[list[AnyKey], bool]] = []
        self._active: dict[AnyKey, BrickRequest | None] = {}
        self._begun_s: dict[AnyKey, float] = {}
        self._ahead: set[AnyKey] = set()
        self._cancelled: set[AnyKey] = set()
        self._failures: dict[AnyKey, int] = {}
        self._brick_s = 0.0
        self._pumping = False
        self._closed = False

    @property
    def in_flight(self) -> int:
        """Requests the source has not answered."""
        return len(self._active)

    @property
    def is_slow(self) -> bool:
        """Whether bricks have come so slowly of late that a slice of them takes long."""
        return self._brick_s > _SLOW_BRICK_S

    def want(self, stages: Sequence[Stage]) -> None:
        """Replace what is wanted now and what may be next, in this order; cancel the rest."""
        self._stages = [(list(stage.keys), stage.is_ahead) for stage in stages if stage.keys]
        asked = {key for keys, _ in self._stages for key in keys}
        # Coming back to a place tries it again.
        self._failures = {key: n for key, n in self._failures.items() if key in asked}
        for key in self._active.keys() - asked - set(self._urgent) - self._kept - self._cancelled:
            self._cancelled.add(key)
            request = self._active[key]
            if request is not None:
                request.cancel()
        self.pump()

    def want_urgently(self, key: AnyKey | None) -> None:
        """Ask for one brick before all others; replaces the previous urgent one."""
        self._urgent = [] if key is None else [key]
        self.pump()

    def want_always(self, keys: Sequence[AnyKey]) -> None:
        """Ask for bricks that no later `want` cancels, before the wanted ones."""
        self._always += keys
        self._kept |= set(keys)
        self.pump()

    def want_no_longer(self, keys: Collection[AnyKey]) -> None:
        """Ask for bricks of `want_always` no more; the next `want` cancels those under way."""
        gone = set(keys)
        self._always = [key for key in self._always if key not in gone]
        self._kept -= gone

    def settle(self, key: AnyKey, failed: bool) -> None:
        """Note that a request is over."""
        self._measure(key, n_in_flight=len(self._active))
        self._active.pop(key, None)
        self._ahead.discard(key)
        self._cancelled.discard(key)
        if failed:
            self._failures[key] = self._failures.get(key, 0) + 1
            if not self.has_given_up(key):
                self._ask_again(key)
        elif key in self._failures:
            del self._failures[key]

    def has_given_up(self, key: AnyKey) -> bool:
        """Whether a brick has failed so often that it is not asked for again from here."""
        return self._failures.get(key, 0) >= _MOST_FAILURES

    def restart(self) -> set[AnyKey]:
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
                key, is_ahead = item
                self._active[key] = None
                if is_ahead:
                    self._ahead.add(key)
                self._begun_s[key] = self._clock()
                request = self._request(key, prefetch=is_ahead)
                if key in self._active:
                    self._active[key] = request
        finally:
            self._pumping = False

    def _request(self, key: AnyKey, *, prefetch: bool) -> BrickRequest:
        if isinstance(key, BrickKey):
            return self._source.request_brick(key, self._sink, prefetch=prefetch)
        assert isinstance(self._source, TiledSource)
        return self._source.request_tile(key, self._sink, prefetch=prefetch)

    def _next(self) -> tuple[AnyKey, bool] | None:
        if len(self._active) >= self._max_in_flight:
            return None
        # Half the places for what is read ahead: a turn of the hand finds free ones.
        may_read_ahead = len(self._ahead) < max(1, self._max_in_flight // 2)
        for keys, is_ahead in ((self._urgent, False), (self._always, False), *self._stages):
            key = self._take(keys) if may_read_ahead or not is_ahead else None
            if key is not None:
                return key, is_ahead
        return None

    def _take(self, keys: list[AnyKey]) -> AnyKey | None:
        """Remove and return the first key that can be asked for now."""
        waiting = []
        taken = None
        n_seen = 0
        for key in keys:
            n_seen += 1
            if key in self._cancelled:
                waiting.append(key)  # cancelled a moment ago: asked for again when that is over
            elif key not in self._active and self._is_open(key):
                taken = key
                break
        keys[:n_seen] = waiting
        return taken

    def _is_open(self, key: AnyKey) -> bool:
        return key not in self._cache and not self.has_given_up(key)

    def _ask_again(self, key: AnyKey) -> None:
        """Once more, after what else is wanted now."""
        for keys, is_ahead in reversed(self._stages):
            if not is_ahead:
                keys.append(key)
                return
        self._stages.insert(0, ([key], False))

    def _measure(self, key: AnyKey, n_in_flight: int) -> None:
        """Follow the time that a brick takes when several are read at once (Little's law)."""
        begun_s = self._begun_s.pop(key, None)
        if begun_s is None or key in self._cancelled:
            return
        took_s = (self._clock() - begun_s) / max(n_in_flight, 1)
        self._brick_s += _NEWEST_WEIGHT * (took_s - self._brick_s)
