"""What the server survives: many at once, comings and goings, hostile messages, killed workers.

Bounded: it ends by itself, and an answer that does not come within ten seconds ends it earlier.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import psutil

from blustream_widget.bench.live import SHAPE, Live, Session, live_server, next_frame
from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.core import view_messages as vm
from blustream_widget.testing.clients import ViewerClient, connect_viewer
from blustream_widget.testing.waiting import wait_until

_N_KILLS = 2  # a third within ten seconds is given up, which is meant so
_SLICES = 20
_N_HOSTILE = 60
_SPARES = 1  # the server keeps so many workers warm

Case = Callable[[Live], Awaitable[list[float]]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench stress`."""
    parser.add_argument("--sessions", type=int, default=4, help="at once (default 4)")
    parser.add_argument("--viewers", type=int, default=40, help="of one session (default 40)")
    parser.add_argument("--openings", type=int, default=15, help="after another (default 15)")
    parser.set_defaults(rounds=2)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure. Raises if anybody who behaves does not get the picture."""
    cases: dict[str, Case] = {
        f"first picture of {arguments.sessions} sessions opened at once": (
            lambda live: _sessions(live, arguments.sessions)
        ),
        f"a new slice at the last of {arguments.viewers} viewers": (
            lambda live: _viewers(live, arguments.viewers)
        ),
        f"open, see, close: {arguments.openings} sessions in turn": (
            lambda live: _openings(live, arguments.openings)
        ),
        f"a new slice while {_N_HOSTILE} others send nonsense": _hostile,
        "picture again after SIGKILL of the worker": _kills,
    }
    records = []
    with live_server() as live:
        for name, case in cases.items():
            before = _held(live)
            rounds = [asyncio.run(_bounded(case(live))) for _ in range(arguments.rounds)]
            left = _left_over(live, before)
            record = {"case": name, **summarize(rounds, "ms"), "max_ms": max(map(max, rounds))}
            records.append({**record, **left})
        if not live.server.is_running:
            raise RuntimeError("The server did not survive.")
    return records


async def _bounded(case: Awaitable[list[float]]) -> list[float]:
    async with asyncio.timeout(60):
        return await case


# ---------------------------------------------------------------- cases, each in milliseconds


async def _sessions(live: Live, n: int) -> list[float]:
    async def one() -> float:
        start_s = time.perf_counter()
        async with live.session() as session, session.viewer() as viewer:
            await viewer.frame()
            first_ms = 1000 * (time.perf_counter() - start_s)
            await gate.wait()  # all are open at the same time
        return first_ms

    gate = asyncio.Barrier(n)
    return list(await asyncio.gather(*(one() for _ in range(n))))


async def _viewers(live: Live, n: int) -> list[float]:
    async with live.session() as session, AsyncExitStack() as stack:
        viewers = [await stack.enter_async_context(session.viewer()) for _ in range(n)]
        await asyncio.gather(*(viewer.frame() for viewer in viewers))
        return [await _change(viewers[0], viewers, k) for k in range(_SLICES)]


async def _change(hand: ViewerClient, viewers: list[ViewerClient], k: int) -> float:
    """Change the slice and wait until everybody has it."""
    for viewer in viewers:
        viewer.frames.clear()
        viewer.inbox.items.clear()
    slice_idx = (7 + 11 * k) % SHAPE[0]
    start_s = time.perf_counter()
    await hand.send(vm.ChangeSlice(seq=int(time.monotonic() * 1e6), slice_idx=slice_idx))
    await asyncio.gather(*(v.frame(lambda h: h.slice_idx == slice_idx) for v in viewers))
    return 1000 * (time.perf_counter() - start_s)


async def _openings(live: Live, n: int) -> list[float]:
    times_ms = []
    for _ in range(n):
        start_s = time.perf_counter()
        async with live.session() as session, session.viewer() as viewer:
            await viewer.frame()
        times_ms.append(1000 * (time.perf_counter() - start_s))
    return times_ms


async def _hostile(live: Live) -> list[float]:
    async with live.session() as session, session.viewer() as viewer:
        await viewer.frame()
        crowd = asyncio.gather(*(_send_nonsense(live, session, k) for k in range(_N_HOSTILE)))
        times_ms = [await _change(viewer, [viewer], k) for k in range(_SLICES)]
        await crowd
        return [*times_ms, await _change(viewer, [viewer], _SLICES)]


async def _send_nonsense(live: Live, session: Session, k: int) -> None:
    """Connect with a good, a bad or no token, and send what nobody should."""
    chance = random.Random(k)
    token = (session.token, "x.y.z", None)[k % 3]
    async with connect_viewer(live.server.address, token) as viewer:
        try:
            for _ in range(20):
                await viewer.send_raw(_NONSENSE[chance.randrange(len(_NONSENSE))])
                await viewer.send_bytes(chance.randbytes(chance.randrange(1, 4096)))
        except (ConnectionError, RuntimeError):
            return  # refused, as it should be


_NONSENSE = (
    "",
    "null",
    "[]",
    "{" * 2000,
    '{"type":49,"seq":1,"slice_idx":-1}',
    '{"type":49,"seq":1,"slice_idx":1e99}',
    '{"type":51,"seq":1,"window":"NaN","level":0}',
    '{"type":9999}',
    "\ud7ff\u0000" * 500,
    '{"type":1,"token":"' + "a" * 5000 + '"}',
)


async def _kills(live: Live) -> list[float]:
    times_ms = []
    async with live.session() as session, session.viewer() as viewer:
        await viewer.frame()
        for k in range(_N_KILLS):
            reader = live.reader()
            start_s = time.perf_counter()
            viewer.frames.clear()
            reader.kill()
            await next_frame(viewer)
            times_ms.append(1000 * (time.perf_counter() - start_s))
            await _change(viewer, [viewer], k)
    return times_ms


# ---------------------------------------------------------------- what is left


def _held(live: Live) -> tuple[int, int]:
    process: psutil.Process = live.server.process
    return process.num_fds(), len(live.server.workers())


def _left_over(live: Live, before: tuple[int, int]) -> Record:
    """Wait until sessions and workers have ended, and count what the server still holds."""

    def is_as_before() -> bool:
        fds, workers = _held(live)
        return fds <= before[0] + 8 and workers <= _SPARES

    wait_until(is_as_before, timeout_s=20, what="the server lets sessions, files and workers go")
    fds, workers = _held(live)
    return {"files_more": fds - before[0], "workers_left": workers}
