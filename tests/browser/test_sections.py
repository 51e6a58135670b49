"""Sections of a survey in JupyterLab: wiggles, the spectrum of a rectangle, planes at any angle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from blustream_widget.testing.notebook_page import NotebookPage

_CELL = """
import numpy as np
from blustream_widget import Viewer
sine = np.sin(2 * np.pi * 0.03 * np.arange(100)).astype(np.float32)
viewer = Viewer(np.tile(sine, (6, 20, 1)), kind="seismic", axis=0, window=2, level=0,
                colormap="seismic", height=320)
viewer
"""


def _wait(page: NotebookPage, claim: str) -> None:
    wait_until(lambda: page.read_python(claim), timeout_s=30, what=claim)


def _shares(page: NotebookPage) -> tuple[float, float]:
    """Shares of black, and of any grey from black to white, among the section's pixels."""
    pixels = page.pixels(page.viewer().locator(".view")).astype(int)
    if pixels.size == 0:
        return 0.0, 0.0
    is_grey = np.ptp(pixels[..., :3], axis=2) < 12
    return float((is_grey & (pixels[..., 0] < 30)).mean()), float(is_grey.mean())


def _wait_shares(page: NotebookPage, what: str, black: tuple[float, float], grey: float) -> None:
    def is_shown() -> bool:
        found = _shares(page)
        return black[0] <= found[0] <= black[1] and abs(found[1] - grey) < 0.15

    wait_until(is_shown, timeout_s=30, what=what)


def test_wiggles_come_by_key_and_a_rectangle_has_a_spectrum(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    view = page.viewer().locator(".view")
    view.scroll_into_view_if_needed()
    _wait_shares(page, "colours", black=(0, 0.01), grey=0.05)
    view.focus()
    page.page.keyboard.press("Shift+W")
    # Half of the section lies in peaks, which are filled to the mean of half a sine.
    _wait_shares(page, "wiggles on white", black=(0.2, 0.5), grey=1.0)
    _wait(page, "viewer.display == 'wiggle'")
    page.run_python("viewer.display = 'wiggle+density'")
    _wait_shares(page, "wiggles over colours", black=(0.02, 0.2), grey=0.15)
    _check_the_spectrum(page)
    assert page.problems == []


def _check_the_spectrum(page: NotebookPage) -> None:
    box = page.viewer().locator(".view").bounding_box()
    assert box is not None
    mouse = page.page.mouse
    page.page.keyboard.press("Shift+R")
    mouse.move(box["x"] + 100, box["y"] + 40)
    mouse.down()
    mouse.move(box["x"] + 300, box["y"] + 200, steps=3)
    mouse.up()
    page.page.keyboard.press("]")
    drawn = page.viewer().locator('[part="spectrum"] svg')
    drawn.wait_for(timeout=30_000)
    assert "Amplitude spectrum of" in (drawn.get_attribute("aria-label") or "")
    _wait(page, "len(viewer.annotations) == 1")
    found = page.read_python(
        "(lambda s: [s.unit, s.dominant, s.n_traces, s.n_left_out])"
        "(viewer.spectrum(viewer.annotations[0]))"
    )
    assert found[0] == "cycles/sample"
    assert found[1] == pytest.approx(0.03, rel=0.2)  # the window has one or two periods
    assert found[2] > 3
    assert found[3] == 0


_RAMP = """
import numpy as np
from blustream_widget import Viewer
ramp = np.broadcast_to(np.arange(64, dtype=np.float32)[:, None, None], (64, 64, 48))
viewer = Viewer(ramp, kind="seismic", axis=0, slice_idx=32, window=64, level=31.5, colormap="grey",
                view_layout="orthogonal", crosshair=True, height=420)
viewer
"""


def _middle(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _steps(page: NotebookPage) -> int:
    """How much darker or lighter the first pane is on its right than on its left, of 255."""
    pixels = page.pixels(page.viewer().locator(".view").first).astype(int)
    if pixels.size == 0:
        return 0
    height, width = pixels.shape[:2]
    rows = pixels[height * 5 // 8 : height * 6 // 8, :, 0]
    left, right = (rows[:, width * n // 8] for n in (3, 6))
    return int(np.median(right) - np.median(left))


def test_a_plane_is_turned_by_hand_and_a_fence_is_picked(open_notebook) -> None:
    page = open_notebook(_RAMP, height_px=1000)
    page.run_all()
    views = page.viewer().locator(".view")
    views.first.scroll_into_view_if_needed()
    _wait(page, "viewer.exact")
    assert abs(_steps(page)) <= 2  # an inline of one number
    on_map = views.nth(2)
    on_map.locator(".turn").nth(3).wait_for()
    mouse, keyboard = page.page.mouse, page.page.keyboard
    x, y = _middle(on_map.locator(".turn").first)
    mouse.move(x, y)
    mouse.down()
    keyboard.down("Shift")
    mouse.move(x - 60, y + 60, steps=3)
    mouse.up()
    keyboard.up("Shift")
    _wait(page, "viewer.panes[0].section is not None and viewer.panes[2].section is None")
    wait_until(lambda: abs(_steps(page)) > 20, timeout_s=30, what="the numbers of many inlines")
    mouse.move(*_middle(views.first))
    mouse.wheel(0, 300)
    _wait(page, "viewer.crosshair_idx[0] != 32 and viewer.crosshair_idx[1] != 32")
    page.run_python("viewer.fence = [(8, 8), (56, 40)]")
    wait_until(lambda: _steps(page) > 40, timeout_s=30, what="the fence goes to higher inlines")
    views.first.locator(".back").click()
    _wait(page, "viewer.section is None")
    wait_until(lambda: abs(_steps(page)) <= 2, timeout_s=30, what="an inline again")
    assert page.problems == []
