"""The viewer's manners in a real notebook: keys, focus and the wheel stay where they belong."""

from __future__ import annotations

from blustream_widget.testing.waiting import wait_until

_CELLS = "jupyterapp.shell.currentWidget.content.widgets.length"
_FOCUSED = (
    "document.activeElement.closest('.jp-Cell') !== null && !document.activeElement.shadowRoot"
)


def test_keys_for_the_viewer_neither_cut_nor_add_cells(open_viewer) -> None:
    view = open_viewer("", "1 + 1", "2 + 2")
    before = view.page.page.evaluate(_CELLS)
    view.focus()
    for key in ["x", "v", "d", "d", "a", "b", "Shift+M", "y", "m", "v", "ArrowDown", "PageDown"]:
        view.page.page.keyboard.press(key)
    view.wait_shown(31)
    assert view.page.page.evaluate(_CELLS) == before
    assert view.page.problems == []


def test_escape_gives_the_keyboard_back_to_the_cell(open_viewer) -> None:
    view = open_viewer("", "1 + 1")
    keyboard = view.page.page.keyboard
    view.focus()
    keyboard.press("ArrowDown")
    view.wait_shown(21)
    keyboard.press("Escape")
    assert view.page.page.evaluate(_FOCUSED)
    before = view.page.page.evaluate(_CELLS)
    keyboard.press("b")
    wait_until(
        lambda: view.page.page.evaluate(_CELLS) == before + 1,
        timeout_s=10,
        what="JupyterLab adds a cell below",
    )
    assert view.shown() == 21


def _watch(view, *traits: str) -> None:
    """Note every change of traits in the kernel's list `seen`."""
    view.page.run_python(
        "seen = []\n"
        f"viewer.observe(lambda c: seen.append(c['name']), {list(traits)!r})\n"
        f"before = [getattr(viewer, n) for n in {list(traits)!r}]"
    )


def _wait_seen(view, *traits: str) -> None:
    wait_until(
        lambda: set(view.page.read_python("seen")) >= set(traits),
        timeout_s=15,
        what=f"observers of {traits} were called",
    )


def test_right_drag_in_the_browser_sets_window_and_level_in_python(open_viewer) -> None:
    view = open_viewer("window=2.0, level=0.5")
    _watch(view, "window", "level")
    x, y = _centre(view)
    mouse = view.page.page.mouse
    mouse.move(x, y)
    mouse.down(button="right")
    mouse.move(x + 80, y + 40, steps=5)
    mouse.up(button="right")
    _wait_seen(view, "window", "level")
    window, level = view.page.read_python("[viewer.window, viewer.level]")
    assert window > 2.0
    assert level > 0.5
    assert view.page.page.locator(".lm-Menu").count() == 0


def test_ctrl_wheel_in_the_browser_sets_zoom_and_pan_in_python(open_viewer) -> None:
    view = open_viewer()
    _watch(view, "zoom", "pan")
    x, y = _centre(view)
    page = view.page.page
    page.mouse.click(x + 100, y + 60)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    _wait_seen(view, "zoom", "pan")
    zoom, pan = view.page.read_python("[viewer.zoom, list(viewer.pan)]")
    assert zoom > 1.2
    assert min(pan) > 0.5  # towards where the pointer was: right of the middle and below


def test_full_screen_fills_the_screen_and_comes_back(open_viewer) -> None:
    view = open_viewer()
    page = view.page.page
    small = view.host.bounding_box()
    view.focus()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    viewport = page.viewport_size
    wait_until(
        lambda: view.host.locator("blustream-viewer").bounding_box()["width"] == viewport["width"],
        timeout_s=10,
        what="the viewer is as wide as the screen",
    )
    page.mouse.wheel(0, 100)
    view.wait_shown(21)
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement === null")
    wait_until(lambda: view.host.bounding_box() == small, timeout_s=10, what="it is back in place")
    page.keyboard.press("ArrowDown")
    view.wait_shown(22)


def test_z_fills_the_window_over_jupyterlab_and_comes_back(open_viewer) -> None:
    view = open_viewer("", "1 + 1")
    page = view.page.page
    small = view.host.bounding_box()
    viewer = view.host.locator("blustream-viewer")
    view.focus()
    page.keyboard.press("z")
    wait_until(
        lambda: viewer.bounding_box() == {"x": 0, "y": 0, **page.viewport_size},
        timeout_s=10,
        what="the viewer is as large as the window",
    )
    on_top = "(el) => document.elementFromPoint(30, 20) === el"
    assert viewer.evaluate(on_top)
    page.keyboard.press("ArrowDown")
    view.wait_shown(21)
    page.keyboard.press("Escape")
    wait_until(lambda: view.host.bounding_box() == small, timeout_s=10, what="it is back in place")
    page.keyboard.press("ArrowDown")
    view.wait_shown(22)
    assert view.page.problems == []


