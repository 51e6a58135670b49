"""Desks: where users' servers hear of guests, and fetch them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from blustream_widget.core import hub_messages as hm
from blustream_widget.errors import HubFullError, HubUnreachableError, NotSharedError
from blustream_widget.hub_service.splice import close

MAX_DESKS = 1024
MAX_DESKS_OF_OWNER = 8
MAX_GUESTS_OF_DESK = 400
FETCH_TIMEOUT_S = 6.0
CLOSE_REPLACED = 4409


@dataclass(slots=True, eq=False)
class _Desk:
    owner: str
    socket: web.WebSocketResponse
    n_guests: int = 0


@dataclass(slots=True, eq=False)
class _Waiting:
    """A guest who is to be fetched, then is served, until `gone`."""

    fetched: asyncio.Future[web.WebSocketResponse]
    gone: asyncio.Event = field(default_factory=asyncio.Event)


class Desks:
    """The desks that are open now. Loop thread only."""

    def __init__(self) -> None:
        self._desks: dict[str, _Desk] = {}
        self._waiting: dict[str, _Waiting] = {}

    def check_room(self, owner: str, key: str) -> None:
        """See whether a desk can be opened.

        Raises
        ------
        HubFullError
        """
        if key in self._desks:
            return  # its server has begun anew
        n_own = sum(desk.owner == owner for desk in self._desks.values())
        if n_own >= MAX_DESKS_OF_OWNER or len(self._desks) >= MAX_DESKS:
            raise HubFullError("Too many servers share views through this service.")

    async def open(self, owner: str, key: str, socket: web.WebSocketResponse) -> None:
        """Keep a desk open as long as its socket is; a former one of the same server is closed."""
        former = self._desks.get(key)
        desk = self._desks[key] = _Desk(owner, socket)
        try:
            if former is not None:
                await close(former.socket, CLOSE_REPLACED, "replaced")
            async for _ in socket:
                pass  # servers have nothing to say on it
        finally:
            if self._desks.get(key) is desk:
                del self._desks[key]

    @asynccontextmanager
    async def visit(self, key: str, account: str) -> AsyncIterator[web.WebSocketResponse]:
        """Have a guest fetched; gives the socket of the user's server for the block's length.

        Raises
        ------
        NotSharedError
            The desk is closed.
        HubFullError
        HubUnreachableError
            The user's server does not come.
        """
        desk = self._desks.get(key)
        if desk is None:
            raise NotSharedError(
                "Nothing is shared here at the moment.",
                hint="The owner's server does not run, or no link is open.",
            )
        if desk.n_guests >= MAX_GUESTS_OF_DESK:
            raise HubFullError("Too many guests are here.", hint="Try again when one has left.")
        ticket = secrets.token_urlsafe(24)
        waiting = _Waiting(asyncio.get_running_loop().create_future())
        self._waiting[ticket] = waiting
        desk.n_guests += 1
        try:
            yield await _fetched(desk, waiting, hm.GuestWaits(ticket=ticket, account=account))
        finally:
            desk.n_guests -= 1
            self._waiting.pop(ticket, None)
            waiting.gone.set()

    def is_waiting(self, ticket: str) -> bool:
        """Whether a guest is to be fetched with it."""
        waiting = self._waiting.get(ticket)
        return waiting is not None and not waiting.fetched.done()

    async def fetch(self, ticket: str, socket: web.WebSocketResponse) -> None:
        """Give a guest a socket of the user's server, and wait until they have gone."""
        waiting = self._waiting.get(ticket)
        if waiting is None or waiting.fetched.done():
            return  # they went in the meantime
        waiting.fetched.set_result(socket)
        await waiting.gone.wait()


async def _fetched(desk: _Desk, waiting: _Waiting, message: hm.GuestWaits) -> web.WebSocketResponse:
    try:
        async with asyncio.timeout(FETCH_TIMEOUT_S):
            await desk.socket.send_str(hm.encoder.encode(message).decode())
            return await waiting.fetched
    except (ConnectionError, TimeoutError) as exc:
        raise HubUnreachableError("The owner's server does not answer.") from exc
