"""Annotations drawn with a real mouse, fingers and the keyboard, read at the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import DevPage, OpenViewer

_SECTION = "dev.viewer.pane.annotations.section"
_ITEMS = "[...dev.session.annotations.items.values()]"
# How many pixels of the canvases are painted within 4 CSS pixels of a point of the pane.
_INK = """([x, y]) => {
  const pane = document.querySelector('#cell > div').firstElementChild.shadowRoot
    .querySelector('blustream-slice-pane').shadowRoot;
  let ink = 0;
  for (const canvas of pane.querySelectorAll('.annotations canvas')) {
    const shift = new DOMMatrix(getComputedStyle(canvas).transform);
    const at = shift.inverse().transformPoint({ x, y });
    const scale = canvas.width / canvas.clientWidth;
    const area = canvas.getContext('2d')
      .getImageData((at.x - 4) * scale, (at.y - 4) * scale, 8 * scale, 8 * scale);
    for (let i = 3; i < area.data.length; i += 4) if (area.data[i] > 100) ink++;
  }
  return ink;
}"""


class Drawing:
    """A viewer that is drawn on; places are CSS pixels of the pane."""

    def __init__(self, viewer: DevPage) -> None:
        self.viewer = viewer
        self.page = viewer.page
        self.key = viewer.page.keyboard.press
        self.box: dict[str, float] = dict(viewer.view.bounding_box() or {})
        self.page.mouse.click(*self.at(20, 60))

    def at(self, x: float, y: float) -> tuple[float, float]:
        return self.box["x"] + x, self.box["y"] + y

    def click(self, x: float, y: float, **more: Any) -> None:
        self.page.mouse.click(*self.at(x, y), **more)

    def drag(self, *places: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*places[0]))
        mouse.down()
        for place in places[1:]:
            mouse.move(*self.at(*place), steps=3)
        mouse.up()

    @property
    def items(self) -> list[dict[str, Any]]:
        """What the server has."""
        return self.page.evaluate(_ITEMS)

    @property
    def leaked(self) -> list[str]:
        """Keys that reached the page, but for those that do nothing alone."""
        return [key for key in self.viewer.leaked if key not in {"Shift", "Control"}]

    def wait(self, count: int) -> list[dict[str, Any]]:
        self.viewer.wait(f"{_ITEMS}.length === {count}")
        return self.items

    def pixel(self, point: list[float]) -> tuple[float, float]:
        """Where the pane shows a place of the volume, by the viewer's own geometry."""
        found = self.page.evaluate(
            "(point) => dev.viewer.pane.annotations.section.toPixel(point)", point
        )
        return found["x"], found["y"]

    def wait_corner(self, vertex: int, x: float, y: float) -> None:
        """Wait until the server has a vertex of the first annotation at a place of the pane."""
        at = f"dev.viewer.pane.annotations.section.toPixel({_ITEMS}[0].points[{vertex}])"
        self.viewer.wait(f"Math.hypot({at}.x - {x}, {at}.y - {y}) < 0.8")

    def ink(self, point: list[float]) -> int:
        self.page.evaluate("dev.viewer.pane.annotations.draw()")
        return self.page.evaluate(_INK, list(self.pixel(point)))


_TWO_ENDS = {
    "m": "distance",
    "Shift+A": "arrow",
    "Shift+L": "line",
    "Shift+I": "profile",
    "Shift+R": "rectangle",
    "Shift+E": "ellipse",
}
_MANY_VERTICES = {
    "Shift+Y": ("polyline", [(300, 300), (350, 320), (420, 300)]),
    "Shift+D": ("path", [(300, 300), (350, 320), (420, 300)]),
    "Shift+G": ("polygon", [(300, 300), (350, 380), (420, 300)]),
    "Shift+N": ("angle", [(300, 300), (350, 380), (420, 300)]),
    "Shift+P": ("point", [(310, 410)]),
}


