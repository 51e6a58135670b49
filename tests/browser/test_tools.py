"""Every tool that draws, in JupyterLab by mouse, by fingers and by keys alone, read in Python."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import pytest

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

_CELL = """
import math, numpy as np
from blustream_widget import Viewer
from blustream_widget.core.geometry import place_slice
viewer = Viewer(np.zeros((12, 60, 60), np.float32), axis=0, slice_idx=5, kind="seismic", height=520)

def place_of(point):  # CSS pixels in the pane; the page has one device pixel for each
    width, height = viewer.pane_size
    placed = place_slice(viewer.info, 0, zoom=viewer.zoom, pan=viewer.pan, stretch=viewer.stretch,
                         width_px=width, height_px=height)
    return placed.to_pixel(point[placed.plane.column_axis], point[placed.plane.row_axis])

def newest():
    item = viewer.annotations[-1]
    return [len(viewer.annotations), item.kind, [place_of(point) for point in item.points]]

viewer
"""
Place = tuple[float, float]


@dataclass(frozen=True)
class Tool:
    """Its key, what it makes, and strokes: of one place (a click) or of more (a drag)."""

    key: str
    kind: str
    strokes: tuple[tuple[Place, ...], ...]
    end: str = ""
    """Key that ends it."""
    snaps: bool = False
    """Its places follow the data, or are more than those of the strokes."""
    places: tuple[Place, ...] = field(init=False)

    def __post_init__(self) -> None:
        places = tuple(place for stroke in self.strokes for place in stroke)
        object.__setattr__(self, "places", places)


_DRAG = (((200.0, 150.0), (300.0, 210.0)),)
_BEND = (((200.0, 150.0),), ((260.0, 240.0),), ((300.0, 160.0),))
_CURVE = (((200.0, 150.0), (250.0, 150.0), (250.0, 220.0)),)
_TOOLS = [
    Tool("Shift+P", "point", (((220.0, 180.0),),)),
    Tool("Shift+T", "text", (((230.0, 190.0),),)),
    Tool("Shift+A", "arrow", _DRAG),
    Tool("Shift+L", "line", _DRAG),
    Tool("Shift+M", "distance", _DRAG),
    Tool("Shift+I", "profile", _DRAG),
    Tool("Shift+R", "rectangle", _DRAG),
    Tool("Shift+E", "ellipse", _DRAG),
    Tool("Shift+X", "box", _DRAG, snaps=True),
    Tool("Shift+Y", "polyline", _BEND, end="Enter"),
    Tool("Shift+D", "path", _BEND, end="Enter"),
    Tool("Shift+G", "polygon", _BEND, end="Enter"),
    Tool("Shift+N", "angle", _BEND),
    Tool("Shift+C", "cobb", (_DRAG[0], ((200.0, 230.0), (300.0, 240.0)))),
    Tool("Shift+F", "freehand", _CURVE, snaps=True),
    Tool("Shift+O", "freehand", _CURVE, snaps=True),
    Tool("Shift+H", "horizon", _BEND[:2], end="Enter", snaps=True),
    Tool("Shift+J", "fault", _BEND, end="Enter"),
]


class Hand:
    """Draws on the picture of the cell."""

    def __init__(self, page: NotebookPage) -> None:
        self.page, self.tool = page, page.page.keyboard.press
        self.view = page.viewer().locator(".view")
        self.view.scroll_into_view_if_needed()
        self.wait("viewer.exact")
        box = self.view.bounding_box()
        assert box is not None
        self.wait(f"abs(viewer.pane_size[0] - {box['width']}) < 2")
        self.left, self.top = box["x"], box["y"]
        self.view.focus()

    def wait(self, claim: str) -> None:
        wait_until(lambda: self.page.read_python(f"bool({claim})"), timeout_s=30, what=claim)

    def finish(self, tool: Tool) -> None:
        """End a shape as its tool says, and let go of the tool."""
        keyboard = self.page.page.keyboard
        if tool.kind == "text":
            self.page.viewer().locator("input[type=text]:focus").wait_for()
            keyboard.type("note")
            keyboard.press("Enter")
        elif tool.end:
            keyboard.press(tool.end)

    def drawn(self, tool: Tool, count: int) -> list[Place]:
        """Wait until Python has a new annotation of the tool's kind; gives its places."""
        wait_until(
            lambda: self.page.read_python("len(viewer.annotations)") == count,
            timeout_s=30,
            what=lambda: f"{tool.kind} ({tool.key}) is annotation {count}",
        )
        _, kind, places = self.page.read_python("newest()")
        assert kind == tool.kind
        self.page.page.keyboard.press("Escape")
        return places


@pytest.fixture
def open_hand(open_notebook):
    def open_it(**options) -> Hand:
        page = open_notebook(_CELL, **options)
        page.run_all()
        return Hand(page)

    return open_it


def _near(places: list[Place], wanted: tuple[Place, ...]) -> bool:
    return len(places) == len(wanted) and all(
        place == pytest.approx(at, abs=1) for place, at in zip(places, wanted, strict=True)
    )


@pytest.mark.timeout(240)
def test_each_tool_by_mouse_is_where_it_was_drawn_in_python(open_hand) -> None:
    hand = open_hand()
    mouse = hand.page.page.mouse
    for count, tool in enumerate(_TOOLS, 1):
        hand.tool(tool.key)
        for stroke in tool.strokes:
            for step, (x, y) in enumerate(stroke):
                mouse.move(hand.left + x, hand.top + y, steps=1 if step == 0 else 3)
                if step == 0:
                    mouse.down()
            mouse.up()
        hand.finish(tool)
        places = hand.drawn(tool, count)
        assert tool.snaps or _near(places, tool.places), (tool, places)
    assert hand.page.problems == []


@pytest.mark.timeout(240)
def test_each_tool_by_taps_and_by_keys_alone_is_in_python(open_hand) -> None:
    hand = open_hand(touch=True)
    by_taps = [tool for tool in _TOOLS if tool.kind not in ("freehand", "box")]
    for count, tool in enumerate(by_taps, 1):
        hand.tool(tool.key)
        for x, y in tool.places:
            hand.page.page.touchscreen.tap(hand.left + x, hand.top + y)
        hand.finish(tool)
        places = hand.drawn(tool, count)
        assert tool.snaps or _near(places, tool.places), (tool, places)
    hand.page.run_python("viewer.annotations.clear()")
    hand.wait("len(viewer.annotations) == 0")
    for count, tool in enumerate(by_taps, 1):
        hand.tool(tool.key)
        for number in range(len(tool.places)):
            for _ in range(3 if number else 0):
                hand.tool("Shift+ArrowRight")
                if number % 2:
                    hand.tool("Shift+ArrowDown")
            hand.tool("Enter")
        hand.finish(tool)
        places = hand.drawn(tool, count)
        for number, (before, after) in enumerate(itertools.pairwise(places), 1):
            step = (30, 30 * (number % 2))
            moved = tuple(b - a for a, b in zip(before, after, strict=True))
            assert tool.snaps or moved == pytest.approx(step, abs=1), (tool, places)
    assert hand.page.problems == []
