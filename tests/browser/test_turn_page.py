"""The widget's WebRTC through a real TURN server alone, in Chromium."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from blustream_widget.config import Config
from blustream_widget.testing.notebook_page import chromium
from blustream_widget.testing.turn_server import SECRET, turn_server
from blustream_widget.testing.waiting import wait_until
from blustream_widget.transport.ice_servers import ice_servers_for

pytestmark = pytest.mark.skipif(
    shutil.which("turnserver") is None, reason="coturn is not installed"
)
HOST = Path(__file__).with_name("widget_host.py")
# The page has the relay by one way alone, and perhaps with credentials of its own.
SPY = """
globalThis.connections = [];
globalThis.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(given) {
    const [{ urls, ...rest }] = given.iceServers;
    const server = { ...rest, ...CREDENTIALS, urls: urls.filter((url) => url === 'URL') };
    super({ ...given, iceServers: [server] });
    connections.push(this);
  }
};
"""
PAIR = """async () => {
  const found = [...(await connections.at(-1).getStats()).values()];
  const pair = found.find((s) => s.type === 'candidate-pair' && s.nominated);
  const local = found.find((s) => s.id === pair?.localCandidateId);
  const remote = found.find((s) => s.id === pair?.remoteCandidateId);
  return [local?.candidateType, local?.relayProtocol, remote?.candidateType];
}"""


@pytest.fixture(scope="module")
def turn(tmp_path_factory):
    with turn_server(tmp_path_factory.mktemp("turn")) as running:
        yield running


@pytest.fixture(scope="module")
def host(turn, tmp_path_factory):
    """Address of a page whose server and browser may use relays alone."""
    folder = tmp_path_factory.mktemp("run")
    folder.chmod(0o700)
    urls = [turn.url(way) for way in ("udp", "tcp", "tls")]
    environment = os.environ | {
        "BLUSTREAM_RUNTIME_DIR": str(folder),
        "BLUSTREAM_ICE_LOOPBACK": "1",
        "BLUSTREAM_ICE_SERVERS": json.dumps([{"urls": urls}]),
        "BLUSTREAM_TURN_SECRET": SECRET,
        "BLUSTREAM_ICE_RELAY_ONLY": "1",
        "BLUSTREAM_SERVER_GRACE_S": "1",
    }
    with subprocess.Popen(
        [sys.executable, str(HOST)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.wait(20)


@pytest.fixture(scope="module")
def trusting_browser(turn):
    """It takes the TURN server's certificate, which nobody signed."""
    with chromium("--allow-loopback-in-peer-connection", turn.browser_option) as started:
        yield started


@pytest.fixture
def open_page(trusting_browser, turn, host):
    contexts = []

    def open_it(way, **credentials):
        context = trusting_browser.new_context(viewport={"width": 960, "height": 600})
        contexts.append(context)
        spy = SPY.replace("URL", turn.url(way)).replace("CREDENTIALS", json.dumps(credentials))
        context.add_init_script(spy)
        page = context.new_page()
        page.goto(f"{host}?transports=websocket,webrtc")
        page.wait_for_selector("#view", state="attached")
        return page

    yield open_it
    for context in contexts:
        context.close()


def said(page, name):
    return page.evaluate("(n) => document.querySelector('#view').dataset[n] ?? ''", name)


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
def test_pictures_come_through_the_relay(open_page, way):
    page = open_page(way)
    wait_until(
        lambda: said(page, "transport") == "webrtc",
        timeout_s=30,
        what=lambda: f"WebRTC, not {said(page, 'transport')}: {said(page, 'reason')}",
    )
    assert page.evaluate(PAIR) == ["relay", way, "relay"]


def test_credentials_that_have_ended_are_said_and_the_websocket_serves(open_page):
    config = Config(turn_secret=SECRET, turn_lifetime_s=60)
    long_ago_s = time.time() - 3600
    (ended,) = ice_servers_for("owner", ({"urls": "turn:"},), config, now_s=long_ago_s)
    page = open_page("udp", username=ended["username"], credential=ended["credential"])
    wait_until(
        lambda: "refuses (401 Unauthorized): the credentials have ended" in said(page, "reason"),
        timeout_s=30,
        what=lambda: f"the refusal, not {said(page, 'reason')}",
    )
    assert (said(page, "transport"), said(page, "phase")) == ("websocket", "live")
