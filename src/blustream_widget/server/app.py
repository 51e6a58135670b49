"""Routes of the server: readiness, viewers, kernels."""

from __future__ import annotations

import asyncio
import hmac
import logging
from typing import Literal

from aiohttp import ClientWebSocketResponse, WSMsgType, web

from blustream_widget._version import __version__
from blustream_widget.server.admission import HELLO_TIMEOUT_S, Visitor
from blustream_widget.server.guest_page import add_guest_page
from blustream_widget.server.handover import Handover
from blustream_widget.server.hub import Hub
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.links import KernelLink
from blustream_widget.server.origin import is_same_origin
from blustream_widget.server.uplink import Uplink
from blustream_widget.session.kernel_process import process_at
from blustream_widget.transport.outbox import Outbox
from blustream_widget.transport.tasks import TaskSet
from blustream_widget.transport.websocket import (
    Socket,
    WebSocketChannel,
    bound_queues,
    make_socket,
)

logger = logging.getLogger(__name__)

MAX_LINK_MESSAGE_BYTES = 16 * 1024 * 1024
"""A session is opened again with all palettes: eight times thousands of labels with their names."""
MAX_CONNECTIONS = 1024


class Routes:
    """Handlers of the HTTP routes.

    Parameters
    ----------
    hub : Hub
    lifetime : Lifetime
    secret : str
        Of the runtime folder: whoever can read it is the user whose server this is.
    hello_timeout_s : float
        A viewer's connection without a hello is closed after it.
    """

    def __init__(
        self,
        hub: Hub,
        lifetime: Lifetime,
        secret: str,
        *,
        hello_timeout_s: float = HELLO_TIMEOUT_S,
    ) -> None:
        self._hello_timeout_s = hello_timeout_s
        self._hub = hub
        self._lifetime = lifetime
        self._secret = secret
        hub.uplink = Uplink(self.serve_account)
        self._sockets: set[Socket] = set()
        # Set when there is a server that it can give connections to.
        self.handover: Handover | None = None

    def make_app(self) -> web.Application:
        """Application with all routes."""
        app = web.Application()
        app.router.add_get("/", self.ready)
        app.router.add_get("/ws", self.viewer)
        app.router.add_get("/link", self.link)
        add_guest_page(app.router)
        app.on_shutdown.append(self._close_sockets)
        return app

    async def ready(self, _request: web.Request) -> web.Response:
        """Tell that the server runs, and its version."""
        return web.json_response({"name": "blustream", "version": __version__})

    async def viewer(self, request: web.Request) -> web.StreamResponse:
        """Serve a viewer from its hello to its end."""
        if self.handover is None:
            return await self._viewer(request, is_handed=False)
        with self.handover.claim(request.transport) as is_handed:
            return await self._viewer(request, is_handed=is_handed)

    async def _viewer(self, request: web.Request, *, is_handed: bool) -> web.StreamResponse:
        if not is_same_origin(request.headers.get("Origin"), request):
            logger.warning("A WebSocket from a page of another origin was refused")
            return web.Response(status=403, text="This page may not connect.")
        if len(self._sockets) >= MAX_CONNECTIONS:
            return web.Response(status=503, text="Too many connections.")
        socket = make_socket()
        tcp = bound_queues(request.transport)
        await socket.prepare(request)
        via: Literal["direct", "proxy"] = "direct" if is_handed else "proxy"
        channel = WebSocketChannel(socket, via, tcp=tcp, transport=request.transport)
        await self._serve(socket, channel)
        return socket

    async def serve_account(self, socket: ClientWebSocketResponse, account: str) -> None:
        """Serve a guest who was fetched from JupyterHub's service, to their end."""
        if len(self._sockets) < MAX_CONNECTIONS:
            await self._serve(socket, WebSocketChannel(socket), account=account)

    async def _serve(self, socket: Socket, channel: WebSocketChannel, *, account: str = "") -> None:
        visitor = Visitor(self._hub, channel, account=account)
        writing = TaskSet()
        writing.spawn(channel.run(), name="viewer writer")
        late = asyncio.get_running_loop().call_later(self._hello_timeout_s, visitor.refuse_late)
        self._sockets.add(socket)
        try:
            with self._lifetime.user():
                async for message in socket:
                    if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
                        visitor.receive(message.data)
        finally:
            late.cancel()
            self._sockets.discard(socket)
            await visitor.leave()
            await writing.close()

    async def link(self, request: web.Request) -> web.StreamResponse:
        """Serve a kernel's link to its end."""
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self._secret}".encode()):
            logger.warning("A link without the server's secret was refused")
            return web.Response(status=401, text="The secret is missing or wrong.")
        socket = web.WebSocketResponse(
            max_msg_size=MAX_LINK_MESSAGE_BYTES, compress=False, heartbeat=20.0
        )
        await socket.prepare(request)
        outbox = Outbox(socket.send_str, socket.send_bytes)
        assert request.transport is not None
        process = process_at(request.transport.get_extra_info("socket"))
        link = KernelLink(self._hub, outbox, process)
        writing = TaskSet()
        writing.spawn(_write_link(outbox, socket), name="link writer")
        self._sockets.add(socket)
        try:
            with self._lifetime.user():
                async for message in socket:
                    if message.type is WSMsgType.TEXT:
                        link.receive(message.data)
        finally:
            self._sockets.discard(socket)
            await link.close(is_held_up=isinstance(socket.exception(), TimeoutError))
            await writing.close()
        return socket

    async def _close_sockets(self, _app: web.Application) -> None:
        closing = [socket.close(code=1001, message=b"server ends") for socket in self._sockets]
        await asyncio.gather(*closing, return_exceptions=True)


async def _write_link(outbox: Outbox, socket: web.WebSocketResponse) -> None:
    try:
        await outbox.run()
    except ConnectionError:
        return
    await socket.close()
