"""Makes a server's UNIX socket reachable by TCP, as jupyter-server-proxy does.

`python -m blustream_widget.testing.tcp_bridge ADDRESS PORT SOCKET` says its port, which it chooses
where that is 0; it ends with its standard input. `bridged` runs it for a test or a benchmark.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def bridged(
    socket_path: Path,
    *,
    address: str = "127.0.0.1",
    port: int = 0,
    command: Callable[..., Sequence[str]] = lambda *words: words,
) -> Iterator[int]:
    """Make a server's socket reachable by TCP for the length of the block; gives the port.

    Parameters
    ----------
    socket_path : Path
    address : str
        Where it listens.
    port : int
        0: any that is free.
    command : callable
        Makes of a command's words those that run it elsewhere: in a network namespace.

    Raises
    ------
    ConnectionError
        If it does not come to listen.
    """
    words = (sys.executable, "-m", __name__, address, str(port), str(socket_path))
    process = subprocess.Popen(
        command(*words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        if not (told := process.stdout.readline()):
            raise ConnectionError("The bridge to the server did not start.")
        yield int(told)
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


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
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201  it listens
    await asyncio.to_thread(sys.stdin.read)
    server.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
