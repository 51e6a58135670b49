"""Hands on the viewer: wheel, drags, keys and fingers do what they do elsewhere in the field."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import DevPage, OpenViewer

TALL = "document.body.style.minHeight = '3000px'"


def test_wheel_scrolls_the_page_until_the_picture_is_clicked(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    viewer.page.evaluate(TALL)
    before = viewer.slice_idx
    viewer.page.mouse.move(*viewer.centre)
    viewer.page.mouse.wheel(0, 100)
    viewer.wait("scrollY > 0")
    viewer.page.get_by_text("Click the picture to scroll slices").wait_for()
    assert viewer.slice_idx == before


def test_wheel_scrolls_slices_once_clicked_and_never_the_page(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    viewer.page.evaluate(TALL)
    before = viewer.slice_idx
    viewer.click()
    viewer.page.mouse.wheel(0, 100)
    viewer.wait_slice(before + 1)
    viewer.page.keyboard.press("End")
    viewer.wait_slice(475)
    viewer.page.mouse.wheel(0, 100)
    viewer.page.mouse.wheel(0, -100)
    viewer.wait_slice(474)
    assert viewer.page.evaluate("scrollY") == 0


def test_click_outside_gives_the_wheel_back(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("", height=400)
    viewer.page.evaluate(TALL)
    viewer.page.set_viewport_size({"width": 1000, "height": 800})
    viewer.click()
    viewer.page.mouse.click(500, 600)
    before = viewer.slice_idx
    viewer.page.mouse.move(*viewer.centre)
    viewer.page.mouse.wheel(0, 100)
    viewer.wait("scrollY > 0")
    assert viewer.slice_idx == before


@pytest.mark.parametrize("volume", ["seismic", "medical", "generic"])
def test_zoom_keeps_the_point_under_the_pointer_before_the_new_picture_comes(
    open_viewer: OpenViewer, volume: str
) -> None:
    viewer = open_viewer(f"volume={volume}&delivery=hand")
    viewer.wait("dev.session.state.width_px !== 960")
    viewer.page.evaluate("dev.session.deliver()")
    x, y = viewer.centre
    x, y = x + 60, y - 40
    viewer.page.mouse.click(x, y)
    before = viewer.canvas_box
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -240)
    viewer.wait("dev.session.state.zoom > 1.3")
    viewer.page.keyboard.up("Control")
    moved = viewer.canvas_box
    for start, length, at in (("x", "width", x), ("y", "height", y)):
        share = (at - before[start]) / before[length]
        assert (at - moved[start]) / moved[length] == pytest.approx(share, abs=1e-3)
    assert moved["width"] / before["width"] == pytest.approx(viewer.state["zoom"], rel=1e-3)

    viewer.page.evaluate("dev.session.deliver()")
    assert viewer.canvas_box == before


def test_drag_pans_with_the_hand_and_the_true_picture_does_not_jump(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("delivery=hand")
    viewer.wait("dev.session.state.width_px !== 960")
    viewer.page.evaluate("dev.session.deliver()")
    before = viewer.canvas_box
    x, y = viewer.centre
    mouse = viewer.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + 120, y + 45, steps=6)
    moved = viewer.canvas_box
    assert moved["x"] - before["x"] == pytest.approx(120, abs=0.5)
    assert moved["y"] - before["y"] == pytest.approx(45, abs=0.5)
    mouse.up()
    viewer.page.evaluate("dev.session.deliver()")
    assert viewer.canvas_box == before


def test_right_drag_changes_the_window_and_opens_no_menu(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical")
    before = viewer.state
    viewer.right_drag(80, 40)
    after = viewer.state
    assert after["window"] > before["window"]
    assert after["level"] > before["level"]
    assert viewer.page.get_by_role("menu").count() == 0


def test_right_drag_keeps_amplitudes_symmetric(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    before = viewer.state
    viewer.right_drag(80, 60)
    assert viewer.state["level"] == 0
    assert viewer.state["window"] > before["window"]


def test_right_click_opens_a_menu_of_the_place_and_escape_closes_it(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer()
    viewer.page.mouse.move(*viewer.centre)
    viewer.page.mouse.click(*viewer.centre, button="right")
    menu = viewer.page.get_by_role("menu")
    menu.get_by_role("menuitem", name="Copy position and value").wait_for()
    viewer.page.keyboard.press("Escape")
    menu.wait_for(state="detached")
    assert viewer.page.evaluate("document.activeElement.tagName").startswith("BLUSTREAM-VIEWER")


def test_plain_keys_never_reach_the_notebook(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    viewer.click()
    for key in [
        "x",
        "d",
        "d",
        "a",
        "b",
        "m",
        "z",
        "Shift+M",
        "Enter",
        "ArrowDown",
        "Backspace",
        "w",
    ]:
        viewer.page.keyboard.press(key)
    viewer.page.get_by_role("button", name="Navigate").focus()
    for key in ["x", "d", "d", "ArrowRight", "Space"]:
        viewer.page.keyboard.press(key)
    assert [key for key in viewer.leaked if key != "Shift"] == []


def test_combinations_are_left_to_the_page_and_the_browser(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    viewer.click()
    before = viewer.state
    for key in ["Control+b", "Alt+1", "Shift+Enter", "Control+Shift+C"]:
        viewer.page.keyboard.press(key)
    assert {"b", "1", "Enter", "C"} <= set(viewer.leaked)
    assert viewer.state == before


@pytest.mark.parametrize(
    ("key", "claim"),
    [
        ("PageDown", "s.slice_idx[0] === 216"),
        ("Home", "s.slice_idx[0] === 0"),
        ("2", "s.axis === 1"),
        ("3", "s.axis === 2"),
        ("+", "s.zoom === 1.25"),
        ("Shift+ArrowRight", "s.pan[0] > 0.5"),
        ("x", "s.crosshair"),
        ("Shift+Digit6", "s.window > 20000"),
    ],
)
def test_key_does_what_the_help_says(open_viewer: OpenViewer, key: str, claim: str) -> None:
    viewer = open_viewer()
    viewer.click()
    viewer.page.keyboard.press(key)
    viewer.wait(f"((s) => {claim})(dev.session.state)")


def test_everything_can_be_done_without_a_mouse(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    keyboard = viewer.page.keyboard
    viewer.page.locator("#cell").focus()
    keyboard.press("Tab")  # the toolbar is one stop: arrows move inside it
    keyboard.press("ArrowRight")
    keyboard.press("Enter")
    viewer.wait("dev.session.state.axis === 1")
    keyboard.press("Tab")
    assert viewer.page.evaluate(FOCUSED) == "view"
    keyboard.press("g")
    keyboard.type("1000")
    keyboard.press("Enter")
    viewer.wait_slice(0)
    keyboard.press("Escape")
    assert viewer.page.evaluate(FOCUSED) == "view"
    keyboard.press("w")
    keyboard.press("Escape")  # the tool first
    assert viewer.page.evaluate(FOCUSED) == "view"
    keyboard.press("Escape")  # then the viewer
    assert viewer.page.evaluate("document.activeElement.id") == "cell"
    assert viewer.leaked == ["Tab", "Tab"]


FOCUSED = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found?.classList[0] ?? '';
}"""


