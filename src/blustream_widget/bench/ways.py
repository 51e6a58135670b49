"""What a viewer costs the server, and how old a frame is when it reaches the viewer's socket.

One process sends pictures of 720p60 at 6 Mbit/s over loopback, this one receives them for 1, 5 and
20 viewers; the processor time of the sender counts, and that of JupyterLab where it is on the way.
Beside our WebSocket and WebRTC, in the same run: a plain aiohttp WebSocket, and aiortc's own send
loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from blustream_widget.bench.numbers import Record, median, percentile, summarize
from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.server.runtime_files import runtime_files
from blustream_widget.testing.lab import JupyterLab

NAMES = {
    "websocket": "WebSocket",
    "jupyter-direct": "WebSocket, handed over by JupyterLab",
    "jupyter-proxy": "WebSocket, through jupyter-server-proxy",
    "websocket-plain": "aiohttp WebSocket (reference)",
    "webrtc": "WebRTC, with headers",
    "webrtc-bare": "WebRTC, no headers",
    "webrtc-aiortc": "aiortc's send loop, no headers (reference)",
}
EXTENSION_PATH = "blustream-direct/ws"
_WARM_UP_FRAMES = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench ways`."""
    parser.add_argument("--ways", default=",".join(NAMES), help="default %(default)s")
    parser.add_argument("--viewers", default="1,5,20", help="default %(default)s")
    parser.add_argument("--frames", type=int, default=120, help="of a round (default %(default)s)")
    parser.set_defaults(rounds=3)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    cases = [
        (way, int(n)) for way in arguments.ways.split(",") for n in arguments.viewers.split(",")
    ]
    records = []
    for way, n_viewers in cases:
        case = FanoutCase(way, n_viewers, n_frames=arguments.frames, rounds=arguments.rounds)
        records.append(asyncio.run(case.run()))
    return records


class FanoutCase:
    """One way with one number of viewers.

    Parameters
    ----------
    way : str
        One of `NAMES`.
    n_viewers, n_frames, rounds : int
    """

    def __init__(self, way: str, n_viewers: int, *, n_frames: int, rounds: int) -> None:
        self._way = way
        self._n_viewers = n_viewers
        self._n_frames = n_frames
        self._rounds = rounds
        self._ages_ms: list[float] = []

    async def run(self) -> Record:
        """Connect all viewers, warm up, and measure."""
        cpu_us: list[list[float]] = []
        jupyter_us: list[list[float]] = []
        ages_ms: list[list[float]] = []
        async with AsyncExitStack() as stack:
            sender = await stack.enter_async_context(_sender(self._way))
            connect = _connect_webrtc if self._way.startswith("webrtc") else _connect_websocket
            for _ in range(self._n_viewers):
                await stack.enter_async_context(connect(sender, self._way, self._came))
            await self._measure(sender, _WARM_UP_FRAMES)
            for _ in range(self._rounds):
                cpu_s = await self._measure(sender, self._n_frames)
                cpu_us.append([1e6 * s / self._n_frames / self._n_viewers for s in cpu_s[:1]])
                jupyter_us.append([1e6 * s / self._n_frames / self._n_viewers for s in cpu_s[1:]])
                ages_ms.append(list(self._ages_ms))
        n_sent = self._n_frames * self._n_viewers * self._rounds
        cpu = summarize(cpu_us, "us", "cpu_per_frame_and_viewer")
        age = summarize(ages_ms, "ms", "age")
        jupyter = summarize(jupyter_us, "us", "jupyter_cpu_per_frame_and_viewer")
        share = median([us for (us,) in cpu_us])
        return {
            "way": NAMES[self._way],
            "viewers": str(self._n_viewers),
            **cpu,
            **jupyter,
            "core_per_viewer_median_percent": None if share is None else share * 60 / 1e4,
            **age,
            "age_p99_ms": percentile([ms for ages in ages_ms for ms in ages], 99),
            "lost_percent": 100 * (1 - age["n"] / n_sent),
        }

    async def _measure(self, sender: _Sender, n: int) -> list[float]:
        """Processor seconds for n frames: of the sender, and of JupyterLab if there is one."""
        self._ages_ms.clear()
        before_s = sender.jupyter_cpu_s()
        cpu_s = await sender.send_frames(n)
        await asyncio.sleep(0.05)
        spent = [
            after - before for after, before in zip(sender.jupyter_cpu_s(), before_s, strict=True)
        ]
        return [cpu_s, *spent]

    def _came(self, timestamp_90k: int) -> None:
        age_90k = (int(time.monotonic() * 90_000) - timestamp_90k) & 0xFFFFFFFF
        self._ages_ms.append(age_90k / 90)


