"""The page for guests: the same viewer without Jupyter, given out by the server itself.

Nothing on it is secret, and it asks for nothing but its own files: who opens it without the code of
a link sees that the link is not complete.

JupyterHub's service for guests gives out the same page, and says on it how it differs there.
"""

from __future__ import annotations

import asyncio
import functools
import gzip
import hashlib
import html
from collections.abc import Iterable
from pathlib import Path

from aiohttp import web

from blustream_widget import front_end

STATIC = Path(__file__).parents[1] / "static"

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self' blob:",  # frames are decoded in workers made of the bundle's own text
        # Places and colours of what is drawn are style attributes; a style cannot run code.
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' blob: data:",
        "media-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # For calls; the browser asks the guest when they take part in one.
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    # Asked for again each time, and answered "not changed" as long as it is the same.
    "Cache-Control": "no-cache",
}

_HTML = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>Shared view</title>
<link rel="icon" href="data:,">{more}
<link rel="stylesheet" href="guest.css">
<script type="module" src="guest.js"></script>
</head>
<body><main id="view"><noscript>This page needs JavaScript.</noscript></main></body>
</html>
"""
_MESSAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Shared view</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body><main class="card"><h1>{title}</h1><p>{text}</p></main></body>
</html>
"""
_CSS = """\
:root { color-scheme: light dark; }
html, body { height: 100%; margin: 0; background: #fff; color: rgba(0, 0, 0, 0.87); }
body {
  font: 14px/20px system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
}
/* Clear of the notch, and of the bar by which a phone is swiped home. */
#view {
  box-sizing: border-box; height: 100%; height: 100dvh; --blustream-height: 100%;
  padding: env(safe-area-inset-top) env(safe-area-inset-right)
    env(safe-area-inset-bottom) env(safe-area-inset-left);
}
blustream-viewer { border: 0; border-radius: 0; resize: none; }
.card {
  box-sizing: border-box; min-height: 100%; max-width: 360px; margin: 0 auto; padding: 24px 16px;
  display: flex; flex-direction: column; justify-content: center; gap: 8px;
}
h1 { margin: 0; font-size: 18px; line-height: 24px; font-weight: 600; }
p { margin: 0; opacity: 0.76; }
form { display: flex; flex-direction: column; gap: 12px; margin-top: 8px; }
label { display: flex; flex-direction: column; gap: 4px; font-size: 13px; }
input {
  font: inherit; font-size: 16px; height: 44px; box-sizing: border-box; padding: 0 12px;
  border: 1px solid #8a8a8a; border-radius: 4px; background: none; color: inherit;
}
button.main {
  font: inherit; height: 44px; border: 0; border-radius: 4px; background: #1976d2; color: #fff;
  cursor: pointer; margin-top: 4px;
}
:focus-visible { outline: 2px solid #1976d2; outline-offset: 1px; }
.spinner {
  width: 24px; height: 24px; border-radius: 50%; border: 2px solid currentColor;
  border-right-color: transparent; opacity: 0.6; animation: turn 1s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { .spinner { animation: none; } }
@media (prefers-color-scheme: dark) {
  html, body { background: #212121; color: rgba(255, 255, 255, 0.87); }
  :focus-visible { outline-color: #64b5f6; }
}
"""


class _File:
    """One file of the page, read and packed when it is first asked for."""

    def __init__(self, content_type: str, data: bytes) -> None:
        self.content_type = content_type
        self.zipped = gzip.compress(data, mtime=0)
        self.plain = data
        self.etag = hashlib.sha256(data).hexdigest()[:32]


@functools.cache
def _file(name: str) -> _File:
    if name == "guest":
        return _File("text/html", _HTML.format(more="").encode())
    if name == "guest.css":
        return _File("text/css", _CSS.encode())
    if name == "widget.js":
        return _File("text/javascript", front_end.bundle())
    path = STATIC / name
    return _File("text/javascript", path.read_bytes() if path.is_file() else b"")


GUEST_FILES = ("guest.css", "guest.js", "voice.js", "widget.js")


def add_guest_page(router: web.UrlDispatcher) -> None:
    """Add the routes of the page and its files."""
    add_guest_files(router, "/", ("guest", *GUEST_FILES))


def add_guest_files(router: web.UrlDispatcher, prefix: str, names: Iterable[str]) -> None:
    """Add the routes of files below a path."""
    for name in names:
        router.add_get(f"{prefix}{name}", functools.partial(_give, name))


def page_for_account(account: str) -> web.Response:
    """Page for somebody whom the Hub knows: it asks for no name, and no other address."""
    return _page(f'\n<meta name="blustream-account" content="{html.escape(account, quote=True)}">')


def page_to_enter() -> web.Response:
    """Page that keeps the link's code in its tab, and has the guest log in first."""
    return _page('\n<meta name="blustream-enter" content="enter">')


def message_page(title: str, text: str, *, status: int = 200) -> web.Response:
    """Page that says something, and can do nothing."""
    body = _MESSAGE.format(style=_CSS, title=html.escape(title), text=html.escape(text))
    return _html(body, status)


def _page(more: str) -> web.Response:
    return _html(_HTML.format(more=more), 200)


def _html(body: str, status: int) -> web.Response:
    headers = HEADERS | {"Cache-Control": "no-store"}
    return web.Response(text=body, status=status, content_type="text/html", headers=headers)


async def _give(name: str, request: web.Request) -> web.Response:
    # Packing takes tens of milliseconds, once.
    file = await asyncio.to_thread(_file, name)
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    headers = HEADERS | {"ETag": f'"{file.etag}"', "Vary": "Accept-Encoding"}
    if file.etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if takes_gzip:
        headers["Content-Encoding"] = "gzip"
    return web.Response(
        body=file.zipped if takes_gzip else file.plain,
        content_type=file.content_type,
        charset="utf-8",
        headers=headers,
    )
