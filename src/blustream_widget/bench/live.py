"""A real server with real workers, driven by clients in Python: no browser, no notebook."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from blustream_widget.bench.barcode import write_barcode_volume
from blustream_widget.core.frame_header import FrameHeader
from blustream_widget.core.types import VolumeRef
from blustream_widget.testing.clients import (
    KernelClient,
    ViewerClient,
    connect_kernel,
    connect_viewer,
)
from blustream_widget.testing.server_process import ServerProcess, running_server

WORKER = "blustream_widget.worker"
SHAPE = (128, 128, 128)


@dataclass(frozen=True, slots=True)
class Live:
    """A running server, and a small volume whose slices differ.

    Parameters
    ----------
    server : ServerProcess
    path : Path
        A VDS of `SHAPE`, or of another that was asked for.
    """

    server: ServerProcess
    path: Path

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """Open the volume as a kernel does, for the length of the block."""
        async with connect_kernel(self.server.address) as kernel:
            opened = await kernel.open(ref=VolumeRef(url=str(self.path)))
            yield Session(self, kernel, opened.token)

    def reader(self) -> psutil.Process:
        """Find a worker that has the volume open (a spare one has none)."""
        for worker in self.server.workers():
            if any(file.path == str(self.path) for file in worker.open_files()):
                return worker
        raise LookupError("No worker has the volume open.")


@dataclass(frozen=True, slots=True)
class Session:
    """One open session."""

    live: Live
    kernel: KernelClient
    token: str

    @asynccontextmanager
    async def viewer(self) -> AsyncIterator[ViewerClient]:
        """Look at it as a browser does, for the length of the block."""
        async with connect_viewer(self.live.server.address, self.token) as viewer:
            yield viewer


@contextmanager
def live_server(shape: tuple[int, int, int] = SHAPE, **settings: object) -> Iterator[Live]:
    """Write the volume and run a server for the length of the block."""
    with tempfile.TemporaryDirectory(prefix="bs-bench-") as folder:
        path = Path(folder) / "barcode.vds"
        write_barcode_volume(path, shape)
        runtime = Path(folder) / "run"
        runtime.mkdir(mode=0o700)
        options = {"server_grace_s": 60.0, "session_grace_s": 1.0, **settings}
        with running_server(runtime, worker=WORKER, **options) as server:
            yield Live(server, path)


async def next_frame(viewer: ViewerClient) -> FrameHeader:
    """Wait for a frame, and forget all that came before."""
    viewer.frames.clear()
    viewer.inbox.items.clear()
    header, _ = await viewer.frame()
    return header
