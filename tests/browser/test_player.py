"""A recording on the notebook's page: the pixels say which slice it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from blustream_widget.bench.barcode import shown_number
from blustream_widget.testing.waiting import wait_until


class Player:
    """The player in the page's second output."""

    def __init__(self, page) -> None:
        self.page = page
        self.host = page.viewer(1)
        self.bar = self.host.locator("blustream-play-bar")

    def wait(self, number: int, time: str, what: str) -> None:
        """Until the pixels show a slice, and the bar says this time."""

        def now() -> tuple[int | None, str]:
            pixels = self.page.pixels(self.host.locator(".picture"))
            text = self.bar.locator(".time b").text_content()
            return shown_number(pixels), text

        wait_until(
            lambda: now() == (number, time),
            timeout_s=30,
            what=lambda: f"{what}: slice {number} at {time}, not {now()}",
        )

    def clock(self, seconds: str) -> str:
        """How the bar says a time that Python knows."""
        tenths = int(self.page.read_python(seconds) * 10 + 1e-6)
        return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"

    def press(self, *names: str) -> None:
        for name in names:
            self.page.page.keyboard.press(name)


def point_at(view) -> None:
    """Point at the picture; a recording knows it from its second picture on."""
    box = view.host.locator(".picture").bounding_box()
    mouse = view.page.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    known = "any(event['kind'] == 'pointers' for event in Recording(path).timeline)"
    wait_until(lambda: view.page.read_python(known), timeout_s=30, what="the file has the pointer")


@pytest.fixture
def player(open_viewer, tmp_path: Path) -> Player:
    """A recording of slice 20, of 33 where a line is drawn, and of 47; the live view shows 5."""
    view = open_viewer("", "import ipywidgets\nbox = ipywidgets.VBox()\nbox")
    page = view.page
    page.run_python(f"path = viewer.record({str(tmp_path / 'talk.mp4')!r})")
    page.run_python("from blustream_widget import Recording")
    # The first picture is there: what comes before it is in no recording.
    wait_until(
        lambda: page.read_python("viewer.recording.duration_s") > 0,
        timeout_s=30,
        what="something is recorded",
    )
    page.run_python("viewer.slice_idx = 33")
    view.wait_shown(33)
    point_at(view)
    page.run_python("viewer.annotations.add('line', [(33, 9, 9), (33, 90, 60)], label='Fault')")
    wait_until(
        lambda: page.read_python("len(Recording(path).chapters)") == 2,
        timeout_s=30,
        what="the line is in the file, which grows once a second",
    )
    page.run_python("viewer.slice_idx = 47")
    view.wait_shown(47)
    page.run_python("recording = viewer.stop_recording()\nviewer.slice_idx = 5")
    view.wait_shown(5)
    page.run_python("box.children = [recording.play(height=420)]")
    page.page.locator("blustream-play-bar .time").wait_for()
    return Player(page)


def test_a_recording_is_played_on_the_page(player: Player) -> None:
    fault = player.clock("recording.chapters[1].t")
    end = player.clock("recording.duration_s")
    play = player.bar.get_by_label("Play", exact=True)
    player.wait(20, "0:00.0", "at first")
    player.bar.get_by_label("Chapters", exact=True).click()
    player.bar.locator(".chapters button", has_text="Fault").click()
    player.wait(33, fault, "at the chapter")
    expect(player.host.locator("[part=person-pointer]")).to_have_text("Owner")
    player.host.locator(".view").focus()
    player.press("End")
    player.wait(47, end, "at the end")
    player.press("Home", ".", ".", ",", ",")
    player.wait(20, "0:00.0", "after steps forth and back")
    player.bar.locator(".mark").click()
    player.wait(33, fault, "at the mark of the chapter")
    player.press("Home")
    player.wait(20, "0:00.0", "at the beginning")
    expect(player.host.locator("[part=person-pointer]")).to_have_count(0)
    player.bar.get_by_label("Speed").select_option("4")
    play.click()
    player.wait(47, end, "played to the end")
    play.wait_for()
    player.bar.get_by_label("Save as a film", exact=True).click()
    player.bar.get_by_role("button", name="GIF").click()
    film = "recording.path.with_name('talk-film.gif').is_file()"
    wait_until(lambda: player.page.read_python(film), timeout_s=30, what="the film is there")
    # The live view went its own way meanwhile.
    assert player.page.viewer(0).get_attribute("data-slice-idx") == "5"
    assert player.page.problems == []


def test_on_a_phone_every_button_is_in_reach_and_the_keys_stay_where_they_were(
    player: Player,
) -> None:
    player.page.page.set_viewport_size(
        {"width": 700, "height": 900}
    )  # beside JupyterLab's own bars
    bar, host = player.bar, player.host
    edges = "(e) => e.getBoundingClientRect().right"
    buttons = bar.locator("button.tool, select, input")
    assert 300 < host.evaluate("(e) => e.clientWidth") < 400
    assert buttons.count() >= 7
    assert max(button.evaluate(edges) for button in buttons.all()) <= host.evaluate(edges)
    chapters = bar.get_by_label("Chapters", exact=True)
    chapters.focus()
    player.press("Enter")
    expect(bar.locator(".chapters button").first).to_be_focused()
    player.press("Tab", "Enter")
    expect(chapters).to_be_focused()
    player.wait(33, player.clock("recording.chapters[1].t"), "at the chapter")
