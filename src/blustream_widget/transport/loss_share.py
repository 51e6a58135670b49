"""Share of packets that a network loses, counted in packets and not in time."""

from __future__ import annotations

_REMEMBERED = 500.0
_MIN_PACKETS = 40.0
_JUDGED = 200


class LossShare:
    """Counts what was sent and what of it was lost.

    A hand that rests sends nothing, and nothing is learned from that: old counts fade as new ones
    come, not with time.
    """

    def __init__(self) -> None:
        self._n_sent = self._n_lost = 0.0
        self._n_fresh = self._n_fresh_lost = 0.0

    @property
    def value(self) -> float:
        """0 to 1; 0 while too few packets were sent to tell, and rather too little at first."""
        if self._n_sent < _MIN_PACKETS:
            return 0.0
        return self._n_lost / (self._n_sent + _MIN_PACKETS)

    @property
    def is_known(self) -> bool:
        """Whether the share is that of many packets."""
        return self._n_sent >= _JUDGED

    def assume(self, share: float) -> None:
        """Begin with a share that is likely."""
        self._n_sent, self._n_lost = _MIN_PACKETS, 2 * share * _MIN_PACKETS

    def add(self, n_sent: float, n_lost: float) -> None:
        """Count packets."""
        self._n_sent += n_sent
        self._n_lost += min(n_lost, n_sent)
        self._n_fresh += n_sent
        self._n_fresh_lost += min(n_lost, n_sent)
        if self._n_sent > _REMEMBERED:
            self._n_lost *= _REMEMBERED / self._n_sent
            self._n_sent = _REMEMBERED

    def take_fresh(self) -> float | None:
        """Share among the packets since this was last told; None while they are too few.

        One of ten packets says nothing: of a network that loses 5 %, many tens lose two.
        """
        if self._n_fresh < _JUDGED:
            return None
        share = self._n_fresh_lost / self._n_fresh
        self._n_fresh = self._n_fresh_lost = 0.0
        return share
