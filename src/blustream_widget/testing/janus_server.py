"""A real Janus (Debian's package) for tests: its own folder, one plugin, no STUN."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp

from blustream_widget.testing.waiting import wait_until

API_SECRET = "an API secret of tests alone"
ADMIN_KEY = "an admin key of tests alone"


def janus_obstacle() -> str:
    """Why there can be no Janus here; "" if there can."""
    return "" if shutil.which("janus") and _folders() else "there is no janus (Debian's package)"


class JanusServer:
    """One Janus at 127.0.0.1, which can be stopped and started again at the same port.

    As a context manager it runs for the length of the block.

    Parameters
    ----------
    folder : Path
        For its settings and log.
    plugin : str
        The one that is loaded.
    command : sequence of str
        In front of its own command line: puts it into a network namespace.
    ice_interface : str
        Where viewers come; Janus offers no candidates at 127.0.0.1. "" = none can come.
    port : int
        Of its API; 0 = a free one of this namespace.

    Attributes
    ----------
    url : str
        Of its HTTP API.
    """

    def __init__(
        self,
        folder: Path,
        *,
        plugin: str = "streaming",
        command: Sequence[str] = (),
        ice_interface: str = "none",
        port: int = 0,
    ) -> None:
        self._folder, self._command = folder, tuple(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._port = port or _free_port()
        self.url = f"http://127.0.0.1:{self._port}/janus"
        _write_settings(folder, self._port, plugin=plugin, ice_interface=ice_interface)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        log = self._folder / "log"
        log.unlink(missing_ok=True)  # that of one before says that it is up
        options = (f"--configs-folder={self._folder}", f"--log-file={log}", "--disable-stdout")
        self._process = subprocess.Popen(
            [*self._command, "janus", *options], stdout=subprocess.DEVNULL
        )
        wait_until(self._is_up, timeout_s=30, what="Janus")

    def stop(self) -> None:
        """End it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    @property
    def is_running(self) -> bool:
        """Whether its process has not ended."""
        return self._process is not None and self._process.poll() is None

    async def ask(self, plugin: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a plugin, "streaming" or "videoroom", as a client of its own; give its data."""
        async with aiohttp.ClientSession() as http:

            async def post(path: str, **message: Any) -> dict[str, Any]:
                message |= {"apisecret": API_SECRET, "transaction": "of a test"}
                async with http.post(self.url + path, json=message) as response:
                    answer: dict[str, Any] = await response.json(content_type=None)
                    return answer

            session = f"/{(await post('', janus='create'))['data']['id']}"
            attached = await post(session, janus="attach", plugin=f"janus.plugin.{plugin}")
            handle = f"{session}/{attached['data']['id']}"
            answer = await post(handle, janus="message", body=body)
            await post(session, janus="destroy")
            data: dict[str, Any] = answer["plugindata"]["data"]
            return data

    def _is_up(self) -> bool:
        log = self._folder / "log"
        assert self._process is not None
        assert self._process.poll() is None, log.read_text() if log.exists() else "Janus ended"
        # Its HTTP server is the last thing that it starts.
        return log.exists() and "transport plugin initialized" in log.read_text()

    def __enter__(self) -> JanusServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _folders() -> Path | None:
    """Give the folder that Debian puts Janus' parts into."""
    return next(Path("/usr/lib").glob("*/janus/plugins/.."), None)


def _write_settings(folder: Path, port: int, *, plugin: str, ice_interface: str) -> None:
    parts = _folders()
    assert parts is not None
    for kind, name in (("plugins", plugin), ("transports", "http")):
        (folder / kind).mkdir(parents=True)
        (folder / kind / f"libjanus_{name}.so").symlink_to(parts / kind / f"libjanus_{name}.so")
    (folder / "janus.jcfg").write_text(
        f"""
general: {{
  plugins_folder = "{folder}/plugins"
  transports_folder = "{folder}/transports"
  events_folder = "{folder}/none"
  loggers_folder = "{folder}/none"
  api_secret = "{API_SECRET}"
  admin_secret = "{ADMIN_KEY}"
}}
nat: {{ ice_enforce_list = "{ice_interface}"  ignore_mdns = true }}
"""
    )
    (folder / "janus.transport.http.jcfg").write_text(
        f"""
general: {{ base_path = "/janus"  http = true  port = {port}  ip = "127.0.0.1"  https = false }}
admin: {{ admin_http = false }}
"""
    )
    (folder / f"janus.plugin.{plugin}.jcfg").write_text(f'general: {{ admin_key = "{ADMIN_KEY}" }}')


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
