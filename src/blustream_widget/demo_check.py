"""`blustream demo --headless`: the notebook in Chromium, its picture read pixel by pixel."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import numpy.typing as npt

from blustream_widget.testing.lab import JupyterLab, leftovers
from blustream_widget.testing.notebook_page import NotebookPage, chromium
from blustream_widget.testing.waiting import wait_until

# A section of seismic has a standard deviation of some tens of grey levels; an empty pane has 0.
_CONTRAST_MIN = 5.0
# The first picture may have the size that a viewer has before it is laid out.
_REST_S = 1.0
# Nobody comes back after a check: the server need not wait for them.
_ENDS_SOON = {"BLUSTREAM_SERVER_GRACE_S": "1", "BLUSTREAM_SESSION_GRACE_S": "1"}
# Another inline changes most pixels; what a codec does to a still picture stays below both.
_CHANGED_BY = 12
_CHANGED_SHARE_MIN = 0.05


def check_demo(
    folder: Path,
    notebook: str,
    environment: dict[str, str],
    screenshot: Path,
    *,
    timeout_s: float = 30.0,
) -> int:
    """Run a notebook that shows `viewer`, and see whether its picture follows the slice.

    Parameters
    ----------
    folder : Path
        Holds `notebook`.
    environment : dict
        Variables for the kernel.
    screenshot : Path
        PNG of the page after the check; a failure saves one too.
    timeout_s : float
        For the first picture, and again for the changed one.

    Returns
    -------
    int
        0 if it does, and if all processes end after it; else 1, with the reason and what page and
        server wrote on the terminal.
    """
    print("Starting JupyterLab and Chromium …", flush=True)
    with chromium() as browser, JupyterLab(folder, environment=_ENDS_SOON | environment) as lab:
        from playwright.sync_api import Error as BrowserError  # `chromium` has found it

        page = NotebookPage(browser, lab, notebook)
        try:
            check_page(page, timeout_s)
        except (TimeoutError, RuntimeError, BrowserError) as exc:
            _complain(page, exc)
            return 1
        finally:
            page.screenshot(screenshot)
            print(f"Screenshot: {screenshot}")
            page.close()
        return _end(lab, timeout_s)


def _end(lab: JupyterLab, timeout_s: float) -> int:
    """End the kernel, and see what else ends."""
    lab.delete_sessions()
    try:
        wait_until(lambda: not leftovers(lab), timeout_s=timeout_s, what="all processes end")
    except TimeoutError as exc:
        print(f"Failed: {exc}", *leftovers(lab), sep="\n  ")
        return 1
    print("Kernel, server and workers have ended")
    return 0


def check_page(page: NotebookPage, timeout_s: float) -> None:
    """Run the notebook of a page that shows `viewer`, and see its picture follow the slice.

    Raises
    ------
    RuntimeError
        If a cell failed; holds its traceback.
    TimeoutError
        If there is no picture or no other one within `timeout_s` each; says which.
    """
    page.run_all()
    started_s = time.monotonic()
    picture = _Picture(page)
    wait_until(picture.rests, timeout_s=timeout_s, what="the viewer shows a picture")
    before = picture.pixels
    waited_s = time.monotonic() - started_s
    height, width = before.shape[:2]
    transport = page.viewer().get_attribute("data-transport")
    print(
        f"Picture: {width} x {height} pixels by {transport}, {waited_s:.1f} s after the last cell"
    )

    first = page.read_python("viewer.slice_idx")
    other = first // 2
    page.run_python(f"viewer.slice_idx = {other}")
    share = wait_until(
        lambda: _changed_share(before, page.pixels(page.viewer())),
        timeout_s=timeout_s,
        what="the picture changes with the slice",
    )
    print(f"Slice {first} → {other}: {share:.0%} of the pixels changed")
    # Worth a thousand words only when it has been sharpened.
    wait_until(picture.rests, timeout_s=timeout_s, what="the picture comes to rest")


class _Picture:
    """What the viewer shows, and since when."""

    def __init__(self, page: NotebookPage) -> None:
        self._page = page
        self.pixels: npt.NDArray[np.uint8] = np.zeros((0, 0, 4), np.uint8)
        self._since_s = 0.0

    def rests(self) -> bool:
        """Read it anew; True if it shows something that has not changed for a second."""
        if self._page.viewer().count() == 0:
            return False
        self._page.viewer().scroll_into_view_if_needed()
        pixels, now_s = self._page.pixels(self._page.viewer()), time.monotonic()
        if not np.array_equal(pixels, self.pixels):
            self.pixels, self._since_s = pixels, now_s
        is_empty = not pixels.size or float(pixels[..., :3].std()) < _CONTRAST_MIN
        return not is_empty and now_s - self._since_s > _REST_S


def _changed_share(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> float:
    """Share of pixels that differ visibly, 0 where it is too small to be another slice."""
    if before.shape != after.shape:
        return 0.0
    difference = np.abs(before[..., :3].astype(np.int16) - after[..., :3])
    share = float((difference.max(axis=-1) > _CHANGED_BY).mean())
    return share if share > _CHANGED_SHARE_MIN else 0.0


def _complain(page: NotebookPage, exc: Exception) -> None:
    print(f"Failed: {exc}")
    for problem in page.problems:
        print(f"  page: {problem}")
    print(page.lab.log_tail())
