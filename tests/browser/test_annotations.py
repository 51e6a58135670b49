"""Annotations in JupyterLab: what the hand draws is in Python, what Python adds is on the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from blustream_widget.testing.notebook_page import NotebookPage

_CELL = """
import math, nibabel, numpy as np
from blustream_widget import Viewer
from blustream_widget.core.geometry import place_slice
affine = np.diag([2.0, 3.0, 4.0, 1.0])
nibabel.save(nibabel.Nifti1Image(np.zeros((60, 50, 40), np.float32), affine), "body.nii")
viewer = Viewer("body.nii", axis="axial", height=520)
seen = []
viewer.observe(lambda change: seen.append(len(viewer.annotations)), "annotations")

def place_of(point):  # CSS pixels in the pane; the page has one device pixel for each
    width, height = viewer.pane_size
    placed = place_slice(viewer.info, 2, zoom=viewer.zoom, pan=viewer.pan, stretch=viewer.stretch,
                         width_px=width, height_px=height, rotation=viewer.rotation,
                         flip_x=viewer.flip_x, flip_y=viewer.flip_y)
    return placed.to_pixel(point[placed.plane.column_axis], point[placed.plane.row_axis])

def lies_at(item, *places):
    return all(math.dist(place_of(p), at) < 1 for p, at in zip(item.points, places, strict=True))

viewer
"""


def _wait(page: NotebookPage, claim: str) -> None:
    wait_until(lambda: page.read_python(claim), timeout_s=30, what=claim)


def _drag(page: NotebookPage, *places: tuple[float, float]) -> None:
    """Press, move and release the left button at places of the picture."""
    box = page.viewer().locator(".view").bounding_box()
    assert box is not None
    mouse = page.page.mouse
    for step, (x, y) in enumerate(places):
        mouse.move(box["x"] + x, box["y"] + y, steps=1 if step == 0 else 3)
        if step == 0:
            mouse.down()
    mouse.up()


def test_hand_and_python_draw_on_the_same_volume(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    view = page.viewer().locator(".view")
    view.scroll_into_view_if_needed()
    _wait(page, "viewer.exact")
    view.focus()
    _check_the_hand_draws(page)
    _check_python_draws(page)
    _check_a_turned_slice(page)
    assert page.problems == []


def _check_the_hand_draws(page: NotebookPage) -> None:
    page.page.keyboard.press("m")
    _drag(page, (320, 150), (420, 240))
    _wait(page, "len(viewer.annotations) == 1 and seen[-1:] == [1]")
    _wait(page, "lies_at(viewer.annotations[0], (320, 150), (420, 240))")
    value, unit = page.read_python("viewer.annotations[0].quantities['distance']")
    steps = page.read_python("np.diff(viewer.annotations[0].points, axis=0)[0].tolist()")
    assert unit == "mm"
    assert value == pytest.approx(math.hypot(2 * steps[0], 3 * steps[1], 4 * steps[2]))
    assert value > 40
    # One end is taken elsewhere, and that is taken back.
    _drag(page, (420, 240), (460, 200))
    _wait(page, "lies_at(viewer.annotations[0], (320, 150), (460, 200))")
    page.page.keyboard.press("Control+z")
    _wait(page, "lies_at(viewer.annotations[0], (320, 150), (420, 240))")


def _check_python_draws(page: NotebookPage) -> None:
    page.run_python(
        "beside = [(a + 5, b - 5, c) for a, b, c in viewer.annotations[0].points]\n"
        "viewer.annotations.add('line', beside, label='by Python')"
    )
    page.page.keyboard.press("]")
    row = page.viewer().get_by_role("option", name="by Python")
    row.click()  # chosen, so that it can be taken by its body
    view = page.viewer().locator(".view")
    _wait(page, f"abs(viewer.pane_size[0] - {view.evaluate('(el) => el.clientWidth')}) < 2")
    (x0, y0), (x1, y1) = page.read_python("[place_of(p) for p in viewer.annotations[1].points]")
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    _drag(page, (x, y), (x + 30, y + 20))
    moved = f"({x0 + 30}, {y0 + 20}), ({x1 + 30}, {y1 + 20})"
    _wait(page, f"lies_at(viewer.annotations[1], {moved})")
    assert page.read_python("viewer.undo() and viewer.undo()")  # the hand's step, and its own
    row.wait_for(state="detached")
    assert page.read_python("[item.kind for item in viewer.annotations]") == ["distance"]


def _check_a_turned_slice(page: NotebookPage) -> None:
    page.run_python("viewer.annotations.clear()")
    page.viewer().locator(".view").focus()
    page.page.keyboard.press("r")  # by hand: the page draws by it at once
    page.page.keyboard.press("h")
    _wait(page, "viewer.rotation % 180 == 90 and viewer.flip_x != viewer.flip_y")
    page.page.keyboard.press("m")
    _drag(page, (220, 150), (300, 260))
    _wait(page, "len(viewer.annotations) == 1")
    _wait(page, "lies_at(viewer.annotations[0], (220, 150), (300, 260))")
