"""The crosshair of the single pane, the filled window and the side panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import DevPage, OpenViewer

# Middle of the gap between the four lines, in the page's pixels; null where there is no crosshair.
_CROSSHAIR = """() => {
  const pane = document.querySelector('#cell > div').firstElementChild.shadowRoot
    .querySelector('blustream-slice-pane').shadowRoot;
  const found = pane.querySelector('.crosshair');
  if (!found) return null;
  const { left, top } = found.getBoundingClientRect();
  const colours = [...found.children].map((line) => line.style.background);
  const gap = found.querySelector('.right').getBoundingClientRect().left
    - found.querySelector('.left').getBoundingClientRect().right;
  return { x: left, y: top, colours, gap, words: found.getAttribute('aria-label') };
}"""
_PICTURE = "() => [dev.session.lastFrame().header.revision, dev.session.state.revision]"


def held(open_viewer: OpenViewer, query: str = "") -> DevPage:
    """A viewer with one picture, whose server is silent from then on."""
    viewer = open_viewer(f"{query}&delivery=hand")
    viewer.wait("dev.session.state.width_px !== 960")
    viewer.page.evaluate("dev.session.deliver()")
    return viewer


def test_the_crosshair_is_at_the_pointer_before_any_answer_of_the_server(
    open_viewer: OpenViewer,
) -> None:
    viewer = held(open_viewer)
    page = viewer.page
    x, y = viewer.centre
    page.mouse.click(x, y)
    assert page.evaluate(_CROSSHAIR) is None  # off by default
    page.keyboard.press("x")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y - 60, steps=3)
    drawn = page.evaluate(_CROSSHAIR)
    page.mouse.up()
    # Half a voxel and a pixel: it lies on voxels.
    assert drawn["x"] == pytest.approx(x + 90, abs=2)
    assert drawn["y"] == pytest.approx(y - 60, abs=2)
    assert 12 <= drawn["gap"] <= 16
    assert len(set(drawn["colours"])) == 2
    shown, newest = page.evaluate(_PICTURE)
    assert shown < newest
    inline, crossline, sample = viewer.state["slice_idx"]
    page.keyboard.press("2")
    viewer.wait_slice(crossline)
    page.keyboard.press("3")
    viewer.wait_slice(sample)
    assert viewer.state["slice_idx"] == [inline, crossline, sample]


def test_the_crosshair_follows_while_shift_is_held(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical")
    page = viewer.page
    viewer.click()
    x, y = viewer.centre
    page.keyboard.down("Shift")
    page.mouse.move(x + 40, y, steps=3)
    before = page.evaluate(_CROSSHAIR)
    page.mouse.move(x - 50, y + 30, steps=3)
    drawn = page.evaluate(_CROSSHAIR)
    assert before["x"] != drawn["x"]
    assert drawn["x"] == pytest.approx(x - 50, abs=2)
    assert drawn["y"] == pytest.approx(y + 30, abs=2)
    page.keyboard.up("Shift")
    page.wait_for_function(f"({_CROSSHAIR})() === null")
    assert viewer.state["crosshair"] is False


def test_the_crosshair_is_moved_read_and_centred_by_keyboard_alone(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer()
    page = viewer.page
    viewer.view.focus()
    page.keyboard.press("x")
    before = viewer.state["slice_idx"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    viewer.wait("dev.session.state.slice_idx[2] === " + str(before[2] + 2))
    assert viewer.state["slice_idx"] == [before[0], before[1] + 1, before[2] + 2]
    place = page.locator("[part=position]").inner_text()
    assert place.startswith("IL 1\u202f412") or "1\u202f412" in place
    page.locator("[part=value] b", has_not_text="…").wait_for()
    page.keyboard.press("i")
    page.locator("[role=status].unseen", has_text="Amplitude").wait_for(state="attached")
    page.keyboard.press("+")
    page.keyboard.press("c")
    viewer.wait("dev.session.state.pan[0] !== 0.5")
    drawn, (x, y) = page.evaluate(_CROSSHAIR), viewer.centre
    assert (drawn["x"], drawn["y"]) == pytest.approx((x, y), abs=2)
    assert drawn["words"].startswith("Crosshair at IL")
    page.keyboard.press("x")
    page.wait_for_function(f"({_CROSSHAIR})() === null")


def test_c_brings_the_crosshair_to_the_pointer(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    x, y = viewer.centre
    viewer.page.mouse.click(x, y)
    viewer.page.mouse.move(x + 77, y + 33)
    viewer.page.keyboard.press("c")
    drawn = viewer.page.evaluate(_CROSSHAIR)
    assert (drawn["x"], drawn["y"]) == pytest.approx((x + 77, y + 33), abs=2)


def test_a_tap_places_the_crosshair(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=390, height=600, touch=True)
    viewer.page.get_by_role("button", name="Crosshair: One finger").click()
    x, y = viewer.centre
    viewer.page.touchscreen.tap(x + 40, y + 50)
    viewer.page.wait_for_function(f"({_CROSSHAIR})()?.x > {x + 30}")
    drawn = viewer.page.evaluate(_CROSSHAIR)
    assert (drawn["x"], drawn["y"]) == pytest.approx((x + 40, y + 50), abs=2)


@pytest.mark.parametrize("way", ["key", "double click", "chip"])
def test_the_viewer_fills_the_window_whatever_is_around_it_and_comes_back(
    open_viewer: OpenViewer, way: str
) -> None:
    viewer = open_viewer("", width=800, height=300)
    page = viewer.page
    page.set_viewport_size({"width": 900, "height": 600})
    # As cells are in notebooks: clipped, and a world of its own for fixed elements.
    page.evaluate("""() => Object.assign(document.querySelector('#cell').style,
      { transform: 'translate(7px, 9px)', contain: 'paint', width: '700px' })""")
    host = page.locator("#cell > div > *").first
    small = host.bounding_box()
    viewer.click()
    if way == "key":
        page.keyboard.press("z")
    elif way == "double click":
        page.mouse.dblclick(*viewer.centre)
    else:
        page.locator("[part=slice]").click()
    page.wait_for_function("innerWidth === 900")
    assert host.bounding_box() == {"x": 0, "y": 0, "width": 900, "height": 600}
    assert page.evaluate("document.fullscreenElement") is None
    viewer.wait("dev.session.state.width_px > 800")  # pictures of the new size are asked for
    before = viewer.slice_idx
    page.mouse.move(*viewer.centre)
    page.mouse.wheel(0, 100)
    viewer.wait_slice(before + 1)
    if way == "key":  # as notebooks do while they lay out their cells
        host.evaluate("host => { const at = host.parentNode; host.remove(); at.append(host); }")
        assert host.bounding_box() == {"x": 0, "y": 0, "width": 900, "height": 600}
        host.evaluate("host => host.shadowRoot.querySelector('blustream-slice-pane').focusView?.()")
    page.keyboard.press("z" if way == "double click" else "Escape")
    assert host.bounding_box() == small
    assert viewer.leaked == []


def test_the_side_panel_pushes_where_there_is_room_and_lies_over_the_picture_elsewhere(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("", width=900, height=500)
    page = viewer.page
    wide = viewer.view.bounding_box()
    assert wide is not None
    viewer.click()
    page.keyboard.press("]")
    panel = page.get_by_role("complementary", name="Details")
    box, pushed = panel.bounding_box(), viewer.view.bounding_box()
    assert box is not None
    assert pushed is not None
    assert box["width"] == pytest.approx(288, abs=1)
    assert pushed["width"] == pytest.approx(wide["width"] - 288, abs=2)
    panel.get_by_text("476\u202f\u00d7\u202f481\u202f\u00d7\u202f751").wait_for()
    panel.get_by_label("Crosshair").check()
    viewer.wait("dev.session.state.crosshair")
    panel.get_by_role("slider", name="High end").press("ArrowRight")
    viewer.wait("dev.session.state.window > 13000")
    page.set_viewport_size({"width": 700, "height": 500})
    over, under = panel.bounding_box(), viewer.view.bounding_box()
    assert over is not None
    assert under is not None
    assert over["x"] + over["width"] == pytest.approx(under["x"] + under["width"], abs=2)
    assert under["width"] > 600
    panel.get_by_role("button", name="Close the side panel").click()
    panel.wait_for(state="detached")
