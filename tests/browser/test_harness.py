from __future__ import annotations

import socket
import subprocess
import sys

import numpy as np
import pytest

from blustream_widget.testing.lab import leftover_sockets, leftovers
from blustream_widget.testing.waiting import wait_until

SLIDER = "import ipywidgets; slider = ipywidgets.IntSlider(value=3, max=9); slider"
# A canvas on a video that holds a picture of more pixels.
COVERED = """from IPython.display import HTML
HTML('''<div class="covered" style="position: relative; width: 64px; height: 32px">
<video muted style="position: absolute; width: 100%; height: 100%"></video>
<canvas width="8" height="4" style="position: absolute; width: 100%; height: 100%"></canvas></div>
<script>
const big = document.createElement("canvas");
[big.width, big.height] = [640, 320];
big.getContext("2d").fillRect(0, 0, 640, 320);
const video = document.querySelector(".covered video");
video.srcObject = big.captureStream();
video.play();
</script>''')"""
CANVAS = """from IPython.display import HTML
HTML('''<canvas class="probe" width="8" height="4"></canvas><script>
const g = document.querySelector(".probe").getContext("2d");
g.fillStyle = "rgb(255,0,0)"; g.fillRect(0, 0, 8, 4);
g.fillStyle = "rgb(0,0,255)"; g.fillRect(6, 0, 2, 1);
</script>''')"""


def test_a_slider_moved_on_the_page_changes_its_value_in_the_kernel(open_notebook):
    notebook = open_notebook(SLIDER)
    notebook.run_all()
    handle = notebook.page.locator(".widget-slider .noUi-handle")
    handle.focus()
    handle.press("ArrowRight")
    wait_until(lambda: notebook.read_python("slider.value") == 4, timeout_s=10, what="value is 4")


def test_a_value_set_in_the_kernel_moves_the_slider_on_the_page(open_notebook):
    notebook = open_notebook(SLIDER)
    notebook.run_all()
    notebook.run_python("slider.value = 7")
    notebook.page.locator(".widget-readout", has_text="7").wait_for()


def test_pixels_are_read_with_rows_down_and_columns_right(open_notebook):
    notebook = open_notebook(CANVAS)
    notebook.run_all()
    pixels = notebook.pixels("canvas.probe")
    assert pixels.shape == (4, 8, 4)
    np.testing.assert_array_equal(pixels[0, 7], [0, 0, 255, 255])
    np.testing.assert_array_equal(pixels[3, 7], [255, 0, 0, 255])


def test_pixels_are_those_of_the_canvas_that_covers_a_video_of_more(open_notebook):
    notebook = open_notebook(COVERED)
    notebook.run_all()
    notebook.page.wait_for_function("document.querySelector('.covered video').videoWidth === 640")
    assert notebook.pixels(".covered").shape == (4, 8, 4)
    notebook.page.evaluate("document.querySelector('.covered canvas').style.visibility = 'hidden'")
    assert notebook.pixels(".covered").shape == (320, 640, 4)


def test_a_failing_cell_is_reported_with_its_traceback(open_notebook):
    notebook = open_notebook("1 / 0")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        notebook.run_all()


def test_the_theme_changes_the_page(open_notebook, tmp_path):
    notebook = open_notebook("1")
    background = "getComputedStyle(document.body).getPropertyValue('--jp-layout-color1')"
    notebook.set_theme("light")
    light = notebook.page.evaluate(background)
    notebook.set_theme("dark")
    assert notebook.page.evaluate(background) != light


def test_an_uncaught_error_of_the_page_is_collected(open_notebook):
    notebook = open_notebook("1")
    notebook.page.evaluate("() => { setTimeout(() => { throw new Error('on purpose'); }); }")
    wait_until(lambda: notebook.problems, timeout_s=10, what="the error is collected")
    assert any("on purpose" in problem for problem in notebook.problems)


def test_a_process_and_a_socket_that_a_notebook_left_are_found(lab):
    before = leftovers(lab)
    path = lab.home / "left.sock"
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        env=lab.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
            child.stdout.readline()
            assert [row for row in leftovers(lab) if row.startswith(f"{child.pid} ")]
            assert str(path) in leftover_sockets(lab)
    finally:
        child.communicate()
        path.unlink()
    assert leftovers(lab) == before


def test_a_restarted_kernel_forgets_and_answers(open_notebook):
    notebook = open_notebook("kept = 1")
    notebook.run_all()
    notebook.restart_kernel()
    assert notebook.read_python("'kept' in globals()") is False
