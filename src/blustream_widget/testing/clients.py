"""A kernel and a viewer in Python, which speak to a server as the real ones do."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast

import aiohttp
import msgspec

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core.frame_header import FrameFlags, FrameHeader
from blustream_widget.core.state import ViewState
from blustream_widget.core.types import VolumeRef
from blustream_widget.server.runtime_files import ServerAddress
from blustream_widget.transport.still_parts import PART_PREFIX

M = TypeVar("M")

TIMEOUT_S = 30.0  # a busy machine is slow, not wrong


class Inbox:
    """Everything that came, and a way to wait for what has not come yet."""

    def __init__(self) -> None:
        self.items: list[Any] = []  # messages of either protocol, or frames
        self.is_over = False
        self._changed = asyncio.Event()

    def put(self, item: object) -> None:
        self.items.append(item)
        self._changed.set()

    def wake(self) -> None:
        """Have who waits look again, at something that is no item."""
        self._changed.set()

    def end(self) -> None:
        self.is_over = True
        self._changed.set()

    async def until(self, condition: Callable[[], M | None], what: str) -> M:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                while True:
                    if (found := condition()) is not None:
                        return found
                    if self.is_over:
                        raise ConnectionError(f"The connection ended before {what}.")
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise TimeoutError(f"Waited {TIMEOUT_S:g} s in vain for {what}.") from None

    async def find(self, kind: type[M], condition: Callable[[M], bool]) -> M:
        def search() -> M | None:
            matches = (i for i in self.items if isinstance(i, kind) and condition(i))
            return next(matches, None)

        return await self.until(search, kind.__name__)


class StillAssembly:
    """Puts the parts of a still together; a newer one, or one that begins again, replaces it."""

    def __init__(self) -> None:
        self._frame_no = -1
        self._data = bytearray()

    def add(self, header: FrameHeader, part: bytes) -> tuple[FrameHeader, bytes] | None:
        """Take a part; the whole still when it was the last one."""
        offset, total = PART_PREFIX.unpack_from(part)
        if header.frame_no != self._frame_no or offset == 0:
            self._frame_no, self._data = header.frame_no, bytearray()
        if offset != len(self._data):
            raise ValueError(f"A part at {offset} follows {len(self._data)} bytes.")
        self._data += part[PART_PREFIX.size :]
        if len(self._data) < total:
            return None
        flags = header.flags & ~FrameFlags.PART
        return msgspec.structs.replace(header, flags=flags), bytes(self._data)


class KernelClient:
    """The kernel's side of a link; relayed frames are in the inbox as (channel, bytes)."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.inbox = Inbox()

    async def send(self, message: lp.ToServer) -> None:
        """Send a message."""
        await self.send_raw(lp.encoder.encode(message).decode())

    async def send_raw(self, text: str) -> None:
        """Send any text."""
        await self._socket.send_str(text)

    async def open(
        self,
        url: str = "fake:16x24x32",
        *,
        ref: VolumeRef | None = None,
        patch: dict[str, Any] | None = None,
        state: ViewState | None = None,
        session: str = "",
    ) -> lp.SessionOpened:
        """Start a session and wait for its token."""
        session = session or uuid.uuid4().hex
        await self.send(
            lp.OpenSession(
                session=session, ref=ref or VolumeRef(url=url), patch=patch or {}, state=state
            )
        )
        return await self.message(lp.SessionOpened, lambda m: m.session == session)

    async def message(self, kind: type[M], condition: Callable[[M], bool] = lambda _: True) -> M:
        """First message of a kind that meets a condition, now or when it comes."""
        return await self.inbox.find(kind, condition)

    async def read(self) -> None:
        """Take messages until the link ends."""
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.inbox.put(lp.to_kernel_decoder.decode(message.data))
            elif message.type is aiohttp.WSMsgType.BINARY:
                (channel,) = lp.RELAY_PREFIX.unpack_from(message.data)
                self.inbox.put((channel, message.data[lp.RELAY_PREFIX.size :]))
        self.inbox.end()