class _Sender:
    """The sending process, spoken to over HTTP; viewers may come through a JupyterLab."""

    def __init__(self, http: aiohttp.ClientSession, lab: JupyterLab | None) -> None:
        self.http = http
        self._lab = lab

    async def send_frames(self, n: int) -> float:
        """Have so many frames sent; returns the processor time it took, in seconds."""
        async with self.http.post("http://sender/send", json={"n": n}) as response:
            return float((await response.json())["cpu_s"])

    def jupyter_cpu_s(self) -> list[float]:
        """Processor time of JupyterLab's process so far; empty without one."""
        if self._lab is None:
            return []
        times = psutil.Process(self._lab.pid).cpu_times()
        return [times.user + times.system]

    @asynccontextmanager
    async def viewer(self, way: str) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """WebSocket of one viewer."""
        if self._lab is None:
            async with self.http.ws_connect("http://sender/ws", max_msg_size=0) as connection:
                yield connection
            return
        path = EXTENSION_PATH if way == "jupyter-direct" else "blustream/ws"
        headers = {"Authorization": f"token {self._lab.token}"}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.ws_connect(f"{self._lab.url}/{path}", max_msg_size=0) as connection,
        ):
            yield connection


@asynccontextmanager
async def _sender(way: str) -> AsyncIterator[_Sender]:
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder, ExitStack() as stack:
        config = Config(runtime_dir=folder)
        environment = {"BLUSTREAM_RUNTIME_DIR": folder}
        lab = None
        if way.startswith("jupyter-"):
            starting = JupyterLab(Path(folder), environment=environment)
            lab = stack.enter_context(starting)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "blustream_widget.bench.ways_sender", way, folder),
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            await process.stdout.readline()
            connector = aiohttp.UnixConnector(str(runtime_files(config).socket), limit=0)
            timeout = aiohttp.ClientTimeout(total=60)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
                yield _Sender(http, lab)
        finally:
            process.terminate()
            await process.wait()


@asynccontextmanager
async def _connect_websocket(
    sender: _Sender, way: str, came: Callable[[int], None]
) -> AsyncIterator[None]:
    async with sender.viewer(way) as connection:
        reading = asyncio.create_task(_read_websocket(connection, came))
        yield
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _read_websocket(
    socket: aiohttp.ClientWebSocketResponse, came: Callable[[int], None]
) -> None:
    async for message in socket:
        header = FrameHeader.unpack(message.data)
        came(header.timestamp_90k)
        await socket.send_str(p.encode(p.Ack(frame_no=header.frame_no)).decode())


@asynccontextmanager
async def _connect_webrtc(
    sender: _Sender, _way: str, came: Callable[[int], None]
) -> AsyncIterator[None]:
    from blustream_widget.testing.rtc_client import rtc_client

    async with rtc_client() as rtc:
        async with sender.http.post("http://sender/offer", json={"sdp": await rtc.offer()}) as got:
            answer = json.loads(await got.text())["sdp"]
        await rtc.accept(answer)
        await rtc.opened()
        ice: Any = rtc.receiver.transport.transport
        for protocol in ice._connection._protocols:
            _count_rtp(protocol, came)
        yield


def _count_rtp(protocol: Any, came: Callable[[int], None]) -> None:
    """Look at a packet's clear header and forget it: decryption here is not what is measured."""
    take = protocol.datagram_received

    def datagram_received(data: Any, address: tuple[Any, ...]) -> None:
        is_rtp = 127 < data[0] < 192 and not 192 <= data[1] < 224
        if not is_rtp:
            take(data, address)
        elif data[1] & 0x80:  # the marker: the last packet of a frame
            came(int.from_bytes(data[4:8], "big"))

    protocol.datagram_received = datagram_received
