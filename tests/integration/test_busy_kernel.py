"""A server is killed while the notebook's kernel is in a call that lets nobody else run.

The kernel is a process of its own, stopped by a signal: as in a call that holds the interpreter,
its connections stay open and nothing of it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys

import psutil
import pytest

from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import AnnotationEdits, EditAnnotations, PutItem
from blustream_widget.server.discovery import find_server
from blustream_widget.testing.clients import connect_viewer
from blustream_widget.testing.server_process import running_server
from blustream_widget.testing.waiting import wait_until

SESSION = "6" * 32
KERNEL = """
import sys, threading
from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.types import VolumeRef
from blustream_widget.server_link import Link

class Listener:
    def on_message(self, message):
        print(lp.encoder.encode(message).decode(), flush=True)
    def on_relay(self, channel, data): pass
    def on_link_error(self, error): pass

link = Link(Config(runtime_dir=sys.argv[1], standby_s=0.01))
link.open_session(sys.argv[2], VolumeRef(url="fake:16x24x32"), {"slice_idx": 3}, Listener())
for line in sys.stdin:  # what the user sets in a cell
    link.patch(sys.argv[2], {"slice_idx": int(line)}, 7)
link.close_session(sys.argv[2])
link.join(10)
"""


class KernelUnderTest:
    """A kernel with one view, in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def message(self, kind, condition=lambda _: True):
        async with asyncio.timeout(30):
            while line := await self.process.stdout.readline():
                message = lp.to_kernel_decoder.decode(line)
                if isinstance(message, kind) and condition(message):
                    return message
        raise AssertionError("The kernel has ended.")

    def set_slice(self, slice_idx: int) -> None:
        self.process.stdin.write(f"{slice_idx}\n".encode())


@contextlib.asynccontextmanager
async def kernel_in(folder):
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KERNEL, str(folder), SESSION),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield KernelUnderTest(process)
        process.stdin.close()
        async with asyncio.timeout(30):
            await process.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


@pytest.fixture
def server(tmp_path):
    with running_server(
        tmp_path, standby_s=0.01, server_grace_s=60, session_grace_s=0.2
    ) as running:
        yield running


def kill_and_find_the_next(server) -> None:
    """Kill the server, and let the process that takes its place be the one that is tested."""

    def heirs():
        return [one for one in server.process.children() if "--heir" in one.cmdline()]

    wait_until(heirs, timeout_s=30, what="a process that waits")
    (heir,) = heirs()
    server.process.kill()
    known = server.address
    wait_until(
        lambda: (new := find_server(server.config)) and new != known, timeout_s=30, what="the next"
    )
    server.address, server.process = find_server(server.config), heir
    assert json.loads(server.files.info.read_text())["pid"] == heir.pid


@contextlib.asynccontextmanager
async def page_of(server, token):
    async with connect_viewer(server.address, token) as page:
        page.welcome = await page.message(p.Welcome, lambda m: m.info is not None)
        yield page


async def draw(page, key: str) -> None:
    item = annotation("point", (1, 2, 3), id=key)
    await page.send(EditAnnotations(seq=1, edits=(PutItem(item),)))
    await page.message(AnnotationEdits, lambda m: m.seq == 1)


async def show(page, slice_idx: int) -> None:
    await page.send(vm.ChangeSlice(seq=1, slice_idx=slice_idx))
    await page.frame(lambda h: h.slice_idx == slice_idx)


async def test_pages_go_on_without_the_kernel_and_it_finds_what_they_did(server, tmp_path) -> None:
    async with kernel_in(tmp_path) as kernel:
        token = (await kernel.message(lp.SessionOpened)).token
        async with page_of(server, token) as page:
            await draw(page, "before")
            await show(page, 5)
            await kernel.message(lp.Mirror, lambda m: m.state.slice_idx[0] == 5)
            kernel.process.send_signal(signal.SIGSTOP)
            await asyncio.to_thread(kill_and_find_the_next, server)
        assert psutil.Process(kernel.process.pid).status() == psutil.STATUS_STOPPED
        async with page_of(server, token) as page:
            assert page.welcome.state.slice_idx[0] == 5
            told = await page.message(AnnotationEdits, lambda m: m.reset)
            assert [edit.item.id for edit in told.edits] == ["before"]
            assert told.can_undo
            header, _ = await page.frame()
            assert header.slice_idx == 5
            await show(page, 9)
            await draw(page, "between")
            kernel.set_slice(11)  # behind the long call
            kernel.process.send_signal(signal.SIGCONT)
            mirror = await kernel.message(lp.Mirror, lambda m: m.seq == 7)
            assert mirror.state.slice_idx[0] == 11
            await page.frame(lambda h: h.slice_idx == 11)
            shown = [h.slice_idx for h, _ in page.frames]
            assert shown == sorted(shown), "what the kernel knew before is not shown again"
