"""Whether a page may open a WebSocket here."""

from __future__ import annotations

from urllib.parse import urlsplit

from aiohttp import web


def is_same_origin(origin: str | None, request: web.Request) -> bool:
    """Whether a page of `origin` belongs to the host it talks to; no origin = not a browser.

    jupyter-server-proxy keeps the browser's Host. A proxy in front of Jupyter that changes it names
    the browser's in X-Forwarded-Host; a page cannot set either header on a WebSocket.
    """
    if origin is None:
        return True
    hosts = {request.headers.get("Host", "")}
    hosts.update(h.strip() for h in request.headers.get("X-Forwarded-Host", "").split(","))
    return urlsplit(origin).netloc.lower() in {host.lower() for host in hosts if host}
