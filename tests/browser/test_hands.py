"""Label tools by mouse, finger and pen; view tools and annotations by pen: each read in Python."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

_CELL = """
import numpy as np
from blustream_widget import Viewer
from blustream_widget.core.geometry import place_slice
values = np.zeros((12, 60, 60), np.float32)
values[5, 20:30, 42:52] = 5
labels = np.zeros(values.shape, np.uint8)
labels[5, 4:16, 4:16] = labels[8, 4:16, 4:16] = 1
labels[[2, 3, 4, 5, 8, 9], 42:54, 42:54] = 2
labels[5, 40:43, 30:33] = 2
viewer = Viewer(values, axis=0, slice_idx=5, window=2, level=5, height=520)
mine = viewer.add_segmentation(labels, "mine", names={1: "liver", 2: "lung"})

def pixels(places):  # CSS pixels in the pane; the page has one device pixel for each
    width, height = viewer.pane_size
    placed = place_slice(viewer.info, 0, zoom=viewer.zoom, pan=viewer.pan, stretch=viewer.stretch,
                         width_px=width, height_px=height)
    column, row = placed.plane.column_axis, placed.plane.row_axis
    return [placed.to_pixel(place[column], place[row]) for place in places]

def is_now(*changes):
    wanted = labels.copy()
    for at, label in changes:
        wanted[at] = label
    return np.array_equal(mine.to_array(), wanted)

def painted(label, *slices):  # all that is other than before is this label, in those slices
    changed = mine.to_array() != labels
    return (set(mine.to_array()[changed]) == {label}
            and set(np.nonzero(changed)[0]) == set(slices))

def is_line(column, first, last):  # painted across so many rows of the shown slice
    return painted(2, 5) and (mine.to_array()[5, column, first : last + 1] == 2).all()

