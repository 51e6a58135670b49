"""Jupyter server extension: lets browsers in as Jupyter does, and hands their connections over.

`<base_url>blustream-direct/ws` is authenticated and checked like every WebSocket of Jupyter. Then
the connection itself goes to the user's server (`server/handover.py`), and nothing of Jupyter is on
the way of a picture. Cookies, tokens and the address's query stay here.

Where that cannot be (Jupyter itself speaks TLS, there is no server, the extension is not enabled)
the page takes the way through jupyter-server-proxy.

`<base_url>blustream-direct/widget-<digest>.js` is the front end itself, for kernels of the same
installation (`front_end.py`): pages take it from here and from their cache instead of from each
viewer's comm. It is the code of a public package and asks for no login.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import os
import socket
import time
from datetime import UTC, datetime
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated, ws_authenticated
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.utils import url_path_join
from tornado.ioloop import PeriodicCallback
from tornado.iostream import IOStream, SSLIOStream
from tornado.web import HTTPError

from blustream_widget import front_end
from blustream_widget.config import load_config
from blustream_widget.errors import ConfigError
from blustream_widget.server.runtime_files import runtime_files

PATH = "blustream-direct/ws"
FRONT_END_PATH = "blustream-direct/widget-{digest}.js"
PAGE_CONFIG_KEY = "blustreamPath"
# Pages that lost a killed server are handed to the next one as soon as that listens. They wait no
# longer: browsers open one WebSocket to a host at a time, and Jupyter's own have to wait behind.
SUCCESSOR_TIMEOUT_S = 5.0
SUCCESSOR_STEP_S = 0.02
ACTIVITY_INTERVAL_MS = 30_000
# What the other process needs of the request; nothing else of it is passed on.
_FORWARDED = (
    "Host",
    "X-Forwarded-Host",
    "Origin",
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "User-Agent",
)


class HandoverHandler(WebSocketMixin, JupyterHandler):
    """Checks a WebSocket's request, and passes its connection on."""

    @ws_authenticated
    async def get(self) -> None:
        """Hand the connection over, or refuse it."""
        headers = self.request.headers
        if headers.get("Upgrade", "").lower() != "websocket":
            raise HTTPError(400, "This address is for WebSockets.")
        if not self.check_origin(headers.get("Origin")):
            raise HTTPError(403, "This page may not connect.")
        if _has_tls(self.request.connection):
            raise HTTPError(503, "Jupyter itself encrypts this connection.")
        lease = await _door.open()
        if lease is None:
            raise HTTPError(503, "There is no server to hand the connection to.")
        stream = self.detach()
        try:
            socket.send_fds(lease, [_request_head(headers)], [stream.socket.fileno()])
        except OSError:
            self.log.warning("blustream: a connection could not be handed over")
            lease.close()
        else:
            _keep(lease, self.settings)
        finally:
            # Our copy of the descriptor: the connection lives on in the other process.
            stream.close()


class FrontEndHandler(JupyterHandler):
    """Gives out the front end; its address changes with its content."""

    @allow_unauthenticated
    def get(self) -> None:
        """Send the bundle, to be kept by the browser for good."""
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.finish(_zipped_bundle())
        else:
            self.finish(front_end.bundle())


@functools.cache
def _zipped_bundle() -> bytes:
    return gzip.compress(front_end.bundle(), mtime=0)


def _has_tls(connection: Any) -> bool:
    return isinstance(connection.stream, SSLIOStream)


class _Door:
    """Where the server takes connections over, also while another server takes its place."""

    def __init__(self) -> None:
        self._killed_since_s: float | None = None

    async def open(self) -> socket.socket | None:
        """Connect to the server, or the next one if the last was killed just now."""
        while True:
            try:
                lease = _connect()
            except ConfigError:
                return None
            except OSError as exc:
                if not self._is_worth_waiting(exc):
                    return None
            else:
                self._killed_since_s = None
                return lease
            # Nothing tells when somebody begins to listen.
            await asyncio.sleep(SUCCESSOR_STEP_S)

    def _is_worth_waiting(self, error: OSError) -> bool:
        now_s = time.monotonic()
        if self._killed_since_s is None:
            # A server that ends removes its sockets, one that is killed leaves them to nobody.
            if not isinstance(error, ConnectionRefusedError):
                return False
            self._killed_since_s = now_s
        return now_s - self._killed_since_s < SUCCESSOR_TIMEOUT_S


_door = _Door()


def _connect() -> socket.socket:
    lease = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # A server that does not accept must not hold Jupyter: then it is refused, and the proxy serves.
    lease.setblocking(False)
    try:
        lease.connect(str(runtime_files(load_config()).handover))
    except BaseException:
        lease.close()
        raise
    return lease


def _request_head(headers: Any) -> bytes:
    lines = ["GET /ws HTTP/1.1"]
    for name in _FORWARDED:
        # Tornado refuses line breaks in headers.
        lines += [f"{name}: {value}" for value in headers.get_list(name)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _keep(lease: socket.socket, settings: dict[str, Any]) -> None:
    """Keep the lease until its other side returns it; until then the viewer counts as activity."""

    def note_activity() -> None:
        settings["api_last_activity"] = datetime.now(UTC)

    noting = PeriodicCallback(note_activity, ACTIVITY_INTERVAL_MS)
    stream = IOStream(lease)
    stream.set_close_callback(noting.stop)
    # Nothing is ever sent: what is waited for is the end.
    ended: Any = stream.read_until_close()
    ended.add_done_callback(lambda future: future.exception())
    note_activity()
    noting.start()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "blustream_widget.server.extension"}]


def _load_jupyter_server_extension(server_app: Any) -> None:
    """Add the addresses, and tell pages and kernels that they are there."""
    application = server_app.web_app
    base_url = application.settings["base_url"]
    bundle_path = FRONT_END_PATH.format(digest=front_end.digest())
    application.add_handlers(
        ".*$",
        [
            (url_path_join(base_url, PATH), HandoverHandler),
            (url_path_join(base_url, bundle_path), FrontEndHandler),
        ],
    )
    # Kernels that this server starts inherit it.
    os.environ[front_end.DIGEST_VARIABLE] = front_end.digest()
    application.settings.setdefault("page_config_data", {})[PAGE_CONFIG_KEY] = PATH
