"""A guest in a real Firefox, on the page without Jupyter; the notebook's owner is in Chromium."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.browser.call_kit import WATCH, recorded_s, wait_heard
from tests.browser.conftest import FAILED
from tests.browser.firefox import find_firefox
from tests.browser.firefox_guest import Firefox, FirefoxGuest, firefox
from tests.browser.sound_server import find_sound_server, sound_server

from blustream_widget import Recording
from blustream_widget.testing.waiting import wait_until

_OUTPUT = Path(__file__).parent.parent.parent / "test-output"
_NAME = "Mei <b>Tan</b>"
# Its microphone, which hums at 1 kHz, and its camera are artificial; nobody is asked for them.
_DEVICES = {"media.navigator.permission.disabled": True, "media.navigator.streams.fake": True}
_HUM_HZ = 1000
# By how much the page is larger than the window.
_OVER = """() => {
  const { scrollWidth, scrollHeight } = document.documentElement;
  return [scrollWidth - innerWidth, scrollHeight - innerHeight];
}"""
# Pictures of cameras, the own one and others', that have gone on for a second.
_CAMERAS = """() => {
  const all = (root) => [...root.querySelectorAll('*')]
    .flatMap((e) => [e, ...(e.shadowRoot ? all(e.shadowRoot) : [])]);
  return all(document).filter((e) => e.matches('[part=talks] video'))
    .filter(({ videoWidth, currentTime }) => videoWidth > 0 && currentTime > 1).length;
}"""


@pytest.fixture(scope="module")
def browser_of_guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    """Firefox, with something to play sound by."""
    executable, player = find_firefox(), find_sound_server()
    if executable is None or player is None:
        missing = "Firefox" if executable is None else "PulseAudio"
        pytest.skip(f"there is no {missing}: scripts/system_packages.sh firefox")
    homes = (tmp_path_factory.mktemp(name) for name in ("sound", "profile"))
    with (
        sound_server(player, next(homes)) as sound,
        firefox(executable, next(homes), preferences=_DEVICES, environment=sound) as started,
    ):
        yield started


Visit = Callable[..., FirefoxGuest]


@pytest.fixture
def visit(browser_of_guests: Firefox, lab, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Open a link in a tab: `guest = visit(link)`. `first` runs before the page's scripts."""
    guests: list[FirefoxGuest] = []

    def visit_it(link: str, *, first: str = "") -> FirefoxGuest:
        guest = browser_of_guests.open()
        guests.append(guest)
        if first:
            guest.run_first(f"() => {{ {first} }}")
        guest.goto(f"{lab.url}/api/status?token={lab.token}")  # logs in
        guest.goto(link)
        return guest

    yield visit_it
    for index, guest in enumerate(guests):
        if request.node.stash.get(FAILED, False):
            guest.screenshot(_OUTPUT / f"{request.node.name}-firefox-{index}.png")
        guest.close()


def _link(view) -> str:
    view.page.page.set_default_timeout(30_000)
    wait_until(
        lambda: view.page.read_python("bool(viewer._guest_page)"),
        timeout_s=30,
        what="the kernel knows where guests find the view",
    )
    return view.page.read_python("viewer.share(expires='30m').url")


def test_a_guest_in_firefox_drives_measures_points_talks_and_is_shown_out(
    open_viewer, visit: Visit
) -> None:
    view = open_viewer()
    owner, link = view.page.page, _link(view)
    _pictures_come_as_jpeg_too(visit(link, first="delete globalThis.VideoDecoder;"), view)
    guest = visit(link)
    guest.join(_NAME)
    guest.wait_shown(23)
    assert link.split("#")[1] not in guest.evaluate("() => location.href")
    _page_fits_the_window(guest)
    _guest_asks_and_drives(guest, owner)
    view.wait_shown(24)
    _pointers_are_seen(guest, owner)
    _guest_measures(guest, view)
    _they_talk(guest, owner)
    view.page.run_python("viewer.people[-1].remove()")
    guest.box("heading", "Your visit has ended")
    assert guest.problems == []
    assert view.page.problems == []


