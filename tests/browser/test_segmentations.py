"""Segmentations in JupyterLab: the list, the keys and the traits say the same; the hand paints."""

from __future__ import annotations

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

_CELL = """
import numpy as np
from blustream_widget import Viewer
from blustream_widget.core.geometry import place_slice
labels = np.zeros((20, 60, 80), np.uint8)
labels[8:14, 10:30, 20:40] = 1
labels[3:8, 40:51, 50:71] = 2
viewer = Viewer(np.ones(labels.shape, np.float32), axis=0, slice_idx=10, height=640)
bodies = viewer.add_segmentation(labels, "bodies", names={1: "salt", 2: "shale"})
def voxels():
    return sum(one["count"] for one in bodies.statistics())
def voxel_at(x, y):
    width, height = viewer.pane_size
    placed = place_slice(viewer.info, 0, zoom=viewer.zoom, pan=viewer.pan, stretch=viewer.stretch,
                         width_px=width, height_px=height)
    column, row = placed.to_voxel(x * width, y * height)
    at = {placed.plane.column_axis: round(column), placed.plane.row_axis: round(row)}
    return viewer.slice_idx, at[1], at[2]
viewer
"""


class Labels:
    """The segmentation of the cell, on the page and in Python."""

    def __init__(self, page: NotebookPage) -> None:
        self.page, self.viewer = page, page.viewer()
        self.viewer.scroll_into_view_if_needed()
        self.viewer.get_by_role("button", name="Side panel").first.click()
        self.panel = self.viewer.get_by_role("region", name="Segmentations")

    def click(self, name: str) -> None:
        self.panel.get_by_role("button", name=name, exact=True).click()

    def wait_python(self, claim: str) -> None:
        wait_until(lambda: self.page.read_python(f"bool({claim})"), timeout_s=30, what=claim)

    def drag(self, begin: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw across the picture, from one share of its sides to another."""
        box, hand = self.viewer.locator(".view").bounding_box(), self.page.page.mouse
        assert box is not None
        hand.move(box["x"] + begin[0] * box["width"], box["y"] + begin[1] * box["height"])
        hand.down()
        hand.move(box["x"] + end[0] * box["width"], box["y"] + end[1] * box["height"], steps=5)
        hand.up()


def test_the_list_the_keys_and_the_hand_change_labels(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    labels = Labels(page)
    change_looks(labels)
    paint_and_undo(labels)
    page.page.keyboard.press("o")
    labels.wait_python("not viewer.show_segmentations")


def change_looks(labels: Labels) -> None:
    labels.panel.get_by_role("button", name="Go to shale").click()  # known once they are counted
    labels.wait_python("viewer.crosshair_idx == (5, 45, 60)")
    labels.click("Show salt")
    labels.wait_python("bodies.hidden == (1,)")
    labels.panel.get_by_role("combobox", name="Style of bodies").select_option("both")
    labels.wait_python("bodies.style == 'both'")
    labels.panel.get_by_role("slider", name="Opacity of bodies").fill("80")
    labels.wait_python("bodies.opacity == 0.8")
    shale = labels.panel.get_by_role("slider", name="Opacity of shale in bodies")
    shale.fill("26")
    shale.press("ArrowLeft")
    labels.wait_python("bodies.opacities == {2: 0.25}")
    labels.page.run_python("bodies.opacities = {}")
    labels.panel.locator(
        "[aria-label='Opacity of shale in bodies'][title='Opacity 100 %']"
    ).wait_for()
    labels.click("Show salt")
    labels.wait_python("bodies.hidden == ()")


def paint_and_undo(labels: Labels) -> None:
    labels.click("Paint")
    labels.panel.locator("[aria-label='Paint'][aria-pressed=true]").wait_for()
    labels.click("Paint with shale")
    labels.panel.locator("[aria-label='Paint with shale'][aria-pressed=true]").wait_for()
    begin, end = (0.45, 0.4), (0.6, 0.5)
    labels.drag(begin, end)
    labels.wait_python("voxels() > (labels > 0).sum()")
    labels.wait_python(
        f"all(bodies.to_array()[voxel_at(*at)] == 2 and labels[voxel_at(*at)] == 0"
        f" for at in ({begin}, {end}))"
    )
    labels.wait_python("voxels() == (bodies.to_array() > 0).sum()")
    labels.viewer.locator(".view").focus()
    labels.page.page.keyboard.press("Control+z")
    labels.wait_python("voxels() == (labels > 0).sum()")
    labels.wait_python("np.array_equal(bodies.to_array(), labels)")
    smooth_and_grow(labels)
    labels.page.page.keyboard.press("Escape")
    labels.panel.locator("[aria-label='Grow a region'][aria-pressed=false]").wait_for()


def smooth_and_grow(labels: Labels) -> None:
    keyboard = labels.page.page.keyboard
    keyboard.press("7")
    labels.panel.locator("[aria-label='Smooth'][aria-pressed=true]").wait_for()
    keyboard.press("Enter")
    labels.wait_python("0 < (bodies.to_array() == 2).sum() < (labels == 2).sum()")
    labels.wait_python("np.array_equal(bodies.to_array() == 1, labels == 1)")
    keyboard.press("Control+z")
    labels.wait_python("np.array_equal(bodies.to_array(), labels)")
    keyboard.press("6")
    labels.panel.get_by_role("slider", name="Tolerance").fill("50")
    place = (0.45, 0.4)
    labels.drag(place, place)
    labels.wait_python(f"bodies.to_array()[voxel_at(*{place})] == 2")
    labels.wait_python("(bodies.to_array() == 2).sum() > (labels == 2).sum()")
    labels.viewer.locator(".view").focus()
    keyboard.press("Control+z")
    labels.wait_python("np.array_equal(bodies.to_array(), labels)")
