"""A series in time in JupyterLab: slider, keys and play show its steps, and Python knows which."""

from __future__ import annotations

from blustream_widget.testing.notebook_page import NotebookPage
from blustream_widget.testing.waiting import wait_until

# Step n has the grey n * 1024 / 6 everywhere: a wrong step is a wrong grey.
_CELL = """
import numpy as np
from blustream_widget import Viewer
steps = np.arange(6, dtype=np.float32)[:, None, None, None] * np.ones((6, 20, 30, 40), np.float32)
viewer = Viewer(steps, times=[0.5 * n for n in range(6)], time_unit="s", kind="generic",
                colormap="grey", window=6, level=3, height=480)
viewer
"""


class Series:
    """The series of the cell, on the page and in Python."""

    def __init__(self, page: NotebookPage) -> None:
        self.page, self.viewer = page, page.viewer()
        self.viewer.scroll_into_view_if_needed()
        self.slider = self.viewer.get_by_role("slider", name="Time")

    def wait_step(self, step: int) -> None:
        """Wait until traits, slider and the middle of the picture say the same step."""

        def is_there() -> bool:
            shown = self.page.pixels(self.viewer)
            if not shown.size:
                return False
            height, width = shown.shape[:2]
            grey = shown[height // 2, width // 2, 0]
            return (
                self.page.read_python("(viewer.time_idx, viewer.time)") == [step, step / 2]
                and self.slider.input_value() == str(step)
                and abs(int(grey) - 255 * step / 6) < 8
            )

        wait_until(is_there, timeout_s=30, what=f"step {step} everywhere")


def test_slider_keys_play_and_python_go_through_time(open_notebook) -> None:
    page = open_notebook(_CELL)
    page.run_all()
    series = Series(page)
    series.wait_step(0)
    series.slider.press("ArrowRight")
    series.wait_step(1)
    series.viewer.locator(".view").first.focus()
    page.page.keyboard.press("Shift+>")
    series.wait_step(2)
    page.page.keyboard.press("<")
    series.wait_step(1)
    page.run_python("viewer.time = 2.5")
    series.wait_step(5)
    page.page.keyboard.press("\\")
    seen: set[str] = set()
    wait_until(
        lambda: seen.add(series.slider.input_value()) or len(seen) >= 4,
        timeout_s=30,
        what="four steps played",
    )
    page.page.keyboard.press("Escape")
    series.viewer.get_by_role("button", name="Play time").wait_for()
    wait_until(
        lambda: page.read_python("str(viewer.time_idx)") == series.slider.input_value(),
        timeout_s=30,
        what="Python knows where it stopped",
    )
    series.wait_step(int(series.slider.input_value()))