class ViewerClient:
    """A browser's WebSocket. Use `connect_viewer`.

    Attributes
    ----------
    acknowledges : bool
        Whether every frame is answered at once, as a browser that keeps up does.
    frames : list of (FrameHeader, bytes)
        What came, in order; stills whole.
    n_parts : int
        Parts of stills that came.
    close_code : int or None
        Code with which the server closed the connection; None while it is open.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self.inbox = Inbox()
        self.acknowledges = True
        self.frames: list[tuple[FrameHeader, bytes]] = []
        self.n_parts = 0
        self.close_code: int | None = None
        self._still = StillAssembly()

    async def send(self, message: p.ViewerMessage) -> None:
        """Send a message."""
        await self.send_raw(p.encode(message).decode())

    async def send_raw(self, text: str) -> None:
        """Send any text."""
        await self._socket.send_str(text)

    async def send_bytes(self, data: bytes) -> None:
        """Send anything."""
        await self._socket.send_bytes(data)

    async def message(self, kind: type[M], condition: Callable[[M], bool] = lambda _: True) -> M:
        """First message of a kind that meets a condition, now or when it comes."""
        return await self.inbox.find(kind, condition)

    async def frame(
        self, condition: Callable[[FrameHeader], bool] = lambda _: True
    ) -> tuple[FrameHeader, bytes]:
        """First frame whose header meets a condition, now or when it comes."""

        def search() -> tuple[FrameHeader, bytes] | None:
            return next((f for f in self.frames if condition(f[0])), None)

        return await self.inbox.until(search, "a frame")

    async def ended(self) -> None:
        """Wait until the server has closed the connection."""
        await self.inbox.until(lambda: self.inbox.is_over or None, "the end")

    async def round_trip(self) -> None:
        """Wait until the server has taken everything sent so far."""
        n = len(self.inbox.items)
        await self.send(p.Ping(n=n))
        await self.message(p.Pong, lambda m: m.n == n)

    async def read(self) -> None:
        """Take messages until the connection ends."""
        try:
            async for message in self._socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    await self._take_message(p.decode_server(message.data))
                elif message.type is aiohttp.WSMsgType.BINARY:
                    await self._take_frame(message.data)
            self.close_code = self._socket.close_code
        finally:
            self.inbox.end()
        await self._socket.close()

    async def _answer(self, message: p.ViewerMessage) -> None:
        # The server may have gone after what is being answered; what it said last is still to
        # be read.
        with contextlib.suppress(ConnectionError):
            await self.send(message)

    async def _take_message(self, message: p.ServerMessage) -> None:
        if isinstance(message, p.Ping):
            if self.acknowledges:
                await self._answer(p.Pong(n=message.n))
        else:
            self.inbox.put(message)

    async def _take_frame(self, data: bytes) -> None:
        header = FrameHeader.unpack(data)
        payload = data[header.n_bytes :]
        if self.acknowledges:
            await self._answer(p.Ack(frame_no=header.frame_no))
        if header.flags & FrameFlags.PART:
            self.n_parts += 1
            if (whole := self._still.add(header, payload)) is None:
                self.inbox.wake()
                return
            header, payload = whole
        self.frames.append((header, payload))
        self.inbox.put(header)


@asynccontextmanager
async def _reading(client: KernelClient | ViewerClient) -> AsyncIterator[None]:
    reader = asyncio.create_task(client.read())
    try:
        yield
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)


@asynccontextmanager
async def connect_kernel(
    address: ServerAddress, *, secret: str | None = None
) -> AsyncIterator[KernelClient]:
    """Open a link for the length of the block."""
    headers = {"Authorization": f"Bearer {address.secret if secret is None else secret}"}
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(address.socket_path))) as http,
        http.ws_connect("http://blustream/link", headers=headers, max_msg_size=0) as socket,
    ):
        client = KernelClient(socket)
        async with _reading(client):
            yield client


@asynccontextmanager
async def connect_viewer(
    address: ServerAddress,
    token: str | None,
    *,
    pictures: tuple[str, ...] = ("h264", "jpeg"),
    headers: dict[str, str] | None = None,
) -> AsyncIterator[ViewerClient]:
    """Open a viewer's connection for the length of the block; no hello without a token."""
    connector = aiohttp.UnixConnector(str(address.socket_path))
    url = "http://blustream/ws"
    async with _viewer(url, connector, token, pictures=pictures, headers=headers) as client:
        yield client


@asynccontextmanager
async def connect_through(
    url: str, token: str | None, *, headers: dict[str, str] | None = None
) -> AsyncIterator[ViewerClient]:
    """Open a viewer's connection over TCP, through a proxy."""
    async with _viewer(url, aiohttp.TCPConnector(), token, headers=headers) as client:
        yield client


@asynccontextmanager
async def _viewer(
    url: str,
    connector: aiohttp.BaseConnector,
    token: str | None,
    *,
    pictures: tuple[str, ...] = ("h264", "jpeg"),
    headers: dict[str, str] | None = None,
) -> AsyncIterator[ViewerClient]:
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        # Closed by hand: aiohttp answers a close frame by itself, and when the server is gone by
        # then it puts 1006 in place of the code that the server gave.
        http.ws_connect(url, headers=headers, max_msg_size=0, autoclose=False) as socket,
    ):
        client = ViewerClient(socket)
        async with _reading(client):
            if token is not None:
                await client.send(p.Hello(token=token, pictures=cast(Any, pictures)))
            yield client
