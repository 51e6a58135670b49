"""A page with the widget and nothing of Jupyter around it, in front of a real server.

`python widget_host.py` starts the server with fake workers, opens a session as a kernel does,
serves the page on loopback and prints its address. POST /control/… does what a test needs.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import WSMsgType, web

from blustream_widget.config import load_config
from blustream_widget.core import link_protocol as lp
from blustream_widget.server.discovery import find_or_start
from blustream_widget.server.runtime_files import ServerAddress
from blustream_widget.testing.clients import KernelClient, connect_kernel

BUNDLE = Path(lp.__file__).parents[1] / "static" / "widget.js"
SHAPE = (96, 64, 32)
PAGE = """<!doctype html><meta charset="utf-8"><title>widget</title>
<body style="margin:0">
<script id="jupyter-config-data" type="application/json">__CONFIG__</script>
<script type="module">
import widget from "/widget.js";
const values = __VALUES__;
const listeners = new Map();
const emit = (event, ...args) => [...(listeners.get(event) ?? [])].forEach((f) => f(...args));
const comm = new WebSocket(`ws://${location.host}/comm`);
comm.binaryType = "arraybuffer";
comm.onmessage = ({ data }) => {
  if (typeof data === "string") { emit("msg:custom", JSON.parse(data), []); return; }
  const n = new Uint8Array(data)[0];
  const channel = new TextDecoder().decode(new Uint8Array(data, 1, n));
  emit("msg:custom", { kind: "relay-frame", channel }, [new DataView(data, 1 + n)]);
};
await new Promise((resolve) => { comm.onopen = resolve; });
const model = {
  get: (name) => values[name],
  set(name, value) { values[name] = value; emit(`change:${name}`, model, value); },
  on(event, f) { listeners.set(event, [...(listeners.get(event) ?? []), f]); },
  off(event, f) { listeners.set(event, (listeners.get(event) ?? []).filter((g) => g !== f)); },
  save_changes() {},
  send(content) { comm.send(JSON.stringify(content)); },
};
const made = widget();
const end = made.initialize({ model });
const show = (id) => {
  const el = document.createElement("div");
  el.id = id;
  document.body.append(el);
  const leave = made.render({ model, el });
  return () => { leave(); el.remove(); };
};
window.page = { model, show, end, leave: show("view") };
</script></body>"""


class Host:
    """The page, the way to the server, and the kernel's side of the comm."""

    def __init__(self, address: ServerAddress, kernel: KernelClient, session: str) -> None:
        self._address = address
        self._kernel = kernel
        self._session = session
        self._tunnels: set[web.WebSocketResponse] = set()
        self._is_open = True
        self._names: dict[str, int] = {}
        self._comm: web.WebSocketResponse | None = None

    def make_app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/", self.page)
        app.router.add_get("/widget.js", self.bundle)
        app.router.add_get("/blustream/ws", self.tunnel)
        app.router.add_get("/comm", self.comm)
        app.router.add_post("/control/{what}", self.control)
        return app

    async def page(self, request: web.Request) -> web.Response:
        values = {
            "_session": self._session,
            "_transports": request.query.get("transports", "websocket,webrtc,comm"),
            "_path": "blustream/ws",
            "_error": {},
            "_closed": False,
            "height": 420,
        }
        config = {"baseUrl": "/", "blustreamPath": request.query.get("direct", "")}
        text = PAGE.replace("__VALUES__", json.dumps(values))
        text = text.replace("__CONFIG__", json.dumps(config))
        return web.Response(text=text, content_type="text/html")

    async def bundle(self, _request: web.Request) -> web.Response:
        return web.Response(text=BUNDLE.read_text(), content_type="text/javascript")

    async def control(self, request: web.Request) -> web.Response:
        """`refuse` and `accept` WebSockets, `break` those that are open, `patch` as the kernel."""
        what = request.match_info["what"]
        if what == "patch":
            await self._kernel.send(
                lp.PatchState(session=self._session, patch=await request.json())
            )
        else:
            self._is_open = what == "accept"
        if what == "break":
            self._is_open = True
        for tunnel in () if what in {"accept", "patch"} else list(self._tunnels):
            await tunnel.close(code=1011)
        return web.Response()

    async def tunnel(self, request: web.Request) -> web.StreamResponse:
        if not self._is_open:
            return web.Response(status=404)
        socket = web.WebSocketResponse(compress=False)
        await socket.prepare(request)
        connector = aiohttp.UnixConnector(str(self._address.socket_path))
        async with (
            aiohttp.ClientSession(connector=connector) as http,
            http.ws_connect("http://blustream/ws", max_msg_size=0) as inner,
        ):
            self._tunnels.add(socket)
            back = asyncio.create_task(_pump(inner, socket))
            await _pump(socket, inner)
            self._tunnels.discard(socket)
            back.cancel()
        return socket

    async def comm(self, request: web.Request) -> web.StreamResponse:
        self._comm = socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            content = json.loads(message.data)
            if content["kind"] == "token":
                await socket.send_json({"kind": "token", "token": await self._new_token()})
            else:
                await self._relay(content)
        return socket

    async def _relay(self, content: dict[str, Any]) -> None:
        name = content["channel"]
        number = self._names.setdefault(name, len(self._names) + 1)
        if content["kind"] == "relay-open":
            await self._kernel.send(lp.RelayOpen(session=self._session, channel=number))
        elif content["kind"] == "relay":
            await self._kernel.send(lp.RelayText(channel=number, text=content["text"]))
        else:
            await self._kernel.send(lp.RelayClose(channel=number))

    async def pass_on(self) -> None:
        """Carry what the server says to the relayed page, as it comes."""
        taken = 0
        while True:
            item = await self._kernel.inbox.until(lambda n=taken: _at(self._kernel, n), "the end")
            taken += 1
            names = {number: name for name, number in self._names.items()}
            if self._comm is None or self._comm.closed:
                continue
            if isinstance(item, tuple) and item[0] in names:
                name = names[item[0]].encode()
                await self._comm.send_bytes(bytes([len(name)]) + name + item[1])
            elif isinstance(item, lp.RelayText):
                content = {"kind": "relay", "channel": names[item.channel], "text": item.text}
                await self._comm.send_json(content)

    async def _new_token(self) -> str:
        known = sum(isinstance(item, lp.SessionToken) for item in self._kernel.inbox.items)
        await self._kernel.send(lp.RenewToken(session=self._session))
        return await self._kernel.inbox.until(lambda: _more_tokens(self._kernel, known), "token")


