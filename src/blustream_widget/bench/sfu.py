"""How old a frame is when somebody at an SFU has all of it, and what publishing costs.

A real Janus in a network namespace; this process publishes pictures of 720p30 at 3 Mbit/s to it, a
keyframe of 100 kB among them now and then, and watches them there. The age runs from the frame's
bytes at the publisher to its last packet at the viewer.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import tempfile
import time
from pathlib import Path

from blustream_widget.bench.numbers import Record, summarize
from blustream_widget.core.publishing import Janus
from blustream_widget.errors import BenchError
from blustream_widget.sfu.janus import JanusPublisher
from blustream_widget.testing.contracts.transport import make_frame
from blustream_widget.testing.janus_server import (
    ADMIN_KEY,
    API_SECRET,
    JanusServer,
    janus_obstacle,
)
from blustream_widget.testing.janus_viewer import JanusViewer, janus_viewer
from blustream_widget.testing.namespaces import Namespace, ip, namespace_obstacle
from blustream_widget.transport.frame import EncodedFrame

FPS, FRAME_BYTES, KEYFRAME_BYTES = 30, 12_500, 100_000
KEYFRAME_EVERY = 60
_FILLER_UNIT = b"\x00\x00\x01\x0c"  # NAL units of type 12: decoders skip them
_TIMEOUT_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `blustream bench sfu`."""
    parser.add_argument("--frames", type=int, default=300, help="of a round (default %(default)s)")
    parser.set_defaults(rounds=3)


def run(arguments: argparse.Namespace) -> list[Record]:
    """Measure.

    Raises
    ------
    BenchError
        There is no Janus, or no namespace.
    """
    if obstacle := janus_obstacle() or namespace_obstacle():
        raise BenchError(f"This needs a Janus in a network namespace: {obstacle}.")
    with (
        tempfile.TemporaryDirectory() as folder,
        Namespace(f"bs-bench-{os.getpid()}") as namespace,
    ):
        ip("-n", namespace.name, "link", "add", "d0", "type", "veth", "peer", "name", "d1")
        ip("-n", namespace.name, "address", "add", "10.77.0.1/24", "dev", "d0")
        for name in ("d0", "d1"):
            ip("-n", namespace.name, "link", "set", name, "up")
        server = JanusServer(Path(folder) / "j", command=namespace.command(), ice_interface="d0")
        with server as janus, namespace.entered():
            return [asyncio.run(_measure(janus.url, arguments.frames, arguments.rounds))]


async def _measure(url: str, n_frames: int, rounds: int) -> Record:
    target = Janus(
        url=url, mountpoint=1, secret="of a bench", api_secret=API_SECRET, admin_key=ADMIN_KEY
    )
    publisher = JanusPublisher(target, lambda: None)
    try:
        await publisher.open()
        async with janus_viewer(url, decodes=False) as viewer:
            await viewer.watch(1, "")
            await _connected(publisher, viewer)
            ages_ms, costs_us = [], []
            for _ in range(rounds):
                ages, costs = await _round(publisher, viewer, n_frames)
                ages_ms.append(ages)
                costs_us.append(costs)
    finally:
        await publisher.close()
    return {
        "sfu": "janus",
        "viewers": 1,
        "fps": FPS,
        "frame_bytes": FRAME_BYTES,
        **summarize(ages_ms, "ms", "age"),
        **summarize(costs_us, "us", "publisher_cpu_a_frame"),
    }


async def _connected(publisher: JanusPublisher, viewer: JanusViewer) -> None:
    async with asyncio.timeout(_TIMEOUT_S):
        while not viewer.arrivals_s:
            publisher.send(_frame(0))
            await asyncio.sleep(1 / FPS)
        await asyncio.sleep(0.2)  # what is on the way


async def _round(
    publisher: JanusPublisher, viewer: JanusViewer, n_frames: int
) -> tuple[list[float], list[float]]:
    """Give the ages (ms) and the costs (us) of frames."""
    viewer.inbox.items.clear()
    viewer.arrivals_s.clear()
    sent_s, costs_us = [], []
    begin_s = time.perf_counter()
    for n in range(n_frames):
        await asyncio.sleep(max(0.0, begin_s + n / FPS - time.perf_counter()))
        frame = _frame(n)
        before_s = time.thread_time()
        sent_s.append(time.perf_counter())
        publisher.send(frame)
        costs_us.append((time.thread_time() - before_s) * 1e6)
    await viewer.inbox.until(
        lambda: True if len(viewer.arrivals_s) >= n_frames else None, f"{n_frames} frames"
    )
    pairs = zip(viewer.arrivals_s, sent_s, strict=True)
    return [(arrived - sent) * 1000 for arrived, sent in pairs], costs_us


def _frame(n: int) -> EncodedFrame:
    is_key = n % KEYFRAME_EVERY == 0
    frame = make_frame(n, is_key=is_key)
    size = (KEYFRAME_BYTES if is_key else FRAME_BYTES) - len(frame.data)
    filler = secrets.token_bytes(size).replace(b"\x00", b"\x01")
    return EncodedFrame(frame.header, frame.data + _FILLER_UNIT + filler)
