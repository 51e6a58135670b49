"""Memory of server and worker over ten thousand interactions of one viewer."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator

import psutil

from blustream_widget.bench.live import SHAPE, Live, Session, live_server, next_frame
from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.colormaps import COLORMAPS
from blustream_widget.core.frame_header import FrameFlags
from blustream_widget.testing.clients import ViewerClient

_CACHE_MB = 6  # less than the volume has with its levels: bricks come and go all the time
_WARM_UP = 200
_LOOKS = 10
_REST_EVERY = 250
_SIZES = ((1280, 720), (960, 540))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench memory`."""
    parser.add_argument("--interactions", type=int, default=10_000)
    parser.set_defaults(rounds=1)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure."""
    records: list[Record] = []
    for _ in range(arguments.rounds):
        with live_server(cache_bytes=_CACHE_MB << 20) as live:
            records = asyncio.run(_interact(live, arguments.interactions))
    return records


async def _interact(live: Live, n: int) -> list[Record]:
    async with live.session() as session, session.viewer() as viewer:
        await viewer.frame()
        processes = {"server": live.server.process, "worker": live.reader()}
        seen: dict[str, list[float]] = {name: [] for name in processes}
        await _drive(viewer, session, 0, _WARM_UP)
        for k in range(_LOOKS + 1):
            for name, process in processes.items():
                seen[name].append(_resident_mb(process))
            if k < _LOOKS:
                await _drive(viewer, session, _WARM_UP + k * n // _LOOKS, n // _LOOKS)
    return list(_records(seen, n))


def _records(seen: dict[str, list[float]], n: int) -> Iterator[Record]:
    for name, looks in seen.items():
        yield {
            "case": "resident memory",
            "process": name,
            **summarize([[value] for value in looks[1:]], "mb"),
            "interactions": n,
            "start_mb": looks[0],
            "after_tenth_mb": looks[1],
            "end_mb": looks[-1],
            "growth_mb": looks[-1] - looks[1],
        }


async def _drive(viewer: ViewerClient, session: Session, first: int, n: int) -> None:
    """Send interactions in pairs, as a mouse of 120 Hz does, and wait for the picture of each."""
    for seq in range(first + 1, first + n + 1):
        viewer.inbox.items.clear()
        viewer.frames.clear()
        await viewer.send(_interaction(seq))
        if seq % 2 == 0:
            await next_frame(viewer)
        if seq % _REST_EVERY == 0:
            await viewer.frame(lambda header: bool(header.flags & FrameFlags.STILL))
        session.kernel.inbox.items.clear()


def _interaction(seq: int) -> p.ViewerMessage:
    """Take one interaction after the other; each changes the picture."""
    kind = seq // 2 % 8
    if kind == 0 or seq % 2 == 0:
        return vm.ChangeSlice(seq=seq, slice_idx=seq // 2 * 7 % SHAPE[0])
    if kind == 1:
        return vm.ChangeSlice(seq=seq, slice_idx=seq // 16 % SHAPE[0], axis=seq // 16 % 3)
    if kind == 2:
        return vm.WindowLevel(seq=seq, window=1 + seq % 13 / 7, level=seq % 11 / 40)
    if kind == 3:
        return vm.ZoomPan(seq=seq, zoom=1 + seq % 37 / 6, pan=(0.3 + seq % 5 / 12, 0.5))
    if kind == 4:
        return vm.ViewSync(seq=seq, colormap=COLORMAPS[seq // 16 % len(COLORMAPS)])
    if kind == 5:
        return vm.Probe(n=seq, voxel=(seq % SHAPE[0], seq // 3 % SHAPE[1], 5))
    if kind == 6 and seq // 16 % 20 == 0:
        width_px, height_px = _SIZES[seq // 320 % 2]
        return vm.ViewSync(seq=seq, width_px=width_px, height_px=height_px)
    return vm.ViewSync(seq=seq, interpolate=seq // 16 % 2 == 0, stretch=1 + seq % 3 / 4)


def _resident_mb(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6
