"""Takes over browsers' connections that Jupyter has let in: no proxy is on a picture's way then.

The Jupyter extension (`server/extension.py`) checks who connects as for every WebSocket of Jupyter,
and passes the descriptor of the connection over a UNIX socket (SCM_RIGHTS), with the request that
came on it. From then on the browser speaks with this process, and only with it.

The extension keeps its end of the UNIX socket open: this is the *lease*. When Jupyter ends, the
lease ends, and with it the browser's connection; when the browser leaves, the lease is returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from blustream_widget.transport.tasks import TaskSet

logger = logging.getLogger(__name__)

MAX_HEAD_BYTES = 32 * 1024
CLAIM_TIMEOUT_S = 10.0
BACKLOG = 512
"""Jupyter does not wait for us: where this is full, a page gets its pictures through the proxy."""
_CREDENTIALS = struct.Struct("3i")  # pid, uid, gid


class Handover:
    """Listens for connections that are handed over. Loop thread only.

    Parameters
    ----------
    make_protocol : callable
        Protocol of the HTTP server that serves what is taken over.
    """

    def __init__(self, make_protocol: Callable[[], asyncio.Protocol]) -> None:
        self._make_protocol = make_protocol
        self._tasks = TaskSet()
        self._leases: dict[asyncio.BaseTransport, socket.socket] = {}
        self._claimed: set[asyncio.BaseTransport] = set()

    def listen(self, listener: socket.socket) -> None:
        """Accept from `listener`, a UNIX socket that is ours to close, until `close`."""
        listener.listen(BACKLOG)
        self._tasks.spawn(self._accept(listener), name="handover")

    @contextmanager
    def claim(self, transport: asyncio.BaseTransport | None) -> Iterator[bool]:
        """Say whether a connection was handed over; its lease ends with the block."""
        is_handed = transport in self._leases
        if transport is not None and is_handed:
            self._claimed.add(transport)
        try:
            yield is_handed
        finally:
            if transport is not None and is_handed:
                self._return(transport)

    async def close(self) -> None:
        """Take no more, and end those that were taken."""
        await self._tasks.close()
        for transport in list(self._leases):
            transport.close()
            self._return(transport)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with listener:
            while True:
                lease, _ = await loop.sock_accept(listener)
                self._tasks.spawn(self._take(lease), name="handed over")
                # One in each turn of the loop: a hundred at once would hold frames up for 0.15 s.
                await asyncio.sleep(0)

    async def _take(self, lease: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        transport: asyncio.BaseTransport | None = None
        try:
            if not _is_own(lease):
                logger.warning("Another user's process tried to hand over a connection")
                return
            async with asyncio.timeout(CLAIM_TIMEOUT_S):
                await _readable(lease)
            head, browser = _receive(lease)
            if browser is None or not head.endswith(b"\r\n\r\n"):
                if browser is not None:
                    browser.close()
                return
            transport, protocol = await loop.connect_accepted_socket(self._make_protocol, browser)
            self._leases[transport] = lease
            protocol.data_received(head)
            # The request's handler claims it as soon as the loop is free; what is no request for a
            # viewer (none comes from our extension) has no handler that would.
            late = loop.call_later(CLAIM_TIMEOUT_S, self._give_up, transport)
            await _readable(lease)
            late.cancel()
        except (OSError, TimeoutError) as exc:
            logger.debug("A connection was not taken over: %s", exc)
        finally:
            if transport is not None:
                transport.close()
                self._return(transport)
            lease.close()

    def _give_up(self, transport: asyncio.BaseTransport) -> None:
        if transport not in self._claimed:
            self._return(transport)

    def _return(self, transport: asyncio.BaseTransport) -> None:
        self._claimed.discard(transport)
        lease = self._leases.pop(transport, None)
        if lease is not None:
            # Wakes who waits for it here, and tells the other side.
            with contextlib.suppress(OSError):
                lease.shutdown(socket.SHUT_RDWR)


def listen_privately(path: Path) -> socket.socket:
    """UNIX socket at `path` that only this user can connect to."""
    path.unlink(missing_ok=True)  # of a server that was killed: we hold the lock
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old_mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(old_mask)
    listener.setblocking(False)
    return listener


def _is_own(connection: socket.socket) -> bool:
    """Whether a process of this very user is on the other side (Linux; elsewhere: the folder)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(raw)
    return bool(uid == os.getuid())


async def _readable(connection: socket.socket) -> None:
    """Wait until there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    loop.add_reader(connection, event.set)
    try:
        await event.wait()
    finally:
        loop.remove_reader(connection)


def _receive(lease: socket.socket) -> tuple[bytes, socket.socket | None]:
    head, descriptors, _, _ = socket.recv_fds(lease, MAX_HEAD_BYTES, 1)
    if not descriptors:
        return head, None
    browser = socket.socket(fileno=descriptors[0])
    if browser.family not in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        browser.close()
        return head, None
    browser.setblocking(False)
    return head, browser
