"""Horizons in JupyterLab: picked by the mouse, tracked by the keys, in Python at their depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from blustream_widget.testing.notebook_page import NotebookPage

# A Ricker wavelet whose peak lies at sample `depth` of each trace.
_CELL = """
import numpy as np
from blustream_widget import Viewer
from blustream_widget.core.geometry import place_slice
i, j = np.indices((64, 64))
depth = 60 + 10 * np.sin(i / 20) * np.cos(j / 24)
along = (np.arange(128) - depth[..., None]) / 5
ricker = ((1 - 2 * along**2) * np.exp(-along**2)).astype(np.float32)
viewer = Viewer(ricker, axis=0, slice_idx=32, kind="seismic", height=520)

def pixel_of(crossline, sample):  # CSS pixels in the pane; the page has one device pixel for each
    width, height = viewer.pane_size
    placed = place_slice(viewer.info, 0, zoom=viewer.zoom, pan=viewer.pan, stretch=viewer.stretch,
                         width_px=width, height_px=height)
    return placed.to_pixel(crossline, sample)

def snapped():
    return all(abs(k - depth[32, round(j)]) < 0.5 for _, j, k in viewer.annotations[0].points)

def far_off(samples):  # greatest distance from the formula, in samples
    return float(np.abs(samples - depth).max())  # NaN where a trace was left out

viewer
"""


def _wait(page: NotebookPage, claim: str) -> None:
    wait_until(lambda: page.read_python(f"bool({claim})"), timeout_s=30, what=claim)


def test_a_horizon_picked_by_hand_is_tracked_and_undone(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    view = page.viewer().locator(".view")
    view.scroll_into_view_if_needed()
    _wait(page, "viewer.exact")
    _wait(page, f"abs(viewer.pane_size[0] - {view.evaluate('(el) => el.clientWidth')}) < 2")
    view.focus()
    keyboard, mouse = page.page.keyboard, page.page.mouse

    keyboard.press("Shift+H")
    page.viewer().get_by_role("group", name="Horizon").wait_for()
    box = view.bounding_box()
    assert box is not None
    for crossline in (16, 48):  # two samples below the peak: a pick has to snap
        x, y = page.read_python(f"pixel_of({crossline}, depth[32, {crossline}] + 2)")
        mouse.click(box["x"] + x, box["y"] + y)
    keyboard.press("Enter")
    _wait(page, "[item.kind for item in viewer.annotations] == ['horizon']")
    _wait(page, "snapped()")

    keyboard.press("Shift+K")
    _wait(page, "viewer.annotations[0].value.grid")
    assert page.read_python("far_off(viewer.horizon(viewer.annotations[0]).samples)") < 0.5

    keyboard.press("Control+z")
    _wait(page, "len(viewer.annotations) == 1 and not viewer.annotations[0].value.grid")
    keyboard.press("Control+z")
    _wait(page, "len(viewer.annotations) == 0")
    assert page.problems == []
