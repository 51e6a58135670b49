"""Colin-27, whose left and right an atlas of others names, stands on the screen as in radiology."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

_CELL = """
import numpy as np
from blustream_widget import Viewer
viewer = Viewer({head!r}, axis="axial", height=480, window=1, level=1e6)  # the head is black
atlas = viewer.add_segmentation({atlas!r}, "aal", opacity=1.0)
labels = atlas.to_array()
def show(axis, red, green):
    "One group of regions red, one green, the others not at all, where most of both is."
    axis_no = [one.name for one in viewer.info.axes].index(axis)
    groups = [[number for number, name in names.items() if word in name] for word in (red, green)]
    others = tuple(axis for axis in range(3) if axis != axis_no)
    counts = [np.isin(labels, group).sum(others) for group in groups]
    atlas.hidden = set(names) - set(groups[0]) - set(groups[1])
    atlas.colors = dict.fromkeys(groups[0], "#ff0000") | dict.fromkeys(groups[1], "#00ff00")
    viewer.axis = axis
    viewer.slice_idx = int(np.minimum(*counts).argmax())
names = {{one["label"]: one["name"] for one in atlas.statistics()}}
viewer
"""
# Where red lies as seen from green: along x to the right, or along y down.
_VIEWS = [
    ("axial", "_L", "_R", (1, 0), "RLAP"),
    ("axial", "Frontal", "Occipital", (0, -1), "RLAP"),
    ("coronal", "_L", "_R", (1, 0), "RLSI"),
    ("coronal", "Parietal", "Cerebel", (0, -1), "RLSI"),
    ("sagittal", "Frontal", "Occipital", (-1, 0), "APSI"),
    ("sagittal", "Parietal", "Cerebel", (0, -1), "APSI"),
]


def _middles(page: NotebookPage) -> list[np.ndarray] | None:
    """Middle (x, y) of all red and of all green pixels; None before there are some of both."""
    red, green, blue = np.moveaxis(page.pixels(page.viewer())[..., :3].astype(int), -1, 0)
    found = [
        np.argwhere(one - np.maximum(other, blue) > 120)
        for one, other in ((red, green), (green, red))
    ]
    return [np.flip(at.mean(0)) for at in found] if all(len(at) > 100 for at in found) else None


@pytest.fixture
def page(open_notebook, mricron_data) -> NotebookPage:
    head, atlas = (str(mricron_data / name) for name in ("ch2.nii.gz", "aal.nii.gz"))
    page = open_notebook(_CELL.format(head=head, atlas=atlas))
    page.run_all()
    return page


@pytest.mark.timeout(180)
def test_left_is_right_front_is_up_and_letters_say_so(page) -> None:
    for axis, red, green, direction, letters in _VIEWS:
        page.run_python(f"show({axis!r}, {red!r}, {green!r})")
        wait_until(
            functools.partial(_lies, page, np.array(direction)),
            timeout_s=30,
            what=f"{red} lies {direction} from {green} on the {axis} slice",
        )
        wait_until(
            functools.partial(_has_letters, page, letters),
            timeout_s=30,
            what=f"the {axis} slice has the letters {letters}",
        )
        assert _sides(page) == letters


def _lies(page: NotebookPage, direction: np.ndarray) -> bool:
    middles = _middles(page)
    if middles is None:
        return False
    across = middles[0] - middles[1]
    # Towards there by more than to either side: a picture of the view before is another.
    return abs(across) @ (1 - abs(direction)) < across @ direction > 20


def _has_letters(page: NotebookPage, letters: str) -> bool:
    return set(page.viewer().locator(".letter").all_inner_texts()) == set(letters)


def _sides(page: NotebookPage) -> str:
    """Letters at the left, right, top and bottom of the picture."""
    boxes = {}
    for letter in page.viewer().locator(".letter").all():
        box = letter.bounding_box()
        assert box is not None
        boxes[letter.inner_text()] = (box["x"], box["y"])
    x = sorted(boxes, key=lambda letter: boxes[letter][0])
    y = sorted(boxes, key=lambda letter: boxes[letter][1])
    return x[0] + x[-1] + y[0] + y[-1]
