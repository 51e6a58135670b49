"""A view at a real Janus: who watches there sees what is shown here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from blustream_widget.bench.barcode import barcode_volume, shown_number
from blustream_widget.core import link_protocol as lp
from blustream_widget.core.publishing import PublishStatus, StartPublishing, StopPublishing
from blustream_widget.core.types import VolumeRef
from blustream_widget.server_link import Link
from blustream_widget.sfu import Janus
from blustream_widget.testing.clients import connect_kernel
from blustream_widget.testing.janus_server import (
    ADMIN_KEY,
    API_SECRET,
    JanusServer,
    janus_obstacle,
)
from blustream_widget.testing.janus_viewer import janus_viewer
from blustream_widget.testing.namespaces import Namespace, namespace_obstacle
from blustream_widget.testing.server_process import running_server
from blustream_widget.viewer import Viewer

pytestmark = pytest.mark.skipif(bool(janus_obstacle()), reason=janus_obstacle() or "there is one")
IN_NAMESPACE = pytest.mark.skipif(
    bool(namespace_obstacle()), reason=namespace_obstacle() or "there can be one"
)
SECRETS = {"api_secret": API_SECRET, "admin_key": ADMIN_KEY}


@pytest.fixture(scope="module")
def namespace():
    """A network of its own: Janus has no candidates at 127.0.0.1, whatever its settings."""
    with Namespace(f"bs-sfu-{os.getpid()}") as made:
        if not made.add_network("10.79.0.1/24"):
            pytest.skip("this kernel has no veth")
        yield made


@pytest.fixture
def volume(tmp_path):
    path = tmp_path / "numbers.npy"
    np.save(path, barcode_volume((16, 160, 80)))
    return VolumeRef(url=str(path))


def publishing(session, n, url, **settings):
    to = Janus(url=url, **({"pin": "1234"} | SECRETS | settings))
    return StartPublishing(session=session, n=n, number=4711, secret="a secret of it", to=to)


async def status(kernel, n, phase):
    return await kernel.message(PublishStatus, lambda m: m.n >= n and m.status.phase == phase)


async def show(kernel, opened, idx, seq):
    patch = {"slice_idx": idx, "width_px": 640, "height_px": 320}
    await kernel.send(lp.PatchState(session=opened.session, patch=patch, seq=seq))


@IN_NAMESPACE
async def test_who_watches_at_janus_sees_what_is_shown(namespace, volume, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    with (
        JanusServer(
            tmp_path_factory.mktemp("j"), command=namespace.command(), ice_interface="d0"
        ) as janus,
        namespace.entered(),
        running_server(folder, worker="blustream_widget.worker", server_grace_s=60) as server,
    ):
        async with connect_kernel(server.address) as kernel, janus_viewer(janus.url) as early:
            opened = await kernel.open(ref=volume)
            await kernel.message(lp.VolumeOpened)
            await show(kernel, opened, 3, seq=1)
            await kernel.send(publishing(opened.session, 1, janus.url))
            on = await status(kernel, 1, "on")
            await early.watch(4711, "1234")
            await early.picture(lambda luma: shown_number(luma[..., None]) == 3)
            await show(kernel, opened, 12, seq=2)
            await early.picture(lambda luma: shown_number(luma[..., None]) == 12)
            # It rests now: who comes has only the keyframe that Janus asks for.
            async with janus_viewer(janus.url) as late:
                await late.watch(4711, "1234")
                await late.picture(lambda luma: shown_number(luma[..., None]) == 12)
            async with janus_viewer(janus.url) as stranger:
                with pytest.raises(PermissionError):
                    await stranger.watch(4711, "1111")
            await kernel.send(StopPublishing(session=opened.session, n=2))
            await status(kernel, 2, "off")
            await early.ended()
    assert (on.status.sfu, on.status.place) == ("Janus", "mountpoint 4711")


class Between:
    """What stands between a server and Janus, and keeps the answer to the first mountpoint back."""

    def __init__(self, janus_url):
        self._janus_url = janus_url
        self.is_made = asyncio.Event()

    async def answer(self, request):
        message = await request.json()
        async with aiohttp.ClientSession() as http:
            url = self._janus_url + request.path.removeprefix("/janus")
            async with http.post(url, json=message) as response:
                answer = await response.json(content_type=None)
        if message.get("body", {}).get("request") == "create" and not self.is_made.is_set():
            self.is_made.set()
            await asyncio.Event().wait()  # until who asked is gone
        return web.json_response(answer)

    @contextlib.asynccontextmanager
    async def running(self):
        app = web.Application()
        app.router.add_post("/{tail:.*}", self.answer)
        async with TestServer(app, host="127.0.0.1") as server:
            yield str(server.make_url("/janus"))


@contextlib.contextmanager
def viewer_of(server):
    link = Link(server.config)
    viewer = Viewer(np.zeros((8, 9, 10), np.float32), _link=link)
    try:
        yield viewer
    finally:
        viewer.close()
        assert link.join(10)
        if not server.is_running:
            os.kill(json.loads(server.files.info.read_text())["pid"], signal.SIGTERM)


@pytest.mark.parametrize("chosen", [{}, {"mountpoint": 7, "secret": "one of my own"}], ids=str)
async def test_a_server_that_is_killed_in_the_middle_of_publish_is_no_matter(tmp_path, chosen):
    with (
        JanusServer(tmp_path / "j") as janus,
        running_server(
            tmp_path, worker="blustream_widget.worker", server_grace_s=60, spare_workers=0
        ) as server,
    ):
        between, stack = Between(janus.url), contextlib.ExitStack()
        async with between.running() as url:
            viewer = await asyncio.to_thread(stack.enter_context, viewer_of(server))
            try:
                to = Janus(url=url, **(SECRETS | chosen))
                publishing = asyncio.create_task(asyncio.to_thread(viewer.publish, to))
                async with asyncio.timeout(30):
                    await between.is_made.wait()
                server.process.kill()
                told = await publishing
                number = int(told.place.removeprefix("mountpoint "))
                assert (told.phase, number) == ("on", chosen.get("mountpoint", number))
                info = {"request": "info", "id": number}
                assert "info" in await janus.ask("streaming", info)
                await asyncio.to_thread(viewer.unpublish)
                assert (await janus.ask("streaming", info))["error_code"] == 455
            finally:
                await asyncio.to_thread(stack.close)
