"""Whose cameras are seen where there are more than a page has room for: who spoke last."""

from __future__ import annotations

from collections.abc import Collection


class Stage:
    """A few places, each of a camera. A picture stays until somebody else speaks.

    Parameters
    ----------
    n_places : int
    """

    def __init__(self, n_places: int) -> None:
        self._n_places = n_places
        self._cameras: dict[str, int] = {}  # by seat, with the turn they spoke last in; 0: never
        self._on: list[str] = []
        self._turn = 0

    @property
    def seats(self) -> frozenset[str]:
        """Whose cameras are seen."""
        return frozenset(self._on)

    def set_cameras(self, seats: Collection[str]) -> None:
        """Say whose cameras are on, in the order that they came."""
        self._cameras = {seat: self._cameras.get(seat, 0) for seat in seats}
        self._on = [seat for seat in self._on if seat in self._cameras]
        waiting = [seat for seat in self._cameras if seat not in self._on]
        waiting.sort(key=lambda seat: -self._cameras[seat])
        self._on += waiting[: self._n_places - len(self._on)]

    def spoke(self, seat: str) -> bool:
        """Take note that somebody speaks; True: other cameras are seen than before."""
        if seat not in self._cameras:
            return False
        self._turn += 1
        self._cameras[seat] = self._turn
        if seat in self._on or self._n_places == 0:
            return False
        longest_silent = min(self._on, key=lambda other: self._cameras[other])
        self._on[self._on.index(longest_silent)] = seat
        return True
