"""The widget's connection in a browser, before a real server with a worker that draws numbers."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HOST = Path(__file__).with_name("widget_host.py")
# Keeps what the page makes, so that a test can break it.
SPY = """
globalThis.channels = [];
globalThis.connections = [];
const create = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (...args) {
  const channel = create.apply(this, args);
  channels.push(channel);
  connections.push(this);
  return channel;
};
"""
READ = """() => {
  const found = [];
  const search = (root) => {
    found.push(...root.querySelectorAll('canvas'), ...root.querySelectorAll('video'));
    for (const e of root.querySelectorAll('*')) if (e.shadowRoot) search(e.shadowRoot);
  };
  search(document.querySelector('[data-phase]'));
  const size = (e) => [e.videoWidth ?? e.width, e.videoHeight ?? e.height];
  const area = (e) => size(e)[0] * size(e)[1];
  const seen = found.filter((e) => e.checkVisibility({ visibilityProperty: true }));
  // A canvas lies on a video of its size.
  const picture = seen.reduce((a, b) => (area(b) > area(a) ? b : a));
  const [width, height] = size(picture);
  const small = new OffscreenCanvas(64, 8).getContext('2d');
  small.drawImage(picture, 0, height / 2, width, 4, 0, 0, 64, 8);
  const row = small.getImageData(0, 4, 64, 1).data;
  let number = 0;
  for (let i = 0; i < 16; i++) number = (number << 1) | (row[(i * 4 + 2) * 4] > 127 ? 1 : 0);
  return number;
}"""
# A `<video>` shows a picture one or two refreshes after the page has named it; a canvas at once.
CANVAS = "delete globalThis.MediaStreamTrackGenerator;"
# Changes the slice with every animation frame; counts pictures that show another than they say.
SCRUB = """async (read) => {
  const number = eval(read);
  const view = document.querySelector('#view');
  let wrong = 0;
  let unnamed = 0;
  let byVideo = 0;
  const seen = new Set();
  const named = [];
  const findCanvas = (root) => {
    const found = root.querySelector('.picture > canvas');
    if (found) return found;
    for (const { shadowRoot } of root.querySelectorAll('*')) {
      const deeper = shadowRoot && findCanvas(shadowRoot);
      if (deeper) return deeper;
    }
    return null;
  };
  const canvas = findCanvas(document);
  for (let i = 0; i < 90; i++) {
    page.model.set('slice_idx', i);
    await new Promise(requestAnimationFrame);
    const shown = number();
    seen.add(shown);
    named.push(Number(view.dataset.sliceIdx));
    if (shown !== named.at(-1)) wrong += 1;
    if (!named.slice(-4).includes(shown)) unnamed += 1;
    if (canvas.style.visibility === 'hidden') byVideo += 1;
  }
  return { wrong, unnamed, byVideo, seen: seen.size };
}"""


class WidgetPage:
    """One page of the host: what it shows and says, and what a test does to it."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    def shown(self) -> int:
        return self.page.evaluate(READ)

    def wait_shown(self, number: int) -> None:
        wait_until(lambda: self.shown() == number, timeout_s=15, what=f"slice {number} is shown")

    def said(self, name: str) -> str:
        return self.page.evaluate("(n) => document.querySelector('#view').dataset[n]", name)

    def wait_said(self, name: str, value: str) -> None:
        wait_until(
            lambda: self.said(name) == value,
            timeout_s=20,
            what=lambda: f"{name} is {value}, not {self.said(name)} ({self.said('reason')})",
        )

    def set(self, name: str, value: object) -> None:
        self.page.evaluate("([n, v]) => page.model.set(n, v)", [name, value])

    def control(self, what: str, body: str = "") -> None:
        urllib.request.urlopen(f"{self.url}control/{what}", data=body.encode(), timeout=10).close()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of the host's page."""
    environment = os.environ | {
        "BLUSTREAM_RUNTIME_DIR": str(tmp_path_factory.mktemp("run", numbered=True)),
        "BLUSTREAM_ICE_LOOPBACK": "1",
        "BLUSTREAM_SERVER_GRACE_S": "1",
    }
    os.chmod(environment["BLUSTREAM_RUNTIME_DIR"], 0o700)  # noqa: PTH101  a name, not a Path
    with subprocess.Popen(
        [sys.executable, str(HOST)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.wait(20)


@pytest.fixture
def open_page(browser: Browser, host: str) -> Iterator[Callable[..., WidgetPage]]:
    """`open_page("websocket,comm")`; more arguments are scripts that run before the page's own."""
    contexts = []

    def open_it(transports: str, *scripts: str) -> WidgetPage:
        context = browser.new_context(viewport={"width": 960, "height": 600})
        contexts.append(context)
        for script in (SPY, *scripts):
            context.add_init_script(script)
        page = context.new_page()
        page.goto(f"{host}?transports={transports}")
        page.wait_for_selector("#view", state="attached")
        shown = WidgetPage(page, host)
        shown.wait_said("phase", "live")
        return shown

    yield open_it
    for context in contexts:
        context.close()
    urllib.request.urlopen(f"{host}control/accept", data=b"", timeout=10).close()


# How many frames the browser's own WebRTC decoded for the newest connection.
DECODED = """async () => {
  const [receiver] = connections.at(-1)?.getReceivers() ?? [];
  const report = receiver ? [...(await receiver.getStats()).values()] : [];
  return report.find(({ type }) => type === 'inbound-rtp')?.framesDecoded ?? 0;
}"""
# How many messages have come by the newest connection's data channel.
CHANNEL_MESSAGES = """async () => {
  const report = [...(await connections.at(-1).getStats()).values()];
  return report.find(({ type }) => type === 'data-channel').messagesReceived;
}"""
# A link of which each answer takes long.
FAR = """
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) { setTimeout(() => send.call(this, data), 15); };
"""
# A network that loses packets, as the browser counts them, as soon as `lost` grows.
LOSSY = """
globalThis.lost = 0;
const count = RTCRtpReceiver.prototype.getStats;
RTCRtpReceiver.prototype.getStats = async function () {
  const report = [...(await count.call(this)).values()].map((entry) => ({ ...entry }));
  for (const entry of report) if (entry.type === 'inbound-rtp') entry.packetsLost += lost;
  return new Map(report.map((entry) => [entry.id, entry]));
};
"""
WITHOUT_WEBCODECS = "delete globalThis.VideoDecoder"
WITHOUT_TRANSFORM = "delete globalThis.RTCRtpScriptTransform"
# What a page has whose rules forbid workers.
WITHOUT_WORKERS = "globalThis.Worker = class { constructor() { throw new Error('no'); } }"
WITHOUT_PROCESSOR = f"{WITHOUT_TRANSFORM}; delete globalThis.MediaStreamTrackProcessor"
# What a page that is neither https nor localhost has.
INSECURE = f"{WITHOUT_WEBCODECS}; {WITHOUT_PROCESSOR}; delete globalThis.VideoFrame"


@pytest.mark.parametrize(
    ("transports", "expected", "script"),
    [
        ("websocket", "websocket", ""),
        ("websocket", "websocket", WITHOUT_WEBCODECS),
        ("websocket,webrtc", "webrtc", ""),
        ("websocket,webrtc", "webrtc", FAR),
        ("websocket,webrtc", "webrtc", FAR + WITHOUT_WORKERS),
        ("websocket,webrtc", "webrtc", WITHOUT_PROCESSOR),
        ("websocket,webrtc", "webrtc", INSECURE),
        ("comm", "comm", ""),
    ],
    ids=[
        "websocket",
        "jpeg",
        "webrtc",
        "webrtc taken encoded",
        "webrtc without workers",
        "webrtc through <video>",
        "webrtc insecure",
        "comm",
    ],
)
def test_every_picture_shows_the_slice_that_its_header_names(
    open_page, transports, expected, script
) -> None:
    page = open_page(transports, CANVAS + script)
    page.wait_said("transport", expected)
    page.set("slice_idx", 0)
    page.wait_shown(0)
    result = page.page.evaluate(SCRUB, READ)
    assert result["wrong"] == 0
    assert result["seen"] > 5
    page.wait_shown(89)
    assert page.said("transport") == expected
    # On a far link, frames are taken before the browser's own decoder, where that can be.
    assert (page.page.evaluate(DECODED) > 0) == (expected == "webrtc" and script != FAR)
    if transports == "websocket,webrtc" and script == "":
        assert page.page.evaluate(CHANNEL_MESSAGES) == 0, "a near link carries the headers"


def test_where_packets_get_lost_frames_are_taken_encoded_and_that_stays_so(open_page) -> None:
    page = open_page("websocket,webrtc", CANVAS, LOSSY)
    page.wait_said("transport", "webrtc")
    wait_until(
        lambda: page.page.evaluate(DECODED) > 0, timeout_s=10, what="the browser decodes itself"
    )
    numbers = itertools.cycle(range(90))

    def is_another() -> bool:
        page.page.evaluate("lost += 1")
        page.set("slice_idx", next(numbers))
        return page.page.evaluate("connections.length") == 2

    wait_until(is_another, timeout_s=20, what="another connection is made")
    page.wait_said("transport", "webrtc")
    for number in (21, 22):
        page.page.evaluate("lost += 100")
        page.set("slice_idx", number)
        page.wait_shown(number)
    assert page.page.evaluate(SCRUB, READ)["wrong"] == 0
    assert page.page.evaluate(DECODED) == 0
    assert page.page.evaluate("connections.length") == 2


def test_where_jupyter_refuses_to_hand_over_the_proxy_serves_at_once(open_page) -> None:
    page = open_page("websocket&direct=not-there/ws")
    assert page.said("transport") == "websocket"
    assert page.said("via") == "proxy"
    assert page.said("reason") == ""


@pytest.mark.parametrize("transport", ["websocket", "webrtc"])
def test_a_scrub_goes_by_the_video_and_never_shows_what_was_not_named(open_page, transport) -> None:
    page = open_page("websocket,webrtc" if transport == "webrtc" else transport)
    page.wait_said("transport", transport)
    page.set("slice_idx", 0)
    page.wait_shown(0)
    result = page.page.evaluate(SCRUB, READ)
    assert result["unnamed"] == 0
    assert result["seen"] > 5
    assert result["byVideo"] > 5
    page.wait_shown(89)


def test_comm_serves_while_the_websocket_is_refused_and_until_it_is_back(open_page) -> None:
    page = open_page("websocket,comm")
    page.control("refuse")
    page.wait_said("transport", "comm")
    page.set("slice_idx", 21)
    page.wait_shown(21)
    page.control("accept")
    page.wait_said("transport", "websocket")
    page.set("slice_idx", 22)
    page.wait_shown(22)


def test_websocket_that_breaks_comes_back_with_what_was_changed_meanwhile(open_page) -> None:
    page = open_page("websocket")
    page.control("refuse")
    page.wait_said("phase", "reconnecting")
    page.set("slice_idx", 33)
    page.control("accept")
    page.wait_said("phase", "live")
    page.wait_shown(33)


def test_pictures_come_by_websocket_again_when_webrtc_breaks(open_page) -> None:
    page = open_page("websocket,webrtc")
    page.wait_said("transport", "webrtc")
    page.page.evaluate("channels.at(-1).close()")
    page.wait_said("transport", "websocket")
    assert page.said("phase") == "live"
    page.set("slice_idx", 44)
    page.wait_shown(44)


def test_kernel_and_page_follow_each_other(open_page) -> None:
    page = open_page("websocket")
    page.control("patch", '{"slice_idx": 55}')
    page.wait_shown(55)
    assert page.page.evaluate("page.model.get('slice_idx')") == 55
    page.set("axis", "axis 1")
    page.wait_said("sliceIdx", "32")
    page.set("axis", "axis 0")
    page.wait_shown(55)


def test_last_view_closes_the_connection_and_a_new_one_opens_it(open_page) -> None:
    page = open_page("websocket")
    page.page.evaluate("page.leave()")
    page.page.evaluate("""new Promise((done) => {
      const create = WebSocket.prototype.close;
      WebSocket.prototype.close = function () { done(); return create.call(this); };
    })""")
    page.page.evaluate("void (page.leave = page.show('view'))")
    page.wait_said("phase", "live")
    page.set("slice_idx", 66)
    page.wait_shown(66)


def test_two_views_share_one_connection(open_page) -> None:
    page = open_page("websocket")
    page.page.evaluate("void page.show('second')")
    page.set("slice_idx", 77)
    page.wait_shown(77)
    numbers = page.page.evaluate(
        "['view', 'second'].map((id) => document.getElementById(id).dataset.frameNo)"
    )
    assert numbers[0] == numbers[1]
