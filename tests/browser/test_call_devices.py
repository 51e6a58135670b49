"""Another microphone, camera or speaker in mid-call, or one that is gone: the call goes on."""

from __future__ import annotations

from tests.browser.call_kit import WATCH, wait_heard

from blustream_widget.testing.waiting import wait_until

# What happens to the connections from now on, and by what the page plays sound.
_FOLLOW = """(() => {
  window.happened = []; window.sinks = [];
  for (const call of window.calls) {
    for (const name of ['negotiationneeded', 'signalingstatechange', 'connectionstatechange']) {
      call.addEventListener(name, () => window.happened.push(name));
    }
  }
  const set = HTMLMediaElement.prototype.setSinkId;
  HTMLMediaElement.prototype.setSinkId = async function (id) {
    await set.call(this, id);
    window.sinks.push(this.sinkId);
  };
})()"""
# The devices whose tracks of a kind are sent.
_SENT = """(kind) => window.calls.flatMap((call) => call.getSenders())
  .filter(({ track }) => track && track.kind === kind && track.readyState === 'live')
  .map(({ track }) => track.getSettings().deviceId)"""
# Whether something bright turns in the middle of a picture, and how many pictures there were.
_LOOK = """(video) => {
  const canvas = new OffscreenCanvas(60, 60), context = canvas.getContext('2d');
  const { videoWidth: width, videoHeight: height } = video;
  context.drawImage(video, width / 4, height / 4, width / 2, height / 2, 0, 0, 60, 60);
  const { data } = context.getImageData(0, 0, 60, 60);
  const bright = data.filter((value, i) => i % 4 === 1 && value > 190);
  return [bright.length > 50, video.getVideoPlaybackQuality().totalVideoFrames];
}"""
# Two of Chromium's cameras: one that turns, and a still one. That between them gives depths.
TURNING, STILL = "fake_device_0", "fake_device_2"


class Talker:
    """A guest in the call."""

    def __init__(self, guest, name: str) -> None:
        self.guest, self.page, self.name = guest, guest.page, name
        guest.join(name)
        guest.wait_shown(20)
        guest.context.grant_permissions(["microphone", "camera"])
        self.page.get_by_role("button", name="People: ").click()
        self.page.get_by_role("button", name="Talk").click()
        self.page.get_by_role("button", name="Mute").wait_for()

    def choose(self, kind: str, label: str) -> str:
        """Choose a device in the bar; returns its id."""
        choice = self.page.locator(f"[part={kind}]")
        choice.select_option(label=label)
        return choice.input_value()

    def chosen(self, kind: str) -> str:
        """What the list shows."""
        return self.page.locator(f"[part={kind}] option:checked").inner_text()

    def read(self, text: str) -> None:
        self.page.get_by_role("alert").get_by_text(text).wait_for()

    def wait_sent(self, kind: str, devices: list[str]) -> None:
        wait_until(
            lambda: self.page.evaluate(_SENT, kind) == devices,
            timeout_s=30,
            what=lambda: f"{kind} of {devices} is sent, not {self.page.evaluate(_SENT, kind)}",
        )

    def wait_sees(self, camera: str) -> None:
        """Until pictures of a camera come."""
        video = self.page.locator("[part=talks] video")
        video.wait_for()
        before = video.evaluate(_LOOK)[1]

        def is_seen() -> bool:
            turns, frames = video.evaluate(_LOOK)
            return turns == (camera == TURNING) and frames > before + 3

        wait_until(is_seen, timeout_s=30, what=f"{self.name} sees {camera}")


def test_another_device_is_heard_and_seen_and_a_lost_one_is_told(open_viewer, visit) -> None:
    view = open_viewer()
    python = view.page.read_python
    wait_until(
        lambda: python("bool(viewer._guest_page)"),
        timeout_s=30,
        what="the kernel knows where guests find the view",
    )
    link = python("viewer.share(expires='30m').url")
    mei = Talker(visit(link, init_script=WATCH), "Mei Tan")
    ben = Talker(visit(link, init_script=WATCH), "Ben")
    ben.page.get_by_role("img", name="Mei Tan, speaks").wait_for()
    mei.page.get_by_role("button", name="Camera on").click()
    ben.wait_sees(TURNING)
    for talker in (mei, ben):
        talker.page.evaluate(_FOLLOW)
    mei.page.get_by_role("button", name="Microphone, camera, speaker").click()
    _others_hear_and_see_another_device(mei, ben)
    _one_that_does_not_start_leaves_the_former(mei, ben)
    _one_that_is_gone_is_told_and_replaced(mei, ben)
    for talker in (mei, ben):
        assert talker.page.evaluate("window.happened") == []
        assert talker.guest.problems == []


def _others_hear_and_see_another_device(mei: Talker, ben: Talker) -> None:
    mei.wait_sent("video", [mei.choose("videoinput", STILL)])
    ben.wait_sees(STILL)
    mei.wait_sent("audio", [mei.choose("audioinput", "Fake Audio Input 2")])
    wait_heard(ben.page, is_loud=True, what="the other microphone is heard")
    speaker = mei.choose("audiooutput", "Fake Audio Output 2")
    wait_until(
        lambda: mei.page.evaluate("window.sinks") == [speaker],
        timeout_s=30,
        what="the others are heard by the other speaker",
    )


def _one_that_does_not_start_leaves_the_former(mei: Talker, ben: Talker) -> None:
    mei.page.evaluate("window.fails = 'NotReadableError'")
    mei.choose("videoinput", TURNING)
    mei.read("The camera does not start.")
    mei.page.evaluate("window.fails = ''")
    assert mei.chosen("videoinput") == STILL
    ben.wait_sees(STILL)


def _one_that_is_gone_is_told_and_replaced(mei: Talker, ben: Talker) -> None:
    """The browser ends a track whose permission is taken back, as that of an unplugged device."""
    mei.guest.context.clear_permissions()
    mei.read("is gone. Choose another one.")
    ben.page.locator("[part=talks] video").wait_for(state="detached")
    ben.page.get_by_role("img", name="Mei Tan, muted").wait_for()
    assert mei.chosen("audioinput") == "None"
    mei.page.get_by_role("button", name="Camera on").click()
    mei.read("The browser does not give this page the camera.")
    mei.guest.context.grant_permissions(["microphone", "camera"])
    mei.choose("audioinput", "System default")
    wait_heard(ben.page, is_loud=True, what="the usual microphone is heard")
    mei.page.get_by_role("button", name="Camera on").click()
    ben.wait_sees(STILL)
