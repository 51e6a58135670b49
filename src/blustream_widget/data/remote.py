"""A volume behind a network: what fails for the network's sake is asked for again."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from blustream_widget.core.types import Samples, VolumeInfo
from blustream_widget.data.retry import backoff_s
from blustream_widget.data.source import BrickDone, BrickKey, BrickRequest, VolumeSource
from blustream_widget.errors import (
    BlustreamError,
    StorageUnreachableError,
    VolumeAccessError,
)
from blustream_widget.runtime import start_thread

logger = logging.getLogger(__name__)

# Silence on open connections: first the user hears of it, then they are given up.
_SILENT_S = 5.0
_GIVE_UP_S = 20.0
# A core decodes a brick in 10 ms or more; so many must be on their way that it never waits.
_BRICK_S = 0.010
_ROUND_TRIPS_TO_OPEN = 4
_MOST_IN_FLIGHT = 48
# Of a brick, while others come through.
_MOST_FAILURES = 5
# Keys that expire are renewed by opening anew, not more often than this.
_RENEW_S = 60.0


class _Wish:
    """One brick that somebody waits for, through as many requests as it takes."""

    def __init__(self, key: BrickKey, done: BrickDone, *, prefetch: bool) -> None:
        self.key = key
        self.done = done
        self.prefetch = prefetch
        self.generation = -1
        self.request: BrickRequest | None = None
        self.is_cancelled = False
        self.n_failed = 0
        self.n_good_before = 0


class _Request:
    def __init__(self, source: RemoteSource, wish: _Wish) -> None:
        self._source = source
        self._wish = wish

    def cancel(self) -> None:
        self._source.cancel(self._wish)


class RemoteSource:
    """A source whose storage can be slow, busy or gone for a while.

    While it is gone the volume is opened anew after pauses that grow to ten seconds; requests wait,
    and follow at once when that succeeds. The same where it has been silent for long.

    Parameters
    ----------
    open_source : callable
        Opens the source below; called again, from a thread, when its connections are dead or its
        credentials have expired.
    clock : callable
        Monotonic seconds.
    pause_s : callable
        Seconds to wait after so many failures in a row.
    silent_s, give_up_s : float
        Without an answer: until it is told, and until the volume is opened anew.

    Raises
    ------
    BlustreamError
        As `open_source`.
    """

    def __init__(
        self,
        open_source: Callable[[], VolumeSource],
        *,
        clock: Callable[[], float] = time.monotonic,
        pause_s: Callable[[int], float] = lambda n_failed: backoff_s(n_failed, random.random()),
        silent_s: float = _SILENT_S,
        give_up_s: float = _GIVE_UP_S,
    ) -> None:
        self._open_source = open_source
        self._clock, self._backoff_s = clock, pause_s
        self._silent_s, self._give_up_s = silent_s, give_up_s
        begun_s = clock()
        self._inner = open_source()
        round_trip_s = (clock() - begun_s) / _ROUND_TRIPS_TO_OPEN
        cores = os.cpu_count() or 1
        self._max_in_flight = min(
            2 * cores + 4 + int(cores * round_trip_s / _BRICK_S), _MOST_IN_FLIGHT
        )
        self._info = self._inner.info
        self._changed = threading.Condition()
        self._asked: set[_Wish] = set()
        self._parked: deque[_Wish] = deque()
        self._generation = 0
        self._heard_s = clock()
        self._renewed_s = float("-inf")
        self._try_at_s: float | None = None
        self._n_failed = 0
        self._n_good = 0
        self._trouble: BlustreamError | None = None
        self._listener: Callable[[], None] = _nothing
        self._closed = False
        start_thread(self._watch, name="blustream-storage")

    @property
    def info(self) -> VolumeInfo:
        return self._info

    @property
    def survey(self) -> Any:  # Survey or None, of whatever source is below
        """Where the volume lies on the map, if that is known."""
        return getattr(self._inner, "survey", None)

    @property
    def storage(self) -> str:
        """How the volume is stored, in words."""
        return str(getattr(self._inner, "storage", ""))

    @property
    def max_in_flight(self) -> int:
        return self._max_in_flight

    @property
    def trouble(self) -> BlustreamError | None:
        return self._trouble

    def on_trouble(self, listener: Callable[[], None]) -> None:
        self._listener = listener

    def request_brick(self, key: BrickKey, done: BrickDone, *, prefetch: bool = False) -> _Request:
        return self._take(_Wish(key, done, prefetch=prefetch))

    def cancel(self, wish: _Wish) -> None:
        """Forget a wish; its `done` is still called."""
        with self._changed:
            wish.is_cancelled = True
            is_parked = wish in self._parked
            if is_parked:
                self._parked.remove(wish)
            request = wish.request if wish in self._asked else None
        if is_parked:
            wish.done(wish.key, None)
        elif request is not None:
            request.cancel()

    def close(self) -> None:
        with self._changed:
            if self._closed:
                return
            self._closed = True
            parked, self._parked = self._parked, deque()
            self._changed.notify_all()
        for wish in parked:
            wish.done(wish.key, None)
        self._inner.close()

    # ------------------------------------------------------------ asking

    def _take(self, wish: _Wish) -> _Request:
        with self._changed:
            is_closed = self._closed
            must_wait = not is_closed and self._try_at_s is not None
            if must_wait:
                self._parked.append(wish)
                self._changed.notify_all()  # the last one may have been cancelled long ago
        if is_closed:
            wish.done(wish.key, None)
        elif not must_wait:
            self._launch(wish)
        return _Request(self, wish)

    def _launch(self, wish: _Wish) -> None:
        """Ask the source below; without the lock, because it may answer at once."""
        with self._changed:
            if not self._asked:
                self._heard_s = self._clock()
            self._asked.add(wish)
            wish.generation = generation = self._generation
            inner = self._inner
            self._changed.notify_all()
        request = inner.request_brick(
            wish.key,
            lambda _, result: self._hear(wish, generation, result),
            prefetch=wish.prefetch,
        )
        with self._changed:
            wish.request = request
            is_late = wish.is_cancelled and wish in self._asked
        if is_late:
            request.cancel()

    def _hear(self, wish: _Wish, generation: int, result: Samples | BlustreamError | None) -> None:
        """Take an answer of the source below; any thread."""
        with self._changed:
            if wish.generation != generation or wish not in self._asked:
                return  # of a source that was given up
            self._asked.discard(wish)
            self._heard_s = self._clock()
            before = self._trouble
            is_over = wish.is_cancelled or self._closed or not isinstance(result, BlustreamError)
            if not is_over:
                assert isinstance(result, BlustreamError)
                is_over = not self._is_worth_retrying(wish, result)
            if not is_over:
                self._parked.append(wish)
            elif isinstance(result, BlustreamError):
                result = None if wish.is_cancelled else result
            elif result is not None:
                self._n_good += 1
                self._recover()
            self._changed.notify_all()
            is_news = self._trouble is not before
        if is_over:
            wish.done(wish.key, result)
        if is_news:
            self._listener()

    def _is_worth_retrying(self, wish: _Wish, error: BlustreamError) -> bool:
        """Decide, and arrange for it; with the lock."""
        if isinstance(error, StorageUnreachableError):
            if wish.n_failed == 0:
                wish.n_good_before = self._n_good
            wish.n_failed += 1
            if wish.n_failed >= _MOST_FAILURES and self._n_good > wish.n_good_before:
                return False  # others come through: it is this one
            self._fail(error)
            return True
        if not isinstance(error, VolumeAccessError):
            return False
        if self._try_at_s is None:
            if self._clock() - self._renewed_s < _RENEW_S:
                return False
            self._renewed_s = self._try_at_s = self._clock()  # with credentials of now
        return True

    # ------------------------------------------------------------ out of reach, and back

    def _fail(self, error: BlustreamError) -> None:
        """Note that the storage is out of reach; with the lock."""
        if self._trouble is None:
            logger.warning("%s", error)
            self._trouble = error
        # Requests that fail together are one failure.
        if self._try_at_s is None:
            self._n_failed += 1
            self._try_at_s = self._clock() + self._backoff_s(self._n_failed)

    def _recover(self) -> None:
        """Note that the storage answers; with the lock."""
        if self._try_at_s is not None:
            return  # others have failed
        if self._trouble is not None:
            logger.info("The storage of %s answers again", self._info.name)
        self._trouble, self._n_failed = None, 0

    def _watch(self) -> None:
        """Thread: open anew when it is time, and notice silence."""
        while True:
            with self._changed:
                while not self._closed and (pause_s := self._pause_s()) > 0:
                    self._changed.wait(None if pause_s == float("inf") else pause_s)
                if self._closed:
                    return
                before = self._trouble
                must_reopen = self._try_at_s is not None
                if not must_reopen:
                    self._trouble = self._trouble or StorageUnreachableError(
                        f"The storage of {self._info.name} does not answer.",
                        hint="It is tried again; check the network.",
                    )
                    must_reopen = self._clock() - self._heard_s >= self._give_up_s
                is_news = self._trouble is not before
            if is_news:
                self._listener()
            if must_reopen:
                self._reopen()

    def _pause_s(self) -> float:
        """Time until something is due; with the lock."""
        now = self._clock()
        if self._try_at_s is not None and (self._parked or self._asked):
            return self._try_at_s - now
        if self._asked and self._try_at_s is None:
            limit_s = self._silent_s if self._trouble is None else self._give_up_s
            return self._heard_s + limit_s - now
        return float("inf")

    def _reopen(self) -> None:
        """Open the source below anew and ask it for everything; blocks while it opens.

        OpenVDS remembers for a handle which list of bricks it could not read, and never asks again.
        """
        try:
            source = self._open_source()
        except BlustreamError as exc:
            self._stay_out(exc)
            return
        with self._changed:
            is_closed = self._closed
            if not is_closed:
                old, self._inner = self._inner, source
                self._generation += 1
                left, self._asked = self._asked, set()
                again = [wish for wish in left if not wish.is_cancelled] + list(self._parked)
                dropped = [wish for wish in left if wish.is_cancelled]
                self._parked.clear()
                self._heard_s = self._clock()
                self._try_at_s = None
        if is_closed:
            source.close()
            return
        # Waits for what it still reads, which may be for ever.
        start_thread(old.close, name="blustream-storage-end")
        for wish in dropped:
            wish.done(wish.key, None)
        for wish in again:
            self._launch(wish)

    def _stay_out(self, error: BlustreamError) -> None:
        """Take note that opening anew has failed: later again, or never if it was refused."""
        given_up: list[_Wish] = []
        with self._changed:
            before = self._trouble
            self._try_at_s = None
            self._heard_s = self._clock()
            if isinstance(error, StorageUnreachableError):
                self._trouble = None  # the newest reason is told
                self._fail(error)
            else:
                given_up, self._parked = list(self._parked), deque()
                self._trouble, self._n_failed = None, 0
            is_news = self._trouble is not before
        for wish in given_up:
            wish.done(wish.key, None if wish.is_cancelled else error)
        if is_news:
            self._listener()


def _nothing() -> None:
    pass