def test_each_tool_draws_where_the_mouse_is(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=900, height=700)
    draw = Drawing(viewer)
    count = 0

    def drawn(kind: str, places: list[tuple[float, float]]) -> None:
        nonlocal count
        count += 1
        item = draw.wait(count)[-1]
        assert (item["kind"], item["axis"]) == (kind, viewer.state["axis"])
        assert [draw.pixel(point) for point in item["points"]] == [
            pytest.approx(place, abs=0.6) for place in places
        ]

    for key, kind in _TWO_ENDS.items():
        draw.key(key)
        draw.drag((300, 200), (400, 260))
        drawn(kind, [(300, 200), (400, 260)])
    for key, (kind, places) in _MANY_VERTICES.items():
        draw.key(key)
        for place in places:
            draw.click(*place)
        if kind in {"polyline", "path", "polygon"}:
            draw.key("Enter")
        drawn(kind, places)
    draw.key("Shift+C")
    draw.drag((300, 300), (400, 310))
    draw.drag((300, 400), (400, 450))
    drawn("cobb", [(300, 300), (400, 310), (300, 400), (400, 450)])
    draw.key("Shift+F")
    draw.drag((300, 450), (350, 450), (350, 500))
    drawn("freehand", [(300, 450), (350, 450), (350, 500)])
    # Undone one by one, and done again, by the keys of every editor.
    for left in (count - 1, count - 2):
        draw.key("Control+z")
        draw.wait(left)
    draw.key("Control+Shift+z")
    assert draw.wait(count - 1)[-1]["kind"] == "cobb"
    assert draw.leaked == []


def test_what_is_typed_is_text_and_no_command(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=640, height=480)
    draw = Drawing(viewer)
    before = {name: viewer.state[name] for name in ("axis", "slice_idx", "zoom", "window")}
    words = "<img src=x onerror=alert(1)> x, 1 G"
    draw.key("Shift+T")
    draw.click(250, 150)
    draw.page.keyboard.type(words)
    draw.key("Enter")
    assert draw.wait(1)[0]["text"] == words
    draw.key("]")
    row = draw.page.locator("[role=option]")
    assert words in row.inner_text()
    assert row.locator("img").count() == 0
    assert before == {name: viewer.state[name] for name in before}
    # Escape while typing makes nothing.
    draw.click(20, 60)
    draw.key("Shift+T")
    draw.click(300, 250)
    draw.page.keyboard.type("never mind")
    draw.key("Escape")
    assert len(draw.items) == 1


def test_shapes_lie_on_their_voxels_while_the_picture_is_still_the_old_one(
    open_viewer: OpenViewer,
) -> None:
    viewer = open_viewer("delivery=hand", width=800, height=600)
    viewer.wait("dev.session.state.width_px !== 960")
    viewer.page.evaluate("dev.session.deliver()")
    draw = Drawing(viewer)
    draw.key("Shift+L")
    draw.drag((200, 200), (300, 260))
    points = draw.wait(1)[0]["points"]
    draw.key("Escape")  # or the arrows would move the line
    before = draw.pixel(points[0])
    assert draw.ink(points[0]) > 0
    draw.key("+")
    draw.key("Shift+ArrowRight")
    after = draw.pixel(points[0])
    assert after != pytest.approx(before, abs=5)
    assert draw.ink(points[0]) > 0
    shown, newest = viewer.page.evaluate(
        "[dev.session.lastFrame().header.revision, dev.session.state.revision]"
    )
    assert shown < newest
    # Three slices on it is gone; it comes back with its slice.
    for _ in range(3):
        draw.page.mouse.wheel(0, 120)
        viewer.page.evaluate("dev.session.deliver()")
    assert draw.ink(points[0]) == 0


def test_choosing_dragging_and_changing_by_mouse_and_keys(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=900, height=600)
    draw = Drawing(viewer)
    draw.key("Shift+R")
    draw.drag((200, 200), (300, 260))
    first = draw.wait(1)[0]
    # A corner, then the whole; then by keys. Every drag is one step of undo.
    draw.drag((300, 260), (340, 300))
    draw.drag((250, 200), (260, 210))
    draw.wait_corner(0, 210, 210)
    draw.wait_corner(1, 350, 310)
    draw.key("ArrowRight")
    draw.key("Shift+ArrowDown")
    draw.wait_corner(0, 211, 220)
    for _ in range(3):
        draw.key("Control+z")
    viewer.wait(f"JSON.stringify({_ITEMS}[0].points) === JSON.stringify({first['points']})")
    # The statistics come from the voxels inside.
    viewer.wait(
        "dev.viewer.context.desk.readings"
        ".of(dev.session.annotations.store.items[0], 0)?.statistics?.count > 0"
    )


