"""Overlays in JupyterLab: Python adds one, the hand changes it on the page, Python hears of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from blustream_widget.testing.notebook_page import NotebookPage

_CELL = """
import nibabel, numpy as np
from blustream_widget import Viewer

def gauss(shape, spacing, centre, width):
    places = np.indices(shape) * spacing
    square = sum((place - at) ** 2 for place, at in zip(places, centre))
    return np.exp(-square / width**2).astype("float32")

def save(name, values, spacing):
    nibabel.save(nibabel.Nifti1Image(values, np.diag([spacing, spacing, spacing, 1.0])), name)

save("ct.nii", 900 * (gauss((60, 60, 60), 2.0, (60, 60, 60), 50) > 0.4).astype("float32"), 2.0)
save("pet.nii", 9 * gauss((24, 24, 24), 5.0, (70, 70, 60), 18), 5.0)
viewer = Viewer("ct.nii", axis="axial", height=620)
pet = viewer.add_overlay("pet.nii", threshold=1.0)
viewer
"""


def _wait(page: NotebookPage, claim: str) -> None:
    wait_until(lambda: page.read_python(claim), timeout_s=30, what=claim)


def _change_in_the_panel(page: NotebookPage, panel: Locator) -> None:
    panel.get_by_label("Opacity of pet").fill("30")
    _wait(page, "pet.opacity == 0.3")
    threshold = panel.get_by_label("Clear below, of pet")
    threshold.fill("")
    threshold.press("Enter")
    _wait(page, "pet.threshold is None")
    panel.get_by_label("Mode of pet").select_option("swipe")
    _wait(page, "(pet.mode, pet.opacity) == ('swipe', 1.0)")


def _drag_the_divider(page: NotebookPage, view: Locator) -> None:
    line = page.viewer().get_by_role("slider", name="Divider of pet").bounding_box()
    box = view.bounding_box()
    assert line is not None
    assert box is not None
    mouse, y = page.page.mouse, box["y"] + box["height"] / 3
    mouse.move(line["x"] + line["width"] / 2, y)
    mouse.down()
    mouse.move(box["x"] + 0.25 * box["width"], y, steps=4)
    mouse.up()
    _wait(page, "abs(pet.split - 0.25) < 0.005 and viewer.pan == (0.5, 0.5)")
    mouse.move(box["x"] + 0.45 * box["width"], y)
    labels = page.viewer().locator("[part=labels]").first
    wait_until(lambda: "pet " in labels.inner_text(), timeout_s=30, what="the value of pet")


def test_the_page_and_python_change_the_same_overlay(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    host = page.viewer()
    view = host.locator(".view")
    view.scroll_into_view_if_needed()
    _wait(page, "viewer.exact")
    view.focus()
    panel = host.get_by_role("group", name="pet")
    if not panel.is_visible():
        page.page.keyboard.press("]")
    _change_in_the_panel(page, panel)
    _drag_the_divider(page, view)
    view.focus()
    page.page.keyboard.down("q")
    _wait(page, "not viewer.show_overlays")
    page.page.keyboard.up("q")
    _wait(page, "viewer.show_overlays")
    assert page.problems == []