def test_the_crosshair_is_the_same_in_python_and_on_the_page(open_viewer) -> None:
    view = open_viewer()
    page = view.page.page
    _watch(view, "crosshair", "crosshair_idx")
    x, y = _centre(view)
    page.mouse.click(x, y)
    page.keyboard.press("x")
    page.mouse.click(x + 60, y - 40)
    _wait_seen(view, "crosshair", "crosshair_idx")
    place = view.host.get_by_role("img", name="Crosshair at")
    place.wait_for()
    placed = view.page.read_python("list(viewer.crosshair_idx)")
    assert placed[0] == 20
    assert placed[1] > 80  # right of the middle, and above it
    assert placed[2] < 48
    view.page.run_python("viewer.crosshair_idx = (33, 10, 90)")
    view.wait_shown(33)
    box = place.bounding_box()
    assert box is not None
    assert box["x"] < x
    assert box["y"] > y
    view.page.run_python("viewer.crosshair = False")
    place.wait_for(state="detached")
    assert view.page.problems == []


_OVERFLOWING = """(host) => {
  const found = [];
  const visit = (root) => {
    for (const el of root.querySelectorAll('*')) {
      if (!el.shadowRoot) continue;
      visit(el.shadowRoot);
      if (el.clientWidth && el.scrollWidth > el.clientWidth + 1) found.push(el.tagName);
    }
  };
  visit(host);
  return found;
}"""


def test_output_of_320_pixels_cuts_nothing_off(open_viewer) -> None:
    view = open_viewer()
    view.host.evaluate("(host) => { host.style.width = '320px'; }")
    wait_until(
        lambda: view.page.read_python("list(viewer.pane_size)")[0] <= 320,
        timeout_s=15,
        what="pictures have the width of the output",
    )
    view.wait_shown(20)
    assert [t for t in view.host.evaluate(_OVERFLOWING) if "STATUS" not in t] == []
    output = view.page.page.locator(".jp-OutputArea-output").first
    assert output.evaluate("(el) => el.scrollWidth <= el.clientWidth")
    view.focus()
    view.wheel(1)
    view.wait_shown(21)


def test_one_finger_scrolls_slices_after_a_tap(open_viewer) -> None:
    view = open_viewer(touch=True)
    page = view.page.page
    x, y = _centre(view)
    page.touchscreen.tap(x, y)
    page.wait_for_function("document.activeElement?.tagName.startsWith('BLUSTREAM-VIEWER')")
    screen = page.context.new_cdp_session(page)

    def touch(kind: str, *points: float) -> None:
        where = [{"x": x, "y": at} for at in points]
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})

    touch("touchStart", y)
    for step in range(1, 9):
        touch("touchMove", y + 5 * step)
    touch("touchEnd")
    wait_until(
        lambda: view.page.read_python("viewer.slice_idx") > 25,
        timeout_s=15,
        what="one finger went on by several slices",
    )
    wait_until(
        lambda: view.shown() == view.page.read_python("viewer.slice_idx"),
        timeout_s=15,
        what="Python says the slice that is shown",
    )


def test_keyboard_alone_reaches_the_slices_from_the_cell(open_viewer) -> None:
    view = open_viewer()
    keyboard = view.page.page.keyboard
    keyboard.press("Escape")  # the notebook is in command mode
    for _ in range(12):
        keyboard.press("Tab")
        if view.page.page.evaluate(_DEEP_FOCUS) == "view":
            break
    keyboard.press("ArrowDown")
    view.wait_shown(21)
    keyboard.press("g")
    keyboard.type("63")
    keyboard.press("Enter")
    view.wait_shown(63)
    # Pages are told at once, the kernel five times a second.
    wait_until(
        lambda: view.page.read_python("viewer.slice_idx") == 63,
        timeout_s=10,
        what="the kernel has the slice",
    )


_DEEP_FOCUS = """() => {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) found = found.shadowRoot.activeElement;
  return found?.classList[0] ?? '';
}"""


def _centre(view) -> tuple[float, float]:
    """Middle of the picture on the page."""
    box = view.host.locator("canvas").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
