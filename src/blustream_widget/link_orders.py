"""What a kernel wants done, until its server confirms that it took it; and the ties of its views.

A server that is killed, or a connection that breaks, may not have taken what was sent last: all
that was not confirmed is sent again, in the order in which it was asked for. Orders are numbered,
so that a server that did take one does not do it again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import link_sharing as ls
from blustream_widget.core.sharing import Export
from blustream_widget.link_session import Change

Behind: TypeAlias = Mapping[str, Change]
"""By session: the last of its changes that goes before something."""


class Orders:
    """Orders of one link. Link thread only."""

    def __init__(self) -> None:
        self._kernel = secrets.token_hex(8)
        self._unconfirmed: dict[int, tuple[lp.OfOrder, Behind]] = {}
        self._n = 0
        self._n_asked = 0  # up to which a confirmation was asked for, over this connection
        self._ties: dict[str, lp.TieViews] = {}

    def add(self, message: lp.OfOrder, behind: Behind | None = None) -> lp.Order:
        """Keep an order; gives what to send. The same one that still waits is given up for it.

        What is for the record is noted as often as it was done.
        """
        if not isinstance(message, ls.NoteExport):
            self._unconfirmed = {
                n: order for n, order in self._unconfirmed.items() if order[0] != message
            }
        self._n += 1
        self._unconfirmed[self._n] = message, behind or {}
        return self._numbered(self._n, message)

    def tie(self, message: lp.TieViews, behind: Behind) -> lp.Order:
        """Keep a tie. Whoever was to be aligned is so once: someone may move after that."""
        self._ties[message.tie] = msgspec.structs.replace(message, aligns=False)
        return self.add(message, behind)

    def untie(self, name: str) -> lp.Order | None:
        """Forget a tie; None if there is none."""
        if self._ties.pop(name, None) is None:
            return None
        return self.add(lp.UntieViews(tie=name))

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

    def again(self) -> Iterator[tuple[lp.Order, Behind]]:
        """All that a new connection is to be told."""
        self._n_asked = 0
        for n, (order, behind) in list(self._unconfirmed.items()):
            yield self._numbered(n, order), behind

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

    def _numbered(self, n: int, order: lp.OfOrder) -> lp.Order:
        return lp.Order(kernel=self._kernel, n=n, what=order)


def export_note(session: str, what: Export) -> ls.NoteExport:
    """Give the order that notes what was written of a view just now."""
    return ls.NoteExport(session=session, what=what, at_ms=time.time() * 1000)


def _of_others(session: str, order: lp.OfOrder) -> lp.OfOrder | None:
    """Give what of an order is not about a session; None: nothing."""
    if isinstance(order, lp.TieViews):
        rest = tuple(other for other in order.sessions if other != session)
        return msgspec.structs.replace(order, sessions=rest) if len(rest) > 1 else None
    return None if getattr(order, "session", "") == session else order
