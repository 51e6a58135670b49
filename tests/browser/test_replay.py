"""A recording that happens again in a viewer: driven from the page, heard by guests too."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from playwright.sync_api import expect
from tests.unit.recording.conftest import Camera
from tests.unit.recording.sound_kit import messages, spoken_packets

from blustream_widget.core.annotation import annotation
from blustream_widget.core.annotation_messages import PutItem
from blustream_widget.recording.file import RecordingFile
from blustream_widget.testing.waiting import wait_until

MEI = "a" * 16
LASTS_S = 30
# Whatever of sound begins to be played: from which of its seconds on, how fast, and how loud it is.
_LISTEN = """(() => {
  window.heard = [];
  const { start, stop } = AudioBufferSourceNode.prototype;
  Object.assign(AudioBufferSourceNode.prototype, {
    start(when, from) {
      const loudest = this.buffer.getChannelData(0).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const told = { from, rate: this.playbackRate.value, loud: loudest > 0.2 };
      this.told = Object.assign(told, { on: true, sounds: true });
      this.addEventListener("ended", () => { this.told.sounds = false; });
      window.heard.push(this.told);
      start.call(this, when, from);
    },
    stop() { Object.assign(this.told, { on: false, sounds: false }); stop.call(this); },
  });
})()"""


_HEAR = """document.querySelector('blustream-viewer')?.shadowRoot.querySelector(
  'blustream-replay-bar')?.shadowRoot.querySelector('[part=hear]')"""
# The phase in which the bar goes.
_WATCH_BAR = """(bar) => {
  const phase = () => document.querySelector('#view')?.dataset.phase;
  const watch = () => { if (bar.hidden) window.gone ??= phase(); };
  new MutationObserver(watch).observe(bar, { attributes: true });
}"""
LINE = {
    "kind": "annotations",
    "edits": msgspec.to_builtins(
        [PutItem(annotation("line", [(90, 9, 9), (90, 90, 60)], id="line", label="Fault"))]
    ),
}


def record(path: Path) -> Path:
    """Ten minutes: slice 47 from the 20th second on; Mei beeps after 2.5 and 20.5 seconds."""
    file, camera = RecordingFile(path), Camera()
    begin = camera.now
    file.add_event(begin, {"kind": "people", "people": [{"id": MEI, "name": "Mei", "color": ""}]})
    file.add_picture(camera.shoot(after=0))
    file.add_event(begin, {"kind": "state", "set": {"axis": 0, "slice_idx": [33, 80, 48]}})
    file.add_event(begin + 20 * 90_000, LINE)
    file.add_event(begin + 20 * 90_000, {"kind": "state", "set": {"slice_idx": [47, 80, 48]}})
    for one in messages(MEI, 0, begin, spoken_packets(2.5, 20.5, lasts_s=LASTS_S)):
        file.add_voice(one)
    file.finish(begin + 600 * 90_000)
    return path


def test_the_voices_of_a_replay_are_heard_where_it_is(open_viewer, tmp_path: Path) -> None:
    view = open_viewer("", "from blustream_widget import Recording")
    page, run = view.page.page, view.page.run_python
    page.evaluate(_LISTEN)
    view.focus()  # browsers play no sound on a page that nobody has touched

    def wait_loud(what: str, rate: float) -> None:
        wanted = "(rate) => window.heard.some((one) => one.loud && one.on && one.rate === rate)"
        wait_until(lambda: page.evaluate(wanted, rate), timeout_s=30, what=what)

    run(f"replay = Recording({str(record(tmp_path / 'talk.mp4'))!r}).replay(viewer)")
    view.wait_shown(33)
    wait_loud("the first beep is played", 1)
    run("replay.seek(20)")
    page.evaluate("window.heard.length = 0")
    view.wait_shown(47)
    wait_loud("the beep there is played", 1)
    run("replay.seek(2)\nreplay.speed = 2")
    view.wait_shown(33)
    wait_loud("the beep there is played, faster", 2)
    run("replay.speed = 4")
    silent = "() => window.heard.every(({ on }) => !on)"
    wait_until(lambda: page.evaluate(silent), timeout_s=30, what="too fast to be understood")
    run("replay.speed = 1\nreplay.seek(2)")
    wait_until(lambda: not page.evaluate(silent), timeout_s=30, what="it is heard again")
    run("replay.pause()")
    wait_until(lambda: page.evaluate(silent), timeout_s=30, what="nothing is heard in a pause")
    run("replay.stop()")
    assert view.page.problems == []


class Untouched:
    """Asks a guest's page: for Chromium whatever Playwright does there is a person's touch."""

    def __init__(self, page) -> None:
        self._session = page.context.new_cdp_session(page)

    def __call__(self, expression: str):
        told = self._session.send("Runtime.evaluate", {"expression": expression})
        return told["result"].get("value")

    def wait(self, expression: str, what: str) -> None:
        wait_until(lambda: self(expression), timeout_s=30, what=what)


def visit_untouched(view, visit):
    """Let a guest in whose page nobody has touched."""
    shared = "viewer.share().url if viewer._guest_page else ''"
    wait_until(lambda: view.page.read_python(shared), timeout_s=30, what="the page is known")
    guest = visit(view.page.read_python(shared), init_script=_LISTEN)
    ask = Untouched(guest.page)
    ask.wait("!!document.querySelector('form')", "the guest is asked for a name")
    ask("document.querySelector('input').value = 'Ben'")
    ask("document.querySelector('form').requestSubmit()")
    ask.wait("!!document.querySelector('#view')?.dataset.frameNo", "the guest sees it")
    return guest, ask


def wait_loud(guest) -> None:
    loud = "() => window.heard.some((one) => one.loud && one.on)"
    wait_until(lambda: guest.page.evaluate(loud), timeout_s=30, what="the guest hears the beep")
    guest.page.evaluate("window.heard = window.heard.filter((one) => one.sounds)")


def wait_silent(guest) -> None:
    silent = "() => window.heard.every((one) => !one.sounds)"
    wait_until(lambda: guest.page.evaluate(silent), timeout_s=30, what="the guest hears nothing")
    guest.page.evaluate("window.heard.length = 0")


def test_it_is_driven_from_the_page_and_guests_see_and_hear_it(
    open_viewer, visit, tmp_path: Path
) -> None:
    view = open_viewer("", "from blustream_widget import Recording")
    guest, ask = visit_untouched(view, visit)
    path = record(tmp_path / "talk.mp4")
    view.page.run_python(f"replay = Recording({str(path)!r}).replay(viewer)")
    ask.wait(f"!!{_HEAR}", "they can have the voices heard")
    box = json.loads(ask(f"JSON.stringify({_HEAR}.getBoundingClientRect())"))
    guest.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    view.page.run_python("replay.seek(1)")
    wait_loud(guest)
    guest.wait_shown(33)
    bar = view.page.page.locator("blustream-replay-bar")
    theirs = guest.page.locator("blustream-replay-bar")
    _both_follow_python(view, guest, bar, theirs)
    _the_page_drives_it(view, guest, bar)
    # A kernel that is gone takes its replay with it, before its view ends.
    theirs.evaluate(_WATCH_BAR)
    view.page.restart_kernel()
    wait_until(lambda: guest.page.evaluate("window.gone"), timeout_s=30, what="the bar goes")
    assert guest.page.evaluate("window.gone") == "live"
    wait_silent(guest)
    expect(bar).to_be_hidden()
    assert guest.problems == []


def _both_follow_python(view, guest, bar, theirs) -> None:
    view.page.run_python("replay.pause()\nreplay.seek(1)")
    for one in (bar, theirs):
        expect(one.locator(".time b")).to_have_text("0:01.0")
    wait_silent(guest)
    expect(theirs.get_by_role("button", name="Play", exact=True)).to_be_disabled()
    expect(theirs.get_by_label("Time of the replay")).to_be_disabled()
    expect(theirs.get_by_role("button", name="End the replay")).to_have_count(0)


def _the_page_drives_it(view, guest, bar) -> None:
    """With keys: to a chapter, on, slower."""
    bar.get_by_role("button", name="Chapters").press("Enter")
    bar.get_by_role("button", name="Fault").last.press("Enter")
    guest.wait_shown(47)
    assert view.page.read_python("(replay.t, replay.is_paused)") == [20.0, True]
    bar.get_by_role("button", name="Play", exact=True).press("Enter")
    wait_loud(guest)
    assert view.page.read_python("replay.is_paused") is False
    bar.get_by_label("Speed").select_option("0.5")
    slower = "replay.speed == 0.5"
    wait_until(lambda: view.page.read_python(slower), timeout_s=30, what="it goes slower")