def test_window_panel_works_by_keyboard_and_gives_the_focus_back(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    button = viewer.page.get_by_title("Window and colours")
    button.focus()
    viewer.page.keyboard.press("Enter")
    viewer.page.get_by_role("slider", name="Low end").wait_for()
    viewer.wait(f"({FOCUSED})() === 'end'")
    before = viewer.state["window"]
    viewer.page.keyboard.press("ArrowLeft")
    viewer.wait(f"dev.session.state.window > {before}")
    viewer.page.keyboard.press("Escape")
    viewer.page.get_by_role("slider", name="Low end").wait_for(state="detached")
    viewer.wait(f"({FOCUSED})() === 'tool'")


def test_colour_map_reverse_and_fields_change_the_state(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical")
    page = viewer.page
    page.get_by_title("Window and colours").click()
    page.get_by_label("Colour map:").click()
    page.get_by_label("Find a colour map").press_sequentially("crameri roma")
    found = page.get_by_role("radiogroup", name="Colour map").get_by_role("radio")
    found.nth(2).wait_for(state="detached")
    assert found.all_inner_texts() == ["Roma", "Roma O"]
    page.keyboard.press("Enter")
    viewer.wait("dev.session.state.colormap === 'roma'")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")  # to the chosen one among all maps
    page.keyboard.press("ArrowUp")
    viewer.wait("dev.session.state.colormap === 'vik'")
    page.get_by_role("radio", name="Viridis").click()
    page.get_by_label("Reverse").check()
    page.get_by_label("Low", exact=True).fill("-100")
    page.keyboard.press("Tab")
    viewer.wait("dev.session.state.window === 215")
    page.get_by_role("button", name="Lung").click()
    state = viewer.state
    assert (state["colormap"], state["reverse"]) == ("viridis", True)
    assert (state["window"], state["level"]) == (1500, -600)


def test_film_runs_and_stops_at_the_first_slice_input(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=generic", width=400, height=300)
    before = viewer.slice_idx
    viewer.click()
    viewer.page.keyboard.press("Space")
    viewer.wait(f"dev.session.state.slice_idx[0] > {before}")
    viewer.page.keyboard.press("Home")
    viewer.page.keyboard.press("ArrowDown")
    viewer.wait_slice(1)
    viewer.page.get_by_role("slider", name="Axis 0").press("ArrowRight")
    viewer.wait_slice(2)


def choose(viewer: DevPage, *settings: str) -> None:
    """Set things in the menu of settings, as they are called there."""
    viewer.page.get_by_title("More").click()
    viewer.page.get_by_role("menuitem", name="Settings").click()
    for name in settings:
        viewer.page.get_by_text(name, exact=True).click()
    viewer.page.keyboard.press("Escape")


def test_settings_change_wheel_and_mouse_and_outlive_the_page(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", height=600)
    choose(viewer, "Drag windows, right drag zooms", "Wheel up for the next slice", "5 slices")
    viewer.wait(f"({FOCUSED})() === 'tool'")
    viewer.page.reload()
    viewer.wait("dev.session.lastFrame()?.header.revision === dev.session.state.revision")
    before = viewer.state
    viewer.click()
    viewer.page.mouse.wheel(0, -100)
    viewer.wait_slice(before["slice_idx"][2] + 5)
    x, y = viewer.centre
    viewer.page.mouse.down()
    viewer.page.mouse.move(x + 80, y + 40, steps=4)
    viewer.page.mouse.up()
    after = viewer.state
    assert after["window"] > before["window"]
    assert after["level"] > before["level"]
    viewer.right_drag(0, 120)
    viewer.wait("Math.abs(dev.session.state.zoom - 2) < 1e-6")
    assert viewer.page.get_by_role("menu").count() == 0
    viewer.page.keyboard.press("?")
    viewer.page.get_by_role("dialog").get_by_text("Right drag").wait_for()


def test_dock_of_a_phone_chooses_what_one_finger_does(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=390, height=600, touch=True)
    before = viewer.state
    # Clicks, as the browser swallows a tap that follows a stroke of the finger too quickly.
    viewer.page.get_by_role("button", name="Window: One finger").click()
    viewer.view.focus()
    Fingers(viewer).drag(100)
    viewer.wait(f"dev.session.state.level > {before['level']}")
    assert viewer.state["slice_idx"] == before["slice_idx"]
    viewer.page.get_by_role("button", name="Scroll: One finger").click()
    viewer.view.focus()
    Fingers(viewer).drag(100)
    viewer.wait(f"dev.session.state.slice_idx[2] > {before['slice_idx'][2]}")
    viewer.page.get_by_role("button", name="Colours: Window and colours").click()
    viewer.page.get_by_role("slider", name="Low end").wait_for()
    sheet = viewer.page.locator(".window").bounding_box()
    assert sheet is not None
    assert sheet["y"] + sheet["height"] == pytest.approx(600, abs=8)
    assert sheet["width"] > 370


class Fingers:
    """Touches as the browser gets them from a screen."""

    def __init__(self, viewer: DevPage) -> None:
        self.viewer = viewer
        self.cdp = viewer.page.context.new_cdp_session(viewer.page)

    def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        self.cdp.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def drag(self, dy: float) -> None:
        x, y = self.viewer.centre
        self.send("touchStart", (x, y))
        for step in range(1, 9):
            self.send("touchMove", (x, y + dy * step / 8))
        self.send("touchEnd")

    def pinch(self, start: float, end: float) -> None:
        x, y = self.viewer.centre
        self.send("touchStart", (x - start, y), (x + start, y))
        for step in range(1, 9):
            reach = start + (end - start) * step / 8
            self.send("touchMove", (x - reach, y), (x + reach, y))
        self.send("touchEnd")


def test_one_finger_scrolls_the_page_at_first(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=390, height=600, touch=True)
    viewer.page.evaluate(TALL)
    before = viewer.slice_idx
    Fingers(viewer).drag(-120)
    viewer.wait("scrollY > 0")
    assert viewer.slice_idx == before


def test_one_finger_scrolls_slices_and_not_the_page_after_a_tap(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=390, height=600, touch=True)
    viewer.page.evaluate(TALL)
    before = viewer.slice_idx
    viewer.page.touchscreen.tap(*viewer.centre)
    viewer.wait(f"({FOCUSED})() === 'view'")
    Fingers(viewer).drag(-120)
    viewer.wait(f"dev.session.state.slice_idx[2] < {before} - 10")
    assert viewer.page.evaluate("scrollY") == 0


def test_two_fingers_zoom_about_their_middle(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=390, height=600, touch=True)
    viewer.page.touchscreen.tap(*viewer.centre)
    Fingers(viewer).pinch(40, 120)
    viewer.wait("dev.session.state.zoom > 2.5")
    assert viewer.state["pan"] == pytest.approx([0.5, 0.5], abs=0.02)


def test_a_drag_does_not_wait_for_the_animation_frame(open_viewer) -> None:
    view = open_viewer()
    view.click()
    # What browsers hold until the frame never arrives: only what they hand out at once does.
    view.page.evaluate("addEventListener('pointermove', (e) => e.stopPropagation(), true)")
    window = view.state["window"]
    view.right_drag(60, 0)
    assert view.state["window"] != window