def _pictures_come_as_jpeg_too(guest: FirefoxGuest, view) -> None:
    """Without WebCodecs, as on a page that is not secure, they see what the owner turns to."""
    guest.join("Ben")
    guest.wait_shown(20)
    assert "This browser has no WebCodecs." in guest.attribute("reason")
    view.page.run_python("for n in range(24): viewer.slice_idx = n")
    guest.wait_shown(23)
    guest.leave()
    wait_until(
        lambda: view.page.read_python("len(viewer.people)") == 1,
        timeout_s=30,
        what="the one with JPEG has left",
    )


def _page_fits_the_window(guest: FirefoxGuest) -> None:
    """Nothing of it lies outside, where one would have to scroll for it."""
    for width_px, height_px in ((390, 844), (1280, 900)):
        guest.resize(width_px, height_px)
        guest.wait_for("(width) => innerWidth === width", width_px)
        assert guest.evaluate(_OVER) == [0, 0]


def _guest_asks_and_drives(guest: FirefoxGuest, owner) -> None:
    guest.focus_view()
    guest.press("ArrowDown")  # changes nothing yet
    guest.click("People: 2 here")
    guest.click("Ask to drive")
    guest.box("button", "Ask no more")
    assert guest.shown() == 23
    owner.get_by_role("button", name="People: 2 here, somebody asks to drive").click()
    owner.get_by_role("button", name="Allow").click()
    owner.get_by_role("dialog").get_by_role("button", name="Done").click()
    guest.box("button", "Give back control")
    guest.press("Escape")
    guest.focus_view()
    guest.press("ArrowDown")
    guest.wait_shown(24)


def _pointers_are_seen(guest: FirefoxGuest, owner) -> None:
    box = owner.get_by_role("application").bounding_box()
    assert box is not None
    owner.mouse.move(box["x"] + 200, box["y"] + 150)
    owner.mouse.move(box["x"] + 220, box["y"] + 170)
    guest.box("person-pointer", "Owner")
    x, y, _, _ = guest.view_box()
    guest.move((x + 300, y + 250), (x + 320, y + 270))
    owner.locator("[part=person-pointer]").get_by_text(_NAME, exact=True).wait_for()


def _guest_measures(guest: FirefoxGuest, view) -> None:
    """What they draw is seen while they do, and then in the kernel: where, and whose."""
    x, y, width, height = guest.view_box()
    (x0, y0), (x1, y1) = ends = [(x + width * part, y + height * part) for part in (0.4, 0.6)]
    guest.press("m")
    guest.click_at(x0, y0)
    guest.move((x1, y1 - 9))
    pointer = view.page.page.locator("[part=person-pointer]")
    pointer.get_by_text(f"{_NAME} draws a distance", exact=True).wait_for()
    guest.click_at(*ends[1])
    python = view.page.read_python
    wait_until(
        lambda: python("len(viewer.annotations)") == 1,
        timeout_s=30,
        what="the kernel has the measurement",
    )
    told = "[(a.kind, a.author, a.points) for a in viewer.annotations][0]"
    kind, author, (begin, end) = python(told)
    assert (kind, author) == ("distance", _NAME)
    assert (begin[0], end[0]) == (24, 24)
    # 160 crosslines take the whole width: two thirds of a voxel is five pixels.
    assert end[1] - begin[1] == pytest.approx(160 * 0.2, abs=0.7)
    assert end[2] > begin[2]


def _they_talk(guest: FirefoxGuest, owner) -> None:
    guest.press("Escape")
    guest.click("Side panel")
    guest.click("Say something to everybody here", what="field")
    guest.type("<i>here</i>")
    guest.press("Enter")
    owner.get_by_role("button", name="Side panel", exact=True).click()
    owner.get_by_role("log").get_by_text("<i>here</i>").wait_for()
    owner.get_by_label("Say something to everybody here").fill("& there")
    owner.keyboard.press("Enter")
    guest.box("log", "& there", is_part=True)


