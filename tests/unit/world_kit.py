"""A kernel with one viewer, and its server: everything but the worker and the wires is real.

The test's hand moves each message.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
from tests.unit.link_kit import Kernel

from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.server.hub import Hub
from blustream_widget.server.lifetime import Lifetime
from blustream_widget.server.links import KernelLink
from blustream_widget.session.kernel_process import process_of
from blustream_widget.session.viewer import Viewer as Page
from blustream_widget.testing.stubs import StubChannel, StubPool
from blustream_widget.viewer import Viewer

N = 16  # slices of the stub's volume


def volume_in(folder: Path) -> str:
    """Make a volume; gives its path."""
    path = folder / "volume.npy"
    np.save(path, np.zeros((N, 24, 32), np.float32))
    return str(path)


class Wire:
    """Stands for the server's outbox of a link."""

    def __init__(self) -> None:
        self.texts: deque[bytes] = deque()

    def put_text(self, data: bytes) -> None:
        self.texts.append(data)


class World:
    """A kernel with one viewer, a page, and the server that there is at the moment."""

    def __init__(self, volume: str, kept) -> None:
        self._kept = kept
        self.kernel = Kernel()
        self.idle: deque = deque()
        self._page_seq = 0
        self.up: deque[str] = deque()
        self.down = Wire()
        self.link: KernelLink | None = None
        self._volume = volume

    async def begin(self) -> None:
        self._serve()
        self.viewer = Viewer(self._volume, _link=self.kernel)
        self.viewer._kernel.call = self.idle.append
        self.id = self.viewer._session
        self.connect()
        await self.settle()

    def _serve(self) -> None:
        self.lifetime = Lifetime(60)
        self.pool = StubPool()
        self.hub = Hub(
            Config(), ice_servers=(), pool=self.pool, lifetime=self.lifetime, kept=self._kept
        )
        self.page: Page | None = None

    @property
    def state(self):
        return self.hub.find(self.id).state

    # -------------------------------------------------- what may happen, one at a time

    def connect(self) -> None:
        if self.link is None:
            self.down, self.up = Wire(), deque()
            self.link = KernelLink(self.hub, self.down, process_of(os.getpid()))
            self.kernel.connect_only()

    def break_off(self) -> None:
        """Break the link: what is on the way is lost."""
        if self.link is not None:
            self.hub.kernel_gone(self.link)
            self.link = None
            self.kernel.break_off()

    async def kill(self) -> None:
        """Put another server in this one's place; it has what was written down, if anything."""
        self.break_off()
        self.page = None
        await self.hub.close_all("killed")
        self.lifetime.close()
        self._serve()

    def send_one(self) -> None:
        if self.link is not None:
            self.up.extend(self.kernel.sent_texts())
            if self.up:
                self.link.receive(self.up.popleft())

    def hear_one(self) -> None:
        if self.link is not None and self.down.texts:
            self.kernel._receive(lp.to_kernel_decoder.decode(self.down.texts.popleft()))

    def run_one(self) -> None:
        """Let the kernel's thread be idle for a moment."""
        if self.idle:
            self.idle.popleft()()

    def mirror(self) -> None:
        if self.id in self.hub._sessions:
            self.hub._sessions[self.id].reports._send_mirror()

    async def open_volume(self) -> None:
        await asyncio.sleep(0)
        for worker in self.pool.workers:
            if worker.listener is not None and not getattr(worker, "is_open", False):
                worker.is_open = True
                worker.opens()

    def look(self) -> None:
        """Have a page there, before the kernel if it must be."""
        if self.page is None:
            with contextlib.suppress(Exception):  # only the kernel can open it
                session = self.hub.find(self.id, takes_up=True)
                hello = p.Hello(token="t")
                self.page = session.join(StubChannel(), hello, role="owner")
                self._page_seq = 0

    def scroll(self, slice_idx: int) -> None:
        if self.page is not None:
            self._page_seq += 1
            message = vm.ChangeSlice(seq=self._page_seq, axis=0, slice_idx=slice_idx)
            self.page.receive(p.encode(message))

    async def settle(self) -> None:
        """Let everything that is under way arrive."""
        self.connect()
        for _ in range(6):
            for _ in range(25):
                self.send_one()
                self.hear_one()
                self.run_one()
            await self.open_volume()
            self.mirror()

    async def end(self) -> None:
        self.viewer.close()
        await self.hub.close_all("test")
        self.lifetime.close()


@contextlib.asynccontextmanager
async def world_of(volume, kept) -> AsyncIterator[World]:
    world = World(volume, kept)
    await world.begin()
    try:
        yield world
    finally:
        await world.end()
