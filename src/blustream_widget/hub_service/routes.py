"""Addresses of the service: pages for guests, the way to log in, and what servers open."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import msgspec
from aiohttp import web

from blustream_widget.core import hub_messages as hm
from blustream_widget.core import protocol as p
from blustream_widget.errors import (
    BlustreamError,
    HubFullError,
    HubServiceError,
    HubUnreachableError,
    SignInError,
)
from blustream_widget.hub_service.desks import Desks
from blustream_widget.hub_service.hub_client import HubClient
from blustream_widget.hub_service.logins import RECHECK_S, Login, Logins
from blustream_widget.hub_service.settings import HubSettings
from blustream_widget.hub_service.sign_in import SignIn
from blustream_widget.hub_service.splice import close, splice
from blustream_widget.hub_service.tickets import Tickets
from blustream_widget.server.guest_page import (
    GUEST_FILES,
    add_guest_files,
    message_page,
    page_for_account,
    page_to_enter,
)
from blustream_widget.server.origin import is_same_origin

MAX_GUESTS = 1024
MAX_OF_ACCOUNT = 16
MAX_SOCKETS = 4096
MAX_REGISTER_BYTES = 4096
MAX_FRAME_BYTES = 10 * 1024 * 1024
HEARTBEAT_S = 20.0
CLOSE_REFUSED = 4403
Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]
_STATUS = {SignInError: 403, HubUnreachableError: 502, HubFullError: 503}


class HubRoutes:
    """Handlers of all addresses below the service's prefix; there are no others.

    Parameters
    ----------
    settings : HubSettings
    hub : HubClient
    logins : Logins, optional
    desks : Desks, optional
    recheck_s : float
        How often the login behind an open connection is looked at.
    """

    def __init__(
        self,
        settings: HubSettings,
        hub: HubClient,
        *,
        logins: Logins | None = None,
        desks: Desks | None = None,
        recheck_s: float = RECHECK_S,
    ) -> None:
        self._settings = settings
        self._hub = hub
        self._recheck_s = recheck_s
        self._sign_in = SignIn(hub, Logins(hub) if logins is None else logins, settings.prefix)
        self._logins = self._sign_in.logins
        self._tickets = Tickets()
        self._desks = Desks() if desks is None else desks
        self._n_of: Counter[str] = Counter()
        self._sockets: set[web.WebSocketResponse] = set()

    def make_app(self) -> web.Application:
        """Application with all routes."""
        app = web.Application(client_max_size=MAX_REGISTER_BYTES, middlewares=[_errors_as_pages])
        prefix, desk = self._settings.prefix, f"{self._settings.prefix}{{desk:{hm.DESK_KEY}}}/"
        app.router.add_get(prefix, self.ready)
        app.router.add_post(f"{prefix}register", self.register)
        app.router.add_get(f"{prefix}desk", self.open_desk)
        app.router.add_get(f"{prefix}fetch/{{ticket:{hm.GUEST_TICKET}}}", self.fetch)
        app.router.add_get(f"{prefix}oauth_callback", self._sign_in.finish)
        app.router.add_get(f"{desk}enter", self.enter)
        app.router.add_get(f"{desk}guest", self.page)
        app.router.add_get(f"{desk}ws", self.guest)
        add_guest_files(app.router, desk, GUEST_FILES)
        app.on_shutdown.append(self._close_sockets)
        return app

    async def ready(self, _request: web.Request) -> web.Response:
        """Answer the Hub, which waits for its service to come up."""
        return message_page("Shared views", "Open the link that you were given.")

    # -------------------------------------------------- guests

    async def page(self, request: web.Request) -> web.Response:
        """Give the page for guests; to who is not logged in, the one that sees to it."""
        login = self._sign_in.login_of(request)
        if login is None or not await self._logins.is_good(login):
            return page_to_enter()
        return page_for_account(login.account)

    async def enter(self, request: web.Request) -> web.Response:
        """Send a browser to the Hub to log in."""
        return self._sign_in.begin(request, request.match_info["desk"])

    async def guest(self, request: web.Request) -> web.StreamResponse:
        """Connect a guest's browser with the user's server, and with nothing else."""
        origin = request.headers.get("Origin")
        if origin is None or not is_same_origin(origin, request):
            return web.Response(status=403, text="This page may not connect.")
        if len(self._sockets) >= MAX_SOCKETS:  # also of those who are about to be refused
            return web.Response(status=503, text="Too many connections.")
        socket = _socket(p.MAX_MESSAGE_BYTES)
        await socket.prepare(request)
        with self._kept(socket):
            try:
                await self._serve_guest(request, socket)
            except HubServiceError as exc:
                await _refuse(socket, exc)
        return socket

    async def _serve_guest(self, request: web.Request, socket: web.WebSocketResponse) -> None:
        login = self._sign_in.login_of(request)
        if login is None or not await self._logins.is_good(login):
            raise SignInError("You are not logged in.", hint="Reload the page.")
        with self._counted(login.account):
            async with self._desks.visit(request.match_info["desk"], login.account) as server:
                ended = asyncio.Event()
                watching = asyncio.create_task(self._watch(login, socket, ended), name="login")
                try:
                    await splice(socket, server)
                finally:
                    ended.set()
                    await watching

    async def _watch(
        self, login: Login, socket: web.WebSocketResponse, ended: asyncio.Event
    ) -> None:
        """Show a guest out who has logged out of the Hub, or may not come any more."""
        while not ended.is_set():
            if not await self._logins.is_good(login):
                await _refuse(socket, SignInError("You are logged out.", hint="Reload the page."))
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), self._recheck_s)

    @contextmanager
    def _counted(self, account: str) -> Iterator[None]:
        if self._n_of[account] >= MAX_OF_ACCOUNT or self._n_of.total() >= MAX_GUESTS:
            raise HubFullError("Too many connections.", hint="Close some pages.")
        self._n_of[account] += 1
        try:
            yield
        finally:
            self._n_of[account] -= 1
            self._n_of += Counter()  # forgets who has none

    # -------------------------------------------------- users' servers

    async def register(self, request: web.Request) -> web.Response:
        """Give the kernel of a user, who shows it by their token of the Hub, a ticket."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        account = await self._hub.account_of(token) if kind == "token" and token else None
        if account is None or account.kind != "user":
            raise web.HTTPUnauthorized(text="This is no user's token of this Hub.")
        try:
            wish = hm.register_decoder.decode(await request.read())
        except msgspec.MsgspecError as exc:
            raise web.HTTPBadRequest(text=f"This is no registration: {exc}.") from exc
        desk, ticket = self._tickets.issue(account.name, wish.place)
        page = f"{self._settings.public_url or self._settings.prefix}{desk}/guest"
        answer = hm.Registered(desk=desk, ticket=ticket, page=page)
        return web.Response(body=hm.encoder.encode(answer), content_type="application/json")

    async def open_desk(self, request: web.Request) -> web.StreamResponse:
        """Keep the desk of a user's server open as long as this connection is."""
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            ticket = self._tickets.check(given if kind == "Bearer" else "")
        except SignInError as exc:
            raise web.HTTPUnauthorized(text=exc.message) from exc
        self._desks.check_room(ticket.owner, ticket.desk)
        socket = _socket(MAX_REGISTER_BYTES)
        await socket.prepare(request)
        with self._kept(socket):
            await self._desks.open(ticket.owner, ticket.desk, socket)
        return socket

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """Give a guest who waits to the user's server that comes for them."""
        ticket = request.match_info["ticket"]
        if not self._desks.is_waiting(ticket):
            raise web.HTTPNotFound(text="Nobody waits with this ticket.")
        # No heartbeat: it would take a guest who reads slowly for a server that is gone. Where one
        # is, its guests' pages notice, and go.
        socket = _socket(MAX_FRAME_BYTES, heartbeat_s=None)
        await socket.prepare(request)
        with self._kept(socket):
            await self._desks.fetch(ticket, socket)
        return socket

    @contextmanager
    def _kept(self, socket: web.WebSocketResponse) -> Iterator[None]:
        self._sockets.add(socket)
        try:
            yield
        finally:
            self._sockets.discard(socket)

    async def _close_sockets(self, _app: web.Application) -> None:
        await asyncio.gather(*(close(socket) for socket in tuple(self._sockets)))


def _socket(
    max_message_bytes: int, *, heartbeat_s: float | None = HEARTBEAT_S
) -> web.WebSocketResponse:
    return web.WebSocketResponse(
        max_msg_size=max_message_bytes, compress=False, heartbeat=heartbeat_s
    )


async def _refuse(socket: web.WebSocketResponse, error: BlustreamError) -> None:
    message = p.Error(code=error.code, message=error.message, hint=error.hint, fatal=True)
    try:
        async with asyncio.timeout(1.0):
            await socket.send_str(p.encode(message).decode())
    except (ConnectionError, TimeoutError):
        return
    await close(socket, CLOSE_REFUSED, error.code)


@web.middleware
async def _errors_as_pages(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell errors of ours as a page, without a traceback."""
    try:
        return await handler(request)
    except HubServiceError as exc:
        return message_page(exc.message, exc.hint, status=_STATUS.get(type(exc), 500))
