"""Linked viewers on one page follow each other by world coordinates, while the kernel computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from blustream_widget.testing.notebook_page import NotebookPage

# 2 mm voxels from 0, and 3 mm voxels from 12 mm: position k of the one is (2 k - 12) / 3 there.
_CELL = """
import ipywidgets, nibabel, numpy as np
from blustream_widget import Viewer, link
def made(name, size_mm, n, first_mm):
    affine = np.diag([size_mm, size_mm, size_mm, 1.0])
    affine[:3, 3] = first_mm
    values = np.random.default_rng(1).normal(0, 1, (n, n, n)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, affine), name)
    return Viewer(name, axis="axial", height=320, layout={"width": "50%"})
a, b = made("two.nii", 2, 60, 0), made("three.nii", 3, 40, 12)
a.slice_idx = 30
both = link(a, b)
ipywidgets.HBox([a, b])
"""
_BUSY = "import pathlib\nwhile not pathlib.Path('done').exists(): sum(range(10**6))"


def _wait_slice(viewer: Locator, number: int) -> None:
    wait_until(
        lambda: viewer.get_attribute("data-slice-idx") == str(number),
        timeout_s=30,
        what=lambda: f"slice {number} is shown, not {viewer.get_attribute('data-slice-idx')}",
    )


def _middle(viewer: Locator) -> tuple[float, float]:
    box = viewer.locator("canvas").first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _compute(page: NotebookPage) -> None:
    """Have the kernel compute until there is a file named done."""
    page.page.evaluate(
        """(code) => { jupyterapp.shell.currentWidget.sessionContext.session.kernel
             .requestExecute({ code, store_history: false }); }""",
        _BUSY,
    )
    wait_until(
        lambda: (
            page.page.evaluate(
                "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status"
            )
            == "busy"
        ),
        timeout_s=30,
        what="the kernel is busy",
    )


def _check_pointer(page: NotebookPage, *, pointed: Locator, other: Locator) -> None:
    """Both have the same place in their middle: there the ring lies as the pointer does."""
    x, y = _middle(pointed)
    page.page.mouse.move(x + 40, y)
    ring = other.locator("[part=linked-pointer]").bounding_box()
    assert ring is not None
    half_a_voxel_px = 6
    assert abs(ring["x"] + ring["width"] / 2 - _middle(other)[0] - 40) < half_a_voxel_px


def test_two_viewers_show_the_same_place_while_the_kernel_computes(open_notebook, lab) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    a, b = page.viewer(0), page.viewer(1)
    a.scroll_into_view_if_needed()
    _wait_slice(a, 30)
    _wait_slice(b, 16)
    mouse = page.page.mouse
    (lab.folder / "done").unlink(missing_ok=True)
    _compute(page)

    mouse.click(*_middle(a))
    for _ in range(3):
        mouse.wheel(0, 100)
    _wait_slice(a, 33)
    _wait_slice(b, 18)  # 66 mm
    mouse.click(*_middle(b))
    mouse.wheel(0, 100)
    _wait_slice(b, 19)
    _wait_slice(a, 35)  # 69 mm lie between two slices there
    _check_pointer(page, pointed=b, other=a)
    page.page.keyboard.press("+")  # both grow
    (lab.folder / "done").touch()

    wait_until(
        lambda: page.read_python("(a.slice_idx, b.slice_idx)") == [35, 19],
        timeout_s=30,
        what="the traits say what is shown",
    )
    wait_until(
        lambda: page.read_python("b.zoom > 1.1 and abs(a.zoom / b.zoom - 1) < 1e-6"),
        timeout_s=30,
        what="both are as large",
    )
    page.run_python("a.slice_idx = 42")
    _wait_slice(b, 24)
    page.run_python("both.unlink(); a.slice_idx = 50")
    _wait_slice(a, 50)
    assert b.get_attribute("data-slice-idx") == "24"
    assert page.problems == []
