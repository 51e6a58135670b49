"""What tests of calls look at: what a page captures and hears, and what is in a recording."""

from __future__ import annotations

import re

import numpy as np

from blustream_widget import Recording
from blustream_widget.errors import RecordingError
from blustream_widget.testing.waiting import wait_until

# What the page asks for, and its connections: those of the call, and that of the volume's pictures.
# With a name in `fails` no device starts.
WATCH = """(() => {
  window.tracks = []; window.asked = 0; window.calls = []; window.fails = '';
  const { mediaDevices } = navigator;
  const open = mediaDevices.getUserMedia.bind(mediaDevices);
  mediaDevices.getUserMedia = async (wanted) => {
    window.asked += 1;
    if (window.fails) throw new DOMException('', window.fails);
    const stream = await open(wanted);
    window.tracks.push(...stream.getTracks());
    return stream;
  };
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...given) { super(...given); window.calls.push(this); }
  };
})()"""
# Energy of a second of sound as it is played, by the sound's own clock: Chromium's microphone beeps
# twice in it, and Firefox's hums.
_ENERGY = """async () => {
  const sound = async () => {
    for (const call of window.calls) {
      if (call.connectionState !== 'connected') continue;
      for (const stats of (await call.getStats()).values()) {
        if (stats.type === 'inbound-rtp' && stats.kind === 'audio') return stats;
      }
    }
    return { totalSamplesDuration: 0, totalAudioEnergy: 0 };
  };
  let first = await sound(), last = first;
  while (last.totalSamplesDuration - first.totalSamplesDuration < 1) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    last = await sound();
    if (first.totalSamplesDuration === 0) first = last;
  }
  return last.totalAudioEnergy - first.totalAudioEnergy;
}"""
_SILENCE = 1e-9


def wait_heard(page, *, is_loud: bool, what: str) -> None:
    """Until a page that watches, Chromium's or Firefox's, hears somebody or nobody for a second."""
    wait_until(lambda: (page.evaluate(_ENERGY) > _SILENCE) == is_loud, timeout_s=30, what=what)


def record_who_agrees(guest, owner, notebook, path, name: str) -> None:
    """Both are asked, one says yes: the microphone's two beeps a second are in the file."""
    notebook.run_python(f"viewer.record({str(path)!r})")
    for page in (owner, guest.page):
        page.get_by_text("Record your voice too?").wait_for()
    guest.page.get_by_role("button", name="Yes").click()
    owner.get_by_role("button", name="No", exact=True).click()
    recorded = owner.get_by_role("img", name=re.compile(f"{name}.*voice recorded"))
    recorded.wait_for()
    wait_until(lambda: recorded_s(path) > 1.5, timeout_s=30, what="the voice is in the file")
    guest.page.get_by_role("button", name="Your voice is recorded: stop that").click()
    recorded.wait_for(state="detached")
    notebook.run_python("viewer.stop_recording()")
    recording = Recording(path)
    assert [voice.name for voice in recording.voices] == [name]
    sound = np.abs(recording.sound(name))
    loud = np.flatnonzero(sound > 0.2) / 48_000
    begins = loud[np.diff(loud, prepend=-1) > 0.2]
    assert len(begins) >= 2
    assert np.abs(np.diff(begins) - 0.5).max() < 0.05


def recorded_s(path) -> float:
    """How much of a voice is in a file that is being written."""
    try:
        return sum(voice.recorded_s for voice in Recording(path).voices)
    except RecordingError:  # its first picture is not there yet
        return 0.0
