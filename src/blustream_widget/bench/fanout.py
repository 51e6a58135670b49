"""One session with many viewers: what it costs the server, and how old its frames are.

The server is the real one. A driver changes the slice 30 times a second, a worker answers each
change with a prepared frame of 720p at 3 Mbit/s, and receivers in processes of their own take the
frames from their sockets, look at the headers and acknowledge them; nothing is decoded. The
processor time of the server and of its sender processes counts, that of the others does not.

**Ages** run from the worker's stamp to the whole frame being in the receiver's socket, by the stamp
that the system gives the last packet; over WebSocket to its last byte having been read. Receivers
are on the same machine: `frame_age_read_p95_ms` is with the time that they wait for a processor.

**Conditions** are told with the figures: what the receivers take, and how much of the machine was
idle, and not to be had at all because other machines have it ("stolen").
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from blustream_widget.bench.fanout_worker import FPS
from blustream_widget.bench.numbers import Record, median, noise, percentile
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.testing.clients import ViewerClient, connect_kernel, connect_viewer
from blustream_widget.testing.server_process import ServerProcess, running_server

TRANSPORTS = ("websocket", "webrtc")
WORKER = "blustream_widget.bench.fanout_worker"
_RECEIVERS = "blustream_widget.bench.fanout_receivers"
_N_SLICES = 512
_WARM_UP_S = 3.0
_VIEWERS_A_PROCESS = 50
_JOIN_ALONE, _JOINING, _CALM_FPS = 100, 2, 2
"""Of more viewers than these, so many join at the same time, and the driver changes the slice only
now and then until all are there: joining takes the time of receivers and server, and is no part of
what is measured."""
_MAX_LINE_BYTES = 64 * 1024 * 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench fanout`."""
    parser.add_argument("--transports", default=",".join(TRANSPORTS), help="default %(default)s")
    parser.add_argument("--viewers", default="1,10,100", help="default %(default)s")
    parser.add_argument("--seconds", type=float, default=5.0, help="of a round (default 5)")
    parser.add_argument(
        "--pages", type=int, default=0, help="guests in real Chromium pages too (default none)"
    )
    parser.add_argument("--page-fps", type=float, default=15.0, help="for them (default 15)")
    parser.add_argument(
        "--company", type=int, default=0, help="viewers as above beside the pages (default none)"
    )
    parser.set_defaults(rounds=3)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    results = [
        asyncio.run(_measure(transport, int(n), arguments.rounds, arguments.seconds))
        for transport in arguments.transports.split(",")
        for n in arguments.viewers.split(",")
        if n
    ]
    if arguments.pages > 0:
        from blustream_widget.bench.fanout_pages import measure_pages

        seconds = arguments.rounds * arguments.seconds
        results.append(
            measure_pages(
                arguments.pages,
                fps=arguments.page_fps,
                seconds=seconds,
                company=arguments.company,
            )
        )
    return results


async def _measure(transport: str, n_viewers: int, rounds: int, seconds: float) -> Record:
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
        settings = {"ice_loopback": True, "server_grace_s": 60.0}
        with running_server(Path(folder), worker=WORKER, **settings) as server:
            async with AsyncExitStack() as stack:
                kernel = await stack.enter_async_context(connect_kernel(server.address))
                shape = f"{_N_SLICES}x8x8"
                opened = await kernel.open(
                    f"fake:{shape}", patch={"width_px": 1280, "height_px": 720}
                )
                driver = await stack.enter_async_context(
                    connect_viewer(server.address, opened.token)
                )
                pace = _Pace(FPS if n_viewers <= _JOIN_ALONE else _CALM_FPS)
                await stack.enter_async_context(_driving(driver, pace))
                receivers = await stack.enter_async_context(
                    receiving(folder, opened.token, n_viewers, transport)
                )
                pace.fps = FPS
                await asyncio.sleep(_WARM_UP_S)
                found = [await _round(server, receivers, seconds) for _ in range(rounds)]
    return _record(transport, n_viewers, found, seconds)


async def _round(
    server: ServerProcess, receivers: Sequence[_Receivers], seconds: float
) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    for process in receivers:
        process.tell("start")
    begin_s, cpu_s, machine = loop.time(), _server_cpu_s(server), psutil.cpu_times()
    await asyncio.sleep(seconds)
    took_s = loop.time() - begin_s
    cores = (_server_cpu_s(server) - cpu_s) / took_s
    after = psutil.cpu_times()
    counted = [await process.ask("stop") for process in receivers]
    return {
        "cores": cores,
        "ages_ms": [age for count in counted for age in count["ages_ms"]],
        "read_ages_ms": [age for count in counted for age in count["read_ages_ms"]],
        "idle_cores": (after.idle - machine.idle) / took_s,
        "stolen_cores": (getattr(after, "steal", 0.0) - getattr(machine, "steal", 0.0)) / took_s,
        "receiver_cores": sum(count["cpu_s"] for count in counted) / seconds,
        "packets_lost": sum(count["packets_lost"] for count in counted),
        "n_bytes": sum(count["n_bytes"] for count in counted),
        "join_ms": [ms for count in counted for ms in count["join_ms"]],
    }


