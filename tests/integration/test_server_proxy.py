"""The way through a real Jupyter server and jupyter-server-proxy."""

import aiohttp
import pytest
from aiohttp import web

from blustream_widget.config import Config
from blustream_widget.core import protocol as p
from blustream_widget.server.runtime_files import runtime_files
from blustream_widget.testing.clients import connect_kernel, connect_through
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.server_process import running_server


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    folder.chmod(0o700)
    return folder


@pytest.fixture(scope="module")
def jupyter(tmp_path_factory, folder):
    notebooks = tmp_path_factory.mktemp("n")
    environment = {"BLUSTREAM_RUNTIME_DIR": str(folder)}
    with JupyterLab(notebooks, environment=environment) as running:
        yield running


async def test_a_viewer_behind_the_proxy_sees_the_slice_it_asked_for(jupyter, folder):
    headers = {"Authorization": f"token {jupyter.token}", "Origin": jupyter.url}
    with running_server(folder, server_grace_s=60) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            url = f"{jupyter.url}/blustream/ws"
            async with connect_through(url, opened.token, headers=headers) as viewer:
                await viewer.frame()
                await viewer.send(p.ChangeSlice(seq=1, slice_idx=3))
                await viewer.frame(lambda h: h.slice_idx == 3)
        assert jupyter.token not in server.log


async def test_jupyters_credentials_do_not_pass_the_proxy(jupyter, folder):
    seen = []

    async def handler(request):
        seen.append(dict(request.headers))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        return socket

    app = web.Application()
    app.router.add_get("/ws", handler)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.UnixSite(runner, str(runtime_files(Config(runtime_dir=str(folder))).socket)).start()
    headers = {"Authorization": f"token {jupyter.token}", "Cookie": "username-x=SECRET"}
    try:
        async with connect_through(f"{jupyter.url}/blustream/ws", None, headers=headers) as viewer:
            await viewer.ended()
    finally:
        await runner.cleanup()
    (received,) = seen
    assert received["Host"] == jupyter.url.removeprefix("http://")
    assert jupyter.token not in str(received)
    assert "SECRET" not in str(received)


async def test_who_is_not_logged_in_to_jupyter_does_not_reach_the_server(jupyter, folder):
    with pytest.raises(aiohttp.WSServerHandshakeError) as failure:
        async with connect_through(f"{jupyter.url}/blustream/ws", None):
            pass
    assert failure.value.status == 403


async def test_without_a_server_the_connection_ends_and_does_not_hang(jupyter, folder):
    headers = {"Authorization": f"token {jupyter.token}"}
    async with connect_through(f"{jupyter.url}/blustream/ws", None, headers=headers) as viewer:
        await viewer.ended()