def test_labels_copies_and_the_way_back(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=900, height=600)
    draw = Drawing(viewer)
    draw.key("Shift+R")
    draw.drag((200, 200), (300, 260))
    draw.wait(1)
    draw.key("Enter")
    draw.page.keyboard.type("Channel")
    draw.key("Enter")
    viewer.wait(f"{_ITEMS}[0].label === 'Channel'")
    draw.key("Control+d")
    assert draw.wait(2)[1]["label"] == "Channel"
    draw.key("Delete")
    draw.wait(1)
    # Escape goes back: the choice, the tool, the viewer.
    draw.click(250, 200)
    draw.key("Shift+A")
    tool = "dev.viewer.context.ui.tool"
    assert viewer.page.evaluate(tool) == "annotate"
    draw.page.mouse.move(*draw.at(400, 400))
    viewer.wait("getComputedStyle(dev.viewer.pane.view).cursor === 'crosshair'")
    draw.key("Escape")
    assert viewer.page.evaluate(tool) == "navigate"
    # With no tool in hand a drag off the shapes pans, as ever.
    pan = viewer.state["pan"]
    draw.drag((500, 400), (450, 380))
    assert viewer.state["pan"] != pan
    assert draw.leaked == []


def test_the_list_finds_an_annotation_on_another_plane(open_viewer: OpenViewer) -> None:
    viewer = open_viewer("volume=medical", width=1000, height=700)
    draw = Drawing(viewer)
    page = viewer.page
    page.evaluate(
        """() => dev.session.annotations.change([{ op: 'put', item: {
          id: 'far', kind: 'distance', points: [[40, 50, 60], [40, 70, 60]], axis: 0, label: 'Far',
          text: '', color: '#ff6b6b', width: 2, visible: true, locked: false, closed: false,
          group: '', author: '', created_ms: 0, modified_ms: 0 } }])"""
    )
    draw.key("]")
    row = page.locator("[role=option]", has_text="Far")
    row.click()
    viewer.wait("dev.session.state.axis === 0 && dev.session.state.slice_idx[0] === 40")
    assert row.get_attribute("aria-selected") == "true"
    page.get_by_role("listbox", name="Annotations").focus()
    draw.key("h")
    viewer.wait(f"{_ITEMS}[0].visible === false")
    draw.key("Delete")
    draw.wait(0)


class Fingers:
    """Fingers on a phone's viewer; places are CSS pixels of the pane."""

    def __init__(self, viewer: DevPage) -> None:
        self.page = viewer.page
        self._box = dict(viewer.view.bounding_box() or {})
        self._session = self.page.context.new_cdp_session(self.page)
        self.page.touchscreen.tap(self._box["x"] + 30, self._box["y"] + 100)

    def touch(self, kind: str, *places: tuple[float, float]) -> None:
        points = [
            {"x": self._box["x"] + x, "y": self._box["y"] + y, "id": i}
            for i, (x, y) in enumerate(places)
        ]
        self._session.send(
            "Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points}
        )

    def stroke(self, *places: tuple[float, float]) -> None:
        self.touch("Start", places[0])
        for place in places[1:]:
            self.touch("Move", place)
        self.touch("End")

    def spread(self) -> None:
        """Two fingers, one after the other, move apart."""
        self.touch("Start", (150, 200))
        self.touch("Start", (150, 200), (220, 260))
        for step in range(1, 6):
            self.touch("Move", (150 - 6 * step, 200 - 6 * step), (220 + 6 * step, 260 + 6 * step))
        self.touch("End", (120, 170))
        self.touch("End")


def test_a_finger_draws_with_the_tools_of_the_dock_and_two_zoom(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=390, height=700, touch=True)
    page, fingers = viewer.page, Fingers(viewer)
    # Each as quick as it goes: the tap on the dock follows a stroke at once.
    for count in (1, 2, 3):
        page.get_by_role("button", name="Measure").last.tap()
        page.get_by_role("menuitemradio", name="Distance").tap()
        if count == 2:
            zoom = viewer.state["zoom"]
            fingers.spread()
            viewer.wait(f"dev.session.state.zoom > {1.5 * zoom}")
            assert page.evaluate(f"{_ITEMS}.length") == 1
            assert page.evaluate("dev.viewer.context.ui.tool") == "annotate"
        fingers.stroke((100, 150), (150, 200), (250, 250))
        viewer.wait(f"{_ITEMS}.length === {count}")
    assert page.evaluate(f"{_ITEMS}.every(({{ kind }}) => kind === 'distance')")


def test_horizon_fault_and_box_by_mouse(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=900, height=600)
    draw = Drawing(viewer)
    _check_a_horizon_is_tracked(viewer, draw)
    _check_sticks_of_one_fault(viewer, draw)
    _check_a_box_gets_its_depth_on_another_plane(viewer, draw)
    assert draw.leaked == []


