"""At rest the display has exactly the colours that the colour map gives for the voxels."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt
import pytest

from blustream_widget.render.colormaps import LEVELS, rgb_table
from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

Picture = npt.NDArray[np.uint8]

# Value v is entry v of the colour map's 1024.
_ARRAY = "np.random.default_rng(3).integers(0, 1024, (4, 190, 130)).astype(np.int16)"
_CELL = f"""
import numpy as np
from blustream_widget import Viewer
viewer = Viewer({_ARRAY}, axis=0, slice_idx=1, kind="generic", window=1024, level=511.5,
                colormap={{colormap!r}}, interpolate=False, height=480)
viewer
"""
# The renderer interpolates in 32 bits: so near the edge between two colours either is right.
_NEAR = 1e-3


@contextlib.contextmanager
def _screen(browser: Browser, pixel_ratio: float) -> Iterator[BrowserContext]:
    """Open a window on a screen of so many device pixels a CSS pixel.

    By the browser's own scale: what Playwright emulates lays out and snaps in CSS pixels.
    """
    if pixel_ratio == 1:
        yield browser.new_context(viewport={"width": 1280, "height": 900})
        return
    options = (f"--force-device-scale-factor={pixel_ratio}", "--window-size=1280,990")
    with chromium("--allow-loopback-in-peer-connection", *options) as scaled:
        yield scaled.new_context(no_viewport=True)


def _screenshot(page: NotebookPage) -> Picture:
    """What the compositor puts on the display, RGB, in device pixels."""
    with av.open(io.BytesIO(page.page.screenshot())) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def _places(page: NotebookPage, display: Picture) -> Iterator[Picture]:
    """The display where the view may lie: the browser rounds to whole device pixels, repeatedly."""
    box = page.viewer().locator(".view").first.bounding_box()
    assert box is not None
    ratio = page.page.evaluate("devicePixelRatio")
    x, y, width, height = (round(box[name] * ratio) for name in ("x", "y", "width", "height"))
    for dy, dx in sorted(
        itertools.product(range(-3, 4), repeat=2), key=lambda d: d[0] ** 2 + d[1] ** 2
    ):
        yield display[y + dy : y + dy + height - 3, x + dx : x + dx + width - 3]


def _middle(pixels: Picture) -> Picture:
    """Without what lies over the picture near its edges: labels, colour bar, ring."""
    height, width = pixels.shape[:2]
    return pixels[height // 4 : height * 3 // 4, width * 2 // 5 : width * 3 // 5]


def _values(
    array: npt.NDArray[np.int16], shape: tuple[int, int], *, interpolate: bool
) -> npt.NDArray[np.float64]:
    """Value under the centre of each pixel of a pane (height, width) that shows a slice whole.

    Beyond the edges, which no test looks at, the outermost values go on.
    """
    values = array.T.astype(float)
    scale = min(size_px / n for size_px, n in zip(shape, values.shape, strict=True))
    for axis, size_px in enumerate(shape):
        n = values.shape[axis]
        at = (np.arange(size_px) + 0.5 - size_px / 2) / scale + n / 2 - 0.5
        at = at if interpolate else np.round(at)
        low = np.clip(np.floor(at), 0, n - 2).astype(int)
        share = np.expand_dims(np.clip(at - low, 0, 1), 1 - axis)
        values = values.take(low, axis) * (1 - share) + values.take(low + 1, axis) * share
    return values


def _differs(page: NotebookPage, colormap: str) -> str:
    """Why the display is not exact, "" if it is: what the colour map gives, and nothing else."""
    width, height, slice_idx, interpolate = page.read_python(
        "[*viewer.pane_size, viewer.slice_idx, viewer.interpolate]"
    )
    array = np.random.default_rng(3).integers(0, 1024, (4, 190, 130)).astype(np.int16)
    values = _values(array[slice_idx], (height, width), interpolate=interpolate)
    table = rgb_table(colormap)
    assert len(table) == LEVELS
    wanted = [
        table[np.floor(values + 0.5 + near).clip(0, LEVELS - 1).astype(int)]
        for near in (-_NEAR, _NEAR)
    ]
    least = 1.0
    for display in _places(page, _screenshot(page)):
        seen = _middle(display)
        low, high = (_middle(picture[: display.shape[0], : display.shape[1]]) for picture in wanted)
        if seen.shape != low.shape:
            return f"the display shows {display.shape}, the pane has {width} x {height} pixels"
        wrong = ((seen != low).any(-1) & (seen != high).any(-1)).mean()
        least = min(least, wrong)
        if wrong == 0:
            return ""
    return f"{least:.2%} of the pixels of slice {slice_idx} are wrong, {interpolate=}"


@pytest.mark.parametrize(
    ("colormap", "pixel_ratio"), [("grey", 1), ("seismic", 1.25), ("grey", 1.5), ("seismic", 2)]
)
def test_the_display_at_rest_has_the_colour_map_of_the_voxels(
    lab: JupyterLab, browser: Browser, colormap: str, pixel_ratio: float
) -> None:
    name = f"exact-{colormap}-{pixel_ratio}.ipynb"
    lab.write_notebook(name, [_CELL.format(colormap=colormap)])
    with _screen(browser, pixel_ratio) as context:
        page = NotebookPage(browser, lab, name, context=context)
        try:
            page.run_all()
            page.viewer().scroll_into_view_if_needed()
            assert page.page.evaluate("devicePixelRatio") == pixel_ratio
            # The first by the canvas, later ones after a video; then each pixel interpolated.
            for change in ("slice_idx = 1", "slice_idx = 2", "interpolate = True", "slice_idx = 3"):
                page.run_python(f"viewer.{change}")
                wait_until(
                    lambda: not _differs(page, colormap),
                    timeout_s=20,
                    what=lambda: f"the display is exact: {_differs(page, colormap)}",
                )
        finally:
            page.close()
            lab.delete_sessions()
