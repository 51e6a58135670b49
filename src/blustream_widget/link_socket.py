"""The socket of a kernel's link: what waits to be sent by it, and what is read from it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

import msgspec

from blustream_widget.core import link_protocol as lp

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    import aiohttp

    from blustream_widget.server.discovery import ServerAddress

logger = logging.getLogger(__name__)


class LinkSocket:
    """One connection to the server after the other. Link thread only, but for `descriptors`.

    Parameters
    ----------
    received : callable
        Gets each message of the server.
    relayed : callable
        Gets number of channel and picture, for a relayed browser.

    Attributes
    ----------
    descriptors : list of int
        Of the connection, if there is one: a forked child has copies of them.
    """

    def __init__(
        self, received: Callable[[lp.ToKernel], None], relayed: Callable[[int, bytes], None]
    ) -> None:
        self._received, self._relayed = received, relayed
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._wake: asyncio.Event | None = None
        self._outbox: list[str] = []
        self.descriptors: list[int] = []

    def begin(self) -> None:
        """Belong to the loop that runs now."""
        self._wake = asyncio.Event()

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._socket is not None

    def send(self, message: lp.ToServer) -> None:
        """Send what may be lost: it is not sent where there is no server."""
        if self._socket is not None:
            self.put(message)
        self.notify()

    def put(self, message: lp.ToServer) -> None:
        """Have a message sent with the next ones."""
        self._outbox.append(lp.encoder.encode(message).decode())

    def notify(self) -> None:
        """Have `exchange` and `pause` look again whether there is anything to do."""
        if self._wake is not None:
            self._wake.set()

    async def pause(self, seconds: float) -> None:
        """Wait, but not longer than until something is to be done."""
        assert self._wake is not None
        self._wake.clear()
        with contextlib.suppress(asyncio.TimeoutError):
            async with asyncio.timeout(seconds):
                await self._wake.wait()

    @contextlib.asynccontextmanager
    async def connected(self, address: ServerAddress) -> AsyncIterator[None]:
        """Connect; nothing waits to be sent then."""
        import aiohttp  # here: 0.2 s that `import blustream_widget` need not take

        connector = aiohttp.UnixConnector(path=str(address.socket_path))
        headers = {"Authorization": f"Bearer {address.secret}"}
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.ws_connect(
                "http://blustream/link", headers=headers, max_msg_size=0, heartbeat=20, compress=0
            ) as socket,
        ):
            self._socket, self._outbox = socket, []
            inner = socket.get_extra_info("socket")
            self.descriptors = [] if inner is None else [inner.fileno()]
            try:
                yield
            finally:
                self.descriptors = []
                self._socket = None

    async def exchange(
        self,
        unsent: Callable[[], Iterable[lp.ToServer]],
        is_needed: Callable[[], bool],
        look_again_s: Callable[[], float | None],
    ) -> None:
        """Send and read until the connection breaks, or is needed no more.

        Parameters
        ----------
        unsent : callable
            Gives what is to be sent before all that waits.
        is_needed : callable
        look_again_s : callable
            When to ask again whether it is needed, though nothing has happened.
        """
        socket = self._socket
        assert socket is not None
        assert self._wake is not None
        reader = asyncio.ensure_future(self._read(socket))
        try:
            while is_needed() and not reader.done():
                self._wake.clear()
                await self._flush(socket, unsent)
                waiting = asyncio.ensure_future(self._wake.wait())
                await asyncio.wait(
                    {reader, waiting},
                    timeout=look_again_s(),
                    return_when=asyncio.FIRST_COMPLETED,
                )
                waiting.cancel()
            await self._flush(socket, unsent)
        finally:
            reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reader

    async def _flush(
        self,
        socket: aiohttp.ClientWebSocketResponse,
        unsent: Callable[[], Iterable[lp.ToServer]],
    ) -> None:
        for message in unsent():
            self.put(message)
        texts, self._outbox = self._outbox, []
        for text in texts:
            await socket.send_str(text)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            data = message.data
            if isinstance(data, bytes):
                (channel,) = lp.RELAY_PREFIX.unpack_from(data)
                self._relayed(channel, data[lp.RELAY_PREFIX.size :])
            elif isinstance(data, str):
                try:
                    answer = lp.to_kernel_decoder.decode(data)
                except msgspec.MsgspecError as exc:
                    logger.warning("A message of the server is skipped: %s", exc)
                    continue
                self._received(answer)
