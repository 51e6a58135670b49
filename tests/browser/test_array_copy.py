"""An array's copy in shared memory is there while it is shown, and comes back with the view."""

from __future__ import annotations

from pathlib import Path

from blustream_widget.testing.waiting import wait_until


def test_an_array_that_nobody_sees_takes_no_memory_and_is_shown_again(open_notebook) -> None:
    page = open_notebook(
        "import numpy as np\n"
        "from blustream_widget import Viewer\n"
        "array = np.full((8, 40, 40), -1000, np.int16)\n"
        "viewer = Viewer(array, window=2000, level=0, colormap='grey', slice_idx=3)\nviewer",
    )
    page.run_all()

    def middle() -> int:
        if page.viewer().count() == 0:
            return -1
        pixels = page.pixels(page.viewer())
        height, width = pixels.shape[:2]
        return int(pixels[height // 2, width // 2, 0]) if height else -1

    wait_until(lambda: 0 <= middle() < 20, timeout_s=30, what="-1000 is black")
    path = Path(page.read_python("viewer._segment.ref.path"))
    assert path.exists()
    page.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.page.goto("about:blank")
    wait_until(lambda: not path.exists(), timeout_s=40, what="the copy is released")
    page.page.go_back()
    page.wait_idle()
    wait_until(path.exists, timeout_s=40, what="the copy is made again")
    # The browser may have kept the old picture: a new one shows that the view lives.
    page.run_python("array[...] = 1000; viewer.refresh()")
    wait_until(lambda: middle() > 235, timeout_s=40, what="1000 is white")
    assert page.read_python("viewer.slice_idx") == 3
    assert page.read_python("str(viewer.error)") == "None"
