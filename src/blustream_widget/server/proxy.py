"""Entry point of jupyter-server-proxy: `<base_url>blustream/…` leads to the user's server.

The proxy starts nothing. A page has a token only after its kernel found or started the server, and
Jupyter's process may live in another environment than the kernel. Without a server a connection is
refused, and the page falls back to its comm.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from blustream_widget.config import load_config
from blustream_widget.server.runtime_files import runtime_files


def setup() -> dict[str, Any]:
    """Return the settings of the proxy's `ServerProcess`."""
    settings: dict[str, Any] = {
        "command": [],
        "unix_socket": str(runtime_files(load_config()).socket),
        "launcher_entry": {"enabled": False},
        # Jupyter's own credentials stay in Jupyter: the server knows its viewers by their tokens.
        "request_headers_override": {"Cookie": "", "Authorization": ""},
    }
    if _proxy_version() >= (4, 6):
        settings["update_last_activity"] = _quick_socket
    return settings


def _quick_socket(handler: Any) -> bool:
    """Switch Nagle's algorithm off on the browser's connection; called with every message.

    jupyter-server-proxy leaves it on: the end of a frame then waits for the browser's
    acknowledgement of what came before. The hook's own purpose is kept: traffic is activity.

    Parameters
    ----------
    handler : tornado.websocket.WebSocketHandler
    """
    connection = getattr(handler, "ws_connection", None)
    if connection is not None and not getattr(handler, "blustream_is_quick", False):
        handler.blustream_is_quick = True
        handler.set_nodelay(True)
    return True


def _proxy_version() -> tuple[int, ...]:
    parts = version("jupyter-server-proxy").split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