viewer
"""
Place = tuple[float, float]


@dataclass(frozen=True)
class Case:
    """What is drawn with a tool, by indices of the second and third axis, and what comes of it.

    Parameters
    ----------
    tool : str
    key : str
    strokes : tuple of Place
        One of them is a click; none: it is told by Enter, or by its own button.
    claim : str
        Of the labels, in Python.
    hands : str
        Of "mouse", "finger" and "pen", those that draw it.
    everywhere : bool
        In three dimensions.
    """

    tool: str
    key: str
    strokes: tuple[Place, ...]
    claim: str
    hands: str = "mouse finger"
    everywhere: bool = False


_NOW = "mine.to_array()"
_AROUND = ((2, 2), (18, 2), (18, 18), (2, 18))
_ERASED = f"painted(0, 5) and not {_NOW}[5, 10, 4:16].any()"
_WITHIN = (
    f"painted(2, 5) and ({_NOW}[5, 25, 42:52] == 2).all()"
    f" and ({_NOW}[values == 0] == labels[values == 0]).all()"
)
# The mouse paints and grows in test_segmentations.py; a pen draws as each gesture wants it.
_DRAWN = [
    Case("Paint", "d", ((25, 8), (25, 30)), "is_line(25, 8, 30)", "finger pen"),
    Case("Paint", "d", ((30, 30),), "painted(2, 3, 4, 5, 6, 7)", "finger", everywhere=True),
    Case("Erase", "e", ((10, 4), (10, 15)), _ERASED),
    Case("Paint inside the window", "y", ((25, 30), (25, 56)), _WITHIN),
    Case("Fill", "k", ((10, 10),), "is_now((np.s_[5, 4:16, 4:16], 2))"),
    Case("Grow a region", "6", ((25, 47),), "is_now((values == 5, 2))", "finger pen"),
    Case("Scissors", "j", _AROUND, "is_now((np.s_[5, 4:16, 4:16], 0))", "mouse finger pen"),
    Case("Scissors", "j", _AROUND, "is_now((labels == 1, 0))", "finger", everywhere=True),
]
_LARGEST_LEFT = "is_now((np.s_[5, 40:43, 30:33], 0), (np.s_[8:, 42:, 42:], 0))"
_BETWEEN = f"painted(2, 6, 7) and ({_NOW}[6:8, 43:53, 43:53] == 2).all()"
_TOLD = [
    Case("Islands", "8", (), _LARGEST_LEFT),
    Case("Fill between slices", "9", (), _BETWEEN),
]


class Hand:
    """On the viewer of the cell, its tools in the side panel; places are those of the window."""

    def __init__(self, page: NotebookPage) -> None:
        self.page, self.viewer = page, page.viewer()
        self.mouse, self.key = page.page.mouse, page.page.keyboard.press
        self.screen = page.page.context.new_cdp_session(page.page)
        self.viewer.get_by_role("button", name="Side panel").first.click()
        self.panel = self.viewer.get_by_role("region", name="Segmentations")
        self.view = self.viewer.locator(".view")
        self.view.scroll_into_view_if_needed()
        box = self.view.bounding_box()
        assert box is not None
        self.left, self.top = box["x"], box["y"]
        self.wait(f"viewer.exact and abs(viewer.pane_size[0] - {box['width']}) < 2")
        self.wait("is_now()")
        self.view.focus()
        self.key("d")
        self.panel.get_by_role("button", name="Paint with lung").click()
        self.view.focus()
        self.key("Escape")

    def wait(self, claim: str) -> None:
        wait_until(lambda: self.page.read_python(f"bool({claim})"), timeout_s=30, what=claim)

    def pixels(self, *places: Sequence[float]) -> list[Place]:
        """Where those are, by two indices of the slice or by all three."""
        whole = [place if len(place) == 3 else (5, *place) for place in places]
        found = self.page.read_python(f"pixels({whole})")
        return [(self.left + x, self.top + y) for x, y in found]

    # ------------------------------------------------------------ three ways to draw

    def by_mouse(self, places: Sequence[Place]) -> None:
        self.mouse.move(*places[0])
        self.mouse.down()
        for place in places[1:]:
            self.mouse.move(*place, steps=4)
        self.mouse.up()

    def by_finger(self, places: Sequence[Place]) -> None:
        self.touch("touchStart", places[0])
        for place in _between(places):
            self.touch("touchMove", place)
        self.touch("touchEnd")

    def touch(self, kind: str, *places: Place) -> None:
        points = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(places)]
        self.screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def by_pen(self, places: Sequence[Place], button: str = "left") -> None:
        self.pen("mouseMoved", places[0])
        self.pen("mousePressed", places[0], button)
        for place in _between(places):
            self.pen("mouseMoved", place, button)
        self.pen("mouseReleased", places[-1], button)

    def pen(self, kind: str, place: Place, button: str = "none") -> None:
        """A pen that hovers, or presses by a half with its tip ("left") or its barrel ("right")."""
        held = {"none": 0, "left": 1, "right": 2}[button] if kind != "mouseReleased" else 0
        event = {"type": kind, "x": place[0], "y": place[1], "pointerType": "pen"}
        more = {"button": button, "buttons": held, "force": 0.5 if held else 0.0}
        count = {"clickCount": int(kind != "mouseMoved")}
        self.screen.send("Input.dispatchMouseEvent", event | more | count)

    # ------------------------------------------------------------ label tools

    def ring(self) -> Place:
        """Middle of the brush that is shown."""
        box = self.viewer.locator(".brush").bounding_box()
        assert box is not None
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def tap(self, button: str) -> None:
        """Tap a button of the panel with a finger."""
        found = self.panel.get_by_role("button", name=button, exact=True)
        found.scroll_into_view_if_needed()
        box = found.bounding_box()
        assert box is not None
        self.by_finger([(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)])

    def wait_in_hand(self, tool: str, *, is_it: bool = True) -> None:
        self.panel.locator(f"[aria-label='{tool}'][aria-pressed={str(is_it).lower()}]").wait_for()

    def comes_of(self, claim: str) -> None:
        """See what came of an edit, and take it back."""
        self.wait(claim)
        self.key("Control+z")
        self.wait("is_now()")


def _between(places: Sequence[Place]) -> Iterator[Place]:
    for (x0, y0), (x1, y1) in itertools.pairwise(places):
        for share in (0.25, 0.5, 0.75, 1.0):
            yield x0 + share * (x1 - x0), y0 + share * (y1 - y0)


@pytest.mark.timeout(240)
def test_tools_by_mouse_finger_and_pen_do_in_python_what_they_say(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    hand = Hand(page)
    for case in _DRAWN:
        draw_by_each(hand, case)
    for case in _TOLD:
        tell_by_key_and_tap(hand, case)
    a_pen_shows_its_brush_and_erases_with_its_other_end(hand)
    two_fingers_zoom_and_draw_nothing(hand)
    view_tools_by_pen(hand)
    annotations_by_pen(hand)
    assert page.problems == []


def draw_by_each(hand: Hand, case: Case) -> None:
    """Taken by its key and put away by Escape, taken by a tap on its button; then drawn."""
    hand.key(case.key)
    hand.wait_in_hand(case.tool)
    hand.key("Escape")
    hand.wait_in_hand(case.tool, is_it=False)
    hand.tap(case.tool)
    hand.wait_in_hand(case.tool)
    hand.view.focus()
    if case.everywhere:
        hand.key("5")
    places = hand.pixels(*case.strokes)
    ways = {"mouse": hand.by_mouse, "finger": hand.by_finger, "pen": hand.by_pen}
    for name in case.hands.split():
        ways[name](places)
        hand.comes_of(case.claim)
    if case.everywhere:
        hand.key("5")
    hand.key("Escape")


def tell_by_key_and_tap(hand: Hand, case: Case) -> None:
    hand.key(case.key)
    hand.wait_in_hand(case.tool)
    hand.key("Enter")
    hand.comes_of(case.claim)
    hand.tap({"Islands": "Keep largest"}.get(case.tool, "Fill between"))
    hand.wait(case.claim)
    hand.view.focus()
    hand.comes_of(case.claim)
    hand.key("Escape")


def a_pen_shows_its_brush_and_erases_with_its_other_end(hand: Hand) -> None:
    hand.key("d")
    hand.wait_in_hand("Paint")
    x, y = hand.pixels((10, 10))[0]
    hand.pen("mouseMoved", (x, y))
    wait_until(lambda: hand.ring() == pytest.approx((x, y), abs=1), timeout_s=30, what="the ring")
    hand.page.page.evaluate(_TURN_PEN, True)
    hand.by_pen(hand.pixels((10, 4), (10, 15)))
    hand.page.page.evaluate(_TURN_PEN, False)
    hand.comes_of(_ERASED)


# What the other end of a pen says of itself: the browser's protocol has no such button.
_TURN_PEN = """(isTurned) => {
  for (const name of ['button', 'buttons']) {
    delete PointerEvent.prototype[name];
    const { get } = Object.getOwnPropertyDescriptor(MouseEvent.prototype, name);
    if (isTurned) Object.defineProperty(PointerEvent.prototype, name, { configurable: true, get() {
      const value = get.call(this);
      if (this.pointerType !== 'pen') return value;
      return name === 'buttons' ? value && 32 : value === 0 ? 5 : value;
    } });
  }
}"""


def two_fingers_zoom_and_draw_nothing(hand: Hand) -> None:
    """The second finger gives up what the first has begun; a single one paints again after it."""
    (x, y), (far, _) = hand.pixels((20, 25), (34, 25))
    hand.touch("touchStart", (x, y))
    hand.touch("touchMove", (x + 10, y))
    hand.viewer.locator(".brushes polyline").wait_for(
        state="attached"
    )  # a level line has no height
    hand.touch("touchStart", (x + 10, y), (far, y))
    for step in range(1, 5):
        hand.touch("touchMove", (x + 10 - 10 * step, y), (far + 10 * step, y))
    hand.touch("touchEnd")
    apart = far - x - 10
    hand.wait(f"abs(viewer.zoom - {(apart + 80) / apart}) < 0.02 and is_now()")
    hand.by_finger(hand.pixels((25, 20), (25, 24)))
    hand.comes_of("is_line(25, 20, 24)")
    hand.key("Escape")
    hand.key("0")
    hand.wait("viewer.zoom == 1 and viewer.pan == (0.5, 0.5)")


def view_tools_by_pen(hand: Hand) -> None:
    """A pen is a mouse: it pans, windows and points, and its barrel is the right button."""
    near, far = hand.pixels((20, 20), (26, 30))
    hand.by_pen([near, far])
    hand.wait(
        f"np.allclose(pixels([(5, 20, 20)]), {[(far[0] - hand.left, far[1] - hand.top)]}, atol=1)"
    )
    hand.key("0")
    hand.wait("viewer.pan == (0.5, 0.5)")
    hand.by_pen([near, (near[0] + 60, near[1])], "right")
    hand.wait("viewer.window > 2.2 and viewer.pan == (0.5, 0.5)")
    hand.page.run_python("viewer.window = 2")
    hand.key("w")
    hand.by_pen([near, (near[0] - 60, near[1])])
    hand.wait("viewer.window < 1.8 and viewer.pan == (0.5, 0.5)")
    hand.key("x")
    hand.by_pen([far])
    hand.wait("viewer.crosshair and viewer.crosshair_idx == (5, 26, 30)")
    hand.by_pen([far, near])
    hand.wait("viewer.crosshair_idx == (5, 20, 20)")
    hand.key("Escape")
    hand.by_pen([near], "right")
    hand.viewer.get_by_role("menu").wait_for()
    hand.key("Escape")
    hand.viewer.get_by_role("menu").wait_for(state="detached")


def annotations_by_pen(hand: Hand) -> None:
    """Drags, taps and a stroke draw; what is drawn is chosen and its corner dragged."""
    ends = ((10, 20), (20, 40))
    marks: list[tuple[str, str, tuple[Place, ...]]] = [
        ("Shift+M", "distance", ends),
        ("Shift+G", "polygon", ((30, 30), (40, 34), (34, 40))),
        ("Shift+F", "freehand", ((34, 4), (34, 14), (38, 18))),
    ]
    for count, (key, kind, strokes) in enumerate(marks, 1):
        hand.key(key)
        places = hand.pixels(*strokes)
        if kind == "polygon":
            for place in places:
                hand.by_pen([place])
            hand.key("Enter")
        else:
            hand.by_pen(places)
        hand.wait(f"len(viewer.annotations) == {count} and viewer.annotations[-1].kind == '{kind}'")
        corners = hand.page.read_python("[list(p) for p in viewer.annotations[-1].points]")
        for place, at in zip(hand.pixels(*corners), places, strict=True):
            assert place == pytest.approx(at, abs=1), kind
        hand.key("Escape")
    begin, other = hand.pixels(ends[0], (12, 50))
    hand.by_pen([begin])  # choose it
    hand.by_pen([begin, other])
    hand.wait("np.allclose(viewer.annotations[0].points, [(5, 12, 50), (5, 20, 40)], atol=0.2)")
    assert hand.page.read_python("viewer.pan") == [0.5, 0.5]
