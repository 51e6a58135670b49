"""A Chromium that nobody watches while it is measured.

A driver costs what it measures: Playwright asks Chromium to report every network event, so that
each picture that comes by a socket is copied to the driver once more, 3 ms of processor time a
frame. Here the driver connects to prepare a page, leaves, and what was prepared runs by itself. One
command starts it and waits for its result.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import aiohttp

from blustream_widget.testing.namespaces import Namespace
from blustream_widget.testing.notebook_page import CHROMIUM_ARGUMENTS, find_chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_START_TIMEOUT_S = 30.0
_ARGUMENTS = (
    *CHROMIUM_ARGUMENTS,
    "--headless",
    "--mute-audio",
    "--hide-scrollbars",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
)
_MAX_ANSWER_BYTES = 64 * 1024**2


class QuietChromium:
    """The system's Chromium, headless, with an empty profile; a context manager.

    Parameters
    ----------
    *arguments : str
        More switches.
    size_px : tuple of int
        Of the window.
    namespace : Namespace, optional
        The network that it lies in. Whoever drives it or asks it something must have entered it.

    Attributes
    ----------
    pid : int
        Of the browser's own process; its children do the rest.

    Raises
    ------
    MissingDependencyError
        If there is no browser.
    """

    def __init__(
        self, *arguments: str, size_px: tuple[int, int], namespace: Namespace | None = None
    ) -> None:
        self._profile = tempfile.TemporaryDirectory(
            prefix="bs-chromium-", ignore_cleanup_errors=True
        )
        profile = Path(self._profile.name)
        command = [
            find_chromium(),
            *_ARGUMENTS,
            *arguments,
            f"--window-size={size_px[0]},{size_px[1]}",
            f"--user-data-dir={profile}",
            "about:blank",
        ]
        self._process = subprocess.Popen(
            command if namespace is None else namespace.command(*command),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self._process.pid
        port_file = profile / "DevToolsActivePort"
        try:
            wait_until(
                lambda: port_file.exists() and len(port_file.read_text().split()) == 2,
                timeout_s=_START_TIMEOUT_S,
                what="Chromium opens its port for the driver",
            )
        except BaseException:
            self.close()
            raise
        self._address = f"127.0.0.1:{port_file.read_text().split()[0]}"

    @contextlib.contextmanager
    def driven(self) -> Iterator[Browser]:
        """Connect Playwright for a while; pages of the first context outlive it."""
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(f"http://{self._address}")
            try:
                yield browser
            finally:
                browser.close()

    def pages(self) -> list[str]:
        """Addresses of the pages for whoever debugs them, the newest first."""
        with urllib.request.urlopen(f"http://{self._address}/json/list") as answer:
            found = [page for page in json.load(answer) if page["type"] == "page"]
        return [page["webSocketDebuggerUrl"] for page in found if page["url"].startswith("http")]

    def evaluate(self, expression: str, *, timeout_s: float, page: str = "") -> Any:
        """Run JavaScript in a page and wait for its value; nothing else listens.

        `page`: one of `pages`; "" the newest.

        Raises
        ------
        RuntimeError
            If it threw.
        TimeoutError
        """
        return asyncio.run(_evaluate(page or self.pages()[0], expression, timeout_s))

    def close(self) -> None:
        """End the browser and forget its profile. May be called twice."""
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


async def _evaluate(url: str, expression: str, timeout_s: float) -> Any:
    command = {
        "id": 1,
        "method": "Runtime.evaluate",
        "params": {"expression": expression, "awaitPromise": True, "returnByValue": True},
    }
    async with (
        asyncio.timeout(timeout_s),
        aiohttp.ClientSession() as session,
        session.ws_connect(url, max_msg_size=_MAX_ANSWER_BYTES) as socket,
    ):
        await socket.send_json(command)
        async for message in socket:
            answer = message.json()
            if answer.get("id") != 1:
                continue
            if "error" in answer or "exceptionDetails" in answer["result"]:
                raise RuntimeError(f"The page answered {json.dumps(answer)[:2000]}")
            return answer["result"]["result"].get("value")
    raise RuntimeError("The page is gone.")
