"""A headless Firefox, driven over WebDriver BiDi: Playwright drives only a Firefox of its own."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp

_LISTENS = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
_START_S = 60.0
_ANSWER_S = 120.0
# It calls nobody, shows no first-run pages, and takes WebRTC's packets over loopback.
_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.peerconnection.ice.loopback": True,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "toolkit.telemetry.enabled": False,
}


def find_firefox() -> str | None:
    """Path of the system's Firefox."""
    return shutil.which("firefox-esr") or shutil.which("firefox")


class FirefoxPage:
    """One tab."""

    def __init__(self, session: _Session, context: str) -> None:
        self._session = session
        self._context = context

    @property
    def problems(self) -> list[str]:
        """Errors of all pages, as their consoles have them."""
        return self._session.problems

    async def another(self) -> FirefoxPage:
        """Open another tab, in front."""
        return await self._session.open_tab()

    async def close(self) -> None:
        await self._session.ask("browsingContext.close", context=self._context)

    async def goto(self, url: str) -> None:
        await self._session.ask(
            "browsingContext.navigate", context=self._context, url=url, wait="complete"
        )

    async def run(self, function: str, *values: Any) -> Any:
        """Call a JavaScript function, asynchronous or not; its values and result are JSON's."""
        given = ", ".join(json.dumps(value) for value in values)
        call = f"async () => JSON.stringify((await ({function})({given})) ?? null)"
        answer = await self._session.ask(
            "script.callFunction",
            functionDeclaration=call,
            awaitPromise=True,
            target={"context": self._context},
        )
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    async def wait_for(self, function: str, *values: Any, timeout_s: float = 30.0) -> Any:
        """Call a function again and again until what it gives is true, and give that."""
        found = await self.run(
            f"""async (...values) => {{
              const end = performance.now() + {timeout_s * 1000};
              for (;;) {{
                const found = await ({function})(...values);
                if (found || performance.now() > end) return found;
                await new Promise((resolve) => setTimeout(resolve, 50));
              }}
            }}""",
            *values,
        )
        if not found:
            raise TimeoutError(f"Waited {timeout_s:g} s in vain: {function}; {self.problems}")
        return found

    async def screenshot(self) -> bytes:
        """PNG of what the window shows."""
        answer = await self._session.ask("browsingContext.captureScreenshot", context=self._context)
        return base64.b64decode(answer["data"])

    async def run_first(self, function: str) -> None:
        """Call a JavaScript function in each document to come, before its own scripts."""
        await self._session.ask(
            "script.addPreloadScript", functionDeclaration=function, contexts=[self._context]
        )

    async def resize(self, width_px: int, height_px: int) -> None:
        size = {"width": width_px, "height": height_px}
        await self._session.ask("browsingContext.setViewport", context=self._context, viewport=size)

    async def act(self, kind: str, *actions: dict[str, Any]) -> None:
        """Do as a mouse ("pointer"), a wheel or a keyboard ("key") does."""
        source = {"type": kind, "id": kind, "actions": actions}
        await self._session.ask("input.performActions", context=self._context, actions=[source])


class _Session:
    def __init__(
        self, socket: aiohttp.ClientWebSocketResponse, width_px: int, height_px: int
    ) -> None:
        self._socket = socket
        self._size = (width_px, height_px)
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self.problems: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            said = json.loads(message.data)
            if said["type"] == "event":
                if said["params"].get("level") == "error":
                    self.problems.append(said["params"]["text"])
                continue
            answer = self._asked.pop(said.get("id"), None)
            if answer is None or answer.done():
                continue
            if said["type"] == "error":
                answer.set_exception(RuntimeError(f"{said['error']}: {said['message']}"))
            else:
                answer.set_result(said["result"])

    async def open_tab(self) -> FirefoxPage:
        page = FirefoxPage(self, (await self.ask("browsingContext.create", type="tab"))["context"])
        await page.resize(*self._size)
        return page

    async def ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._asked[number] = answer = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(answer, _ANSWER_S)


@contextlib.asynccontextmanager
async def firefox_page(
    executable: str,
    home: Path,
    *,
    width_px: int = 1280,
    height_px: int = 900,
    preferences: Mapping[str, bool | int | str] = {},
    environment: Mapping[str, str] = {},
) -> AsyncIterator[FirefoxPage]:
    """Start Firefox with an empty profile in `home`, and open a tab."""
    wanted = {**_PREFERENCES, **preferences}
    lines = (f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in wanted.items())
    (home / "user.js").write_text("\n".join(lines))
    async with _process(executable, home, environment) as address, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(f"{address}/session", max_msg_size=0)
        session = _Session(socket, width_px, height_px)
        listening = asyncio.create_task(session.listen())
        try:
            await session.ask("session.new", capabilities={})
            await session.ask("session.subscribe", events=["log.entryAdded"])
            yield await session.open_tab()
        finally:
            listening.cancel()


@contextlib.asynccontextmanager
async def _process(
    executable: str, home: Path, environment: Mapping[str, str]
) -> AsyncIterator[str]:
    """Run Firefox for the block; gives the address that it is driven at."""
    process = await asyncio.create_subprocess_exec(
        *(executable, "--headless", "--no-remote", "--profile", str(home)),
        "--remote-debugging-port=0",
        env={**os.environ, "HOME": str(home), "MOZ_CRASHREPORTER_DISABLE": "1", **environment},
        stdout=DEVNULL,
        stderr=PIPE,
        start_new_session=True,
    )
    reading = None
    try:
        assert process.stderr is not None
        async with asyncio.timeout(_START_S):
            while not (found := _LISTENS.search(line := await process.stderr.readline())):
                assert line, "Firefox ended before it could be driven."
        reading = asyncio.create_task(_read_on(process.stderr))
        yield found[1].decode()
    finally:
        # All of its processes are of one group.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if reading is not None:
            reading.cancel()


async def _read_on(stream: asyncio.StreamReader) -> None:
    """Nobody reads a full pipe's next line."""
    while await stream.readline():
        pass
