"""The ways through a real Jupyter server: handed over by our extension, or through the proxy."""

import asyncio
import contextlib
import gzip

import aiohttp
import pytest
from aiohttp import web

from blustream_widget import front_end
from blustream_widget.config import Config
from blustream_widget.core import link_protocol as lp
from blustream_widget.core import protocol as p
from blustream_widget.core import view_messages as vm
from blustream_widget.server.handover import listen_privately
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
                assert (await viewer.message(p.Welcome)).via == "proxy"
                await viewer.frame()
                await viewer.send(vm.ChangeSlice(seq=1, slice_idx=3))
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


DIRECT = "blustream-direct/ws"


async def test_a_viewer_that_jupyter_hands_over_speaks_with_the_server_itself(jupyter, folder):
    headers = {"Authorization": f"token {jupyter.token}", "Origin": jupyter.url}
    url = f"{jupyter.url}/{DIRECT}"
    with running_server(folder, server_grace_s=60) as server:
        async with connect_kernel(server.address) as kernel:
            opened = await kernel.open()
            async with connect_through(url, opened.token, headers=headers) as viewer:
                assert (await viewer.message(p.Welcome)).via == "direct"
                await viewer.frame()
                await viewer.send(vm.ChangeSlice(seq=1, slice_idx=3))
                await viewer.frame(lambda h: h.slice_idx == 3)
                await viewer.send(p.Report(transport="websocket", displayed_fps=1, latency_ms=1))
                await kernel.message(lp.Mirror, lambda m: m.via == "direct")
                ends = [c.raddr.port for c in server.process.net_connections("tcp") if c.raddr]
                assert len(ends) == 1
        assert jupyter.token not in server.log


async def test_the_page_is_told_of_the_direct_way(jupyter):
    async with (
        aiohttp.ClientSession(headers={"Authorization": f"token {jupyter.token}"}) as http,
        http.get(f"{jupyter.url}/lab") as page,
    ):
        assert f'"blustreamPath": "{DIRECT}"' in await page.text()


async def test_jupyter_gives_the_front_end_out_to_be_kept(jupyter):
    path = f"blustream-direct/widget-{front_end.digest()}.js"
    async with aiohttp.ClientSession(auto_decompress=False) as http:
        whole = {"Accept-Encoding": "identity"}
        async with http.get(f"{jupyter.url}/{path}", headers=whole) as plain:
            assert plain.headers["Content-Type"] == "text/javascript; charset=utf-8"
            assert "immutable" in plain.headers["Cache-Control"]
            assert await plain.read() == front_end.bundle()
        headers = {"Accept-Encoding": "gzip"}
        async with http.get(f"{jupyter.url}/{path}", headers=headers) as zipped:
            assert zipped.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await zipped.read()) == front_end.bundle()
        async with http.get(f"{jupyter.url}/blustream-direct/widget-{'0' * 32}.js") as other:
            assert other.status in (403, 404)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Authorization": "token wrong"}, 403),
        ({"Authorization": "token {token}", "Origin": "http://evil.example"}, 403),
        ({"Authorization": "token {token}", "Host": "evil.example"}, 403),
    ],
    ids=["nobody", "wrong token", "foreign page", "rebound name"],
)
async def test_jupyter_hands_nobody_over_who_may_not_connect(jupyter, folder, headers, status):
    headers = {name: value.format(token=jupyter.token) for name, value in headers.items()}
    with (
        running_server(folder, server_grace_s=60),
        pytest.raises(aiohttp.WSServerHandshakeError) as failure,
    ):
        async with connect_through(f"{jupyter.url}/{DIRECT}", None, headers=headers):
            pass
    assert failure.value.status == status


async def test_who_is_handed_over_still_needs_a_viewers_token(jupyter, folder):
    headers = {"Authorization": f"token {jupyter.token}"}
    url = f"{jupyter.url}/{DIRECT}"
    with running_server(folder, server_grace_s=60):
        async with connect_through(url, "not a token", headers=headers) as viewer:
            error = await viewer.message(p.Error)
            await viewer.ended()
    assert error.code == "token"
    assert viewer.close_code == 4403


async def test_jupyters_credentials_are_not_handed_over(jupyter, folder):
    listener = listen_privately(runtime_files(Config(runtime_dir=str(folder))).handover)
    listener.listen()
    headers = {"Authorization": f"token {jupyter.token}", "Cookie": "username-x=SECRET"}
    url = f"{jupyter.url}/{DIRECT}?token={jupyter.token}"

    async def connect():
        with contextlib.suppress(aiohttp.ClientError):
            async with connect_through(url, None, headers=headers):
                pass

    with listener:
        connecting = asyncio.create_task(connect())
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            lease, _ = await loop.sock_accept(listener)
            head = await loop.sock_recv(lease, 65536)
            listener.close()  # aiohttp tries a second time
            lease.close()
            await connecting
    assert b"Host: " + jupyter.url.removeprefix("http://").encode() in head
    assert jupyter.token.encode() not in head
    assert b"SECRET" not in head


async def test_without_a_server_nothing_is_handed_over(jupyter, folder):
    headers = {"Authorization": f"token {jupyter.token}"}
    with pytest.raises(aiohttp.WSServerHandshakeError) as failure:
        async with connect_through(f"{jupyter.url}/{DIRECT}", None, headers=headers):
            pass
    assert failure.value.status == 503
