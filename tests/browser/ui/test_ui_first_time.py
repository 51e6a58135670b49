"""What a newcomer presses: every tool says its key and that it is on, and Escape ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.ui.conftest import OpenViewer


def test_every_tool_says_its_key_and_that_it_is_on_and_one_escape_ends_it(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("volume=seismic", width=1100)
    page = viewer.page
    for title, key in (
        ("Crosshair", "X"),
        ("Window and level", "W"),
        ("Fence through points", "4"),
    ):
        page.get_by_title(f"{title} ({key})").click()
        page.get_by_role("button", name=title, pressed=True).wait_for()
        assert viewer.view.evaluate("(e) => getComputedStyle(e).cursor") == "crosshair"
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Navigate", pressed=True).wait_for()
    for family in ("Measure", "Annotate"):
        page.get_by_role("button", name=family).click()
        names = page.get_by_role("menu").get_by_role("menuitemradio").all_inner_texts()
        page.keyboard.press("Escape")
        for name in [name.split("\n")[0] for name in names]:
            page.get_by_role("button", name=family).click()
            page.get_by_role("menuitemradio", name=name, exact=True).click()
            page.locator("[data-opens][aria-pressed=true]").locator("visible=true").wait_for()
            page.keyboard.press("Escape")
            viewer.wait("dev.viewer.context.ui.tool === 'navigate'")
    zoom = page.get_by_role("button", name="Zoom")
    zoom.click()
    page.get_by_role("menuitem", name="Zoom in").click()
    viewer.wait("dev.session.state.zoom > 1")
    page.get_by_role("menuitem", name="Fit to pane").click()
    viewer.wait("dev.session.state.zoom === 1")


def test_labels_of_annotations_keep_off_the_words_of_the_pane(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=seismic", width=320, touch=True)
    page = viewer.page
    viewer.click()
    page.keyboard.press("Shift+m")
    box = viewer.view.bounding_box()
    assert box is not None
    page.touchscreen.tap(box["x"] + 60, box["y"] + 90)
    # Beside and above it lie the colour bar and its numbers.
    page.touchscreen.tap(box["x"] + box["width"] - 70, box["y"] + box["height"] / 2)
    viewer.wait("dev.session.annotations.items.size === 1")
    chip = "dev.viewer.pane.annotations.chips[0]"
    viewer.wait(f"{chip} !== undefined")
    words = ".slice, .scale, .bar, .bar span"
    assert (
        viewer.view.evaluate(
            f"""(view) => {{
          const {{ left, top }} = view.getBoundingClientRect();
          const chip = {chip};
          return [...view.querySelectorAll('{words}')].filter((el) => {{
            const b = el.getBoundingClientRect();
            return b.left - left < chip.x + chip.width && chip.x < b.right - left
              && b.top - top < chip.y + chip.height && chip.y < b.bottom - top;
          }}).map((el) => el.className);
        }}"""
        )
        == []
    )
