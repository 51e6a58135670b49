"""A TCP proxy on loopback that makes a storage server far away, slow, unreliable or gone."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

from blustream_widget.runtime import start_thread

_REQUEST = re.compile(rb"^(GET|HEAD|PUT|POST|DELETE) (\S+) HTTP/1\.1\r\n")
_CHUNK_BYTES = 256 * 1024
_START_TIMEOUT_S = 10.0


@dataclass
class Exchange:
    """One HTTP request that passed, with the times at which the proxy's client saw it."""

    method: str
    path: str
    sent_s: float
    answered_s: float = float("inf")
    is_new_connection: bool = False


@dataclass(frozen=True)
class Answer:
    """What the proxy says itself in place of the server."""

    status: int
    body: bytes = b""

    def message(self) -> bytes:
        """HTTP response."""
        head = f"HTTP/1.1 {self.status} Injected\r\nContent-Type: application/xml\r\n"
        return f"{head}Content-Length: {len(self.body)}\r\n\r\n".encode() + self.body


@dataclass
class SlowNetwork:
    """A server's address under network conditions that may change at any time.

    Parameters
    ----------
    target : tuple of str and int
        Host and port of the server.
    round_trip_s : float
        Added to every exchange, and once more to the first of a connection (TCP's handshake).
    rate_bytes_s : float
        Of each connection towards the client; 0 = as fast as it goes.
    reset_every : int
        Each so many-th request its connection is reset, as a lossy path does it; 0 = never.
    lose_every : int
        Each so many-th piece of an answer comes late by a retransmission timeout; 0 = never.
    answer : Answer or None
        Answers every request in place of the server.
    is_gone : bool
        Connections are reset as soon as they are made, and existing ones at their next piece.
    """

    target: tuple[str, int]
    round_trip_s: float = 0.0
    rate_bytes_s: float = 0.0
    reset_every: int = 0
    lose_every: int = 0
    answer: Answer | None = None
    is_gone: bool = False
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    _n_pieces: int = 0
    _n_requests: int = 0
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Address for clients."""
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Begin to count anew."""
        self.exchanges = []

    def heal(self) -> None:
        """Be a perfect network again."""
        self.round_trip_s, self.rate_bytes_s = 0.0, 0.0
        self.reset_every, self.lose_every = 0, 0
        self.answer, self.is_gone = None, False

    def n_rounds(self) -> int:
        """Longest chain of requests that waited for one another, handshakes counted."""
        rounds, end_s = 0, 0.0
        for one in sorted(self.exchanges, key=lambda exchange: exchange.answered_s):
            if one.sent_s >= end_s:
                rounds += 1 + one.is_new_connection
                end_s = one.answered_s
        return rounds

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[SlowNetwork]:
        """Serve for the length of the block, in this event loop."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in list(self._open):
                writer.transport.abort()

    @contextlib.contextmanager
    def running(self) -> Iterator[SlowNetwork]:
        """Serve for the length of the block, in a thread of its own."""
        ready, loop_of = threading.Event(), []

        async def serve() -> None:
            stop = asyncio.Event()
            async with self.listening():
                loop_of.append((asyncio.get_running_loop(), stop))
                ready.set()
                await stop.wait()
            # Let what was aborted end before the loop is gone.
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait(tasks, timeout=1.0) if tasks else None

        thread = start_thread(lambda: asyncio.run(serve()), name="slow-network")
        if not ready.wait(_START_TIMEOUT_S):
            raise TimeoutError("The proxy does not listen.")
        try:
            yield self
        finally:
            loop, stop = loop_of[0]
            loop.call_soon_threadsafe(stop.set)
            thread.join(_START_TIMEOUT_S)

    # ------------------------------------------------------------ one connection

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        upstream: asyncio.StreamWriter | None = None
        try:
            if self.is_gone:
                return
            back, upstream = await asyncio.open_connection(*self.target)
            mine: list[Exchange] = []
            async with asyncio.TaskGroup() as group:
                down = group.create_task(self._pump_down(back, writer, mine))
                await self._pump_up(reader, upstream, writer, mine)
                down.cancel()
        except (OSError, ExceptionGroup):
            pass
        finally:
            self._open.discard(writer)
            for end in filter(None, (upstream, writer)):
                # RST towards the client, as a middle box that lost the connection does.
                end.transport.abort()

    async def _pump_up(
        self,
        reader: asyncio.StreamReader,
        upstream: asyncio.StreamWriter,
        writer: asyncio.StreamWriter,
        mine: list[Exchange],
    ) -> None:
        is_first = True
        while data := await reader.read(_CHUNK_BYTES):
            match = _REQUEST.match(data)
            if match is not None:
                path = match[2].decode().partition("?")[0]
                exchange = Exchange(match[1].decode(), path, time.monotonic())
                exchange.is_new_connection = is_first
                self.exchanges.append(exchange)
                mine.append(exchange)
                self._n_requests += 1
            if is_first:
                await asyncio.sleep(self.round_trip_s)
                is_first = False
            await asyncio.sleep(self.round_trip_s / 2)
            if self.is_gone or (
                match is not None and self.reset_every and self._n_requests % self.reset_every == 0
            ):
                return
            if self.answer is not None:
                await asyncio.sleep(self.round_trip_s / 2)
                writer.write(self.answer.message())
                if mine:
                    mine[-1].answered_s = time.monotonic()
                continue
            upstream.write(data)
            await upstream.drain()

    async def _pump_down(
        self, back: asyncio.StreamReader, writer: asyncio.StreamWriter, mine: list[Exchange]
    ) -> None:
        """Pass answers on in order, each piece half a round trip late."""
        on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due_s, data = await on_the_way.get()
                if not data:
                    return
                await asyncio.sleep(max(0.0, due_s - time.monotonic()))
                if self.is_gone:
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
                if self.rate_bytes_s:
                    await asyncio.sleep(len(data) / self.rate_bytes_s)
                if mine:
                    mine[-1].answered_s = time.monotonic()

        delivering = asyncio.create_task(deliver())
        try:
            while data := await back.read(_CHUNK_BYTES):
                self._n_pieces += 1
                late_s = self.round_trip_s / 2
                if self.lose_every and self._n_pieces % self.lose_every == 0:
                    late_s += max(0.2, 2 * self.round_trip_s)
                on_the_way.put_nowait((time.monotonic() + late_s, data))
            on_the_way.put_nowait((0.0, b""))
            await delivering
        finally:
            delivering.cancel()
        writer.close()
