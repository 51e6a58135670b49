"""At rest the display has exactly the colours that the colour map gives for the voxels."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt
import pytest

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# Value v is entry v of the colour map's 1024.
_CELL = """
import numpy as np
from blustream_widget import Viewer
array = np.random.default_rng(3).integers(0, 1024, (4, 190, 130)).astype(np.int16)
viewer = Viewer(array, axis=0, slice_idx=1, kind="generic", window=1024, level=511.5,
                colormap={colormap!r}, interpolate=False, height=480)
viewer
"""
# For each pixel the colour of the voxel that lies under its centre.
_EXPECTED = """
from blustream_widget.core.geometry import place_slice
from blustream_widget.render.colormaps import rgb_table
width, height = viewer.pane_size
placed = place_slice(viewer.info, 0, zoom=viewer.zoom, pan=tuple(viewer.pan),
                     stretch=viewer.stretch, width_px=width, height_px=height)
columns = [round(placed.to_voxel(x + 0.5, 0)[0]) for x in range(width)]
rows = [round(placed.to_voxel(0, y + 0.5)[1]) for y in range(height)]
picture = np.zeros((height, width, 3), np.uint8)
across = [0 <= column < array.shape[1] for column in columns]
down = [0 <= row < array.shape[2] for row in rows]
values = array[viewer.slice_idx].T[np.ix_(np.array(rows)[down], np.array(columns)[across])]
picture[np.ix_(down, across)] = rgb_table(viewer.colormap)[values]
np.save({path!r}, picture)
"""


def _on_display(page: NotebookPage) -> npt.NDArray[np.uint8]:
    """What the compositor puts on the display where the view is, RGB, in device pixels."""
    box = page.viewer().locator(".view").first.bounding_box()
    assert box is not None
    png = page.page.screenshot(clip=box)
    with av.open(io.BytesIO(png)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def _middle(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Without what lies over the picture near its edges: labels, colour bar, ring."""
    height, width = pixels.shape[:2]
    return pixels[height // 4 : height * 3 // 4, width * 2 // 5 : width * 3 // 5]


@pytest.mark.parametrize("colormap", ["grey", "seismic"])
def test_the_display_at_rest_has_the_colour_map_of_the_voxels(
    lab, browser: Browser, tmp_path: Path, colormap
) -> None:
    name = f"exact-{colormap}.ipynb"
    lab.write_notebook(name, [_CELL.format(colormap=colormap)])
    page = NotebookPage(browser, lab, name)
    path = tmp_path / "expected.npy"

    def is_exact() -> bool:
        page.run_python(_EXPECTED.format(path=str(path)))
        display = _on_display(page)
        # Picture sizes are even: the pane may cut the last row and column.
        height, width = display.shape[:2]
        return np.array_equal(_middle(display), _middle(np.load(path)[:height, :width]))

    try:
        page.run_all()
        page.viewer().scroll_into_view_if_needed()
        for slice_idx in (1, 2, 3):  # the first by the canvas, later ones after a video
            page.run_python(f"viewer.slice_idx = {slice_idx}")
            wait_until(
                is_exact, timeout_s=20, what=f"the display has the exact pixels of {slice_idx}"
            )
    finally:
        page.close()
        lab.delete_sessions()
