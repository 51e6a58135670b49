"""Several panes in JupyterLab: each shows its slice exactly, and follows hand and Python."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

# Value v is entry v of the colour map's 1024; no two planes are alike.
_CELL = """
import numpy as np
from blustream_widget import Viewer
array = np.random.default_rng(3).integers(0, 1024, (60, 50, 40)).astype(np.int16)
viewer = Viewer(array, kind="generic", window=1024, level=511.5, colormap="grey",
                interpolate=False, height=560, view_layout="orthogonal")
viewer
"""
# For each pixel of a pane the colour of the voxel that lies under its centre.
_EXPECTED = """
from blustream_widget.core.geometry import place_slice
from blustream_widget.render.colormaps import rgb_table
pane = viewer.panes[{index}]
width, height = pane.size
axis = [a.name for a in viewer.info.axes].index(pane.axis)
placed = place_slice(viewer.info, axis, zoom=pane.zoom, pan=tuple(pane.pan), stretch=pane.stretch,
                     width_px=width, height_px=height, rotation=pane.rotation,
                     flip_x=pane.flip_x, flip_y=pane.flip_y)
columns = np.array([round(placed.to_voxel(x + 0.5, 0)[0]) for x in range(width)])
rows = np.array([round(placed.to_voxel(0, y + 0.5)[1]) for y in range(height)])
across = (columns >= 0) & (columns < array.shape[placed.plane.column_axis])
down = (rows >= 0) & (rows < array.shape[placed.plane.row_axis])
first = max(pane.slice_idx - (pane.slab - 1) // 2, 0)
values = np.moveaxis(array, axis, 0)[first : first + pane.slab].max(0)
if placed.plane.column_axis < placed.plane.row_axis:
    values = values.T
picture = np.zeros((height, width, 3), np.uint8)
inside = np.ix_(down, across)
picture[inside] = rgb_table(viewer.colormap)[values[np.ix_(rows[down], columns[across])]]
np.save({path!r}, picture)
"""
_VOXEL_OF = """
from blustream_widget.core.geometry import place_slice
width, height = viewer.panes[0].size
placed = place_slice(viewer.info, 0, zoom=1.0, pan=(0.5, 0.5), stretch=1.0, width_px=width,
                     height_px=height)
clicked = [round(v) for v in placed.to_voxel({x}, {y})]
"""


class Panes:
    """The panes of the first viewer on a page."""

    def __init__(self, page: NotebookPage, folder: Path) -> None:
        self.page = page
        self._path = folder / "expected.npy"

    def view(self, index: int) -> Locator:
        return self.page.viewer().locator(".view").nth(index)

    def box(self, index: int) -> dict[str, float]:
        box = self.view(index).bounding_box()
        assert box is not None
        return dict(box)

    def on_display(self, index: int) -> npt.NDArray[np.uint8]:
        """What the compositor puts on the display where the pane is, RGB."""
        png = self.page.page.screenshot(clip=self.view(index).bounding_box())
        with av.open(io.BytesIO(png)) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24")

    def is_exact(self, index: int) -> bool:
        """Whether its middle shows the very colours of its slice; labels lie at the edges."""
        self.page.run_python(_EXPECTED.format(index=index, path=str(self._path)))
        display, expected = self.on_display(index), np.load(self._path)
        height = min(display.shape[0], expected.shape[0])
        width = min(display.shape[1], expected.shape[1])
        if abs(expected.shape[0] - display.shape[0]) > 2:
            return False  # still of another size
        middle = np.s_[height * 3 // 8 : height * 5 // 8, width * 2 // 5 : width * 3 // 5]
        return np.array_equal(display[middle], expected[middle])

    def wait_exact(self, *indices: int) -> None:
        for index in indices:
            wait_until(
                lambda index=index: self.is_exact(index),
                timeout_s=30,
                what=f"pane {index} has the exact pixels of its slice",
            )

    def wait_python(self, claim: str) -> None:
        wait_until(lambda: self.page.read_python(claim), timeout_s=30, what=claim)


def test_panes_show_their_slices_and_lead_each_other(open_notebook, tmp_path) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    page.viewer().scroll_into_view_if_needed()
    panes, mouse = Panes(page, tmp_path), page.page.mouse

    panes.wait_python("viewer.crosshair")  # linked planes show where they meet
    page.run_python("viewer.crosshair = False")
    panes.wait_exact(0, 1, 2)
    page.run_python("viewer.panes[1].slice_idx = 7")
    panes.wait_exact(1)
    assert page.read_python("[pane.slice_idx for pane in viewer.panes]") == [30, 7, 20]

    # Planes that are linked meet where one of them is clicked; the first click brings the focus.
    page.run_python("viewer.crosshair = True")
    page.viewer().locator("[part=crosshair]").nth(2).wait_for()
    box = panes.box(0)
    x, y = box["width"] * 0.55, box["height"] * 0.45
    panes.view(0).focus()
    mouse.click(box["x"] + x, box["y"] + y)
    page.run_python(_VOXEL_OF.format(x=x, y=y))
    panes.wait_python("[pane.slice_idx for pane in viewer.panes] == [30, *clicked]")
    page.run_python("viewer.crosshair = False")
    panes.wait_exact(0, 1, 2)

    # The wheel turns the pane under the pointer, which is in use then.
    box = panes.box(2)
    mouse.move(box["x"] + 60, box["y"] + 80)
    mouse.wheel(0, 100)
    panes.wait_python("viewer.active == 2 and viewer.slice_idx == clicked[1] + 1")
    panes.wait_exact(2, 0)


def test_panes_are_laid_out_by_hand_and_stay_so(open_notebook, tmp_path) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    page.viewer().scroll_into_view_if_needed()
    panes, mouse = Panes(page, tmp_path), page.page.mouse
    panes.wait_python("viewer.crosshair")
    page.run_python("viewer.crosshair = False")
    panes.wait_exact(0, 1, 2)

    gutter = page.viewer().get_by_role("separator", name="Width of the columns").bounding_box()
    assert gutter is not None
    x, y = gutter["x"] + gutter["width"] / 2, gutter["y"] + 40
    mouse.move(x, y)
    mouse.down()
    mouse.move(x - 80, y, steps=4)
    mouse.up()
    panes.wait_python("len(viewer.columns) == 2 and viewer.columns[0] < 0.45")
    panes.wait_exact(0, 1, 2)
    mouse.dblclick(x - 80, y)
    panes.wait_python("viewer.columns == ()")

    box = panes.box(1)
    mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    panes.wait_python("viewer.maximised and viewer.active == 1")
    panes.wait_exact(1)
    assert not panes.view(0).is_visible()
    page.page.keyboard.press("z")
    panes.wait_python("not viewer.maximised")
    panes.wait_exact(0, 1, 2)


def test_a_layout_of_the_menu_is_there_after_a_reload(open_notebook, tmp_path) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    panes = Panes(page, tmp_path)
    panes.wait_python("viewer.crosshair")
    page.viewer().get_by_role("button", name="Layout of the panes").click()
    page.viewer().get_by_role("menuitemradio", name="Side by side").click()
    panes.wait_python("viewer.view_layout == 'compare' and len(viewer.panes) == 2")
    page.run_python("viewer.panes[1].slice_idx = 3; viewer.crosshair = False")
    panes.wait_exact(0, 1)
    # Turned by hand, and a slab from Python.
    panes.view(0).focus()
    for key in ("r", "h", "r"):
        page.page.keyboard.press(key)
    panes.wait_python("(viewer.rotation, viewer.flip_x, viewer.active) == (0, True, 0)")
    page.run_python("viewer.panes[1].rotation = 90; viewer.panes[1].slab = 5")
    panes.wait_exact(0, 1)

    page.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.viewer().scroll_into_view_if_needed()
    panes.wait_exact(0, 1)
    assert page.read_python("viewer.view_layout") == "compare"
