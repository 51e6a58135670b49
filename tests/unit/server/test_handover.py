"""Connections that Jupyter hands over: served here, and ended with either side."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp import web

from blustream_widget.server import handover as module
from blustream_widget.server.handover import Handover, listen_privately

HEAD = (
    b"GET /ws HTTP/1.1\r\nHost: lab.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Served:
    """A server that greets each WebSocket, and its handover."""

    def __init__(self, folder) -> None:
        self.path = folder / "h"
        self.claimed: list[bool] = []
        self.leases: list[socket.socket] = []
        self.handover: Handover | None = None

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/ws", self._websocket)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self.handover = Handover(runner.server)
        self.handover.listen(listen_privately(self.path))
        return runner

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        with self.handover.claim(request.transport) as is_handed:
            self.claimed.append(is_handed)
            answer = web.WebSocketResponse()
            await answer.prepare(request)
            await answer.send_str("hello")
            async for _ in answer:
                pass
            return answer

    async def hand(self, head: bytes, *browsers: socket.socket) -> Peer:
        """Do what the extension does; the lease is returned."""
        lease = socket.socket(socket.AF_UNIX)
        lease.connect(str(self.path))
        lease.setblocking(False)
        self.leases.append(lease)
        socket.send_fds(lease, [head], [browser.fileno() for browser in browsers])
        return Peer(lease)


class Peer:
    """One end of a stream, read as a whole."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        connection.setblocking(False)

    async def read(self) -> bytes:
        async with asyncio.timeout(5):
            try:
                return await asyncio.get_running_loop().sock_recv(self.connection, 65536)
            except ConnectionResetError:
                return b""

    async def until_end(self) -> bytes:
        data = b""
        while more := await self.read():
            data += more
        return data

    async def until(self, text: bytes) -> bytes:
        data = b""
        while text not in data:
            more = await self.read()
            assert more, data
            data += more
        return data


@pytest.fixture
async def served(tmp_path):
    served = Served(tmp_path)
    runner = await served.start()
    yield served
    for lease in served.leases:
        lease.close()
    await served.handover.close()
    await runner.cleanup()


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Peer(ours), theirs


async def test_a_handed_connection_is_answered_and_known_as_such(served, pair) -> None:
    browser, theirs = pair
    lease = await served.hand(HEAD, theirs)
    theirs.close()
    assert b"101 Switching Protocols" in await browser.until(b"hello")
    assert served.claimed == [True]
    lease.connection.close()


async def test_the_lease_is_returned_when_the_browser_leaves(served, pair) -> None:
    browser, theirs = pair
    lease = await served.hand(HEAD, theirs)
    theirs.close()
    await browser.until(b"hello")
    browser.connection.close()
    assert await lease.until_end() == b""


async def test_the_connection_ends_with_jupyters_process(served, pair) -> None:
    browser, theirs = pair
    lease = await served.hand(HEAD, theirs)
    theirs.close()
    await browser.until(b"hello")
    lease.connection.close()
    await browser.until_end()


async def test_the_connection_ends_with_the_server(served, pair) -> None:
    browser, theirs = pair
    lease = await served.hand(HEAD, theirs)
    theirs.close()
    await browser.until(b"hello")
    await served.handover.close()
    await browser.until_end()
    await lease.until_end()


@pytest.mark.parametrize("head", [b"GET /ws HTTP/1.1\r\n", b"x"])
async def test_an_incomplete_request_is_dropped(served, pair, head) -> None:
    browser, theirs = pair
    lease = await served.hand(head, theirs)
    theirs.close()
    await lease.until_end()
    assert await browser.until_end() == b""
    assert served.claimed == []


async def test_without_a_connection_nothing_happens(served) -> None:
    lease = await served.hand(HEAD)
    await lease.until_end()
    assert served.claimed == []


async def test_what_is_no_viewers_request_is_given_up(served, pair, monkeypatch) -> None:
    monkeypatch.setattr(module, "CLAIM_TIMEOUT_S", 0.05)
    browser, theirs = pair
    lease = await served.hand(HEAD.replace(b"/ws", b"/other"), theirs)
    theirs.close()
    assert b"404" in await browser.until_end()
    await lease.until_end()


async def test_only_the_user_can_connect(served) -> None:
    assert served.path.stat().st_mode & 0o077 == 0


async def test_another_users_process_is_refused(served, pair, monkeypatch) -> None:
    monkeypatch.setattr(module.os, "getuid", lambda: 12345)
    browser, theirs = pair
    lease = await served.hand(HEAD, theirs)
    theirs.close()
    await asyncio.gather(lease.until_end(), browser.until_end())
    assert served.claimed == []


async def test_a_connection_of_the_servers_own_is_not_handed_over(served, tmp_path) -> None:
    runner = await served.start()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    (address, *_) = runner.addresses
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"http://127.0.0.1:{address[1]}/ws") as connection,
    ):
        assert await connection.receive_str() == "hello"
    assert served.claimed == [False]
    await served.handover.close()
    await runner.cleanup()