def _check_a_horizon_is_tracked(viewer: DevPage, draw: Drawing) -> None:
    """A pick is placed by the press; what is tracked from it lies on other slices too."""
    draw.key("Shift+H")
    draw.click(300, 250)
    viewer.wait("dev.session.annotations.horizonServer.questions.length === 1")
    draw.key("Enter")
    (pick,) = draw.wait(1)
    assert draw.pixel(pick["points"][0]) == pytest.approx((300, 250), abs=9)
    draw.key("Shift+K")
    viewer.wait(f"{_ITEMS}[0].grid !== ''")
    first = "dev.session.annotations.store.items[0]"
    draw.page.mouse.wheel(0, 1200)
    viewer.wait(f"{_SECTION}.presence({first}) === 'on' && {first}.grid !== ''")
    draw.key("Control+z")
    viewer.wait(f"{_ITEMS}[0].grid === ''")
    draw.key("Escape")


def _check_sticks_of_one_fault(viewer: DevPage, draw: Drawing) -> None:
    slices = [viewer.slice_idx, viewer.slice_idx + 1]
    draw.key("Shift+J")
    for place in ((400, 150), (410, 250), (430, 350)):
        draw.click(*place)
    draw.key("Enter")
    draw.page.mouse.wheel(0, 120)
    viewer.wait_slice(slices[1])
    for place in ((405, 150), (435, 350)):
        draw.click(*place)
    draw.key("Enter")
    sticks = draw.wait(3)[1:]
    assert [{point[0] for point in stick["points"]} for stick in sticks] == [
        {slices[0]},
        {slices[1]},
    ]
    assert len({(stick["group"], stick["label"]) for stick in sticks}) == 1
    draw.key("Escape")


def _check_a_box_gets_its_depth_on_another_plane(viewer: DevPage, draw: Drawing) -> None:
    draw.key("Shift+X")
    draw.drag((200, 200), (300, 300))
    box = draw.wait(4)[-1]
    across = round((box["points"][0][1] + box["points"][1][1]) / 2)
    viewer.page.evaluate(
        f"dev.session.patch({{ axis: 1, slice_idx: [{viewer.slice_idx}, {across}, 300] }})"
    )
    viewer.wait(f"{_SECTION}.axis === 1 && {_SECTION}.slice === {across}")
    x, y = draw.pixel(box["points"][1])
    draw.drag((x, y), (x + 60, y))
    viewer.wait(f"{_ITEMS}[3].points[1][0] > {box['points'][1][0] + 5}")
    deeper = draw.items[3]["points"]
    assert [deeper[0], deeper[1][1]] == [box["points"][0], box["points"][1][1]]


def test_fingers_and_keys_pick_a_horizon_and_a_fault(open_viewer: OpenViewer) -> None:
    viewer = open_viewer(width=390, height=700, touch=True)
    page, key = viewer.page, viewer.page.keyboard.press
    fingers = Fingers(viewer)
    page.get_by_role("button", name="Measure").last.tap()
    page.get_by_role("menuitemradio", name="Horizon").tap()
    fingers.stroke((150, 250))
    page.get_by_role("button", name="Done").tap()
    viewer.wait(f"{_ITEMS}.length === 1")
    page.get_by_role("button", name="Track over the volume").tap()
    viewer.wait(f"{_ITEMS}[0].grid !== ''")
    viewer.wait(f"{_SECTION}.presence(dev.session.annotations.store.items[0]) === 'on'")
    # By keys alone: a stick of two nodes.
    viewer.view.focus()
    key("Escape")
    key("Shift+J")
    for step in ("Enter", *["Shift+ArrowDown"] * 4, "Enter", "Enter"):
        key(step)
    viewer.wait(f"{_ITEMS}.length === 2")
    stick = page.evaluate(f"{_ITEMS}[1]")
    (x0, y0), (x1, y1) = (
        page.evaluate(f"{_SECTION}.toPixel({point})").values() for point in stick["points"]
    )
    assert (x1 - x0, y1 - y0) == (pytest.approx(0, abs=0.5), pytest.approx(40, abs=0.5))
    assert (stick["label"], stick["kind"]) == ("Fault 1", "fault")
    key("Escape")
    assert page.evaluate("dev.viewer.context.ui.tool") == "navigate"
