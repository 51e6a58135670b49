"""The headless demo must not be content with less than a picture that follows the slice."""

from __future__ import annotations

import subprocess
import sys

import pytest

from blustream_widget.demo_check import check_page
from blustream_widget.testing.lab import write_notebook

# A stand-in for the viewer: draws stripes that are as wide as the slice says, or as told.
STAND_IN = """
import anywidget, traitlets

class StandIn(anywidget.AnyWidget):
    slice_idx = traitlets.Int(20).tag(sync=True)
    _esm = '''export default {{ render({{ model, el }}) {{
      el.innerHTML = "<div data-phase='live' data-transport='none'><canvas width=200 height=100>";
      const g = el.querySelector("canvas").getContext("2d");
      const draw = () => {{
        const n = model.get("slice_idx");
        g.fillStyle = "#000"; g.fillRect(0, 0, 200, 100); g.fillStyle = "#fff";
        for (let x = 0; x < 200; x += 2 * ({width})) g.fillRect(x, 0, {width}, 100);
      }};
      model.on("change:slice_idx", draw); draw();
    }} }}'''

viewer = StandIn()
viewer
"""


def test_a_picture_that_follows_the_slice_passes(open_notebook, capsys):
    check_page(open_notebook(STAND_IN.format(width="n")), 20)
    assert "Slice 20 → 10" in capsys.readouterr().out


def test_a_picture_that_stands_still_is_found(open_notebook):
    with pytest.raises(TimeoutError, match="the picture changes with the slice"):
        check_page(open_notebook(STAND_IN.format(width="10")), 2)


def test_a_demo_that_does_not_work_fails_and_says_why(tmp_path):
    write_notebook(tmp_path / "check.ipynb", ["1 / 0"])
    code = """if True:
        import sys
        from pathlib import Path
        from blustream_widget.demo_check import check_demo
        sys.exit(check_demo(Path('.'), 'check.ipynb', {}, Path('shot.png'), timeout_s=2))
    """
    # In a process of its own: two browsers of Playwright cannot share a thread.
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 1, result.stdout + result.stderr
    assert "ZeroDivisionError" in result.stdout
    assert (tmp_path / "shot.png").stat().st_size > 10_000