def _record(
    transport: str, n_viewers: int, found: Sequence[dict[str, Any]], seconds: float
) -> Record:
    ages_ms = [age for one in found for age in one["ages_ms"]]
    read_ages_ms = [age for one in found for age in one["read_ages_ms"]]
    cores = [one["cores"] for one in found]
    n_due = FPS * seconds * n_viewers * len(found)
    join_ms = found[-1]["join_ms"]
    return {
        "case": f"{transport} to {n_viewers}",
        "transport": transport,
        "viewers": n_viewers,
        "server_cores": median(cores),
        "server_cores_noise": noise([[value] for value in cores]),
        "frame_age_p50_ms": percentile(ages_ms, 50),
        "frame_age_p95_ms": percentile(ages_ms, 95),
        "frame_age_p99_ms": percentile(ages_ms, 99),
        "frame_age_read_p95_ms": percentile(read_ages_ms, 95),
        **{
            name: median([one[name] for one in found])
            for name in ("receiver_cores", "idle_cores", "stolen_cores")
        },
        "packets_lost": sum(one["packets_lost"] for one in found),
        "frames_of_due_percent": 100 * len(ages_ms) / n_due,
        "frame_bytes": sum(one["n_bytes"] for one in found) / max(len(ages_ms), 1),
        "first_picture_p50_ms": percentile(join_ms, 50),
        "first_picture_max_ms": max(join_ms, default=None),
    }


def _server_cpu_s(server: ServerProcess) -> float:
    """Processor time so far of the server and of what it sends frames by; workers do not count."""
    seconds = 0.0
    senders = [child for child in server.process.children() if WORKER not in child.cmdline()]
    for process in (server.process, *senders):
        times = process.cpu_times()
        seconds += times.user + times.system
    return seconds


@dataclass
class _Pace:
    """How often the driver changes the slice; may be changed at any time."""

    fps: float


@asynccontextmanager
async def _driving(driver: ViewerClient, pace: _Pace) -> AsyncIterator[None]:
    """Change the slice all the time for the length of the block."""

    async def drive() -> None:
        loop = asyncio.get_running_loop()
        due_s, seq = loop.time(), 0
        while True:
            seq += 1
            due_s += 1 / pace.fps
            await asyncio.sleep(due_s - loop.time())
            await driver.send(vm.ChangeSlice(seq=seq, slice_idx=seq % _N_SLICES))
            driver.frames.clear()
            driver.inbox.items.clear()

    await driver.message(p.Welcome, lambda welcome: welcome.info is not None)
    task = asyncio.create_task(drive())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


class _Receivers:
    """A process with some of the viewers, spoken to by lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ready(self) -> None:
        """Wait until all its viewers show a picture."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        assert line == b"ready\n", line

    def tell(self, line: str) -> None:
        """Say something."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def ask(self, line: str) -> dict[str, Any]:
        """Say something, and wait for the answer."""
        assert self._process.stdout is not None
        self.tell(line)
        return dict(json.loads(await self._process.stdout.readline()))

    async def close(self) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()


@asynccontextmanager
async def receiving(
    folder: str, token: str, n_viewers: int, transport: str
) -> AsyncIterator[list[_Receivers]]:
    """Have so many viewers look at a session, until the end of the block."""
    n_processes = -(-n_viewers // _VIEWERS_A_PROCESS)
    shares = [n_viewers // n_processes + (i < n_viewers % n_processes) for i in range(n_processes)]
    # One at a time, so that a join is measured by itself; else it would take minutes.
    joining = asyncio.Semaphore(1 if n_viewers <= _JOIN_ALONE else _JOINING)
    async with AsyncExitStack() as stack:

        async def start(share: int) -> _Receivers:
            async with joining:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", _RECEIVERS, folder, token, str(share), transport),
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    limit=_MAX_LINE_BYTES,
                )
                receivers = _Receivers(process)
                stack.push_async_callback(receivers.close)
                await receivers.ready()
                return receivers

        yield await asyncio.gather(*(start(share) for share in shares))