def test_firefox_and_chromium_call_each_other_and_a_voice_is_recorded(
    open_viewer, visit: Visit, lab, tmp_path: Path
) -> None:
    view = open_viewer()
    owner = view.page.page
    guest = visit(_link(view), first=f"if (navigator.mediaDevices) {WATCH}")
    guest.join("Mei Tan")
    guest.wait_shown(20)
    owner.evaluate(WATCH)
    owner.context.grant_permissions(["microphone", "camera"], origin=lab.url)
    try:
        for words in ("People: 2 here", "Talk"):
            owner.get_by_role("button", name=words, exact=True).click()
        guest.click("People: 2 here")
        assert guest.evaluate("() => window.asked") == 0
        guest.click("Talk")
        _they_hear_each_other(guest, owner)
        _they_see_each_other(guest, owner)
        _voice_is_recorded(guest, owner, view, tmp_path / "talk.mp4")
        view.page.run_python("viewer.people[-1].remove()")
        guest.box("heading", "Your visit has ended")
        guest.wait_for("() => window.tracks.every(({ readyState }) => readyState === 'ended')")
    finally:
        owner.context.clear_permissions()
    assert guest.problems == []
    assert view.page.problems == []


def _they_hear_each_other(guest: FirefoxGuest, owner) -> None:
    wait_heard(guest, is_loud=True, what="Firefox hears Chromium")
    wait_heard(owner, is_loud=True, what="Chromium hears Firefox")
    owner.get_by_role("img", name="Mei Tan, speaks").wait_for()
    guest.box("img", "Mei Tan (you), speaks")
    guest.box("img", "Owner, speaks")
    guest.click("Mute")
    owner.get_by_role("img", name="Mei Tan, muted").wait_for()
    wait_heard(owner, is_loud=False, what="Chromium hears nothing of who is muted")
    guest.click("Unmute")
    owner.get_by_role("button", name="Mute").click()
    guest.box("img", "Owner, muted")
    wait_heard(guest, is_loud=False, what="Firefox hears nothing of who is muted")
    owner.get_by_role("img", name="Mei Tan, speaks").wait_for()


def _they_see_each_other(guest: FirefoxGuest, owner) -> None:
    guest.click("Camera on")
    owner.get_by_role("button", name="Camera on").click()
    picture = owner.locator("[part=talks] video").first
    picture.wait_for()
    wait_until(
        lambda: picture.evaluate("(v) => v.getVideoPlaybackQuality().totalVideoFrames") > 5,
        timeout_s=30,
        what="the owner sees the guest's camera move",
    )
    wait_until(
        lambda: guest.evaluate(_CAMERAS) == 2,
        timeout_s=30,
        what="the guest sees both cameras move",
    )
    guest.click("Microphone, camera, speaker")
    for kind in ("audioinput", "videoinput"):
        guest.box(kind, "", is_part=True)


def _voice_is_recorded(guest: FirefoxGuest, owner, view, path: Path) -> None:
    """Who agrees is in the file, with what they said: a hum that has no gap."""
    view.page.run_python(f"viewer.record({str(path)!r})")
    guest.box("alert", "This session is being recorded. Record your voice too?")
    guest.click("Yes")
    owner.get_by_role("button", name="No", exact=True).click()
    recorded = owner.get_by_role("img", name=re.compile("Mei Tan.*voice recorded"))
    recorded.wait_for()
    wait_until(lambda: recorded_s(path) > 1.5, timeout_s=30, what="the voice is in the file")
    guest.click("Your voice is recorded: stop that")
    recorded.wait_for(state="detached")
    view.page.run_python("viewer.stop_recording()")
    recording = Recording(path)
    assert [voice.name for voice in recording.voices] == ["Mei Tan"]
    sound = recording.sound("Mei Tan")
    # How loud each hundredth of a second of it is.
    levels = np.abs(sound[: len(sound) // 480 * 480]).reshape(-1, 480).max(axis=1)
    heard = np.flatnonzero(levels > 0.02)
    assert len(heard) > 100
    assert len(heard) == heard[-1] - heard[0] + 1
    hum = sound[heard[0] * 480 : (heard[-1] + 1) * 480]
    peak_hz = np.abs(np.fft.rfft(hum)).argmax() * 48_000 / len(hum)
    assert peak_hz == pytest.approx(_HUM_HZ, abs=2)
