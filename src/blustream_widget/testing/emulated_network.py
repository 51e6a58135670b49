"""Two network namespaces with an emulated link between them, whose conditions a test sets."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from blustream_widget.testing.emulator import DEVICE, Conditions, Lateness
from blustream_widget.testing.namespaces import Namespace, ip
from blustream_widget.testing.notebook_page import chromium, find_chromium
from blustream_widget.testing.tcp_bridge import bridged

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SERVER_ADDRESS, BROWSER_ADDRESS = "10.78.0.1", "10.78.0.2"
_OTHER_ADDRESS = "10.79.0.2"

NETWORKS = {
    "20 ms": Conditions(rtt_ms=20),
    "80 ms, 1 % loss": Conditions(rtt_ms=80, loss=0.01),
    "20 ms, 8 Mbit/s": Conditions(rtt_ms=20, rate_bps=8e6),
    "20 ms, 2 Mbit/s": Conditions(rtt_ms=20, rate_bps=2e6),
    "200 ms, 5 % loss": Conditions(rtt_ms=200, loss=0.05),
    "20 ms, UDP blocked": Conditions(rtt_ms=20, has_udp=False),
}
"""The networks that the viewer is tested and measured in. Loss is per direction."""


class EmulatedNetwork:
    """A server's side, a browser's side, and the network between them.

    Attributes
    ----------
    server, browser : Namespace
        With the addresses `SERVER_ADDRESS` and `BROWSER_ADDRESS`.
    """

    def __init__(self, server: Namespace, browser: Namespace) -> None:
        self.server, self.browser = server, browser
        self._addresses = (BROWSER_ADDRESS, _OTHER_ADDRESS)
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "blustream_widget.testing.emulator"),
                *(server.name, SERVER_ADDRESS, browser.name, BROWSER_ADDRESS),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            self._hear()
        except BaseException:
            self.close()
            raise

    def set(self, conditions: Conditions) -> Lateness:
        """Be this network from now on; returns when it is, with how the last one was kept."""
        assert self._process.stdin is not None
        self._process.stdin.write(conditions.to_line())
        self._process.stdin.flush()
        return self._hear()

    def move_browser(self) -> None:
        """Give the browser's side another address, as in another network, and take the old one.

        What was connected is dead, and nobody says so to the server.
        """
        new, old = self._addresses = self._addresses[::-1]
        name = self.browser.name
        ip("-n", name, "addr", "del", old, "peer", SERVER_ADDRESS, "dev", DEVICE)
        ip("-n", name, "addr", "add", new, "peer", SERVER_ADDRESS, "dev", DEVICE)
        ip("-n", name, "route", "replace", "default", "via", SERVER_ADDRESS, "dev", DEVICE)

    def close(self) -> None:
        """End the emulation; may be called twice."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        self._process.wait(timeout=10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _hear(self) -> Lateness:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise ConnectionError("The emulated network ended.")
        return Lateness(**json.loads(line))


@contextmanager
def browser_in(network: EmulatedNetwork, origin: str) -> Iterator[Browser]:
    """Start Chromium at the network's other end.

    Parameters
    ----------
    network : EmulatedNetwork
    origin : str
        Address of the server, which the browser trusts as if it had HTTPS: only then it decodes.
    """
    trust = f"--unsafely-treat-insecure-origin-as-secure={origin}"
    with chromium_in(network.browser, trust) as browser:
        yield browser


@contextmanager
def chromium_in(namespace: Namespace, *arguments: str) -> Iterator[Browser]:
    """Start Chromium in a namespace, with more options of its command line."""
    with tempfile.TemporaryDirectory(prefix="bs-browser-") as folder:
        script = Path(folder) / "chromium"
        command = shlex.join(namespace.command(find_chromium()))
        script.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        script.chmod(0o700)
        with chromium(*arguments, executable=str(script)) as browser:
            yield browser


@contextmanager
def emulated_network() -> Iterator[EmulatedNetwork]:
    """Make the two namespaces and the network for the length of the block.

    `namespaces.namespace_obstacle` says where that is not possible.
    """
    number = os.getpid()
    with Namespace(f"bs-server-{number}") as server, Namespace(f"bs-browser-{number}") as browser:
        network = EmulatedNetwork(server, browser)
        try:
            yield network
        finally:
            network.close()


@contextmanager
def bridge(network: EmulatedNetwork, socket_path: Path, port: int = 8080) -> Iterator[str]:
    """Make a server's socket reachable from the browser's side; gives the WebSocket's address."""
    command = network.server.command
    with bridged(socket_path, address=SERVER_ADDRESS, port=port, command=command):
        yield f"ws://{SERVER_ADDRESS}:{port}/ws"
