"""The viewer's looks and words: sizes, states, labels, values, pictures to take away."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from conftest import OpenViewer

# Every element, also those in shadow roots, that somebody can operate.
_CONTROLS = """() => {
  const found = [];
  const visit = (root) => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) visit(el.shadowRoot);
      if (el.matches('button, input, select, [role=slider], [tabindex="0"]')) found.push(el);
    }
  };
  visit(document.querySelector('#cell'));
  return found.filter((el) => el.getBoundingClientRect().width > 0).map((el) => {
    const box = el.getBoundingClientRect();
    const name = el.getAttribute('aria-label') || el.closest('label')?.textContent.trim()
      || el.textContent.trim();
    return { tag: el.outerHTML.slice(0, 120), name, left: box.left, right: box.right };
  });
}"""
_OVERFLOWING = """() => {
  const found = [];
  const visit = (root) => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) {
        visit(el.shadowRoot);
        if (el.scrollWidth > el.clientWidth + 1 && el.clientWidth) found.push(el.tagName);
      }
    }
  };
  visit(document.body);
  return found;
}"""


_TOOLBAR = """() => {
  const row = document.querySelector('blustream-viewer').shadowRoot
    .querySelector('blustream-toolbar').shadowRoot.querySelector('.row');
  const name = row.querySelector('.channel .cut');
  return {
    over: row.scrollWidth - row.clientWidth,
    cut: name?.offsetParent ? name.scrollWidth - name.clientWidth : 0,
    hasName: Boolean(name?.offsetParent),
  };
}"""


@pytest.mark.parametrize("touch", [False, True])
def test_the_toolbar_has_room_and_the_channel_its_name_at_any_width(
    open_viewer: OpenViewer, touch: bool
) -> None:
    viewer = open_viewer("volume=seismic", width=1280, touch=touch)
    seen = {}
    for width in (
        562,
        600,
        652,
        700,
        742,
        800,
        845,
        862,
        900,
        935,
        945,
        1002,
        1003,
        1050,
        1110,
        1170,
    ):
        viewer.page.set_viewport_size({"width": width, "height": 440})
        seen[width] = viewer.page.evaluate(_TOOLBAR)
    assert {width: bar for width, bar in seen.items() if bar["over"] > 0 or bar["cut"] > 0} == {}
    assert seen[945]["hasName"]


@pytest.mark.parametrize("width", [320, 390, 560, 561, 740, 741, 1001])
@pytest.mark.parametrize("volume", ["seismic", "medical"])
def test_nothing_is_cut_or_overflows(open_viewer: OpenViewer, width: int, volume: str) -> None:
    viewer = open_viewer(f"volume={volume}", width=width, height=480)
    viewer.page.mouse.move(*viewer.centre)
    controls = viewer.page.evaluate(_CONTROLS)
    assert len(controls) > 6
    cut = [c["tag"] for c in controls if c["left"] < -0.5 or c["right"] > width + 0.5]
    assert cut == []
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width
    assert [tag for tag in viewer.page.evaluate(_OVERFLOWING) if "STATUS" not in tag] == []


_SMALL_TARGETS = """() => {
  const found = [];
  const visit = (root) => {
    for (const el of root.querySelectorAll('*')) {
      if (el.shadowRoot) visit(el.shadowRoot);
      if (!el.matches('button, select, input, [role=slider]')) continue;
      const box = (el.closest('label') ?? el).getBoundingClientRect();
      if (box.width && (box.height < 43.5 || box.width < 43.5)) {
        found.push(`${el.outerHTML.slice(0, 90)} ${box.width} x ${box.height}`);
      }
    }
  };
  visit(document.querySelector('#cell'));
  return found;
}"""


# An annotation is chosen, and its card open in the side panel.
_CHOSEN = """() => {
  const { session, viewer } = dev;
  session.annotations.change([{ op: 'put', item: { id: 'a', kind: 'distance', axis: 0, label: '',
    points: [[session.state.slice_idx[0], 60, 60], [session.state.slice_idx[0], 120, 130]],
    text: '', color: '#ffd43b', width: 2, visible: true, locked: false, closed: false, group: '',
    author: '', created_ms: 0, modified_ms: 0 } }]);
  viewer.context.set({ panel: true });
  viewer.context.desk.editor.selection.pick('a');
}"""


@pytest.mark.parametrize("width", [320, 390, 820])
@pytest.mark.parametrize("open_part", ["", "Colours", "More"])
def test_fingers_find_targets_of_44_pixels(
    open_viewer: OpenViewer, width: int, open_part: str
) -> None:
    viewer = open_viewer("", width=width, height=700, touch=True)
    if open_part == "Colours":
        viewer.page.locator("[data-opens=window]:visible").tap()
        viewer.page.get_by_role("slider", name="Low end").wait_for()
    elif open_part:
        viewer.page.get_by_title(open_part).tap()
        viewer.page.get_by_role("menu").wait_for()
    else:
        viewer.page.evaluate(_CHOSEN)
        viewer.page.get_by_role("button", name="Lock").wait_for()
        assert viewer.page.evaluate(_SMALL_TARGETS) == []
        viewer.page.evaluate("dev.viewer.context.set({ panel: false, open: 'help' })")
        viewer.page.get_by_role("button", name="Close").wait_for()
    assert viewer.page.evaluate(_SMALL_TARGETS) == []
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [320, 390, 420])
def test_letters_and_labels_keep_clear_of_each_other(open_viewer: OpenViewer, width: int) -> None:
    page = open_viewer("volume=medical", width=width, height=480).page
    page.get_by_role("application").press("1")  # the longest name
    page.locator("[part=slice]", has_text="Sagittal").wait_for()
    boxes = page.evaluate("""() => {
      const pane = document.querySelector('#cell > div').firstElementChild.shadowRoot
        .querySelector('blustream-slice-pane').shadowRoot;
      return [...pane.querySelectorAll('.label, .letter, .bar')].map((el) => {
        const { left, right, top, bottom } = el.getBoundingClientRect();
        return { name: el.className, left, right, top, bottom };
      });
    }""")
    assert len(boxes) >= 7
    overlapping = [
        (a["name"], b["name"])
        for i, a in enumerate(boxes)
        for b in boxes[i + 1 :]
        if a["left"] < b["right"]
        and b["left"] < a["right"]
        and a["top"] < b["bottom"]
        and b["top"] < a["bottom"]
    ]
    assert overlapping == []


@pytest.mark.parametrize("open_part", ["", "Window and colours", "More"])
def test_every_control_has_a_name(open_viewer: OpenViewer, open_part: str) -> None:
    viewer = open_viewer()
    if open_part:
        viewer.page.get_by_title(open_part).click()
    assert [c["tag"] for c in viewer.page.evaluate(_CONTROLS) if not c["name"]] == []


def test_parts_have_the_roles_that_screen_readers_look_for(open_viewer: OpenViewer) -> None:
    page = open_viewer().page
    page.get_by_role("region", name="Volume north-sea.vds").wait_for()
    page.get_by_role("toolbar", name="Viewer tools").wait_for()
    page.get_by_role("radiogroup", name="Slice direction").wait_for()
    view = page.get_by_role("application")
    assert view.get_attribute("aria-roledescription") == "slice view"
    assert "Inline 1\u202f412, Crossline" in (view.get_attribute("aria-label") or "")
    slider = page.get_by_role("slider", name="Inline")
    assert slider.get_attribute("aria-valuetext") == "Inline 1\u202f412 of 1\u202f950"


def test_toolbar_is_one_stop_of_the_tab_key(open_viewer: OpenViewer) -> None:
    page = open_viewer().page
    stops = page.get_by_role("toolbar").evaluate(
        "(bar) => [...bar.querySelectorAll('button')]"
        ".filter((button) => button.tabIndex === 0 && button.offsetParent).length"
    )
    assert stops == 1


def test_slices_are_said_to_those_who_hear_the_page(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    viewer.click()
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.get_by_text("Inline 1\u202f414 of 1\u202f950", exact=True).wait_for(
        state="attached"
    )


def test_value_under_the_cursor_is_read_from_the_data(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=generic")
    viewer.page.mouse.move(*viewer.centre)
    viewer.page.get_by_text("[51, 80, 100]").wait_for()
    value = viewer.page.evaluate("Math.sin(51 / 9) * Math.cos(80 / 14) + 0.5 * Math.sin(151 / 21)")
    shown = viewer.page.locator("[part=value] b", has_not_text="…")
    shown.wait_for()
    assert float(shown.inner_text().replace("\u2212", "-")) == pytest.approx(value, rel=1e-3)


def test_value_follows_the_slice_under_a_resting_pointer(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=generic")
    viewer.click()
    viewer.page.keyboard.press("ArrowDown")
    viewer.page.get_by_text("[52, 80, 100]").wait_for()
    value = viewer.page.locator("[part=value] b", has_not_text="…")
    value.wait_for()
    wanted = viewer.page.evaluate("Math.sin(52 / 9) * Math.cos(80 / 14) + 0.5 * Math.sin(152 / 21)")
    assert float(value.inner_text().replace("\u2212", "-")) == pytest.approx(wanted, rel=1e-3)


def test_labels_tell_of_the_picture_shown_not_of_the_one_asked_for(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("delivery=hand")
    viewer.wait("dev.session.state.width_px !== 960")
    viewer.page.evaluate("dev.session.deliver()")
    viewer.click()
    viewer.page.keyboard.press("2")
    chip = viewer.page.locator("[part=slice]")
    assert chip.inner_text().split("\n")[0].startswith("Inline")
    viewer.page.evaluate("dev.session.deliver()")
    viewer.page.locator("[part=slice]", has_text="Crossline").wait_for()


def degrees(north: Locator) -> int:
    """Of an arrow, clockwise from up."""
    found = re.search(r"-?\d+", north.get_attribute("aria-label") or "")
    assert found
    return int(found[0])


def test_a_time_slice_can_lie_as_a_map(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("", width=700, height=600)
    page = viewer.page
    viewer.click()
    page.keyboard.press("3")
    north = page.get_by_role("img", name="North is")
    north.wait_for()
    assert 60 < degrees(north) < 90  # crosslines go north, and right on the screen
    page.locator(".ruler.top[title=Crossline]").wait_for()
    page.get_by_title("More").click()
    page.get_by_role("menuitemcheckbox", name="North up").click()
    viewer.wait("dev.session.state.north_up")
    page.locator(".ruler.top[title=Inline]").wait_for()
    assert abs(degrees(north)) < 20
    page.keyboard.press("1")
    north.wait_for(state="detached")


@pytest.mark.parametrize(
    ("state", "role", "words"),
    [
        ("failed", "alert", "The bucket refused the key"),
        ("ended", "status", "This view has ended"),
        ("empty", "status", "No volume yet"),
        ("opening", "status", "Opening the volume"),
        ("lost", "alert", "Connection lost"),
        ("busy", "alert", "The notebook is busy"),
    ],
)
def test_state_says_what_is_going_on(
    open_viewer: OpenViewer, state: str, role: str, words: str
) -> None:
    page = open_viewer(f"state={state}", width=400, height=400).page
    page.get_by_role(role).filter(has_text=words).wait_for()


@pytest.mark.parametrize(("state", "button"), [("failed", "Try again"), ("lost", "Try now")])
def test_broken_view_offers_another_try(open_viewer: OpenViewer, state: str, button: str) -> None:
    viewer = open_viewer(f"state={state}")
    viewer.page.get_by_role("button", name=button).click()
    assert viewer.page.evaluate("dev.session.retries") == 1


def test_slow_opening_can_be_cancelled_and_begun_again(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("state=opening", width=320, height=300)
    cancel = viewer.page.get_by_role("button", name="Cancel")
    viewer.page.locator(".opening").wait_for()
    assert not cancel.is_visible()
    cancel.click(timeout=15_000)  # comes after 5 s
    viewer.page.get_by_text("Opening was cancelled").wait_for()
    viewer.page.get_by_role("button", name="Try again").click()
    assert viewer.page.evaluate("dev.session.retries") == 1


def test_restarted_renderer_is_said_in_the_status_line_for_a_moment(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer()
    line = viewer.page.locator("[part=state]")
    viewer.page.evaluate("dev.session.setStatus({ worker: 'restarting' })")
    line.filter(has_text="Restarting renderer").wait_for()
    viewer.page.evaluate("dev.session.setStatus({ worker: 'ready' })")
    line.filter(has_text="Renderer restarted").wait_for()
    line.filter(has_text="Exact").wait_for(timeout=15_000)


@pytest.mark.parametrize("state", ["failed", "ended", "empty", "opening"])
def test_view_without_a_volume_offers_no_dead_controls(open_viewer: OpenViewer, state: str) -> None:
    page = open_viewer(f"state={state}").page
    page.locator(".message, .opening").first.wait_for()
    assert page.get_by_role("radiogroup").count() == 0
    assert page.get_by_role("slider").count() == 0


def test_text_of_the_data_is_text_never_markup(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    nasty = "<img src=x onerror='window.owned = 1'>"
    viewer.page.evaluate(
        "(m) => dev.session.notice({ code: 'state', message: m, hint: '' })", nasty
    )
    viewer.page.locator(".toast", has_text=nasty).wait_for()
    assert viewer.page.evaluate("window.owned") is None


def test_theme_follows_the_notebook(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("theme=light")
    viewer.page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    viewer.page.locator("[theme=dark]").wait_for()


def test_picture_is_asked_for_in_device_pixels_of_the_pane(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(device_scale_factor=2, width=640, height=400)
    box = viewer.view.bounding_box()
    assert box is not None
    assert viewer.state["width_px"] == pytest.approx(box["width"] * 2, abs=2)
    assert viewer.state["height_px"] % 2 == 0
    viewer.page.set_viewport_size({"width": 500, "height": 400})
    viewer.wait("dev.session.state.width_px < 960")


def test_second_view_of_another_size_shows_the_whole_picture(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("views=2", width=800, height=400)
    viewer.page.evaluate("document.querySelectorAll('#cell > div')[0].style.width = '420px'")
    viewer.wait("dev.session.state.width_px < 420")
    canvas = viewer.page.locator("canvas").nth(1).bounding_box()
    view = viewer.page.locator(".view").nth(1).bounding_box()
    assert canvas is not None
    assert view is not None
    assert canvas["height"] == pytest.approx(view["height"], abs=2)
    assert canvas["x"] > view["x"] + 20
    # Whoever uses a view gets pictures of its size.
    viewer.page.locator(".view").nth(1).click(position={"x": 300, "y": 100})
    viewer.wait("dev.session.state.width_px > 700")


def test_two_copies_of_the_bundle_live_on_one_page(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    viewer.page.evaluate("import('./page.js?another-copy')")
    viewer.page.locator("canvas").nth(1).wait_for()
    viewer.page.get_by_role("toolbar").nth(1).wait_for()


def test_nothing_listens_after_the_view_is_gone(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("views=2")
    assert viewer.page.evaluate("dev.session.listeners") > 0
    viewer.page.evaluate("dev.end.abort()")
    assert viewer.page.evaluate("dev.session.listeners") == 0
    assert viewer.page.locator("canvas").count() == 0


def test_saved_picture_has_the_size_of_the_pane_and_its_labels(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=640, height=400)
    box = viewer.view.bounding_box()
    assert box is not None
    viewer.click()
    with viewer.page.expect_download() as saved:
        viewer.page.keyboard.press("p")
    assert saved.value.suggested_filename == "north-sea-inline-1_412.png"
    header = saved.value.path().read_bytes()[:24]
    width, height = struct.unpack(">II", header[16:24])
    assert width == pytest.approx(box["width"] + 48, abs=1)
    assert height == pytest.approx(box["height"] + 24, abs=1)


def test_full_screen_takes_the_wheel_at_once(open_viewer: OpenViewer) -> None:
    viewer = open_viewer()
    before = viewer.slice_idx
    viewer.page.get_by_title("Full screen").click()
    viewer.wait("document.fullscreenElement !== null")
    viewer.page.mouse.move(*viewer.centre)
    viewer.page.mouse.wheel(0, 100)
    viewer.wait_slice(before + 1)
