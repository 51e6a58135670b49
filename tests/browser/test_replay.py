"""A recording that happens again in a viewer: its voices are heard where it is."""

from __future__ import annotations

from pathlib import Path

from tests.unit.recording.conftest import Camera
from tests.unit.recording.sound_kit import messages, spoken_packets

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
      this.told = { from, rate: this.playbackRate.value, loud: loudest > 0.2, on: true };
      window.heard.push(this.told);
      start.call(this, when, from);
    },
    stop() { this.told.on = false; stop.call(this); },
  });
})()"""


def record(path: Path) -> Path:
    """Half a minute: slice 47 from the 20th second on; Mei beeps after 2.5 and 20.5 seconds."""
    file, camera = RecordingFile(path), Camera()
    begin = camera.now
    file.add_event(begin, {"kind": "people", "people": [{"id": MEI, "name": "Mei", "color": ""}]})
    file.add_picture(camera.shoot(after=0))
    file.add_event(begin, {"kind": "state", "set": {"axis": 0, "slice_idx": [33, 80, 48]}})
    file.add_event(begin + 20 * 90_000, {"kind": "state", "set": {"slice_idx": [47, 80, 48]}})
    for one in messages(MEI, 0, begin, spoken_packets(2.5, 20.5, lasts_s=LASTS_S)):
        file.add_voice(one)
    file.finish(begin + LASTS_S * 90_000)
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
