"""The server's desk at JupyterHub's service for guests: open while a view is shared, else not.

The connections go from here to the service. It tells on one of them that a guest waits; each guest
is fetched with another, which is then served as the WebSocket of a browser would be.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import aiohttp
import msgspec

from blustream_widget.core import hub_messages as hm
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.protocol import MAX_MESSAGE_BYTES
from blustream_widget.session.kernel_port import Kernel
from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

RETRY_S = (0.5, 1.0, 2.0, 5.0)
CONNECT_TIMEOUT_S = 10.0
HEARTBEAT_S = 20.0
MAX_NEWS_BYTES = 4096

Serve = Callable[[aiohttp.ClientWebSocketResponse, str], Awaitable[None]]
"""Serves a guest on a socket, as whom the Hub knows them, to the end."""


class Uplink:
    """Opens the desk, and keeps it open. Loop thread only.

    Parameters
    ----------
    serve : callable
    """

    def __init__(self, serve: Serve) -> None:
        self._serve = serve
        # By session, the newest last.
        self._offers: dict[str, tuple[Kernel, lp.OpenDesk]] = {}
        self._is_shared = False
        self._told = asyncio.Event()
        self._running: asyncio.Task[None] | None = None
        self._http: aiohttp.ClientSession | None = None
        self._tasks = TaskSet()

    def offer(self, kernel: Kernel, message: lp.OpenDesk) -> None:
        """Take a kernel's word where the service is, and its ticket."""
        self._offers.pop(message.session, None)
        self._offers[message.session] = kernel, message
        self._told.set()
        self._update()

    def forget(self, session: str) -> None:
        """Take note that a session has ended; a desk that is open stays so."""
        self._offers.pop(session, None)

    def shared(self, is_shared: bool) -> None:
        """Take note whether guests can come to any view. Guests who are here go by themselves."""
        self._is_shared = is_shared
        self._update()

    async def close(self) -> None:
        """Close the desk, and let every guest go."""
        self._offers.clear()
        self.shared(False)
        await self._tasks.close()
        if self._http is not None:
            await self._http.close()

    def _update(self) -> None:
        if self._running is None and self._is_shared and self._offers:
            self._running = self._tasks.spawn(self._run(), name="desk at the Hub")
        elif self._running is not None and not self._is_shared:
            self._running.cancel()
            self._running = None

    async def _run(self) -> None:
        if self._http is None:
            # Cookies would be those of all guests; the Hub's address is its own, not a proxy's.
            self._http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        attempt = 0
        while True:
            self._told.clear()
            if self._offers:
                kernel, offer = list(self._offers.values())[-1]
                if await self._keep_open(self._http, kernel, offer):
                    attempt = 0
            pause_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
            attempt += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), pause_s)

    async def _keep_open(
        self, http: aiohttp.ClientSession, kernel: Kernel, offer: lp.OpenDesk
    ) -> bool:
        """Be at the desk as long as it is open; False if it did not open."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                desk = await http.ws_connect(
                    f"{offer.address}desk",
                    headers={"Authorization": f"Bearer {offer.ticket}"},
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=MAX_NEWS_BYTES,
                    compress=0,
                )
        except aiohttp.WSServerHandshakeError as exc:
            logger.info("The Hub's service refused the desk with status %d", exc.status)
            if exc.status == HTTPStatus.UNAUTHORIZED:
                # It has begun anew, or the ticket is over its time.
                self._offers.pop(offer.session, None)
                kernel.tell(lp.RenewDesk(session=offer.session))
            return False
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            logger.info("The Hub's service does not answer: %s", type(exc).__name__)
            return False
        logger.info("The desk at the Hub's service is open")
        async with desk:
            async for message in desk:
                self._hear(http, offer, message.data)
        logger.info("The desk at the Hub's service is closed")
        return True

    def _hear(self, http: aiohttp.ClientSession, offer: lp.OpenDesk, data: object) -> None:
        try:
            waits = hm.guest_waits_decoder.decode(data if isinstance(data, str | bytes) else b"")
        except msgspec.MsgspecError as exc:
            logger.warning("A message of the Hub's service is skipped: %s", exc)
            return
        self._tasks.spawn(self._fetch(http, offer, waits), name="guest of the Hub")

    async def _fetch(
        self, http: aiohttp.ClientSession, offer: lp.OpenDesk, waits: hm.GuestWaits
    ) -> None:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                # No heartbeat: the service reads from here only as fast as the guest does.
                socket = await http.ws_connect(
                    f"{offer.address}fetch/{waits.ticket}",
                    max_msg_size=MAX_MESSAGE_BYTES,
                    compress=0,
                )
        except (aiohttp.ClientError, TimeoutError, OSError) as exc:
            logger.info("A guest could not be fetched: %s", type(exc).__name__)
            return
        async with socket:
            await self._serve(socket, waits.account)
