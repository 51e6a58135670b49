"""What a kernel wants done, until its server confirms that it took it; and the ties of its views.

A server that is killed, or a connection that breaks, may not have taken what was sent last: all
that was not confirmed is sent again, in the order in which it was asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.link_session import Change

Behind: TypeAlias = Mapping[str, Change]
"""By session: the last of its changes that goes before something."""


class Orders:
    """Orders of one link. Link thread only."""

    def __init__(self) -> None:
        self._unconfirmed: dict[int, tuple[lp.ToServer, Behind]] = {}
        self._n = 0
        self._n_asked = 0  # up to which a confirmation was asked for, over this connection
        self._ties: dict[str, lp.TieViews] = {}

    def add(self, message: lp.ToServer, behind: Behind | None = None) -> None:
        """Keep an order; the same one that still waits is given up for it."""
        self._unconfirmed = {
            n: order for n, order in self._unconfirmed.items() if order[0] != message
        }
        self._n += 1
        self._unconfirmed[self._n] = message, behind or {}

    def tie(self, message: lp.TieViews, behind: Behind) -> None:
        """Keep a tie. Whoever was to be aligned is so once: someone may move after that."""
        self._ties[message.tie] = msgspec.structs.replace(message, aligns=False)
        self.add(message, behind)

    def untie(self, name: str) -> lp.UntieViews | None:
        """Forget a tie; None if there is none."""
        if self._ties.pop(name, None) is None:
            return None
        order = lp.UntieViews(tie=name)
        self.add(order)
        return order

    def ties_of(self, session: str) -> list[lp.TieViews]:
        """Ties that a session is in and that the server has confirmed."""
        orders = [order for order, _ in self._unconfirmed.values()]
        waiting = {order.tie for order in orders if isinstance(order, lp.TieViews)}
        ties = self._ties.values()
        return [tie for tie in ties if session in tie.sessions and tie.tie not in waiting]

    def forget(self, session: str) -> None:
        """Take an ended session out of all; the server does the same by itself."""
        left = {name: _of_others(session, tie) for name, tie in self._ties.items()}
        self._ties = {name: tie for name, tie in left.items() if isinstance(tie, lp.TieViews)}
        kept = {n: (_of_others(session, order), b) for n, (order, b) in self._unconfirmed.items()}
        self._unconfirmed = {n: (order, b) for n, (order, b) in kept.items() if order is not None}

    def again(self) -> Iterator[tuple[lp.ToServer, Behind]]:
        """All that a new connection is to be told."""
        self._n_asked = 0
        yield from list(self._unconfirmed.values())

    def question(self) -> lp.Confirm | None:
        """Give what to ask behind what is being sent; None if nothing new is."""
        newest = max(self._unconfirmed, default=0)
        if newest <= self._n_asked:
            return None
        self._n_asked = newest
        return lp.Confirm(n=newest)

    def confirmed(self, n: int) -> None:
        """Hear that the server has taken all up to `n`."""
        self._unconfirmed = {k: order for k, order in self._unconfirmed.items() if k > n}


def _of_others(session: str, order: lp.ToServer) -> lp.ToServer | None:
    """Give what of an order is not about a session; None: nothing."""
    if isinstance(order, lp.TieViews):
        rest = tuple(other for other in order.sessions if other != session)
        return msgspec.structs.replace(order, sessions=rest) if len(rest) > 1 else None
    return None if getattr(order, "session", "") == session else order
