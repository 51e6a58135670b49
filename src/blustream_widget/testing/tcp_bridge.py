"""Makes a server's UNIX socket reachable by TCP, as jupyter-server-proxy does.

`python -m blustream_widget.testing.tcp_bridge ADDRESS PORT SOCKET`; ends with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys


async def _splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    # Like the real proxy it does not wait for the other side to take what it writes.
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(1 << 18):
            writer.write(data)
    writer.close()


async def _serve(address: str, port: int, path: str) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")
        try:
            inner_reader, inner_writer = await asyncio.open_unix_connection(path)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_splice(reader, inner_writer), _splice(inner_reader, writer))

    server = await asyncio.start_server(connected, address, port)
    print("ok", flush=True)  # noqa: T201  it listens
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
