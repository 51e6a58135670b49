"""The headless demo must not be content with less than a picture that follows the slice."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

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


def _check(folder: Path, cell: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Check in a process of its own: two browsers of Playwright cannot share a thread."""
    write_notebook(folder / "check.ipynb", [cell])
    arguments = f"Path('.'), 'check.ipynb', {{}}, Path('shot.png'), timeout_s={timeout_s}"
    code = f"""if True:
        import sys
        from pathlib import Path
        from blustream_widget.demo_check import check_demo
        sys.exit(check_demo({arguments}))
    """
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_a_picture_that_follows_the_slice_passes(tmp_path):
    result = _check(tmp_path, STAND_IN.format(width="n"), 10)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (tmp_path / "shot.png").stat().st_size > 10_000
    assert "Slice 20 → 10" in result.stdout


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        (STAND_IN.format(width="10"), "the picture changes with the slice"),
        ("1 / 0", "ZeroDivisionError"),
    ],
    ids=["frozen", "failing cell"],
)
def test_a_demo_that_does_not_work_fails_and_says_why(tmp_path, cell, reason):
    result = _check(tmp_path, cell, 2)
    assert result.returncode == 1, result.stdout + result.stderr
    assert reason in result.stdout
