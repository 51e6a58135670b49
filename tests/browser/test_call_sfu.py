"""A call that becomes too large for browsers alone, in Chromium and through a real Janus."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.browser.person import Person

from blustream_widget.core.call_messages import SDP_CHARS
from blustream_widget.core.call_sfu import MOST_PEOPLE, MOST_PICTURES
from blustream_widget.testing.emulated_network import chromium_in
from blustream_widget.testing.janus_server import (
    ADMIN_KEY,
    API_SECRET,
    JanusServer,
    janus_obstacle,
)
from blustream_widget.testing.namespaces import Namespace, namespace_obstacle
from blustream_widget.testing.waiting import wait_until

OBSTACLE = janus_obstacle() or namespace_obstacle()
pytestmark = pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE or "there can be one")
HOST = Path(__file__).with_name("call_host.py")
# Its connections, its tracks, and for how long at most nothing was heard since that was asked last.
_WATCH = """(() => {
  window.calls = []; window.tracks = [];
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...given) { super(...given); window.calls.push(this); }
  };
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
  window.voices = async () => {
    const found = new Map();
    for (const [i, call] of window.calls.entries()) {
      if (call.connectionState !== 'connected') continue;
      for (const stats of (await call.getStats()).values()) {
        if (stats.type === 'inbound-rtp' && stats.kind === 'audio') {
          found.set(`${i} ${stats.trackIdentifier}`, stats);
        }
      }
    }
    return found;
  };
})()"""
# How many voices are loud in 0.7 s: Chromium's microphone beeps each half a second.
_LISTEN = """() => {
  const listen = async () => {
    const before = await window.voices();
    await new Promise((resolve) => setTimeout(resolve, 700));
    let n = 0;
    for (const [name, stats] of await window.voices()) {
      const { totalAudioEnergy = 0 } = before.get(name) ?? {};
      if (stats.totalAudioEnergy - totalAudioEnergy > 1e-9) n += 1;
    }
    return n;
  };
  window.loud = listen();
}"""
_WATCH_GAPS = """() => {
  window.gap = { longestMs: 0, packets: 0, atMs: performance.now() };
  window.watching = setInterval(async () => {
    let packets = 0;
    for (const { packetsReceived } of (await window.voices()).values()) packets += packetsReceived;
    const now = performance.now();
    if (packets === window.gap.packets) return;
    window.gap.longestMs = Math.max(window.gap.longestMs, now - window.gap.atMs);
    Object.assign(window.gap, { packets, atMs: now });
  }, 20);
}"""


@pytest.fixture(scope="module")
def namespace():
    """A network of its own: Janus has no candidates at 127.0.0.1, whatever its settings."""
    with Namespace(f"bs-calls-{os.getpid()}") as made:
        if not made.add_network("10.83.0.1/24"):
            pytest.skip("this kernel has no veth")
        yield made


@contextmanager
def shared_view(namespace, janus, folder):
    """A server whose calls of more than two go by that Janus; gives its host and the links."""
    secrets = {"api_secret": API_SECRET, "admin_key": ADMIN_KEY}
    setting = {"type": "janus", "url": janus.url, "mesh": 2, "people": 3} | secrets
    environment = os.environ | {
        "BLUSTREAM_RUNTIME_DIR": str(folder),
        "BLUSTREAM_CALL_SFU": json.dumps(setting),
        "BLUSTREAM_TRANSPORTS": "websocket",
        "BLUSTREAM_SERVER_GRACE_S": "2",
    }
    host = subprocess.Popen(
        namespace.command(sys.executable, str(HOST)),
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield host, host.stdout.readline().split()
    finally:
        host.stdin.close()
        host.wait(20)
        host.stdout.close()


class Talker(Person):
    """A guest with a microphone that beeps, and a camera that counts."""

    def __init__(self, browser, link, name):
        super().__init__(browser, name, viewport={"width": 900, "height": 560})
        self.context.grant_permissions(["microphone", "camera"], origin=link.split("/guest")[0])
        self.page.add_init_script(_WATCH)
        self.page.goto(link, wait_until="commit")  # several load at a time

    def enter(self):
        self.page.get_by_label("Your name").fill(self.name)
        self.page.get_by_role("button", name="Join").click()

    def talk(self):
        self.page.get_by_role("button", name="People").click()
        self.page.get_by_role("button", name="Talk").click()
        self.page.get_by_role("button", name="Mute").wait_for()

    def wait_way(self, way):
        self.page.locator(f"[aria-label=Call][data-way={way}]").wait_for()

    def n_direct(self):
        """How many connections carry both ways: those are with other browsers."""
        return self.page.evaluate(
            """() => window.calls.filter((call) => call.connectionState !== 'closed' &&
              call.getTransceivers().some(({ direction }) => direction === 'sendrecv')).length"""
        )


def wait_hear(n, *people):
    """Wait until each of them hears so many voices: each of these comes by one way alone."""

    def heard():
        for one in people:
            one.page.evaluate(_LISTEN)
        return [one.page.evaluate("window.loud") for one in people]

    names = " and ".join(one.name for one in people)
    wait_until(lambda: heard() == [n] * len(people), timeout_s=30, what=f"{names} hear {n} voices")


@pytest.mark.timeout(240)
def test_three_go_over_to_janus_one_is_shown_out_and_janus_dies(namespace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("s")
    folder.chmod(0o700)
    command = namespace.command()
    with (
        JanusServer(
            tmp_path_factory.mktemp("j"), plugin="videoroom", command=command, ice_interface="d0"
        ) as janus,
        shared_view(namespace, janus, folder) as (host, (link, another_link)),
        chromium_in(namespace, "--use-fake-device-for-media-stream") as browser,
    ):
        ann, ben, cat = (Talker(browser, link, name) for name in ("Ann", "Ben", "Cat"))
        for one in (ann, ben, cat):
            one.enter()
        _two_talk_from_browser_to_browser(ann, ben)
        _with_a_third_all_go_over(ann, ben, cat)
        _pictures_and_rings_go_by_it_too(ann, ben)
        _a_description_of_the_largest_call_would_fit(ben)
        _who_is_shown_out_is_heard_no_more(host, ann, ben, cat)
        janus.stop()
        dan = Talker(browser, another_link, "Dan")  # while that it is gone becomes known
        dan.enter()
        _two_go_on_without_it(ann, ben)
        janus.start()
        _with_a_third_all_go_over(ann, ben, dan)
        dan.page.get_by_role("button", name="Leave the call").click()
        ann.page.locator("[part=talks]").nth(2).wait_for(state="detached")
        wait_hear(1, ann)
        assert [problem for one in (ann, ben, cat, dan) for problem in one.problems] == []


def _two_talk_from_browser_to_browser(ann, ben):
    for one in (ann, ben):
        one.talk()
        one.wait_way("browsers")
    wait_hear(1, ann)
    assert ann.n_direct() == 1


def _with_a_third_all_go_over(ann, ben, third):
    """Voices between the first two never stop for longer than a moment."""
    ann.page.evaluate(_WATCH_GAPS)
    third.talk()
    for one in (ann, ben, third):
        one.wait_way("server")
        one.page.locator("[part=talks][data-state=connected]").nth(2).wait_for()
    wait_hear(2, ann, ben, third)
    for one in (ann, ben, third):
        wait_until(lambda one=one: one.n_direct() == 0, timeout_s=30, what="no pair is left")
    gap_ms = ann.page.evaluate("(clearInterval(window.watching), window.gap.longestMs)")
    assert gap_ms < 2000, f"nothing was heard for {gap_ms:.0f} ms"


def _pictures_and_rings_go_by_it_too(ann, ben):
    ben.page.get_by_role("img", name="Ann, speaks").wait_for()
    ann.page.get_by_role("button", name="Camera on").click()
    picture = ben.page.locator("[part=talks] video")
    picture.wait_for()
    wait_until(
        lambda: picture.evaluate("(v) => v.getVideoPlaybackQuality().totalVideoFrames") > 5,
        timeout_s=30,
        what="Ben sees Ann's camera move",
    )
    ben.page.get_by_role("button", name="Mute").click()
    ann.page.get_by_role("img", name="Ben, muted").wait_for()
    wait_hear(1, ann)
    ben.page.get_by_role("button", name="Unmute").click()
    wait_hear(2, ann)


def _a_description_of_the_largest_call_would_fit(page):
    """As long as each of its lines is such as these are, without a word of where they lead."""
    sections = page.page.evaluate(
        """() => window.calls.filter(({ connectionState }) => connectionState === 'connected')
          .flatMap(({ localDescription: { type, sdp } }) =>
            type === 'answer' ? sdp.split('m=').slice(1) : [])
          .map((section) => section.replace(/a=candidate.*\\r\\n/g, '').length)"""
    )
    assert len(sections) == 3, sections
    assert max(sections) * (MOST_PEOPLE + MOST_PICTURES) < SDP_CHARS, sections


def _who_is_shown_out_is_heard_no_more(host, ann, ben, cat):
    host.stdin.write(f"{cat.name}\n")
    host.stdin.flush()
    cat.page.get_by_role("heading", name="Your visit has ended").wait_for()
    wait_until(
        lambda: cat.page.evaluate("window.tracks.map((t) => t.readyState)") == ["ended"],
        timeout_s=30,
        what="her microphone is off",
    )
    for one in (ann, ben):
        one.page.locator("[part=talks]").nth(2).wait_for(state="detached")
    wait_hear(1, ann, ben)
    for one in (ann, ben):
        one.wait_way("server")


def _two_go_on_without_it(ann, ben):
    for one in (ann, ben):
        one.page.get_by_role("alert").get_by_text("from browser to browser again").wait_for()
        one.wait_way("browsers")
    wait_hear(1, ann, ben)
    for one in (ann, ben):
        one.page.get_by_role("button", name="Close").click()
