"""The picture in motion lies where the one at rest lies, on a screen of two pixels a CSS pixel."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import av
import numpy as np
import numpy.typing as npt

from blustream_widget.testing.lab import JupyterLab
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Picture = npt.NDArray[np.float64]

# Soft noise, the same on every slice: only its place can change while the slices go by.
_CELL = """
import threading, time
import numpy as np
from blustream_widget import Viewer

noise = np.random.default_rng(1).standard_normal((600, 400))
down, across = np.fft.fftfreq(600)[:, None], np.fft.rfftfreq(400)
soft = np.fft.irfft2(np.fft.rfft2(noise) * np.exp(-((down**2 + across**2) / 0.06**2)))
section = (soft / soft.std() * 100).astype(np.int16)
viewer = Viewer(np.repeat(section[None], 60, axis=0), axis=0, slice_idx=1, kind="generic",
                window=600, level=0, colormap="grey", height=480)

def scrub(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        viewer.slice_idx = (viewer.slice_idx + 1) % 60
        time.sleep(1 / 30)

viewer
"""
_SIZE_OF_VIDEO = """(host) => {
  const find = (root) => {
    for (const el of root.querySelectorAll('*')) {
      const found = el.matches('.picture') ? el : el.shadowRoot && find(el.shadowRoot);
      if (found) return found;
    }
    return null;
  };
  const picture = find(host.shadowRoot ?? host);
  const video = picture.querySelector('video');
  const isSeen = picture.querySelector(':scope > canvas').style.visibility === 'hidden';
  return isSeen ? [video.videoWidth, video.videoHeight] : null;
}"""


def _section(page: NotebookPage) -> Picture:
    """The display where the slice is, without what lies over it."""
    with av.open(io.BytesIO(page.page.screenshot())) as container:
        display = next(container.decode(video=0)).to_ndarray(format="gray").astype(float)
    box = page.viewer().locator(".view").first.bounding_box()
    assert box is not None
    x, y, width, height = (round(box[name] * 2) for name in ("x", "y", "width", "height"))
    return display[y + height // 4 : y + height * 7 // 8, x + width * 2 // 5 : x + width * 3 // 5]


def _place_beside(still: Picture, moving: Picture) -> tuple[float, float]:
    """How far a picture lies below and to the right of another, in pixels."""
    fade = np.outer(np.hanning(still.shape[0]), np.hanning(still.shape[1]))
    one, other = (np.fft.rfft2((picture - picture.mean()) * fade) for picture in (still, moving))
    likeness = np.fft.irfft2(one.conj() * other, still.shape)
    y, x = np.unravel_index(likeness.argmax(), still.shape)
    return _summit(likeness[:, x], int(y)), _summit(likeness[y], int(x))


def _summit(values: Picture, at: int) -> float:
    """Where a parabola through the largest value and its neighbours is highest; it may be < 0."""
    n = len(values)
    before, largest, after = values[at - 1], values[at], values[(at + 1) % n]
    exact = at + (before - after) / (2 * (before - 2 * largest + after))
    return float(exact - n if exact > n / 2 else exact)


def _at_rest(page: NotebookPage) -> tuple[Picture] | None:
    """The display once it has stood still for a moment, as a tuple; None if it has not."""
    before = _section(page)
    page.page.wait_for_timeout(400)  # longer than the true frame takes to come
    after = _section(page)
    return (after,) if np.array_equal(before, after) else None


def _in_motion(page: NotebookPage, size: list[int]) -> tuple[Picture] | None:
    """The display while the video shows a picture of this size, as a tuple; None if it does not."""
    before = page.viewer().evaluate(_SIZE_OF_VIDEO)
    found = _section(page)
    after = page.viewer().evaluate(_SIZE_OF_VIDEO)
    return (found,) if before == after == size else None


def test_the_true_frame_takes_the_place_of_the_one_in_motion_without_a_jump(
    lab: JupyterLab, browser: Browser
) -> None:
    lab.write_notebook("place.ipynb", [_CELL])
    # Small enough for pictures in motion of full size on a slow machine.
    options = ("--force-device-scale-factor=2", "--window-size=1040,990")
    with chromium("--allow-loopback-in-peer-connection", *options) as fine:
        page = NotebookPage(browser, lab, "place.ipynb", context=fine.new_context(no_viewport=True))
        try:
            page.run_all()
            page.viewer().scroll_into_view_if_needed()
            # Rulers and bars take their room before that.
            wait_until(lambda: _at_rest(page), timeout_s=20, what="the page is at rest")
            # Half of all panes have such a height; buffers like multiples of four more.
            if page.read_python("viewer.pane_size[1]") % 4 == 0:
                page.run_python("viewer.height += 1")
            wait_until(
                lambda: page.read_python("viewer.pane_size[1]") % 4 == 2,
                timeout_s=20,
                what="the pane has a height that is no multiple of four",
            )
            (still,) = wait_until(lambda: _at_rest(page), timeout_s=20, what="the page is at rest")
            size = page.read_python("viewer.pane_size")
            page.run_python("threading.Thread(target=scrub, args=(20,), daemon=True).start()")
            (moving,) = wait_until(
                lambda: _in_motion(page, size),
                timeout_s=20,
                what=lambda: f"the video shows a picture of {size}",
            )
            down, right = _place_beside(still, moving)
            assert abs(down) < 0.25, (down, right)
            # A picture in motion begins at a whole pixel, one at rest anywhere.
            assert abs(right) < 0.6, (down, right)
        finally:
            page.close()
            lab.delete_sessions()