def _at(kernel: KernelClient, index: int) -> Any:
    return kernel.inbox.items[index] if index < len(kernel.inbox.items) else None


def _more_tokens(kernel: KernelClient, known: int) -> str | None:
    tokens = [item.token for item in kernel.inbox.items if isinstance(item, lp.SessionToken)]
    return tokens[-1] if len(tokens) > known else None


async def _pump(source: Any, target: Any) -> None:
    async for message in source:
        if message.type is WSMsgType.TEXT:
            await target.send_str(message.data)
        elif message.type is WSMsgType.BINARY:
            await target.send_bytes(message.data)
    await target.close()


async def _pass_on_forever(host: Host) -> None:
    while True:
        try:
            await host.pass_on()
        except TimeoutError:
            continue  # nothing to say for a while


async def main() -> None:
    """Serve until the standard input ends."""
    address = await asyncio.to_thread(
        find_or_start, load_config(), worker_module="blustream_widget.testing.fake_worker"
    )
    async with connect_kernel(address) as kernel:
        opened = await kernel.open("fake:" + "x".join(map(str, SHAPE)))
        host = Host(address, kernel, opened.session)
        runner = web.AppRunner(host.make_app(), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        relaying = asyncio.create_task(_pass_on_forever(host))
        (address_, *_) = runner.addresses
        sys.stdout.write(f"http://{address_[0]}:{address_[1]}/\n")
        sys.stdout.flush()
        await asyncio.to_thread(sys.stdin.read)
        relaying.cancel()
        await kernel.send(lp.CloseSession(session=opened.session))
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
